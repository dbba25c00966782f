"""Attention in figures: rollout over layers, mean attention, entropy and distance of each head.

All of it says where a model looked, not why it decided: values, feed-forward layers and
the head behind the mean are left out.

Source:
    Abnar & Zuidema 2020, "Quantifying attention flow in Transformers", section 3: rollout.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from seqdemo.errors import ConfigError
from seqdemo.models.transformer import TransformerClassifier

if TYPE_CHECKING:
    from seqdemo.checkpoints.classifier import Classifier

THUMBNAIL = 50
"""Entries along each side of a head's small picture, at most."""


def rollout(attention: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Attention followed through all layers: the product of ½ A + ½ I, from the last layer to the first.

    A is the mean over a layer's heads, and I stands for the residual connection, which
    carries each word on unchanged (Abnar & Zuidema 2020, section 3).

    Args:
        attention: Weights (layer, head, query, key); rows sum to 1.

    Returns:
        How much of each word (key) has reached each word (query), (query, key); rows sum to 1.
    """
    followed = np.eye(attention.shape[-1], dtype=np.float32)
    for weights in attention.mean(axis=1):
        followed = 0.5 * (weights @ followed) + 0.5 * followed
    return followed


def received(weights: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """What each word gets, as a mean over the words that ask: the share it has in a mean readout.

    Args:
        weights: (…, query, key).

    Returns:
        (…, key); each row sums to 1.
    """
    shares: npt.NDArray[np.float32] = weights.mean(axis=-2)
    return shares


def entropy_bits(attention: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """How widely a head looks: Σ -w log₂ w over the keys, as a mean over the queries.

    Args:
        attention: Weights (…, query, key).

    Returns:
        (…), from 0 bits, all on one word, to log₂ of the number of words, all alike.
    """
    logs = np.log2(attention, where=attention > 0, out=np.zeros_like(attention))
    bits: npt.NDArray[np.float32] = -np.einsum("...qk,...qk->...q", attention, logs).mean(axis=-1)
    return np.maximum(bits, 0)


def distance_words(attention: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """How far away a head looks: Σ w |query - key|, as a mean over the queries.

    Args:
        attention: Weights (…, query, key).

    Returns:
        (…), in words; `even_distance_words` is what even weights give.
    """
    step = np.arange(attention.shape[-1], dtype=np.float32)
    apart = np.abs(step[:, None] - step)  # (query, key)
    far: npt.NDArray[np.float32] = np.einsum("...qk,qk->...", attention, apart) / np.float32(len(step))
    return far


def even_distance_words(n_words: int) -> float:
    """The distance of a head that gives every word the same weight: (n² - 1) / 3n."""
    return (n_words**2 - 1) / (3 * n_words)


def thumbnails(
    attention: npt.NDArray[np.float32], size: int = THUMBNAIL
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    """Every head as a small picture.

    Args:
        attention: Weights (…, query, key).
        size: Entries along a side, at most; of a longer text neighbours are merged, the largest weight kept.

    Returns:
        Levels (…, side, side), 255 at the head's own largest weight; and those weights, (…).
    """
    n_words = attention.shape[-1]
    starts = np.unique(np.arange(min(n_words, size)) * n_words // min(n_words, size))
    small = np.maximum.reduceat(np.maximum.reduceat(attention, starts, axis=-1), starts, axis=-2)
    peaks = small.max(axis=(-2, -1))
    levels: npt.NDArray[np.uint8] = np.rint(small * (255 / peaks[..., None, None])).astype(np.uint8)
    return levels, peaks


@dataclass(frozen=True, kw_only=True)
class Looks:
    """Where a Transformer looked in one text.

    The weights themselves are not kept: they follow from queries and keys, which are smaller
    where a text is long (400 words: 5 MB instead of 31).

    Attributes:
        probability: P(positive).
        query: (layer, head, word, unit).
        key: The same.
        value: The same.
        stream: Length of the vector of each word as it leaves each layer, (layer, word).
        entropy_bits: (layer, head).
        distance_words: (layer, head).
        received: Mean attention that each word gets from each head, (layer, head, word).
        rollout: (query, key).
        thumbnails: Levels (layer, head, side, side).
        peaks: The largest weight of each head, (layer, head).
    """

    probability: float
    query: npt.NDArray[np.float32]
    key: npt.NDArray[np.float32]
    value: npt.NDArray[np.float32]
    stream: npt.NDArray[np.float32]
    entropy_bits: npt.NDArray[np.float32]
    distance_words: npt.NDArray[np.float32]
    received: npt.NDArray[np.float32]
    rollout: npt.NDArray[np.float32]
    thumbnails: npt.NDArray[np.uint8]
    peaks: npt.NDArray[np.float32]

    def weights(self, layer: int, head: int) -> npt.NDArray[np.float32]:
        """The attention of one head, (query, key)."""
        query, key = self.query[layer, head], self.key[layer, head]
        scores = query @ key.T / np.float32(np.sqrt(query.shape[-1]))
        powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights: npt.NDArray[np.float32] = powers / powers.sum(axis=-1, keepdims=True)
        return weights


def look(classifier: Classifier, ids: npt.NDArray[np.int64]) -> Generator[None, None, Looks]:
    """Reads a text once and sums its attention up: first the reading, then one layer after the other.

    Args:
        classifier: A model with attention.
        ids: Vocabulary indices of the text, at least one, int64 (n_tokens,).

    Yields:
        Nothing, between the pieces.

    Returns:
        Where it looked.

    Raises:
        ConfigError: The model has no attention.
    """
    if not isinstance(classifier.model, TransformerClassifier):
        raise ConfigError(f"{classifier.label} has no attention to look at.")
    with torch.inference_mode():
        logits, recorded = classifier.model.record(torch.from_numpy(ids))
        signals = {name: signal.float().contiguous().numpy() for name, signal in recorded.items()}
        probability = torch.sigmoid(logits[0]).item()
    attention = signals["attention"]
    bits, distances, levels, peaks = [], [], [], []
    for weights in attention:
        yield
        bits.append(entropy_bits(weights))
        distances.append(distance_words(weights))
        pictures = thumbnails(weights)
        levels.append(pictures[0])
        peaks.append(pictures[1])
    yield
    return Looks(
        probability=probability,
        query=signals["query"],
        key=signals["key"],
        value=signals["value"],
        stream=np.linalg.norm(signals["residual"], axis=-1),
        entropy_bits=np.stack(bits),
        distance_words=np.stack(distances),
        received=received(attention),
        rollout=rollout(attention),
        thumbnails=np.stack(levels),
        peaks=np.stack(peaks),
    )
