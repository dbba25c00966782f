"""Which words moved a verdict: integrated gradients, gradient times input, leave one out, and attention beside them.

Sources:
    Sundararajan, Taly & Yan 2017, "Axiomatic attribution for deep networks", eq. 1 and 3,
        proposition 1: integrated gradients and their completeness.
    Shrikumar et al. 2016, "Not just a black box": gradient times input.
    Li, Monroe & Jurafsky 2016, "Understanding neural networks through representation
        erasure": leaving words out.
    Abnar & Zuidema 2020: rollout; see `explain.rollout`.

The baseline of the two gradient methods is a text of as many unknown words: the models met
that word in training, and leaving a word out puts it in the word's place as well. Vectors of
zeros, the other usual choice, are a text that no model has read; `study attributions` measures
both. A Transformer adds its positions to either as always.
Signed figures are in logits; what attention gives are shares.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from seqdemo.explain import gradients
from seqdemo.explain import rollout as rollouts
from seqdemo.explain.pieces import TOKENS_A_PIECE, finished
from seqdemo.models.transformer import TransformerClassifier
from seqdemo.text import UNKNOWN_ID

if TYPE_CHECKING:
    from seqdemo.checkpoints.classifier import Classifier

Baseline = Literal["unknown", "zeros"]
N_STEPS = 50
"""Points on the way from the baseline, at first; twice as many as often as completeness is missed."""
MAX_STEPS = 400
MAX_WORDS = 40_000
"""Words read on the way, at most, all points together: 100 points for 400 words."""
TOLERANCE = 0.02
"""The completeness error that is small enough, as a share of the difference of the two logits."""
LEAST_LOGITS = 0.01
"""An error of so many logits is small enough whatever the difference."""
_GRADIENT_TOKENS = TOKENS_A_PIECE // 3
"""Words through which gradients go in one piece: there and back costs about three times as much as reading."""


@dataclass(frozen=True, kw_only=True)
class IntegratedGradients:
    """Integrated gradients of one text.

    Attributes:
        values: What each word brings, in logits, (n_tokens,).
        logit: Of the text.
        baseline: Logit of the baseline.
        n_steps: Points on the way that were used.
    """

    values: npt.NDArray[np.float64]
    logit: float
    baseline: float
    n_steps: int

    @property
    def difference(self) -> float:
        """What the values must add up to (completeness)."""
        return self.logit - self.baseline

    @property
    def error(self) -> float:
        """By how much their sum misses it, in logits, at least 0."""
        return abs(float(self.values.sum()) - self.difference)

    @property
    def is_complete(self) -> bool:
        """Whether the error is at most `TOLERANCE` of the difference, or `LEAST_LOGITS`."""
        return self.error <= max(TOLERANCE * abs(self.difference), LEAST_LOGITS)


def integrated_gradients(
    classifier: Classifier,
    ids: npt.NDArray[np.int64],
    n_steps: int = N_STEPS,
    max_steps: int = MAX_STEPS,
    baseline: Baseline = "unknown",
) -> IntegratedGradients:
    """(x_t - b_t) · ∫ ∂ logit(b + a (x - b)) / ∂x_t da, a from 0 to 1, at each word (Sundararajan et al. 2017, eq. 1).

    The integral is summed at the points of Gauss and Legendre, which miss less than evenly
    spaced ones; the points are doubled until the sum is complete, or there are `max_steps`,
    or `MAX_WORDS` are reached.

    Args:
        classifier: A trained model.
        ids: Vocabulary indices of one text, at least one, int64 (n_tokens,).
        n_steps: Points at first.
        max_steps: Points at most.
        baseline: What b is: the vector of the unknown word at every place, or zeros.

    Returns:
        The values; `is_complete` says whether the points were enough.
    """
    return finished(integrated_gradients_pieces(classifier, ids, n_steps, max_steps, baseline))


def integrated_gradients_pieces(
    classifier: Classifier,
    ids: npt.NDArray[np.int64],
    n_steps: int = N_STEPS,
    max_steps: int = MAX_STEPS,
    baseline: Baseline = "unknown",
) -> Generator[None, None, IntegratedGradients]:
    """`integrated_gradients` in pieces of a few points; yields between them."""
    vectors = _vectors(classifier, ids)
    start = _vectors(classifier, np.full_like(ids, UNKNOWN_ID)) if baseline == "unknown" else torch.zeros_like(vectors)
    way = vectors - start  # (T, d_embed)
    logit, logit_at_start = _logits_of_vectors(classifier, torch.stack([vectors, start])).tolist()
    while True:
        slope = torch.zeros_like(vectors, dtype=torch.float64)
        points, weights = (torch.from_numpy(found) for found in _on_the_way(n_steps))
        n_rows = max(1, _GRADIENT_TOKENS // len(ids))
        for first in range(0, n_steps, n_rows):
            yield
            part = slice(first, first + n_rows)
            gradient = _gradients(classifier, start + points[part, None, None].to(way.dtype) * way)
            slope += (weights[part, None, None] * gradient).sum(0)
        values: npt.NDArray[np.float64] = (slope * way).sum(-1).numpy()
        found = IntegratedGradients(values=values, logit=logit, baseline=logit_at_start, n_steps=n_steps)
        if found.is_complete or 2 * n_steps > max_steps or 2 * n_steps * len(ids) > MAX_WORDS:
            return found
        n_steps *= 2


def gradient_x_input(classifier: Classifier, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """(x_t - u) · ∂ logit / ∂x_t at each word, u the vector of the unknown word, in logits.

    Shrikumar et al. have the baseline u = 0; this one asks what `leave_one_out` measures, to first order.

    Args:
        classifier: A trained model.
        ids: Vocabulary indices of one text, at least one, int64 (n_tokens,).

    Returns:
        float64 (n_tokens,); exactly 0 where the model does not know the word anyhow.
    """
    slope = gradients.logit_gradient(classifier.model, torch.from_numpy(ids)).double()
    way = _vectors(classifier, ids) - _vectors(classifier, np.full_like(ids, UNKNOWN_ID))
    found: npt.NDArray[np.float64] = (slope * way).sum(-1).numpy()
    return found


def leave_one_out(classifier: Classifier, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """By how much the logit falls when the unknown word stands in the place of each word.

    The word is replaced rather than cut out, so that no other word moves and the length
    stays; the models met the unknown word in training, in the place of rare words and of some
    at random.

    Args:
        classifier: A trained model.
        ids: Vocabulary indices of one text, at least one, int64 (n_tokens,).

    Returns:
        In logits, float64 (n_tokens,); exactly 0 where the model does not know the word anyhow.
    """
    return finished(leave_one_out_pieces(classifier, ids))


def leave_one_out_pieces(
    classifier: Classifier, ids: npt.NDArray[np.int64]
) -> Generator[None, None, npt.NDArray[np.float64]]:
    """`leave_one_out` in pieces of a few words; yields between them."""
    rows = np.repeat(ids[None], len(ids) + 1, axis=0)
    np.fill_diagonal(rows, UNKNOWN_ID)  # the last row is the text itself
    found = yield from logits_pieces(classifier, rows)
    fall: npt.NDArray[np.float64] = np.where(ids == UNKNOWN_ID, 0, found[-1] - found[:-1])
    return fall


def attention(classifier: Classifier, ids: npt.NDArray[np.int64]) -> dict[str, npt.NDArray[np.float64]]:
    """What each word gets of a Transformer's attention: where it looked, not why it decided.

    Args:
        classifier: A trained model.
        ids: Vocabulary indices of one text, at least one, int64 (n_tokens,).

    Returns:
        `rollout` and `mean_attention`, each float64 (n_tokens,) with the sum 1; nothing for a model without attention.
    """
    if not isinstance(classifier.model, TransformerClassifier):
        return {}
    with torch.inference_mode():
        weights = classifier.model.record(torch.from_numpy(ids))[1]["attention"].numpy()  # (layer, head, query, key)
    # The readout is a mean over all words: each word's rollout counts as much as any other's.
    return {
        "rollout": rollouts.received(rollouts.rollout(weights)).astype(np.float64),
        "mean_attention": rollouts.received(weights).mean(axis=(0, 1)).astype(np.float64),
    }


def attribute(classifier: Classifier, ids: npt.NDArray[np.int64]) -> dict[str, npt.NDArray[np.float64]]:
    """Every method that the model has, in the order of `METHODS`.

    Args:
        classifier: A trained model.
        ids: Vocabulary indices of one text, at least one, int64 (n_tokens,).
    """
    return {
        "integrated_gradients": integrated_gradients(classifier, ids).values,
        "gradient_x_input": gradient_x_input(classifier, ids),
        "leave_one_out": leave_one_out(classifier, ids),
        **attention(classifier, ids),
    }


def logits_pieces(classifier: Classifier, ids: npt.NDArray[np.int64]) -> Generator[None, None, npt.NDArray[np.float64]]:
    """The logits of texts of one length, in pieces of a few texts; yields between them.

    Args:
        classifier: A trained model.
        ids: Vocabulary indices, int64 (n, n_tokens).

    Returns:
        float64 (n,).
    """
    found = []
    n_rows = max(1, TOKENS_A_PIECE // ids.shape[1])
    for start in range(0, len(ids), n_rows):
        if start:
            yield
        rows = torch.from_numpy(ids[start : start + n_rows])
        with torch.inference_mode():
            found.append(classifier.model(rows, torch.full((len(rows),), rows.shape[1]))[:, 0].double().numpy())
    return np.concatenate(found)


def _vectors(classifier: Classifier, ids: npt.NDArray[np.int64]) -> Tensor:
    """The word vectors, (n_tokens, d_embed)."""
    return classifier.model.embedding.weight.detach()[torch.from_numpy(ids)]


def _logits_of_vectors(classifier: Classifier, x: Tensor) -> Tensor:
    """Logits (B,) of word vectors (B, T, d_embed)."""
    with torch.inference_mode():
        found: Tensor = classifier.model.logits_from_embeddings(x, torch.full((len(x),), x.shape[1]))[:, 0].double()
    return found


def _gradients(classifier: Classifier, x: Tensor) -> Tensor:
    """∂ logit / ∂x of each row, (B, T, d_embed); rows do not see each other."""
    with torch.inference_mode(False), torch.enable_grad():
        x = x.clone().requires_grad_()  # a tensor of its own, whatever mode the caller stands in
        logit = classifier.model.logits_from_embeddings(x, torch.full((len(x),), x.shape[1]))[:, 0]
        (found,) = torch.autograd.grad(logit.sum(), x)
    gradient: Tensor = found
    return gradient


def _on_the_way(n_steps: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Points from 0 to 1 and their weights, which add up to 1."""
    points, weights = np.polynomial.legendre.leggauss(n_steps)
    return (points + 1) / 2, weights / 2
