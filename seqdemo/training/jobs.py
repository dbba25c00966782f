"""The training runs of one server: each a child process, two at a time, the others in a queue.

```python
jobs = Jobs()                                    # one a process
run_id = jobs.start(settings, visitor=token)     # begins, or waits in the queue
view = jobs.view(run_id)                         # state, curves, place in the queue; also tells that someone watches
jobs.belongs_to(run_id, token)                   # who has only the id may watch
jobs.pause(run_id), jobs.resume(run_id), jobs.stop(run_id)
jobs.save(run_id, "My first LSTM"), jobs.zip_bytes(run_id), jobs.load_zip(content, visitor=token)
jobs.close()                                     # no process is left behind
```

A run is known by an id that cannot be guessed; whoever has it may watch, and a page lets only the visitor steer it who
started or loaded it. Its files lie in `<root>/<id>/`: `settings.json`, `events.jsonl` (each event with `at`, seconds
since the start), `checkpoint/`, `owner.txt` (the visitor's token, hashed), and `name.txt` once it is saved. A run that
nobody has looked at for a while ends. The child hears commands through a pipe and ends when that closes, so it never
outlives the server, however the server ended. Imports no torch and no Streamlit.
"""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import hashlib
import io
import json
import logging
import os
import pathlib
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unicodedata
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import seqdemo
from seqdemo.errors import ConfigError, SeqdemoError, TrainingError
from seqdemo.training.settings import RunSettings, estimate_seconds

_log = logging.getLogger(__name__)

State = Literal["queued", "starting", "running", "paused", "done", "failed", "killed"]
ENDED: tuple[State, ...] = ("done", "failed", "killed")
"""States that a run does not leave."""
_ID = re.compile(r"[A-Za-z0-9_-]{16}")
_SETTINGS, _EVENTS, _OWNER, _NAME, _RESULT, _ERRORS, _CSV = (
    "settings.json",
    "events.jsonl",
    "owner.txt",
    "name.txt",
    "checkpoint",
    "stderr.txt",
    "data.csv",
)
_RESULT_FILES = frozenset(
    {"config.json", "model.safetensors", "vocab.txt", "metrics.json", "history.json", "README.md"}
)
_MAX_ZIP_BYTES = 50_000_000
_SECONDS_TO_OBEY = 60.0
_NAME_LENGTH = 40


