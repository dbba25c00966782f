"""P(positive) as it is shown, and the word for it."""

from __future__ import annotations

UNSURE_FROM, UNSURE_TO = 40, 60
"""Per cents between which, both included, a model is called unsure."""


def percent(probability: float) -> int:
    """P(positive) as it is shown: whole per cents, halves up."""
    return int(probability * 100 + 0.5)


def verdict(percents: int) -> str:
    """The word for P(positive) in whole per cents: positive, negative or unsure."""
    if UNSURE_FROM <= percents <= UNSURE_TO:
        return "unsure"
    return "positive" if percents > UNSURE_TO else "negative"
