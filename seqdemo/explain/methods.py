"""The ways to say which words matter, what each figure means, and how far two of them agree.

Needs no torch, so that pages can name the methods before it is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, kw_only=True)
class Method:
    """What is known of a method before anything is measured.

    Attributes:
        name: Its name in tables and stored results.
        label: Its name on screen.
        signed: Whether its figures say in which direction a word pushes, in logits; otherwise they are shares of
            attention, which have no direction.
        meaning: One sentence for a reader.
    """

    name: str
    label: str
    signed: bool
    meaning: str


METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method(
            name="integrated_gradients",
            label="Integrated gradients",
            signed=True,
            meaning="How much of the logit each word brings in while all fade in together from unknown words.",
        ),
        Method(
            name="gradient_x_input",
            label="Gradient \u00d7 input",
            signed=True,
            meaning="How much the logit would fall with an unknown word there if the model were a straight line.",
        ),
        Method(
            name="leave_one_out",
            label="Leave one word out",
            signed=True,
            meaning="How much the logit falls when the model reads the unknown word in its place.",
        ),
        Method(
            name="rollout",
            label="Attention rollout",
            signed=False,
            meaning="The share of attention that the word gets, followed back through all layers.",
        ),
        Method(
            name="mean_attention",
            label="Mean attention",
            signed=False,
            meaning="The share of attention that the word gets, as a mean over layers, heads and asking words.",
        ),
    )
}
SIGNED = tuple(name for name, method in METHODS.items() if method.signed)
"""The methods that every model has."""

Attributions = Mapping[str, npt.NDArray[np.float64]]
"""Name of a method → one figure for each word, (n_tokens,)."""


def rank_correlation(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> float:
    """Spearman's rank correlation of absolute values: whether two methods put words in the same order of importance.

    Words of equal value share the mean of their ranks.

    Args:
        one: One figure for each word, (n_tokens,).
        other: The same from another method.

    Returns:
        From -1 to 1; NaN where one of them gives all words the same value, so that there is no order.
    """
    ranks = [_ranks(values) - (len(values) - 1) / 2 for values in (one, other)]
    lengths = [float(np.sqrt((each**2).sum())) for each in ranks]
    if not all(lengths):
        return float("nan")
    return float(np.clip((ranks[0] * ranks[1]).sum() / (lengths[0] * lengths[1]), -1, 1))


def shares(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Each word's part of all that a method hands out: value / Σ |value|, its sign kept; zeros where there is none."""
    total = np.abs(values).sum()
    return values / total if total else np.zeros_like(values)


def in_favour(values: npt.NDArray[np.float64], *, signed: bool, positive: bool) -> npt.NDArray[np.float64]:
    """How much each word speaks for a verdict.

    Args:
        values: Figures of a method, (n_tokens,).
        signed: Whether they have a direction.
        positive: Whether the verdict is positive.

    Returns:
        The figures themselves for a positive verdict and where there is no direction, otherwise turned round.
    """
    return values if positive or not signed else -values


def _ranks(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    _, inverse, counts = np.unique(np.abs(values), return_inverse=True, return_counts=True)
    means: npt.NDArray[np.float64] = (np.cumsum(counts) - (counts + 1) / 2)[inverse]
    return means