def is_allowed() -> bool:
    """Whether visitors may train here; `SEQDEMO_TRAINING=off` forbids it."""
    return os.environ.get("SEQDEMO_TRAINING", "on").strip().lower() not in {"off", "0", "no", "false"}


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What all runs together may use.

    Attributes:
        max_jobs: Runs at once; `SEQDEMO_MAX_JOBS`.
        max_waiting: Runs in the queue.
        max_each: Runs of one visitor that have not ended.
        max_seconds: Longest computing time of one run; `SEQDEMO_MAX_SECONDS`.
        max_memory_mb: Most memory of one run; `SEQDEMO_MAX_MEMORY_MB`.
        max_paused_s: Longest pause.
        unwatched_s: After so long without a look a run ends.
        kept_mb: Space for the files of all runs; `SEQDEMO_RUNS_MB`. Runs without a name are deleted to make room.
        kept_hours: Age at which runs without a name are deleted.
        threads: CPU threads of one run; `SEQDEMO_TRAINING_THREADS`.
    """

    max_jobs: int = 2
    max_waiting: int = 20
    max_each: int = 4
    max_seconds: float = 1_200.0
    max_memory_mb: float = 3_000.0
    max_paused_s: float = 600.0
    unwatched_s: float = 180.0
    kept_mb: float = 500.0
    kept_hours: float = 24.0
    threads: int = 1

    @classmethod
    def from_environment(cls) -> Limits:
        """The defaults, with what the environment says instead.

        Raises:
            ConfigError: A variable holds no number above 0.
        """
        names = {
            "max_jobs": ("SEQDEMO_MAX_JOBS", int),
            "max_seconds": ("SEQDEMO_MAX_SECONDS", float),
            "max_memory_mb": ("SEQDEMO_MAX_MEMORY_MB", float),
            "kept_mb": ("SEQDEMO_RUNS_MB", float),
            "threads": ("SEQDEMO_TRAINING_THREADS", int),
        }
        found: dict[str, Any] = {}
        for name, (variable, kind) in names.items():
            word = os.environ.get(variable)
            if not word:
                continue
            try:
                found[name] = kind(word)
            except ValueError:
                found[name] = 0
            if not found[name] > 0:
                raise ConfigError(f"{variable} is a number above 0; got {word!r}.")
        return cls(**found)


@dataclass(kw_only=True)
class View:
    """What can be shown of a run: a copy, which changes no more.

    Attributes:
        id: Its unguessable id; empty for a recorded run.
        settings: What it was started with.
        state: Where it stands.
        place: Its place in the queue, from 1; 0 where it does not wait.
        name: The name it was saved under, or empty.
        download: Bytes of the film reviews that have come from the Hub, and bytes in all; None where none come.
        start: The `start` event, or None while there is none; see `training.task_run` for all events.
        steps: The `step` events, oldest first.
        epochs: The `epoch` events, epoch 0 first.
        done: The `done` event, or None.
        message: What happened, where it failed, was killed or was ended for a reason; a sentence.
        kind: Of a failure: `nan`, `explosion`, `memory`, `killed`, `data` or `error`; else empty.
        setting: The setting that teaches it, or None.
        advice: What to change, in a sentence, or empty.
        seconds: Since the start of the process, or until its end.
        version: Grows with every change but those of `place` and `seconds`, so that nothing need be drawn twice.
    """

    id: str
    settings: RunSettings
    state: State = "queued"
    place: int = 0
    name: str = ""
    download: tuple[int, int] | None = None
    start: dict[str, Any] | None = None
    steps: list[dict[str, Any]] = field(default_factory=list)
    epochs: list[dict[str, Any]] = field(default_factory=list)
    done: dict[str, Any] | None = None
    message: str = ""
    kind: str = ""
    setting: str | None = None
    advice: str = ""
    seconds: float = 0.0
    version: int = 0

    @property
    def has_ended(self) -> bool:
        """Whether it will change no more."""
        return self.state in ENDED

    @property
    def folder(self) -> pathlib.Path | None:
        """The result's folder, if there is one."""
        return pathlib.Path(self.done["folder"]) if self.done and self.done.get("folder") else None

    @property
    def is_text_model(self) -> bool:
        """Whether `checkpoints.folder.load` reads the folder, so that every page can use the model."""
        return self.folder is not None and bool(self.done and self.done.get("is_text_model"))

    def take(self, event: Mapping[str, Any]) -> None:
        """Adds one event of the run."""
        kind = event["event"]
        self.version += 1
        self.seconds = float(event.get("at", self.seconds))
        if kind == "download":
            self.download = event["done_bytes"], event["bytes"]
        elif kind == "start":
            self.start, self.state, self.download = dict(event), "running", None
        elif kind == "step":
            self.steps.append(dict(event))
        elif kind == "epoch":
            # A run that goes on after an interruption tells its finished epochs once more.
            self.epochs = [entry for entry in self.epochs if entry["epoch"] < event["epoch"]] + [dict(event)]
        elif kind == "paused":
            self.state = "paused"
        elif kind == "resumed":
            self.state = "running"
        elif kind == "failed":
            self.state, self.kind, self.message = "failed", event["kind"], event["message"]
            self.setting, self.advice = event.get("setting"), event.get("advice", "")
        elif kind == "done":
            self.done, self.state = dict(event), "done"
            self.message = self.message or _REASONS.get(event["reason"], "")


_REASONS = {
    "early": "Stopped early: the validation result had not improved for as many epochs as set.",
    "stopped": "Stopped by hand.",
    "time": "The time for one run was over; the best epoch so far is kept.",
}


@dataclass(kw_only=True)
class _Job:
    view: View
    owner: str
    folder: pathlib.Path
    seen: float
    process: subprocess.Popen[str] | None = None
    reader: threading.Thread | None = None
    started: float = 0.0
    paused_at: float = 0.0
    was_paused: bool = False
    stop_at: float = 0.0
    reason: str = ""


