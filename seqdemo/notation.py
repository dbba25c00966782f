"""What people write in numbers and signs, as tokens: ratings on one scale, thumbs and emoji by what they feel.

"8/10", "four stars out of five", "★★★★☆" and "B+ from me" are `<rating-0.8>`; "👍" is `<emoji+1>`, "two thumbs up"
`<emoji+2>`. So a model learns ten ways to say the same from the few that reviews hold. A sign counts only where it
can hardly be something else: dates, fractions and two stars who act in the film stay words.
"""

# Lists of words are written as text and split: a reader can read them.
# ruff: noqa: SIM905

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping

RATINGS = tuple(f"<rating-{tenth / 10:.1f}>" for tenth in range(11))
"""Tokens of ratings, from the worst to the best."""
FEELINGS: Mapping[int, str] = {strength: f"<emoji{strength:+d}>" for strength in (-2, -1, 1, 2)}
"""Polarity and strength → its token."""
SIGNS = (*RATINGS, *FEELINGS.values())
"""All tokens that signs become; nothing that is typed is one of them, since `<` is no part of a word."""

# --- thumbs, emoji, emoticons ---

WRITTEN: Mapping[int, tuple[str, ...]] = {
    2: tuple("😍 🥰 🤩 😻 🥳 😘 ❤ ♥ ❤\u200d🔥 🧡 💛 💚 💙 💜 🖤 🤍 🤎 💕 💖 💗 💓 💞 💘 💝 🔥 💯 🏆 👏 🙌 <3".split()),
    1: tuple("👍 👌 🙂 😀 😃 😄 😁 😊 ☺ 😎 😋 🤗 😇 😌 💪 🎉 :) :-) :] :-] :o) =) :D :-D =D".split()),
    -1: tuple("👎 🙁 ☹ 😕 😒 😞 😟 😣 😖 😑 😐 🥱 😴 💤 😩 😫 🙄 😬 🤦 😪 :( :-( :[ :-[ =( :/ :-/ =/ :| :-|".split()),
    -2: tuple("🤮 🤢 😡 🤬 😠 👿 💩 🗑 🚮 💔 🤥".split()),
}
"""Strength → emoji and emoticons. Not here is what says both: tears of laughter or of boredom, a wink, a scream."""
_FEELING_OF = {sign: FEELINGS[strength] for strength, signs in WRITTEN.items() for sign in signs}
_EMOTICONS = tuple(sign for sign in _FEELING_OF if sign.isascii())
_LOOK = re.compile("[\ufe0f\U0001f3fb-\U0001f3ff]")  # in colour, and of which skin


def may_feel(text: str) -> bool:
    """Whether an emoji or an emoticon of these may stand in a text; quickly said."""
    return not text.isascii() or any(emoticon in text for emoticon in _EMOTICONS)


def feeling(sign: str) -> str | None:
    """The token of an emoji or an emoticon; None where it is not one of the common ones, or says both."""
    return _FEELING_OF.get(sign) or (None if sign.isascii() else _FEELING_OF.get(_LOOK.sub("", sign)))


# --- ratings ---

_NUMBERS = {word: float(n) for n, word in enumerate("zero one two three four five six seven eight nine ten".split())}
_HALF = r"[\s-]?½|[\s-]1/2|\s{1,3}and\s{1,3}a\s{1,3}half"
_DIGITS = r"\d{1,3}(?:[.,]\d{1,2})?"
_NUMBER = rf"{_DIGITS}|{'|'.join(_NUMBERS)}"
_SCALE = "100|10|ten|5|five|4|four"
_FILLED = "[★⭐🌟]\ufe0f?"
# "9 out of 10 people", "4/5 of the film", "4/5 hours"
_COUNTED = (
    "of the my them us these those people persons times viewers critics reviewers users men women kids children "
    "friends seconds minutes mins hours days weeks months years episodes seasons scenes jokes films movies stories "
    "characters actors songs inch inches"
).replace(" ", "|")
_NOT_COUNTED = rf"(?!\s{{1,3}}(?:{_COUNTED})\b)"
_ENDS = r"(?![\w/]|[.,]\d|-\d)"

