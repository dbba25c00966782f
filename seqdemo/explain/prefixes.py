"""P(positive) along a text: what each model would say if the review ended here.

A model that reads in one direction has a verdict at every word from a single pass. One
that looks at the whole text has none, so it is run again on a sample of the text's
beginnings. The sample stands on a grid that stays in place as words are added, so that
most of it is already known after an edit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from seqdemo.explain.pieces import TOKENS_A_PIECE, finished

if TYPE_CHECKING:
    from seqdemo.checkpoints.classifier import Classifier
    from seqdemo.explain.beginnings import Beginnings

MAX_BEGINNINGS = 24
"""Beginnings of one text on which a model without prefix states is run again."""

Curve: TypeAlias = tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]
"""Index of the last word of each beginning (n,), and P(positive) of that beginning (n,)."""


def sampled_steps(n_tokens: int, most: int = MAX_BEGINNINGS) -> npt.NDArray[np.int64]:
    """Where a model without prefix states is asked: first word, a grid, last word.

    The grid's step is a power of two. It stays in place when words are added, and when
    it becomes twice as wide, every point of it was already on the narrower one.

    Args:
        n_tokens: Words in the text, at least 1.
        most: Beginnings at most, at least 3; what a lower number asks for, a higher one asks for too.

    Returns:
        Rising word indices from 0 to n_tokens - 1, at most `most` of them, int64 (n,).
    """
    step = 1
    while -(-n_tokens // step) + (step > 1) > most:
        step *= 2
    grid = np.arange(step - 1, n_tokens, step, dtype=np.int64)
    return np.union1d(grid, np.array([0, n_tokens - 1], dtype=np.int64))


def prefix_curve(classifier: Classifier, ids: npt.NDArray[np.int64], memory: Beginnings) -> Curve:
    """P(positive) after the words of a text.

    Args:
        classifier: A trained model.
        ids: Vocabulary indices of the text, at least one, int64 (n_tokens,).
        memory: What is known of beginnings; added to.

    Returns:
        Word indices, int64 (n,), and P(positive) of the text up to and including each,
        float32 (n,): every word in one pass where the model has prefix states, otherwise
        at most `MAX_BEGINNINGS`, the last word always among them.
    """
    return finished(curve_pieces(classifier, ids, memory))


def curve_pieces(
    classifier: Classifier, asked: npt.NDArray[np.int64] | tuple[npt.NDArray[np.int64], int], memory: Beginnings
) -> Generator[None, None, Curve]:
    """`prefix_curve` in pieces of at most some 50 ms each on an ordinary processor; yields between them.

    Args:
        classifier: A trained model.
        asked: The text as vocabulary indices; or these and how many beginnings are read at most.
        memory: What is known of beginnings; added to.
    """
    ids, most = asked if isinstance(asked, tuple) else (asked, MAX_BEGINNINGS)
    if classifier.has_prefix_states:
        from seqdemo.explain.beginnings import read_on  # torch is imported here; pages import this module at the start

        return np.arange(len(ids), dtype=np.int64), read_on(classifier, [ids], memory)[0]
    steps = sampled_steps(len(ids), most)
    keys = [_key(classifier.sha256, ids[: step + 1]) for step in steps]
    known = [memory.get(key) for key in keys]
    missing = [row for row, verdict in enumerate(known) if verdict is None]  # the shortest first
    while missing:
        rows, missing = missing[:1], missing[1:]
        while missing and (steps[missing[0]] + 1) * (len(rows) + 1) <= TOKENS_A_PIECE:
            rows.append(missing.pop(0))
        fresh = classifier.predict_ids([ids[: steps[row] + 1] for row in rows])
        for row, verdict in zip(rows, fresh.tolist(), strict=True):
            known[row] = verdict
            memory.put(keys[row], verdict, len(keys[row]))
        yield
    return steps, np.array(known, dtype=np.float32)


def remember(classifier: Classifier, ids: npt.NDArray[np.int64], verdict: float, memory: Beginnings) -> None:
    """Keeps the verdict of a model without prefix states on a whole text, which is the last point of its curve."""
    key = _key(classifier.sha256, ids)
    memory.put(key, verdict, len(key))


def _key(sha256: str, ids: npt.NDArray[np.int64]) -> bytes:
    return hashlib.blake2b(ids.tobytes(), key=bytes.fromhex(sha256), digest_size=32).digest()
