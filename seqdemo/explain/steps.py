"""Every step of a recurrent model on one text, and every addend of one unit's equations.

The model is a classifier or a language model: the cell is the same. A language model has read the end of another text
before its first word (`after_the_end_of_a_text`), which counts as a word here.

The states come from torch's fused layer; the equations of `models.cells` then run once
over all steps, each with the state before it, which gives every gate in one product
(an LSTM's cell state still goes step by step).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from seqdemo.errors import ConfigError
from seqdemo.models import writing
from seqdemo.models.cells import GRUStep, LSTMStep, RNNStep, gru_step, lstm_step, rnn_step
from seqdemo.models.language import RecurrentLanguageModel
from seqdemo.models.recurrent import RecurrentClassifier, weights_of
from seqdemo.models.registry import MODELS
from seqdemo.trace import Trace

if TYPE_CHECKING:
    from seqdemo.checkpoints.classifier import Classifier
    from seqdemo.checkpoints.language_model import LanguageModel

GATES: dict[str, tuple[str, ...]] = {
    "rnn": ("hidden",),
    "gru": ("reset_gate", "update_gate", "candidate"),
    "lstm": ("input_gate", "forget_gate", "candidate", "output_gate"),
}
"""What each cell squashes, in the order in which torch stacks its weights."""
FORWARD, BACKWARD = "", "_backward"
"""The directions of reading, as the suffixes of signal names."""


@dataclass(frozen=True)
class UnitSteps:
    """The numbers in one unit's equations at every step, in reading order.

    Attributes:
        biases: Of each squashed sum: what is added to the word's part and to the
            state's part. Only a GRU's candidate needs them apart.
        series: `NAME.x`, `NAME.h` and `NAME.sum` of each name in `GATES` (the word's
            part, the state's part, what is squashed), and the signals themselves;
            float32 (n_steps,) each.
    """

    biases: Mapping[str, tuple[float, float]]
    series: Mapping[str, npt.NDArray[np.float32]]


def trace(classifier: Classifier, text: str) -> Trace:
    """Records every gate on one text; equal to `Classifier.trace`, several times as fast.

    Args:
        classifier: A recurrent model.
        text: A review with at least one word.

    Returns:
        Tokens, probability and signals; `probability` among the signals where the model
        has prefix states.

    Raises:
        TextError: The text holds no word.
        ConfigError: The model has no recurrent cell.
    """
    reading = classifier.vocabulary.require(text)
    return dataclasses.replace(trace_ids(classifier, reading.ids), tokens=tuple(token.text for token in reading.tokens))


def trace_ids(checkpoint: Classifier | LanguageModel, words: npt.NDArray[np.int64]) -> Trace:
    """`trace` of a text that was read already.

    Args:
        checkpoint: A recurrent model.
        words: Vocabulary indices, at least one, int64 (n_tokens,).

    Returns:
        As `trace`; its tokens are the words as the model knows them. A language model's has `word_probability` and no
        probability; of the first word nothing is foretold: NaN.
    """
    model = recurrent(checkpoint)
    ids = torch.from_numpy(words)
    layers: list[dict[str, Tensor]] = []
    with torch.inference_mode():
        x = model.embedding(ids)  # (T, d_embed)
        for k, layer in enumerate(model.left_to_right):
            signals = _record(model.config.cell, layer, x)
            states = signals["hidden"]  # (T, d_hidden)
            if model.config.bidirectional:
                backward = _record(model.config.cell, model.right_to_left[k], x.flip(0))
                signals |= {f"{name}{BACKWARD}": signal.flip(0) for name, signal in backward.items()}
                states = torch.cat([states, signals[f"hidden{BACKWARD}"]], dim=-1)  # (T, 2 * d_hidden)
            layers.append(signals)
            x = states
        recorded = {name: torch.stack([signals[name] for signals in layers]).contiguous().numpy() for name in layers[0]}
        probability = _verdict(checkpoint, model, words, x, recorded)
    return Trace(tuple(checkpoint.vocabulary.words[index] for index in words), probability, recorded)


def _verdict(
    checkpoint: Classifier | LanguageModel,
    model: RecurrentClassifier | RecurrentLanguageModel,
    words: npt.NDArray[np.int64],
    states: Tensor,
    recorded: dict[str, npt.NDArray[np.float32]],
) -> float:
    """P(positive), and what is known of it, or of the next word, at each step, which goes into `recorded`."""
    if isinstance(model, RecurrentLanguageModel):
        known, _, _ = writing.chances_in_text(model, words)
        recorded["word_probability"] = np.concatenate([[math.nan], known]).astype(np.float32)
        return math.nan
    if model.has_prefix_states:
        recorded["probability"] = torch.sigmoid(model.head(states))[:, 0].numpy()
        return float(recorded["probability"][-1])
    return float(checkpoint.predict_ids([words])[0])  # type: ignore[union-attr]  # the checkpoint of a classifier


def recurrent(checkpoint: Classifier | LanguageModel) -> RecurrentClassifier | RecurrentLanguageModel:
    """The module of a recurrent model.

    Raises:
        ConfigError: It is another kind of model.
    """
    if not isinstance(checkpoint.model, RecurrentClassifier | RecurrentLanguageModel):
        raise ConfigError(f"{MODELS[checkpoint.name].label} has no recurrent cell to step through.")
    return checkpoint.model


def unit_steps(
    checkpoint: Classifier | LanguageModel,
    traced: Trace,
    words: npt.NDArray[np.int64],
    unit: int,
    direction: str = FORWARD,
) -> UnitSteps:
    """All addends of one unit of the last layer, at every step.

    Args:
        checkpoint: A recurrent model.
        traced: Its trace on the text.
        words: The text, int64 (n_tokens,).
        unit: Index of the unit, from 0.
        direction: `FORWARD` or `BACKWARD`.

    Returns:
        The numbers, so that for each name but a GRU's candidate
        sum = x + h + both biases, and its signal is the squashed sum.
    """
    model = recurrent(checkpoint)
    layer = (model.right_to_left if direction == BACKWARD else model.left_to_right)[-1]
    w = weights_of(layer)
    cell, d_hidden = model.config.cell, model.config.d_hidden
    names = GATES[cell]
    rows = torch.arange(len(names)) * d_hidden + unit
    hidden = torch.tensor(traced.signals[f"hidden{direction}"][-1])  # (T, d_hidden)
    series: dict[str, npt.NDArray[np.float32]] = {}
    with torch.inference_mode():
        if direction == BACKWARD:
            before = torch.cat([hidden[1:], torch.zeros_like(hidden[:1])])
        else:
            before = torch.cat([torch.zeros_like(hidden[:1]), hidden[:-1]])
        x_parts = (_input(model, traced, words) @ w.W_ih[rows].T).T  # (n_gates, T)
        h_parts = (before @ w.W_hh[rows].T).T  # (n_gates, T)
        b_x, b_h = w.b_ih[rows], w.b_hh[rows]
        for k, name in enumerate(names):
            if cell == "gru" and name == "candidate":
                reset = torch.tensor(traced.signals[f"reset_gate{direction}"][-1, :, unit])
                total = x_parts[k] + b_x[k] + reset * (h_parts[k] + b_h[k])
            else:
                total = x_parts[k] + h_parts[k] + (b_x[k] + b_h[k])
            for part, values in (("x", x_parts[k]), ("h", h_parts[k]), ("sum", total)):
                series[f"{name}.{part}"] = values.contiguous().numpy()
    for name in signal_names(traced, direction):
        series[name] = np.ascontiguousarray(traced.signals[name + direction][-1, :, unit])
    biases = {name: (b_x[k].item(), b_h[k].item()) for k, name in enumerate(names)}
    return UnitSteps(biases, series)


def signal_names(traced: Trace, direction: str = FORWARD) -> list[str]:
    """The signals of one direction, without its suffix."""
    if direction:
        return [name.removesuffix(direction) for name in traced.signals if name.endswith(direction)]
    return [name for name, signal in traced.signals.items() if not name.endswith(BACKWARD) and signal.ndim > 1]


def standout_unit(checkpoint: Classifier | LanguageModel, traced: Trace, direction: str = FORWARD) -> int:
    """The unit whose changes along the text move the answer most: the size of its weights times the range of h.

    The weights are those of a classifier's head, or of what a language model turns into the next word.
    """
    model = recurrent(checkpoint)
    d_hidden = model.config.d_hidden
    start = d_hidden if direction == BACKWARD else 0
    if isinstance(model, RecurrentLanguageModel):
        size = model.decoder.projection.weight.norm(dim=0)
    else:
        size = model.head.weight[0, start : start + d_hidden].abs()
    return int(np.argmax(size.numpy() * np.ptp(traced.signals[f"hidden{direction}"][-1], axis=0)))


def by_activity(hidden: npt.NDArray[np.float32]) -> npt.NDArray[np.uint16]:
    """Units in the order of the step at which each is most active.

    Args:
        hidden: States in reading order, (n_steps, n_units).

    Returns:
        Unit indices, uint16 (n_units,).
    """
    return np.argsort(np.abs(hidden).argmax(axis=0), kind="stable").astype(np.uint16)


def spread(gate: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """First quartile, mean and third quartile over the units.

    Args:
        gate: (n_steps, n_units).

    Returns:
        (3, n_steps).
    """
    low, high = np.quantile(gate, (0.25, 0.75), axis=1)
    return np.stack([low, gate.mean(axis=1), high]).astype(np.float32)


def quantised(signal: npt.NDArray[np.float32], bound: float) -> npt.NDArray[np.uint8]:
    """A signal between -bound and bound in 255 levels, for colours; 0 is exactly 128."""
    levels: npt.NDArray[np.uint8] = (np.clip(np.rint(signal * (127 / bound)), -127, 127) + 128).astype(np.uint8)
    return levels


def _record(cell: str, layer: nn.Module, x: Tensor) -> dict[str, Tensor]:
    """All signals of one layer in one direction, (T, d_hidden) each, from word vectors (T, d)."""
    w = weights_of(layer)
    hidden = layer(x[None])[0][0]
    before = torch.cat([torch.zeros_like(hidden[:1]), hidden[:-1]])  # h_{t-1} of every step
    step: RNNStep | GRUStep | LSTMStep
    if cell == "rnn":
        step = rnn_step(x, before, w)
    elif cell == "gru":
        step = gru_step(x, before, w)
    else:
        step = lstm_step(x, before, torch.zeros_like(before), w)  # gates do not look at c
        c = torch.zeros_like(hidden[0])
        states = []
        for kept, written in zip(step.forget_gate, step.input_gate * step.candidate, strict=True):
            c = kept * c + written
            states.append(c)
        c_all = torch.stack(states)
        step = step._replace(cell=c_all, hidden=step.output_gate * torch.tanh(c_all))
    return step._asdict()


def _input(model: RecurrentClassifier | RecurrentLanguageModel, traced: Trace, words: npt.NDArray[np.int64]) -> Tensor:
    """What the last layer reads, (T, d): word vectors, or the states of the layer below."""
    if model.config.n_layers == 1:
        vectors: Tensor = model.embedding(torch.from_numpy(words))
        return vectors
    suffixes = (FORWARD, BACKWARD) if model.config.bidirectional else (FORWARD,)
    return torch.cat([torch.tensor(traced.signals[f"hidden{suffix}"][-2]) for suffix in suffixes], dim=-1)
