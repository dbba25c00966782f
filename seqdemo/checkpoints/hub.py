"""Where a model's weights come from: a checked cache, the Hugging Face Hub, or the copy in `pretrained/`.

`pretrained/manifest.json` names for each model its repository, the commit, and size
and SHA-256 of every file (`manifest`). Nothing is used from anywhere that differs from it:
the Hub's client itself does not compare checksums. The environment variable
`SEQDEMO_HUB_OWNER` names an owner whose repositories `{owner}/seqdemo-{name}-imdb`
hold the same files. Where neither names a repository, no network is touched.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from seqdemo import environment, paths
from seqdemo.checkpoints import download, manifest
from seqdemo.errors import CheckpointError, ConfigError, HubError

TAG = "v1.0"
ANSWER_S = 3.0
"""The Hub's first answer is waited for this long."""
TOTAL_S = 60.0
"""All files of one model are waited for this long."""
_START_S = 30.0  # a busy machine may take a while to start Python


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where weights come from, in words for the sidebar.

    Attributes:
        kind: From the Hub just now, from the Hub's cache on this machine, or the copy in `pretrained/`.
        repository: `owner/name` on the Hub, or None.
        commit: 40 hex digits, or None.
        reason: One sentence: why from there.
    """

    kind: Literal["hub", "cache", "embedded"]
    repository: str | None
    commit: str | None
    reason: str


class Repository(NamedTuple):
    """A repository of the Hub at one point of its history.

    Attributes:
        id: `owner/name`.
        revision: A commit of 40 hex digits, or a tag.
    """

    id: str
    revision: str


def repository_id(owner: str, name: str) -> str:
    """The name that a model's repository has on the Hub."""
    return f"{owner}/seqdemo-{name}-imdb"


def repository(name: str) -> Repository | None:
    """The repository of a model, by `SEQDEMO_HUB_OWNER` or by the manifest; None where neither names one.

    Raises:
        CheckpointCorruptError: The manifest cannot be read.
        HubError: `SEQDEMO_HUB_OWNER` is no owner's name.
    """
    entry = manifest.read(paths.PRETRAINED).get(name)
    try:
        owner = environment.HUB_OWNER.read()
    except ConfigError as error:
        raise HubError(str(error)) from error
    if owner is not None:
        named = repository_id(owner, name)
    elif entry is not None and entry.repository is not None:
        named = entry.repository
    else:
        return None
    pinned = entry is not None and entry.repository == named and entry.commit is not None
    return Repository(named, str(entry.commit) if pinned and entry is not None else TAG)


def resolve_local(name: str) -> tuple[pathlib.Path, Source]:
    """The best copy on this machine, without a network: the Hub's cache if it is whole, else `pretrained/`.

    Returns:
        The folder, which need not exist, and why it is this one.
    """
    embedded = paths.PRETRAINED / name
    copy = "Embedded copy" if embedded.is_dir() else "No embedded copy"
    pin = None
    try:
        pin = repository(name)
        if pin is None:
            reason = f"{copy}: no Hub repository is named yet."
        else:
            cached = _cached_folder(pin, name)
            if cached is not None:
                _verify(cached, name)
                return cached, _from_cache(pin, cached)
            if is_offline():
                reason = f"{copy}: offline mode is on and the cache does not hold {pin.id}."
            else:
                reason = f"{copy}: {pin.id} is not in the cache."
    except CheckpointError as error:
        reason = f"{copy}. {error}"
    return embedded, Source(kind="embedded", repository=pin.id if pin else None, commit=None, reason=reason)


def wants_fetch(name: str, source: Source | None) -> bool:
    """Whether the Hub should be asked by itself.

    Args:
        name: The model's name in the registry.
        source: Where the weights in use come from, or None where there are none.
    """
    try:
        named = repository(name) is not None
    except CheckpointError:
        return False  # `resolve_local` has said why
    return named and not is_offline() and (source is None or source.kind == "embedded")


def fetch(name: str, *, answer_s: float = ANSWER_S, total_s: float = TOTAL_S) -> tuple[pathlib.Path, Source]:
    """Fetches a model's files from the Hub into its cache and checks them against the manifest.

    Every wait is bounded: see `seqdemo.checkpoints.download`.

    Args:
        name: The model's name in the registry.
        answer_s: Bound on the wait for the Hub's first answer, in seconds.
        total_s: Bound on the whole download, in seconds.

    Returns:
        The folder and its source.

    Raises:
        HubError: Why it could not be fetched, in a sentence.
        CheckpointCorruptError: The manifest cannot be read.
    """
    pin = repository(name)
    if pin is None:
        raise HubError(f"No Hub repository is named for {name}; publish it, or set {environment.HUB_OWNER.name}.")
    if is_offline():
        raise HubError("Offline mode is on (HF_HUB_OFFLINE); the Hub is not asked.")
    end = time.monotonic() + total_s
    with contextlib.suppress(HubError):
        cached = _cached_folder(pin, name)
        if cached is not None:  # since it was last looked at, or damaged
            _verify_or_remove(cached, pin, name)
            return cached, _from_cache(pin, cached)
    attempts = 2
    while True:
        left_s = max(end - time.monotonic(), 0.1)
        answer = ask(pin, list(_files(name)), answer_s=answer_s, total_s=total_s, left_s=left_s)
        path = pathlib.Path(answer["folder"])
        attempts -= 1
        try:
            _verify_or_remove(path, pin, name)
        except HubError:
            if attempts == 0:
                raise
        else:
            reason = f"From {pin.id} on the Hub."
            return path, Source(kind="hub", repository=pin.id, commit=path.name, reason=reason)


