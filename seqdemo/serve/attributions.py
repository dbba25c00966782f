"""Attributions, answered: what several methods or models say of the words of a text, and whether those words matter.

It is computed part by part, the cheap ones first. A question says how many parts it waits for, and is answered with all
that these give: rows of shaded words under each other, sentences, curves and correlations.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from seqdemo.colours import ABOVE_0_NAME, BELOW_0_NAME
from seqdemo.errors import BusyError
from seqdemo.explain.methods import METHODS, SIGNED, shares
from seqdemo.models.registry import MODELS
from seqdemo.serve import word_notes
from seqdemo.serve.answering import Answering
from seqdemo.serve.http import Question, RefusedError
from seqdemo.serve.message import text_id
from seqdemo.serve.worker import Ids, Kind
from seqdemo.text import Reading, at_shown, places

if TYPE_CHECKING:
    from seqdemo.checkpoints.classifier import Classifier
    from seqdemo.explain.attributions import IntegratedGradients
    from seqdemo.explain.beginnings import Beginnings
    from seqdemo.explain.deletion import Deletion
    from seqdemo.serve.service import Service

ALL = "all"
"""In the place of a model's name: all of them, by one method."""
PARTS = QUICK, INTEGRATED, LEFT_OUT, DELETED = "quick", "integrated", "left out", "deleted"
"""The computations, the cheap one first; the last one takes away the words that the others point at."""
PART = {"integrated_gradients": INTEGRATED, "leave_one_out": LEFT_OUT}
"""Which computation a method comes from; all others cost one reading and come together."""
Parts: TypeAlias = Mapping[str, Any]
"""What is known of one model: part → its result, the exception where it failed, None while it is computed."""


def part_pieces(classifier: Classifier, asked: tuple[Any, ...], _: Beginnings) -> Generator[None, None, Any]:
    """One of `PARTS` of a text, in pieces.

    Args:
        classifier: A trained model.
        asked: The part and the ids; for the last part also the names of the methods, and the figures of each.
    """
    from seqdemo.explain import attributions, deletion

    part, ids, *found = asked
    if part == QUICK:
        gradient = attributions.gradient_x_input(classifier, ids)
        yield
        return {"gradient_x_input": gradient, **attributions.attention(classifier, ids)}
    if part == INTEGRATED:
        return (yield from attributions.integrated_gradients_pieces(classifier, ids))
    if part == LEFT_OUT:
        return (yield from attributions.leave_one_out_pieces(classifier, ids))
    return (yield from deletion.delete_pieces(classifier, ids, dict(zip(*found, strict=True))))


ATTRIBUTIONS = "attributions"
_NO_VERDICT = "There is no verdict to take words from."
_NO_ORDERS = "There are no two orders of words to compare."
KINDS = {ATTRIBUTIONS: Kind(rank=2, pieces=part_pieces, patience_s=120.0, of_each_model=False)}


async def attributions(service: Service, question: Question) -> dict[str, Any]:
    """`POST /api/v1/attributions`: which words moved a model's verdict, by every method, and whether they matter.

    The question's `model` is the name of one, or `all`, which is to say each by one `method` with a sign; `parts` is
    how many of the computations are waited for, by default every one.

    Returns:
        What `answer` gives; `said`: why there is nothing to show, where that is so; `parts`: how many are in, of
        `n_parts`; `loading`: models that will still come.
    """
    answering = service.asked(question)
    model = _one_of(question, "model", [*MODELS, ALL], ALL)
    method = _one_of(question, "method", SIGNED, SIGNED[0])
    readings = await asyncio.to_thread(answering.read, question.text)
    loading = [name for name in answering.loading if model in (name, ALL)]
    readings = {name: reading for name, reading in readings.items() if model in (name, ALL)}
    if not any(reading.tokens for reading in readings.values()):
        nothing = {} if loading else {"curves": {"said": _NO_VERDICT}, "agreement": {"said": _NO_ORDERS}}
        said = _nothing(answering, model, readings)
        return {"said": said, "parts": 0, "n_parts": 0, "loading": loading, **nothing}
    if model == ALL:
        asked = [(name, PART.get(method, QUICK)) for name in readings]
    else:
        asked = [(model, part) for part in PARTS]
    found: dict[str, dict[str, Any]] = {name: {} for name in readings}
    n = max(1, min(question.entry("parts", int, len(asked)), len(asked)))
    for name, part in asked[:n]:
        found[name][part] = await _part(
            service, question, answering.models[name], readings[name].ids, part, found[name]
        )
    shown = await asyncio.to_thread(answer, answering, readings, model, method, found)
    return {"said": "", "parts": n, "n_parts": len(asked), "loading": loading, **shown}


