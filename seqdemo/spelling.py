"""Which known word a misspelt one stands for, and which words are English and not misspelt at all.

The English words are those of SCOWL (`data/english_words.txt`, its licence beside it), with the American spelling
behind British ones.
"""

from __future__ import annotations

import functools
import pathlib
import re
import string
from collections.abc import Iterator, Mapping

MAX_LETTERS = 30
"""No likely spelling is searched for a longer word: the search takes quadratic time."""

_WORDS = pathlib.Path(__file__).parent / "data" / "english_words.txt"
_SHORT_WORDS = (  # the list begins at three letters
    "a i ad am an as at be by do go ha he hi if in is it me my no of oh ok on or so to tv uk up us we"
)
_ELONGATED = re.compile(r"(\w)\1{2,}")
_PLAIN_WORD = re.compile(r"[a-z]+")
_MIN_LETTERS = 5
_FREQUENT_WORDS = 12_000


@functools.cache
def _english() -> tuple[frozenset[str], Mapping[str, str]]:
    """The English words, and each British spelling with the American one and the reverse."""
    lines = [line.split() for line in _WORDS.read_text(encoding="utf-8").splitlines()]
    pairs = [(line[0], line[1]) for line in lines if len(line) == 2]
    words = frozenset([*_SHORT_WORDS.split(), *(line[0] for line in lines)])
    return words, {american: british for british, american in pairs} | dict(pairs)


def is_english(word: str) -> bool:
    """Whether a lower-cased word stands in the list of English words."""
    return word in _english()[0]


def likely(word: str, known: Mapping[str, int]) -> int | None:
    """The known word that an unknown one probably stands for.

    An English word is not misspelt; at most it is read in its other spelling, British or American. "goooood" is
    read with its letters once or twice. Otherwise a word is read as the most frequent one that is one slip away
    (Damerau 1964: a letter missing, added, changed, or two swapped; of words under five letters only two
    swapped), if that begins with the same letter and is frequent.

    Args:
        word: Lower-cased, not known.
        known: Known word → its index, the most frequent first.

    Returns:
        The index of the known word, or None where there is no likely one.
    """
    words, other_spelling = _english()
    if word in words:
        return known.get(other_spelling.get(word, ""))
    if _ELONGATED.search(word):
        for letters in (r"\1\1", r"\1"):
            folded = _ELONGATED.sub(letters, word)
            if folded in known:
                return known[folded]
    if 2 < len(word) <= MAX_LETTERS and _PLAIN_WORD.fullmatch(word):
        nearest = min((known[near] for near in _one_slip_away(word) if near in known), default=_FREQUENT_WORDS)
        return nearest if nearest < _FREQUENT_WORDS else None
    return None


def _one_slip_away(word: str) -> Iterator[str]:
    """All words with the same first letter that one slip of the keyboard turns into this one."""
    for i in range(1, len(word) + 1):
        head, tail = word[:i], word[i:]
        if len(tail) > 1:
            yield head + tail[1] + tail[0] + tail[2:]
        if len(word) < _MIN_LETTERS:
            continue
        yield from (head + letter + tail for letter in string.ascii_lowercase)
        if tail:
            yield head + tail[1:]
            yield from (head + letter + tail[1:] for letter in string.ascii_lowercase)