class Jobs:
    """All runs of one process."""

    def __init__(self, root: str | os.PathLike[str] | None = None, limits: Limits | None = None) -> None:
        """Starts no process and no thread before the first run.

        Args:
            root: Where the runs' files go; `SEQDEMO_RUNS`, or `runs/visitors` beside the package. Where that cannot
                be written to, a folder that the system gives.
            limits: What all runs together may use; the environment's by default.
        """
        self.limits = limits or Limits.from_environment()
        wanted = root or os.environ.get("SEQDEMO_RUNS") or seqdemo.PRETRAINED.parent / "runs" / "visitors"
        self.root = _writable(pathlib.Path(wanted))
        self._jobs: dict[str, _Job] = {}
        self._queue: list[str] = []
        self._changed = threading.Condition(threading.RLock())
        self._closed = False
        self._reaper: threading.Thread | None = None
        self._ratios: list[float] = []
        atexit.register(self.close)

    # --- starting and steering ---

    def start(self, settings: RunSettings, *, visitor: str = "", csv: bytes | None = None) -> str:
        """Starts a run, or puts it at the end of the queue.

        Args:
            settings: What to train.
            visitor: Whose run it is: any text that is secret to one visitor. Nobody may have more than
                `Limits.max_each` runs that have not ended.
            csv: The visitor's file, for the task `own`; checked here.

        Returns:
            The run's id.

        Raises:
            TrainingError: Training is off, the visitor has too many runs, the queue or the disk is full.
            DataError: The file cannot be used.
        """
        if not is_allowed():
            raise TrainingError("Training is switched off on this server; recorded runs can be replayed instead.")
        if settings.task == "own":
            from seqdemo.data import own_csv

            own_csv.parse(csv or b"")
        with self._changed:
            self._refuse_more(visitor)
            self._make_room()
            run_id = secrets.token_urlsafe(12)
            folder = self.root / run_id
            try:
                folder.mkdir(parents=True)
                _write(folder / _SETTINGS, json.dumps(dataclasses.asdict(settings), indent=2))
                _write(folder / _OWNER, _hashed(visitor))
                if csv is not None:
                    (folder / _CSV).write_bytes(csv)
            except OSError as error:
                shutil.rmtree(folder, ignore_errors=True)
                raise TrainingError(
                    f"The run's files cannot be written ({error.strerror}); is the disk full?"
                ) from error
            view = View(id=run_id, settings=settings)
            self._jobs[run_id] = _Job(view=view, owner=_hashed(visitor), folder=folder, seen=time.monotonic())
            self._queue.append(run_id)
            self._fill()
            if self._reaper is None:
                self._reaper = threading.Thread(target=self._reap, name="training-reaper", daemon=True)
                self._reaper.start()
        return run_id

    def pause(self, run_id: str) -> None:
        """Lets a run wait after the current update; one that waits in the queue or has ended stays as it is."""
        with self._changed:
            job = self._running(run_id)
            if job and self._tell(job, "pause"):
                job.paused_at, job.was_paused = time.monotonic(), True

    def resume(self, run_id: str) -> None:
        """Lets a paused run go on."""
        with self._changed:
            job = self._running(run_id)
            if job and self._tell(job, "resume"):
                job.paused_at = 0.0

    def stop(self, run_id: str, reason: str = "") -> None:
        """Ends a run with its best epoch so far; takes a waiting one out of the queue.

        Args:
            run_id: Of the run.
            reason: What to tell, where it was not the visitor's wish.
        """
        with self._changed:
            job = self._jobs.get(run_id)
            if job is None or job.view.has_ended:
                return
            job.reason = job.reason or reason
            if run_id in self._queue:
                self._queue.remove(run_id)
                self._end(job, "killed", reason or "Taken out of the queue before it began.")
            elif not job.stop_at:
                job.stop_at = time.monotonic()
                self._tell(job, "stop")

    def again(self, run_id: str, *, seed: int | None = None, visitor: str = "") -> str:
        """Starts a run with the settings of another one, with its seed or a new one.

        Args:
            run_id: Of the run to repeat.
            seed: A new seed; the same by default.
            visitor: As for `start`.

        Returns:
            The new run's id.

        Raises:
            TrainingError: There is no such run, or as for `start`.
        """
        view = self._require(run_id)
        settings = view.settings if seed is None else dataclasses.replace(view.settings, seed=seed)
        csv = self.root / run_id / _CSV
        return self.start(settings, visitor=visitor, csv=csv.read_bytes() if csv.is_file() else None)

    def close(self) -> None:
        """Ends every process and starts no more; waits until they are gone."""
        with self._changed:
            self._closed = True
            self._queue.clear()
            running = [job.process for job in self._jobs.values() if job.process is not None]
            readers = [job.reader for job in self._jobs.values() if job.reader is not None]
            self._changed.notify_all()
        for process in running:
            with contextlib.suppress(OSError):
                if process.stdin:
                    process.stdin.close()
        deadline = time.monotonic() + 3
        for process in running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for reader in readers:
            reader.join(3)
        atexit.unregister(self.close)

    # --- looking ---

    def view(self, run_id: str) -> View | None:
        """What can be shown of a run, also of one from before the server was started; None where there is none.

        Looking keeps a run alive: it ends when nobody has looked for `Limits.unwatched_s`.
        """
        with self._changed:
            job = self._jobs.get(run_id) or self._from_disk(run_id)
            if job is None:
                return None
            job.seen = time.monotonic()
            return self._copy(job)

    def belongs_to(self, run_id: str, visitor: str) -> bool:
        """Whether this visitor started or loaded a run, perhaps before the server was started; "" is nobody.

        Args:
            run_id: Of the run; there may be none.
            visitor: As for `start`.
        """
        with self._changed:
            job = self._jobs.get(run_id) or self._from_disk(run_id)
            return job is not None and bool(visitor) and secrets.compare_digest(job.owner, _hashed(visitor))

    def wait(self, run_id: str, until: Callable[[View], bool], timeout_s: float) -> View:
        """Waits until a run is as wanted; for tests and recordings.

        Args:
            run_id: Of the run.
            until: Asked after every change.
            timeout_s: Longest wait.

        Returns:
            The run as it then is, also where time ran out.

        Raises:
            TrainingError: There is no such run.
        """
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while True:
                view = self._require(run_id)
                left = deadline - time.monotonic()
                if until(view) or left <= 0:
                    return view
                self._changed.wait(min(left, 30.0))

    def busy(self) -> tuple[int, int]:
        """How many runs are being computed, and how many wait."""
        with self._changed:
            return sum(job.process is not None for job in self._jobs.values()), len(self._queue)

    @property
    def slowness(self) -> float:
        """How much longer than estimated runs have taken on this machine lately; 1 where nothing is known."""
        recent = sorted(self._ratios[-9:])
        return recent[len(recent) // 2] if recent else 1.0

    # --- keeping ---

    def save(self, run_id: str, name: str) -> str:
        """Keeps a finished run under a name; it is found by its link only.

        Args:
            run_id: Of the run.
            name: Any text; letters, digits, spaces and -_.() of it stay, at most 40.

        Returns:
            The name as kept.

        Raises:
            ConfigError: Nothing of the name is left.
            TrainingError: There is no result, or the space for saved runs is used up.
        """
        kept = clean_name(name)
        with self._changed:
            view = self._require(run_id)
            if view.folder is None or not view.folder.is_dir():
                raise TrainingError("This run has no result that could be saved.")
            saved = sum(_size(path.parent) for path in self.root.glob(f"*/{_NAME}") if path.parent.name != run_id)
            if saved + _size(self.root / run_id) > self.limits.kept_mb * 1e6:
                raise TrainingError(
                    f"The space for saved runs is used up ({self.limits.kept_mb:,.0f} MB). Download the run instead."
                )
            try:
                _write(self.root / run_id / _NAME, kept)
            except OSError as error:
                raise TrainingError(f"The name cannot be written ({error.strerror}); is the disk full?") from error
            job = self._jobs[run_id]
            job.view.name = kept
            job.view.version += 1
        return kept

    def zip_bytes(self, run_id: str) -> bytes:
        """The result's folder as a ZIP file.

        Raises:
            TrainingError: There is no result, or its folder was deleted.
        """
        view = self._require(run_id)
        out = io.BytesIO()
        try:
            if view.folder is None:
                raise FileNotFoundError
            with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
                for path in sorted(view.folder.iterdir()):
                    file.write(path, path.name)
        except OSError as error:
            raise TrainingError("This run has no result that could be downloaded; its folder is gone.") from error
        return out.getvalue()

    def load_zip(self, content: bytes, *, name: str = "", visitor: str = "") -> str:
        """Takes back a two-label text model that was downloaded.

        Args:
            content: The ZIP file.
            name: Its name here; from its settings by default.
            visitor: As for `start`.

        Returns:
            The id of a finished run with that result.

        Raises:
            TrainingError: It is no such ZIP file, or the disk is full.
            CheckpointError: A file in it is missing or not what it should be.
        """
        from seqdemo.checkpoints import folder as checkpoint  # imports torch

        files = _unzip(content)
        with self._changed:
            self._make_room()
        run_id = secrets.token_urlsafe(12)
        home = self.root / run_id
        try:
            (home / _RESULT).mkdir(parents=True)
            for file, found in files.items():
                (home / _RESULT / file).write_bytes(found)
            classifier = checkpoint.load(home / _RESULT)
            settings = _settings_of(classifier.config.get("training", {}), classifier.name)
            _write(home / _SETTINGS, json.dumps(dataclasses.asdict(settings), indent=2))
            done = {
                "event": "done",
                "reason": "loaded",
                "epochs": len(classifier.history),
                "best_epoch": classifier.metrics.get("best_epoch", 0),
                "folder": str(home / _RESULT),
                "is_text_model": True,
                "metrics": dict(classifier.metrics),
                "confusion": None,
                "wrong": [],
                "at": 0.0,
            }
            _write(home / _OWNER, _hashed(visitor))
            _write(home / _EVENTS, json.dumps(done) + "\n")
            if name:
                _write(home / _NAME, clean_name(name))
        except SeqdemoError:
            shutil.rmtree(home, ignore_errors=True)
            raise
        except OSError as error:
            shutil.rmtree(home, ignore_errors=True)
            raise TrainingError(f"The files cannot be written ({error.strerror}); is the disk full?") from error
        return run_id

    def events(self, run_id: str) -> list[dict[str, Any]]:
        """Every event of a run with `at`, the seconds since its start; what a recording holds."""
        return _read_events(self.root / run_id / _EVENTS)

    # --- inside ---

    def _refuse_more(self, visitor: str) -> None:
        if self._closed:
            raise TrainingError("The server is stopping.")
        own = [job for job in self._jobs.values() if job.owner == _hashed(visitor) and not job.view.has_ended]
        if len(own) >= self.limits.max_each:
            raise TrainingError(f"You have {len(own)} runs that have not ended; stop one of them first.")
        if len(self._queue) >= self.limits.max_waiting:
            raise TrainingError(f"{len(self._queue)} runs are waiting already; try again in a few minutes.")

    def _fill(self) -> None:
        """Starts waiting runs while there is room."""
        while self._queue and not self._closed:
            if sum(job.process is not None for job in self._jobs.values()) >= self.limits.max_jobs:
                break
            self._launch(self._jobs[self._queue.pop(0)])
        self._changed.notify_all()

    def _launch(self, job: _Job) -> None:
        command = [sys.executable, "-m", "seqdemo", "train", *job.view.settings.arguments()]
        command += ["--events", "jsonl", "--controlled", "--out", str(job.folder / _RESULT)]
        command += ["--threads", str(self.limits.threads), "--max-seconds", str(self.limits.max_seconds)]
        command += ["--max-memory-mb", str(self.limits.max_memory_mb)]
        if (job.folder / _CSV).is_file():
            command += ["--csv", str(job.folder / _CSV)]
        here = str(pathlib.Path(seqdemo.__file__).parents[1])
        path = os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])])
        environment = {**os.environ, "OMP_NUM_THREADS": str(self.limits.threads), "PYTHONPATH": path}
        # A group of its own, so that Ctrl-C at the server's terminal reaches the child through the pipe alone; not a
        # session of its own, in which a low priority would count for nothing on Linux.
        group: dict[str, Any] = {"process_group": 0} if os.name == "posix" else {}
        try:
            with (job.folder / _ERRORS).open("wb") as errors:
                job.process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    env=environment,
                    text=True,
                    encoding="utf-8",
                    bufsize=1,
                    **group,
                )
        except OSError as error:
            self._end(job, "failed", f"The run could not be started ({error.strerror}).", kind="error")
            return
        job.started = time.monotonic()
        job.view.state = "starting"
        job.view.version += 1
        job.reader = threading.Thread(
            target=self._read, args=(job, job.process), name=f"train-{job.view.id}", daemon=True
        )
        job.reader.start()

    def _read(self, job: _Job, process: subprocess.Popen[str]) -> None:
        """Takes the events of one child until it ends."""
        assert process.stdout is not None
        for line in process.stdout:
            try:
                event = json.loads(line)
            except ValueError:  # the last line of a child that was killed
                continue
            if not isinstance(event, dict) or "event" not in event:
                continue
            event["at"] = round(time.monotonic() - job.started, 3)
            # A full disk loses the record of a run, not the run.
            with contextlib.suppress(OSError), (job.folder / _EVENTS).open("a", encoding="utf-8") as file:
                file.write(json.dumps(event) + "\n")
            with self._changed:
                if event["event"] in {"done", "failed"}:
                    job.view.message = job.reason
                job.view.take(event)
                if event["event"] in {"done", "failed"}:
                    job.view.state = "running"  # until the process is gone
                self._changed.notify_all()
        status = process.wait()
        process.stdout.close()
        with contextlib.suppress(OSError):
            if process.stdin:
                process.stdin.close()
        with self._changed:
            job.process = None
            self._conclude(job, status)
            self._fill()

    def _conclude(self, job: _Job, status: int) -> None:
        view = job.view
        if view.done is not None and status == 0:
            if view.done["reason"] == "finished" and view.settings.task != "own" and not job.was_paused:
                estimated = estimate_seconds(view.settings)
                self._ratios.append(min(20.0, max(0.1, view.seconds / estimated)))
            self._end(job, "done", job.reason or view.message)
        elif view.kind:
            self._end(job, "failed", view.message, kind=view.kind)
        elif job.stop_at:  # it did not answer in time, perhaps because it had hardly begun
            self._end(job, "killed", job.reason or "Stopped; its process had to be ended, and nothing is kept.")
        elif status < 0:
            self._end(
                job, "killed", f"The run ended: its process was killed from outside (signal {-status}).", kind="killed"
            )
        elif self._closed:
            self._end(job, "killed", "The server was stopped.", kind="killed")
        else:
            said = _last_line(job.folder / _ERRORS)
            if said.startswith("seqdemo: "):
                self._end(job, "failed", said.removeprefix("seqdemo: "), kind="error")
            else:
                _log.error("A training run ended with status %d: %s", status, said)
                self._end(job, "failed", "The run ended with an error of the program.", kind="error")

    def _end(self, job: _Job, state: State, message: str, kind: str = "") -> None:
        job.view.state, job.view.message, job.view.kind = state, message, kind
        job.view.version += 1
        if state != "done":
            job.view.done = None
        with contextlib.suppress(OSError):
            for left in job.folder.glob(f".{_RESULT}*"):  # of a child that could not tidy up
                shutil.rmtree(left) if left.is_dir() else left.unlink()
            if state != "done":
                note = {"event": "ended", "state": state, "message": message, "kind": kind}
                with (job.folder / _EVENTS).open("a", encoding="utf-8") as file:
                    file.write(json.dumps(note) + "\n")
        self._changed.notify_all()

    def _tell(self, job: _Job, word: str) -> bool:
        try:
            assert job.process is not None
            assert job.process.stdin is not None
            job.process.stdin.write(word + "\n")
            job.process.stdin.flush()
        except (OSError, ValueError):  # it has just ended
            return False
        return True

    def _reap(self) -> None:
        """Ends what nobody watches, what takes too long, and what does not obey; deletes what is old."""
        while True:
            with self._changed:
                if self._closed:
                    return
                self._reap_once()
                self._changed.wait(1.0)

    def _reap_once(self) -> None:
        now, limits = time.monotonic(), self.limits
        for run_id, job in list(self._jobs.items()):
            if job.view.has_ended:
                continue
            if now - job.seen > limits.unwatched_s:
                self.stop(run_id, "Ended because nobody had been watching.")
            if job.process is None:
                continue
            if job.paused_at and now - job.paused_at > limits.max_paused_s:
                self.stop(run_id, "Ended because it had been paused for too long.")
            too_long = now - job.started > 1.5 * limits.max_seconds + limits.max_paused_s + 60
            if too_long or (job.stop_at and now - job.stop_at > _SECONDS_TO_OBEY):
                if not job.stop_at:
                    job.stop_at, job.reason = now, "Ended because it took too long and did not answer."
                job.process.kill()

    def _running(self, run_id: str) -> _Job | None:
        job = self._jobs.get(run_id)
        return job if job is not None and job.process is not None else None

    def _require(self, run_id: str) -> View:
        view = self.view(run_id)
        if view is None:
            raise TrainingError("There is no run of that name; runs without a name are deleted after a day.")
        return view

    def _copy(self, job: _Job) -> View:
        view = dataclasses.replace(job.view, steps=list(job.view.steps), epochs=list(job.view.epochs))
        view.place = self._queue.index(view.id) + 1 if view.id in self._queue else 0
        if job.process is not None:
            view.seconds = time.monotonic() - job.started
        if view.done and view.folder is not None and not view.folder.is_dir():
            view.done = {**view.done, "folder": None}
            view.message = "The result's folder was deleted."
        return view

    def _from_disk(self, run_id: str) -> _Job | None:
        """A run of an earlier server, or one that was loaded from a file."""
        folder = self.root / run_id
        if not _ID.fullmatch(run_id) or not (folder / _SETTINGS).is_file():
            return None
        try:
            settings = RunSettings(**json.loads((folder / _SETTINGS).read_text(encoding="utf-8")))
            view = View(id=run_id, settings=settings)
            ended: dict[str, Any] | None = None
            for event in _read_events(folder / _EVENTS):
                if event["event"] == "ended":
                    ended = event
                else:
                    view.take(event)
            name, whose = folder / _NAME, folder / _OWNER
            view.name = name.read_text(encoding="utf-8") if name.is_file() else ""
            owner = whose.read_text(encoding="utf-8") if whose.is_file() else ""
        except (OSError, ValueError, TypeError, KeyError):  # a file that someone changed
            return None
        if ended is not None:
            view.state, view.message, view.kind = ended["state"], ended["message"], ended["kind"]
        elif view.done is not None:
            view.done["folder"] = str(folder / _RESULT)
        elif not view.has_ended:
            view.state, view.kind, view.message = "killed", "killed", "The server was stopped while this run trained."
        job = _Job(view=view, owner=owner, folder=folder, seen=time.monotonic())
        self._jobs[run_id] = job
        return job

    def _make_room(self) -> None:
        """Deletes runs without a name: those that are old, and the oldest while space is short."""
        allowed = self.limits.kept_mb * 1e6
        homes = [path.parent for path in self.root.glob(f"*/{_SETTINGS}")]
        sizes = {home: _size(home) for home in homes}
        total = sum(sizes.values())
        now = time.time()
        unnamed = [home for home in homes if not (home / _NAME).is_file() and self._is_over(home.name)]
        for home in sorted(unnamed, key=_age):
            if total > allowed or now - _age(home) > 3600 * self.limits.kept_hours:
                shutil.rmtree(home, ignore_errors=True)
                self._jobs.pop(home.name, None)
                total -= sizes[home]
        if total > allowed:
            raise TrainingError(
                f"The space for runs is used up ({self.limits.kept_mb:,.0f} MB, all of it in saved or unfinished runs)."
            )

    def _is_over(self, run_id: str) -> bool:
        job = self._jobs.get(run_id)
        return job is None or job.view.has_ended


