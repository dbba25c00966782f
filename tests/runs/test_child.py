"""One run as a process: its events, the commands to it, and that it never outlives the server."""

import dataclasses
import json
import os
import pathlib
import queue
import signal
import subprocess
import sys
import time

import pytest

import seqdemo
from seqdemo.runs.child import Child, how_it_ended
from seqdemo.runs.files import RunFiles
from seqdemo.runs.jobs import Jobs
from seqdemo.runs.limits import Limits
from seqdemo.runs.view import View
from seqdemo.training.settings import RunSettings

LONG = RunSettings(
    task="first_token",
    model="gru",
    samples=200,
    length=400,
    batch_size=2,
    d_hidden=4,
    d_embed=4,
    epochs=100,
    device="cpu",
    precision="fp32",
)
"""Minutes of computing, with its first sign within a second."""
WAIT_S = 240
posix = pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")


def is_alive(pid):
    """Whether the process computes; one that has ended and was not yet collected does not."""
    try:
        status = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def wait_until_gone(pid):
    deadline = time.monotonic() + WAIT_S
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)  # no handle: the process is nobody's child
    return not is_alive(pid)


def test_it_tells_its_events_obeys_and_ends_when_the_pipe_closes(tmp_path):
    heard, status = queue.Queue(), queue.Queue()
    files = RunFiles.begin(tmp_path, LONG, "")
    child = Child(files, Limits(max_seconds=600), on_event=heard.put, on_end=status.put)
    events = [heard.get(timeout=WAIT_S)]
    assert child.tell("pause")
    while events[-1]["event"] != "paused":
        events.append(heard.get(timeout=WAIT_S))
    assert "start" in [event["event"] for event in events]
    assert [event["at"] for event in events] == sorted(event["at"] for event in events)
    child.let_go()
    assert isinstance(status.get(timeout=WAIT_S), int)
    child.join(WAIT_S)
    assert child.process.poll() is not None
    assert not child.tell("resume"), "nobody hears it any more"
    assert files.events()[: len(events)] == events
    assert not files.result.exists()


@posix
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_no_process_and_no_half_written_checkpoint_outlive_the_server(tmp_path, how):
    code = f"""
import json, sys, time
from seqdemo.runs.jobs import Jobs
from seqdemo.runs.limits import Limits
from seqdemo.training.settings import RunSettings
jobs = Jobs({str(tmp_path / "runs")!r}, Limits())
run_id = jobs.start(RunSettings(**json.loads(sys.argv[1])))
jobs.wait(run_id, lambda view: bool(view.steps), {WAIT_S})
print(run_id, jobs._jobs[run_id].child.process.pid, flush=True)
time.sleep(600)
"""
    root = str(pathlib.Path(seqdemo.__file__).parents[1])
    server = subprocess.Popen(
        [sys.executable, "-c", code, json.dumps(dataclasses.asdict(LONG))], stdout=subprocess.PIPE, text=True, cwd=root
    )
    run_id, pid = server.stdout.readline().split()
    assert is_alive(int(pid))
    server.send_signal(how)
    server.wait(60)
    server.stdout.close()
    assert wait_until_gone(int(pid))
    assert not (tmp_path / "runs" / run_id / "checkpoint").exists()
    later = Jobs(tmp_path / "runs", Limits())
    view = later.view(run_id)
    assert (view.state, view.message) == ("killed", "The server was stopped while this run trained.")
    later.close()


@pytest.mark.parametrize(
    ("status", "said", "told", "state", "kind", "words"),
    [
        (0, "", {}, "failed", "error", "error of the program"),
        (2, "seqdemo: No such device.", {}, "failed", "error", "No such device."),
        (1, "ValueError: secret", {}, "failed", "error", "The run ended with an error of the program."),
        (1, "seqdemo: /secret: Is a directory. --debug shows where.", {}, "failed", "error", "error of the program."),
        (-9, "", {}, "killed", "killed", "signal 9"),
        (-9, "", {"stopped": True}, "killed", "", "nothing is kept"),
        (-9, "", {"stopped": True, "reason": "Too long."}, "killed", "", "Too long."),
        (1, "", {"closed": True}, "killed", "killed", "The server was stopped."),
        (-9, "", {"closed": True}, "killed", "killed", "The server was stopped."),
    ],
)
def test_every_end_without_a_result_has_its_sentence(status, said, told, state, kind, words):
    found = how_it_ended(View(id="", settings=LONG), status, said, **told)
    assert (found[0], found[2]) == (state, kind)
    assert words in found[1]
    assert "secret" not in found[1]


def test_what_the_process_said_of_its_end_counts():
    view = View(id="", settings=LONG)
    view.take({"event": "failed", "kind": "nan", "message": "The loss is not a number.", "at": 1.0})
    assert how_it_ended(view, 1, "", stopped=True) == ("failed", "The loss is not a number.", "nan")
    view = View(id="", settings=LONG)
    view.take({"event": "done", "reason": "stopped", "folder": None, "at": 1.0})
    assert how_it_ended(view, 0, "") == ("done", "Stopped by hand.", "")
    assert how_it_ended(view, 0, "", reason="Nobody watched.") == ("done", "Nobody watched.", "")
    assert how_it_ended(view, -9, "")[0] == "killed", "a result counts only if the process ended well"