def _from_cache(pin: Repository, path: pathlib.Path) -> Source:
    reason = f"From the verified cache of {pin.id}."
    return Source(kind="cache", repository=pin.id, commit=path.name, reason=reason)


def _verify_or_remove(path: pathlib.Path, pin: Repository, name: str) -> None:
    """Verifies a folder of the cache; a damaged one is removed.

    Downloading by force would not do: without symbolic links, as on Windows, it
    refreshes the blob and leaves the damaged file where it is read.
    """
    try:
        _verify(path, name)
    except HubError:
        shutil.rmtree(repository_cache(pin), ignore_errors=True)
        raise


def _verify(path: pathlib.Path, name: str) -> None:
    problem = manifest.difference(path, _files(name), "the Hub's copy")
    if problem is not None:
        raise HubError(problem)


def _files(name: str) -> Mapping[str, manifest.FileEntry]:
    entry = manifest.read(paths.PRETRAINED).get(name)
    if entry is None or not entry.files:
        raise HubError(f"{manifest.NAME} lists no files of {name}, so that nothing from the Hub could be checked.")
    return entry.files


def _cached_folder(pin: Repository, name: str) -> pathlib.Path | None:
    """The folder of the Hub's cache in which all files of a model stand, if there is one."""
    import huggingface_hub

    found = [
        huggingface_hub.try_to_load_from_cache(pin.id, file, cache_dir=cache(), revision=pin.revision)
        for file in _files(name)
    ]
    folders = {pathlib.Path(path).parent if isinstance(path, str) else None for path in found}
    return folders.pop() if len(folders) == 1 else None


def cache() -> pathlib.Path:
    """The client's cache; asked anew each time, where the client itself looks once when it is imported."""
    home = os.environ.get("HF_HOME") or pathlib.Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "huggingface")
    named = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE") or pathlib.Path(home, "hub")
    return pathlib.Path(os.path.expandvars(named)).expanduser()


def repository_cache(pin: Repository) -> pathlib.Path:
    """The folder of the client's cache for one repository."""
    return cache() / ("models--" + pin.id.replace("/", "--"))


def is_offline() -> bool:
    """Whether the client of the Hub is told to ask nobody."""
    value = os.environ.get("HF_HUB_OFFLINE") or os.environ.get("TRANSFORMERS_OFFLINE") or ""
    return value.upper() in {"1", "ON", "YES", "TRUE"}


def ask(
    pin: Repository, files: Sequence[str], *, answer_s: float, total_s: float, left_s: float, **more: object
) -> dict[str, Any]:
    """Fetches files into the cache by the Hub's client, in a process of its own (`download`).

    Args:
        pin: From where.
        files: Which ones.
        answer_s: Bound on the wait for the Hub's first answer, in seconds.
        total_s: Bound on everything, in seconds.
        left_s: What is left of it.
        more: Further entries of the request.

    Returns:
        Its answer, with the `folder`.

    Raises:
        HubError: Why they could not be fetched, in a sentence.
    """
    request = {
        "repository": pin.id,
        "revision": pin.revision,
        "files": list(files),
        "cache": str(cache()),
        "answer_s": answer_s,
        "total_s": total_s,
        "left_s": left_s,
        **more,
    }
    try:
        done = subprocess.run(
            download.arguments(request),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_START_S + answer_s + left_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise HubError(f"The Hub's client did not end within {error.timeout:g} s.") from error
    except OSError as error:
        raise HubError(f"The Hub's client could not be started: {error}.") from error
    answer = _last_json(done.stdout)
    if "folder" in answer:
        return answer
    raise HubError(answer.get("error") or f"The Hub's client failed: {_last_line(done.stderr)}")


def _last_json(output: bytes) -> dict[str, Any]:
    for line in reversed(list(_lines(output))):
        with contextlib.suppress(ValueError):
            value = json.loads(line)
            if isinstance(value, dict):
                return value
    return {}


def _last_line(output: bytes) -> str:
    return next(reversed(list(_lines(output))), "no reason given")


def _lines(output: bytes) -> Iterator[str]:
    return (line for line in output.decode(errors="replace").splitlines() if line.strip())
