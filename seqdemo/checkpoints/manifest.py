"""`pretrained/manifest.json`: what every file that comes with the app must be, and where it is published.

It names each folder beside it (checkpoints of all kinds, stored studies, recorded runs) and size and SHA-256 of each
file in there, so that a copy which was damaged on its way, on the Hub or on this disk, answers nobody. Writing a
checkpoint or a result there writes its lines; after any other change `python -m seqdemo manifest` does.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from seqdemo.checkpoints import schema
from seqdemo.errors import CheckpointCorruptError

NAME = "manifest.json"
FORMAT = 2
COMMAND = "python -m seqdemo manifest"
_LISTED = (*(name for name in schema.FILES if name != schema.CARD), schema.INDEX)


class FileEntry(NamedTuple):
    """What a file must be: size in bytes, and SHA-256 as 64 hex digits."""

    size: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What the manifest says of one folder.

    Attributes:
        repository: `owner/name` on the Hub, or None before it is published.
        commit: 40 hex digits, or None.
        files: Size and checksum of each file by its name.
    """

    repository: str | None = None
    commit: str | None = None
    files: Mapping[str, FileEntry] = field(default_factory=dict)


def read(pretrained: pathlib.Path) -> dict[str, Entry]:
    """Reads `manifest.json`; where there is none, it names nothing.

    Returns:
        The entry of each folder by its name.

    Raises:
        CheckpointCorruptError: The file is there but is no manifest.
    """
    try:
        value = json.loads((pretrained / NAME).read_text(encoding="utf-8"))
        if value["format"] != FORMAT:
            raise CheckpointCorruptError(f"{NAME} has format {value['format']!r}; this program reads {FORMAT}.")
        entries = {
            name: Entry(
                repository=of["repository"],
                commit=of["commit"],
                files={file: FileEntry(int(is_["size"]), str(is_["sha256"])) for file, is_ in of["files"].items()},
            )
            for name, of in value["folders"].items()
        }
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CheckpointCorruptError(f"{NAME} is no manifest: {type(error).__name__}.") from error
    for name, entry in entries.items():
        if entry.repository is not None and not re.fullmatch(r"[\w.-]+/[\w.-]+", str(entry.repository)):
            raise CheckpointCorruptError(f"{NAME}: {entry.repository!r} of {name} is not owner/name.")
        if entry.commit is not None and not re.fullmatch(r"[0-9a-f]{40}", str(entry.commit)):
            raise CheckpointCorruptError(f"{NAME}: {entry.commit!r} of {name} is not a commit of 40 hex digits.")
    return entries


def write(pretrained: pathlib.Path, entries: Mapping[str, Entry]) -> pathlib.Path:
    """Writes the manifest in one step, so that a reader never sees half of it."""
    value = {
        "format": FORMAT,
        "folders": {
            name: {
                "repository": entry.repository,
                "commit": entry.commit,
                "files": {file: of._asdict() for file, of in entry.files.items()},
            }
            for name, entry in sorted(entries.items())
        },
    }
    descriptor, new = tempfile.mkstemp(prefix=".manifest-", dir=pretrained)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(json.dumps(value, indent=2) + "\n")
        pathlib.Path(new).chmod(0o644)
        return pathlib.Path(new).replace(pretrained / NAME)
    finally:
        pathlib.Path(new).unlink(missing_ok=True)


def current(pretrained: pathlib.Path) -> dict[str, Entry]:
    """What the manifest should say of the folders as they are.

    Files that have changed are no longer what was published: their folder loses its commit.

    Raises:
        CheckpointCorruptError: There is a manifest that cannot be read.
    """
    before = read(pretrained)
    entries = {}
    for folder in sorted(pretrained.iterdir()):
        files = _files_of(folder)
        if files:
            known = before.get(folder.name)
            is_published = known is not None and known.files == files
            entries[folder.name] = known if known is not None and is_published else Entry(files=files)
    return entries


def changed(pretrained: pathlib.Path) -> list[str]:
    """The names of the folders of which the manifest says something else than what is there.

    Raises:
        CheckpointCorruptError: There is a manifest that cannot be read.
    """
    before, after = read(pretrained), current(pretrained)
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def update(pretrained: pathlib.Path) -> pathlib.Path:
    """Brings the manifest up to date with the folders; gives its path.

    Raises:
        CheckpointCorruptError: There is a manifest that cannot be read.
    """
    return write(pretrained, current(pretrained))


def follow(folder: pathlib.Path, file: str | None = None) -> None:
    """Brings the lines up to date of what was written just now, if a manifest stands beside the folder.

    Args:
        folder: The folder that was written, or written into.
        file: The one file that was written in there; by default all of them.

    Raises:
        CheckpointCorruptError: The manifest cannot be read.
    """
    pretrained = folder.absolute().parent
    if (pretrained / NAME).is_file():
        entries, files = read(pretrained), _files_of(folder)
        known = entries.get(folder.name, Entry())
        if file is not None:
            files = {**known.files, file: files[file]}
        if known.files != files:
            write(pretrained, {**entries, folder.name: Entry(files=files)})


def verify(folder: pathlib.Path, files: Collection[str] | None = None) -> None:
    """Holds a folder against the manifest beside it; what no readable manifest names, nothing speaks against.

    Args:
        folder: A folder of `pretrained/`; any other one is left alone.
        files: Only these of its files; by default all that are named.

    Raises:
        CheckpointCorruptError: A file is not what it was; the message says which.
    """
    folder = folder.absolute()
    try:
        entry = read(folder.parent).get(folder.name, Entry())
    except CheckpointCorruptError:
        return  # one damaged file must not silence every model; the sidebar says it
    wanted = {file: of for file, of in entry.files.items() if files is None or file in files}
    problem = difference(folder, wanted, f"{folder.parent.name}/{folder.name}")
    if problem is not None:
        raise CheckpointCorruptError(f"{problem} Put it back as it was; after a change of your own, run `{COMMAND}`.")


def read_text(path: pathlib.Path) -> str:
    """The text of a file, held against the manifest first.

    Raises:
        CheckpointCorruptError: It is not what it was.
        OSError: It cannot be read.
    """
    verify(path.parent, [path.name])
    return path.read_text(encoding="utf-8")


def difference(folder: pathlib.Path, files: Mapping[str, FileEntry], whose: str) -> str | None:
    """The first file that is not what it should be, in a sentence; None where all are.

    Args:
        folder: Where they are.
        files: What they should be.
        whose: What the folder is called.
    """
    for file, expected in files.items():
        try:
            size = (folder / file).stat().st_size
            if size != expected.size:
                return f"{file} of {whose} has {size} bytes; the manifest says {expected.size}."
            if schema.sha256(folder / file) != expected.sha256:
                return f"{file} of {whose} is not the file that the manifest names: its SHA-256 differs."
        except OSError as error:
            return f"{file} of {whose} cannot be read: {error.strerror}."
    return None


def _files_of(folder: pathlib.Path) -> dict[str, FileEntry]:
    """The files that count: those of a checkpoint but for its card, or else every JSON file."""
    if (folder / schema.CONFIG).is_file():
        shards = sorted(path.name for path in folder.glob("*.safetensors") if schema.SHARD.fullmatch(path.name))
        paths = [folder / name for name in (*_LISTED, *shards) if (folder / name).is_file()]
    else:
        paths = sorted(folder.glob("*.json"))
    return {path.name: FileEntry(path.stat().st_size, schema.sha256(path)) for path in paths}
