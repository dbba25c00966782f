"""Calendar days as people write them in English, with the day as ISO 8601: made up, so that there is no end of them.

What is ambiguous is settled by rules that the page states (`RULES`). Days are split by the
calendar, so that a day of the test was never an answer in training, however it is written; some
ways of writing (`HELD_OUT`) are never trained on. All chance comes from a numpy generator.
"""

from __future__ import annotations

import calendar
import datetime
import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

T = TypeVar("T")

MAX_CHARACTERS = 100
"""Characters of one text that are read; a longer one is cut, visibly."""
TRAINED_CHARACTERS = 60
"""The longest text in training."""
FIRST_YEAR, LAST_YEAR = 1900, 2099
SHORT_YEARS = range(1950, 2050)
"""The years that two digits stand for."""
N_VALIDATION, N_TEST = 3_000, 5_000
"""Calendar days kept out of training."""
RULES = (
    "With slashes the month comes first (3/4/1987 is 4 March) unless the first number is above 12.",
    "With dots or hyphens the day comes first (3.4.1987 is 3 April); a year of four digits at the front comes before "
    "month and day.",
    "Two digits of a year mean 1950 to 2049.",
    "The name of the weekday is not checked against the date.",
)

_INPUT_CHARACTERS = " '+,-./:0123456789abcdefghijklmnopqrstuvwxyz"
_OUTPUT_CHARACTERS = "-0123456789"
_SPLIT_SEED = 20_260_101


def _words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\S+", text))


