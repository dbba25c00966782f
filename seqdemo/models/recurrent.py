"""Recurrent classifiers: vanilla RNN, GRU, LSTM, and any of them in both directions.

One set of weights has two readings. `forward` runs on torch's fused layers, which is
what training and live answers use; `record` runs the equations of `cells` over the
same tensors and keeps every gate. Neither writes to the module, so one checkpoint
may serve many visitors at once.

Readout: with the last state, y = W h_T + b (both directions: [h_T→ ; h_1←]), so that
P(positive) after word t is exactly the head applied to h_t.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from seqdemo.errors import ConfigError
from seqdemo.models.cells import Weights, unroll
from seqdemo.models.sequence import SequenceModel, whole_lengths
from seqdemo.text import PAD_ID

_FUSED = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}
READOUTS = ("last", "mean", "max", "mean+max")
RECURRENT_INITS = ("orthogonal", "default")


@dataclass(frozen=True, kw_only=True)
class RecurrentConfig:
    """The shape of a recurrent classifier.

    Attributes:
        cell: Which equations one step follows.
        bidirectional: Whether a second set of weights reads from right to left.
        vocab_size: Rows of the embedding table, padding and unknown included.
        d_embed: Entries of a word vector.
        d_hidden: Entries of the hidden state in each direction.
        n_layers: Recurrent layers on top of each other.
        n_outputs: Numbers the head gives: 1 is the logit of P(positive).
        embed_dropout: Share of word-vector entries zeroed in training, the same
            entries at every step (Gal & Ghahramani 2016).
        dropout: Share of entries zeroed between layers and before the head.
        readout: What the head sees: the last state, or a pool over all states.
        recurrent_init: Start of W_hh: orthogonal (Saxe et al. 2014) or torch's uniform.
        forget_bias: Start of an LSTM's forget bias (Jozefowicz et al. 2015 advise 1).
        update_bias: Start of a GRU's update-gate bias; above 0 the state is kept rather than replaced. With 0 a GRU
            does not learn to hold a first token over 40 steps, with 1 it does.
    """

    cell: Literal["rnn", "gru", "lstm"]
    bidirectional: bool = False
    vocab_size: int
    d_embed: int = 128
    d_hidden: int = 256
    n_layers: int = 1
    n_outputs: int = 1
    embed_dropout: float = 0.4
    dropout: float = 0.5
    readout: Literal["last", "mean", "max", "mean+max"] = "last"
    recurrent_init: Literal["orthogonal", "default"] = "orthogonal"
    forget_bias: float = 1.0
    update_bias: float = 1.0

    def __post_init__(self) -> None:
        """Refuses what cannot be built."""
        if self.cell not in _FUSED:
            raise ConfigError(f"cell is one of {', '.join(_FUSED)}; got {self.cell!r}.")
        if self.readout not in READOUTS:
            raise ConfigError(f"readout is one of {', '.join(READOUTS)}; got {self.readout!r}.")
        if self.recurrent_init not in RECURRENT_INITS:
            raise ConfigError(f"recurrent_init is one of {', '.join(RECURRENT_INITS)}; got {self.recurrent_init!r}.")
        for name in ("vocab_size", "d_embed", "d_hidden", "n_layers", "n_outputs"):
            if type(getattr(self, name)) is not int or getattr(self, name) < 1:
                raise ConfigError(f"{name} is a whole number of at least 1; got {getattr(self, name)!r}.")
        for name in ("embed_dropout", "dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise ConfigError(f"{name} is at least 0 and below 1; got {getattr(self, name)}.")
        if type(self.bidirectional) is not bool:
            raise ConfigError(f"bidirectional is true or false; got {self.bidirectional!r}.")
        if self.recurrent_init not in RECURRENT_INITS:
            raise ConfigError(f"recurrent_init is one of {', '.join(RECURRENT_INITS)}; got {self.recurrent_init!r}.")
        for name in ("forget_bias", "update_bias"):
            if not math.isfinite(getattr(self, name)):
                raise ConfigError(f"{name} is a finite number; got {getattr(self, name)}.")


class RecurrentClassifier(SequenceModel):
    """Embedding, recurrent layers, readout, linear head."""

    config: RecurrentConfig

    def __init__(self, config: RecurrentConfig) -> None:
        """Builds the layers and draws their starting weights."""
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.d_embed, padding_idx=PAD_ID)
        n_directions = 2 if config.bidirectional else 1
        widths = [config.d_embed] + [config.d_hidden * n_directions] * (config.n_layers - 1)

        def stack() -> nn.ModuleList:
            return nn.ModuleList(_FUSED[config.cell](width, config.d_hidden, batch_first=True) for width in widths)

        self.left_to_right = stack()
        self.right_to_left = stack() if config.bidirectional else nn.ModuleList()
        d_state = config.d_hidden * n_directions
        self.head = nn.Linear(d_state * (2 if config.readout == "mean+max" else 1), config.n_outputs)
        self._start_weights()

    @property
    def has_prefix_states(self) -> bool:
        """Whether the verdict after each word is the head applied to that word's state."""
        return not self.config.bidirectional and self.config.readout == "last"

    @property
    def has_step_logits(self) -> bool:
        """Whether a loss can be taken at every word: not where the readout pools over all of them."""
        return self.config.readout == "last"

    @torch.no_grad()
    def _start_weights(self) -> None:
        config = self.config
        nn.init.normal_(self.embedding.weight, std=0.1)
        self.embedding.weight[PAD_ID].zero_()
        for layer in [*self.left_to_right, *self.right_to_left]:
            w = weights_of(layer)
            for matrix in w.W_ih.chunk(w.W_ih.shape[0] // config.d_hidden):
                nn.init.xavier_uniform_(matrix)
            if config.recurrent_init == "orthogonal":
                for matrix in w.W_hh.chunk(w.W_hh.shape[0] // config.d_hidden):
                    nn.init.orthogonal_(matrix)
            nn.init.zeros_(w.b_ih)
            nn.init.zeros_(w.b_hh)
            if config.cell == "lstm":
                w.b_ih.chunk(4)[1].fill_(config.forget_bias)
            elif config.cell == "gru":
                w.b_ih.chunk(3)[1].fill_(config.update_bias)

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Reads a padded batch on the fused layers.

        Args:
            ids: Word indices, int64 (B, T), padded on the right.
            lengths: Real words in each row, int64 (B,), each at least 1.

        Returns:
            Logits (B, n_outputs).
        """
        return self.logits_from_embeddings(self.embedding(ids), lengths)

    def logits_from_embeddings(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Goes on from word vectors, so that a derivative with respect to them can be taken.

        Args:
            x: Word vectors as they stand in the embedding table, (B, T, d_embed).
            lengths: Real words in each row, int64 (B,), each at least 1; None where nothing is padded.

        Returns:
            Logits (B, n_outputs).
        """
        lengths = whole_lengths(x) if lengths is None else lengths
        return self.read_out(self._states(x, lengths), lengths)

    def step_logits(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """The verdict after each word: the head applied to every state.

        Args:
            ids: Word indices, int64 (B, T).
            lengths: Real words in each row, int64 (B,).

        Returns:
            Logits (B, T, n_outputs); entries after a row's length mean nothing.
            In both directions the step is [h_t→ ; h_(T+1-t)←], which has read the
            first t and the last t words; its last step is the verdict.

        Raises:
            ConfigError: The readout pools over all words.
        """
        return self.step_logits_from_embeddings(self.embedding(ids), lengths)

    def step_logits_from_embeddings(self, x: Tensor, lengths: Tensor) -> Tensor:
        """`step_logits` from word vectors as they stand in the embedding table, (B, T, d_embed)."""
        if self.config.readout != "last":
            raise ConfigError(
                f"Only the last-state readout has a verdict at each word; this one is {self.config.readout!r}."
            )
        states = self._states(x, lengths)
        if self.config.bidirectional:
            forward, backward = states.chunk(2, dim=-1)
            states = torch.cat([forward, _reverse(backward, lengths)], dim=-1)
        logits: Tensor = self.head(self._drop(states, self.config.dropout))
        return logits

    def read_on(self, ids: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        """Reads on from where others stopped, in one direction.

        Args:
            ids: Word indices, int64 (B, T).
            state: What was returned after the words before, (n_layers, n_parts, B, d_hidden): h, and c of an LSTM; None
                at the start of the texts.

        Returns:
            Logits after each word (B, T, n_outputs), and the state after the last.

        Raises:
            ConfigError: The model has no state of a prefix.
        """
        if not self.has_prefix_states:
            raise ConfigError(
                "A model that reads in both directions cannot read on: what comes first depends on the end."
            )
        x = self.embedding(ids)
        after = []
        for k, layer in enumerate(self.left_to_right):
            parts = None if state is None else [part[None].contiguous() for part in state[k]]
            before = None if parts is None else tuple(parts) if len(parts) > 1 else parts[0]
            x, last = layer(x, before)
            after.append(torch.cat(last) if isinstance(last, tuple) else last)  # (n_parts, B, d_hidden)
        logits: Tensor = self.head(x)
        return logits, torch.stack(after)

    def logits_at_steps(self, x: Tensor, lengths: Tensor, *, ahead: bool = True) -> Tensor:
        """One answer for each step, for tasks that ask at every step: the head applied to [h_t→ ; h_t←].

        Args:
            x: Word vectors as they stand in the embedding table, (B, T, d_embed).
            lengths: Real words in each row, int64 (B,), each at least 1.
            ahead: Whether a step may see those after it; in one direction it sees none anyway.

        Returns:
            Logits (B, T, n_outputs); entries after a row's length mean nothing.

        Raises:
            ConfigError: The head is made for mean and maximum together, which one state does not have; or the model
                reads in both directions and must not read ahead.
        """
        if self.config.bidirectional and not ahead:
            raise ConfigError("A model that reads in both directions has read what comes next.")
        if self.config.readout == "mean+max":
            raise ConfigError("An answer at every step is read from one state; 'mean+max' has no such head.")
        logits: Tensor = self.head(self._drop(self._states(x, lengths), self.config.dropout))
        return logits

    def record(self, ids: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Reads one text by the equations and keeps every gate.

        Args:
            ids: Word indices, int64 (T,).

        Returns:
            Logits (n_outputs,) and the signals by name: (n_layers, T, d_hidden) each,
            those of the right-to-left direction in reading order with the suffix
            `_backward`.
        """
        x = self.embedding(ids)  # (T, d_embed)
        layers: list[dict[str, Tensor]] = []
        for k, layer in enumerate(self.left_to_right):
            signals = unroll(self.config.cell, x, weights_of(layer))
            states = signals["hidden"]  # (T, d_hidden)
            if self.config.bidirectional:
                backward = unroll(self.config.cell, x.flip(0), weights_of(self.right_to_left[k]))
                signals |= {f"{name}_backward": signal.flip(0) for name, signal in backward.items()}
                states = torch.cat([states, signals["hidden_backward"]], dim=-1)  # (T, 2 * d_hidden)
            layers.append(signals)
            x = states
        logits = self.read_out(x[None], torch.tensor([len(ids)], device=ids.device))[0]
        return logits, {name: torch.stack([signals[name] for signals in layers]) for name in layers[0]}

    def _states(self, x: Tensor, lengths: Tensor) -> Tensor:
        x = self._drop(x, self.config.embed_dropout)  # (B, T, d_embed)
        for k, layer in enumerate(self.left_to_right):
            if k:
                x = self._drop(x, self.config.dropout)
            states = layer(x)[0]  # (B, T, d_hidden)
            if self.config.bidirectional:
                backward = _reverse(self.right_to_left[k](_reverse(x, lengths))[0], lengths)
                states = torch.cat([states, backward], dim=-1)  # (B, T, 2 * d_hidden)
            x = states
        return x

    def read_out(self, states: Tensor, lengths: Tensor) -> Tensor:
        """The answer from the states of the last layer, (B, T, d_state) → logits (B, n_outputs)."""
        config = self.config
        if config.readout == "last":
            rows = torch.arange(len(states), device=states.device)
            pooled = states[rows, lengths - 1]  # (B, d)
            if config.bidirectional:
                pooled = torch.cat([pooled[:, : config.d_hidden], states[:, 0, config.d_hidden :]], dim=-1)
        else:
            real = torch.arange(states.shape[1], device=states.device)[None, :, None] < lengths[:, None, None]
            mean = (states * real).sum(1) / lengths[:, None]
            peak = states.masked_fill(~real, -math.inf).amax(1)
            pooled = {"mean": mean, "max": peak, "mean+max": torch.cat([mean, peak], dim=-1)}[config.readout]
        logits: Tensor = self.head(self._drop(pooled, config.dropout))
        return logits

    def _drop(self, x: Tensor, share: float) -> Tensor:
        """Zeroes a share of the entries, the same ones at every step of a row."""
        if not self.training or share == 0:
            return x
        mask_shape = (x.shape[0], 1, x.shape[2]) if x.ndim == 3 else x.shape
        return x * nn.functional.dropout(x.new_ones(mask_shape), share)


def weights_of(layer: nn.Module) -> Weights:
    """The four tensors of a fused layer."""
    return Weights(layer.weight_ih_l0, layer.weight_hh_l0, layer.bias_ih_l0, layer.bias_hh_l0)  # type: ignore[arg-type]


def _reverse(x: Tensor, lengths: Tensor) -> Tensor:
    """Turns each row's real words round and leaves its padding in place.

    Args:
        x: (B, T, d).
        lengths: Real words in each row, (B,).
    """
    steps = torch.arange(x.shape[1], device=x.device)[None, :]  # (1, T)
    turned = torch.where(steps < lengths[:, None], lengths[:, None] - 1 - steps, steps)  # (B, T)
    return x.gather(1, turned[:, :, None].expand_as(x))
