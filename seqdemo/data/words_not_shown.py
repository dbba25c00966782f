"""Slurs and sexual words that a language model may hold likely and that no page writes or offers by itself.

They stand in film reviews, so the models know them, and a class looks on. They stay in the models: the share of the
chances that they hold is said wherever they are left out. Neither a word that names who people are ("lesbian") nor a
mere oath is among them.
"""

from __future__ import annotations

import functools
import pathlib

_WORDS = pathlib.Path(__file__).with_name("words_not_shown.txt")


@functools.cache
def words() -> frozenset[str]:
    """The words, in lower case."""
    return frozenset(_WORDS.read_text(encoding="utf-8").split())
