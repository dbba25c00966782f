"""Scores visitors' tables in the background: one at a time for the whole server.

A table of 2,000 reviews is minutes of work, so it is done in small steps by the worker that answers visitors, to which
it comes last: whoever types meanwhile waits for one step at most. A longer table is done in parts, and after each part
the others have their turn.

A table is known by an id that cannot be guessed. It is scored as long as somebody has the app open who looked at it,
on whichever page, and its result is kept for an hour, within bounds.
"""

from __future__ import annotations

import collections
import itertools
import logging
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from seqdemo.data import review_table
from seqdemo.data.review_table import ReviewTable
from seqdemo.data.tables import Written, writer
from seqdemo.errors import BusyError, DataError
from seqdemo.serve.sentiment import TABLE
from seqdemo.serve.worker import Ids, Worker
from seqdemo.sizes import MB
from seqdemo.text import Reading, probably_not_english

if TYPE_CHECKING:
    from seqdemo.checkpoints.classifier import Classifier

MAX_WAITING = 5
"""Tables that may wait at once; each takes some megabytes."""
SECONDS_UNSEEN = 150.0
"""A table of which no visitor has the app open any more is given up after so long: a reload takes seconds."""
SECONDS_KEPT = 3_600.0
"""How long a finished table can be downloaded."""
MAX_KEPT_BYTES = 100 * MB
"""All finished tables together; the oldest make room."""

CHARACTERS_READ = 2_000
"""Of a long review no model reads much more than this."""

_CHARACTERS_A_STEP = 6_000  # about four reviews of usual length: some 100 ms in the slowest model
_ROWS_A_STEP = 32
_FIRST_SHARE = 0.01  # done before what is left can be guessed

State = Literal["waiting", "scoring", "done", "stopped", "failed"]


