"""Encoded reviews, the views of them that an epoch trains on, and padded batches.

A view is the whole review, head and tail where it is long, or a crop of one to three
consecutive sentences with the review's label. Crops teach the models short texts,
which is what people type.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from seqdemo.text import MAX_TOKENS, PAD_ID, UNKNOWN_ID, Vocabulary, head_and_tail, tokenize

if TYPE_CHECKING:
    from seqdemo.data.imdb import Reviews

Labels: TypeAlias = npt.NDArray[np.int64] | npt.NDArray[np.float32]
"""0 or 1 each, or soft ones between them."""

MIN_CROP_TOKENS = 4
_BATCHES_SORTED_TOGETHER = 50


@dataclass(frozen=True)
class Examples:
    """Encoded texts of any length, with their labels.

    Attributes:
        ids: One int64 array of vocabulary indices a text, uncut.
        labels: int64 (n,).
        sentence_ends: For each text the positions of the marks that end a sentence.
        soft: What to train towards where that is not the label: the share of readers who would call the text
            positive, float32 (n,) from 0 to 1; None where it is the label.
    """

    ids: Sequence[npt.NDArray[np.int64]]
    labels: npt.NDArray[np.int64]
    sentence_ends: Sequence[npt.NDArray[np.int64]]
    soft: npt.NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def targets(self) -> Labels:
        """What to train towards, from 0 to 1, (n,)."""
        return self.labels if self.soft is None else self.soft

    def pick(self, rows: npt.NDArray[np.int64]) -> Examples:
        """The examples at these rows."""
        return Examples(
            [self.ids[row] for row in rows],
            self.labels[rows],
            [self.sentence_ends[row] for row in rows],
            None if self.soft is None else self.soft[rows],
        )


@dataclass(frozen=True)
class Batch:
    """Texts padded on the right to one length.

    Attributes:
        ids: int64 (B, T).
        lengths: Real words in each row, int64 (B,).
        labels: (B,), int64, or float32 where some are soft.
        rows: Where each row stands in the examples, int64 (B,).
        decided_last: Rows whose label holds only once all of it is read ("not bad"), bool (B,).
    """

    ids: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]
    labels: Labels
    rows: npt.NDArray[np.int64]
    decided_last: npt.NDArray[np.bool_]


def tokenize_all(reviews: Reviews, *, version: int = 1) -> list[list[str]]:
    """The token texts of every review, uncut, by the rules of a version; a vocabulary knows that of its words."""
    return [[token.text for token in tokenize(text, version=version)] for text in reviews.texts]


def encode(tokens: Sequence[Sequence[str]], labels: npt.NDArray[np.int64], vocabulary: Vocabulary) -> Examples:
    """Looks up every token; a text without any becomes one unknown word."""
    ids = [np.array(vocabulary.encode(text) or [UNKNOWN_ID], dtype=np.int64) for text in tokens]
    ends = np.array(sorted(vocabulary.sentence_end_ids), dtype=np.int64)
    return Examples(ids, labels, [np.flatnonzero(np.isin(text, ends)) for text in ids])


def read(reviews: Reviews, vocabulary: Vocabulary) -> Examples:
    """Reviews as a model that knows these words reads them."""
    return encode(tokenize_all(reviews, version=vocabulary.version), reviews.labels, vocabulary)


def whole(ids: npt.NDArray[np.int64], max_tokens: int = MAX_TOKENS) -> npt.NDArray[np.int64]:
    """The whole text, or head and tail of a long one."""
    return ids[head_and_tail(range(len(ids)), max_tokens)] if len(ids) > max_tokens else ids


def crop(ids: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """One to three consecutive sentences: the first, the last, or any, with equal chance.

    Args:
        ids: The whole text, (n,).
        ends: Positions of the marks that end a sentence.
        rng: Source of chance.

    Returns:
        At least `MIN_CROP_TOKENS` tokens, or the text itself where it has no more.
    """
    starts = np.concatenate([[0], ends[ends < len(ids) - 1] + 1])
    wanted = int(rng.integers(1, 4))
    last = max(len(starts) - wanted, 0)
    first = (0, last, int(rng.integers(0, last + 1)))[int(rng.integers(0, 3))]
    begin = starts[first]
    end = starts[first + wanted] if first + wanted < len(starts) else len(ids)
    piece = ids[begin:end]
    return piece if len(piece) >= MIN_CROP_TOKENS else ids[max(0, end - MIN_CROP_TOKENS) : max(end, MIN_CROP_TOKENS)]


@dataclass(frozen=True)
class Views:
    """Texts as they are read, and which of them make up each batch.

    Attributes:
        texts: int64 arrays, none longer than a model reads.
        labels: Of each, (n,), int64, or float32 where some are soft.
        decided_last: Those whose label holds only once all of it is read ("not bad"), bool (n,).
        batches: The rows of each batch.
    """

    texts: Sequence[npt.NDArray[np.int64]]
    labels: Labels
    decided_last: npt.NDArray[np.bool_]
    batches: Sequence[npt.NDArray[np.int64]]

    def padded(self) -> Iterator[Batch]:
        """The batches as arrays."""
        for rows in self.batches:
            yield pad([self.texts[row] for row in rows], self.labels[rows], rows, self.decided_last[rows])


def epoch_views(
    examples: Examples,
    *,
    batch_size: int,
    rng: np.random.Generator,
    crop_share: float = 0.0,
    word_dropout: float = 0.0,
    max_tokens: int = MAX_TOKENS,
    beside: Examples | None = None,
) -> Views:
    """One epoch of training texts, those of similar length together.

    Args:
        examples: What to train on.
        batch_size: Rows in a batch; the last may have fewer.
        rng: Source of chance for order, crops and dropped words.
        crop_share: Share of the texts that are cut to a few sentences.
        word_dropout: Share of words replaced by the unknown word.
        max_tokens: Longest view.
        beside: Further examples that are mixed in as they are, neither cut nor with words dropped.

    Returns:
        Batches in random order, every example in one of them; rows of `beside` count on.
    """
    views = []
    cropped = rng.random(len(examples)) < crop_share
    for row, ids in enumerate(examples.ids):
        view = crop(ids, examples.sentence_ends[row], rng) if cropped[row] else ids
        view = whole(view, max_tokens)
        if word_dropout:
            view = np.where(rng.random(len(view)) < word_dropout, UNKNOWN_ID, view)
        views.append(view)
    labels, decided_last = examples.targets, np.zeros(len(examples), dtype=np.bool_)
    if beside is not None:
        views += [whole(ids, max_tokens) for ids in beside.ids]
        labels = _behind_each_other(labels, beside.targets)
        decided_last = np.concatenate([decided_last, np.ones(len(beside), dtype=np.bool_)])
    order = rng.permutation(len(views))
    span = batch_size * _BATCHES_SORTED_TOGETHER
    batches = []
    for start in range(0, len(order), span):
        together = np.array(sorted(order[start : start + span], key=lambda row: len(views[row])), dtype=np.int64)
        batches += _in_batches(together, batch_size)
    return Views(views, labels, decided_last, [batches[i] for i in rng.permutation(len(batches))])


def _in_batches(rows: npt.NDArray[np.int64], batch_size: int) -> list[npt.NDArray[np.int64]]:
    return [rows[start : start + batch_size] for start in range(0, len(rows), batch_size)]


def _behind_each_other(one: Labels, other: Labels) -> Labels:
    """Labels in one array, in whole numbers where no soft one is among them."""
    if one.dtype == other.dtype:
        return np.concatenate([one, other])
    return np.concatenate([one.astype(np.float32), other.astype(np.float32)])


def evaluation_views(examples: Examples, *, batch_size: int = 128, max_tokens: int = MAX_TOKENS) -> Views:
    """Every text whole, shortest first, so that little is padding."""
    order = np.array(sorted(range(len(examples)), key=lambda row: len(examples.ids[row])), dtype=np.int64)
    views = [whole(ids, max_tokens) for ids in examples.ids]
    return Views(views, examples.labels, np.zeros(len(views), dtype=np.bool_), _in_batches(order, batch_size))


def pad(
    views: Sequence[npt.NDArray[np.int64]],
    labels: Labels,
    rows: npt.NDArray[np.int64],
    decided_last: npt.NDArray[np.bool_] | None = None,
) -> Batch:
    """Puts texts of different lengths into one array, padded on the right."""
    lengths = np.array([len(view) for view in views], dtype=np.int64)
    ids = np.full((len(views), int(lengths.max())), PAD_ID, dtype=np.int64)
    for row, view in enumerate(views):
        ids[row, : len(view)] = view
    if decided_last is None:
        decided_last = np.zeros(len(views), dtype=np.bool_)
    return Batch(ids, lengths, labels, rows, decided_last)
