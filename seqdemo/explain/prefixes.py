"""P(positive) along a text: what each model would say if the review ended here.

A model that reads in one direction has a verdict at every word from a single pass. One
that looks at the whole text has none, so it is run again on a sample of the text's
beginnings. The sample stands on a grid that stays in place as words are added, so that
most of it is already known after an edit.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from seqdemo.checkpoints.classifier import Classifier

MAX_BEGINNINGS = 24
"""Beginnings of one text on which a model without prefix states is run again."""

Curve: TypeAlias = tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]
"""Index of the last word of each beginning (n,), and P(positive) of that beginning (n,)."""


class PrefixMemory:
    """Verdicts on beginnings of texts, the least recently used forgotten first.

    Any number of threads may share it.
    """

    def __init__(self, max_entries: int = 20_000) -> None:
        """Holds nothing yet.

        Args:
            max_entries: Verdicts kept; one takes some 150 bytes.
        """
        self._max_entries = max_entries
        self._lock = threading.Lock()
        self._verdicts: OrderedDict[bytes, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._verdicts)

    def get(self, key: bytes) -> float | None:
        """The verdict stored under a key, or None."""
        with self._lock:
            if key not in self._verdicts:
                return None
            self._verdicts.move_to_end(key)
            return self._verdicts[key]

    def put(self, key: bytes, verdict: float) -> None:
        """Stores a verdict and forgets the oldest beyond the limit."""
        with self._lock:
            self._verdicts[key] = verdict
            self._verdicts.move_to_end(key)
            while len(self._verdicts) > self._max_entries:
                self._verdicts.popitem(last=False)


def sampled_steps(n_tokens: int) -> npt.NDArray[np.int64]:
    """Where a model without prefix states is asked: first word, a grid, last word.

    The grid's step is a power of two. It stays in place when words are added, and when
    it becomes twice as wide, every point of it was already on the narrower one.

    Args:
        n_tokens: Words in the text, at least 1.

    Returns:
        Rising word indices from 0 to n_tokens - 1, at most `MAX_BEGINNINGS` of them, int64 (n,).
    """
    step = 1
    while -(-n_tokens // step) + (step > 1) > MAX_BEGINNINGS:
        step *= 2
    grid = np.arange(step - 1, n_tokens, step, dtype=np.int64)
    return np.union1d(grid, np.array([0, n_tokens - 1], dtype=np.int64))


def prefix_curve(classifier: Classifier, ids: npt.NDArray[np.int64], memory: PrefixMemory) -> Curve:
    """P(positive) after the words of a text.

    Args:
        classifier: A trained model.
        ids: Vocabulary indices of the text, at least one, int64 (n_tokens,).
        memory: Verdicts on beginnings that were already asked for; added to.

    Returns:
        Word indices, int64 (n,), and P(positive) of the text up to and including each,
        float32 (n,): every word in one pass where the model has prefix states, otherwise
        at most `MAX_BEGINNINGS`, the last word always among them.
    """
    if classifier.has_prefix_states:
        return np.arange(len(ids), dtype=np.int64), classifier.prefix_proba(ids)
    steps = sampled_steps(len(ids))
    keys = [_key(classifier.sha256, ids[: step + 1]) for step in steps]
    known = [memory.get(key) for key in keys]
    missing = [row for row, verdict in enumerate(known) if verdict is None]
    fresh = classifier.predict_ids([ids[: steps[row] + 1] for row in missing])
    for row, verdict in zip(missing, fresh.tolist(), strict=True):
        known[row] = verdict
        memory.put(keys[row], verdict)
    return steps, np.array(known, dtype=np.float32)


class CurveWorker:
    """Computes curves in the background, one text at a time for the whole process.

    Verdicts never wait for it: whoever asks gets a future, and may cancel it while it
    stands in the queue. Finished curves are kept by (checkpoint sha256, text).
    """

    def __init__(self, max_finished: int = 256) -> None:
        """Starts no thread before the first text.

        Args:
            max_finished: Texts whose curves are kept.
        """
        self._max_finished = max_finished
        self._memory = PrefixMemory()
        self._lock = threading.Lock()
        self._finished: OrderedDict[tuple[str, ...], dict[str, Curve]] = OrderedDict()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="curves")

    def submit(self, classifiers: Sequence[Classifier], text: str) -> Future[Mapping[str, Curve]]:
        """Asks for the curves of one text.

        Args:
            classifiers: The models to ask.
            text: A review with at least one word.

        Returns:
            Model name → curve; done at once where they are known.
        """
        key = (*(classifier.sha256 for classifier in classifiers), text)
        known = self._known(key)
        if known is not None:
            done: Future[Mapping[str, Curve]] = Future()
            done.set_result(known)
            return done
        return self._thread.submit(self._compute, key, tuple(classifiers), text)

    def _known(self, key: tuple[str, ...]) -> dict[str, Curve] | None:
        with self._lock:
            if key in self._finished:
                self._finished.move_to_end(key)
            return self._finished.get(key)

    def _compute(self, key: tuple[str, ...], classifiers: tuple[Classifier, ...], text: str) -> Mapping[str, Curve]:
        known = self._known(key)  # somebody before us in the queue may have asked for the same text
        if known is not None:
            return known
        curves = {
            classifier.name: prefix_curve(classifier, classifier.vocabulary.require(text).ids, self._memory)
            for classifier in classifiers
        }
        with self._lock:
            self._finished[key] = curves
            while len(self._finished) > self._max_finished:
                self._finished.popitem(last=False)
        return curves


def _key(sha256: str, ids: npt.NDArray[np.int64]) -> bytes:
    return hashlib.blake2b(ids.tobytes(), key=bytes.fromhex(sha256), digest_size=32).digest()
