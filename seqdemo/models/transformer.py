"""A Transformer encoder that classifies: pre-LayerNorm, sinusoidal positions, masked mean.

Sources:
    Vaswani et al. 2017, "Attention is all you need": attention, feed-forward, positions.
    Xiong et al. 2020, "On layer normalization in the Transformer architecture": the
        norm stands before each sub-layer, and once more after the last layer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from seqdemo.errors import ConfigError
from seqdemo.models.attention import MultiHeadAttention
from seqdemo.models.sequence import SequenceModel, whole_lengths
from seqdemo.text import MAX_TOKENS, PAD_ID


@dataclass(frozen=True, kw_only=True)
class TransformerConfig:
    """The shape of a Transformer encoder.

    Attributes:
        vocab_size: Rows of the embedding table, padding and unknown included.
        d_model: Entries of the vector that runs through all layers.
        n_heads: Attention heads in each layer; they share d_model evenly.
        n_layers: Encoder layers.
        d_ff: Inner width of the feed-forward sub-layer.
        n_outputs: Numbers the head gives: 1 is the logit of P(positive).
        embed_dropout: Share of entries zeroed in training after the positions are added.
        dropout: Share zeroed in training after each sub-layer and before the head; not inside
            of attention, where it would keep torch from its fused kernel.
        max_tokens: The longest text there are positions for.
    """

    vocab_size: int
    d_model: int = 128
    n_heads: int = 4
    n_layers: int = 12
    d_ff: int = 256
    n_outputs: int = 1
    embed_dropout: float = 0.1
    dropout: float = 0.1
    max_tokens: int = MAX_TOKENS

    def __post_init__(self) -> None:
        """Refuses what cannot be built."""
        for name in ("vocab_size", "d_model", "n_heads", "n_layers", "d_ff", "n_outputs", "max_tokens"):
            if type(getattr(self, name)) is not int or getattr(self, name) < 1:
                raise ConfigError(f"{name} is a whole number of at least 1; got {getattr(self, name)!r}.")
        if self.d_model % (2 * self.n_heads):
            raise ConfigError(
                f"d_model is an even multiple of n_heads; got d_model={self.d_model}, n_heads={self.n_heads}."
            )
        for name in ("embed_dropout", "dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise ConfigError(f"{name} is at least 0 and below 1; got {getattr(self, name)}.")


def sinusoidal_positions(n_steps: int, d_model: int) -> Tensor:
    """PE(t, 2i) = sin(t / 10000^(2i/d)), PE(t, 2i+1) = cos(the same) (Vaswani et al. 2017, section 3.5).

    Args:
        n_steps: Positions T.
        d_model: Entries of each, even.

    Returns:
        (T, d_model).
    """
    t = torch.arange(n_steps)[:, None]  # (T, 1)
    frequency = torch.exp(torch.arange(0, d_model, 2) * (-math.log(10_000) / d_model))  # (d_model / 2,)
    return torch.stack([torch.sin(t * frequency), torch.cos(t * frequency)], dim=-1).flatten(1)


class EncoderLayer(nn.Module):
    """x + attention(norm(x)), then x + feed_forward(norm(x))."""

    def __init__(self, config: TransformerConfig) -> None:
        """Builds the two sub-layers, each with its norm."""
        super().__init__()
        self.attention_norm = nn.LayerNorm(config.d_model)
        self.attention = MultiHeadAttention(config.d_model, config.n_heads)
        self.feed_forward_norm = nn.LayerNorm(config.d_model)
        self.feed_forward = nn.Sequential(
            nn.Linear(config.d_model, config.d_ff), nn.GELU(), nn.Linear(config.d_ff, config.d_model)
        )
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """One layer; x (B, T, d_model), mask True at what may be looked at, (B, 1, 1 or T, T), None where all may."""
        x = x + self.dropout(self.attention(self.attention_norm(x), mask))
        out: Tensor = x + self.dropout(self.feed_forward(self.feed_forward_norm(x)))
        return out

    def record(self, x: Tensor, mask: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """The same by the equations, with the steps of attention kept."""
        mixed, steps = self.attention.record(self.attention_norm(x), mask)
        x = x + mixed
        x = x + self.feed_forward(self.feed_forward_norm(x))
        return x, {**steps._asdict(), "residual": x}


class TransformerClassifier(SequenceModel):
    """Embedding with positions, encoder layers, masked mean, linear head."""

    config: TransformerConfig

    def __init__(self, config: TransformerConfig) -> None:
        """Builds the layers and draws their starting weights."""
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.d_model, padding_idx=PAD_ID)
        with torch.device("cpu"):  # computed, never loaded: real numbers also in a model built on the meta device
            positions = sinusoidal_positions(config.max_tokens, config.d_model)  # (max_tokens, d_model)
        self.positions: Tensor
        self.register_buffer("positions", positions, persistent=False)
        self.embed_dropout = nn.Dropout(config.embed_dropout)
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(config.n_layers))
        self.final_norm = nn.LayerNorm(config.d_model)
        self.head_dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(config.d_model, config.n_outputs)
        self._start_weights()

    @property
    def has_prefix_states(self) -> bool:
        """It has none: every word looks at all others."""
        return False

    @torch.no_grad()
    def _start_weights(self) -> None:
        # Embeddings start small and are scaled by √d_model where they are read (section 3.4).
        nn.init.normal_(self.embedding.weight, std=self.config.d_model**-0.5)
        self.embedding.weight[PAD_ID].zero_()
        for module in self.layers.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)
        # 2 · n_layers sub-layers add to the stream: their last matrices start smaller (GPT-2, section 2.3).
        for name, weight in self.layers.named_parameters():
            if name.endswith(("attention.out.weight", "feed_forward.2.weight")):
                weight.mul_((2 * self.config.n_layers) ** -0.5)

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Reads a padded batch on torch's fused attention.

        Args:
            ids: Word indices, int64 (B, T), padded on the right, T at most max_tokens.
            lengths: Real words in each row, int64 (B,), each at least 1.

        Returns:
            Logits (B, n_outputs).
        """
        return self.logits_from_embeddings(self.embedding(ids), lengths)

    def logits_from_embeddings(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Goes on from word vectors, so that a derivative with respect to them can be taken.

        Args:
            x: Word vectors as they stand in the embedding table, without positions, (B, T, d_model).
            lengths: Real words in each row, int64 (B,), each at least 1; None where nothing is padded.

        Returns:
            Logits (B, n_outputs).
        """
        return self._read_out(self._encode(x, lengths), whole_lengths(x) if lengths is None else lengths)

    def states(self, ids: Tensor, lengths: Tensor | None) -> Tensor:
        """What the readout averages: the stream after the final norm, (B, T, d_model); no lengths: none is padded."""
        states: Tensor = self.final_norm(self._encode(self.embedding(ids), lengths))
        return states

    def logits_at_steps(self, x: Tensor, lengths: Tensor, *, ahead: bool = True) -> Tensor:
        """One answer for each step, for tasks that ask at every step: the head applied to the stream there.

        Args:
            x: Word vectors as they stand in the embedding table, without positions, (B, T, d_model).
            lengths: Real words in each row, int64 (B,), each at least 1.
            ahead: Whether a step sees those after it; a decoder's does not (Vaswani et al. 2017, section 3.2.3).

        Returns:
            Logits (B, T, n_outputs); entries after a row's length mean nothing.
        """
        states = self.final_norm(self._encode(x, lengths, ahead=ahead))
        logits: Tensor = self.head(self.head_dropout(states))
        return logits

    def record(self, ids: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Reads one text by the equations and keeps every layer's attention.

        Args:
            ids: Word indices, int64 (T,).

        Returns:
            Logits (n_outputs,) and the signals by name: attention (n_layers, n_heads, T, T);
            query, key, value (n_layers, n_heads, T, d_head); residual (n_layers, T, d_model).
        """
        lengths = torch.tensor([len(ids)], device=ids.device)
        x = self._place(self.embedding(ids[None]))
        real = _real_words(ids[None], lengths)
        recorded: list[dict[str, Tensor]] = []
        for layer in self.layers:
            x, signals = layer.record(x, real[:, None, None, :])  # type: ignore[operator]
            recorded.append(signals)
        logits = self._read_out(x, lengths)[0]
        return logits, {name: torch.cat([signals[name] for signals in recorded]) for name in recorded[0]}

    def _place(self, x: Tensor) -> Tensor:
        """Word vectors scaled up, each with its position added, (B, T, d_model)."""
        return x * math.sqrt(self.config.d_model) + self.positions[: x.shape[1]]

    def _encode(self, x: Tensor, lengths: Tensor | None, *, ahead: bool = True) -> Tensor:
        x = self.embed_dropout(self._place(x))  # (B, T, d_model)
        # Without a mask, CUDA takes its fastest kernel.
        mask = None if lengths is None else _real_words(x, lengths)[:, None, None, :]
        if mask is not None and not ahead:
            mask = mask & torch.ones(x.shape[1], x.shape[1], dtype=torch.bool, device=x.device).tril()
        for layer in self.layers:
            x = layer(x, mask)
        return x

    def _read_out(self, x: Tensor, lengths: Tensor) -> Tensor:
        real = _real_words(x, lengths)[:, :, None]
        mean = (self.final_norm(x) * real).sum(1) / lengths[:, None]  # (B, d_model)
        logits: Tensor = self.head(self.head_dropout(mean))
        return logits


def _real_words(x: Tensor, lengths: Tensor) -> Tensor:
    """True at real words, False at padding, (B, T), for a batch (B, T, ...)."""
    return torch.arange(x.shape[1], device=x.device)[None, :] < lengths[:, None]
