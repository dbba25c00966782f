"""What people paste, before it is cut into tokens: mended where a program mangled it, without addresses and markup.

"isnâ€™t" becomes "isn't", "&quot;" a quotation mark, full-width digits plain ones; web and e-mail addresses and
tags go, since nobody's opinion is in them. Each character that is left knows the characters of the original that
it came from, so that whatever is found in the cleaned text can be shown in the text as it was typed.
"""

from __future__ import annotations

import collections
import dataclasses
import html
import itertools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

LEFT_OUT = ("web address", "e-mail address", "tag")
"""What is left out of a text, in the order in which it is said."""

# --- UTF-8 that was read as Windows-1252 or Latin-1 ---

_LATIN_1 = [chr(byte) for byte in range(0x100)]
# WHATWG's Windows-1252: the five bytes that have no character there keep their number, as in Latin-1.
_WINDOWS_1252 = [bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(0x100)]
_BYTES = {characters[byte]: byte for byte in range(0x80, 0x100) for characters in (_WINDOWS_1252, _LATIN_1)}


def _stand_for(first: int, last: int) -> str:
    """A character class of what bytes look like where they were read as one of the two."""
    return "[" + "".join(re.escape(c) for c, byte in _BYTES.items() if first <= byte <= last) + "]"


_CONTINUED = _stand_for(0x80, 0xBF)
_HONEST = r"(?<=[A-ZÀ-Þ])[ÂÃ][\u201c\u201d\u2013\u2014\u2026\u00a0\u00bb](?!\w)"  # "IRMÃ” is Portuguese
# Of the bytes that begin a character those alone that honest texts do not put before such others: "Spaß»", "CAFÉ…"
# and "café…»" are no mojibake. It covers Latin-1, general punctuation, signs, the byte order mark, and emoji.
_MOJIBAKE = re.compile(
    rf"(?!{_HONEST})[ÂÃ]{_CONTINUED}|[âï]{_CONTINUED}{{2}}|ð{_CONTINUED}{{3}}|â€|(?<![A-ZÀ-Þ])Â(?=\s|$)"
)
_TIMES = 3  # a text may have been misread twice, and "&amp;quot;" was escaped twice


def _decoded(found: re.Match[str]) -> str:
    mangled = found.group()
    if mangled == "â€":  # the third byte of a closing quotation mark has no character in Windows-1252 and is lost
        return "\u201d"
    if mangled == "Â":  # of a no-break space, whose second byte has become a space
        return ""
    try:
        return bytes(_BYTES[character] for character in mangled).decode("utf-8")
    except UnicodeDecodeError:
        return mangled


_C1 = re.compile("[\x80-\x9f]")  # control characters that nobody types: Windows-1252 read as Latin-1


def _printable(found: re.Match[str]) -> str:
    character = _WINDOWS_1252[ord(found.group())]
    return "" if character == found.group() else character


# --- entities, addresses, tags ---

_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")


def _unescaped(found: re.Match[str]) -> str:
    character = html.unescape(found.group())
    return character if len(character) == 1 else found.group()