# Not from `calendar`, whose names follow the language of the machine.
_MONTHS = _words("January February March April May June July August September October November December")
_SHORT_MONTHS = tuple(month[:3] for month in _MONTHS)
_WEEKDAYS = _words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
_ORDINALS = _words(
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
    "sixteenth seventeenth eighteenth nineteenth twentieth"
)
_NUMBERS = _words(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_TENS = _words("_ _ twenty thirty forty fifty sixty seventy eighty ninety")

TRAINED = (
    "{D} {Month} {YYYY}",
    "{D} {Mon} {YYYY}",
    "{D} {Mon} {YY}",
    "{D}-{Mon}-{YYYY}",
    "{nth} {Month} {YYYY}",
    "{nth} of {Month} {YYYY}",
    "the {nth} of {Month}, {YYYY}",
    "the {ordinal} of {Month}, {YYYY}",
    "the {ordinal} of {Month} {words}",
    "{Month} {D}, {YYYY}",
    "{Month} {nth}, {YYYY}",
    "{Month} the {ordinal}, {YYYY}",
    "{Month} {D}, {words}",
    "{Mon} {D}, {YYYY}",
    "{Mon} {D} {YY}",
    "{YYYY} {Month} {D}",
    "{Weekday}, {D} {Month} {YYYY}",
    "{Weekday} the {nth} of {Month} {YYYY}",
    "{Weekday}, {Month} {D}, {YYYY}",
    "{Wd} {D} {Mon} {YYYY}",
    "{Wd}, {Mon} {nth}, {YYYY}",
    "{D}.{M}.{YYYY}",
    "{D}.{M}.{YY}",
    "{Weekday} {D}.{M}.{YYYY}",
    "{M}/{D}/{YYYY}",
    "{M}/{D}/{YY}",
    "{Wd} {M}/{D}/{YYYY}",
    "{D}/{M}/{YYYY}",
    "{D}-{M}-{YYYY}",
    "{YYYY}-{MM}-{DD}",
    "{YYYY}/{M}/{D}",
)
"""Ways of writing that training draws from: `D` 3 or 03, `M` and `Mon` the month, `YY` 87 or '87, `words` the year."""
HELD_OUT = (
    "{Weekday} the {ordinal} of {Month}, {YYYY}",
    "{nth} {Mon} {YY}",
    "{Month} {nth} {words}",
    "{YYYY}, {Month} the {nth}",
    "{D}/{Mon}/{YYYY}",
    "{D} {Month}, {YY}",
    "{Wd} {D}-{M}-{YYYY}",
    "{YYYY}.{M}.{D}",
    "{words}, {Month} {D}",
    "{YYYY}{MM}{DD}",
)
"""Ways of writing that no training text has; from a new mixture of known parts to digits without anything between."""

_BEFORE = (
    "on",
    "dated",
    "by",
    "since",
    "it was",
    "she was born on",
    "we met in town on",
    "the letter is dated",
    "please answer by",
    "the train left at noon on",
    "as far as we know",
    "my brother says",
    "the shop will open on",
)
_AFTER = (
    "in the morning",
    "at noon",
    "at the station",
    "in Vienna",
    "if all goes well",
    "or so they say",
    "with my sister",
    "before it began to rain",
    "as promised",
)


@dataclass(frozen=True, kw_only=True)
class Written:
    """One text with its answer.

    Attributes:
        text: What stands there.
        iso: The day as YYYY-MM-DD; for a text that names no whole day, what training answers.
        form: The template that it was written by; empty where it is no date.
    """

    text: str
    iso: str
    form: str


class Alphabet:
    """Characters with their indices: two special ones first, then one for each character.

    In texts, index 0 is padding and 1 every unknown character; in answers, 0 is the start and 1
    the end.
    """

    def __init__(self, characters: str) -> None:
        """Takes the characters in order of their index."""
        self.characters = characters
        self._ids = {character: index for index, character in enumerate(characters, start=2)}

    def __len__(self) -> int:
        return len(self.characters) + 2

    def encode(self, text: str) -> npt.NDArray[np.int64]:
        """Looks up each character, capitals as small letters; unknown ones become 1. One index a character."""
        return np.array([self._ids.get(character.lower(), 1) for character in text], dtype=np.int64)

    def decode(self, ids: Sequence[int]) -> str:
        """The characters up to the end."""
        found = []
        for index in ids:
            if index < 2:
                break
            found.append(self.characters[index - 2])
        return "".join(found)


INPUTS, OUTPUTS = Alphabet(_INPUT_CHARACTERS), Alphabet(_OUTPUT_CHARACTERS)
START_ID, END_ID = 0, 1
MAX_STEPS = len("YYYY-MM-DD") + 1
"""Characters that the decoder writes at most: a date and the end."""


@functools.cache
def days(split: str) -> npt.NDArray[np.int64]:
    """The calendar days of `train`, `validation` or `test`, as proleptic ordinals, in random order."""
    first, last = datetime.date(FIRST_YEAR, 1, 1).toordinal(), datetime.date(LAST_YEAR, 12, 31).toordinal()
    order = np.random.default_rng(_SPLIT_SEED).permutation(np.arange(first, last + 1))
    places = {
        "test": slice(N_TEST),
        "validation": slice(N_TEST, N_TEST + N_VALIDATION),
        "train": slice(N_TEST + N_VALIDATION, None),
    }
    return order[places[split]]


def fits(form: str, day: datetime.date) -> bool:
    """Whether a day may be written in this way without another rule reading it differently."""
    if "{YY}" in form and day.year not in SHORT_YEARS:
        return False
    return not form.startswith("{D}/{M}/") or day.day > 12


def write(form: str, day: datetime.date, rng: np.random.Generator) -> str:
    """Writes a day by a template; what the template leaves open is drawn."""

    def either(*choices: str) -> str:
        return choices[int(rng.integers(len(choices)))]

    month, short = _MONTHS[day.month - 1], _SHORT_MONTHS[day.month - 1]
    if day.month == 9:
        short = either(short, "Sept")
    weekday = _WEEKDAYS[day.weekday()]
    yy = f"{day.year % 100:02}"
    return form.format(
        D=either(str(day.day), f"{day.day:02}"),
        DD=f"{day.day:02}",
        nth=f"{day.day}{_suffix(day.day)}",
        ordinal=_ordinal(day.day),
        M=either(str(day.month), f"{day.month:02}"),
        MM=f"{day.month:02}",
        Month=month,
        Mon=either(short, short, short + ".") if short != "May" else short,
        Weekday=weekday,
        Wd=either(weekday[:3], weekday[:3], weekday[:3] + "."),
        YYYY=str(day.year),
        YY=either(yy, yy, f"'{yy}"),
        words=either(*_year_words(day.year)),
    )


def example(form: str, day: datetime.date = datetime.date(1987, 3, 23)) -> str:
    """A way of writing shown by a day, always the same."""
    return write(form, day, np.random.default_rng(0))


def draw(
    rng: np.random.Generator,
    n: int,
    split: str,
    *,
    forms: Sequence[str] = TRAINED,
    filler_share: float = 0.2,
    typo_share: float = 0.0,
    cut_share: float = 0.0,
    other_share: float = 0.0,
) -> list[Written]:
    """Draws texts with their answers.

    Args:
        rng: Where chance comes from.
        n: Texts.
        split: The calendar days to draw from: `train`, `validation` or `test`.
        forms: Ways of writing.
        filler_share: Share with words around the date.
        typo_share: Share with one letter of a long word missing, doubled, or in its neighbour's place.
        cut_share: Share that breaks off early, answered with the whole day: what cannot be
            known is learned to be unsure.
        other_share: Share that is no date, answered with a day by chance.

    Returns:
        The texts, none longer than `TRAINED_CHARACTERS`.
    """
    drawn = []
    for filler, typo, cut, other in rng.random((n, 4)).tolist():
        form = _any(forms, rng)
        day = _day(form, split, rng)
        if other < other_share:
            drawn.append(Written(text=not_a_date(rng), iso=day.isoformat(), form=""))
            continue
        text = write(form, day, rng)
        if typo < typo_share:
            text = misspelt(text, rng)
        if filler < filler_share:
            text = _in_words(text, rng, TRAINED_CHARACTERS)
        if cut < cut_share:
            text = text[: int(rng.integers(1, len(text)))]
        drawn.append(Written(text=text, iso=day.isoformat(), form=form))
    return drawn


def draw_of_length(
    rng: np.random.Generator, n: int, split: str, low: int, high: int, *, forms: Sequence[str] = TRAINED
) -> list[Written]:
    """Draws dates with as many words around them as a length asks for.

    Args:
        rng: Where chance comes from.
        n: Texts.
        split: The calendar days to draw from.
        low: Fewest characters.
        high: Most characters.
        forms: Ways of writing.
    """
    drawn: list[Written] = []
    while len(drawn) < n:
        form = _any(forms, rng)
        day = _day(form, split, rng)
        text = write(form, day, rng)
        for _ in range(8):
            if len(text) >= low:
                break
            text = _in_words(text, rng, high)
        if low <= len(text) <= high:
            drawn.append(Written(text=text, iso=day.isoformat(), form=form))
    return drawn


def not_a_date(rng: np.random.Generator, *, held_out: bool = False) -> str:
    """A text that names no day: words, numbers, or a day that no calendar has.

    Args:
        rng: Where chance comes from.
        held_out: Whether from the words and patterns that no training text has.
    """
    words, patterns = (_OTHER_WORDS, _OTHER_PATTERNS) if held_out else (_WORDS, _PATTERNS)
    kind = rng.random()
    if kind < 0.2:
        return _no_day(rng)
    if kind < 0.55:
        return _any(patterns, rng)(rng)
    if kind < 0.65 and not held_out:
        letters = "abcdefghijklmnopqrstuvwxyz .,-"
        return "".join(_any(letters, rng) for _ in range(int(rng.integers(1, 25))))
    return " ".join(_any(words, rng) for _ in range(int(rng.integers(1, 7))))


def misspelt(text: str, rng: np.random.Generator) -> str:
    """One letter of a word of four or more missing, doubled, or in its neighbour's place; none without such words."""
    long_words, start = [], 0
    for word in text.split(" "):
        if len(word) >= 4 and word.isalpha():
            long_words.append((start, len(word)))
        start += len(word) + 1
    if not long_words:
        return text
    start, length = _any(long_words, rng)
    at = start + int(rng.integers(1, length - 1))
    kind = int(rng.integers(3))
    middle = ("", text[at] * 2, text[at + 1] + text[at])[kind]
    return text[:at] + middle + text[at + (2 if kind == 2 else 1) :]


def is_day(text: str) -> bool:
    """Whether a text is a calendar day as YYYY-MM-DD."""
    try:
        return datetime.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _any(choices: Sequence[T], rng: np.random.Generator) -> T:
    return choices[int(rng.integers(len(choices)))]


def _day(form: str, split: str, rng: np.random.Generator) -> datetime.date:
    """A day of a split that may be written in this way."""
    pool = days(split)
    while True:
        day = datetime.date.fromordinal(int(_any(pool, rng)))  # type: ignore[arg-type]
        if fits(form, day):
            return day


def _in_words(text: str, rng: np.random.Generator, most: int) -> str:
    """Words before a date, after it, or both, as far as they fit."""
    where = int(rng.integers(3))
    if where != 1:
        longer = f"{_any(_BEFORE, rng)} {text}"
        text = longer if len(longer) <= most else text
    if where != 0:
        longer = f"{text} {_any(_AFTER, rng)}"
        text = longer if len(longer) <= most else text
    return text


def _suffix(day: int) -> str:
    return "th" if day in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")


def _ordinal(day: int) -> str:
    if day <= 20:
        return _ORDINALS[day - 1]
    return "thirtieth" if day == 30 else f"{_TENS[day // 10]}-{_ORDINALS[day % 10 - 1]}"


def _below_hundred(number: int) -> str:
    if number < 20:
        return _NUMBERS[number]
    return _TENS[number // 10] + (f"-{_NUMBERS[number % 10]}" if number % 10 else "")


def _year_words(year: int) -> tuple[str, ...]:
    century, rest = divmod(year, 100)
    if century == 19:
        return (
            f"nineteen {'hundred' if rest == 0 else f'oh {_NUMBERS[rest]}' if rest < 10 else _below_hundred(rest)}",
        )
    thousand = "two thousand" + (f" and {_below_hundred(rest)}" if rest else "")
    return (thousand,) if rest < 10 else (thousand, f"twenty {_below_hundred(rest)}")


def _no_day(rng: np.random.Generator) -> str:
    """Written like a date, of a day that no calendar has."""
    year = int(rng.integers(FIRST_YEAR, LAST_YEAR + 1))
    month = int(rng.integers(1, 13))
    day = int(rng.integers(calendar.monthrange(year, month)[1] + 1, 100))
    name = _any((_MONTHS[month - 1], _SHORT_MONTHS[month - 1]), rng)
    forms = (f"{day} {name} {year}", f"{name} {day}, {year}", f"{day}.{month}.{year}", f"{month}/{day}/{year}")
    return _any(forms, rng)


def _n(rng: np.random.Generator, low: int, high: int) -> int:
    return int(rng.integers(low, high))


_Pattern = Callable[[np.random.Generator], str]
_WORDS = _words(
    "apple bread chair door east friend garden house idea jacket kitchen lemon mountain night orange paper question "
    "river song table under very water yellow zebra a the of and in to we they like run slow music film was good hello "
    "day march may second first week month year today yesterday"
)
_PATTERNS: tuple[_Pattern, ...] = (
    lambda rng: str(_n(rng, 0, 1_000_000)),
    lambda rng: f"{_n(rng, 1, 100)} {_any(_WORDS, rng)}",
    lambda rng: f"room {_n(rng, 1, 1_000)}",
    lambda rng: f"{_n(rng, 0, 24)}:{_n(rng, 0, 60):02}",
    lambda rng: f"call {_n(rng, 100, 1_000)} {_n(rng, 1_000, 10_000)}",
    lambda rng: f"{_n(rng, 0, 1_000)}.{_n(rng, 0, 100):02}",
    lambda rng: f"{_any(_BEFORE, rng)} {_any(_WORDS, rng)} {_any(_AFTER, rng)}",
    lambda rng: _any(_WEEKDAYS, rng),
)
_OTHER_WORDS = _words(
    "pizza guitar window science castle pepper ocean forest tiger winter summer coffee teacher banana silver rocket "
    "planet doctor engine purple whisper thunder blanket candle my your is are have not be with for on at this that "
    "tomorrow never century april"
)
_OTHER_PATTERNS: tuple[_Pattern, ...] = (
    lambda rng: f"page {_n(rng, 1, 100)} of {_n(rng, 100, 400)}",
    lambda rng: f"version {_n(rng, 1, 10)}.{_n(rng, 0, 30)}",
    lambda rng: f"+{_n(rng, 1, 100)} {_n(rng, 10, 100)} {_n(rng, 100, 1_000)} {_n(rng, 10, 100)} {_n(rng, 10, 100)}",
    lambda rng: f"{_n(rng, 2, 100)} x {_n(rng, 2, 100)} = ?",
    lambda rng: f"it costs {_n(rng, 1, 1_000)} euros",
    lambda rng: f"{_n(rng, 2, 50)} {_any(_OTHER_WORDS, rng)}s and {_n(rng, 2, 50)} {_any(_OTHER_WORDS, rng)}s",
    lambda rng: f"bus {_n(rng, 1, 100)} at {_n(rng, 0, 24)}.{_n(rng, 0, 60):02}",
    lambda rng: f"next {_any(_WEEKDAYS, rng)}",
)
