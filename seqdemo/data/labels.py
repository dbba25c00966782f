"""What the labels of a visitor's own texts mean: which are one and the same, and which of them says yes.

Nothing is decided in silence: what is proposed here is shown, and changed where the visitor means something else.
"""

from __future__ import annotations

import collections
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

_YES = frozenset(
    {
        *(
            "positive",
            "pos",
            "positiv",
            "positif",
            "positivo",
            "good",
            "great",
            "yes",
            "y",
            "true",
            "t",
            "fresh",
            "happy",
        ),
        *("joy", "joyful", "glad", "favorable", "favourable", "favor", "favour", "in favor", "in favour", "+", "+1"),
        *("plus", "thumbs up", "thumb up", "thumbsup", "up", "upvote", "like", "liked", "likes", "love", "loved"),
        *("praise", "recommended", "recommend", "recommends", "satisfied", "agree", "agrees", "pro", "win", "success"),
        *("👍", "😀", "😃", "😄", "😊", "🙂", "😍", "❤", "💚", "✅", "✔", ":)", ":-)", "☺"),
    }
)
_NO = frozenset(
    {
        *("negative", "neg", "negativ", "negatif", "negativo", "bad", "poor", "no", "n", "false", "f", "rotten", "sad"),
        *("sadness", "unhappy", "angry", "unfavorable", "unfavourable", "against", "-", "minus", "thumbs down"),
        *("thumb down", "thumbsdown", "down", "downvote", "dislike", "disliked", "dislikes", "hate", "hated", "scorn"),
        *(
            "dissatisfied",
            "unsatisfied",
            "disagree",
            "disagrees",
            "con",
            "contra",
            "loss",
            "failure",
            "terrible",
            "awful",
        ),
        *("👎", "😞", "😢", "😠", "🙁", "😡", "💔", "❌", "✖", ":(", ":-(", "☹"),
    }
)
_DEGREES = re.compile(r"(very|extremely|strongly|highly|mostly|rather|somewhat|slightly|weakly|really) ")
_NOT = re.compile(r"(not|non|no|don't|do not|doesn't|does not|would not|wouldn't)[ -]+")
_STARS = re.compile(r"(-?\d+(?:\.\d+)?) ?(?:(?:/|out of|of) ?(?:5|10))? ?(?:stars?|★|⭐|\*|points?)?")
_DRAWN = re.compile(r"([★⭐*]+)☆*")
_MODIFIERS = re.compile("[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]")
_DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"))
_QUOTES = "\"'\u201c\u201d\u2018\u2019"
_LARGEST = 100
"""Numbers beyond this are no grades but counts, years or codes."""


@dataclass(frozen=True, kw_only=True)
class Label:
    """One label of a column.

    Attributes:
        key: What its spellings have in common.
        name: Its most frequent spelling.
        n: Rows.
    """

    key: str
    name: str
    n: int


def key_of(cell: str) -> str:
    """What the spellings of a label have in common: no case, no blanks around, no decimals of a whole number."""
    plain = _MODIFIERS.sub("", unicodedata.normalize("NFKC", cell)).casefold().removeprefix("__label__")
    plain = " ".join(re.sub(r"[_\s]+", " ", plain).translate(_DASHES).split()).strip(_QUOTES) or plain.strip()
    try:
        value = float(plain)
    except ValueError:
        return plain
    return f"{value:g}" if math.isfinite(value) and re.fullmatch(r"[-+]?[\d.]+", plain) else plain


def gather(cells: Iterable[str]) -> dict[str, Label]:
    """The labels of a column by their key: numbers by size, before words by the alphabet. Empty cells are none."""
    spellings: dict[str, collections.Counter[str]] = {}
    for cell in cells:
        if key := key_of(cell):
            spellings.setdefault(key, collections.Counter())[" ".join(cell.split())] += 1
    found = {key: Label(key=key, name=names.most_common(1)[0][0], n=names.total()) for key, names in spellings.items()}
    return dict(sorted(found.items(), key=lambda entry: _order(entry[0])))


def number_of(key: str) -> float | None:
    """The number that a label stands for: `4`, `4 stars`, `4/5`, `★★★★`; None where it is none."""
    if drawn := _DRAWN.fullmatch(key):
        return float(len(drawn[1]))
    found = _STARS.fullmatch(key)
    return float(found[1]) if found and abs(float(found[1])) <= _LARGEST else None


def polarity(key: str) -> int | None:
    """1 where a word says yes, -1 where it says no, None where it says neither."""
    plain = _DEGREES.sub("", key).rstrip(".!")
    if plain in _YES:
        return 1
    if plain in _NO:
        return -1
    if (denied := _NOT.match(plain)) and plain[denied.end() :] in _YES:
        return -1
    return None


def positive_of(keys: Sequence[str]) -> str | None:
    """Which of two labels says yes: the larger number, or the word that does; None where nobody can know."""
    one, other = keys
    numbers = number_of(one), number_of(other)
    if numbers[0] is not None and numbers[1] is not None:
        return (one if numbers[0] > numbers[1] else other) if numbers[0] != numbers[1] else None
    sides = polarity(one), polarity(other)
    if sides[0] == sides[1]:
        return None
    if 1 in sides:
        return keys[sides.index(1)]
    # "negative" and something else: that is not the same as positive.
    return None


def two_groups(keys: Sequence[str]) -> dict[str, int] | None:
    """How more than two labels can be taken as no (0) and yes (1); those that are neither are left out.

    Grades are divided at the middle of their scale, and those within one of it are left out: of five stars 1 and 2
    are no, 4 and 5 yes; of ten 1 to 4 and 7 to 10.

    Returns:
        Key → 0 or 1, both of them there; None where the labels are no grades and no words of that kind.
    """
    numbers = {key: value for key in keys if (value := number_of(key)) is not None}
    groups: dict[str, int] = {}
    if len(numbers) == len(keys):
        low, high = _scale(numbers.values())
        middle = (low + high) / 2
        groups = {key: int(value > middle) for key, value in numbers.items() if abs(value - middle) >= 1}
    else:
        groups = {key: int(side > 0) for key in keys if (side := polarity(key)) is not None}
    return groups if set(groups.values()) == {0, 1} else None


def in_words(names: Mapping[str, Label], keys: Iterable[str]) -> str:
    """Labels as they stand in the file: `“1”, “2”`."""
    return ", ".join(f"“{short(names[key].name)}”" for key in keys)


def short(name: str) -> str:
    """A name that fits into a sentence."""
    return name if len(name) <= 40 else name[:39] + "…"


def _scale(values: Iterable[float]) -> tuple[float, float]:
    """The grades that there are: 1 to 5 and 1 to 10 are usual, also where not all were given."""
    found = list(values)
    low, high = min(found), max(found)
    if low >= 1 and 3 < high <= 5:
        return 1, 5
    if low >= 1 and 5 < high <= 10:
        return 1, 10
    return low, high


def _order(key: str) -> tuple[bool, float, str]:
    value = number_of(key)
    return value is None, value or 0.0, key
