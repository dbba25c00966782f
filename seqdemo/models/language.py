"""Language models: the same layers as the classifiers, asked for the next word or for a hidden one.

What they learn from unlabelled text is where a classifier starts (Dai & Le 2015, "Semi-supervised
sequence learning"). Word vectors and output weights are one table (Press & Wolf 2017).

`candidate_loss` makes a vocabulary of 30,000 affordable on a CPU: the softmax runs over the most
frequent words, a sample of the others, and the right word (after Jean et al. 2015, "On using very
large target vocabulary for neural machine translation", section 3).
"""

from __future__ import annotations

import abc
import math
from typing import Any

import torch
from torch import Tensor, nn

from seqdemo.errors import ConfigError
from seqdemo.models.cells import unroll
from seqdemo.models.recurrent import RecurrentClassifier, RecurrentConfig, weights_of
from seqdemo.models.transformer import TransformerClassifier, TransformerConfig
from seqdemo.text import PAD_ID, UNKNOWN_ID

_ROWS_AT_ONCE = 256  # a block of logits that stays in the processor's cache


class Decoder(nn.Module):
    """From a state to the logits of all words, with the word vectors as weights."""

    def __init__(self, d_state: int, d_embed: int, vocab_size: int) -> None:
        """Builds the projection and the bias of each word."""
        super().__init__()
        self.projection = nn.Linear(d_state, d_embed)
        self.bias = nn.Parameter(torch.zeros(vocab_size))

    def forward(self, states: Tensor, embedding: Tensor) -> Tensor:
        """Logits of every word.

        Args:
            states: (..., d_state).
            embedding: The table of word vectors, (vocab_size, d_embed).

        Returns:
            (..., vocab_size).
        """
        logits: Tensor = self.projection(states) @ embedding.T + self.bias
        return logits


class LanguageModel(nn.Module, abc.ABC):
    """A classifier's layers, asked for words; what a classifier starts from.

    Attributes:
        config: The classifier's.
        decoder: From a state to the logits of the next word, or of a hidden one.
        decoder_backward: To those of the word before; None where nobody asks for it.
    """

    config: Any
    decoder: Decoder
    decoder_backward: Decoder | None

    @property
    @abc.abstractmethod
    def says_next_word(self) -> bool:
        """Whether it is asked for the next word, rather than for hidden ones."""

    @property
    @abc.abstractmethod
    def body(self) -> Any:
        """What has the classifier's layers, under the classifier's names."""


