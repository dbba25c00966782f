"""What a model did at every step of one text, as named arrays.

A `Trace` holds numpy arrays only: it can be cached, compared and sent to a browser
without torch. `SIGNALS` says of each name what its axes are, how it is written in
equations, between which bounds it lies and what it means; captions, legends and
colour scales are made from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seqdemo.errors import TraceError


@dataclass(frozen=True, kw_only=True)
class Signal:
    """What is known of a signal before it is measured.

    Attributes:
        axes: The meaning of each array axis: layer, head, step, query, key or unit.
        symbol: How papers write it.
        low: Closed lower bound, or None where there is none.
        high: Closed upper bound, or None where there is none.
        meaning: One sentence for a reader.
    """

    axes: tuple[str, ...]
    symbol: str
    low: float | None = None
    high: float | None = None
    meaning: str


_STEPS = ("layer", "step", "unit")
_HEADS = ("layer", "head", "step", "unit")


def _recurrent(direction: str, suffix: str) -> dict[str, Signal]:
    def gate(symbol: str, meaning: str) -> Signal:
        return Signal(axes=_STEPS, symbol=symbol, low=0, high=1, meaning=f"{meaning} ({direction}).")

    def squashed(symbol: str, meaning: str) -> Signal:
        return Signal(axes=_STEPS, symbol=symbol, low=-1, high=1, meaning=f"{meaning} ({direction}).")

    return {
        f"hidden{suffix}": squashed("h", "What the cell shows to the rest of the model after each word"),
        f"cell{suffix}": Signal(
            axes=_STEPS, symbol="c", meaning=f"What an LSTM carries on from word to word ({direction})."
        ),
        f"input_gate{suffix}": gate("i", "How much of the candidate is written into the cell"),
        f"forget_gate{suffix}": gate("f", "How much of the cell is kept; 1 keeps all, 0 forgets all"),
        f"output_gate{suffix}": gate("o", "How much of the cell is shown"),
        f"candidate{suffix}": squashed("g", "What this word proposes to store"),
        f"reset_gate{suffix}": gate("r", "How much of the old state the candidate may see"),
        f"update_gate{suffix}": gate("z", "How much of the old state is kept; 1 keeps all"),
    }


SIGNALS: dict[str, Signal] = {
    **_recurrent("read left to right", ""),
    **_recurrent("read right to left", "_backward"),
    "probability": Signal(
        axes=("step",), symbol="P(positive)", low=0, high=1, meaning="The verdict if the text ended after this word."
    ),
    "word_probability": Signal(
        axes=("step",),
        symbol="P(word)",
        low=0,
        high=1,
        meaning="How likely a language model held this word, having read those before it.",
    ),
    "attention": Signal(
        axes=("layer", "head", "query", "key"),
        symbol="softmax(q·k/√d)",
        low=0,
        high=1,
        meaning="How much each word (query) takes from each other word (key): where it looked, not why.",
    ),
    "query": Signal(axes=_HEADS, symbol="q", meaning="What a word asks for."),
    "key": Signal(axes=_HEADS, symbol="k", meaning="What a word answers to."),
    "value": Signal(axes=_HEADS, symbol="v", meaning="What a word hands over where it is looked at."),
    "residual": Signal(axes=_STEPS, symbol="x", meaning="The stream of vectors that leaves each layer, one a word."),
}


@dataclass(frozen=True)
class Trace:
    """What one model did on one text.

    Attributes:
        tokens: The words read, n_steps of them.
        probability: P(positive) for the whole text, from 0 to 1; NaN from a model that gives no verdict.
        signals: Name → float32 array; `SIGNALS` names the axes of each.

    Raises:
        TraceError: A signal has an unknown name, another number of axes, or a step,
            query or key axis that does not have one entry for each token.
    """

    tokens: tuple[str, ...]
    probability: float
    signals: Mapping[str, npt.NDArray[np.float32]]

    def __post_init__(self) -> None:
        """Checks every signal against `SIGNALS`."""
        for name, array in self.signals.items():
            if name not in SIGNALS:
                raise TraceError(f"There is no signal called {name!r}; known are {', '.join(SIGNALS)}.")
            axes = SIGNALS[name].axes
            if array.ndim != len(axes):
                raise TraceError(f"{name} has the axes {', '.join(axes)}; an array of shape {array.shape} came.")
            if array.dtype != np.float32:
                raise TraceError(f"{name} is float32; {array.dtype} came.")
            for axis, length in zip(axes, array.shape, strict=True):
                if axis in {"step", "query", "key"} and length != len(self.tokens):
                    raise TraceError(f"{name} has {length} entries along {axis} for {len(self.tokens)} tokens.")
