"""How strongly the loss depends on the state at each step: ‖∂L/∂h_t‖, the vanishing gradient as it happens.

The derivative is the total one: h_t reaches the loss through every later state as well as directly. Fused layers do
not show the states in between, so the last layer is computed once more by the equations of `models.cells`, on the
same weights (Pascanu, Mikolov & Bengio 2013, equation 5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from seqdemo.data.tasks import Batch
from seqdemo.models.cells import Weights, gru_step, lstm_step, rnn_step
from seqdemo.training.task_model import TaskModel, tensors

if TYPE_CHECKING:
    from seqdemo.models.recurrent import RecurrentClassifier


def gradient_by_step(model: TaskModel, batch: Batch) -> npt.NDArray[np.float64]:
    """‖∂L/∂h_t‖₂ at every step, the mean over the sequences of a batch; nothing is written to the module.

    Args:
        model: The model as it stands, on any device.
        batch: The probe; its sequences are of one length T.

    Returns:
        In nats (or squared errors) for a unit of h_t, L the loss of one sequence, float64 (T,). h_t is the state of
        the last recurrent layer (of a BiLSTM both directions side by side), and of a Transformer, which has no
        state, the word vector that enters its first layer.
    """
    device = next(model.parameters()).device
    inputs, lengths, targets = tensors(batch, device)
    was_training = model.training
    model.eval()
    try:
        with torch.enable_grad(), torch.autocast(device.type, enabled=False):
            x = model.embed(inputs).detach()  # (B, T, d)
            if hasattr(model.network.config, "cell"):
                network = cast("RecurrentClassifier", model.network)
                directions = _last_layer(network, x)
                states = torch.cat([torch.stack(direction, 1) for direction in directions], -1)  # (B, T, d_state)
                stepwise = model.answer == "class at every step"
                answers = network.head(states) if stepwise else network.read_out(states, lengths)
            else:
                x.requires_grad_()
                directions = [[x]]
                answers = model.answers_from(x, lengths)
            loss = model.losses(answers, targets, lengths).sum()
            found = torch.autograd.grad(loss, [state for direction in directions for state in direction])
    finally:
        model.train(was_training)
    n_steps = len(directions[0])
    if n_steps == 1 and x.requires_grad:
        gradients = found[0]  # (B, T, d)
    else:
        each = [torch.stack(found[start : start + n_steps], 1) for start in range(0, len(found), n_steps)]
        gradients = torch.cat(each, -1)  # (B, T, d_state)
    norms: npt.NDArray[np.float64] = np.linalg.norm(gradients.cpu().numpy().astype(np.float64), axis=-1).mean(0)
    return norms


def _last_layer(network: RecurrentClassifier, x: Tensor) -> list[list[Tensor]]:
    """The last layer's state at each step in reading order, (B, d_hidden) each, for each direction."""
    both = network.config.bidirectional
    with torch.no_grad():
        for k, layer in enumerate(network.left_to_right[:-1]):
            backward = [network.right_to_left[k](x.flip(1))[0].flip(1)] if both else []
            x = torch.cat([layer(x)[0], *backward], -1)
    directions = [_unrolled(network.config.cell, network.left_to_right[-1], x)]
    if both:
        directions.append(_unrolled(network.config.cell, network.right_to_left[-1], x.flip(1))[::-1])
    return directions


def _unrolled(cell: str, layer: nn.Module, x: Tensor) -> list[Tensor]:
    w = Weights(layer.weight_ih_l0, layer.weight_hh_l0, layer.bias_ih_l0, layer.bias_hh_l0)  # type: ignore[arg-type]
    h = x.new_zeros(len(x), w.W_hh.shape[1])
    c = torch.zeros_like(h)
    states = []
    for x_t in x.unbind(1):
        if cell == "lstm":
            step = lstm_step(x_t, h, c, w)
            h, c = step.hidden, step.cell
        else:
            h = (rnn_step if cell == "rnn" else gru_step)(x_t, h, w).hidden
        states.append(h)
    return states
