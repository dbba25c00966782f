"""Recurrent cells by their equations: one line of code for each.

Symbols are the papers': x_t the word vector, h_t the hidden state, c_t the cell
state, i, f, o, r, z the gates, g and n the candidates. Weights come in torch's layout,
gates stacked along the first axis, so that the same tensors drive these functions and
torch's fused layers. Every function takes vectors or batches:
x (..., d_in), h and c (..., d_hidden), W_ih (gates * d_hidden, d_in),
W_hh (gates * d_hidden, d_hidden), biases (gates * d_hidden,).

Sources:
    RNN: Elman 1990, "Finding structure in time".
    LSTM: Hochreiter & Schmidhuber 1997; forget gate by Gers et al. 2000.
    GRU: Cho et al. 2014, eqs. 5-8; the reset gate stands outside of the matrix
        product, as in torch and cuDNN, and z keeps the old state.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, sigmoid, tanh


class Weights(NamedTuple):
    """The four tensors of one recurrent layer in one direction."""

    W_ih: Tensor
    W_hh: Tensor
    b_ih: Tensor
    b_hh: Tensor


class RNNStep(NamedTuple):
    """What a vanilla RNN computes in one step, (..., d_hidden)."""

    hidden: Tensor


class LSTMStep(NamedTuple):
    """What an LSTM computes in one step, each (..., d_hidden)."""

    input_gate: Tensor
    forget_gate: Tensor
    candidate: Tensor
    output_gate: Tensor
    cell: Tensor
    hidden: Tensor


class GRUStep(NamedTuple):
    """What a GRU computes in one step, each (..., d_hidden)."""

    reset_gate: Tensor
    update_gate: Tensor
    candidate: Tensor
    hidden: Tensor


def rnn_step(x: Tensor, h: Tensor, w: Weights) -> RNNStep:
    """One step of a vanilla RNN (Elman 1990)."""
    h = tanh(x @ w.W_ih.T + w.b_ih + h @ w.W_hh.T + w.b_hh)
    return RNNStep(h)


def lstm_step(x: Tensor, h: Tensor, c: Tensor, w: Weights) -> LSTMStep:
    """One step of an LSTM with a forget gate (Gers et al. 2000)."""
    (W_xi, W_xf, W_xg, W_xo), (W_hi, W_hf, W_hg, W_ho) = w.W_ih.chunk(4), w.W_hh.chunk(4)
    b_i, b_f, b_g, b_o = (w.b_ih + w.b_hh).chunk(4)
    i = sigmoid(x @ W_xi.T + h @ W_hi.T + b_i)
    f = sigmoid(x @ W_xf.T + h @ W_hf.T + b_f)
    g = tanh(x @ W_xg.T + h @ W_hg.T + b_g)
    o = sigmoid(x @ W_xo.T + h @ W_ho.T + b_o)
    c = f * c + i * g
    h = o * tanh(c)
    return LSTMStep(i, f, g, o, c, h)


def gru_step(x: Tensor, h: Tensor, w: Weights) -> GRUStep:
    """One step of a GRU (Cho et al. 2014, in torch's arrangement)."""
    (W_xr, W_xz, W_xn), (W_hr, W_hz, W_hn) = w.W_ih.chunk(3), w.W_hh.chunk(3)
    (b_xr, b_xz, b_xn), (b_hr, b_hz, b_hn) = w.b_ih.chunk(3), w.b_hh.chunk(3)
    r = sigmoid(x @ W_xr.T + b_xr + h @ W_hr.T + b_hr)
    z = sigmoid(x @ W_xz.T + b_xz + h @ W_hz.T + b_hz)
    n = tanh(x @ W_xn.T + b_xn + r * (h @ W_hn.T + b_hn))
    h = (1 - z) * n + z * h
    return GRUStep(r, z, n, h)


def unroll(cell: str, x: Tensor, w: Weights, start: tuple[Tensor, Tensor] | None = None) -> dict[str, Tensor]:
    """Reads a sequence word by word and keeps every gate.

    Args:
        cell: `rnn`, `lstm` or `gru`.
        x: Word vectors, (..., n_steps, d_in).
        w: The layer's weights.
        start: The hidden state and an LSTM's cell state (others do not look at it), (..., d_hidden) each; None for
            zeros.

    Returns:
        Signal name → (..., n_steps, d_hidden).
    """
    zeros = x.new_zeros(*x.shape[:-2], w.W_hh.shape[1])
    h, c = start or (zeros, zeros)
    steps: list[RNNStep | LSTMStep | GRUStep] = []
    for x_t in x.unbind(dim=-2):
        step: RNNStep | LSTMStep | GRUStep
        if cell == "rnn":
            step = rnn_step(x_t, h, w)
        elif cell == "gru":
            step = gru_step(x_t, h, w)
        else:
            step = lstm_step(x_t, h, c, w)
            c = step.cell
        h = step.hidden
        steps.append(step)
    return {name: torch.stack([getattr(step, name) for step in steps], dim=-2) for name in steps[0]._fields}
