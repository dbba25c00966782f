"""A checkpoint from any repository of the Hugging Face Hub, of which no manifest says what it must be.

Small files come first. Whether it is of the kind that is wanted, and how many files of weights its index names, is
looked at before any of these is asked for; how large each is, before any is fetched. What came is held against the
checksums that the Hub itself gives. Whether it is a model is for `package` to say.
"""

from __future__ import annotations

import contextlib
import hashlib
import pathlib
import re
import shutil
import time
from collections.abc import Mapping

from seqdemo.checkpoints import hub, schema, shards
from seqdemo.checkpoints.hub import Repository
from seqdemo.checkpoints.schema import CONFIG, INDEX, WEIGHTS
from seqdemo.errors import CheckpointCorruptError, CheckpointMissingError, HubError

BRANCH = "main"
"""The revision where none is named."""
TOTAL_S = 600.0
"""All files of one checkpoint are waited for this long."""
_HEADER_BYTES = 1_100_000  # of each file of weights, beside its tensors
_PART = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,95}"
_NAME = re.compile(rf"({_PART}/{_PART})(?:@({_PART}(?:/{_PART})*))?")


def parse(name: str) -> Repository | None:
    """`owner/repository@revision`, of which the revision may be missing; None where it is something else."""
    found = _NAME.fullmatch(name)
    # What the Hub allows in no name either; its client keeps owner and name apart by two hyphens.
    if found is None or ".." in name or "--" in found[1] or found[1].endswith(("-", ".")):
        return None
    return Repository(found[1], found[2] or BRANCH)


def fetch(
    wanted: Repository, kind: str | None, *, answer_s: float = hub.ANSWER_S, total_s: float = TOTAL_S
) -> pathlib.Path:
    """The folder of a checkpoint in the Hub's cache; fetched unless the revision is a commit that is there already.

    Args:
        wanted: Which one.
        kind: The kind that it must be of (`schema.KINDS`).
        answer_s: Bound on the wait for the Hub's first answer, in seconds.
        total_s: Bound on the whole download, in seconds.

    Raises:
        HubError: Why it could not be fetched, in a sentence.
        CheckpointMissingError: The repository lacks a file.
        CheckpointCorruptError: It is of another kind, or its index is none.
    """
    is_commit = re.fullmatch(r"[0-9a-f]{40}", wanted.revision) is not None
    if is_commit or hub.is_offline():
        cached = _cached(wanted, kind)
        if cached is not None:
            return cached
    if hub.is_offline():
        raise HubError(
            f"Offline mode is on (HF_HUB_OFFLINE), and the cache does not hold {wanted.id} at {wanted.revision}."
        )
    end = time.monotonic() + total_s
    small = [file for file in schema.KINDS[kind].files if file != WEIGHTS]
    folder = _download(wanted, [*small, INDEX], end, optional=[*small[1:], INDEX], answer_s=answer_s, total_s=total_s)
    try:
        schema.read_config(folder / CONFIG, kind, whose=wanted.id)
        index = shards.read(folder / INDEX) if (folder / INDEX).is_file() else None
    except OSError as error:
        raise HubError(f"The Hub's cache on this machine cannot be read: {error.strerror}.") from error
    absent = [file for file in small if not (folder / file).is_file()]
    if absent:
        raise CheckpointMissingError(f"{wanted.id} is no checkpoint: {', '.join(absent)} not found in it.")
    weights = [WEIGHTS] if index is None else list(index.files)
    n_bytes = schema.MAX_BYTES[WEIGHTS] if index is None else index.n_bytes + len(weights) * _HEADER_BYTES
    commit = Repository(wanted.id, folder.name)
    return _download(commit, weights, end, limit=n_bytes, answer_s=answer_s, total_s=total_s)


def _download(
    wanted: Repository,
    files: list[str],
    end: float,
    *,
    answer_s: float,
    total_s: float,
    optional: list[str] | None = None,
    limit: int = schema.MAX_BYTES[WEIGHTS],
) -> pathlib.Path:
    left_s = max(end - time.monotonic(), 0.1)
    answer = hub.ask(
        wanted,
        files,
        answer_s=answer_s,
        total_s=total_s,
        left_s=left_s,
        limits={file: schema.max_bytes(file) for file in files},
        limit=limit,
        optional=optional or [],
    )
    folder = pathlib.Path(answer["folder"])
    damaged = _damaged(folder, answer["etags"])
    if damaged is not None:
        # By force it would not be refreshed where there are no symbolic links; see `hub`.
        shutil.rmtree(hub.repository_cache(wanted), ignore_errors=True)
        raise HubError(f"{damaged} of {wanted.id} is not the file that the Hub names: its checksum differs.")
    return folder


def _cached(wanted: Repository, kind: str | None) -> pathlib.Path | None:
    """The folder in the cache, if all that a checkpoint of this kind needs is there and whole.

    Raises:
        CheckpointCorruptError: It is of another kind.
    """
    import huggingface_hub

    found = huggingface_hub.try_to_load_from_cache(wanted.id, CONFIG, cache_dir=hub.cache(), revision=wanted.revision)
    if not isinstance(found, str):
        return None
    folder = pathlib.Path(found).parent
    with contextlib.suppress(OSError):
        links = {path.name: path.resolve().name for path in folder.iterdir() if path.is_symlink()}
        if _damaged(folder, links) is not None:
            shutil.rmtree(hub.repository_cache(wanted), ignore_errors=True)
            return None
        schema.read_config(folder / CONFIG, kind, whose=wanted.id)
        try:
            files = shards.with_shards(schema.KINDS[kind].files, shards.index_of(folder))
        except CheckpointCorruptError:
            return None
        if all((folder / file).is_file() for file in files):
            return folder
    return None


def _damaged(folder: pathlib.Path, checksums: Mapping[str, str]) -> str | None:
    """The first file that differs from its checksum on the Hub: SHA-256 of weights, git's own of small files."""
    for file, checksum in checksums.items():
        if re.fullmatch(r"[0-9a-f]{64}", checksum):
            found = schema.sha256(folder / file)
        elif re.fullmatch(r"[0-9a-f]{40}", checksum):
            content = (folder / file).read_bytes()
            found = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
        else:
            continue
        if found != checksum:
            return file
    return None
