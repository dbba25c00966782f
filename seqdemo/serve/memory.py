"""Memory, answered: one word of a text deleted, negated or replaced; and what its charts ask of the worker."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from seqdemo.errors import TextError
from seqdemo.explain import edits
from seqdemo.models.registry import MODELS
from seqdemo.serve import word_notes
from seqdemo.serve.answering import Answering
from seqdemo.serve.http import Question, RefusedError
from seqdemo.serve.verdicts import percent
from seqdemo.serve.worker import VERDICT, Ids, Kind
from seqdemo.text import Reading

if TYPE_CHECKING:
    from seqdemo.checkpoints.classifier import Classifier
    from seqdemo.explain.dynamics import Spectrum
    from seqdemo.serve.service import Service
    from seqdemo.studies.gradient_by_distance import WordGradients

GRADIENTS, SPECTRUM, SWEEP, ALONE = "gradients", "spectrum", "sweep", "alone"
EDITS = {"delete": "Delete", "negate": "Negate", "replace": "Replace"}
"""What can happen to a word, by its name in questions."""
MAX_PUT = 60
"""Characters that may be put in the place of a word."""
_BEFORE, _AFTER = 40, 50
_PATIENCE_S = 120.0
"""As long as a page waits for its charts."""


def gradient_pieces(classifier: Classifier, ids: Ids, _: object) -> Generator[None, None, WordGradients]:
    """How much each word of a text could move the verdict, and what it adds: one pass back through it, one piece."""
    from seqdemo.explain import gradients

    yield from ()
    return gradients.word_gradients(classifier, ids)


def spectrum_pieces(
    classifier: Classifier, _asked: tuple[()], _: object
) -> Generator[None, None, dict[str, dict[str, Spectrum]]]:
    """The spectra of a model's W_hh: `start`, where the seed of its training is on record, and `trained`."""
    from seqdemo.explain import dynamics

    start = dynamics.starting_model(classifier)
    found = {} if start is None else {"start": (yield from dynamics.spectra_pieces(start))}
    return {**found, "trained": (yield from dynamics.spectra_pieces(classifier.model))}


def sweep_pieces(
    classifier: Classifier, asked: tuple[str], _: object
) -> Generator[None, None, dict[str, list[list[float]]]]:
    """P(positive) of a checked sentence with more and more neutral words beside it."""
    from seqdemo.studies import fillers

    return (yield from fillers.sweep_pieces(classifier, *asked))


def alone_pieces(classifier: Classifier, _asked: tuple[()], _: object) -> Generator[None, None, list[list[float]]]:
    """P(positive) of the neutral words alone."""
    from seqdemo.studies import fillers

    return (yield from fillers.alone_pieces(classifier))


KINDS = {
    name: Kind(rank=2, pieces=pieces, patience_s=_PATIENCE_S)
    for name, pieces in (
        (GRADIENTS, gradient_pieces),
        (SPECTRUM, spectrum_pieces),
        (SWEEP, sweep_pieces),
        (ALONE, alone_pieces),
    )
}


