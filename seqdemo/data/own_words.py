"""A visitor's own text, whose next word is to be foretold: any text file of at least 2,000 words.

The text stays in its order. Its first eight tenths are learned from, the next tenth is looked at after every epoch, the
last one at the end, so that no word is foretold that was learned by heart.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seqdemo.data.tables import plain_text
from seqdemo.errors import DataError
from seqdemo.sizes import MB, megabytes
from seqdemo.text import NEWEST_TOKENS, UNKNOWN_ID, Vocabulary, tokenize

MAX_BYTES = 1 * MB
MIN_WORDS = 2_000
MAX_VOCABULARY = 2_000
"""Entries in all: the most frequent words, all others are one unknown word."""
_DISCOUNT = 0.75  # of counts of pairs (Ney, Essen & Kneser 1994), for pairs that were not seen


@dataclass(frozen=True, kw_only=True)
class OwnWords:
    """A text that a model can be trained on.

    Attributes:
        text: As it was read.
        words: Its tokens, by the newest rules.
        notes: How it was read, where that is not a matter of course: sentences for the visitor.
    """

    text: str
    words: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def n_training(self) -> int:
        """How many of the words, the first ones, are learned from."""
        return 8 * len(self.words) // 10

    @functools.cached_property
    def vocabulary(self) -> Vocabulary:
        """The most frequent words of the part that is learned from."""
        return Vocabulary.build([self.words[: self.n_training]], size=MAX_VOCABULARY, version=NEWEST_TOKENS)

    def summary(self) -> str:
        """What was understood, in sentences."""
        n_different = len(set(self.words))
        said = f"{len(self.words):,} words and marks, {n_different:,} different ones."
        return " ".join([said, *self.notes])


@dataclass(frozen=True, kw_only=True)
class Streams:
    """A text as numbers, in three parts.

    Attributes:
        vocabulary: The most frequent words of the part that is learned from.
        training: Word indices, int64 (n,).
        validation: Of the part behind it.
        test: Of the last part.
    """

    vocabulary: Vocabulary
    training: npt.NDArray[np.int64]
    validation: npt.NDArray[np.int64]
    test: npt.NDArray[np.int64]


def parse(content: bytes) -> OwnWords:
    """Reads a text file; UTF-8, UTF-16, Windows-1252 and Mac Roman are told apart.

    Raises:
        DataError: It is too large, no text, or has too few words; a sentence.
    """
    if len(content) > MAX_BYTES:
        raise DataError(f"This file has {megabytes(len(content))}; at most {megabytes(MAX_BYTES)} are read.")
    if not content.strip():
        raise DataError(f"This file is empty. A text of at least {MIN_WORDS:,} words is needed.")
    text, _, notes = plain_text.decode(content)
    words = tuple(token.text for token in tokenize(text, version=NEWEST_TOKENS))
    if len(words) < MIN_WORDS:
        raise DataError(
            f"This text has {len(words):,} words and marks; at least {MIN_WORDS:,} are needed, so that some can "
            "be held back for the test."
        )
    return OwnWords(text=text, words=words, notes=tuple(notes))


def written(found: OwnWords) -> bytes:
    """As a run keeps it; `parse` reads it back."""
    return found.text.encode("utf-8", "replace")


def split(found: OwnWords) -> Streams:
    """Looks the words up, and divides them."""
    first, second = found.n_training, 9 * len(found.words) // 10
    vocabulary = found.vocabulary
    ids = np.array([vocabulary.ids.get(word, UNKNOWN_ID) for word in found.words], dtype=np.int64)
    return Streams(vocabulary=vocabulary, training=ids[:first], validation=ids[first:second], test=ids[second:])


def counted_losses(streams: Streams) -> tuple[float, float]:
    """What counting the words that are learned from comes to on the validation words: mean losses in nats.

    Returns:
        Of who knows how frequent each word is, and of who knows what follows each word: counts of pairs, less a
        discount that goes to pairs that were not seen, by how frequent their second word is.
    """
    n_words = len(streams.vocabulary)
    counts = np.bincount(streams.training, minlength=n_words) + 1.0
    single = counts / counts.sum()
    pairs = np.zeros((n_words, n_words), dtype=np.float32)
    np.add.at(pairs, (streams.training[:-1], streams.training[1:]), 1)
    before, words = streams.validation[:-1], streams.validation[1:]
    follow = pairs[before]  # (n, n_words)
    n_before, n_different = follow.sum(axis=1), (follow > 0).sum(axis=1)
    seen = np.maximum(follow[np.arange(len(words)), words] - _DISCOUNT, 0)
    known = n_before > 0
    of_pair = np.where(known, (seen + _DISCOUNT * n_different * single[words]) / np.maximum(n_before, 1), single[words])
    return float(-np.log(single[words]).mean()), float(-np.log(of_pair).mean())