_S = r"\s{1,3}"
_WRITTEN = re.compile(
    rf"""
    (?<![\w/]) (?:
      (?=[\d\u00bdzotfsenh]) (?<!\d[.,])(?<!\s-)(?<!\A-) (?:  # "-8/10" may be a minus or a dash
          (?P<n_slash> {_DIGITS} ) (?P<half_slash> ½ | [ ]1/2 )? [ ]?/[ ]? (?P<of_slash> 100|10|5|4 )
              {_ENDS} {_NOT_COUNTED} (?P<stars_slash> [ -]?stars?(?!\w) )?
        | (?P<n_out> {_NUMBER} ) (?P<half_out> {_HALF} )?
              (?: (?:[\s-]?stars?)?{_S}out{_S}of{_S}(?:a{_S}possible{_S})?
                      (?P<of_out> {_SCALE} ) {_ENDS} {_NOT_COUNTED} (?:[ -]?stars?(?!\w))?
                | {_S}of{_S} (?P<of_stars> {_SCALE} ) [ -]stars?(?!\w)
                | [ ]stars?{_S}of{_S} (?P<stars_of> {_SCALE} ) {_ENDS}
                | {_S}of{_S} (?P<of_end> 10 ) (?= \s*+(?:[.,;!)]|\Z) ) )
        | (?P<n_stars> {_NUMBER} ) (?P<half_stars> {_HALF} )? [\s-]? (?P<stars> stars? ) (?!['\u2019]?\w)
              (?! {_S}(?:of|wars|trek|general|admiral|hotels?|restaurants?)\b | -\w )
        | (?P<half_star> (?:½|1/2)[ -]?(?:a[ ])?star | half{_S}(?:a{_S})?star ) (?!['\u2019]?\w)
        | (?P<n_sign> {_DIGITS} ) (?P<half_sign> ½ | [ ]1/2 )? [ ]?{_FILLED} (?! [ ]?[★☆⭐🌟] )
      )
    | (?: (?P<strong> two|2|both|big|huge|massive|enthusiastic|double )[ ] )? thumbs?[ -]
          (?P<way> (?:way|firmly|high)[ ] )? (?P<thumb> up|down ) \b
    )
    """,
    re.VERBOSE,
)
_DRAWN = re.compile(
    rf"""
      (?P<filled> {_FILLED}(?:[ ]?{_FILLED})* ) (?P<half_filled> [ ]?(?:½|1/2) )? (?P<empty> (?:[ ]?☆\ufe0f?)* )
          (?: [ ]?(?:/|out{_S}of)[ ]? (?P<of_filled> {_SCALE} ) {_ENDS} )?
    | (?<!\*) (?P<asterisks> \*{{1,5}} ) (?P<half_asterisks> [ ]?(?:½|1/2) )? [ ]?(?:/|out{_S}of)[ ]?
          (?P<of_asterisks> \*{{4,5}}(?!\*) | {_SCALE} ) {_ENDS}
    """,
    re.VERBOSE,
)
_ON_A_DAY = re.compile(r"\b(?:on|since|until|till|by|dated?)\s{1,3}\Z")
_OF_A_RATING = re.compile(r"\b(?:rating|rated|rate|score|grade|verdict|give|gave|giving)\b[^.!?]{0,30}\Z")
_WHO_ACT = re.compile(r"\b(?:the|its|their|these|those|both|our|your|his|her)\s{1,3}\Z")
_BEFORE = 40  # characters before a sign that are looked at

# --- grades ---

