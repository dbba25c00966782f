"""How a language model writes: its chances for the next word, sharpened, cut, and drawn from.

With the temperature T, words are drawn with p^(1/T), normalised: below 1 the likely become likelier, above 1 the
unlikely. Then only the k likeliest are kept (top-k; Fan et al. 2018, "Hierarchical neural story generation"), and of
these the fewest that hold a share p of the chances (top-p; Holtzman et al. 2020, "The curious case of neural text
degeneration").
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from seqdemo.errors import ConfigError
from seqdemo.models.language import MaskedLanguageModel, RecurrentLanguageModel
from seqdemo.text import UNKNOWN_ID

MAX_TEMPERATURE = 2.0
_ROWS_AT_ONCE = 48
"""Positions whose chances for all words stand in memory at once."""

Chances = npt.NDArray[np.float64]
"""P of each word of the vocabulary, (vocab_size,)."""


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How the next word is drawn.

    Attributes:
        temperature: From 0, always the likeliest word, to `MAX_TEMPERATURE`; 1 leaves the chances as they are.
        top_k: How many of the likeliest words may be drawn; None for all.
        top_p: The share of the chances that the words that may be drawn hold at least, above 0 to 1.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float = 1.0

    def __post_init__(self) -> None:
        """Refuses what cannot be drawn with."""
        if not 0 <= self.temperature <= MAX_TEMPERATURE:
            raise ConfigError(f"temperature is from 0 to {MAX_TEMPERATURE:g}; got {self.temperature!r}.")
        if self.top_k is not None and (type(self.top_k) is not int or self.top_k < 1):
            raise ConfigError(f"top_k is a whole number from 1 on, or None for all words; got {self.top_k!r}.")
        if not 0 < self.top_p <= 1:
            raise ConfigError(f"top_p is above 0 and at most 1; got {self.top_p!r}.")

    def drawn_with(self, chances: Chances) -> Chances:
        """The chances that words are drawn with; 0 of those that were cut.

        Args:
            chances: The model's; 0 of words that must not be written. They need not sum to 1, but not all are 0.
        """
        if self.temperature == 0:
            likeliest: Chances = np.zeros_like(chances)
            likeliest[chances.argmax()] = 1.0
            return likeliest
        with np.errstate(divide="ignore"):
            powers = np.log(chances) / self.temperature
        found: Chances = np.exp(powers - powers.max())
        found /= found.sum()
        if self.top_k is not None or self.top_p < 1:
            kept = self._kept(found)
            cut: Chances = np.zeros_like(found)
            cut[kept] = found[kept] / found[kept].sum()
            return cut
        return found

    def _kept(self, chances: Chances) -> npt.NDArray[np.intp]:
        """The words that top-k and top-p leave, the likeliest first, of equal ones the first in the vocabulary."""
        n, held = len(chances), chances.sum()
        most = n if self.top_k is None else min(self.top_k, n)
        if most < n:
            some = np.flatnonzero(chances >= np.partition(chances, n - most)[n - most])
        else:  # words below this hold less together than what is cut: they need not be sorted
            some = np.flatnonzero(chances >= (1 - self.top_p) * held / n)
        order = some[np.argsort(-chances[some], kind="stable")][:most]
        if self.top_p < 1:
            sums = chances[order].cumsum()
            order = order[: 1 + int(np.searchsorted(sums, self.top_p * (sums[-1] if most < n else held)))]
        return order


def draw(odds: Chances, rng: np.random.Generator) -> int:
    """The index of a word, drawn.

    Args:
        odds: The chances that words are drawn with; they need not sum to 1.
        rng: Asked for one number.
    """
    sums = odds.cumsum()
    return int(sums.searchsorted(rng.random() * sums[-1], side="right"))


@torch.inference_mode()
def read_on(model: RecurrentLanguageModel, ids: npt.NDArray[np.int64], state: Any = None) -> tuple[Chances, Any]:
    """Reads words and asks for the next.

    Args:
        model: On the CPU.
        ids: Vocabulary indices, at least one, int64 (n,); `PAD_ID` is the end of a text, and so the start of one.
        state: What was returned after the words before; None at the start.

    Returns:
        P(next word), float64 (vocab_size,), and the state to go on from.
    """
    states, state = _states(model, ids, state)
    return _chances(model.decoder(states[0, -1:], model.embedding.weight)), state


@torch.inference_mode()
def state_after(model: RecurrentLanguageModel, ids: npt.NDArray[np.int64], state: Any = None) -> Any:
    """The state after some words, as `read_on` gives and takes it."""
    return _states(model, ids, state)[1]


@torch.inference_mode()
def gates_while_reading(
    model: RecurrentLanguageModel, ids: npt.NDArray[np.int64], state: Any = None
) -> dict[str, npt.NDArray[np.float32]]:
    """What the cell does at each word, by its equations.

    Args:
        model: On the CPU.
        ids: Vocabulary indices, at least one, int64 (n,).
        state: As for `read_on`.

    Returns:
        The signals by name (`SIGNALS`), (n, d_hidden) each.
    """
    recorded = model.record(torch.from_numpy(ids), state)
    return {name: signal[0].float().numpy() for name, signal in recorded.items()}


@torch.inference_mode()
def chances_in_text(
    model: RecurrentLanguageModel, ids: npt.NDArray[np.int64], state: Any = None
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64], Any]:
    """How likely each word of a text was, given those before it.

    Args:
        model: On the CPU.
        ids: Vocabulary indices, int64 (1 + n,); the first is only read.
        state: As for `read_on`.

    Returns:
        P(word), float64 (n,), its rank among all words, 1 for the likeliest, int64 (n,), and the state after the last
        but one word.
    """
    states, state = model.states(torch.from_numpy(ids[:-1])[None], state)
    p, ranks = np.empty(len(ids) - 1), np.empty(len(ids) - 1, dtype=np.int64)
    for start in range(0, len(p), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        logits = model.decoder(states[0, rows], model.embedding.weight)  # (r, vocab_size)
        own = logits.gather(1, torch.from_numpy(ids[1:][rows])[:, None])  # (r, 1)
        p[rows] = (own[:, 0].double() - logits.double().logsumexp(1)).exp().numpy()
        ranks[rows] = 1 + (logits > own).sum(1).numpy()
    return p, ranks, state


@torch.inference_mode()
def hidden_chances(model: MaskedLanguageModel, ids: npt.NDArray[np.int64], place: int) -> Chances:
    """What a model that reads both sides holds likely where a word is hidden.

    Args:
        model: On the CPU.
        ids: Vocabulary indices, int64 (n,).
        place: Index of the word that is hidden from it.

    Returns:
        P(hidden word), float64 (vocab_size,).
    """
    hidden = torch.from_numpy(ids)[None].clone()
    hidden[0, place] = UNKNOWN_ID  # as hidden words are in training
    states = model.states(hidden, None)
    return _chances(model.decoder(states[0, place : place + 1], model.encoder.embedding.weight))


def perplexity(p: npt.NDArray[np.float64]) -> float:
    """Among how many equally likely words a model might as well have chosen: exp of the mean surprise in nats.

    Args:
        p: P of each word, at least one.
    """
    return math.exp(-float(np.log(p).mean()))


def _states(model: RecurrentLanguageModel, ids: npt.NDArray[np.int64], state: Any) -> tuple[Tensor, Any]:
    """Hidden states (1, n, d_hidden), and the state to go on from."""
    if len(ids) > 1:
        return model.states(torch.from_numpy(ids)[None], state)
    # torch's LSTM packs its weights at each call: for one word that takes three times as long as its equations.
    signals = model.record(torch.from_numpy(ids), state)
    hidden = signals["hidden"]
    return hidden, (hidden, signals["cell"]) if "cell" in signals else hidden


def _chances(logits: Tensor) -> Chances:
    """P of each word from the logits of one place, (1, vocab_size)."""
    found: Chances = logits[0].double().softmax(-1).numpy()
    return found
