"""From what a person names to the folder of a checkpoint: a shipped one, a folder, or a repository of the Hub."""

from __future__ import annotations

import contextlib
import os
import pathlib
import re

from seqdemo import paths
from seqdemo.checkpoints import hub, manifest, repository, schema
from seqdemo.errors import CheckpointCorruptError, HubError, UnknownModelError
from seqdemo.models.registry import MODELS


def find(name: str | os.PathLike[str], kind: str | None) -> pathlib.Path:
    """The folder of a checkpoint; whether one of this kind is in it is for its reader to say.

    Args:
        name: The name of a folder in `pretrained` (that of a language model may lack its `lm-`), the path of any other,
            or `owner/repository@revision`, whose revision may be missing where no folder here is called as the owner:
            more likely a path was mistyped then. A path that is none of texts is never asked for on the Hub. A
            classifier that `pretrained` lacks comes from the repository that the manifest or `SEQDEMO_HUB_OWNER` names.
        kind: Which kind is wanted (`schema.KINDS`).

    Raises:
        UnknownModelError: It is none of them; the message lists the shipped names of this kind.
        HubError: The repository could not be fetched.
        CheckpointMissingError: The repository lacks a file.
        CheckpointCorruptError: The repository holds another kind of model, or the manifest cannot be read.
    """
    known_names = shipped(kind)
    if kind is not None and f"lm-{name}" in known_names:
        name = f"lm-{name}"
    if isinstance(name, str) and (name in known_names or name in _checkpoints()):
        path = paths.PRETRAINED / name
        return _from_the_hub(name) if name in MODELS and not path.is_dir() else path
    path = pathlib.Path(name)
    if path.is_dir():
        return path
    wanted = repository.parse(name) if isinstance(name, str) else None
    if wanted is not None and ("@" in str(name) or not path.parent.is_dir()):
        try:
            return repository.fetch(wanted, kind)
        except HubError as error:
            raise HubError(f"There is no folder called {name!r}, so that the Hub was asked. {error}") from error
    said, known = os.fspath(name), ", ".join(known_names) or "none"
    if isinstance(name, str) and not re.search(r"[/\\]|^[.~]", name):
        raise UnknownModelError(
            f"There is no model and no folder called {said!r}; known {schema.KINDS[kind].plural} are {known}."
        )
    asking = f"; {said}@{wanted.revision} would ask the Hub" if wanted is not None else ""
    raise UnknownModelError(
        f"There is no folder called {said!r}{asking}. A name is one of {known}, the path of a checkpoint folder, or "
        "owner/repository or owner/repository@revision on the Hugging Face Hub."
    )


def shipped(kind: str | None) -> list[str]:
    """The names of the shipped checkpoints of a kind; a classifier's is that of its model."""
    if kind is None:
        return list(MODELS)
    return [name for name in _checkpoints() if _kind_of(paths.PRETRAINED / name) == kind]


def writers() -> list[str]:
    """Names of the models whose cells can write: those with states whose language model is in `pretrained`."""
    return _with_language_models(has_states=True)


def readers_of_both_sides() -> list[str]:
    """Names of the models that say a hidden word: those without states whose language model is in `pretrained`."""
    return _with_language_models(has_states=False)


def _with_language_models(*, has_states: bool) -> list[str]:
    there = [name for name, spec in MODELS.items() if spec.has_states == has_states]
    return [name for name in there if (paths.PRETRAINED / f"lm-{name}").is_dir()]


def _from_the_hub(name: str) -> pathlib.Path:
    """The folder of a classifier in the Hub's cache; where no repository is named, the missing one in `pretrained`."""
    path, source = hub.resolve_local(name)
    if source.kind == "cache" or hub.repository(name) is None:
        return path
    try:
        return hub.fetch(name)[0]
    except HubError as error:
        raise HubError(f"There is no {name} in {path.parent.name}, so that the Hub was asked. {error}") from error


def _checkpoints() -> list[str]:
    """Those in `pretrained`, and those that its manifest names; the reader of a missing one says what to do."""
    found = {path.parent.name for path in paths.PRETRAINED.glob(f"*/{schema.CONFIG}")}
    with contextlib.suppress(CheckpointCorruptError):
        found |= {name for name, of in manifest.read(paths.PRETRAINED).items() if schema.CONFIG in of.files}
    return sorted(found)


def _kind_of(folder: pathlib.Path) -> object:
    try:
        return schema.kind_of(folder)
    except (CheckpointCorruptError, OSError):
        return ""  # a damaged one has no kind, and is not offered
