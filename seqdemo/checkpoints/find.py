"""From what a person names to the folder of a checkpoint: a shipped one, a folder, or a repository of the Hub."""

from __future__ import annotations

import os
import pathlib
import re

from seqdemo.checkpoints import repository, schema
from seqdemo.errors import CheckpointCorruptError, HubError, UnknownModelError
from seqdemo.models.registry import MODELS


def find(name: str | os.PathLike[str], kind: str | None, pretrained: pathlib.Path) -> pathlib.Path:
    """The folder of a checkpoint; whether one of this kind is in it is for its reader to say.

    Args:
        name: The name of a folder in `pretrained`, the path of any other, or `owner/repository@revision`, whose
            revision may be missing where no folder here is called as the owner: more likely a path was mistyped then.
            A path that is none of texts is never asked for on the Hub.
        kind: Which kind is wanted (`schema.KINDS`).
        pretrained: Where the shipped checkpoints are.

    Raises:
        UnknownModelError: It is none of them; the message lists the shipped names of this kind.
        HubError: The repository could not be fetched.
        CheckpointMissingError: The repository lacks a file.
        CheckpointCorruptError: The repository holds another kind of model.
    """
    if isinstance(name, str) and (name in shipped(kind, pretrained) or name in _checkpoints(pretrained)):
        return pretrained / name
    path = pathlib.Path(name)
    if path.is_dir():
        return path
    wanted = repository.parse(name) if isinstance(name, str) else None
    if wanted is not None and ("@" in str(name) or not path.parent.is_dir()):
        try:
            return repository.fetch(wanted, kind)
        except HubError as error:
            raise HubError(f"There is no folder called {name!r}, so that the Hub was asked. {error}") from error
    said, known = os.fspath(name), ", ".join(shipped(kind, pretrained))
    if isinstance(name, str) and not re.search(r"[/\\]|^[.~]", name):
        raise UnknownModelError(
            f"There is no model and no folder called {said!r}; known {schema.KINDS[kind].plural} are {known}."
        )
    hub = f"; {said}@{wanted.revision} would ask the Hub" if wanted is not None else ""
    raise UnknownModelError(
        f"There is no folder called {said!r}{hub}. A name is one of {known}, the path of a checkpoint folder, or "
        "owner/repository or owner/repository@revision on the Hugging Face Hub."
    )


def shipped(kind: str | None, pretrained: pathlib.Path) -> list[str]:
    """The names of the shipped checkpoints of a kind; a classifier's is that of its model."""
    if kind is None:
        return list(MODELS)
    return [name for name in _checkpoints(pretrained) if _kind_of(pretrained / name) == kind]


def _checkpoints(pretrained: pathlib.Path) -> list[str]:
    return sorted(path.parent.name for path in pretrained.glob(f"*/{schema.CONFIG}"))


def _kind_of(folder: pathlib.Path) -> object:
    try:
        return schema.kind_of(folder)
    except (CheckpointCorruptError, OSError):
        return ""  # a damaged one has no kind, and is not offered
