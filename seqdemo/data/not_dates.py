"""What looks like a date and names no day that the translator reads: made up, to learn and to measure doubt on.

Each of the `KINDS` draws from two stocks: one that training sees and one (`held_out`) that it
never does, other years, other languages, other words, other ways of putting it. The right
answer to all of this is nothing: the decoder writes the end at once. One exception: a day from
29 to 31 that its month does not have is copied, and the calendar tells (`dates.is_day`).
"""

from __future__ import annotations

import calendar
import difflib
import re
from collections.abc import Callable, Sequence

import numpy as np

from seqdemo.data.dates import (
    FIRST_YEAR,
    HELD_OUT,
    LAST_YEAR,
    MONTHS,
    TRAINED,
    TRAINED_CHARACTERS,
    WEEKDAYS,
    Written,
    any_day,
    in_words,
    misspelt,
    nth,
    ordinal,
    pick,
    with_time,
    write,
    year_words,
)

_YEARS = (range(100, 1000), range(1000, 1600), range(1800, FIRST_YEAR), range(LAST_YEAR + 1, 2200), range(2400, 4000))
_OTHER_YEARS = (range(1600, 1800), range(2200, 2400), range(4000, 10_000))
# Twelve months, then the ways in which a date is written with them.
_LANGUAGES = (
    ("Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
     "{D}. {Month} {YYYY}", "den {D}. {Month} {YYYY}", "{D} {Month} {YYYY}", "{Month} {YYYY}"),
    ("janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
     "{D} {Month} {YYYY}", "le {D} {Month} {YYYY}", "1er {Month} {YYYY}"),
    ("enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
     "{D} de {Month} de {YYYY}", "{D} {Month} {YYYY}", "el {D} de {Month} de {YYYY}"),
    ("stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
     "{D} {Month} {YYYY}", "{D} {Month} {YYYY} r."),
    ("января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
     "{D} {Month} {YYYY}", "{D} {Month} {YYYY} г."),  # noqa: RUF001
    ("januari februari maart april mei juni juli augustus september oktober november december",
     "{D} {Month} {YYYY}", "op {D} {Month} {YYYY}"),
    ("tammikuuta helmikuuta maaliskuuta huhtikuuta toukokuuta kesäkuuta heinäkuuta elokuuta syyskuuta lokakuuta "
     "marraskuuta joulukuuta", "{D}. {Month} {YYYY}"),
)  # fmt: skip
_OTHER_LANGUAGES = (
    ("gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
     "{D} {Month} {YYYY}", "il {D} {Month} {YYYY}"),
    ("janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
     "{D} de {Month} de {YYYY}", "{D}/{Month}/{YYYY}"),
    ("januari februari mars april maj juni juli augusti september oktober november december",
     "{D} {Month} {YYYY}", "den {D} {Month} {YYYY}"),
    ("Ocak Şubat Mart Nisan Mayıs Haziran Temmuz Ağustos Eylül Ekim Kasım Aralık",  # noqa: RUF001
     "{D} {Month} {YYYY}"),
    ("ledna února března dubna května června července srpna září října listopadu prosince", "{D}. {Month} {YYYY}"),
    ("január február március április május június július augusztus szeptember október november december",
     "{YYYY}. {Month} {D}."),
    ("Ιανουαρίου Φεβρουαρίου Μαρτίου Απριλίου Μαΐου Ιουνίου Ιουλίου Αυγούστου Σεπτεμβρίου Οκτωβρίου Νοεμβρίου "
     "Δεκεμβρίου", "{D} {Month} {YYYY}"),
)  # fmt: skip
_PARTS = (
    "{Month}", "{Mon}", "{YYYY}", "{words}", "{D}", "{Weekday}", "{Month} {YYYY}", "{Mon} {YYYY}", "{Month} {words}",
    "{M}/{YYYY}", "{YYYY}-{MM}", "{D} {Month}", "{nth} of {Month}", "{nth} {Mon}", "{Month} {D}", "{D}.{M}.", "{M}/{D}",
    "{Month} the {ordinal}", "{Weekday}, {D} {Month}", "{Weekday} the {nth}", "{Wd} {D} {Mon}", "{D} {YYYY}",
    "{D}-{YYYY}", "{D} of {YYYY}", "{D}. {YYYY}", "{nth} of {YYYY}", "the {nth} of {YYYY}", "the {ordinal}, {YYYY}",
    "{Weekday} {YYYY}",
)  # fmt: skip
"""Ways of writing with the day, the month or the year left out."""
_OTHER_PARTS = (
    "{YYYY} {Month}", "{Month} of {YYYY}", "{words} {Month}", "{YYYY}/{M}", "{M}.{YYYY}", "the {ordinal} of {Month}",
    "{D}-{Mon}", "{Weekday}, {Month} {nth}", "{Wd} {M}/{D}", "{nth} {YYYY}", "{ordinal} {YYYY}", "{YYYY} {D}",
)  # fmt: skip
_BOTH = (
    "{a} and {b}", "{a} to {b}", "{a} or {b}", "{a} - {b}", "{a}, {b}", "{a}; {b}", "{a} until {b}", "{a} {b}",
    "from {a} to {b}", "between {a} and {b}", "{d}-{e} {Month} {YYYY}", "{d} to {e} {Month} {YYYY}",
    "{d} or {e} {Month} {YYYY}", "{d} and {e} {Month} {YYYY}", "{Month} {d} and {e}, {YYYY}", "{Month} {d}-{e}, {YYYY}",
)  # fmt: skip
_OTHER_BOTH = (
    "not {a} but {b}", "{a} till {b}", "{a} / {b}", "{a}, then {b}", "{a} & {b}", "either {a} or else {b}",
    "{Month} {d} or {e}, {YYYY}", "{d} & {e} {Month} {YYYY}", "{d}/{e} {Month} {YYYY}",
)  # fmt: skip