_GRADES = dict(zip("A+ A A- B+ B B- C+ C C- D+ D D- F".split(), (10, 9, 9, 8, 7, 7, 6, 5, 4, 3, 2, 1, 0), strict=True))
_MARK = r"[+\u2212\u2013-](?![\w+-])"
# A letter that may be a grade: "B+", "b+", "B plus", "b plus", "B"; never "a plus".
_LETTER = rf"(?P<grade>[A-DF](?:{_MARK}|\s(?i:plus|minus)\b|(?![\w'\u2019+-]))|[a-df]{_MARK}|[bcdf]\s(?:plus|minus)\b)"
_FIRST_LETTER = re.compile(r"\s*+" + _LETTER)
_FURTHER_LETTER = re.compile(r"[\s(:=]" + _LETTER)
_KIND_OF = r"(?:(?:solid|strong|weak|low|high|generous|easy|clear|firm|big|fat)\s{1,3})?"
_SAID = re.compile(
    rf"""
    (?: \b(?:grade|rating|score|verdict|mark) (?:\s{{1,3}}(?:is|was|of|would\s{{1,3}}be))?
            (?: \s?[:=]\s{{0,3}}(?:an?\s{{1,3}})? | \s{{1,3}}(?P<article_said> an?\s{{1,3}})? )
      | \b(?:gives?|gave|giving|given|rated?|graded?|deserves?|earns?|earned|gets?|got|scored?)
            (?:\s{{1,3}}[\w']{{1,12}}){{0,4}}? \s{{1,3}}(?P<article_given> an?\s{{1,3}} )?
    ) {_KIND_OF} \Z
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SOLID = re.compile(r"\ban?\s{1,3}(?:solid|strong|weak|low|high|generous|easy|clear|firm)\s{1,3}\Z", re.IGNORECASE)
_FROM_ME = re.compile(r"\s{1,3}from\s{1,3}(?:me|us|my)\b", re.IGNORECASE)
_ENDS_THERE = re.compile(r"\s*+(?:[.,;:!]|\Z)")
_GOES_ON = re.compile(
    r"\s*+(?:[.,;:!?)\"\u201d]|\Z|(?:-|from|for|overall|and|but|because|at|just|only|as|since|though)(?!\w))",
    re.IGNORECASE,
)


def find_signs(text: str) -> list[tuple[int, int, str]]:
    """Ratings and thumbs in a text, in linear time.

    Args:
        text: Any text, cleaned (`seqdemo.cleaning`).

    Returns:
        Start, end and token of each, in reading order, none within another.
    """
    found = [*_grades(text)]
    lowered = text.lower()
    if len(lowered) != len(text):  # "İ" is two characters in lower case, and places must stay
        lowered = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    # Looking for a few letters costs a hundredth of looking for a pattern, and most texts hold no sign.
    has_stars = not text.isascii() and any(star in text for star in "★⭐🌟")
    if has_stars or any(part in lowered for part in _PARTS) or _STARS.search(lowered):
        found += _all(_WRITTEN, _written, lowered)
    if has_stars or "*" in text:
        found += _all(_DRAWN, _drawn, lowered)
    found.sort()
    return [sign for k, sign in enumerate(found) if k == 0 or found[k - 1][1] <= sign[0]]


_PARTS = ("/10", "/5", "/4", "/ 10", "/ 5", "/ 4", "out of", "of 10", "thumb")
_STARS = re.compile(r"stars?\b")  # "starring" and "start" stand in every other review


def _all(
    pattern: re.Pattern[str], token_of: Callable[[re.Match[str]], str | None], lowered: str
) -> Iterator[tuple[int, int, str]]:
    for found in pattern.finditer(lowered):
        token = token_of(found)
        if token:
            yield found.start(), found.end(), token


def _written(found: re.Match[str]) -> str | None:
    """The token of a rating in numbers or of thumbs in words; None where it is probably something else."""
    if found["thumb"]:
        strength = 2 if found["strong"] or found["way"] else 1
        return FEELINGS[strength if found["thumb"] == "up" else -strength]
    before = found.string[max(0, found.start() - _BEFORE) : found.start()]
    if found["n_slash"]:
        n, of = _number(found["n_slash"], found["half_slash"]), _number(found["of_slash"])
        if _ON_A_DAY.search(before):
            return None
        is_fraction = of == 4 and n in (1, 3) and not found["stars_slash"]  # three quarters of an hour
        return None if is_fraction and not _OF_A_RATING.search(before) else _token(n, of)
    if found["n_out"]:
        of = _number(found["of_out"] or found["of_stars"] or found["stars_of"] or found["of_end"])
        return _token(_number(found["n_out"], found["half_out"]), of)
    if found["half_star"]:
        return _token(0.5, None)
    if found["n_sign"]:
        return _token(_number(found["n_sign"], found["half_sign"]), None)
    if found["stars"] == "stars" and _WHO_ACT.search(before):
        return None
    return _token(_number(found["n_stars"], found["half_stars"]), None)


def _drawn(found: re.Match[str]) -> str | None:
    """The token of a rating in stars; None of a single one, which may be a bullet."""
    if found["asterisks"]:
        of = float(len(found["of_asterisks"])) if "*" in found["of_asterisks"] else _number(found["of_asterisks"])
        return _token(len(found["asterisks"]) + (0.5 if found["half_asterisks"] else 0.0), of)
    n_filled, n_empty = sum(found["filled"].count(star) for star in "★⭐🌟"), found["empty"].count("☆")
    n = n_filled + (0.5 if found["half_filled"] else 0.0)
    if found["of_filled"]:
        return _token(n, _number(found["of_filled"]))
    if n_empty:
        return _token(n, math.ceil(n) + n_empty)
    return None if n_filled == 1 else _token(min(n, 10.0), None)


def _number(written: str, half: str | None = None) -> float:
    return (_NUMBERS[written] if written in _NUMBERS else float(written.replace(",", "."))) + (0.5 if half else 0.0)


def _token(n: float, of: float | None) -> str | None:
    """The token of n points of so many; without a scale it is one of five, or of ten where n is more than five."""
    if of is None:
        of = 5.0 if n <= 5 else 10.0
    if of == 10 and n in (11, 100):  # more than one can give
        n = of
    return RATINGS[int(10 * n / of + 0.5)] if n <= of else None


def _grades(text: str) -> Iterator[tuple[int, int, str]]:
    first = _FIRST_LETTER.match(text)
    for found in (*([first] if first else ()), *_FURTHER_LETTER.finditer(text)):
        start, end = found.span("grade")
        letter, mark = text[start].upper(), text[start + 1 : end].strip().lower()
        if _is_grade(text, start, end, has_mark=bool(mark), is_first=found is first):
            yield start, end, RATINGS[_GRADES.get(letter + ("" if not mark else "+" if mark in "+plus" else "-"), 0)]


def _is_grade(text: str, start: int, end: int, *, has_mark: bool, is_first: bool) -> bool:
    """Whether a letter is a grade, by what stands around it: more is asked of one without plus or minus."""
    if _FROM_ME.match(text, end):
        return True
    if has_mark and is_first and _ENDS_THERE.match(text, end):
        return True
    before = text[max(0, start - 2 * _BEFORE) : start]
    if has_mark and _SOLID.search(before):
        return True
    said = _SAID.search(before)
    if said is None or has_mark:
        return said is not None
    has_article = said["article_said"] or said["article_given"] or re.search(r"[:=]\s*\Z", before)
    return bool(has_article) and _GOES_ON.match(text, end) is not None