async def edit(service: Service, question: Question) -> Mapping[str, Any]:
    """`POST /api/v1/edit {"text", "word"?, "edit"?, "put"?}`: five verdicts before and after one word is changed.

    Returns:
        `words` to choose from, each with its index; `word`, the one that was changed: where there is none like the one
        asked for, that on which the verdicts rest most; `lines`, each model's P(positive) `before` and `after`;
        `finding` and `parts` in words; `trouble` says what could not be done as it was asked. Where nothing can be
        changed, `said` says why, and `loading` names models that will still come.

    Raises:
        RefusedError: There is no such edit.
    """
    answering = service.asked(question)
    kind, put = question.entry("edit", str, "negate"), question.entry("put", str, "")[:MAX_PUT]
    if kind not in EDITS:
        raise RefusedError(f"The entry 'edit' is one of {', '.join(EDITS)}; this is {kind[:20]!r}.")
    if not service.store.settled:  # a word that stands out to one model alone would not be the one to begin with
        # All, since the last may be loaded a moment before that is said, and a page asks again while one comes.
        return {"said": "The models are loading.", "loading": list(MODELS)}
    readings = await asyncio.to_thread(answering.read, question.text)
    if not readings:
        return {"said": "No model could be loaded.", "loading": []}
    shown = next(iter(readings.values()))
    if not shown.tokens:
        return {"said": word_notes.note(answering.named(readings)), "loading": []}
    words = [k for k, token in enumerate(shown.tokens) if token.text[0].isalnum()] or [0]
    word, trouble = None if question.body.get("word") is None else question.entry("word", int, 0), ""
    if word not in words:
        trouble = "" if word is None else f"The text has no word {str(word + 1)[:20]}. Another one is shown."
        word = await _standout(service, answering, readings, question.visitor)
        word = word if word in words else words[0]
    found = {
        "said": "",
        "loading": list(answering.loading),
        "words": [[k, f"{k + 1} · {shown.text[shown.tokens[k].start : shown.tokens[k].end]}"] for k in words],
        "word": word,
        "trouble": trouble,
    }
    try:
        edited = _edited(shown, word, kind, put)
    except TextError as error:
        return found | {"trouble": str(error), "finding": "", "parts": [], "lines": []}
    after = await asyncio.to_thread(answering.read, edited)
    lines = await _lines(service, answering, readings, after)
    at = shown.tokens[word].start
    return found | {
        "finding": finding(lines),
        "parts": [f"Before: {around(shown.text, at)}", f"After: {around(edited, at)}"],
        "lines": lines,
    }


def _edited(reading: Reading, word: int, kind: str, put: str) -> str:
    if kind == "replace":
        return edits.replace(reading, word, put)
    return edits.delete(reading, word) if kind == "delete" else edits.negate(reading, word)


async def _standout(service: Service, answering: Answering, readings: Mapping[str, Reading], visitor: str) -> int:
    from seqdemo.studies import gradient_by_distance

    asked = [service.ask(GRADIENTS, model, readings[name].ids, visitor) for name, model in answering.models.items()]
    found = dict(zip(answering.models, await asyncio.gather(*asked), strict=True))
    return gradient_by_distance.own(readings, found).standout


async def _lines(
    service: Service,
    answering: Answering,
    before: Mapping[str, Reading],
    after: Mapping[str, Reading],
) -> list[dict[str, Any]]:
    # Without a visitor, since a newer question of one visitor takes the place of an older one: these are wanted both.
    asked = [
        service.ask(VERDICT, model, readings[name].ids)
        for readings in (before, after)
        for name, model in answering.models.items()
    ]
    found = [float(p) for p in await asyncio.gather(*asked)]
    n = len(answering.models)
    return [
        {
            "name": answering.in_sentence(name),
            "label": answering.label(name),
            "colour": MODELS[name].colour,
            "dash": MODELS[name].dash,
            "before": one,
            "after": other,
        }
        for name, one, other in zip(answering.models, found[:n], found[n:], strict=True)
    ]


def finding(lines: Sequence[Mapping[str, Any]]) -> str:
    """Which model an edit moves most, and how many verdicts turn, in one sentence.

    Args:
        lines: Each with `name`, as it is called in a sentence, `before` and `after`, from 0 to 1; at least one.
    """
    most = max(lines, key=lambda line: abs(line["after"] - line["before"]))
    points = percent(most["after"]) - percent(most["before"])
    turned = sum((line["before"] >= 0.5) != (line["after"] >= 0.5) for line in lines)
    if not points:
        return "No model changes its verdict by a point"
    sign = "\u2212" if points < 0 else "+"
    moved = f"{sign}{abs(points)} point{'' if abs(points) == 1 else 's'}"
    flips = {0: "no verdict turns", 1: "one verdict turns", len(lines): "all verdicts turn"}
    turns = flips.get(turned, f"{turned} of {len(lines)} verdicts turn")
    name = most["name"]
    return f"{name[0].upper()}{name[1:]} moves most, {moved}; {turns}"


def around(text: str, at: int) -> str:
    """Some words before and after a place in a text."""
    start, end = max(at - _BEFORE, 0), at + _AFTER
    before = text[start:at].partition(" ")[2] if start else text[:at]
    after = text[at:end].rpartition(" ")[0] if end < len(text) else text[at:]
    return f"{'… ' if start else ''}{before}{after}{' …' if end < len(text) else ''}"