def _words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\S+", text))


_WORDS = _words(
    "apple bread chair door east friend garden house idea jacket kitchen lemon mountain night orange paper question "
    "river song table under very water yellow zebra cats dogs books trees horses bottles euros dollars people children "
    "miles metres pages letters tickets minutes hours days weeks months years a the of and in to we they like run slow "
    "music film was good hello day march may second first week month year today yesterday spring autumn easter"
)
_OTHER_WORDS = _words(
    "pizza guitar window science castle pepper ocean forest tiger winter summer coffee teacher bananas silver rocket "
    "planet doctor engine purple whisper thunder blanket candle my your is are have not be with for on at this that "
    "tomorrow never century april carrots elephants oranges kilos"
)
_NOUNS, _OTHER_NOUNS = _WORDS[:50], _OTHER_WORDS[:24]
_ONSETS = _words("b bl br c ch d dr f fl g gr h j k l m n p pl qu r s sh sp st t th tr v w z")
_VOWELS, _CODAS = _words("a e i o u ai ea ee oo ou"), ("", "", "n", "r", "s", "t", "ck", "ll", "nd", "ng")
_Pattern = Callable[[np.random.Generator], str]


def _n(rng: np.random.Generator, low: int, high: int) -> int:
    return int(rng.integers(low, high))


def _year(rng: np.random.Generator) -> int:
    return _n(rng, FIRST_YEAR, LAST_YEAR + 1)


_PATTERNS: tuple[_Pattern, ...] = (
    lambda rng: str(_n(rng, 0, 10 ** _n(rng, 1, 7))),
    lambda rng: f"{_n(rng, 1, 100)} {pick(_WORDS, rng)}",
    lambda rng: f"room {_n(rng, 1, 1_000)}",
    lambda rng: f"{_n(rng, 0, 24)}:{_n(rng, 0, 60):02}",
    lambda rng: f"{_n(rng, 1, 13)} {pick(('am', 'pm'), rng)}",
    lambda rng: f"call {_n(rng, 100, 1_000)} {_n(rng, 1_000, 10_000)}",
    lambda rng: f"{_n(rng, 100, 1_000)}-{_n(rng, 100, 1_000)}-{_n(rng, 1_000, 10_000)}",
    lambda rng: f"0{_n(rng, 10, 1_000)}/{_n(rng, 1_000, 1_000_000)}",
    lambda rng: f"{_n(rng, 0, 1_000)}.{_n(rng, 0, 100):02}",
    lambda rng: f"${_n(rng, 1, 100)}.{_n(rng, 0, 100):02}",
    lambda rng: f"{_n(rng, 1, 10)},{_n(rng, 100, 1_000)} dollars",
    lambda rng: f"{_n(rng, 1, 100)} / {_n(rng, 1, 100)}",
    lambda rng: f"{_n(rng, 0, 20)}-{_n(rng, 0, 20)}",
    lambda rng: ".".join(str(_n(rng, 32, 256)) for _ in range(_n(rng, 2, 5))),
    lambda rng: f"no. {_year(rng)}",
    lambda rng: f"{_year(rng)}-{_year(rng)}",
    lambda rng: f"from {_year(rng)} to {_year(rng)}",
    lambda rng: f"in {_year(rng)} we had {_n(rng, 2, 100)} {pick(_NOUNS, rng)}",
    lambda rng: f"we may buy {_n(rng, 2, 100)} {pick(_NOUNS, rng)} in {_year(rng)}",
    lambda rng: f"march {_n(rng, 2, 100)} {pick(_NOUNS, rng)} in {_year(rng)}",
    lambda rng: pick(WEEKDAYS, rng),
    lambda rng: "".join(pick("abcdefghijklmnopqrstuvwxyz .,-", rng) for _ in range(_n(rng, 1, 25))),
)
_OTHER_PATTERNS: tuple[_Pattern, ...] = (
    lambda rng: f"page {_n(rng, 1, 100)} of {_n(rng, 100, 400)}",
    lambda rng: f"version {_n(rng, 1, 10)}.{_n(rng, 0, 30)}",
    lambda rng: f"+{_n(rng, 1, 100)} {_n(rng, 10, 100)} {_n(rng, 100, 1_000)} {_n(rng, 10, 100)} {_n(rng, 10, 100)}",
    lambda rng: f"{_n(rng, 2, 100)} x {_n(rng, 2, 100)} = ?",
    lambda rng: f"it costs {_n(rng, 1, 1_000)} euros",
    lambda rng: f"{_n(rng, 1, 1_000)},{_n(rng, 0, 100):02} €",
    lambda rng: f"{_n(rng, 2, 50)} {pick(_OTHER_NOUNS, rng)}s and {_n(rng, 2, 50)} {pick(_OTHER_NOUNS, rng)}s",
    lambda rng: f"bus {_n(rng, 1, 100)} at {_n(rng, 0, 24)}.{_n(rng, 0, 60):02}",
    lambda rng: f"next {pick(WEEKDAYS, rng)}",
    lambda rng: f"founded in {_year(rng)} by {_n(rng, 2, 20)} {pick(_OTHER_NOUNS, rng)}s",
    lambda rng: f"they may march {_n(rng, 2, 32)} times in {_year(rng)}",
    lambda rng: f"{_n(rng, 1, 300)} {pick(_OTHER_NOUNS, rng)} street, {_n(rng, 1_000, 100_000)}",
)


