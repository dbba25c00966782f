"""What would stand in the place of a word: by a model that reads both sides of it, beside those that only read on."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from seqdemo.checkpoints import find
from seqdemo.models.registry import MODELS
from seqdemo.serve import word_notes
from seqdemo.serve.http import Question, RefusedError
from seqdemo.serve.translate import percent
from seqdemo.serve.worker import Kind
from seqdemo.serve.write import BARS, MOST_SURPRISING, ask_about, called, is_unfiltered, read_whole
from seqdemo.studies.study import listed
from seqdemo.text import places

if TYPE_CHECKING:
    from seqdemo.checkpoints.language_model import LanguageModel, Word
    from seqdemo.explain.beginnings import Beginnings
    from seqdemo.serve.service import Service

HIDDEN = "hidden"
Ids = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Guesses:
    """What one model holds likely in a place.

    Attributes:
        words: The likeliest.
        own: The chance of the word that stands there; of an unknown one that of any unknown word.
    """

    words: list[Word]
    own: float


def hidden_pieces(model: LanguageModel, asked: tuple[Ids, int], known: Beginnings) -> Generator[None, None, Guesses]:
    """What a model that reads both sides, or one that reads what stands before, holds likely in a place.

    Args:
        model: Whom to ask.
        asked: The words of the text, and the index of the one that is hidden.
        known: What is known of beginnings; added to.
    """
    ids, place = asked
    if MODELS[model.name].has_states:
        chances = yield from read_whole(model, ids[:place], known)
    else:
        chances = model.hidden_chances(ids, place)
    words = model.likeliest(chances, BARS, unfiltered=is_unfiltered())
    return Guesses(words=words, own=float(chances[ids[place]]))


KINDS = {HIDDEN: Kind(rank=2, pieces=hidden_pieces)}


def readers() -> list[str]:
    """Whom to ask: those that read both sides, then those that read on."""
    return [*find.readers_of_both_sides(), *find.writers()]


async def hidden(service: Service, question: Question) -> Mapping[str, Any]:
    """`POST /api/v1/hidden {"text", "word": 0}`: what each model would put in the place of a word.

    `word` is the index of one of the words that `surprise` names.

    Returns:
        `word`: the hidden one, as it was typed. `models`: name → its `words`, each with `text`, probability `p`,
        `percent` and `is_it` (the hidden one), and `own`, the hidden word's chance in words. `title`; `loading` and
        `failed` as of `next_words`. Where there is no word, `word` is empty.

    Raises:
        RefusedError: There is no such word.
    """
    asked = await ask_about(service, question, [*find.writers(), *find.readers_of_both_sides()])
    shown = next(iter(asked.readings.values()), None)  # as `surprise` shows them
    if shown is None or not shown.tokens:
        return {"title": "", "word": "", "models": {}, **asked.told}
    first = max(0, len(shown.tokens) - MOST_SURPRISING)
    index, n = question.entry("word", int, 0), len(shown.tokens) - first
    if not 0 <= index < n:
        raise RefusedError(f"The entry 'word' is from 0 to {n - 1}, since the text has {n} words here; got {index}.")
    at, found = first + index, {}
    for name in readers():
        if name not in asked.models:
            continue
        model, reading = asked.models[name], asked.readings[name]
        place = min(int(np.searchsorted(places(reading, shown), at)), len(reading.tokens) - 1)
        token, unknown = reading.tokens[place].text, bool(reading.unknown[place])
        guesses: Guesses = await service.ask(HIDDEN, model, (reading.ids, place), question.visitor)
        found[name] = (guesses, token, unknown)
    word = shown.words[at]
    return {
        "title": finding({name: guesses for name, (guesses, *_) in found.items()}, word),
        "word": word,
        "models": {
            name: {
                "words": [
                    {
                        "text": each.text,
                        "p": each.probability,
                        "percent": percent(each.probability),
                        "is_it": each.text == token and not unknown,
                    }
                    for each in guesses.words
                ],
                "own": f"An unknown word: {percent(guesses.own)}" if unknown else f"“{word}”: {percent(guesses.own)}",
            }
            for name, (guesses, token, unknown) in found.items()
        },
        **asked.told,
    }


def finding(found: Mapping[str, Guesses], word: str) -> str:
    """Who expects what in the place of a word, in one sentence."""
    expected = {name: [guesses.words[0].text] for name, guesses in found.items()}
    said = [
        f"{called(names)} {'expects' if len(names) == 1 else 'expect'} {' and '.join(f'“{text}”' for text in texts)}"
        for names, texts in word_notes.shared(expected).items()
    ]
    return f"In the place of “{word}” {listed(said)}"
