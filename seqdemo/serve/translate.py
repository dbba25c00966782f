"""Dates to ISO, answered: an encoder-decoder writes year-month-day, and every number of it goes to the browser.

One binary message holds the whole answer, so that stepping through it asks the server nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from seqdemo import paths
from seqdemo.data import dates
from seqdemo.errors import CheckpointError
from seqdemo.serve.http import Question, RefusedError
from seqdemo.serve.message import pack, text_id
from seqdemo.serve.service import without_server_paths
from seqdemo.serve.worker import Kind

if TYPE_CHECKING:
    from seqdemo.checkpoints.translator import Answer, Translation, Translator
    from seqdemo.serve.service import Service

ATTENTION, PLAIN = "dates-attention", "dates-plain"
"""Folders of the two models in `pretrained/`."""
WIDTHS = (1, 3, 5, 10)
"""Beginnings that beam search may keep; 1 is greedy."""
DEFAULT_WIDTH = 5
TRANSLATION = "translation"
_SHOWN_CHARACTERS = 44
_SIGNALS = ("attention", "energy", "query", "key", "encoder", "context", "state", "probability")
_MONTH_STEPS = slice(5, 7)


def translation_pieces(translator: Translator, asked: tuple[str, int], _: object) -> Generator[None, None, Translation]:
    """An answer with every number of it: one piece, since a text has at most `dates.MAX_CHARACTERS` characters.

    Args:
        translator: Whom to ask.
        asked: The text, and how many beginnings beam search keeps.
    """
    yield from ()
    text, width = asked
    return translator.translate(text, width=width)


KINDS = {TRANSLATION: Kind(rank=1, pieces=translation_pieces)}


async def translate(service: Service, question: Question) -> bytes:
    """`POST /api/v1/translate {"text", "width"?}`: a date as year-month-day, with every number, as one binary message.

    Returns:
        What `answer_message` gives; where there is nothing to read, `kind` is `nothing`, `title` says why, and
        `loading` names the model where it will still come.

    Raises:
        RefusedError: `width` is none of `WIDTHS`.
    """
    width = question.entry("width", int, DEFAULT_WIDTH)
    if width not in WIDTHS:
        raise RefusedError(f"The entry 'width' is one of {', '.join(map(str, WIDTHS))}; this is {str(width)[:20]}.")
    text = question.text[: dates.MAX_CHARACTERS]
    if not service.store.settled:  # torch is on its way
        return _nothing(text, "Loading the model", loading=[ATTENTION])
    model, problem = await asyncio.to_thread(loaded, service, ATTENTION)
    if model is None:
        return _nothing(text, f"The model could not be loaded. {problem}")
    if not text.strip():
        return _nothing(text, "Type a date, for example 3 March 1987, or try an example.")
    found = await service.ask(TRANSLATION, model, (text, width), question.visitor)
    plain = await _plain(service, question.visitor, found, width)
    return await asyncio.to_thread(answer_message, found, model, width, question.n_characters, plain)


def loaded(service: Service, name: str) -> tuple[Translator | None, str]:
    """A translator, or why it cannot be used."""
    try:
        return service.translator(name), ""
    except CheckpointError as error:
        return None, without_server_paths(str(error))


def answer_message(found: Translation, model: Translator, width: int, n_characters: int, plain: str) -> bytes:
    """An answer with every number of it, as one binary message.

    Args:
        found: What was answered.
        model: By whom.
        width: Beginnings that beam search kept.
        n_characters: Of the text as it was typed.
        plain: What the model without attention answers, in a sentence.
    """
    n_steps = len(found.characters)
    chosen = [1 if character == "" else 2 + dates.OUTPUTS.characters.index(character) for character in found.characters]
    best = found.answers[0]
    doubt = doubts(best, model.metrics)
    looked = looked_at(found)
    header = {
        "kind": "translation",
        "text_id": text_id(found.text),
        "width": width,
        "title": title(found, doubt=bool(doubt)),
        "notices": notices(found, n_characters),
        "characters": list(found.text),
        "unknown": np.flatnonzero(found.unknown).tolist(),
        "written": list(found.characters),
        "chosen": chosen,
        "percents": [percent(float(found.signals["probability"][step, index])) for step, index in enumerate(chosen)],
        "outputs": ["start", "end", *dates.OUTPUTS.characters],
        "start": min(_MONTH_STEPS.start, n_steps - 1) if looked else 0,
        "doubtful": bool(doubt),
        "says": doubt or f"P(answer) is {percent(best.probability)}: the product of the characters' probabilities.",
        "plain": plain,
        "answers_title": _answers_title(found, width),
        "answers": [
            {
                "text": one.text,
                "percent": percent(one.probability),
                "probability": round(one.probability, 6),
                "note": "" if one.ended and dates.is_day(one.text) else _no_day(one.text),
            }
            for one in found.answers
        ],
        "answers_how": _answers_how(found, width),
        "map_words": map_words(found),
        "d_attention": model.model.config.d_attention,
        "d_hidden": model.model.config.d_hidden,
    }
    arrays = {name: found.signals[name] for name in _SIGNALS}
    return pack(header, arrays | {"v": model.model.v.numpy()})


def percent(probability: float) -> str:
    """A probability as whole per cents, and never as certain as it is not."""
    if probability >= 0.995:
        return ">\u00a099\u00a0%"
    return "<\u00a01\u00a0%" if probability < 0.005 else f"{int(100 * probability + 0.5)}\u00a0%"


def doubts(answer: Answer, metrics: Mapping[str, Any]) -> str:
    """Why an answer is doubtful, and what the model reads, in two sentences; empty where it is not."""
    if not answer.text:
        why = f"it finds no date here and writes nothing, with P(nothing) {percent(answer.probability)}"
    elif not dates.is_day(answer.text):
        why = f"{answer.text} is no day of the calendar"
    elif answer.probability < (threshold := metrics.get("doubt", {}).get("threshold", 0.5)):
        why = f"this may be no date, P(answer) is {percent(answer.probability)}, below {percent(threshold)}"
    else:
        return ""
    return f"Doubtful: {why}. It reads {dates.RANGE}."


def looked_at(found: Translation) -> str:
    """Which character was looked at most while the month was written, in words; empty where there is no month."""
    if not dates.is_day(found.answers[0].text):
        return ""
    at = int(found.signals["attention"][_MONTH_STEPS].mean(0).argmax())
    first, last = at, at
    while first > 0 and found.text[first - 1].isalnum():
        first -= 1
    while last + 1 < len(found.text) and found.text[last + 1].isalnum():
        last += 1
    character, word = found.text[at], found.text[first : last + 1]
    return f"“{character}”" if len(word) == 1 or not character.isalnum() else f"the “{character}” of “{word}”"


def title(found: Translation, *, doubt: bool) -> str:
    """What the answer shows, in one sentence."""
    text = found.text.strip()
    text = text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 1]}…"
    if doubt:
        return f"The model has no sure answer to “{text}”"
    month, looked = found.answers[0].text[5:7], looked_at(found)
    said = f"“{text}” is {found.answers[0].text}"
    return f"{said}; to write the month {month} the model looks most at {looked}" if looked else said


def notices(found: Translation, n_characters: int) -> list[str]:
    """What of a text is not read, in sentences."""
    said = []
    if n_characters > dates.MAX_CHARACTERS:
        said.append(f"Only the first {dates.MAX_CHARACTERS} of {n_characters:,} characters are read.")
    if len(found.text) > dates.TRAINED_CHARACTERS:
        said.append(
            f"This is longer than any text in training ({dates.TRAINED_CHARACTERS} characters). "
            "What that does is measured below."
        )
    strange = list(dict.fromkeys(character for character, no in zip(found.text, found.unknown, strict=True) if no))
    if found.unknown.all():
        said.append("The model knows none of these characters: each is read as the same unknown one.")
    elif strange:
        named = " ".join(character if character.isprintable() else repr(character) for character in strange[:8])
        more = " and others" if len(strange) > 8 else ""
        said.append(f"Unknown to the model, and all read as the same unknown character: {named}{more}")
    return said


def map_words(found: Translation) -> str:
    """The alignment map in words."""
    tops = found.signals["attention"].argmax(1)
    said = (
        f"{written or 'end'} at {found.text[top]} (character {top + 1})"
        for written, top in zip(found.characters, tops.tolist(), strict=True)
    )
    return (
        f"Weights of {len(found.characters)} steps on {len(found.text)} characters. Most looked at: {', '.join(said)}."
    )


def _no_day(text: str) -> str:
    return "no day of the calendar" if text else "no date that it reads"


async def _plain(service: Service, visitor: str, found: Translation, width: int) -> str:
    if not (paths.PRETRAINED / PLAIN).is_dir():
        return ""  # a checkout without it; the other model answers alone
    model, problem = await asyncio.to_thread(loaded, service, PLAIN)
    if model is None:
        return f"The model without attention could not be loaded. {problem}"
    best = (await service.ask(TRANSLATION, model, (found.text, width), visitor)).answers[0]
    same = "the same" if best.text == found.answers[0].text else best.text or "nothing"
    return f"The model without attention writes {same} ({percent(best.probability)})."


def _answers_title(found: Translation, width: int) -> str:
    return "The answer it settles on" if width == 1 or len(found.answers) == 1 else "The likeliest answers it found"


def _answers_how(found: Translation, width: int) -> str:
    if width == 1:
        return (
            "Greedy: the likeliest character at each step. Beam search keeps several beginnings and may find a "
            "likelier answer."
        )
    rest = max(0.0, 1 - sum(one.probability for one in found.answers))
    return (
        f"Beam search kept the {width} likeliest beginnings at each step. All other answers together: {percent(rest)}. "
        "The map and the numbers below are of the first."
    )


def _nothing(text: str, title: str, *, loading: list[str] | None = None) -> bytes:
    return pack(
        {"kind": "nothing", "text_id": text_id(text), "title": title, "notices": [], "loading": loading or []}, {}
    )
