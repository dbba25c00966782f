"""Short opinions made by rule: plain, negated, contrasted and compared, with and without neutral words around.

Film reviews rarely say "not bad at all", visitors of a demo often do. A frame (`data.opinion_frames`) is a sentence
with gaps and the rule for its label; the words that fill the gaps, and which opinion each of them carries, are learned
from the training reviews (`Lexicon.learn`), and so are the neutral sentences. Generated examples are mixed into
fine-tuning at a small weight.

`KINDS` are those that the first models learned from, `ALL_KINDS` also those of `data.opinion_kinds`: among them ratings
and emoji, which are written only for who reads them, and texts with two opinions or none, whose label is soft.
"""

# Lists of words are written as text and split: a reader can read them.
# ruff: noqa: SIM905

from __future__ import annotations

import collections
import math
import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from seqdemo.data import opinion_kinds
from seqdemo.data.examples import Examples
from seqdemo.data.opinion_frames import FIXED, INFINITIVES, NO_POLARITY, OPPOSITE, QUALITIES, SAME, TURNED
from seqdemo.data.opinion_kinds import CRIES, FOREIGN, FURTHER
from seqdemo.errors import DataError
from seqdemo.text import SENTENCE_ENDS, Vocabulary, tokenize

T = TypeVar("T")
_KIND_SHARES = {"plain": 0.18, "contrast": 0.15, "compared": 0.1, "negated": 0.42, "fixed": 0.15}
KINDS = tuple(_KIND_SHARES)
"""The kinds that are drawn where nothing else is said."""
ALL_KINDS = (*KINDS, *FURTHER)
"""Those and the further ones, which together are as frequent."""
_SHARES = _KIND_SHARES | dict.fromkeys(FURTHER, 1 / len(FURTHER))
_DEGREE_WORDS = frozenset("very really quite extremely absolutely incredibly truly pretty".split())
_COPULAS = frozenset("is was are were it's be".split())
_BEFORE_NOUN = frozenset("is was what such it's".split())
_NEGATIONS = frozenset(
    "not no never hardly nothing none neither nor without far isn't wasn't aren't weren't don't didn't doesn't "
    "can't couldn't wouldn't won't if could should would".split()
)
_NO_OPINION = frozenset("much do did few well nothing said hard far".split())
"""Words of other uses that stand in the same patterns."""
_UNTOLD = _DEGREE_WORDS | _NO_OPINION
_PATTERNS = {"very": (8, 0.6), "is": (25, 0.9), "what a": (8, 0.6), "i it": (6, 0.6)}
"""Patterns that tell a word's polarity: places needed in 22,500 reviews, and the least polarity."""
_STOPS = frozenset({".", "!", "!!"})
_CLAUSE_ENDS = _STOPS | {",", "and", "but"}


@dataclass(frozen=True)
class Lexicon:
    """Words that carry an opinion where they stand in a frame, and sentences that carry none.

    Attributes:
        adjectives: For each polarity, 1 and -1, words as in "is very …".
        nouns: Words as in "what a …".
        verbs: Words as in "i … it".
        neutral: Sentences of the reviews without opinion, in tokens.
    """

    adjectives: Mapping[int, Sequence[str]]
    nouns: Mapping[int, Sequence[str]]
    verbs: Mapping[int, Sequence[str]]
    neutral: Sequence[Sequence[str]]

    @classmethod
    def learn(cls, texts: Sequence[Sequence[str]], labels: npt.NDArray[np.int64]) -> Lexicon:
        """Learns which words praise and which blame.

        A word's polarity is ln((n₊ + 2) / (n₋ + 2)) over the places where it stands in a telling
        pattern without a negation before it ("was really …", "what a …", "i … it"), n₊ of them in
        reviews labelled 1. A sentence is neutral where no word of it leans to either label.

        Args:
            texts: The tokens of each training review.
            labels: 0 or 1 each.

        Returns:
            The lexicon.

        Raises:
            DataError: The reviews are too few to learn words of both polarities.
        """
        counts = _count(texts, labels)
        n = max(1.0, len(texts) / 22_500)

        def pick(pattern: str) -> dict[str, int]:
            least, from_polarity = _PATTERNS[pattern]
            signs = {}
            for word, (blame, praise) in counts[pattern].items():
                polarity = math.log((praise + 2) / (blame + 2))
                if blame + praise >= least * n and abs(polarity) > from_polarity:
                    signs[word] = 1 if polarity > 0 else -1
            return signs

        # "was terrible." counts only for words that come in degrees: "released" and "born" do not.
        plain = {word: sign for word, sign in pick("is").items() if sum(counts["very"].get(word, ())) >= 3 * n}
        adjectives = plain | pick("very")
        nouns = {word: sign for word, sign in pick("what a").items() if word not in adjectives}
        verbs = pick("i it")
        if any({*words.values()} != {1, -1} for words in (adjectives, nouns, verbs)):
            raise DataError(f"{len(texts):,} reviews are too few to learn words of praise and of blame from.")
        neutral = _neutral_sentences(texts, labels, adjectives.keys() | nouns.keys() | verbs.keys())
        if not neutral:
            raise DataError(f"{len(texts):,} reviews hold no neutral sentence.")
        return cls(_by_sign(adjectives), _by_sign(nouns), _by_sign(verbs), neutral)