_TAGS = (
    "a abbr address article aside audio b big blockquote body button caption center cite code dd del details dfn div "
    "dl dt em embed fieldset figcaption figure font footer form h1 h2 h3 h4 h5 h6 head header hr html i iframe img "
    "input ins kbd label legend li link main mark menu meta nav object ol optgroup option p param path picture pre q "
    "s samp script section select small source span strike strong style sub summary sup svg table tbody td template "
    "textarea tfoot th thead time title tr tt u ul var video wbr"
).replace(" ", "|")
_DOMAINS = r"com|org|net|edu|gov|co\.uk"
_PATH = r"""[^\s<>"]*[^\s<>".,;:!?'\u2019\u201d)\]}*]"""  # the mark behind it is the sentence's
# `<br>` alone stays: the rules for tokens know it as a separator. Possessive repeats (`++`, `*+`) keep time linear.
_AWAY = re.compile(
    rf"""
      (?P<tag>
          </?(?:{_TAGS}|br(?=\s++[a-z]))
            (?:\s++[a-z_:][\w:.-]*+\s*+=\s*+(?:"[^"<]*+"|'[^'<]*+'|[^\s"'<>]++))*+
            \s*+/?>
        | </br\s*+>
        | <!--(?:(?!-->)[^<])*+-->
      )
    | (?P<mail> (?<![\w.+-])[\w+-][\w.+-]*+@[\w-]++(?:\.[\w-]++)++ )
    | (?P<web>
          (?:https?|ftp)://{_PATH}
        | (?<![\w.@-])www\.{_PATH}
        | (?<![\w.@/-])(?:[a-z0-9][a-z0-9-]*+\.)+(?:{_DOMAINS})(?![\w-])(?:[/?\#](?:{_PATH})?|['\u2019]s\b)?
      )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_MAYBE_AWAY = re.compile(rf"[<@]|://|www\.|\.(?:{_DOMAINS})", re.IGNORECASE)
_KINDS = {"tag": "tag", "mail": "e-mail address", "web": "web address"}


# --- single characters ---

_INVISIBLE = "\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\x00-\x08\x0e-\x1b\x7f"
_APOSTROPHES = "`\u00b4\u02b9\u02bb\u02bc\u02bd\u055a\u2018\u201b\u2032\u2035\ua78c"
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_LOST = "\ufffd"
_CHARACTERS = re.compile(
    rf"""
      (?P<invisible> [{_INVISIBLE}]+ )
    | (?P<apostrophe> (?<=\w)[{_APOSTROPHES}](?=[^\W\d_]) | (?<=[^\W\d_]){_LOST}{{1,3}}(?=[^\W\d_]) )
    | (?P<lost> {_LOST}+ )
    """,
    re.VERBOSE,
)
_TO_CHANGE = re.compile(f"[{_INVISIBLE}{_APOSTROPHES}{_LOST}]")


def _character(found: re.Match[str]) -> str:
    return {"invisible": "", "apostrophe": "'", "lost": " "}[found.lastgroup or ""]


@dataclass(frozen=True)
class Cleaned:
    """A cleaned text, and where each of its characters stands in the original.

    Attributes:
        text: What tokens are made of.
        left_out: Kind (one of `LEFT_OUT`) → how many of them are not in it.
        starts: For each character the index of the first one that it came from, int64 (n,); None where all
            characters are those of the original.
        ends: Likewise one past the last one.
    """

    text: str
    left_out: Mapping[str, int] = field(default_factory=dict)
    starts: npt.NDArray[np.int64] | None = None
    ends: npt.NDArray[np.int64] | None = None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where characters of the cleaned text stand in the original.

        Args:
            start: Index of the first one.
            end: Index one past the last one; greater than `start`.
        """
        if self.starts is None or self.ends is None:
            return start, end
        return int(self.starts[start]), int(self.ends[end - 1])


def clean(text: str) -> Cleaned:
    """Mends and cleans a text, in linear time; a plain one costs next to none.

    Args:
        text: Any Unicode text.
    """
    cleaned = Cleaned(text)
    if not text.isascii():
        cleaned = _settled(cleaned, _MOJIBAKE, _decoded)
        cleaned = _replaced(cleaned, _C1, _printable)
        cleaned = dataclasses.replace(cleaned, text=cleaned.text.translate(_FULL_WIDTH))
    if "&" in cleaned.text:
        cleaned = _settled(cleaned, _ENTITY, _unescaped)
    if _MAYBE_AWAY.search(cleaned.text):
        cleaned = _without_addresses(cleaned)
    if _TO_CHANGE.search(cleaned.text):
        cleaned = _replaced(cleaned, _CHARACTERS, _character)
    return cleaned


def _without_addresses(cleaned: Cleaned) -> Cleaned:
    counts = collections.Counter(_KINDS[found.lastgroup or ""] for found in _AWAY.finditer(cleaned.text))
    left_out = {kind: counts[kind] for kind in LEFT_OUT if counts[kind]}
    return dataclasses.replace(_replaced(cleaned, _AWAY, lambda _: " "), left_out=left_out)


def _settled(cleaned: Cleaned, pattern: re.Pattern[str], new: Callable[[re.Match[str]], str]) -> Cleaned:
    """Replaces until nothing is left to replace, at most `_TIMES` times."""
    for _ in range(_TIMES):
        before, cleaned = cleaned, _replaced(cleaned, pattern, new)
        if cleaned is before:
            break
    return cleaned


def _replaced(cleaned: Cleaned, pattern: re.Pattern[str], new: Callable[[re.Match[str]], str]) -> Cleaned:
    """Replaces what a pattern finds, each new character standing for all of what was found."""
    text = cleaned.text
    pieces: list[str] = []
    first: list[int] = []  # for each character of the new text, the first one of the old text that it stands for
    last: list[int] = []
    done = 0
    for found in pattern.finditer(text):
        start, end = found.span()
        characters = new(found)
        if characters == found.group():
            continue
        pieces += text[done:start], characters
        first += [*range(done, start), *itertools.repeat(start, len(characters))]
        last += [*range(done, start), *itertools.repeat(end - 1, len(characters))]
        done = end
    if done == 0:
        return cleaned
    pieces.append(text[done:])
    first += range(done, len(text))
    last += range(done, len(text))
    starts, ends = np.array(first, dtype=np.int64), np.array(last, dtype=np.int64) + 1
    if cleaned.starts is not None and cleaned.ends is not None:
        starts, ends = cleaned.starts[starts], cleaned.ends[ends - 1]
    return Cleaned("".join(pieces), cleaned.left_out, starts, ends)
