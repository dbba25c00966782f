"""Calendar days as people write them in English, with the day as ISO 8601: made up, so that there is no end of them.

What is ambiguous is settled by rules that the page states (`RULES`). Days are split by the
calendar, so that a day of the test was never an answer in training, however it is written; some
ways of writing (`HELD_OUT`) are never trained on. What only looks like a date is in `not_dates`.
All chance comes from a numpy generator.
"""

from __future__ import annotations

import datetime
import functools
import re
from collections.abc import Sequence
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
RANGE = f"dates from {FIRST_YEAR} to {LAST_YEAR}, written in English or in numbers"
"""What the translator reads, as the page says it."""
RULES = (
    f"It reads {RANGE}. A time of day beside the date is left out.",
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
MONTHS = _words("January February March April May June July August September October November December")
_SHORT_MONTHS = tuple(month[:3] for month in MONTHS)
WEEKDAYS = _words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
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
    "{D} {Month} {YY}",
    "{D} {Month} {words}",
    "{D}. {Month} {YYYY}",
    "{D} {Mon} {YYYY}",
    "{D} {Mon} {YY}",
    "{D}-{Mon}-{YYYY}",
    "{nth} {Month} {YYYY}",
    "{nth} {Month} {YY}",
    "{nth} of {Month} {YYYY}",
    "{nth} of {Mon} {YYYY}",
    "the {nth} of {Month}, {YYYY}",
    "the {ordinal} of {Month}, {YYYY}",
    "the {ordinal} of {Month} {words}",
    "{Month} {D}, {YYYY}",
    "{Month} {D} {YYYY}",
    "{Month} {nth}, {YYYY}",
    "{Month} the {ordinal}, {YYYY}",
    "{Month} {D}, {words}",
    "{Mon} {D}, {YYYY}",
    "{Mon} {D} {YY}",
    "{Mon} {nth} {YYYY}",
    "{YYYY} {Month} {D}",
    "{YYYY} {Mon} {D}",
    "{YYYY}, {D} {Month}",
    "{words}, the {nth} of {Month}",
    "{Weekday}, {D} {Month} {YYYY}",
    "{Weekday} the {nth} of {Month} {YYYY}",
    "{Weekday}, {Month} {D}, {YYYY}",
    "{Wd} {D} {Mon} {YYYY}",
    "{Wd}, {Mon} {nth}, {YYYY}",
    "{D}.{M}.{YYYY}",
    "{D}.{M}.{YY}",
    "{Weekday} {D}.{M}.{YYYY}",
    "{Wd} {D}.{M}.{YY}",
    "{M}/{D}/{YYYY}",
    "{M}/{D}/{YY}",
    "{Wd} {M}/{D}/{YYYY}",
    "{D}/{M}/{YYYY}",
    "{D}/{M}/{YY}",
    "{D}-{M}-{YYYY}",
    "{D}-{M}-{YY}",
    "{YYYY}-{MM}-{DD}",
    "{Weekday} {YYYY}-{MM}-{DD}",
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
    "at the caf\u00e9",
    "if all goes well",
    "or so they say",
    "with my sister",
    "before it began to rain",
    "as promised",
)


_MARKS = ("({})", '"{}"', "\u201c{}\u201d", "{}!", "{}?", "{};", "- {}", "\u2013 {}")
"""What may stand around a text; most of it the models do not know."""
_TIME_BEFORE = ("{time}, {text}", "{time} on {text}", "at {time} on {text}")
_TIME_AFTER = ("{text} {time}", "{text}, {time}", "{text} at {time}")
_OTHER_TIMES = ("{time} - {text}", "{text} ({time})", "{text} from {time}", "{text} @ {time}")
_TIMES = ("{H}:{MM}", "{H}:{MM}:{SS}", "{h}:{MM} {am}", "{h}{am}", "{h} {am}", "{h} {a.m.}", "{h} o'clock", "noon")
_HELD_OUT_TIMES = ("{H}.{MM} h", "{H}h{MM}", "half past {hour}", "{h}:{MM}{am}", "{H}:{MM} GMT", "{h} in the afternoon")


@dataclass(frozen=True, kw_only=True)
class Written:
    """One text with its answer.

    Attributes:
        text: What stands there.
        iso: The right answer: the day as YYYY-MM-DD, or nothing where the text names none that
            the translator reads.
        form: The template that it was written by, or the kind of what is no date.
        meant: The day that a text names all the same, in a way that the translator need not read.
    """

    text: str
    iso: str
    form: str
    meant: str = ""


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


