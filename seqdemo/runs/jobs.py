"""The training runs of one server: each a child process, two at a time, the others in a queue.

```python
jobs = Jobs()                                    # one a process
run_id = jobs.start(settings, visitor=token)     # begins, or waits in the queue
view = jobs.view(run_id)                         # state, curves, place in the queue; also tells that someone watches
jobs.belongs_to(run_id, token)                   # who has only the id may watch
jobs.pause(run_id), jobs.resume(run_id), jobs.stop(run_id)
jobs.save(run_id, "My first LSTM"), jobs.zip_bytes(run_id), jobs.load_zip(content, read_result, visitor=token)
jobs.of(token), jobs.delete(run_id)
jobs.close()                                     # no process is left behind
```

A run is known by an id that cannot be guessed; whoever has it may watch, and a page lets only the visitor steer it who
started or loaded it. A run that nobody has looked at for a while ends. Its files are those of `runs.files`, its
process that of `runs.child`.
"""

from __future__ import annotations

import atexit
import dataclasses
import hashlib
import logging
import math
import os
import pathlib
import secrets
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from seqdemo import environment, paths
from seqdemo.errors import TrainingError
from seqdemo.runs.child import Child, how_it_ended
from seqdemo.runs.files import Reader, RunFiles, clean_name, unzip, writable, zip_bytes
from seqdemo.runs.limits import Limits, is_allowed
from seqdemo.runs.space import Space
from seqdemo.runs.view import State, View
from seqdemo.training.settings import OWN_WORDS, RunSettings, estimate_seconds

_log = logging.getLogger(__name__)

_SECONDS_TO_OBEY = 60.0
_SECONDS_BETWEEN_SWEEPS = 60.0


@dataclass(kw_only=True)
class _Job:
    view: View
    owner: str
    files: RunFiles
    seen: float
    child: Child | None = None
    paused_at: float = 0.0
    was_paused: bool = False
    stop_at: float = 0.0
    reason: str = ""


