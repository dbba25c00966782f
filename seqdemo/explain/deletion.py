"""Does a verdict change when the words are taken away that a method points at?

Words are replaced by the unknown word, the most important ones for the verdict first, and
what is left of P(verdict) is compared with taking away as many words at random. The
sooner it falls, the more the method's words mattered.

Sources:
    Samek et al. 2017, "Evaluating the visualization of what a deep neural network has learned".
    DeYoung et al. 2020, "ERASER", section 4: shares up to one half, since a text without most
        of its words is like nothing that a model has read.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from seqdemo.explain import attributions
from seqdemo.explain.methods import METHODS, Attributions, in_favour
from seqdemo.explain.pieces import finished
from seqdemo.text import UNKNOWN_ID

if TYPE_CHECKING:
    from seqdemo.checkpoints.classifier import Classifier

SHARES: tuple[float, ...] = (0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5)
"""Of the words, taken away."""
N_ORDERS = 20
"""Random orders."""
SEED = 1


@dataclass(frozen=True, kw_only=True)
class Deletion:
    """What is left of one verdict.

    Attributes:
        positive: Whether the verdict on the whole text is positive.
        curves: Name of a method → P(that verdict) at each of `SHARES`, float64 (n_shares,).
        by_size: The same with the sign of the figures ignored, which is all that attention can do.
        random: The same for each random order, float64 (N_ORDERS, n_shares).
    """

    positive: bool
    curves: Attributions
    by_size: Attributions
    random: npt.NDArray[np.float64]

    def fall(self, name: str, *, by_size: bool = False) -> float:
        """How far the method's curve lies below the mean of the random ones, on average over the shares.

        In P: 0.2 are 20 points. Below 0 where random words matter more than the method's.
        """
        curves = self.by_size if by_size else self.curves
        return mean_height(self.random.mean(axis=0)) - mean_height(curves[name])

    @property
    def random_falls(self) -> npt.NDArray[np.float64]:
        """The same for each random order, (N_ORDERS,): what chance alone gives."""
        heights = np.array([mean_height(curve) for curve in self.random])
        falls: npt.NDArray[np.float64] = heights.mean() - heights
        return falls


def delete(
    classifier: Classifier, ids: npt.NDArray[np.int64], found: Attributions, n_orders: int = N_ORDERS, seed: int = SEED
) -> Deletion:
    """Takes words away in the order of each method, and in random orders.

    Args:
        classifier: A trained model.
        ids: Vocabulary indices of one text, at least one, int64 (n_tokens,).
        found: Name of a method → its figures; see `METHODS`.
        n_orders: Random orders.
        seed: Of the random orders; they are the same for every model that reads the same words.

    Returns:
        The curves; all begin at P(verdict) of the whole text.
    """
    return finished(delete_pieces(classifier, ids, found, n_orders, seed))


def delete_pieces(
    classifier: Classifier, ids: npt.NDArray[np.int64], found: Attributions, n_orders: int = N_ORDERS, seed: int = SEED
) -> Generator[None, None, Deletion]:
    """`delete` in pieces of a few rows; yields between them."""
    whole = yield from attributions.logits_pieces(classifier, ids[None])
    positive = bool(whole[0] >= 0)
    yield
    importance = [in_favour(values, signed=METHODS[name].signed, positive=positive) for name, values in found.items()]
    importance += [np.abs(values) for values in found.values()]
    orders = [np.argsort(-values, kind="stable") for values in importance]  # of equal words the earlier one first
    rng = np.random.default_rng(seed)
    orders += [rng.permutation(len(ids)) for _ in range(n_orders)]
    numbers = [round(share * len(ids)) for share in SHARES]
    rows = np.repeat(ids[None], len(orders) * len(numbers), axis=0)
    for row, (order, n) in zip(rows, ((order, n) for order in orders for n in numbers), strict=True):
        row[order[:n]] = UNKNOWN_ID
    # Many rows are alike: every curve's first, and in a short text those of neighbouring shares.
    distinct, inverse = np.unique(rows, axis=0, return_inverse=True)
    logits = yield from attributions.logits_pieces(classifier, distinct)
    logits = logits[inverse.ravel()].reshape(len(orders), len(numbers))
    probabilities = 1 / (1 + np.exp(-logits if positive else logits))
    n = len(found)
    return Deletion(
        positive=positive,
        curves=dict(zip(found, probabilities[:n], strict=True)),
        by_size=dict(zip(found, probabilities[n : 2 * n], strict=True)),
        random=probabilities[2 * n :],
    )


def mean_height(curve: npt.NDArray[np.float64]) -> float:
    """The area under a curve over `SHARES`, as its mean height (trapezoids)."""
    return float(np.trapezoid(curve, SHARES) / SHARES[-1])
