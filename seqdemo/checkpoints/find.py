"""From what a person names to the folder of a checkpoint: a shipped one, a folder, or a repository of the Hub."""

from __future__ import annotations

import os
import pathlib

from seqdemo.checkpoints import repository, schema
from seqdemo.errors import CheckpointCorruptError, HubError, UnknownModelError
from seqdemo.models.registry import MODELS


def find(name: str | os.PathLike[str], kind: str | None, pretrained: pathlib.Path) -> pathlib.Path:
    """The folder of a checkpoint; whether one of this kind is in it is for its reader to say.

    Args:
        name: The name of a folder in `pretrained`, the path of any other, or `owner/repository@revision`, whose
            revision may be missing. A path that is none of texts is never asked for on the Hub.
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
    if pathlib.Path(name).is_dir():
        return pathlib.Path(name)
    wanted = repository.parse(name) if isinstance(name, str) else None
    if wanted is not None:
        try:
            return repository.fetch(wanted, kind)
        except HubError as error:
            raise HubError(f"There is no folder called {name!r}, so that the Hub was asked. {error}") from error
    raise UnknownModelError(
        f"There is no model and no folder called {os.fspath(name)!r}; "
        f"known {schema.KINDS[kind].plural} are {', '.join(shipped(kind, pretrained))}."
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