@dataclass(frozen=True)
class Column:
    """One model's column in the result.

    Attributes:
        name: Of the model in the registry.
        key: What stands behind `p_positive_` in the column's name.
        label: What to call the model on screen.
    """

    name: str
    key: str
    label: str


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a finished table holds.

    Attributes:
        written: The file.
        n_scored: Rows with at least one word.
        n_cut: Rows of which the models read a part.
        n_foreign: Rows that are probably not English.
        share_unknown: Of a row's words, the share that no model knows: its mean over rows; None without any.
        is_foreign: Whether the whole table is probably not English.
        n_positive: Label of each model → rows with P(positive) of at least one half.
        missing: Labels of models that could not answer; their columns stay empty.
    """

    written: Written
    n_scored: int
    n_cut: int
    n_foreign: int
    share_unknown: float | None
    is_foreign: bool
    n_positive: Mapping[str, int]
    missing: Sequence[str]


@dataclass
class _Scores:
    """What is known of each row so far, and the models that answer, those together that share a vocabulary."""

    groups: list[list[Classifier]]
    probabilities: dict[str, npt.NDArray[np.float64]]  # NaN where there is none, as in `unknown`
    unknown: npt.NDArray[np.float64]
    cut: dict[int, str]
    n_foreign: int = 0


class Job:
    """One visitor's table on its way through the models.

    Attributes:
        id: By which it is found again; cannot be guessed.
        file_id: Which upload it is.
        file_name: What the visitor calls the table.
        n_rows: Rows that are scored.
        state: Where it stands; `stopped` by the visitor, or because nobody had the app open any more.
        share_done: Work done, from 0 to 1.
        outcome: The result, once it is done.
        kept_until: When the result goes, on the clock of `time.monotonic`; infinite before it is there.
    """

    def __init__(
        self,
        table: ReviewTable,
        *,
        columns: Sequence[Column],
        get_models: Callable[[], Mapping[str, Classifier]],
        worker: Worker,
        file_id: str = "",
    ) -> None:
        """Describes the work; `ReviewQueue.submit` has it done.

        Args:
            table: What to score.
            columns: One for each model that is to answer.
            get_models: Gives the models that can answer, by name; called in the background and may wait.
            worker: Asks them.
            file_id: Which upload it is.
        """
        self.id = secrets.token_urlsafe(12)
        self.file_id = file_id
        self.file_name = table.source.file_name
        self.n_rows = len(table)
        self.state: State = "waiting"
        self.share_done = 0.0
        self.outcome: Outcome | None = None
        self.kept_until = float("inf")
        self._table: ReviewTable | None = table
        self._parts = collections.deque(table.parts)
        self._n_characters = sum(map(_weight, table.texts))
        self._n_read = 0
        self._columns = columns
        self._get_models = get_models
        self._worker = worker
        self._scores: _Scores | None = None
        self._begun: float | None = None
        self._stop = threading.Event()
        self._ended = threading.Event()
        self._last_seen = time.monotonic()
        self._watchers: dict[str, Callable[[], bool]] = {}

    @property
    def active(self) -> bool:
        """Whether it still waits or is being scored."""
        return not self._ended.is_set()

    @property
    def given_up(self) -> bool:
        """Whether it was stopped, or nobody has had the app open for long."""
        is_watched = any(is_there() for is_there in list(self._watchers.values()))
        if is_watched:
            self._last_seen = time.monotonic()
        return self._stop.is_set() or not (is_watched or time.monotonic() - self._last_seen < SECONDS_UNSEEN)

    @property
    def seconds_left(self) -> float | None:
        """How long it will probably take; None while that cannot be said."""
        if self._begun is None or self.share_done < _FIRST_SHARE:
            return None
        return (time.monotonic() - self._begun) * (1 - self.share_done) / self.share_done

    def seen(self, by: str, is_there: Callable[[], bool]) -> None:
        """Notes that a visitor looks at it.

        Args:
            by: The visitor's session.
            is_there: Whether that session still lives, asked from another thread.
        """
        self._last_seen = time.monotonic()
        self._watchers[by] = is_there

    def stop(self) -> None:
        """Gives it up, after the step under way where it is being scored."""
        self._stop.set()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Waits for the end, however it comes; False where time ran out."""
        return self._ended.wait(timeout_s)

    def run(self) -> bool:
        """Scores the next part; called by the queue.

        Returns:
            Whether there is more to do.
        """
        try:
            if self._score_part() and self._parts:
                return True
        except Exception:  # whatever it is, the tables behind it must have their turn
            logging.getLogger(__name__).exception("A table of reviews could not be scored.")
            self.state = "failed"
        self._table = self._scores = None  # what is finished stays for a while, the texts need not
        self._watchers.clear()
        return False

    def end(self) -> None:
        """Ends all waiting for it; called by the queue, once it is known how long the result is kept."""
        self._ended.set()

    def _score_part(self) -> bool:
        """Whether it came to its end."""
        assert self._table is not None
        if self.given_up:
            self.state = "stopped"
            return False
        self.state = "scoring"
        if self._scores is None:
            self._scores = self._begin(self._get_models())
        part = self._parts.popleft()
        for step in _steps(self._table.texts, part):
            self._score_step(step, self._scores)
            if self.given_up:
                self.state = "stopped"
                return False
            self._n_read += sum(_weight(self._table.texts[row]) for row in step)
            self.share_done = self._n_read / self._n_characters
        if self._parts:
            self.state = "waiting"
        else:
            self.outcome = self._finish(self._scores)
            self.state = "done"
        return True

    def _begin(self, models: Mapping[str, Classifier]) -> _Scores:
        self._begun = time.monotonic()
        groups: dict[tuple[str, ...], list[Classifier]] = {}
        for column in self._columns:
            if column.name in models:
                groups.setdefault(models[column.name].vocabulary.words, []).append(models[column.name])
        empty = np.full(self.n_rows, np.nan)
        return _Scores(
            groups=list(groups.values()),
            probabilities={column.name: empty.copy() for column in self._columns},
            unknown=empty,
            cut={},
        )

    def _score_step(self, step: Sequence[int], scores: _Scores) -> None:
        """Reads a few rows once for each vocabulary and has every model answer."""
        assert self._table is not None
        by_row: dict[int, list[Reading]] = {row: [] for row in step}
        for group in scores.groups:
            readings = {row: group[0].read(self._table.texts[row]) for row in step}
            readings = {row: reading for row, reading in readings.items() if reading.tokens}
            for row, reading in readings.items():
                by_row[row].append(reading)
            for model in group:
                if self._stop.is_set():
                    return
                answers = self._ask(model, [reading.ids for reading in readings.values()])
                if answers:
                    scores.probabilities[model.name][list(readings)] = answers
        for row, found in by_row.items():
            if found:
                scores.unknown[row] = min(reading.share_unknown for reading in found)
                if note := review_table.cut_note(found[0]):
                    scores.cut[row] = note
                scores.n_foreign += probably_not_english(found)

    def _ask(self, model: Classifier, ids: Sequence[Ids]) -> list[float]:
        while ids:
            try:
                found: list[float] = self._worker.submit(TABLE, model, tuple(ids)).result()
            except BusyError as busy:
                if self._stop.wait(busy.retry_after_s):
                    break
            else:
                return found
        return []

    def _finish(self, scores: _Scores) -> Outcome:
        assert self._table is not None
        answers = {column: scores.probabilities[column.name] for column in self._columns}
        answered = {model.name for group in scores.groups for model in group}
        columns: dict[str, writer.Column] = {
            review_table.RESULT_PREFIX + column.key: found for column, found in answers.items()
        }
        columns[review_table.UNKNOWN_COLUMN] = scores.unknown
        columns[review_table.CUT_COLUMN] = [scores.cut.get(row) for row in range(self.n_rows)]
        shares = scores.unknown[~np.isnan(scores.unknown)]
        return Outcome(
            written=self._table.written(columns),
            n_scored=len(shares),
            n_cut=len(scores.cut),
            n_foreign=scores.n_foreign,
            share_unknown=float(shares.mean()) if len(shares) else None,
            is_foreign=review_table.probably_not_english(shares.tolist(), scores.n_foreign),
            n_positive={
                column.label: int((found >= 0.5).sum()) for column, found in answers.items() if column.name in answered
            },
            missing=[column.label for column in self._columns if column.name not in answered],
        )


