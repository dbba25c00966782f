"""How much each word of a text could move a model's verdict: gradients on one common scale.

Of the word at step t the scaled gradient is

    ‖∂ logit / ∂ x_t‖₂ · √( mean over words w of ‖e_w‖₂² ),

with x_t its vector as it stands in the embedding table and e_w the table's rows without
padding. In words: by how much the logit changes, to first order, when the word's vector
moves by the length of a typical word vector in the direction that matters most. Without
the second factor, a model whose vectors are short would look attentive only for that:
halve all vectors and double the first matrix, and the model is the same.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from seqdemo.text import PAD_ID

if TYPE_CHECKING:
    from seqdemo.checkpoints.classifier import Classifier
    from seqdemo.models.registry import SequenceModel


def scaled_gradients(classifier: Classifier, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """The scaled gradient of the logit with respect to each word.

    Args:
        classifier: A trained model.
        ids: Vocabulary indices of one text, at least one, int64 (n_tokens,).

    Returns:
        One number a word, in logits, float64 (n_tokens,); computed in the model's own precision,
        so that 0 stands where that precision ran out.
    """
    return word_gradients(classifier, ids)[0]


def word_gradients(
    classifier: Classifier, ids: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The scaled gradient of each word, and what the word itself adds to the logit to first order.

    Args:
        classifier: A trained model.
        ids: Vocabulary indices of one text, at least one, int64 (n_tokens,).

    Returns:
        The scaled gradients, as `scaled_gradients` gives them, and x_t · ∂ logit / ∂ x_t, by which the logit
        would fall were the word's vector zero; both in logits, float64 (n_tokens,).
    """
    model, tensor = classifier.model, torch.from_numpy(ids)
    gradient = logit_gradient(model, tensor).double()
    vectors = model.embedding.weight.detach()[tensor].double()
    lengths: npt.NDArray[np.float64] = gradient.norm(dim=-1).numpy()
    own: npt.NDArray[np.float64] = (vectors * gradient).sum(dim=-1).numpy()
    return lengths * embedding_length(model), own


def logit_gradient(model: SequenceModel, ids: Tensor) -> Tensor:
    """∂ logit / ∂ x_t at every word; nothing is written to the module.

    Args:
        model: A module with frozen weights, in evaluation mode.
        ids: Vocabulary indices of one text, int64 (T,).

    Returns:
        (T, d_embed), in the precision of the weights.
    """
    with torch.inference_mode(False), torch.enable_grad():
        x = model.embedding(ids.clone()[None]).detach().requires_grad_()  # (1, T, d_embed)
        logit = model.logits_from_embeddings(x, torch.tensor([len(ids)]))[0, 0]
        (gradient,) = torch.autograd.grad(logit, x)
    found: Tensor = gradient[0]
    return found


def embedding_length(model: SequenceModel) -> float:
    """The length of a typical word vector: the root of the mean square over the table's rows, padding left out."""
    table = model.embedding.weight.detach().double()
    rows = torch.arange(len(table)) != PAD_ID
    return math.sqrt(table[rows].square().sum(dim=1).mean().item())
