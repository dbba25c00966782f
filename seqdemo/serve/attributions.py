"""What several methods or models say of the words of a text: rows under each other, and sentences about them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from seqdemo.explain.methods import METHODS, SIGNED, shares
from seqdemo.models.registry import MODELS
from seqdemo.serve import word_notes
from seqdemo.serve.answering import Answering
from seqdemo.text import Reading, places

if TYPE_CHECKING:
    from seqdemo.explain.attributions import IntegratedGradients

PARTS = QUICK, INTEGRATED, LEFT_OUT = "quick", "integrated", "left out"
"""The computations, the cheap one first."""
PART = {"integrated_gradients": INTEGRATED, "leave_one_out": LEFT_OUT}
"""Which computation a method comes from; all others cost one reading and come together."""
Parts: TypeAlias = Mapping[str, Any]
"""What is known of one model: part → its result, the exception where it failed, None while it is computed."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of shaded words.

    Attributes:
        name: Of the method, or of the model where all are shown.
        label: On screen.
        signed: Whether its figures have a direction.
        values: One figure for each word that is shown, or None where there is none yet.
        problem: Why there is none, in a few words.
    """

    name: str
    label: str
    signed: bool
    values: npt.NDArray[np.float64] | None
    problem: str = ""


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


def at_shown(values: npt.NDArray[np.float64], reading: Reading, shown: Reading) -> npt.NDArray[np.float64]:
    """A model's figures at the words that are shown, where rules of two versions cut a text differently.

    Args:
        values: One figure for each token that the model reads, (n_tokens,).
        reading: What it reads.
        shown: What is shown of the same text.

    Returns:
        (n_shown,): the sum over the tokens that stand at a word, so that no figure is lost.
    """
    found = np.zeros(len(shown.tokens))
    np.add.at(found, places(reading, shown), values)
    return found


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
        "text_id": digest(reading.text),
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


def digest(text: str) -> str:
    """A text by sixteen hexadecimal digits."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


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
    return Row(name=name, label=label, signed=signed, values=None, problem=problem)
