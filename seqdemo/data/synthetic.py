"""Made-up film reviews: one opinion, then a chosen number of words that say nothing of it.

They need no network and no download, and what makes them hard is known: how far back the opinion stands, how
often it is negated, and how many labels are wrong.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seqdemo.data.imdb import Reviews
from seqdemo.errors import ConfigError
from seqdemo.text import PAD, UNKNOWN, Vocabulary, tokenize

MAX_DISTANCE = 300
_PRAISE = [
    "brilliant",
    "charming",
    "clever",
    "delightful",
    "excellent",
    "gripping",
    "lovely",
    "moving",
    "superb",
    "wonderful",
]
_SCORN = ["awful", "boring", "clumsy", "dreadful", "dull", "feeble", "lifeless", "tedious", "terrible", "weak"]
_PARTS = ["acting", "camera", "dialogue", "ending", "film", "music", "plot", "script", "story", "picture"]
# Sentences that hold no opinion. What stands in braces is drawn from the lists below.
_NEUTRAL = (
    "A {who} walks through the {place} on a {time}.",
    "The {who} meets a {who} in a {place}.",
    "It was shot near the {place} on a {time}.",
    "Then the {who} takes the train to the {place}.",
    "The {thing} lies on a table beside the {thing}.",
    "Nobody knows who left the {thing} in the {place}.",
    "The second half plays in a {place} by the sea.",
    "Every {time} the {who} looks for the {thing}.",
    "The {who} carries a {thing} and a {thing}.",
    "In the next scene it is {time} again.",
    "The {place} belongs to a {who} from the north.",
    "Later we see the {thing} in the hands of the {who}.",
)
_LISTS = {
    "who": ["teacher", "baker", "sailor", "doctor", "painter", "farmer", "driver", "singer", "student", "neighbour"],
    "place": ["harbour", "kitchen", "station", "village", "garden", "school", "market", "castle", "bakery", "theatre"],
    "time": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday", "holiday"],
    "thing": ["letter", "suitcase", "lamp", "bicycle", "map", "key", "violin", "camera", "notebook", "coat"],
}


@dataclass(frozen=True, kw_only=True)
class SyntheticConfig:
    """What the reviews are like.

    Attributes:
        n: How many.
        distance: Tokens after the opinion, at least; the last sentence is not cut.
        negation: Share of reviews whose opinion is negated: "was not brilliant" is scorn.
        noise: Share of reviews with the wrong label, so that no model can be right more often than 1 - noise.
        seed: Start of all chance.
    """

    n: int = 5_000
    distance: int = 30
    negation: float = 0.0
    noise: float = 0.0
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuses what cannot be made."""
        if not 2 <= self.n <= 50_000:
            raise ConfigError(f"n is from 2 to 50,000; got {self.n}.")
        if not 0 <= self.distance <= MAX_DISTANCE:
            raise ConfigError(f"distance is from 0 to {MAX_DISTANCE} words; got {self.distance}.")
        if not 0 <= self.negation <= 1:
            raise ConfigError(f"negation is a share from 0 to 1; got {self.negation}.")
        if not 0 <= self.noise < 0.5:
            raise ConfigError(f"noise is a share of at least 0 and below 0.5; got {self.noise}.")


def reviews(config: SyntheticConfig) -> Reviews:
    """Writes the reviews: as many positive as negative ones (before noise), in random order.

    Args:
        config: What they are like.

    Returns:
        Texts and labels, 1 for praise; the same ones for the same config.
    """
    rng = np.random.default_rng((config.seed, 77))
    labels = rng.permutation(np.arange(config.n, dtype=np.int64) % 2)
    negated = rng.random(config.n) < config.negation
    texts = [_review(bool(label), bool(no), config.distance, rng) for label, no in zip(labels, negated, strict=True)]
    wrong = rng.random(config.n) < config.noise
    return Reviews(texts, np.where(wrong, 1 - labels, labels))


def vocabulary() -> Vocabulary:
    """Every word that a synthetic review can hold, in a fixed order."""
    found = {token.text for text in _every_sentence() for token in tokenize(text)}
    return Vocabulary([PAD, UNKNOWN, *sorted(found)])


def opinion_distances(texts: list[str]) -> npt.NDArray[np.int64]:
    """Tokens after the opinion word of each text, (n,)."""
    opinions = {*_PRAISE, *_SCORN}
    found = []
    for text in texts:
        words = [token.text for token in tokenize(text)]
        found.append(len(words) - 1 - next(place for place, word in enumerate(words) if word in opinions))
    return np.array(found, dtype=np.int64)


def _review(positive: bool, negated: bool, distance: int, rng: np.random.Generator) -> str:
    opinion = _pick(_PRAISE if positive != negated else _SCORN, rng)
    sentences = [f"The {_pick(_PARTS, rng)} was {'not ' if negated else ''}{opinion}."]
    n_after = 1  # the full stop
    while n_after < distance:
        sentence = _neutral(rng)
        n_after += len(tokenize(sentence))
        sentences.append(sentence)
    return " ".join(sentences)


def _neutral(rng: np.random.Generator) -> str:
    parts = _NEUTRAL[int(rng.integers(len(_NEUTRAL)))].split("{")
    filled = [parts[0]]
    for part in parts[1:]:
        kind, rest = part.split("}")
        filled.append(_pick(_LISTS[kind], rng) + rest)
    return "".join(filled)


def _pick(words: list[str], rng: np.random.Generator) -> str:
    return words[int(rng.integers(len(words)))]


def _every_sentence() -> list[str]:
    words = [*_PRAISE, *_SCORN, *_PARTS, *(word for words in _LISTS.values() for word in words)]
    neutral = [re.sub(r"\{\w+\}", " ", sentence) for sentence in _NEUTRAL]
    return [*neutral, "The was not.", " ".join(words)]