def _count(texts: Sequence[Sequence[str]], labels: npt.NDArray[np.int64]) -> dict[str, dict[str, list[int]]]:
    """Pattern → word → how often it stands there unnegated in reviews labelled 0 and 1."""
    counts: dict[str, dict[str, list[int]]] = {kind: collections.defaultdict(lambda: [0, 0]) for kind in _PATTERNS}
    for tokens, label in zip(texts, labels, strict=True):
        for i in range(2, len(tokens) - 2):
            pattern = _pattern(tokens, i)
            if pattern and not _NEGATIONS.intersection(tokens[max(0, i - 5) : i]):
                counts[pattern][tokens[i]][label] += 1
    return counts


def _pattern(tokens: Sequence[str], i: int) -> str | None:
    """The telling pattern in which the word at i stands, if any; two tokens are on either side of it."""
    before, word, after = tokens[i - 1], tokens[i], tokens[i + 1]
    if not word.isalpha() or word in _UNTOLD or word.endswith("ly"):
        return None
    if before in _DEGREE_WORDS and after in _STOPS:
        return "very"
    if (before in _DEGREE_WORDS or before in _COPULAS) and after in _CLAUSE_ENDS:
        return "is"
    if before in {"a", "an"} and after in _STOPS and tokens[i - 2] in _BEFORE_NOUN:
        return "what a"
    by_the_writer = before == "i" or (before == "just" and tokens[i - 2] == "i")
    if by_the_writer and word.endswith("d") and after == "it" and tokens[i + 2] in _CLAUSE_ENDS:
        return "i it"
    return None


def _neutral_sentences(
    texts: Sequence[Sequence[str]], labels: npt.NDArray[np.int64], opinionated: set[str]
) -> list[Sequence[str]]:
    """Sentences of 7 to 25 tokens, none of which leans to either label by the reviews that it stands in."""
    documents = collections.defaultdict[str, list[int]](lambda: [0, 0])
    for tokens, label in zip(texts, labels, strict=True):
        for word in set(tokens):
            documents[word][label] += 1
    lean = {word: math.log((praise + 5) / (blame + 5)) for word, (blame, praise) in documents.items()}
    return [
        sentence
        for tokens in texts
        for sentence in _sentences(tokens)
        if 7 <= len(sentence) <= 25
        and max(abs(lean[w]) for w in sentence) < 0.35
        and abs(sum(lean[w] for w in sentence)) < 0.25
        and not opinionated.intersection(sentence)
    ]


def _by_sign(signs: Mapping[str, int]) -> dict[int, list[str]]:
    return {sign: sorted(word for word, its in signs.items() if its == sign) for sign in (1, -1)}


def _sentences(tokens: Sequence[str]) -> list[Sequence[str]]:
    ends = [i + 1 for i, token in enumerate(tokens) if token in SENTENCE_ENDS]
    return [tokens[a:b] for a, b in zip([0, *ends], ends, strict=False)]


def opinion(
    lexicon: Lexicon, rng: np.random.Generator, kinds: Sequence[str] = KINDS, known: Container[str] | None = None
) -> tuple[str, float]:
    """One generated opinion.

    Args:
        lexicon: The words.
        rng: Source of chance.
        kinds: The kinds to draw from, of `ALL_KINDS`.
        known: The words that the reader knows; foreign words and interjections are of them. All where None.

    Returns:
        A text of 1 to about 50 words, and its label: 0 or 1, or 0.5 where it holds two opinions or none.
    """
    shares = [_SHARES[kind] for kind in kinds]
    kind = str(rng.choice(list(kinds), p=shares if tuple(kinds) == KINDS else np.divide(shares, sum(shares))))
    s = 1 if rng.random() < 0.5 else -1
    if kind in FURTHER:
        frame, label = _further(kind, s, rng)
    elif kind == "fixed":
        frame, label = _any([entry for entry in FIXED if entry[1] == s], rng)
    else:
        frames = OPPOSITE if kind in OPPOSITE else SAME
        frame, label = _any(frames[kind], rng), -s if kind in OPPOSITE else s

    words = {"a": lexicon.adjectives, "an": lexicon.nouns, "v": lexicon.verbs, "vb": INFINITIVES, "q": QUALITIES}

    def fill(gap: re.Match[str]) -> str:
        name = gap.group(1)
        if name in NO_POLARITY:
            return _any(NO_POLARITY[name], rng)
        if name in _FURTHER_GAPS:
            return _fill_further(name, s, lexicon, rng, known)
        alike = TURNED.get(name, name)
        word = _any(words[alike][s if alike == name else -s], rng)
        if alike == "an":
            return ("an " if word[0] in "aeiou" else "a ") + word
        return word

    text = re.sub(r"\{(\w+)\}", fill, frame)
    return text.upper() if kind == "all_capitals" else text, 0.5 if label == 0 else (label + 1) // 2


