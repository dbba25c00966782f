"""What pages say about the words of a text: how many, unknown to which models, misspelt, left out, not read.

Vocabularies differ, so all of it is said of the models of which it is true. Here a model goes by what it is called
in a sentence: "the RNN", or the name of a visitor's own one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from seqdemo.studies.study import listed
from seqdemo.text import HEAD_TOKENS, MAX_CHARACTERS, MAX_TOKENS, Reading, places, probably_not_english

_NAMED = 5


def note(readings: Mapping[str, Reading]) -> str:
    """How much there is to read, which words are unknown or read as others by whom, and what is left out.

    Args:
        readings: What each model reads of the text, at least one.
    """
    reading = next(iter(readings.values()))
    left_out = "".join(f" · {count(n, kind)} left out" for kind, n in reading.left_out.items())
    if not reading.tokens:
        if reading.text.strip():
            return "There is no word to read yet. Write a sentence about a film, or try an example." + left_out
        return "Write a sentence about a film, or try an example."
    strange: npt.NDArray[np.bool_] = np.any(_unknown_to(readings), axis=0)
    n_words = sum(
        unknown or any(character.isalnum() for character in token.text)
        for token, unknown in zip(reading.tokens, strange.tolist(), strict=True)
    )
    n_marks = len(reading.tokens) - n_words
    said = count(n_words, "word") + (f" and {count(n_marks, 'mark')}" if n_marks else "")
    for names, words in _by_whom(readings, _unknown):
        said += f" · unknown{f' to {names}' if names else ''}: {_first(words)}"
    for names, pairs in _by_whom(readings, _corrected):
        said += f" · read{f' by {names}' if names else ''} as {_first(pairs)}"
    return said + left_out


def notices(readings: Mapping[str, Reading], n_characters: int) -> list[str]:
    """What of a long text is not read, and what makes the answers mean little, in sentences.

    Args:
        readings: What each model reads of the text, at least one.
        n_characters: Of the text, before it was cut to what is looked at.
    """
    reading = next(iter(readings.values()))
    said = []
    if n_characters > MAX_CHARACTERS:
        said.append(f"Only the first {MAX_CHARACTERS:,} of {n_characters:,} characters are looked at.")
    if reading.n_skipped:
        said.append(
            f"The models read the first {HEAD_TOKENS} and the last {MAX_TOKENS - HEAD_TOKENS} of "
            f"{reading.n_found:,} words and marks."
        )
    if probably_not_english(readings.values()):
        whom = {1: next(iter(readings)), 2: "both models"}.get(len(readings), "every model")
        said.append(
            f"This is probably not English: most of these words are unknown to {whom} or to a list of English words, "
            "so the figures mean little."
        )
    else:
        said += nothing_known(readings)
    return said


def nothing_known(readings: Mapping[str, Reading]) -> list[str]:
    """Which models know none of the words, in a sentence; empty where every one knows some."""
    if not next(iter(readings.values())).tokens:
        return []
    names = [name for name, reading in readings.items() if reading.unknown.all()]
    if not names:
        return []
    if len(names) == len(readings) > 1:
        return ["The models know none of these words: each is read as the same unknown word."]
    who = listed(names)
    return [
        f"{who[0].upper()}{who[1:]} {'know' if len(names) > 1 else 'knows'} none of these words: each is read as the "
        "same unknown word."
    ]


def shown(readings: Mapping[str, Reading]) -> dict[str, Any]:
    """What a component needs to show the words of a text.

    Args:
        readings: What each model on screen reads of the text, at least one.

    Returns:
        The words as typed; the indices of those that no model knows; index → to whom it is unknown, of those that
        some do not know; where a long text was cut and how much of it is not read.
    """
    reading = next(iter(readings.values()))
    unknown = _unknown_to(readings)
    names = list(readings)
    return {
        "words": reading.words,
        "unknown": np.flatnonzero(unknown.all(axis=0)).tolist(),
        "partly": {
            str(index): f"unknown to {listed([names[row] for row in np.flatnonzero(unknown[:, index])])}"
            for index in np.flatnonzero(unknown.any(axis=0) & ~unknown.all(axis=0)).tolist()
        },
        "gap": HEAD_TOKENS if reading.n_skipped else None,
        "skipped": reading.n_skipped,
    }


def by_vocabulary(readings: Mapping[str, Reading]) -> dict[str, Any]:
    """What is read, once for each set of models whose words are the same.

    Args:
        readings: What each model reads of a text, by name.

    Returns:
        Names separated by commas → how many tokens are read and skipped, those that are unknown, those that are read
        as another word, and what is left out.
    """
    groups: dict[int, tuple[list[str], Reading]] = {}
    for name, reading in readings.items():
        groups.setdefault(id(reading), ([], reading))[0].append(name)
    return {
        ",".join(names): {
            "tokens": len(reading.tokens),
            "skipped": reading.n_skipped,
            "unknown": _unknown(reading),
            "read_as": dict(reading.corrected),
            "left_out": dict(reading.left_out),
        }
        for names, reading in groups.values()
    }


def count(n: int, noun: str) -> str:
    """`1 word`, `2 words`, `2 addresses`."""
    return f"{n:,} {noun}{'' if n == 1 else 'es' if noun.endswith('s') else 's'}"


def _unknown_to(readings: Mapping[str, Reading]) -> npt.NDArray[np.bool_]:
    """Which tokens of the first reading each model does not know, (n_models, n_tokens)."""
    first = next(iter(readings.values()))
    unknown = np.zeros((len(readings), len(first.tokens)), dtype=np.bool_)
    for row, reading in enumerate(readings.values()):
        if first.tokens:
            unknown[row, places(reading, first)[reading.unknown]] = True
    return unknown


def shared(found: Mapping[str, Iterable[str]]) -> dict[tuple[str, ...], list[str]]:
    """What several have, put together by the names of those that have it.

    Args:
        found: Name → what it has.
    """
    whose: dict[str, list[str]] = {}
    for name, items in found.items():
        for item in dict.fromkeys(items):
            whose.setdefault(item, []).append(name)
    groups: dict[tuple[str, ...], list[str]] = {}
    for item, names in whose.items():
        groups.setdefault(tuple(names), []).append(item)
    return groups


def _by_whom(readings: Mapping[str, Reading], found: Callable[[Reading], Iterable[str]]) -> list[tuple[str, list[str]]]:
    """What is found in readings, put together by the models in whose it is: those in all of them first.

    Returns:
        Whose ("" where there is one model, otherwise `all`, `both`, or names), and what.
    """
    groups = shared({name: found(reading) for name, reading in readings.items()})
    everyone = {1: "", 2: "both"}.get(len(readings), "all")
    return [
        (everyone if len(names) == len(readings) else listed(names), items)
        for names, items in sorted(groups.items(), key=lambda group: -len(group[0]))
    ]


def _unknown(reading: Reading) -> list[str]:
    return [_short(word) for word, unknown in zip(reading.words, reading.unknown.tolist(), strict=True) if unknown]


def _corrected(reading: Reading) -> list[str]:
    return [f"{_short(word)} (for {_short(typed)})" for typed, word in reading.corrected.items()]


def _first(words: Sequence[str]) -> str:
    """The first few of many words."""
    more = f" and {len(words) - _NAMED:,} more" if len(words) > _NAMED else ""
    return ", ".join(words[:_NAMED]) + more


def _short(word: str) -> str:
    return word if len(word) <= 24 else f"{word[:23]}…"
