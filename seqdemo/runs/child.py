"""One training run as a process of its own, so that it can be ended, and takes nothing with it when it breaks.

It hears commands through a pipe and ends when that closes, so it never outlives the server, however the server ended.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from seqdemo import paths
from seqdemo.errors import SEE_MORE
from seqdemo.runs.files import RunFiles
from seqdemo.runs.limits import Limits
from seqdemo.runs.view import State, View

_log = logging.getLogger(__name__)


class Child:
    """The process of one run.

    Attributes:
        process: The process.
        started: When it began, as `time.monotonic` tells it.
    """

    def __init__(
        self,
        files: RunFiles,
        limits: Limits,
        *,
        on_event: Callable[[dict[str, Any]], None],
        on_end: Callable[[int], None],
    ) -> None:
        """Starts the process, and a thread that listens to it.

        Args:
            files: What to train, and where; each event is written there too.
            limits: What it may use.
            on_event: Called in the thread with each event, which holds `at`, seconds since the start.
            on_end: Called in the thread with the exit status; negative for a signal.

        Raises:
            OSError: It cannot be started.
        """
        command = [sys.executable, "-m", "seqdemo", "train", "--settings", str(files.settings)]
        command += ["--events", "jsonl", "--controlled", "--out", str(files.result)]
        command += ["--threads", str(limits.threads), "--max-seconds", str(limits.max_seconds)]
        command += ["--max-memory-mb", str(limits.max_memory_mb)]
        if files.data.is_file():
            command += ["--csv", str(files.data)]
        here = str(paths.PACKAGE.parent)
        path = os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])])
        environment = {**os.environ, "OMP_NUM_THREADS": str(limits.threads), "PYTHONPATH": path}
        # A group of its own, so that Ctrl-C at the server's terminal reaches the child through the pipe alone; not a
        # session of its own, in which a low priority would count for nothing on Linux.
        # Its files are for this user alone.
        alone: dict[str, Any] = {"process_group": 0, "umask": 0o077} if os.name == "posix" else {}
        with files.open_errors() as errors:
            self.process: subprocess.Popen[str] = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment,
                text=True,
                encoding="utf-8",
                bufsize=1,
                **alone,
            )
        self.started = time.monotonic()
        self._files = files
        self._on_event = on_event
        self._on_end = on_end
        self._reader = threading.Thread(target=self._read, name=f"train-{files.home.name}", daemon=True)
        self._reader.start()

    def tell(self, word: str) -> bool:
        """Sends `pause`, `resume` or `stop`; returns whether the process was still there to hear it."""
        try:
            assert self.process.stdin is not None
            self.process.stdin.write(word + "\n")
            self.process.stdin.flush()
        except (OSError, ValueError):  # it has just ended
            return False
        return True

    def let_go(self) -> None:
        """Closes the pipe, upon which the process ends by itself."""
        with contextlib.suppress(OSError):
            if self.process.stdin:
                self.process.stdin.close()

    def end(self, within_s: float) -> None:
        """Waits until the process has ended by itself, and kills it where that takes too long."""
        try:
            self.process.wait(max(0.0, within_s))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def join(self, timeout_s: float) -> None:
        """Waits until `on_end` has returned."""
        self._reader.join(timeout_s)

    def _read(self) -> None:
        """Takes the events until the process ends."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            try:
                event = json.loads(line)
            except ValueError:  # the last line of a child that was killed
                continue
            if not isinstance(event, dict) or "event" not in event:
                continue
            event["at"] = round(time.monotonic() - self.started, 3)
            # A full disk loses the record of a run, not the run.
            with contextlib.suppress(OSError):
                self._files.add(event)
            self._on_event(event)
        status = self.process.wait()
        self.process.stdout.close()
        self.let_go()
        self._on_end(status)


def how_it_ended(
    view: View, status: int, last_error: str, *, reason: str = "", stopped: bool = False, closed: bool = False
) -> tuple[State, str, str]:
    """What to tell of a run whose process is gone.

    Args:
        view: The run, with all that the process said.
        status: Its exit status; negative for a signal.
        last_error: The last line that it wrote besides events.
        reason: Why it was told to stop, where that was not the visitor's wish.
        stopped: Whether it was told to stop.
        closed: Whether the server ends.

    Returns:
        The state, a sentence or nothing, and the kind of a failure as in `View.kind`.
    """
    if view.done is not None and status == 0:
        return "done", reason or view.message, ""
    if view.kind:
        return "failed", view.message, view.kind
    if stopped:  # it did not answer in time, perhaps because it had hardly begun
        return "killed", reason or "Stopped; its process had to be ended, and nothing is kept.", ""
    if closed:
        return "killed", "The server was stopped.", "killed"
    if status < 0:
        return "killed", f"The run ended: its process was killed from outside (signal {-status}).", "killed"
    if last_error.startswith("seqdemo: ") and not last_error.endswith(SEE_MORE):
        return "failed", last_error.removeprefix("seqdemo: "), "error"
    _log.error("A training run ended with status %d: %s", status, last_error)
    return "failed", "The run ended with an error of the program.", "error"