class ReviewQueue:
    """Tables in the order in which they came, and the finished ones for a while. Any number of threads may share it."""

    def __init__(self) -> None:
        """Starts no thread before the first table."""
        self._lock = threading.Lock()
        self._jobs: collections.deque[Job] = collections.deque()  # the first one is being scored
        self._kept: dict[str, Job] = {}  # finished ones, the oldest first

    def submit(self, job: Job) -> None:
        """Takes a table in.

        Raises:
            DataError: Too many wait already.
        """
        with self._lock:
            if sum(not other.given_up for other in self._jobs) > MAX_WAITING:
                raise DataError(
                    f"{MAX_WAITING} tables are waiting to be scored already. Please try again in a few minutes."
                )
            self._jobs.append(job)
            if len(self._jobs) == 1:
                threading.Thread(target=self._work, name="score-tables", daemon=True).start()

    def find(self, id_: str) -> Job | None:
        """The table of that id, waiting, being scored or kept; None where there is none any more."""
        with self._lock:
            self._forget_old()
            return next((job for job in self._jobs if job.id == id_), None) or self._kept.get(id_)

    @property
    def n_kept(self) -> int:
        """Finished tables that can still be downloaded."""
        return len(self._kept)

    def n_ahead(self, job: Job) -> int:
        """Tables that come before this one's next part."""
        with self._lock:
            ahead = itertools.takewhile(lambda other: other is not job, self._jobs)
            return sum(not other.given_up for other in ahead)

    def _work(self) -> None:
        while True:
            job = self._jobs[0]
            has_more = job.run()
            with self._lock:
                self._jobs.popleft()
                if has_more:
                    self._jobs.append(job)  # the others first
                else:
                    self._keep(job)
                    job.end()
                if not self._jobs:
                    return

    def _keep(self, job: Job) -> None:
        job.kept_until = time.monotonic() + SECONDS_KEPT
        self._kept[job.id] = job
        self._forget_old()
        clock = threading.Timer(SECONDS_KEPT + 1, self.find, (job.id,))  # goes in time on an idle server too
        clock.daemon = True
        clock.start()

    def _forget_old(self) -> None:
        now = time.monotonic()
        sizes = {id_: len(job.outcome.written.content) if job.outcome else 0 for id_, job in self._kept.items()}
        for id_, job in list(self._kept.items()):
            if job.kept_until < now or sum(sizes.values()) > MAX_KEPT_BYTES:
                del self._kept[id_], sizes[id_]


QUEUE = ReviewQueue()
"""The one queue of this process."""


def _steps(texts: Sequence[str], rows: Sequence[int]) -> list[list[int]]:
    """Puts rows of similar length together, few enough that no step takes long."""
    steps: list[list[int]] = []
    n_characters = _CHARACTERS_A_STEP
    for row in sorted(rows, key=lambda row: len(texts[row])):
        length = _weight(texts[row])
        if n_characters + length > _CHARACTERS_A_STEP or len(steps[-1]) == _ROWS_A_STEP:
            steps.append([])
            n_characters = 0
        steps[-1].append(row)
        n_characters += length
    return steps


def _weight(text: str) -> int:
    """About how much work a text is."""
    return 1 + min(len(text), CHARACTERS_READ)
