"""Long computations as generators: they pause between pieces of at most some 50 ms, so that urgent ones can pass."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

T = TypeVar("T")

TOKENS_A_PIECE = 1_024
"""Padded words that are read in one piece."""


def finished(pieces: Generator[None, None, T]) -> T:
    """The result of a computation, run to its end without a pause."""
    while True:
        try:
            next(pieces)
        except StopIteration as done:
            result: T = done.value
            return result
