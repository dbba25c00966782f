"""What stands behind the `?` of an address: read within bounds, written without losing what is not the page's own.

Reading: `st.query_params.to_dict()` is the query. Each function here takes it with the name of an entry and gives
what the page can use, or the default: an address was typed, shortened or made up by someone, so that no entry of it
raises, and nothing is converted before its length is known (`int` refuses 5,000 digits with an exception).

    query = st.query_params.to_dict()
    model = address.choice(query, "left", NAMES, "rnn")
    unit = address.integer(query, "unit", 1, 1_024, 1)
    runs = address.ids(query, "runs", most=64)

Where a page answers a bad entry with a sentence instead, it asks `as_integer` and `as_number` for the value.

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
_INTEGER = re.compile(r"[+-]?[0-9]{1,15}")
_NUMBER = re.compile(r"[+-]?([0-9]{1,20}\.?[0-9]{0,20}|\.[0-9]{1,20})([eE][+-]?[0-9]{1,3})?")
_ID = re.compile(r"[A-Za-z0-9_-]{16}")


def text(query: Mapping[str, str], name: str, default: str = "", *, most: int = MAX_TEXT) -> str:
    """A text, cut to `most` characters; the default where there is none or only blanks."""
    found = query.get(name, "")[:most]
    return found if found.strip() else default


def choice(query: Mapping[str, str], name: str, allowed: Collection[str], default: str) -> str:
    """One of the allowed words."""
    found = query.get(name, "")
    return found if found in allowed else default


def integer(query: Mapping[str, str], name: str, low: int, high: int, default: int) -> int:
    """A whole number from `low` to `high`, both included."""
    found = as_integer(query.get(name, ""))
    return found if found is not None and low <= found <= high else default


def integers(query: Mapping[str, str], name: str, low: int, high: int, *, most: int) -> list[int]:
    """The first `most` of several whole numbers, written `3-17`; empty where one of them is out of bounds."""
    found = [as_integer(word) for word in query.get(name, "").split("-", most)[:most]]
    good = [number for number in found if number is not None and low <= number <= high]
    return good if len(good) == len(found) else []


def number(query: Mapping[str, str], name: str, low: float, high: float, default: float) -> float:
    """A number from `low` to `high`, both included."""
    found = as_number(query.get(name, ""))
    return found if found is not None and low <= found <= high else default


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