async def _part(service: Service, question: Question, model: Classifier, ids: Ids, part: str, known: Parts) -> Any:
    """The result of one part, or the exception where it failed, which then stands in its place."""
    asked: tuple[Any, ...] = (part, ids)
    if part == DELETED:
        rows = rows_of_methods(model.name, known)
        if any(row.values is None for row in rows):
            return next(found for found in known.values() if isinstance(found, Exception))
        asked += (tuple(row.name for row in rows), tuple(row.values for row in rows))
    try:
        return await service.ask(ATTRIBUTIONS, model, asked, question.visitor)
    except BusyError:
        raise
    except Exception as error:  # the worker's log says which; the other parts stand
        return error


def _one_of(question: Question, name: str, allowed: Sequence[str], default: str) -> str:
    found: str = question.entry(name, str, default)
    if found not in allowed:
        raise RefusedError(f"The entry {name!r} is one of {', '.join(allowed)}; not {found[:40]!r}.")
    return found


def _nothing(answering: Answering, model: str, readings: Mapping[str, Reading]) -> str:
    """Why there is nothing to show."""
    if readings:
        return word_notes.note(answering.named(readings))
    if model in answering.failed:
        return f"The {MODELS[model].label} could not be loaded. {answering.failed[model]}"
    return "Loading the models" if answering.loading else "No model could be loaded."


