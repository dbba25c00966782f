"""Commands to a run: from a pipe, in any pieces, and its end when the pipe closes."""

import os
import subprocess
import sys
import threading

import pytest

from seqdemo.training.control import Control, memory_bytes
from tests.conftest import PATIENCE_S

CHILD = """
import os, sys, time
from seqdemo.training import control
control._SECONDS_TO_LEAVE = 0.2 if sys.argv[1] == "does not" else 600  # who obeys ends by itself
c = control.Control()
c.listen(sys.stdin.fileno())
print("listening", flush=True)
if sys.argv[1] == "obeys":
    while c.reason_to_end(0.0) is None:
        time.sleep(0.01)
    print(c.reason_to_end(0.0), flush=True)
else:
    time.sleep(600)
"""


def test_a_pause_waits_and_a_stop_ends_it():
    control = Control()
    assert not control.is_paused
    assert control.reason_to_end(1e9) is None
    control.pause()
    assert control.is_paused
    waiting = threading.Thread(target=control.wait)
    waiting.start()
    control.stop()
    waiting.join(PATIENCE_S)
    assert not waiting.is_alive()
    assert control.reason_to_end(0) == "stopped"
    control.pause()
    assert not control.is_paused, "what ends is not paused again"


def test_commands_come_through_a_pipe_in_any_pieces():
    reading, writing = os.pipe()
    control = Control()
    changed = threading.Condition()
    seen = []

    def note(name):
        def noted(*arguments):
            with changed:
                seen.append((name, *arguments))
                changed.notify_all()

        return noted

    control.pause, control.resume, control.stop = note("pause"), note("resume"), note("stop")
    control.listen(reading)
    for piece in (b"pau", b"se\nresu", b"me\nnonsense\nst", b"op\n"):
        os.write(writing, piece)
    with changed:
        assert changed.wait_for(lambda: len(seen) == 3, PATIENCE_S)
    assert seen == [("pause",), ("resume",), ("stop",)]
    # The pipe stays open: closing it would end this process.


@pytest.mark.parametrize(("kind", "status"), [("obeys", 0), ("does not", 3)])
def test_a_process_ends_when_the_pipe_closes_even_if_it_does_not_listen(kind, status):
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, kind], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout.readline() == "listening\n"
    out, _ = child.communicate(timeout=PATIENCE_S)
    assert child.returncode == status
    assert out == ("abandoned\n" if kind == "obeys" else "")


def test_the_memory_of_who_starts_a_run_is_not_that_of_the_run():
    ballast = bytearray(b"x") * 500_000_000  # a server holds its models
    command = "from seqdemo.training.control import memory_bytes; print(memory_bytes())"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    assert len(ballast) > int(done.stdout) > 5_000_000


def test_caps_of_time_and_memory_are_reasons_to_end():
    assert Control(max_seconds=5).reason_to_end(4.9) is None
    assert Control(max_seconds=5).reason_to_end(5.1) == "time"
    assert memory_bytes() > 10_000_000
    assert Control(max_memory_bytes=1e12).reason_to_end(0) is None
    assert Control(max_memory_bytes=1e6).reason_to_end(0) == "memory"