def _further(kind: str, s: int, rng: np.random.Generator) -> tuple[str, int]:
    """A frame of a further kind for the polarity s, and its label: 1, -1, or 0 for neither."""
    frames = FURTHER[kind]
    always = frames.praise if s == 1 else frames.blame
    return _any(
        [
            *((frame, s) for frame in (*frames.same, *always)),
            *((frame, -s) for frame in frames.opposite),
            *((frame, 0) for frame in frames.soft),
        ],
        rng,
    )


_FURTHER_GAPS = frozenset({*opinion_kinds.WORDS, "neutral", "rate", "rated", "mid", "feel", "felt", "cry", "fw"})


def _fill_further(name: str, s: int, lexicon: Lexicon, rng: np.random.Generator, known: Container[str] | None) -> str:
    """What stands in a gap of `data.opinion_kinds`, where s is the polarity of the opinion."""
    if name in opinion_kinds.WORDS:
        return _any(opinion_kinds.WORDS[name], rng)
    if name == "neutral":  # of reviews read in tokens, whose signs cannot be written as words
        return " ".join(token for token in _any(lexicon.neutral, rng) if not token.startswith("<"))
    if name in {"rate", "rated", "mid"}:
        return opinion_kinds.rating({"rate": s, "rated": -s, "mid": 0}[name], rng)
    if name in {"feel", "felt"}:
        return opinion_kinds.feeling(s if name == "feel" else -s, rng)
    words = (CRIES if name == "cry" else FOREIGN)[s]
    return _any(words if known is None else [word for word in words if word in known], rng)


def kinds_of(vocabulary: Vocabulary) -> Sequence[str]:
    """What a model with these words learns from: version 1 as the first models did, later ones from all kinds."""
    return KINDS if vocabulary.version == 1 else ALL_KINDS


def _readable(kinds: Sequence[str], vocabulary: Vocabulary) -> Sequence[str]:
    """The kinds without those that this vocabulary has no tokens for."""
    unknown = {kind for kind, frames in FURTHER.items() if frames.signs and vocabulary.version == 1}
    for kind, words in (("one_word", CRIES), ("foreign_words", FOREIGN)):
        if not all(any(word in vocabulary.ids for word in words[s]) for s in (1, -1)):
            unknown.add(kind)
    return kinds if unknown.isdisjoint(kinds) else [kind for kind in kinds if kind not in unknown]


def _any(options: Sequence[T], rng: np.random.Generator) -> T:
    return options[int(rng.integers(len(options)))]


def draw(
    lexicon: Lexicon,
    vocabulary: Vocabulary,
    n: int,
    rng: np.random.Generator,
    *,
    padded_share: float = 0.15,
    kinds: Sequence[str] = KINDS,
) -> Examples:
    """Generated examples, encoded.

    Args:
        lexicon: The words.
        vocabulary: That of the model.
        n: How many.
        rng: Source of chance.
        padded_share: Share of them with 30 to 120 neutral words before or behind.
        kinds: The kinds to draw from, of `ALL_KINDS`; those that the vocabulary has no tokens for are left out.

    Returns:
        The examples, with soft labels where further kinds are asked for; no sentence ends are named, so that none is
        cropped.
    """
    readable = _readable(kinds, vocabulary)
    ids, labels = [], np.empty(n, dtype=np.float32)
    for row in range(n):
        text, labels[row] = opinion(lexicon, rng, readable, vocabulary.ids)
        if rng.random() < 0.2:  # two opinions that agree
            for _ in range(20):
                other, label = opinion(lexicon, rng, readable, vocabulary.ids)
                if label == labels[row]:
                    text = f"{text} {other}"
                    break
        tokens = [token.text for token in tokenize(text, version=vocabulary.version)]
        if rng.random() < padded_share:
            padding: list[str] = []
            while len(padding) < rng.integers(30, 110):
                padding += _any(lexicon.neutral, rng)
            ends = tokens if tokens[-1] in SENTENCE_ENDS else [*tokens, "."]
            tokens = [*ends, *padding] if rng.random() < 0.5 else [*padding, *tokens]
        ids.append(np.array(vocabulary.encode(tokens), dtype=np.int64))
    soft = None if set(kinds) <= set(KINDS) else labels
    return Examples(ids, (labels >= 0.5).astype(np.int64), [np.empty(0, dtype=np.int64)] * n, soft)
