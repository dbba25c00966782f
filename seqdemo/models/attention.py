"""Attention from scratch: Vaswani et al. 2017, "Attention is all you need", section 3.2."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 (torch's own name for it)


class AttentionSteps(NamedTuple):
    """What attention computes on the way, B rows of H heads over T words."""

    query: Tensor  # (B, H, T, d_head)
    key: Tensor  # (B, H, T, d_head)
    value: Tensor  # (B, H, T, d_head)
    attention: Tensor  # (B, H, T, T): each row of the last axis sums to 1


def scaled_dot_product_attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """softmax(q kᵀ / √d_head) v (Vaswani et al. 2017, eq. 1).

    Args:
        q: Queries (..., T_query, d_head).
        k: Keys (..., T_key, d_head).
        v: Values (..., T_key, d_head).
        mask: True where a key may be looked at, broadcastable to (..., T_query, T_key).

    Returns:
        The weighted values (..., T_query, d_head) and the weights (..., T_query, T_key).
    """
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    weights = torch.softmax(scores, dim=-1)
    return weights @ v, weights


class MultiHeadAttention(nn.Module):
    """Several attentions beside each other, each in its own slice of the vector (section 3.2.2)."""

    def __init__(self, d_model: int, n_heads: int) -> None:
        """Builds the projections of queries, keys and values, and of the joined heads."""
        super().__init__()
        self.n_heads = n_heads
        self.qkv = nn.Linear(d_model, 3 * d_model)
        self.out = nn.Linear(d_model, d_model)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Attends on torch's fused kernel.

        Args:
            x: (B, T, d_model).
            mask: True where a word may be looked at, (B, 1, 1 or T, T); None where all may.

        Returns:
            (B, T, d_model).
        """
        q, k, v = self._project(x)
        if self.training and x.device.type == "cpu":
            # The CPU kernel's backward pass is slower in bf16 than in fp32.
            with torch.autocast("cpu", enabled=False):
                mixed = F.scaled_dot_product_attention(q.float(), k.float(), v.float(), attn_mask=mask)
        else:
            mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        joined: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return joined

    def record(self, x: Tensor, mask: Tensor) -> tuple[Tensor, AttentionSteps]:
        """Attends by the equation and keeps every step; arguments as in `forward`."""
        q, k, v = self._project(x)
        mixed, weights = scaled_dot_product_attention(q, k, v, mask)
        joined = self.out(mixed.transpose(1, 2).flatten(2))  # (B, H, T, d_head) → (B, T, d_model)
        return joined, AttentionSteps(q, k, v, weights)

    def _project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        batch, steps, d_model = x.shape
        qkv = self.qkv(x).view(batch, steps, 3, self.n_heads, d_model // self.n_heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # each (B, H, T, d_head)
        return q, k, v
