"""How the learning rate moves along a run: from an update's number to the share of the highest rate."""

from __future__ import annotations

import math
from collections.abc import Callable

Schedule = Callable[[int, int], float]
"""`(update, updates)` → the share of the highest rate, from 0 to 1; updates count from 0."""
_FIRST = 1e-3
"""Share of the run by which the first rate of `by_share` is above 0."""


def constant(update: int, updates: int) -> float:  # noqa: ARG001 (one shape for all schedules)
    """The highest rate at every update."""
    return 1.0


def warmed_up(schedule: Schedule, share: float) -> Schedule:
    """A line up to the highest rate over the first `share` of all updates, then the schedule over the rest."""

    def factor(update: int, updates: int) -> float:
        warmup = max(1, round(share * updates)) if share else 0
        if update < warmup:
            return (update + 1) / warmup
        return schedule(update - warmup, max(1, updates - warmup))

    return factor


def cosine(update: int, updates: int) -> float:
    """Half a cosine from 1 down to 0 (Loshchilov & Hutter 2017, equation 5)."""
    return 0.5 * (1 + math.cos(math.pi * update / updates))


def by_share(warmup_share: float, floor: float) -> Schedule:
    """A line up and half a cosine down to `floor`, in shares of the run: the warm-up may end between two updates."""

    def factor(update: int, updates: int) -> float:
        done = update / updates
        if done < warmup_share:
            return (done + _FIRST) / (warmup_share + _FIRST)
        return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * (done - warmup_share) / (1 - warmup_share)))

    return factor
