"""Figures with their uncertainty."""

from __future__ import annotations

import math

_Z_95 = 1.959964


def accuracy_interval(accuracy: float, n: int) -> tuple[float, float]:
    """The 95 % interval of a share of n (Wilson 1927), from 0 to 1."""
    centre = accuracy + _Z_95**2 / (2 * n)
    spread = _Z_95 * math.sqrt(accuracy * (1 - accuracy) / n + _Z_95**2 / (4 * n**2))
    scale = 1 + _Z_95**2 / n
    return (centre - spread) / scale, (centre + spread) / scale
