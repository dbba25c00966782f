"""The one place where visitors' texts meet models: one thread, padded batches, the urgent first.

Everything that is asked for while one types or drags goes through a `Worker`. It gathers the verdicts that arrive
within a few milliseconds into batches of one model and similar length; what takes longer is cut into pieces, between
which a verdict can pass. A visitor's newer question takes the place of an older one that still waits. All is bounded:
how many wait, how long, and how many bytes of answers are kept.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import logging
import threading
import time
from collections.abc import Callable, Generator, Hashable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from seqdemo.bounded import Bounded
from seqdemo.errors import BusyError

if TYPE_CHECKING:
    from seqdemo.checkpoints.classifier import Classifier
    from seqdemo.explain.beginnings import Beginnings

Ids: TypeAlias = npt.NDArray[np.int64]
Pieces: TypeAlias = Generator[None, None, Any]
"""A computation in pieces of at most some 50 ms: yields between them, returns its result."""

VERDICT, CURVE = "verdict", "curve"
MAX_WAITING = 512
"""Questions that wait at most; one more is refused with a sentence."""
MANY = 10
"""Above this, what waits is not answered soon."""
MAX_WAIT_S = 15.0
"""After this nobody looks at the answer any more."""
_GATHER_S = 0.008
_ROWS = 32
_TOKENS = 2_048
"""Padded words of one batch at most: some 50 ms of the slowest model on a core with AVX2 alone."""
_KEPT_BYTES = 128 * 1024**2
_BEGINNINGS_BYTES = 96 * 1024**2
_log = logging.getLogger(__name__)


class Checkpoint(Protocol):
    """What is asked: known by its weights."""

    @property
    def sha256(self) -> str:
        """Of the weights."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of question.

    Attributes:
        rank: Lower ranks go first: verdicts 0, what is looked at meanwhile 1, tables and what takes seconds 2.
        pieces: (checkpoint, what was asked, what is known of beginnings of texts) → the computation.
        patience_s: A question that has waited so long without being begun is refused.
        of_each_model: Whether a visitor's newer question replaces the older one to the same checkpoint alone; otherwise
            that to any.
    """

    rank: int
    pieces: Callable[[Any, Any, Beginnings], Pieces]
    patience_s: float = MAX_WAIT_S
    of_each_model: bool = True


@dataclasses.dataclass(eq=False)
class _Task:
    """One computation, and all who wait for it."""

    kind: str
    checkpoint: Any
    asked: Any
    key: tuple[Hashable, ...]
    since: float
    waiters: list[tuple[str, Future[Any]]] = dataclasses.field(default_factory=list)
    running: Pieces | None = None

    @property
    def is_wanted(self) -> bool:
        return any(not future.cancelled() for _, future in self.waiters)


class Worker:
    """Answers questions about checkpoints, one thread for the whole process."""

    def __init__(self, kinds: Mapping[str, Kind], *, max_waiting: int = MAX_WAITING) -> None:
        """Starts no thread before the first question.

        Args:
            kinds: What can be asked beside verdicts, by name.
            max_waiting: Questions that may wait.
        """
        self._kinds = dict(kinds)
        self._max_waiting = max_waiting
        self._changed = threading.Condition()
        self._waiting: dict[tuple[Hashable, ...], _Task] = {}
        self._kept: Bounded[tuple[Hashable, ...], Any] = Bounded(_KEPT_BYTES)
        self._beginnings: Beginnings = Bounded(_BEGINNINGS_BYTES)
        self._thread: threading.Thread | None = None
        self._seconds_each = 0.05

    def submit(self, kind: str, checkpoint: Checkpoint, asked: Any, visitor: str = "") -> Future[Any]:
        """Asks a question.

        Args:
            kind: `VERDICT`, or one of the kinds that the worker was made with.
            checkpoint: Whom to ask.
            asked: Vocabulary indices, int64 (n_tokens,), at least one; some kinds take a tuple of these and other
                values that can be hashed.
            visitor: Who asks; a question of that kind to that checkpoint that this visitor asked before and that still
                waits is cancelled. Nobody's takes the place of none.

        Returns:
            The answer: of a verdict P(positive), a float. Whoever no longer wants it cancels it.

        Raises:
            BusyError: Too many questions wait.
        """
        key = (kind, checkpoint.sha256, *_digest(asked))
        future: Future[Any] = Future()
        known = self._kept.get(key)
        if known is not None:
            future.set_result(known)
            return future
        with self._changed:
            if visitor:
                self._drop_older(kind, checkpoint.sha256, visitor)
            task = self._waiting.get(key)
            if task is None:
                if len(self._waiting) >= self._max_waiting:
                    seconds = max(1, round(self._seconds_each * len(self._waiting)))
                    raise BusyError(f"Too many texts wait to be read. Next in {seconds} s.", retry_after_s=seconds)
                task = self._waiting[key] = _Task(kind, checkpoint, asked, key, time.monotonic())
            task.waiters.append((visitor, future))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="worker", daemon=True)
                self._thread.start()
            self._changed.notify()
        return future

    @property
    def n_waiting(self) -> int:
        """Questions that wait or are being answered."""
        return len(self._waiting)

    def _drop_older(self, kind: str, sha256: str, visitor: str) -> None:
        of_each_model = kind == VERDICT or self._kinds[kind].of_each_model
        for task in list(self._waiting.values()):
            if task.kind != kind or (of_each_model and task.checkpoint.sha256 != sha256):
                continue
            for who, future in task.waiters:
                if who == visitor:
                    future.cancel()
            if not task.is_wanted:
                del self._waiting[task.key]

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    self._changed.wait()
                tasks = self._next()
            if tasks:
                self._work(tasks)

    def _next(self) -> list[_Task]:
        """What to work on now: verdicts of one model, or one other task."""
        now = time.monotonic()
        for task in list(self._waiting.values()):
            if not task.is_wanted:
                self._end(task)
            elif task.running is None and now - task.since > self._patience_s(task.kind):
                self._end(task, error=BusyError("This text waited too long to be read. Try again.", retry_after_s=2))
        verdicts = [task for task in self._waiting.values() if task.kind == VERDICT]
        if verdicts:
            oldest = verdicts[0]
            same = [task for task in verdicts if task.checkpoint.sha256 == oldest.checkpoint.sha256]
            wait_s = oldest.since + _GATHER_S - now
            if wait_s > 0 and len(same) < _ROWS:
                self._changed.wait(wait_s)
                return []
            return batch_of(same, [len(task.asked) for task in same])
        if not self._waiting:
            return []
        rank = min(self._kinds[task.kind].rank for task in self._waiting.values())
        same = [task for task in self._waiting.values() if self._kinds[task.kind].rank == rank]
        begun = next((task for task in same if task.running is not None), None)
        # One that was begun goes on, so that all do not end late together; then the one that waits longest. Where many
        # wait, most are replaced before they are answered: the newest may still be in time.
        return [begun or same[-1 if len(same) > MANY else 0]]

    def _patience_s(self, kind: str) -> float:
        return MAX_WAIT_S if kind == VERDICT else self._kinds[kind].patience_s

    def _work(self, tasks: Sequence[_Task]) -> None:
        began = time.monotonic()
        first = tasks[0]
        try:
            if first.kind == VERDICT:
                for task, answer in zip(tasks, self._verdicts(first.checkpoint, tasks), strict=True):
                    self._answer(task, answer)
                self._seconds_each += 0.1 * ((time.monotonic() - began) / len(tasks) - self._seconds_each)
                return
            if first.running is None:
                first.running = self._kinds[first.kind].pieces(first.checkpoint, first.asked, self._beginnings)
            next(first.running)
        except StopIteration as done:
            self._answer(first, done.value)
        except Exception as error:
            if len(tasks) > 1:  # one of them is to blame: the others are answered one at a time
                for task in tasks:
                    self._work([task])
                return
            _log.exception("A question of the kind %r could not be answered.", first.kind)
            with self._changed:
                self._end(first, error=error)

    def _verdicts(self, checkpoint: Classifier, tasks: Sequence[_Task]) -> list[float]:
        """P(positive) of each text; a model that reads in one direction gives its curve by the way."""
        from seqdemo.explain.beginnings import read_on
        from seqdemo.explain.prefixes import remember

        texts = [task.asked for task in tasks]
        if not checkpoint.has_prefix_states:
            found = [float(p) for p in checkpoint.predict_ids(texts)]
            for ids, p in zip(texts, found, strict=True):
                remember(checkpoint, ids, p, self._beginnings)
            return found
        curves = read_on(checkpoint, texts, self._beginnings)
        for task, curve in zip(tasks, curves, strict=True):
            steps = np.arange(len(curve), dtype=np.int64)
            self._keep((CURVE, *task.key[1:]), (steps, curve))
        return [float(curve[-1]) for curve in curves]

    def _keep(self, key: tuple[Hashable, ...], result: Any) -> None:
        arrays = list(arrays_in(result))
        for array in arrays:
            array.flags.writeable = False
        self._kept.put(key, result, sum(array.nbytes for array in arrays) + 100)

    def _answer(self, task: _Task, result: Any) -> None:
        self._keep(task.key, result)
        with self._changed:
            self._end(task, result=result)

    def _end(self, task: _Task, *, result: Any = None, error: Exception | None = None) -> None:
        if self._waiting.get(task.key) is task:
            del self._waiting[task.key]
        for _, future in task.waiters:
            if future.set_running_or_notify_cancel():
                if error is not None:
                    future.set_exception(error)
                else:
                    future.set_result(result)


def batch_of(tasks: Sequence[_Task], lengths: Sequence[int]) -> list[_Task]:
    """The first of the tasks and those nearest to it in length, as many as one padded batch may hold.

    Args:
        tasks: The oldest first.
        lengths: Words of each.
    """
    chosen: list[_Task] = []
    longest = 0
    for row in sorted(range(len(tasks)), key=lambda row: abs(lengths[row] - lengths[0])):
        longest = max(longest, lengths[row])
        if chosen and (len(chosen) == _ROWS or longest * (len(chosen) + 1) > _TOKENS):
            break
        chosen.append(tasks[row])
    return chosen


def arrays_in(value: object) -> Iterator[npt.NDArray[Any]]:
    """All arrays of a dataclass, those of the mappings and sequences in it included."""
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, Mapping):
        yield from itertools.chain.from_iterable(map(arrays_in, value.values()))
    elif isinstance(value, tuple | list):
        yield from itertools.chain.from_iterable(map(arrays_in, value))
    elif dataclasses.is_dataclass(value):
        yield from itertools.chain.from_iterable(map(arrays_in, vars(value).values()))


def _digest(asked: Any) -> tuple[Hashable, ...]:
    """What was asked, small enough to keep."""
    if isinstance(asked, np.ndarray):
        return (hashlib.blake2b(np.ascontiguousarray(asked).tobytes(), digest_size=16).digest(), len(asked))
    if isinstance(asked, tuple):
        return tuple(itertools.chain.from_iterable(map(_digest, asked)))
    return (asked,)
