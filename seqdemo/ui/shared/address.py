"""What stands behind the `?` of an address: read within bounds, written without losing what is not the page's own.

Reading: an address was typed, shortened or made up by someone, so that no entry of it raises, and nothing is converted
before its length is known (`int` refuses 5,000 digits with an exception). What cannot be used is left as usual, and
said on the page.

    asked = address.Asked(st.query_params.to_dict())
    model = asked.choice("left", NAMES, "rnn")
    unit = asked.integer("unit", 1, 1_024, 1)
    asked.refused  # a sentence for each entry that could not be used

What only the browser can judge (the word of a text, the layer of a model that is not loaded yet) is read there, by
`numberInAddress` and `wordInAddress` of `address.js`, in the same way and with the same sentence.

Writing: an address holds entries of several owners: those of the page; `own`, a visitor's own models, which
`own_models` keeps there on every page; `embed`, which is Streamlit's. So nobody sets all of it. In the browser, every
component has `putInAddress({name: value, …})` of `address.js`, which sets these entries, takes out those that are
empty, and keeps all others. A page that makes its entries in Python sends `entries(found, names)` to it, by a
component of its own or by `address_entries.js`. A choice that Streamlit draws is bound to its entry by
`choices.one_of`. Never by `st.query_params`: that sets all of the address to what it was when Python last heard of it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping

MAX_TEXT = 2**16
"""Characters of a text that are looked at; no link that anyone can pass on has more."""
NOT_THERE = "The address asks for {name} “{found}”; it can be {what}."
"""What is said of an entry that cannot be used."""
_MOST_SHOWN = 40
_INTEGER = re.compile(r"[+-]?[0-9]{1,15}")
_NUMBER = re.compile(r"[+-]?([0-9]{1,20}\.?[0-9]{0,20}|\.[0-9]{1,20})([eE][+-]?[0-9]{1,3})?")
_ID = re.compile(r"[A-Za-z0-9_-]{16}")


class Asked:
    """What an address asks of a page.

    Attributes:
        refused: A sentence for each entry that was read and could not be used.
    """

    def __init__(self, query: Mapping[str, str]) -> None:
        """Nothing is read yet.

        Args:
            query: The entries of the address.
        """
        self._query = query
        self.refused: list[str] = []

    def choice(self, name: str, allowed: Collection[str], default: str) -> str:
        """One of the allowed words."""
        found = self._query.get(name, "")
        if found and found not in allowed:
            self.refused.append(not_there(name, found, f"one of {', '.join(allowed)}"))
        return found if found in allowed else default

    def integer(self, name: str, low: int, high: int, default: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return next(iter(self.integers(name, low, high, most=1)), default)

    def integers(self, name: str, low: int, high: int, *, most: int) -> list[int]:
        """The first `most` of several whole numbers, written `3-17`; empty where one of them is out of bounds."""
        entry = self._query.get(name, "")
        words = [entry] if most == 1 else entry.split("-", most)[:most]
        found = [number for number in map(as_integer, words) if number is not None and low <= number <= high]
        if len(found) == len(words):
            return found
        if entry:
            self.refused.append(not_there(name, entry, f"{low} to {high}"))
        return []


def not_there(name: str, found: str, what: str) -> str:
    """That an entry cannot be used.

    Args:
        name: Of the entry.
        found: What it holds; cut where it is long.
        what: What it can be.
    """
    return NOT_THERE.format(name=name, found=found[:_MOST_SHOWN], what=what)


def text(query: Mapping[str, str], name: str, default: str = "", *, most: int = MAX_TEXT) -> str:
    """A text, cut to `most` characters; the default where there is none or only blanks."""
    found = query.get(name, "")[:most]
    return found if found.strip() else default


def ids(query: Mapping[str, str], name: str, *, most: int) -> list[str]:
    """Ids of runs, written `id,id`: the first `most` words, of these the well-formed ones, each once."""
    words = query.get(name, "").split(",", most)[:most]
    return list(dict.fromkeys(word for word in words if is_id(word)))


def is_id(word: str) -> bool:
    """Whether this may be the id of a run."""
    return _ID.fullmatch(word) is not None


def as_integer(word: str) -> int | None:
    """The whole number that a word of at most 15 digits stands for."""
    return int(word) if _INTEGER.fullmatch(word) else None


def as_number(word: str) -> float | None:
    """The finite number that a word stands for: digits, point and exponent, a few of each."""
    found = float(word) if _NUMBER.fullmatch(word) else math.nan
    return found if math.isfinite(found) else None


def entries(found: Mapping[str, object], names: Iterable[str]) -> dict[str, str]:
    """A page's entries for `putInAddress` in the browser.

    Args:
        found: What is to stand in the address.
        names: All entries that are the page's own; those that were not found are to be taken out.

    Returns:
        Each name with its value, the empty string for none.
    """
    return {name: str(found.get(name, "")) for name in names}
