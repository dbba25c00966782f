"""A made-up grammar whose next word is known as well as it can be: what a language model is measured against.

    sentence → the NOUN (PREPOSITION the NOUN)* VERB (ADVERB)? .

A verb agrees with the first noun of its sentence, however many others of whatever number stand between (agreement with
attractors, as in Linzen, Dupoux & Goldberg 2016, "Assessing the ability of LSTMs to learn syntax-sensitive
dependencies"). Another noun phrase follows more often than not, so that the distance has no bound. Each word's choice
hangs on where in the sentence one is and on the number to be remembered, which the words so far decide: the
probability of the next word is therefore known exactly, and its entropy is the least loss that any model can have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

SINGULAR = ("critic", "actor", "film", "hero", "writer", "scene")
PLURAL = ("critics", "actors", "films", "heroes", "writers", "scenes")
PREPOSITIONS = ("near", "behind", "beside", "without")
VERBS = (("waits", "smiles", "sings", "leaves"), ("wait", "smile", "sing", "leave"))
"""Of each number, singular first, the same verbs in the same order."""
ADVERBS = ("again", "slowly", "today", "alone")
WORDS = ("", "the", ".", *SINGULAR, *PLURAL, *PREPOSITIONS, *VERBS[0], *VERBS[1], *ADVERBS)
"""The words by their ids; 0 is padding."""
ANOTHER_NOUN = 0.6
"""How often a noun is followed by another noun phrase rather than by the verb."""
WITH_ADVERB = 0.4

# Where one is: at the start, after "the", after a noun, after a preposition, after the second "the", after the verb,
# after the adverb; those in the middle once for each number.
_START, _THE, _NOUN, _PREPOSITION, _OTHER, _VERB, _ADVERB = 0, 1, 2, 4, 6, 8, 9
_N_STATES = 10
_ID = {word: index for index, word in enumerate(WORDS)}


def _tables() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """P(next word | state), (n_states, n_words), and the state after that word, of the same shape."""
    chances = np.zeros((_N_STATES, len(WORDS)))
    after = np.zeros((_N_STATES, len(WORDS)), dtype=np.int64)

    def allow(state: int, words: Sequence[str], share: float, to: int) -> None:
        weights = 1 / np.arange(1.0, len(words) + 1)  # the first ones are the frequent ones (Zipf)
        ids = [_ID[word] for word in words]
        chances[state, ids] = share * weights / weights.sum()
        after[state, ids] = to

    allow(_START, ["the"], 1.0, _THE)
    for number, nouns in enumerate((SINGULAR, PLURAL)):
        allow(_THE, nouns, 0.5, _NOUN + number)
        allow(_NOUN + number, PREPOSITIONS, ANOTHER_NOUN, _PREPOSITION + number)
        allow(_NOUN + number, VERBS[number], 1 - ANOTHER_NOUN, _VERB)
        allow(_PREPOSITION + number, ["the"], 1.0, _OTHER + number)
        for others in (SINGULAR, PLURAL):
            allow(_OTHER + number, others, 0.5, _NOUN + number)
    allow(_VERB, ADVERBS, WITH_ADVERB, _ADVERB)
    allow(_VERB, ["."], 1 - WITH_ADVERB, _START)
    allow(_ADVERB, ["."], 1.0, _START)
    return chances, after


_CHANCES, _AFTER = _tables()


def draw(rng: np.random.Generator, n: int, length: int) -> npt.NDArray[np.int64]:
    """Sentences one behind the other, from the start of one.

    Args:
        rng: Where chance comes from.
        n: Rows.
        length: Words of each; the last sentence may be cut.

    Returns:
        Ids, int64 (n, length).
    """
    sums = _CHANCES.cumsum(axis=1)
    state = np.zeros(n, dtype=np.int64)
    ids = np.empty((n, length), dtype=np.int64)
    for step in range(length):
        # A word's share of (0, 1) is as wide as its chance; a word of none has none.
        ids[:, step] = (sums[state] <= rng.random(n)[:, None]).sum(axis=1).clip(max=len(WORDS) - 1)
        state = _AFTER[state, ids[:, step]]
    return ids


def chances(ids: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """What the grammar itself holds likely before each word.

    Args:
        ids: As `draw` gives them, (n, length).

    Returns:
        P(word | those before it in its row) of every word, (n, length, n_words).
    """
    state = np.zeros(len(ids), dtype=np.int64)
    found = np.empty((*ids.shape, len(WORDS)))
    for step in range(ids.shape[1]):
        found[:, step] = _CHANCES[state]
        state = _AFTER[state, ids[:, step]]
    return found


@dataclass(frozen=True, kw_only=True)
class Known:
    """What can be had from the words of `draw` by who knows less and less of the grammar.

    Attributes:
        commonest: Accuracy of always saying the most frequent word.
        ceiling: Accuracy of always saying the likeliest next word, which nothing can surpass.
        unigram: Loss, in nats, of who knows how frequent each word is.
        bigram: Loss of who knows what follows each word, and remembers nothing else.
        grammar: Loss of who knows the grammar: its entropy, which nothing can fall below.
    """

    commonest: float
    ceiling: float
    unigram: float
    bigram: float
    grammar: float


def known(length: int) -> Known:
    """Worked out, not drawn: each is an expectation over the words 2 to `length + 1` of a row.

    Args:
        length: Words that are foretold, at least 1.
    """
    where: npt.NDArray[np.float64] = np.zeros(_N_STATES)  # P(state before a word)
    where[_START] = 1.0
    states, pairs = np.zeros(_N_STATES), np.zeros((len(WORDS), len(WORDS)))
    for _ in range(length):
        read = where[:, None] * _CHANCES  # P(state, word that is read)
        where = np.bincount(_AFTER.ravel(), weights=read.ravel(), minlength=_N_STATES).astype(np.float64)
        states += where / length
        np.add.at(pairs, np.nonzero(read)[1], (read[..., None] * _CHANCES[_AFTER])[np.nonzero(read)] / length)
    words = states @ _CHANCES
    return Known(
        commonest=float(words.max()),
        ceiling=float(states @ _CHANCES.max(axis=1)),
        unigram=_entropy(words),
        bigram=_entropy(pairs) - _entropy(pairs.sum(axis=1)),
        grammar=float(sum(share * _entropy(row) for share, row in zip(states, _CHANCES, strict=True))),
    )


def _entropy(chances: npt.NDArray[np.float64]) -> float:
    some = chances[chances > 0]
    return float(-(some * np.log(some)).sum())


def agreement(words: Sequence[str]) -> tuple[int, int]:
    """How many verbs of a text agree with the first noun of their sentence, and how many there are.

    Args:
        words: A text, whether or not it keeps to the grammar; a verb without a noun before it does not count.
    """
    right = asked = 0
    first: int | None = None
    for word in words:
        if word == ".":
            first = None
        elif first is None and word in (*SINGULAR, *PLURAL):
            first = int(word in PLURAL)
        elif first is not None and word in (*VERBS[0], *VERBS[1]):
            asked += 1
            right += word in VERBS[first]
    return right, asked


def text(ids: Sequence[int]) -> str:
    """Words as people write them, a full stop close to the word before it."""
    return " ".join(WORDS[index] for index in ids).replace(" .", ".")
