"""What every classifier of this project can do; a new one is a subclass in a file of its own."""

from __future__ import annotations

import abc
from typing import Any

import torch
from torch import Tensor, nn


class SequenceModel(nn.Module, abc.ABC):
    """A model that reads a sequence of words and answers.

    Attributes:
        config: Its shape, a frozen dataclass with `vocab_size` and `n_outputs` among others.
        embedding: The word vectors.
        head: From what is read to the answer.
    """

    config: Any
    embedding: nn.Embedding
    head: nn.Linear

    @property
    @abc.abstractmethod
    def has_prefix_states(self) -> bool:
        """Whether the verdict after each word is the head applied to that word's state."""

    @property
    def has_step_logits(self) -> bool:
        """Whether a loss can be taken at every word, by `step_logits_from_embeddings`."""
        return False

    @abc.abstractmethod
    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Reads a padded batch, ids (B, T) and lengths (B,); returns logits (B, n_outputs)."""

    @abc.abstractmethod
    def logits_from_embeddings(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """The same from word vectors (B, T, d), so that a derivative with respect to them can be taken.

        No lengths: nothing is padded, which attention is quicker for; `whole_lengths` gives them.
        """

    @abc.abstractmethod
    def logits_at_steps(self, x: Tensor, lengths: Tensor, *, ahead: bool = True) -> Tensor:
        """One answer for each step from word vectors (B, T, d): logits (B, T, n_outputs).

        Where not `ahead`, no step sees those after it; who cannot read so raises `ConfigError`.
        """

    @abc.abstractmethod
    def record(self, ids: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Reads one text (T,) and keeps what it computes: logits (n_outputs,), and signals by their names."""


def whole_lengths(x: Tensor) -> Tensor:
    """The lengths of a batch (B, T, ...) in which nothing is padded, int64 (B,)."""
    return torch.full((len(x),), x.shape[1], device=x.device)
