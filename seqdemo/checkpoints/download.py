"""One model's files from the Hugging Face Hub, in a process of its own.

Against a server that accepts and then says nothing, the client of the Hub waits for
minutes or for ever, in calls that no argument bounds. A thread stuck in one cannot be
stopped, and it would hold the lock of the cache, on which the next try would wait. A
process can be stopped: a watchdog in here ends it at each deadline, whoever started it
is alive or not, and the system frees its locks and sockets. The client also reads its
settings from the environment when it is imported, so that they can be set for this
process alone.

The request comes as one JSON argument, the answer goes as one JSON line to standard
output: `{"folder": …, "etags": {file: checksum}}`, or `{"error": …}` with a sentence.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_STALE_S = 600.0
_NOT_THE_HUB = "Something other than the Hub answered; the network may want a sign-in first."


def main(argument: str) -> None:
    """Answers one request.

    Args:
        argument: JSON with `repository`, `revision`, `files`, `cache`, and bounds in seconds:
            `answer_s` until the server's first answer, `total_s` for everything, of which
            `left_s` are left. Where no manifest says how large files are, also `limits`, the most
            bytes of each, `limit`, the most of all, and `optional`, files that need not be there:
            the size of every file is asked for before the first one is fetched.
    """
    request = json.loads(argument)
    # Without Xet, weights come over plain HTTPS, which is what the tests exercise.
    os.environ["HF_HUB_DISABLE_XET"] = "1"
    os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["HF_HUB_ETAG_TIMEOUT"] = os.environ["HF_HUB_DOWNLOAD_TIMEOUT"] = "10"
    file = request["files"][0]
    try:
        import huggingface_hub

        url = huggingface_hub.hf_hub_url(request["repository"], file, revision=request["revision"])
        with _deadline(request["answer_s"], f"The Hub did not answer in {request['answer_s']:g} s."):
            # `hf_hub_download` alone would try for 23 s before it says that nothing is there.
            # Its own timeout is longer, so that the deadline is what is told.
            metadata = huggingface_hub.get_hf_file_metadata(url, timeout=2 * request["answer_s"])
        if metadata.commit_hash is None or metadata.etag is None:
            _answer(error=_NOT_THE_HUB)
            return
        with _deadline(request["left_s"], f"The Hub did not send everything in {request['total_s']:g} s."):
            _remove_leftovers(request["cache"], request["repository"])
            files, etags = request["files"], {}
            if "limits" in request:
                # All of one commit, whatever a branch does in the meantime.
                found = {}
                for file in files:
                    url = huggingface_hub.hf_hub_url(request["repository"], file, revision=metadata.commit_hash)
                    try:
                        found[file] = huggingface_hub.get_hf_file_metadata(url)
                    except huggingface_hub.errors.RemoteEntryNotFoundError:
                        if file not in request["optional"]:
                            raise
                problem = too_large({file: of.size for file, of in found.items()}, request["limits"], request["limit"])
                if problem is not None:
                    _answer(error=problem)
                    return
                files, etags = list(found), {file: of.etag for file, of in found.items()}
            path = ""
            for file in files:
                revision = metadata.commit_hash if path and etags else request["revision"]
                path = huggingface_hub.hf_hub_download(
                    request["repository"], file, revision=revision, cache_dir=request["cache"]
                )
        _answer(folder=str(pathlib.Path(path).parent), etags=etags)
    except Exception as error:  # the client lets errors of three libraries through
        _answer(error=explain(error, repository=request["repository"], revision=request["revision"], file=file))


def too_large(sizes: Mapping[str, int | None], limits: Mapping[str, int], limit: int) -> str | None:
    """Says in a sentence which file is larger than it may be; None where none is."""
    for file, size in sizes.items():
        if size is None:
            return f"The Hub does not say how large {file} is."
        if size > limits[file]:
            return f"{file} has {size / 1e6:,.1f} MB on the Hub; at most {limits[file] / 1e6:,.0f} MB are read."
    whole = sum(size or 0 for size in sizes.values())
    if whole > limit:
        return f"Its files have {whole / 1e6:,.1f} MB on the Hub; {limit / 1e6:,.1f} MB are announced."
    return None


def explain(error: BaseException, *, repository: str, revision: str, file: str = "") -> str:
    """Says in a sentence why the Hub's client failed.

    Args:
        error: What it raised; the errors that led to it are looked at too.
        repository: `owner/name`.
        revision: The commit or tag asked for.
        file: The file asked for.
    """
    chain = list(_chain(error))
    names = {kind.__name__ for link in chain for kind in type(link).__mro__}
    text = " ".join(str(link) for link in chain)
    status = next((code for link in chain if (code := _status(link)) is not None), None)
    if "OfflineModeIsEnabled" in names:
        return "The Hub's client is in offline mode (HF_HUB_OFFLINE)."
    if "ProxyError" in names:
        return "The network's proxy refuses the way to the Hub."
    if "GatedRepoError" in names:
        return f"The Hub asks to request access to {repository} first ({status})."
    if "RevisionNotFoundError" in names:
        return f"The Hub has no revision {revision} of {repository} (404)."
    if "RemoteEntryNotFoundError" in names:
        return f"The Hub has no file {file} in {repository} at {revision} (404)."
    if "RepositoryNotFoundError" in names or status == 401:
        return f"The Hub shows no repository {repository} ({status}): it is missing, private, or the token is wrong."
    if status == 403:
        return f"The Hub refuses access to {repository} (403)."
    if status == 404:
        return f"The Hub found nothing at {repository} (404)."
    if status == 429:
        return "The Hub had too many requests from this network (429); it answers again in some minutes."
    if status is not None and status >= 500:
        return f"The Hub has a fault of its own ({status}); try again later."
    if status is not None:
        return f"The Hub answered {status} for {repository}."
    if "FileMetadataError" in names or "JSONDecodeError" in names:
        return _NOT_THE_HUB
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return "The Hub's certificate cannot be verified; a firewall may stand in between."
    if "TimeoutException" in names:
        return "The Hub stopped answering."
    if "ConnectError" in names:
        if "refused" in text:
            return "The connection to the Hub was refused."
        return "The Hub cannot be reached; this machine may have no network."
    if "RemoteProtocolError" in names or "ReadError" in names:
        return f"The Hub broke off in the middle of {file}."
    if "Consistency check failed" in text:
        return f"{file} arrived from the Hub with a wrong size."
    if isinstance(error, OSError) and error.errno is not None:
        return f"The Hub's cache on this machine cannot be written to: {error.strerror}."
    return f"The Hub's client failed: {type(error).__name__}: {(str(error).splitlines() or ['no reason given'])[0]}"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _status(error: BaseException) -> int | None:
    code: Any = getattr(getattr(error, "response", None), "status_code", None)
    return code if isinstance(code, int) else None


def _answer(**answer: object) -> None:
    os.write(1, json.dumps(answer).encode() + b"\n")


@contextlib.contextmanager
def _deadline(limit_s: float, sentence: str) -> Iterator[None]:
    def end() -> None:
        _answer(error=sentence)
        os._exit(0)  # the main thread may be stuck in a call that nothing else ends

    timer = threading.Timer(limit_s, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _remove_leftovers(cache: str, repository: str) -> None:
    """Removes what a process that was ended has left half-loaded, long after any process would still write it."""
    blobs = pathlib.Path(cache, "models--" + repository.replace("/", "--"), "blobs")
    for path in blobs.glob("*.incomplete"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > _STALE_S:
                path.unlink()


def arguments(request: dict[str, Any]) -> Sequence[str]:
    """The command that answers a request: this file alone, for which nothing of ours need be importable."""
    return [sys.executable, "-P", __file__, json.dumps(request)]


if __name__ == "__main__":
    main(sys.argv[1])