def _another_year(rng: np.random.Generator, split: str, held_out: bool) -> Written:
    form = pick([form for form in TRAINED if "{YYYY}" in form or "{words}" in form], rng)
    day = any_day(split, rng, form)
    year = int(pick(pick(_OTHER_YEARS if held_out else _YEARS, rng), rng))
    if year >= 1000 and not held_out and rng.random() < 0.1:
        return _nothing(write(form, day, rng, YYYY=str(10 * year), words=str(10 * year)))
    words = pick(year_words(year), rng) if year >= 1000 else str(year)
    return _nothing(write(form, day, rng, YYYY=str(year), words=words))


def _another_language(rng: np.random.Generator, split: str, held_out: bool) -> Written:
    while True:
        day = any_day(split, rng)
        names, *forms = pick(_OTHER_LANGUAGES if held_out else _LANGUAGES, rng)
        name = _words(names)[day.month - 1]
        # What is nearly the English name may as well be read.
        if held_out or _likeness(name, MONTHS[day.month - 1]) < 0.75:
            return _nothing(write(pick(forms, rng), day, rng, Month=name), meant=day.isoformat())


def _another_word(rng: np.random.Generator, split: str, held_out: bool) -> Written:
    form = pick([form for form in TRAINED if "{Mon" in form], rng)
    word = pick(_OTHER_NOUNS, rng) if held_out else pick((pick(_NOUNS, rng), pick(WEEKDAYS, rng), *_made_up(rng)), rng)
    return _nothing(write(form, any_day(split, rng, form), rng, Month=word, Mon=word))


def _no_such_day(rng: np.random.Generator, split: str, held_out: bool) -> Written:
    form = pick(HELD_OUT if held_out else TRAINED, rng)
    day = any_day(split, rng, form)
    length = calendar.monthrange(day.year, day.month)[1]
    kind = rng.random()
    if kind < 0.5 and length < 31:
        number = _n(rng, length + 1, 32)
        text = write(form, day, rng, **_of_day(number))
        return Written(text=text, iso=f"{day.year}-{day.month:02}-{number}", form="")
    if kind < 0.8 or "{M" not in form or "{Mon" in form:
        number = int(pick((0, *range(32, 100)), rng)) if "{ordinal}" not in form else _n(rng, 32, 100)
        return _nothing(write(form, day, rng, **_of_day(number)))
    month = str(_n(rng, 13, 100))
    # With slashes, what is above 12 is the day, unless both are.
    number = _n(rng, 13, 32) if "/" in form and not form.startswith("{YYYY}") else day.day
    return _nothing(write(form, day, rng, **_of_day(number), M=month, MM=month))