def clean_name(name: str) -> str:
    """A name that is safe in a file, a link and a chart.

    Raises:
        ConfigError: Nothing of it is left.
    """
    plain = unicodedata.normalize("NFKC", name)
    kept = "".join(letter if letter.isalnum() or letter in "-_.()" else " " for letter in plain)
    cleaned = " ".join(kept.split())[:_NAME_LENGTH].strip(" .")
    if not any(letter.isalnum() for letter in cleaned):
        raise ConfigError("A name needs at least one letter or digit.")
    return cleaned


def _hashed(visitor: str) -> str:
    """What is kept of a visitor's token: enough to know it again, too little to use it."""
    return hashlib.sha256(visitor.encode()).hexdigest() if visitor else ""


def _writable(root: pathlib.Path) -> pathlib.Path:
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=root):
            return root.resolve()
    except OSError:
        return pathlib.Path(tempfile.mkdtemp(prefix="seqdemo-runs-"))


def _write(path: pathlib.Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _size(folder: pathlib.Path) -> int:
    found = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):  # deleted in this moment
            found += path.stat().st_size
    return found


def _age(folder: pathlib.Path) -> float:
    try:
        return folder.stat().st_mtime
    except OSError:
        return 0.0


def _last_line(path: pathlib.Path) -> str:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1] if lines else ""