class RecurrentLanguageModel(LanguageModel):
    """P(next word | words so far) by an RNN, LSTM or GRU; in both directions also P(word before | words after).

    The names of its embedding and layers are those of `RecurrentClassifier`, which can start from them.
    """

    says_next_word = True

    def __init__(self, config: RecurrentConfig) -> None:
        """Builds the classifier's layers without its head, and a decoder for each direction."""
        super().__init__()
        if config.n_layers != 1:
            raise ConfigError(f"A language model has one recurrent layer; got n_layers={config.n_layers}.")
        self.config = config
        body = RecurrentClassifier(config)
        self.embedding = body.embedding
        self.left_to_right = body.left_to_right
        self.right_to_left = body.right_to_left
        self.decoder = Decoder(config.d_hidden, config.d_embed, config.vocab_size)
        self.decoder_backward = (
            Decoder(config.d_hidden, config.d_embed, config.vocab_size) if config.bidirectional else None
        )

    @property
    def body(self) -> RecurrentLanguageModel:
        """Itself."""
        return self

    def states(self, ids: Tensor, state: Any = None, *, backward: bool = False) -> tuple[Tensor, Any]:
        """Reads on from a state.

        Args:
            ids: Word indices, int64 (B, T); `PAD_ID` is the end of a text.
            state: What the last call returned; None at the start.
            backward: Whether the right-to-left layer reads; it is given texts turned round.

        Returns:
            Hidden states (B, T, d_hidden), and the state to go on from.
        """
        layer = (self.right_to_left if backward else self.left_to_right)[0]
        states, state = layer(self.embedding(ids), state)
        return states, state

    def forward(self, ids: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """Logits of the word after each word, (B, T, vocab_size), and the state to go on from."""
        states, state = self.states(ids, state)
        return self.decoder(states, self.embedding.weight), state

    def record(self, ids: Tensor, state: Any = None) -> dict[str, Tensor]:
        """Reads one text left to right by the equations and keeps every gate.

        Args:
            ids: Word indices, int64 (T,).
            state: As for `states`, of one text; None at the start.

        Returns:
            The signals by name, (1, T, d_hidden) each.
        """
        start = None
        if state is not None:
            h, c = state if isinstance(state, tuple) else (state, state)
            start = h[0, 0], c[0, 0]
        signals = unroll(self.config.cell, self.embedding(ids), weights_of(self.left_to_right[0]), start)
        return {name: signal[None] for name, signal in signals.items()}


class MaskedLanguageModel(LanguageModel):
    """P(hidden word | words around it) by the Transformer encoder (Devlin et al. 2019, BERT, section 3.1)."""

    says_next_word = False

    def __init__(self, config: TransformerConfig) -> None:
        """Builds the encoder with its head, which stays unused, and a decoder."""
        super().__init__()
        self.config = config
        self.encoder = TransformerClassifier(config)
        self.decoder = Decoder(config.d_model, config.d_model, config.vocab_size)
        self.decoder_backward = None

    @property
    def body(self) -> TransformerClassifier:
        """The encoder."""
        return self.encoder

    def states(self, ids: Tensor, lengths: Tensor | None) -> Tensor:
        """The encoder's states after its final norm, (B, T, d_model); no lengths: none is padded."""
        return self.encoder.states(ids, lengths)


def hide_words(ids: Tensor, share: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Picks words to be guessed; 9 of 10 become the unknown word, 1 of 10 stays visible.

    Args:
        ids: Word indices, int64 (B, T).
        share: Share of the real words that are picked.
        generator: Source of chance, on the device of the ids.

    Returns:
        The ids with the picked words hidden, (B, T), and True where one was picked, (B, T).
    """
    real = (ids != PAD_ID) & (ids != UNKNOWN_ID)
    picked = real & (torch.rand(ids.shape, generator=generator, device=ids.device) < share)
    hidden = picked & (torch.rand(ids.shape, generator=generator, device=ids.device) < 0.9)
    return ids.masked_fill(hidden, UNKNOWN_ID), picked


def candidate_loss(
    states: Tensor,
    targets: Tensor,
    embedding: Tensor,
    bias: Tensor,
    *,
    n_frequent: int,
    sampled: Tensor,
) -> Tensor:
    """Cross-entropy of the right words, with a softmax over a part of the vocabulary.

    Z = Σ frequent exp(z) + (n_rare / n_sampled) Σ sampled exp(z) + exp(z_target), where the target
    stands in none of the two sums twice: an estimate of the full softmax's denominator.

    Args:
        states: What the decoder's projection gives, (n, d_embed).
        targets: Indices of the right words, int64 (n,).
        embedding: The table of word vectors, most frequent first, (vocab_size, d_embed).
        bias: Of each word, (vocab_size,).
        n_frequent: So many of the first words are always in.
        sampled: Different indices from `n_frequent` on, drawn uniformly, int64 (n_sampled,).

    Returns:
        The mean loss in nats, a scalar.
    """
    loss: Tensor = _CandidateLoss.apply(  # type: ignore[no-untyped-call]
        states, targets, embedding, bias, n_frequent, sampled
    )
    return loss


class _CandidateLoss(torch.autograd.Function):
    """Computes the gradient with the loss, block by block: the logits are never stored."""

    @staticmethod
    def forward(
        ctx: Any,
        states: Tensor,
        targets: Tensor,
        embedding: Tensor,
        bias: Tensor,
        n_frequent: int,
        sampled: Tensor,
    ) -> Tensor:
        n = max(1, len(targets))
        kind = torch.bfloat16 if torch.is_autocast_enabled(states.device.type) else torch.float32
        h_all = states.detach().to(kind)
        candidates = torch.cat([torch.arange(n_frequent, device=states.device), sampled])
        table = embedding.detach()
        weight, b = table[candidates].to(kind), bias.detach()[candidates].clone()
        if len(sampled):
            b[n_frequent:] += math.log((len(table) - n_frequent) / len(sampled))
        column = torch.full((len(table),), -1, device=states.device)  # where a word stands among the candidates
        column[candidates] = torch.arange(len(candidates), device=states.device)
        d_states = torch.empty(len(targets), h_all.shape[1], device=states.device)
        d_weight, d_b = torch.zeros(len(candidates), weight.shape[1], device=states.device), torch.zeros_like(b)
        d_embedding, d_bias = torch.zeros_like(table), torch.zeros_like(bias)
        total = torch.zeros((), device=states.device)
        for start in range(0, len(targets), _ROWS_AT_ONCE):
            rows = slice(start, start + _ROWS_AT_ONCE)
            h, t = h_all[rows], targets[rows]
            logits = (h @ weight.T).float().add_(b)  # (r, n_candidates)
            # Every target gets a column of its own at the end; its place among the candidates is emptied.
            own = table[t].to(kind)
            z = (h * own).sum(-1).float() + bias.detach()[t]  # (r,)
            at = column[t]
            known = (at >= 0).nonzero()[:, 0]
            logits[known, at[known]] = -math.inf
            log_z = torch.logaddexp(torch.logsumexp(logits, 1), z)  # (r,)
            total += (log_z - z).sum()
            p = logits.sub_(log_z[:, None]).exp_()  # (r, n_candidates)
            p_own = (z - log_z).exp() - 1  # (r,)
            p_low = p.to(kind)
            d_states[rows] = (p_low @ weight).float() + p_own[:, None] * own.float()
            d_weight += (p_low.T @ h).float()
            d_b += p.sum(0)
            d_embedding.index_add_(0, t, p_own[:, None] * h.float())
            d_bias.index_add_(0, t, p_own)
        d_embedding.index_add_(0, candidates, d_weight)
        d_bias.index_add_(0, candidates, d_b)
        ctx.save_for_backward(d_states / n, d_embedding / n, d_bias / n)
        return total / n

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        d_states, d_embedding, d_bias = ctx.saved_tensors
        g = gradients[0]
        return g * d_states, None, g * d_embedding, g * d_bias, None, None