def _a_part_missing(rng: np.random.Generator, split: str, held_out: bool) -> Written:
    if rng.random() < 0.5:
        return _nothing(write(pick(_OTHER_PARTS if held_out else _PARTS, rng), any_day(split, rng), rng))
    return _nothing(_cut(pick(HELD_OUT[:-1] if held_out else TRAINED, rng), split, rng))


def _two_dates(rng: np.random.Generator, split: str, held_out: bool) -> Written:
    form = pick(_OTHER_BOTH if held_out else _BOTH, rng)
    while True:
        forms = [pick(TRAINED, rng) for _ in range(2)]
        if rng.random() < 0.7:
            forms[1] = forms[0]
        a, b = (write(one, any_day(split, rng, one), rng) for one in forms)
        d, e = (str(number) for number in sorted(rng.choice(np.arange(1, 32), 2, replace=False).tolist()))
        text = write(form, any_day(split, rng), rng, a=a, b=b, d=d, e=e)
        if len(text) <= TRAINED_CHARACTERS:
            return _nothing(text)


def _nothing_of_a_date(rng: np.random.Generator, split: str, held_out: bool) -> Written:  # noqa: ARG001 (one for all)
    words, patterns = (_OTHER_WORDS, _OTHER_PATTERNS) if held_out else (_WORDS, _PATTERNS)
    if rng.random() < 0.6:
        return _nothing(pick(patterns, rng)(rng))
    return _nothing(" ".join(pick(words, rng) for _ in range(_n(rng, 1, 7))))


KINDS: dict[str, Callable[[np.random.Generator, str, bool], Written]] = {
    f"a year before {FIRST_YEAR} or after {LAST_YEAR}": _another_year,
    "a month in another language": _another_language,
    "another word for the month": _another_word,
    "a day that no calendar has": _no_such_day,
    "a part missing": _a_part_missing,
    "two dates": _two_dates,
    "words, numbers, times, prices": _nothing_of_a_date,
}
"""What may look like a date, and how it is drawn: from a generator, calendar days of a split, held-out or not."""


def draw(
    rng: np.random.Generator, n: int, split: str, *, kinds: Sequence[str] = tuple(KINDS), held_out: bool = False
) -> list[Written]:
    """Draws texts that look like dates and are none, some of them with words or a time of day around them.

    Args:
        rng: Where chance comes from.
        n: Texts.
        split: The calendar days that they are made from: `train`, `validation` or `test`.
        kinds: Which of `KINDS`.
        held_out: Whether from the years, languages, words and patterns that no training text has.

    Returns:
        The texts, none longer than `dates.TRAINED_CHARACTERS`; `form` is the kind.
    """
    drawn: list[Written] = []
    while len(drawn) < n:
        kind = pick(kinds, rng)
        found = KINDS[kind](rng, split, held_out)
        typo, time, filler = rng.random(3)
        text = found.text
        if typo < 0.1 and not held_out:
            text = misspelt(text, rng)
        if time < 0.1:
            text = with_time(text, rng)
        if filler < 0.3:
            text = in_words(text, rng, TRAINED_CHARACTERS)
        if text.strip() and len(text) <= TRAINED_CHARACTERS:
            drawn.append(Written(text=text, iso=found.iso, form=kind, meant=found.meant))
    return drawn


def _nothing(text: str, *, meant: str = "") -> Written:
    return Written(text=text, iso="", form="", meant=meant)


def _of_day(number: int) -> dict[str, str]:
    """The parts of a template that tell the day."""
    parts = {"D": str(number), "DD": f"{number:02}", "nth": nth(number)}
    return parts | ({"ordinal": ordinal(number)} if number else {})


def _cut(form: str, split: str, rng: np.random.Generator) -> str:
    """A date that breaks off before its last part, or within a year of four digits where no short one is left."""
    text = write(form, any_day(split, rng, form), rng)
    last = re.search(r"(\d+(st|nd|rd|th)?|[^ .,/\d]+)$", text)
    start = last.start() if last else 0
    places = list(range(1, start + 1))
    if last and re.fullmatch(r"\d{4}", last[0]):
        places += [start + 1, start + 3] * 3
    return text[: pick(places, rng)] if places else text[:1]


def _made_up(rng: np.random.Generator) -> list[str]:
    """Three words that nobody has heard, none of them like an English month."""
    found: list[str] = []
    while len(found) < 3:
        syllables = (pick(_ONSETS, rng) + pick(_VOWELS, rng) + pick(_CODAS, rng) for _ in range(_n(rng, 1, 4)))
        word = "".join(syllables)
        if max(_likeness(word, month) for month in MONTHS) < 0.6:
            found.append(word)
    return found


def _likeness(word: str, month: str) -> float:
    return difflib.SequenceMatcher(None, word.lower(), month.lower()).ratio()