class Jobs:
    """All runs of one process."""

    def __init__(self, root: str | os.PathLike[str] | None = None, limits: Limits | None = None) -> None:
        """Starts no process; a thread deletes what is old, whether anyone comes or not.

        Args:
            root: Where the runs' files go; `SEQDEMO_RUNS`, or `visitors` in `paths.RUNS`. Where that cannot
                be written to, a folder that the system gives.
            limits: What all runs together may use; the environment's by default.
        """
        self.limits = limits or Limits.from_environment()
        wanted = root or environment.RUNS.read() or paths.RUNS / "visitors"
        self.root = writable(pathlib.Path(wanted))
        self.space = Space(self.root, self.limits)
        self._jobs: dict[str, _Job] = {}
        self._queue: list[str] = []
        self._changed = threading.Condition(threading.RLock())
        self._closed = False
        self._loading = threading.Lock()
        self._ratios: list[float] = []
        atexit.register(self.close)
        threading.Thread(target=self._reap, name="training-reaper", daemon=True).start()

    # --- starting and steering ---

    def start(self, settings: RunSettings, *, visitor: str = "", table: bytes | None = None) -> str:
        """Starts a run, or puts it at the end of the queue.

        Args:
            settings: What to train.
            visitor: Whose run it is: any text that is secret to one visitor. Nobody may have more than
                `Limits.max_each` runs that have not ended.
            table: The visitor's file, for the task `own`: as `own_csv.written` makes it, or any that `own_csv.parse`
                reads without a choice. What is learned of it is stored, nothing else. For the task `own_words` any text
                that `own_words.parse` reads.

        Returns:
            The run's id.

        Raises:
            TrainingError: Training is off, the visitor has too many runs, the queue or the disk is full.
            DataError: The file cannot be used.
        """
        if not is_allowed():
            raise TrainingError("Training is switched off on this server; recorded runs can be replayed instead.")
        data = None
        if settings.task == "own":
            from seqdemo.data import own_csv

            data = own_csv.written(own_csv.parse(table or b""))
        elif settings.task == OWN_WORDS:
            from seqdemo.data import own_words

            data = own_words.written(own_words.parse(table or b""))
        with self._changed:
            self._refuse_more(visitor)
            self._make_room(visitor, len(data or b""))
            files = RunFiles.begin(self.root, settings, _hashed(visitor), data)
            run_id = files.home.name
            view = View(id=run_id, settings=settings)
            self._jobs[run_id] = _Job(view=view, owner=_hashed(visitor), files=files, seen=time.monotonic())
            self._queue.append(run_id)
            self._fill()
        return run_id

    def pause(self, run_id: str) -> None:
        """Lets a run wait after the current update; one that waits in the queue or has ended stays as it is."""
        with self._changed:
            job = self._jobs.get(run_id)
            if job and job.child and job.child.tell("pause"):
                job.paused_at, job.was_paused = time.monotonic(), True

    def resume(self, run_id: str) -> None:
        """Lets a paused run go on."""
        with self._changed:
            job = self._jobs.get(run_id)
            if job and job.child and job.child.tell("resume"):
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
                if job.child:
                    job.child.tell("stop")

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
        job = self._require(run_id)
        settings = job.view.settings if seed is None else dataclasses.replace(job.view.settings, seed=seed)
        table = job.files.data.read_bytes() if job.files.data.is_file() else None
        return self.start(settings, visitor=visitor, table=table)

    def delete(self, run_id: str) -> None:
        """Deletes an ended run with all its files, at once.

        Raises:
            TrainingError: There is no such run, or it has not ended.
        """
        with self._changed:
            if not self._require(run_id).view.has_ended:
                raise TrainingError("This run has not ended; stop it first.")
            shutil.rmtree(self.root / run_id, ignore_errors=True)
            self._jobs.pop(run_id, None)

    def close(self) -> None:
        """Ends every process and starts no more; waits until they are gone."""
        with self._changed:
            self._closed = True
            self._queue.clear()
            children = {job.child: job.view.start for job in self._jobs.values() if job.child is not None}
            self._changed.notify_all()
        for child in children:
            child.let_go()
        deadline = time.monotonic() + 3
        for child, start in children.items():
            child.end(deadline - time.monotonic() if start else 0.0)  # one that has not begun has nothing to keep
        for child in children:
            child.join(3)
        atexit.unregister(self.close)

    # --- looking ---

    def view(self, run_id: str) -> View | None:
        """What can be shown of a run, also of one from before the server was started; None where there is none.

        Looking keeps a run alive: it ends when nobody has looked for `Limits.unwatched_s`.
        """
        with self._changed:
            job = self._find(run_id)
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
        job = self._find(run_id)
        return job is not None and bool(visitor) and secrets.compare_digest(job.owner, _hashed(visitor))

    def of(self, visitor: str) -> list[str]:
        """The ids of all runs that a visitor started or loaded and that are still there, the oldest first."""
        return self.space.of(_hashed(visitor)) if visitor else []

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
                view = self._copy(self._require(run_id))
                left = deadline - time.monotonic()
                if until(view) or left <= 0:
                    return view
                self._changed.wait(min(left, 30.0))

    def busy(self) -> tuple[int, int]:
        """How many runs are being computed, and how many wait."""
        with self._changed:
            return self._n_running(), len(self._queue)

    @property
    def slowness(self) -> float:
        """How much longer than estimated runs have taken on this machine lately; 1 where nothing is known."""
        recent = sorted(self._ratios[-9:])
        return recent[len(recent) // 2] if recent else 1.0

    # --- keeping ---

    def save(self, run_id: str, name: str) -> str:
        """Keeps a finished run under a name for `Limits.saved_days`.

        Args:
            run_id: Of the run.
            name: Any text; letters, digits, spaces and -_.() of it stay, at most 40.

        Returns:
            The name as kept.

        Raises:
            ConfigError: Nothing of the name is left.
            TrainingError: There is no result, or the visitor's or everyone's space for saved runs is used up.
        """
        kept = clean_name(name)
        with self._changed:
            job = self._require(run_id)
            if job.view.folder is None or not job.view.folder.is_dir():
                raise TrainingError("This run has no result that could be saved.")
            self.space.refuse_model(run_id, job.owner)
            self.space.refuse_saving(run_id)
            try:
                job.files.write_name(kept)
            except OSError as error:
                raise TrainingError(f"The name cannot be written ({error.strerror}); is the disk full?") from error
            job.view.name, job.view.is_saved = kept, True
            job.view.version += 1
        return kept

    def zip_bytes(self, run_id: str) -> bytes:
        """The result's folder as a ZIP file.

        Raises:
            TrainingError: There is no result, or its folder was deleted.
        """
        return zip_bytes(self._require(run_id).view.folder)

    def load_zip(self, content: bytes, read: Reader, *, name: str = "", visitor: str = "") -> str:
        """Takes back a two-label text model that was downloaded.

        Args:
            content: The ZIP file.
            read: As for `RunFiles.of_result`.
            name: What to call it here; by its settings by default.
            visitor: As for `start`.

        Returns:
            The id of a finished run with that result, which is kept as long as one that is not saved.

        Raises:
            TrainingError: It is no such ZIP file, the visitor's or everyone's space is used up, or the disk is full.
            CheckpointError: A file in it is missing or not what it should be.
        """
        with self._loading:  # one at a time, so that the memory for it is bounded
            result = unzip(content)
            with self._changed:
                self.space.refuse_model("", _hashed(visitor))
                self._make_room(visitor, sum(map(len, result.values())))
            return RunFiles.of_result(self.root, result, read, _hashed(visitor), name).home.name

    def events(self, run_id: str) -> list[dict[str, Any]]:
        """Every event of a run with `at`, the seconds since its start; what a recording holds."""
        return [event for event in RunFiles(self.root / run_id).events() if "at" in event]  # not the note of its end

    # --- inside ---

    def _refuse_more(self, visitor: str) -> None:
        if self._closed:
            raise TrainingError("The server is stopping.")
        own = [job for job in self._jobs.values() if job.owner == _hashed(visitor) and not job.view.has_ended]
        if len(own) >= self.limits.max_each:
            raise TrainingError(f"You have {len(own)} runs that have not ended; stop one of them first.")
        if len(self._queue) >= self.limits.max_waiting:
            raise TrainingError(f"{len(self._queue)} runs are waiting already; try again in a few minutes.")

    def _n_running(self) -> int:
        return sum(job.child is not None for job in self._jobs.values())

    def _fill(self) -> None:
        """Starts waiting runs while there is room."""
        while self._queue and not self._closed and self._n_running() < self.limits.max_jobs:
            self._launch(self._jobs[self._queue.pop(0)])
        self._changed.notify_all()

    def _launch(self, job: _Job) -> None:
        try:
            job.child = Child(
                job.files,
                self.limits,
                on_event=lambda event: self._take(job, event),
                on_end=lambda status: self._conclude(job, status),
            )
        except OSError as error:
            self._end(job, "failed", f"The run could not be started ({error.strerror}).", kind="error")
            return
        job.view.state = "starting"
        job.view.version += 1

    def _take(self, job: _Job, event: dict[str, Any]) -> None:
        """Takes one event of a child; called in the thread that listens to it."""
        with self._changed:
            is_last = event["event"] in {"done", "failed"}
            if is_last:
                job.view.message = job.reason
            job.view.take(event)
            if is_last:
                job.view.state = "running"  # until the process is gone
            self._changed.notify_all()

    def _conclude(self, job: _Job, status: int) -> None:
        """Ends a run whose child is gone, and lets the next one begin; called in the thread that listened to it."""
        with self._changed:
            job.child = None
            view = job.view
            state, message, kind = how_it_ended(
                view, status, job.files.last_error(), reason=job.reason, stopped=job.stop_at > 0, closed=self._closed
            )
            as_planned = state == "done" and view.done is not None and view.done["reason"] == "finished"
            if as_planned and view.settings.task not in {"own", OWN_WORDS} and not job.was_paused:
                self._ratios.append(min(20.0, max(0.1, view.seconds / estimate_seconds(view.settings))))
            self._end(job, state, message, kind)
            self._fill()

    def _end(self, job: _Job, state: State, message: str, kind: str = "") -> None:
        job.view.state, job.view.message, job.view.kind = state, message, kind
        job.view.version += 1
        if state != "done":
            job.view.done = None
        job.files.conclude(state, message, kind)
        self._changed.notify_all()

    def _reap(self) -> None:
        """Ends what nobody watches, what takes too long, and what does not obey; deletes what is old."""
        swept = -math.inf
        while True:
            with self._changed:
                if self._closed:
                    return
                if time.monotonic() - swept >= _SECONDS_BETWEEN_SWEEPS:
                    try:
                        self._sweep()
                    except Exception:  # the clock goes on, and with it everything else that it watches
                        _log.exception("Old runs could not be deleted.")
                    swept = time.monotonic()
                self._reap_once()
                self._changed.wait(1.0 if self._queue or self._n_running() else _SECONDS_BETWEEN_SWEEPS)

    def _reap_once(self) -> None:
        now, limits = time.monotonic(), self.limits
        for run_id, job in list(self._jobs.items()):
            if job.view.has_ended:
                if now - job.seen > limits.unwatched_s:
                    del self._jobs[run_id]  # its files tell the same
                continue
            if now - job.seen > limits.unwatched_s:
                self.stop(run_id, "Ended because nobody had been watching.")
            if job.child is None:
                continue
            if job.paused_at and now - job.paused_at > limits.max_paused_s:
                self.stop(run_id, "Ended because it had been paused for too long.")
            too_long = now - job.child.started > 1.5 * limits.max_seconds + limits.max_paused_s + 60
            if too_long or (job.stop_at and now - job.stop_at > _SECONDS_TO_OBEY):
                if not job.stop_at:
                    job.stop_at, job.reason = now, "Ended because it took too long and did not answer."
                job.child.process.kill()

    def _find(self, run_id: str) -> _Job | None:
        """A run, also of an earlier server or one that was loaded from a file."""
        with self._changed:
            if run_id not in self._jobs:
                files = RunFiles.find(self.root, run_id)
                found = files.read() if files else None
                if files is None or found is None:
                    return None
                self._jobs[run_id] = _Job(view=found[0], owner=found[1], files=files, seen=time.monotonic())
            return self._jobs[run_id]

    def _require(self, run_id: str) -> _Job:
        job = self._find(run_id)
        if job is None:
            raise TrainingError("There is no such run; runs that are not saved are deleted after a while.")
        job.seen = time.monotonic()
        return job

    def _copy(self, job: _Job) -> View:
        view = dataclasses.replace(job.view, steps=list(job.view.steps), epochs=list(job.view.epochs))
        view.place = self._queue.index(view.id) + 1 if view.id in self._queue else 0
        view.ahead = self._n_running() + view.place - 1 if view.place else 0
        view.kept_until = self.space.kept_until(view.id) if view.has_ended else None
        if job.child is not None:
            view.seconds = time.monotonic() - job.child.started
        if view.done and view.folder is not None and not view.folder.is_dir():
            view.done = {**view.done, "folder": None}
            view.message = "The result's folder was deleted."
        return view

    def _make_room(self, visitor: str, n_bytes: int) -> None:
        self._sweep(visitor, n_bytes)
        self.space.refuse(owner=_hashed(visitor), n_bytes=n_bytes)

    def _sweep(self, visitor: str = "", n_bytes: int = 0) -> None:
        in_use = {run_id for run_id, job in self._jobs.items() if not job.view.has_ended}
        for run_id in self.space.make_room(in_use, owner=_hashed(visitor), n_bytes=n_bytes):
            self._jobs.pop(run_id, None)


def _hashed(visitor: str) -> str:
    """What is kept of a visitor's token: enough to know it again, too little to use it."""
    return hashlib.sha256(visitor.encode()).hexdigest() if visitor else ""
