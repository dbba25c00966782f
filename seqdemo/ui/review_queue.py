"""Scores visitors' tables in the background: one at a time for the whole server.

A table of 2,000 reviews is minutes of work, so it is done in small steps, with a pause
after each as long as the step was: whoever types meanwhile keeps half of a core and more.
"""

from __future__ import annotations

import collections
import itertools
import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal

from seqdemo.data.review_table import ReviewTable
from seqdemo.errors import DataError
from seqdemo.models.registry import MODELS

if TYPE_CHECKING:
    from seqdemo.checkpoints.classifier import Classifier

MAX_WAITING = 5
"""Tables that may wait at once; each takes some megabytes."""
SECONDS_UNSEEN = 150.0
"""A table that nobody looked at for so long is given up. Browsers slow hidden pages to a look a minute."""

_CHARACTERS_A_STEP = 6_000  # about four reviews of usual length: some 100 ms in the slowest model
_CHARACTERS_READ = 2_000  # of a long review no model reads much more than this
_ROWS_A_STEP = 32

State = Literal["waiting", "scoring", "done", "stopped", "failed"]


class Job:
    """One visitor's table on its way through the five models.

    Attributes:
        file_name: What the visitor calls the table.
        file_id: Which upload it is.
        n_rows: Rows of the table.
        state: Where it stands; `stopped` by the visitor, or because nobody looked any more.
        share_done: Work done, from 0 to 1.
        result: The finished CSV.
        n_scored: Rows with at least one word.
        n_positive: Model name → rows with P(positive) of at least one half.
        missing: Labels of models that could not answer; their columns stay empty.
    """

    def __init__(
        self, table: ReviewTable, *, file_name: str, file_id: str, get_models: Callable[[], Mapping[str, Classifier]]
    ) -> None:
        """Describes the work; `ReviewQueue.submit` has it done.

        Args:
            table: What to score.
            file_name: What the visitor calls it.
            file_id: Which upload it is.
            get_models: Gives the models that can answer; called in the background and may wait.
        """
        self.file_name = file_name
        self.file_id = file_id
        self.n_rows = len(table)
        self.state: State = "waiting"
        self.share_done = 0.0
        self.result = b""
        self.n_scored = 0
        self.n_positive: dict[str, int] = {}
        self.missing: list[str] = []
        self._table: ReviewTable | None = table
        self._get_models = get_models
        self._stop = threading.Event()
        self._ended = threading.Event()
        self._last_seen = time.monotonic()

    @property
    def active(self) -> bool:
        """Whether it still waits or is being scored."""
        return not self._ended.is_set()

    @property
    def given_up(self) -> bool:
        """Whether it was stopped, or nobody has looked at it for long."""
        return self._stop.is_set() or time.monotonic() - self._last_seen > SECONDS_UNSEEN

    def seen(self) -> None:
        """Notes that somebody still looks at it."""
        self._last_seen = time.monotonic()

    def stop(self) -> None:
        """Gives it up, after the step under way where it is being scored."""
        self._stop.set()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Waits for the end, however it comes; False where time ran out."""
        return self._ended.wait(timeout_s)

    def run(self) -> None:
        """Scores the table; called by the queue."""
        try:
            self.state = "done" if self._score() else "stopped"
        except Exception:  # whatever it is, the tables behind it must have their turn
            logging.getLogger(__name__).exception("A table of reviews could not be scored.")
            self.state = "failed"
        finally:
            self._table = None  # the finished job stays with its visitor, the cells need not
            self._ended.set()

    def _score(self) -> bool:
        """Whether it came to its end."""
        assert self._table is not None
        if self.given_up:
            return False
        self.state = "scoring"
        models = self._get_models()
        self.missing = [spec.label for name, spec in MODELS.items() if name not in models]
        texts, rows = self._table.texts, self._table.rows_with_words()
        self.n_scored = len(rows)
        probabilities: dict[str, list[float | None]] = {name: [None] * len(texts) for name in MODELS}
        steps = _steps(texts, rows)
        for n_done, step in enumerate(steps):
            for name, model in models.items():
                started = time.perf_counter()
                answers = model.predict_proba([texts[row] for row in step]).tolist()
                for row, answer in zip(step, answers, strict=True):
                    probabilities[name][row] = answer
                self._stop.wait(time.perf_counter() - started)
                if self.given_up:
                    return False
            self.share_done = (n_done + 1) / len(steps)
        self.n_positive = {name: sum((probabilities[name][row] or 0) >= 0.5 for row in rows) for name in models}
        self.result = self._table.with_probabilities(probabilities)
        return True


class ReviewQueue:
    """Tables in the order in which they came. Any number of threads may share it."""

    def __init__(self) -> None:
        """Starts no thread before the first table."""
        self._lock = threading.Lock()
        self._jobs: collections.deque[Job] = collections.deque()  # the first one is being scored

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

    def n_ahead(self, job: Job) -> int:
        """Tables that come before this one."""
        with self._lock:
            ahead = itertools.takewhile(lambda other: other is not job, self._jobs)
            return sum(not other.given_up for other in ahead)

    def _work(self) -> None:
        while True:
            self._jobs[0].run()
            with self._lock:
                self._jobs.popleft()
                if not self._jobs:
                    return


QUEUE = ReviewQueue()
"""The one queue of this process."""


def _steps(texts: list[str], rows: list[int]) -> list[list[int]]:
    """Puts rows of similar length together, few enough that no step takes long."""
    steps: list[list[int]] = []
    n_characters = _CHARACTERS_A_STEP
    for row in sorted(rows, key=lambda row: len(texts[row])):
        length = min(len(texts[row]), _CHARACTERS_READ)
        if n_characters + length > _CHARACTERS_A_STEP or len(steps[-1]) == _ROWS_A_STEP:
            steps.append([])
            n_characters = 0
        steps[-1].append(row)
        n_characters += length
    return steps
