"""A trained model with its vocabulary: text in, probabilities and traces out."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from seqdemo.data.examples import pad
from seqdemo.errors import ConfigError
from seqdemo.models import registry
from seqdemo.text import Reading, Vocabulary
from seqdemo.trace import Trace

if TYPE_CHECKING:
    from seqdemo.models.registry import SequenceModel

_ROWS_AT_ONCE = 32


@dataclass(frozen=True, kw_only=True, eq=False)
class Classifier:
    """A trained model that reads text. It is never written to, so any number may share it.

    Attributes:
        name: The model's name in the registry.
        model: The module: CPU, fp32, evaluation mode, weights frozen.
        vocabulary: The words that it knows.
        config: What `config.json` holds.
        metrics: What `metrics.json` holds.
        history: What `history.json` holds, one entry for each epoch.
        sha256: Of `model.safetensors`; names this checkpoint in caches and studies.
        folder: Where it was loaded from.
    """

    name: str
    model: SequenceModel
    vocabulary: Vocabulary
    config: Mapping[str, Any]
    metrics: Mapping[str, Any]
    history: Sequence[Mapping[str, float]]
    sha256: str
    folder: pathlib.Path

    @property
    def label(self) -> str:
        """The model's name on screen."""
        return registry.spec(self.name).label

    @property
    def has_prefix_states(self) -> bool:
        """Whether one pass gives the verdict after each word."""
        return self.model.has_prefix_states

    @property
    def n_parameters(self) -> int:
        """Trained numbers, embedding included."""
        return sum(parameter.numel() for parameter in self.model.parameters())

    def read(self, text: str) -> Reading:
        """What the model reads of a text: tokens, spans, unknown words, what is skipped."""
        return self.vocabulary.read(text)

    def predict_proba(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """P(positive) of each text.

        Args:
            texts: Reviews, each with at least one word.

        Returns:
            From 0 to 1, float32 (n,).

        Raises:
            TextError: A text holds no word.
        """
        if isinstance(texts, str):
            texts = [texts]
        return self.predict_ids([self.vocabulary.require(text).ids for text in texts])

    def predict_ids(self, ids: Sequence[npt.NDArray[np.int64]]) -> npt.NDArray[np.float32]:
        """P(positive) of each encoded text, in padded batches of similar length.

        Args:
            ids: Vocabulary indices, one int64 array (n_tokens,) a text, none of them empty.

        Returns:
            From 0 to 1, float32 (n,).
        """
        probabilities = np.empty(len(ids), dtype=np.float32)
        order = sorted(range(len(ids)), key=lambda row: len(ids[row]))
        for start in range(0, len(order), _ROWS_AT_ONCE):
            rows = np.array(order[start : start + _ROWS_AT_ONCE], dtype=np.int64)
            batch = pad([ids[row] for row in rows], np.zeros_like(rows), rows)
            with torch.inference_mode():
                logits = self.model(torch.from_numpy(batch.ids), torch.from_numpy(batch.lengths))
                probabilities[rows] = torch.sigmoid(logits[:, 0]).numpy()
        return probabilities

    def prefix_proba(self, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """P(positive) after each word, in one pass.

        Args:
            ids: Vocabulary indices (n_tokens,).

        Returns:
            From 0 to 1, float32 (n_tokens,).

        Raises:
            ConfigError: The model has no state of a prefix; `explain.prefixes` re-runs it.
        """
        if not self.has_prefix_states:
            raise ConfigError(f"{self.label} has no state of a prefix: run it again on each prefix instead.")
        with torch.inference_mode():
            logits = self.model.step_logits(torch.from_numpy(ids)[None], torch.tensor([len(ids)]))  # type: ignore[operator]
            probabilities: npt.NDArray[np.float32] = torch.sigmoid(logits[0, :, 0]).numpy()
        return probabilities

    def trace(self, text: str) -> Trace:
        """Records every step on one text, by the from-scratch equations.

        Args:
            text: A review with at least one word.

        Returns:
            Tokens, probability and signals.

        Raises:
            TextError: The text holds no word.
        """
        reading = self.vocabulary.require(text)
        ids = torch.from_numpy(reading.ids)
        with torch.inference_mode():
            logits, recorded = self.model.record(ids)
            signals = {name: signal.float().contiguous().numpy() for name, signal in recorded.items()}
            if self.has_prefix_states:
                hidden = recorded["hidden"][-1]  # (T, d_hidden)
                signals["probability"] = torch.sigmoid(self.model.head(hidden))[:, 0].numpy()
            probability = torch.sigmoid(logits[0]).item()
        return Trace(tuple(token.text for token in reading.tokens), probability, signals)
