"""A word deleted, negated or replaced: the text as it would be then."""

from __future__ import annotations

import re

from seqdemo.errors import TextError
from seqdemo.text import Reading

_NEGATIONS = {"not", "never", "no", "hardly", "cannot"}
_AUXILIARIES = {"is", "are", "was", "were", "am", "be", "do", "does", "did", "have", "has", "had"} | {
    "can",
    "could",
    "will",
    "would",
    "should",
    "may",
    "might",
    "must",
}
_SHORT = {"can't": "can", "won't": "will", "shan't": "shall", "ain't": "is", "cannot": "can"}


def delete(reading: Reading, index: int) -> str:
    """The text without one word.

    Args:
        reading: What the models read of the text.
        index: Which of its tokens, from 0.

    Raises:
        TextError: There is no such word, or no other one would be left.
    """
    return _put(reading, index, "")


def replace(reading: Reading, index: int, word: str) -> str:
    """The text with other words in the place of one.

    Args:
        reading: What the models read of the text.
        index: Which of its tokens, from 0.
        word: What to write there.

    Raises:
        TextError: There is no such word, or the new one is empty.
    """
    if not word.strip():
        raise TextError("There is no word to put in its place. Write one, or delete the word instead.")
    return _put(reading, index, word.strip())


def negate(reading: Reading, index: int) -> str:
    """The text with one word turned round: `not` is put there, or taken away where it stands.

    A negation itself is taken out (`isn't` becomes `is`), `not` follows an auxiliary verb
    (`is` becomes `is not`), a word after a negation loses that, and any other word gets
    `not` before it.

    Args:
        reading: What the models read of the text.
        index: Which of its tokens, from 0.

    Raises:
        TextError: There is no such word.
    """
    _check(reading, index)
    word = reading.tokens[index].text
    written = _written(reading, index)
    if word in _SHORT:
        return _put(reading, index, _like(written, _SHORT[word]))
    if word.endswith("n't"):
        return _put(reading, index, written[: len(word) - 3])
    if word in _NEGATIONS:
        return _put(reading, index, "")
    if index and reading.tokens[index - 1].text in _NEGATIONS - {"cannot"}:
        return _put(reading, index - 1, "")
    following = reading.tokens[index + 1].text if index + 1 < len(reading.tokens) else ""
    if word in _AUXILIARIES and following in _NEGATIONS:
        return _put(reading, index + 1, "")
    if word in _AUXILIARIES:
        return _put(reading, index, f"{written} not")
    return _put(reading, index, f"{_like(written, 'not')} {written[:1].lower() + written[1:]}")


def _put(reading: Reading, index: int, words: str) -> str:
    _check(reading, index)
    token = reading.tokens[index]
    before, after = reading.text[: token.start], reading.text[token.end :]
    if not words and before[-1:].isspace():
        before = before.rstrip()
        if not before:
            after = after.lstrip()
    edited = before + words + after
    if not words and not before:
        edited = edited.lstrip()
    if not re.search(r"\w", edited):
        raise TextError("It is the only word of the text. Choose another edit, or a longer text.")
    return edited


def _check(reading: Reading, index: int) -> None:
    if not 0 <= index < len(reading.tokens):
        raise TextError(f"The text has {len(reading.tokens)} words and marks; there is none with index {index}.")


def _written(reading: Reading, index: int) -> str:
    token = reading.tokens[index]
    return reading.text[token.start : token.end]


def _like(written: str, word: str) -> str:
    """A word with a capital letter where the one it stands for has one."""
    return word.capitalize() if written[:1].isupper() else word
