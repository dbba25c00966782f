"""Why a recurrent model forgets: the spectrum of its matrices, and what its gates keep.

Sources:
    Pascanu, Mikolov & Bengio 2013, "On the difficulty of training recurrent neural
        networks", section 2: singular values of W_hh and long-term gradients.
    Gers et al. 2000: along the cell line of an LSTM, ∂c_T / ∂c_t contains ∏ f_s, s = t+1 … T.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from seqdemo.errors import ConfigError
from seqdemo.explain.pieces import finished
from seqdemo.models import registry
from seqdemo.models.recurrent import RecurrentClassifier

if TYPE_CHECKING:
    from seqdemo.checkpoints.classifier import Classifier
    from seqdemo.models.registry import SequenceModel
    from seqdemo.trace import Trace

KEEPING_GATE = {"lstm": "forget_gate", "gru": "update_gate"}
"""The gate whose value is the kept share of the old state; a GRU's z keeps here: h = (1 - z)·n + z·h."""
BLOCKS = {
    "rnn": ("state",),
    "gru": ("reset gate", "update gate", "candidate"),
    "lstm": ("input gate", "forget gate", "candidate", "output gate"),
}
"""What each square block of W_hh feeds, in torch's order."""
_CHANCE = threading.Lock()  # torch's generator belongs to the whole process


@dataclass(frozen=True)
class Spectrum:
    """One square block of W_hh.

    Attributes:
        eigenvalues: complex128 (d_hidden,), the longest first.
        singular_values: float64 (d_hidden,), the largest first.
    """

    eigenvalues: npt.NDArray[np.complex128]
    singular_values: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Kept:
    """What the gates of one model keep of its memory along a text, over the units of the last layer.

    Attributes:
        gate: Mean of the kept share at each word, from 0 to 1, (n_tokens,).
        survives: The share of what stood in memory after each word that the gates let
            through to the end, ∏ f_s for s after the word: the median over the units, the
            last decile, and the unit that keeps most, (3, n_tokens); 1 at the last word.
    """

    gate: npt.NDArray[np.float64]
    survives: npt.NDArray[np.float64]


def spectra(model: SequenceModel) -> dict[str, Spectrum]:
    """The spectrum of each block of W_hh in the first layer, left to right.

    Args:
        model: A recurrent model.

    Returns:
        What the block feeds → its spectrum, as in `BLOCKS`.

    Raises:
        ConfigError: The model has no recurrent cell.
    """
    return finished(spectra_pieces(model))


def spectra_pieces(model: SequenceModel) -> Generator[None, None, dict[str, Spectrum]]:
    """The same, one piece for each block."""
    if not isinstance(model, RecurrentClassifier):
        raise ConfigError("Only a recurrent model has a matrix from state to state.")
    names = BLOCKS[model.config.cell]
    w_hh = model.left_to_right[0].weight_hh_l0.detach().double()  # type: ignore[operator]
    found = {}
    for name, block in zip(names, w_hh.chunk(len(names)), strict=True):
        eigenvalues = torch.linalg.eigvals(block).numpy()
        order = np.argsort(-np.abs(eigenvalues), kind="stable")
        found[name] = Spectrum(eigenvalues[order], torch.linalg.svdvals(block).numpy())
        yield
    return found


def starting_model(classifier: Classifier) -> SequenceModel | None:
    """The model as it was before its training: the same seed draws the same numbers again.

    Args:
        classifier: A checkpoint; its config names the seed of its training.

    Returns:
        The module, or None where no seed is on record.
    """
    seed = classifier.config.get("training", {}).get("seed")
    if not isinstance(seed, int):
        return None
    config = registry.config_from_dict(classifier.name, classifier.config["architecture"])
    with _CHANCE, torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)  # as `training.run` does before it builds
        return registry.build(classifier.name, config)


def kept(traced: Trace) -> Kept | None:
    """What the gates keep along a text.

    Args:
        traced: Of an LSTM or a GRU; of one that reads both ways, left to right.

    Returns:
        The kept shares, or None for a model without such a gate.
    """
    name = next((gate for gate in KEEPING_GATE.values() if gate in traced.signals), None)
    if name is None:
        return None
    share = traced.signals[name][-1].astype(np.float64)  # (T, units)
    # ∏ from the word after t to the end, summed as logarithms: 400 factors of 0.1 are 1e-400.
    logs = np.log(np.maximum(share, np.finfo(np.float32).tiny))
    after = np.cumsum(logs[::-1], axis=0)[::-1] - logs
    return Kept(share.mean(axis=1), np.exp(np.quantile(after, (0.5, 0.9, 1), axis=1)))