def write(form: str, day: datetime.date, rng: np.random.Generator, **parts: str) -> str:
    """Writes a day by a template; what the template leaves open is drawn, and `parts` stand instead of the day's."""

    def either(*choices: str) -> str:
        return choices[int(rng.integers(len(choices)))]

    month, short = MONTHS[day.month - 1], _SHORT_MONTHS[day.month - 1]
    if day.month == 9:
        short = either(short, "Sept")
    weekday = WEEKDAYS[day.weekday()]
    yy = f"{day.year % 100:02}"
    own = {
        "D": either(str(day.day), f"{day.day:02}"),
        "DD": f"{day.day:02}",
        "nth": nth(day.day),
        "ordinal": ordinal(day.day),
        "M": either(str(day.month), f"{day.month:02}"),
        "MM": f"{day.month:02}",
        "Month": month,
        "Mon": either(short, short, short + ".") if short != "May" else short,
        "Weekday": weekday,
        "Wd": either(weekday[:3], weekday[:3], weekday[:3] + "."),
        "YYYY": str(day.year),
        "YY": either(yy, yy, f"'{yy}"),
        "words": either(*year_words(day.year)),
    }
    return form.format(**(own | parts))


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
    time_share: float = 0.0,
    held_out_times: bool = False,
) -> list[Written]:
    """Draws texts with their answers.

    Args:
        rng: Where chance comes from.
        n: Texts.
        split: The calendar days to draw from: `train`, `validation` or `test`.
        forms: Ways of writing.
        filler_share: Share with words around the date.
        typo_share: Share with one letter of a long word missing, doubled, or in its neighbour's place.
        time_share: Share with a time of day before the date or behind it.
        held_out_times: Whether in ways of writing a time that no training text has.

    Returns:
        The texts, none longer than `TRAINED_CHARACTERS`.
    """
    drawn = []
    for filler, typo, time in rng.random((n, 3)).tolist():
        form = pick(forms, rng)
        day = any_day(split, rng, form)
        text = write(form, day, rng)
        if typo < typo_share:
            text = misspelt(text, rng)
        if time < time_share:
            text = with_time(text, rng, held_out=held_out_times)
        if filler < filler_share:
            text = in_words(text, rng, TRAINED_CHARACTERS)
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
        form = pick(forms, rng)
        day = any_day(split, rng, form)
        text = write(form, day, rng)
        for _ in range(8):
            if len(text) >= low:
                break
            text = in_words(text, rng, high)
        if low <= len(text) <= high:
            drawn.append(Written(text=text, iso=day.isoformat(), form=form))
    return drawn


def pick(choices: Sequence[T], rng: np.random.Generator) -> T:
    """One of several, each as likely as the others."""
    return choices[int(rng.integers(len(choices)))]


def any_day(split: str, rng: np.random.Generator, form: str = "") -> datetime.date:
    """A day of a split that may be written in this way."""
    pool = days(split)
    while True:
        day = datetime.date.fromordinal(int(pick(pool, rng)))  # type: ignore[arg-type]
        if fits(form, day):
            return day


def in_words(text: str, rng: np.random.Generator, most: int) -> str:
    """Words before a text, after it, or both, sometimes with marks around it, as far as they fit."""
    where = int(rng.integers(3))
    if rng.random() < 0.2:
        longer = pick(_MARKS, rng).format(text)
        text = longer if len(longer) <= most else text
    if where != 1:
        longer = f"{pick(_BEFORE, rng)} {text}"
        text = longer if len(longer) <= most else text
    if where != 0:
        longer = f"{text} {pick(_AFTER, rng)}"
        text = longer if len(longer) <= most else text
    return text


def with_time(text: str, rng: np.random.Generator, *, held_out: bool = False) -> str:
    """A text with a time of day before it or behind it, as far as it fits."""
    hour, minute, second = int(rng.integers(24)), int(rng.integers(60)), int(rng.integers(60))
    half = pick(("am", "pm"), rng)
    parts = {
        "H": pick((str(hour), f"{hour:02}"), rng),
        "h": str(hour % 12 or 12),
        "hour": _NUMBERS[hour % 12 or 12],
        "MM": f"{minute:02}",
        "SS": f"{second:02}",
        "am": pick((half, half.upper()), rng),
        "a.m.": f"{half[0]}.m.",
    }
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text) and rng.random() < 0.5:
        return f"{text}T{hour:02}:{minute:02}" + ("" if held_out else f":{second:02}{pick(('', 'Z'), rng)}")
    time = pick(_HELD_OUT_TIMES if held_out else _TIMES, rng)
    places = _TIME_AFTER + (_OTHER_TIMES if held_out else _TIME_BEFORE)
    longer = pick(places, rng).format(text=text, time=re.sub(r"{(.+?)}", lambda name: parts[name[1]], time))
    return longer if len(longer) <= TRAINED_CHARACTERS else text


def misspelt(text: str, rng: np.random.Generator) -> str:
    """One letter of a word of four or more missing, doubled, or in its neighbour's place; none without such words."""
    long_words, start = [], 0
    for word in text.split(" "):
        if len(word) >= 4 and word.isalpha():
            long_words.append((start, len(word)))
        start += len(word) + 1
    if not long_words:
        return text
    start, length = pick(long_words, rng)
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


def nth(number: int) -> str:
    """23rd for 23."""
    return f"{number}{'th' if number in (11, 12, 13) else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def ordinal(number: int) -> str:
    """twenty-third for 23; from 1 to 99."""
    if number <= 20:
        return _ORDINALS[number - 1]
    tens = _TENS[number // 10]
    return f"{tens}-{_ORDINALS[number % 10 - 1]}" if number % 10 else f"{tens[:-1]}ieth"


def year_words(year: int) -> tuple[str, ...]:
    """The ways in which a year of four digits is said: nineteen eighty-seven."""
    century, rest = divmod(year, 100)
    if century % 10 == 0:
        thousand = f"{_NUMBERS[century // 10]} thousand" + (f" and {_below_hundred(rest)}" if rest else "")
        return (thousand,) if rest < 10 else (thousand, f"{_below_hundred(century)} {_below_hundred(rest)}")
    said = "hundred" if rest == 0 else f"oh {_NUMBERS[rest]}" if rest < 10 else _below_hundred(rest)
    return (f"{_below_hundred(century)} {said}",)


def _below_hundred(number: int) -> str:
    if number < 20:
        return _NUMBERS[number]
    return _TENS[number // 10] + (f"-{_NUMBERS[number % 10]}" if number % 10 else "")