def _read_events(path: pathlib.Path) -> list[dict[str, Any]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:  # cut off when the server was killed
            continue
        if isinstance(event, dict) and "event" in event:
            found.append(event)
    return found


def _unzip(content: bytes) -> dict[str, bytes]:
    """The files of a result, by name, with their sizes checked before anything is unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            entries = {pathlib.PurePosixPath(info.filename).name: info for info in file.infolist() if not info.is_dir()}
            strange = sorted(set(entries) - _RESULT_FILES)
            if strange or len(entries) != sum(not info.is_dir() for info in file.infolist()):
                raise TrainingError(
                    f"This ZIP file holds other files than a result has ({', '.join(strange[:3]) or 'some twice'}); "
                    f"{', '.join(sorted(_RESULT_FILES))} are expected."
                )
            if sum(info.file_size for info in entries.values()) > _MAX_ZIP_BYTES:
                raise TrainingError(f"This result is larger than {_MAX_ZIP_BYTES / 1e6:.0f} MB.")
            return {name: file.read(info) for name, info in entries.items()}
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, OSError) as error:
        if isinstance(error, TrainingError):
            raise
        raise TrainingError(f"This is not a ZIP file of a result ({error}).") from error


def _settings_of(entries: Mapping[str, Any], model: str) -> RunSettings:
    """The settings that stand in a checkpoint; where it was trained elsewhere, those that are known."""
    names = {entry.name for entry in dataclasses.fields(RunSettings)}
    try:
        return RunSettings(**{name: value for name, value in entries.items() if name in names})
    except (ConfigError, TypeError):
        return RunSettings(task="imdb", model=model)


def side_by_side(views: Sequence[View]) -> list[dict[str, Any]]:
    """A table of runs: one row each with plain values, for a page and for CSV.

    Args:
        views: Runs in the order shown.

    Returns:
        `id`, `name`, `task`, `model`, `seed`, `state`, `parameters`, `epochs`, `best_epoch`, `validation_accuracy`,
        `test_accuracy`, `test_loss`, `seconds`; None where nothing is known yet.
    """
    rows = []
    for view in views:
        metrics = view.done["metrics"] if view.done else {}
        best = max((entry["validation_accuracy"] for entry in view.epochs if entry["epoch"]), default=None)
        rows.append(
            {
                "id": view.id,
                "name": view.name,
                "task": view.settings.task,
                "model": view.settings.model,
                "seed": view.settings.seed,
                "state": view.state,
                "parameters": view.start["parameters"] if view.start else metrics.get("parameters"),
                "epochs": len([entry for entry in view.epochs if entry["epoch"]]),
                "best_epoch": view.done["best_epoch"] if view.done else None,
                "validation_accuracy": metrics.get("validation_accuracy", best),
                "test_accuracy": metrics.get("test_accuracy"),
                "test_loss": metrics.get("test_loss_nats", metrics.get("test_mse")),
                "seconds": metrics.get("seconds", view.seconds),
            }
        )
    return rows
