"""Probabilities that mean what they say: one temperature for all logits (Guo et al. 2017, section 4.2)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

Logits = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]

_TEMPERATURES = np.exp(np.linspace(np.log(0.25), np.log(4.0), 401))


def fit_temperature(logits: Logits, labels: Labels) -> float:
    """The temperature T for which sigmoid(logit / T) has the lowest cross-entropy.

    Args:
        logits: Of P(label 1), (n,).
        labels: 0 or 1, (n,).

    Returns:
        From 0.25 to 4, to 0.7 % exactly.
    """
    signed = logits * (2 * labels - 1)
    losses = [np.logaddexp(0, -signed / temperature).mean() for temperature in _TEMPERATURES]
    return float(_TEMPERATURES[int(np.argmin(losses))])


def expected_calibration_error(logits: Logits, labels: Labels, bins: int = 15) -> float:
    """Mean gap between confidence and accuracy over equal bins of confidence (Guo et al. 2017, eq. 3), from 0 to 1."""
    confidence = 1 / (1 + np.exp(-np.abs(logits.astype(np.float64))))  # 0.5 to 1
    right = (logits > 0) == (labels == 1)
    place = np.minimum(((confidence - 0.5) * 2 * bins).astype(np.int64), bins - 1)
    total = np.bincount(place, minlength=bins)
    gaps = np.abs(np.bincount(place, weights=confidence - right, minlength=bins))
    return float(gaps.sum() / total.sum())


@torch.no_grad()
def cool(head: nn.Linear, temperature: float) -> None:
    """Builds a temperature into a linear head, so that it enters every probability made of its logits."""
    head.weight.div_(temperature)
    head.bias.div_(temperature)
