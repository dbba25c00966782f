"""How a run is paused and stopped from outside, and what it may use of the machine."""

from __future__ import annotations

import contextlib
import math
import os
import pathlib
import re
import sys
import threading
import time
from typing import Literal

Reason = Literal["stopped", "time", "memory", "abandoned"]
_SECONDS_TO_LEAVE = 10.0


class Control:
    """Asked by a run between two updates; a run that nobody controls has the plain one.

    Commands come as lines: `pause`, `resume`, `stop`. Where their stream ends, whoever started the run is gone, and
    the run ends too: a pipe closes however its other end died, on every system.
    """

    def __init__(self, *, max_seconds: float = math.inf, max_memory_bytes: float = math.inf) -> None:
        """Sets the caps.

        Args:
            max_seconds: Longest time that is computed, pauses left out.
            max_memory_bytes: Most memory of the process.
        """
        self.max_seconds = max_seconds
        self.max_memory_bytes = max_memory_bytes
        self._reason: Reason | None = None
        self._going = threading.Event()
        self._going.set()

    @property
    def is_paused(self) -> bool:
        """Whether the run is to wait."""
        return not self._going.is_set()

    def pause(self) -> None:
        """The run waits at the next update."""
        if self._reason is None:
            self._going.clear()

    def resume(self) -> None:
        """The run goes on."""
        self._going.set()

    def stop(self, reason: Reason = "stopped") -> None:
        """The run ends at the next update, also a paused one."""
        self._reason = self._reason or reason
        self._going.set()

    def wait(self) -> float:
        """Waits while the run is paused.

        Returns:
            How long that was, in seconds.
        """
        started = time.perf_counter()
        self._going.wait()
        return time.perf_counter() - started

    def reason_to_end(self, seconds: float) -> Reason | None:
        """Why the run has to end now, or None.

        Args:
            seconds: What it has computed so far.
        """
        if self._reason is None and seconds > self.max_seconds:
            self._reason = "time"
        if self._reason is None and self.max_memory_bytes < math.inf and memory_bytes() > self.max_memory_bytes:
            self._reason = "memory"
        return self._reason

    def listen(self, descriptor: int) -> None:
        """Takes commands from an open file, in the background, until it ends.

        Args:
            descriptor: A file descriptor, such as that of standard input. It is read without Python's buffers, whose
                lock would be held when the interpreter ends.
        """
        threading.Thread(target=self._listen, args=(descriptor,), name="commands", daemon=True).start()

    def _listen(self, descriptor: int) -> None:
        rest = b""
        while True:
            try:
                chunk = os.read(descriptor, 1024)
            except OSError:
                chunk = b""
            if not chunk:
                break
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                word = line.strip()
                if word == b"pause":
                    self.pause()
                elif word == b"resume":
                    self.resume()
                elif word == b"stop":
                    self.stop()
        self.stop("abandoned")
        time.sleep(_SECONDS_TO_LEAVE)  # a file that is being written is finished in that time
        os._exit(3)


def give_way() -> None:
    """Takes a low priority, so that answers to visitors come first."""
    if hasattr(os, "nice"):
        os.nice(10)


def memory_bytes() -> int:
    """The most memory that this process has held so far; 0 where the system does not say."""
    # What Linux says by `getrusage` begins with the peak of the process that started this one, a server for example.
    with contextlib.suppress(OSError):
        status = pathlib.Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        if found := re.search(r"^VmHWM:\s+(\d+) kB$", status, re.M):
            return int(found[1]) * 1024
    try:
        import resource
    except ImportError:  # Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