def answer(
    answering: Answering,
    readings: Mapping[str, Reading],
    model: str,
    method: str,
    found: Mapping[str, Parts],
) -> dict[str, Any]:
    """All that the page shows of what is known by now.

    Args:
        answering: Whose models are on screen.
        readings: What each of them reads of the text, by name.
        model: The name of one, or `ALL`.
        method: The signed method by which all are shown.
        found: What is known of each.

    Returns:
        `rows`: as `rows_data`; `how`, how to read them; `completeness`, a sentence; `curves`: as `curves_data`, of one
        model; `agreement`: as `agreement_data`. The last two are None while they are computed, and hold only a
        sentence, `said`, where there are none.
    """
    if model == ALL:
        rows = rows_of_models(answering, readings, method, found)
        curves, completed = None, ""
    else:
        rows = rows_of_methods(model, found[model])
        curves, completed = curves_data(model, found[model]), _completed(found[model].get(INTEGRATED))
    return {
        "rows": rows_data(answering, readings, rows),
        "how": how_to_read(rows),
        "completeness": completed,
        "curves": curves,
        "agreement": agreement_data(rows),
    }


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of shaded words.

    Attributes:
        name: Of the method, or of the model where all are shown.
        label: On screen.
        signed: Whether its figures have a direction.
        values: One figure for each word that is shown, or None where there is none yet.
        problem: Why there is none, in a few words.
        is_coming: Whether they are still being computed.
    """

    name: str
    label: str
    signed: bool
    values: npt.NDArray[np.float64] | None
    problem: str = ""
    is_coming: bool = False


def rows_of_methods(model: str, parts: Parts) -> list[Row]:
    """What each method that a model has says, one row each.

    Args:
        model: Its name.
        parts: What is known of it.
    """
    names = METHODS if MODELS[model].has_attention else SIGNED
    return [_row(name, METHODS[name].label, METHODS[name].signed, _figures(name, parts)) for name in names]


def rows_of_models(
    answering: Answering, readings: Mapping[str, Reading], method: str, found: Mapping[str, Parts]
) -> list[Row]:
    """What each model says by one method, one row each, all at the words that the first of them reads.

    Args:
        answering: Whom to call how.
        readings: What each reads of the text, by name.
        method: A signed one.
        found: What is known of each.
    """
    rows = []
    for name, reading in readings.items():
        figures = _figures(method, found.get(name, {}))
        if isinstance(figures, np.ndarray):
            figures = at_shown(figures, reading, next(iter(readings.values())))
        rows.append(_row(name, answering.label(name), True, figures))
    return rows


def rows_data(answering: Answering, readings: Mapping[str, Reading], rows: Sequence[Row]) -> dict[str, Any]:
    """What the component takes.

    Args:
        answering: Whose models are on screen.
        readings: What each model on screen reads of the text, by name; the words of the first are shown.
        rows: At least one; each of a model, or all of the one.
    """
    reading = next(iter(readings.values()))
    is_word = np.array([token.text[0].isalnum() for token in reading.tokens])
    known = [np.abs(shares(row.values)) * is_word for row in rows if row.values is not None]
    return {
        "text_id": text_id(reading.text),
        **word_notes.shown(answering.named(readings)),
        "start": int(np.argmax(np.sum(known, axis=0))) if known else 0,
        "rows": [
            {
                "label": row.label,
                "unknown": _unknown(readings.get(row.name, reading), reading),
                "signed": row.signed,
                "values": None if row.values is None else [float(f"{value:.5g}") for value in row.values],
                "problem": row.problem,
                "colour": MODELS[row.name].colour if row.name in MODELS else None,
                "dash": MODELS[row.name].dash if row.name in MODELS else None,
            }
            for row in rows
        ],
    }


def how_to_read(rows: Sequence[Row]) -> str:
    """What the shades of the rows mean."""
    unsigned = any(not row.signed for row in rows)
    return (
        "How to read this: each row shades the words by its share of all that the row hands out. "
        f"{ABOVE_0_NAME.capitalize()}, with a line above: towards positive; {BELOW_0_NAME}, with a line below: towards "
        "negative"
        + ("; grey: attention, which has no direction" if unsigned else "")
        + ". Point at a word, or use the arrow keys, to mark it in all rows. Logits are P(positive) before it is "
        "squashed: 0 is 50\u00a0%."
    )


def curves_data(model: str, parts: Parts) -> dict[str, Any] | None:
    """What is left of the verdict on this text without the words that each method points at.

    Args:
        model: Its name.
        parts: What is known of it.

    Returns:
        `shares` of the words, taken away; `lines`: one a method, and random words with a band; `alt`.
    """
    if any(isinstance(part, Exception) for part in parts.values()):
        return {"said": "This could not be computed for this text."}
    deleted: Deletion | None = parts.get(DELETED)
    if deleted is None:
        return None
    from seqdemo.charts import attributions as charts
    from seqdemo.studies import attributions as study

    table = study.curves_of(deleted)
    lines = []
    for name in table["method"].unique():
        points = table[table["method"] == name]
        label = points["label"].iloc[0]
        lines.append(
            {
                "label": label,
                "end": charts.end_words(label, deleted.fall(name) if name in deleted.curves else None),
                "dash": " ".join(map(str, charts.DASHES.get(name, ()))),
                "colour": MODELS[model].colour if name in SIGNED else None,
                "p": _rounded(points["p"]),
                "band": [_rounded(points["low"]), _rounded(points["high"])] if name == study.RANDOM else None,
            }
        )
    shares_taken = table["share"].drop_duplicates().tolist()
    return {"said": "", "shares": shares_taken, "lines": lines, "alt": charts.deletion_alt(table)}


def agreement_data(rows: Sequence[Row]) -> dict[str, Any] | None:
    """How far every two of the rows agree on the order of the words.

    Returns:
        `labels` of the rows; `pairs`: `one`, `other` and their rank correlation `rho`, None where there is no order to
        compare; a `sentence`.
    """
    known = {row.label: row.values for row in rows if row.values is not None}
    if any(row.is_coming for row in rows):
        return None
    from seqdemo.studies import attributions as study

    table = study.correlations_of(known)
    if table.empty:
        return {"said": _NO_ORDERS}
    pairs = [
        {"one": row["one"], "other": row["other"], "rho": None if np.isnan(row["rho"]) else round(row["rho"], 4)}
        for row in table.to_dict("records")
    ]
    return {"said": "", "labels": list(known), "pairs": pairs, "sentence": study.agreement(table)}


def _completed(part: IntegratedGradients | Exception | None) -> str:
    if part is None:
        return "Integrated gradients are being computed."
    return "" if isinstance(part, Exception) else completeness(part)


def completeness(found: IntegratedGradients) -> str:
    """Whether integrated gradients add up to what they must, in a sentence."""
    relative = found.error / abs(found.difference) if found.difference else 0.0
    missed = "less than 0.001" if found.error < 0.001 else f"{found.error:.3f}"
    share = "less than 0.1" if relative < 0.001 else f"{100 * relative:.1f}"
    sentence = (
        f"Integrated gradients add up: from {_logit(found.baseline)} logits, what the model says of as many "
        f"unknown words (the baseline), to {_logit(found.logit)} for the review. The words together miss this "
        f"difference of {_logit(found.difference)} by {missed} logits ({share}\u00a0% of it), with {found.n_steps} "
        "points on the way"
    )
    return f"{sentence}." if found.is_complete else f"{sentence}: not close, so take this row with care."


def _unknown(reading: Reading, shown: Reading) -> list[int]:
    """The words shown at which the model does not know one of its own."""
    found: list[int] = np.unique(places(reading, shown)[np.flatnonzero(reading.unknown)]).tolist()
    return found


def _logit(value: float) -> str:
    text = f"{abs(value):.2f}"
    return f"\u2212{text}" if value < 0 and float(text) else text


def _figures(method: str, parts: Parts) -> npt.NDArray[np.float64] | Exception | None:
    part = parts.get(PART.get(method, QUICK))
    if part is None or isinstance(part, Exception):
        return part
    figures: npt.NDArray[np.float64] = (
        part.values if method == "integrated_gradients" else part if method in PART else part[method]
    )
    return figures


def _row(name: str, label: str, signed: bool, figures: npt.NDArray[np.float64] | Exception | None) -> Row:
    if isinstance(figures, np.ndarray):
        return Row(name=name, label=label, signed=signed, values=figures)
    problem = "being computed" if figures is None else "could not be computed"
    return Row(name=name, label=label, signed=signed, values=None, problem=problem, is_coming=figures is None)


def _rounded(values: Any) -> list[float]:
    return [round(value, 4) for value in values.tolist()]
