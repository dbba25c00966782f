"""The total derivative of the loss by each state, held against finite differences and torch's own backward pass."""

import numpy as np
import pytest
import torch

from seqdemo.models.registry import MODELS
from seqdemo.training import probe
from seqdemo.training.probe import gradient_by_step
from seqdemo.training.problem import prepare
from seqdemo.training.settings import RunSettings
from seqdemo.training.task_model import TaskModel, tensors


def built(**changes):
    settings = RunSettings(**{"task": "first_token", "length": 6, "d_hidden": 4, "d_embed": 4, **changes})
    problem = prepare(settings)
    torch.manual_seed(0)
    return TaskModel.of(settings, problem).double(), problem


@pytest.mark.parametrize("model", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("readout", ["last", "mean"])
def test_it_is_what_moving_the_state_at_a_step_does_to_the_loss(model, readout, monkeypatch):
    task_model, problem = built(model=model, readout=readout, task="temporal_order", length=10)
    inputs, lengths, targets = tensors(problem.probe, torch.device("cpu"))
    inputs, lengths, targets = inputs[:1], lengths[:1], targets[:1]
    batch = type(problem.probe)(inputs=inputs.numpy(), lengths=lengths.numpy(), targets=targets.numpy())
    found = gradient_by_step(task_model, batch)

    step_of = {"rnn": "rnn_step", "gru": "gru_step", "lstm": "lstm_step"}[model]
    real = getattr(probe, step_of)

    def loss(moved_step, entry, by):
        count = iter(range(100))

        def step(*arguments):
            out = real(*arguments)
            if next(count) == moved_step:
                out = out._replace(hidden=out.hidden + by * torch.eye(4, dtype=torch.double)[entry])
            return out

        monkeypatch.setattr(probe, step_of, step)
        with torch.no_grad():
            states = torch.stack(probe._last_layer(task_model.network, task_model.embed(inputs))[0], 1)
            answers = task_model.network.read_out(states, lengths).double()
        return torch.nn.functional.cross_entropy(answers, targets).item()

    for t in (0, 4, 9):
        slopes = [(loss(t, entry, 1e-5) - loss(t, entry, -1e-5)) / 2e-5 for entry in range(4)]
        assert found[t] == pytest.approx(np.linalg.norm(slopes), rel=1e-4, abs=1e-9)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("changes", [{}, {"n_layers": 2}, {"task": "adding"}, {"task": "copy"}, {"task": "synthetic"}])
def test_the_unrolled_pass_answers_as_the_fused_one_and_leaves_the_model_as_it_was(model, changes):
    settings = {"samples": 200, "distance": 10, **changes}
    task_model, problem = built(model=model, **settings)
    task_model.float().train()
    before = {name: tensor.clone() for name, tensor in task_model.state_dict().items()}
    found = gradient_by_step(task_model, problem.probe)
    assert found.shape == (int(problem.probe.lengths[0]),)
    assert np.isfinite(found).all()
    assert (found > 0).all()
    assert task_model.training
    assert all(parameter.grad is None for parameter in task_model.parameters())
    assert all(torch.equal(tensor, before[name]) for name, tensor in task_model.state_dict().items())
    if model != "transformer":
        inputs, lengths, _ = tensors(problem.probe, torch.device("cpu"))
        task_model.eval()
        states = torch.cat(
            [torch.stack(d, 1) for d in probe._last_layer(task_model.network, task_model.embed(inputs))], -1
        )
        stepwise = task_model.answer == "class at every step"
        answers = task_model.network.head(states) if stepwise else task_model.network.read_out(states, lengths)
        torch.testing.assert_close(answers, task_model(inputs, lengths), atol=1e-5, rtol=1e-4)


def test_the_gradient_of_an_untrained_rnn_vanishes_and_of_pooling_it_does_not():
    vanishing, problem = built(model="rnn", length=60, recurrent_init="default")
    pooled, _ = built(model="rnn", length=60, recurrent_init="default", readout="mean")
    last = gradient_by_step(vanishing, problem.probe)
    mean = gradient_by_step(pooled, problem.probe)
    assert last[0] < 1e-6 * last[-1]
    assert mean[0] > 0.1 * mean[-1]


def test_all_sequences_of_the_probe_are_of_one_length():
    for changes in ({"task": "synthetic", "samples": 300}, {"task": "parity"}):
        lengths = prepare(RunSettings(**changes)).probe.lengths
        assert len(set(lengths.tolist())) == 1
