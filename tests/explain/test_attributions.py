"""Attributions: complete, equal to what they are defined as, and nothing is written to a shared model."""

import copy
import types

import numpy as np
import pytest
import torch

from seqdemo.explain import attributions
from seqdemo.explain.methods import METHODS, SIGNED
from seqdemo.models.registry import MODELS
from seqdemo.text import UNKNOWN_ID

IDS = np.array([5, 9, UNKNOWN_ID, 20, 7, 7, 31])


@pytest.fixture(scope="module")
def classifier(build_small):
    """A model as visitors share it: frozen, small, and nothing else of a checkpoint."""

    def build(name, *, double=False):
        model = copy.deepcopy(build_small(name)).requires_grad_(False).eval()
        return types.SimpleNamespace(model=model.double() if double else model)

    return build


def logit(classifier, ids):
    with torch.inference_mode():
        return classifier.model(torch.tensor(ids)[None], torch.tensor([len(ids)]))[0, 0].item()


@pytest.mark.parametrize("kind", ["unknown", "zeros"])
@pytest.mark.parametrize("name", MODELS)
def test_integrated_gradients_add_up_to_the_logit_minus_that_of_the_baseline(classifier, name, kind):
    model = classifier(name)
    found = attributions.integrated_gradients(model, IDS, baseline=kind)
    nothing = torch.zeros(1, len(IDS), model.model.embedding.embedding_dim)
    unknown = logit(model, np.full_like(IDS, UNKNOWN_ID))
    zeros = model.model.logits_from_embeddings(nothing, torch.tensor([len(IDS)]))[0, 0].item()
    baseline = {"unknown": unknown, "zeros": zeros}[kind]
    assert abs(unknown - zeros) > 1e-4
    assert found.logit == pytest.approx(logit(model, IDS), abs=1e-5)
    assert found.baseline == pytest.approx(baseline, abs=1e-5)
    assert found.error == pytest.approx(abs(found.values.sum() - (found.logit - found.baseline)))
    assert found.error <= max(attributions.TOLERANCE * abs(found.difference), attributions.LEAST_LOGITS)
    assert found.is_complete
    assert found.n_steps >= 50
    assert found.error < 1e-3 < 0.01 < np.abs(found.values).max()


@pytest.mark.parametrize("name", MODELS)
def test_integrated_gradients_are_the_integral_at_every_word(classifier, name):
    model = classifier(name, double=True)
    found = attributions.integrated_gradients(model, IDS).values
    vectors = model.model.embedding(torch.tensor(IDS))
    unknown = model.model.embedding(torch.tensor(UNKNOWN_ID))
    a = (torch.arange(2000, dtype=torch.float64) + 0.5) / 2000
    x = (unknown + a[:, None, None] * (vectors - unknown)).requires_grad_()
    total = model.model.logits_from_embeddings(x, torch.full((2000,), len(IDS)))[:, 0].sum()
    (gradient,) = torch.autograd.grad(total, x)
    np.testing.assert_allclose(found, ((vectors - unknown) * gradient.mean(0)).sum(-1).numpy(), atol=2e-4)
    assert found[2] == 0  # was unknown before


def test_points_are_added_until_the_sum_is_complete(classifier):
    model = classifier("rnn")
    model.model.embedding.weight.mul_(40)  # saturated: almost all of the change lies close to the baseline
    rough = attributions.integrated_gradients(model, IDS, n_steps=2, max_steps=2)
    assert rough.n_steps == 2
    assert not rough.is_complete
    finer = attributions.integrated_gradients(model, IDS, n_steps=2)
    assert finer.n_steps > 2
    assert finer.error < rough.error


def test_a_long_text_is_given_fewer_points(classifier, monkeypatch):
    model = classifier("rnn")
    model.model.embedding.weight.mul_(40)
    monkeypatch.setattr(attributions, "MAX_WORDS", 8 * len(IDS))
    assert attributions.integrated_gradients(model, IDS, n_steps=2).n_steps <= 8


@pytest.mark.parametrize("name", MODELS)
def test_gradient_times_input_is_what_a_small_step_towards_the_unknown_word_changes(classifier, name):
    model = classifier(name, double=True)
    found = attributions.gradient_x_input(model, IDS)
    vectors = model.model.embedding(torch.tensor(IDS))
    lengths, step = torch.tensor([len(IDS)]), 1e-6
    for t in range(len(IDS)):
        moved = torch.zeros_like(vectors)
        moved[t] = step * (vectors[t] - model.model.embedding(torch.tensor(UNKNOWN_ID)))
        up, down = (model.model.logits_from_embeddings((vectors + s * moved)[None], lengths)[0, 0] for s in (1, -1))
        assert found[t] == pytest.approx(((up - down) / (2 * step)).item(), rel=1e-4, abs=1e-8)


@pytest.mark.parametrize("name", MODELS)
def test_leaving_a_word_out_is_reading_the_text_again_without_it(classifier, name):
    model = classifier(name)
    found = attributions.leave_one_out(model, IDS)
    for t in range(len(IDS)):
        without = IDS.copy()
        without[t] = UNKNOWN_ID
        assert found[t] == pytest.approx(logit(model, IDS) - logit(model, without), abs=1e-5)
    assert found[2] == 0  # was unknown before
    assert np.abs(found).max() > 1e-3


def test_leaving_out_needs_more_than_one_batch_in_a_long_text(classifier):
    model = classifier("gru")
    ids = np.resize(IDS, 75)
    found = attributions.leave_one_out(model, ids)
    without = ids.copy()
    without[70] = UNKNOWN_ID
    assert found.shape == (75,)
    assert found[70] == pytest.approx(logit(model, ids) - logit(model, without), abs=1e-5)


def test_attention_is_given_out_in_shares_by_the_model_that_has_it(classifier):
    found = attributions.attention(classifier("transformer"), IDS)
    assert list(found) == ["rollout", "mean_attention"]
    for shares in found.values():
        assert shares.sum() == pytest.approx(1, abs=1e-5)
        assert (shares > 0).all()
    weights = classifier("transformer").model.record(torch.tensor(IDS))[1]["attention"]
    np.testing.assert_allclose(found["mean_attention"], weights.mean((0, 1, 2)).numpy(), rtol=1e-4)


@pytest.mark.parametrize("name", MODELS)
def test_each_model_has_its_methods_with_one_figure_for_each_word(classifier, name):
    found = attributions.attribute(classifier(name), IDS)
    assert tuple(found) == (tuple(METHODS) if name == "transformer" else SIGNED)
    assert all(values.shape == IDS.shape and values.dtype == np.float64 for values in found.values())


@pytest.mark.parametrize("name", MODELS)
def test_a_text_of_one_word_has_figures_too(classifier, name):
    found = attributions.attribute(classifier(name), IDS[:1])
    assert all(np.isfinite(values).all() and values.shape == (1,) for values in found.values())


@pytest.mark.parametrize("name", MODELS)
def test_attributing_changes_no_weight_and_no_logit(classifier, name):
    model = classifier(name)
    before, said = copy.deepcopy(model.model.state_dict()), logit(model, IDS)
    with torch.inference_mode():  # whoever asks may stand in it
        attributions.attribute(model, IDS)
    assert all(parameter.grad is None and not parameter.requires_grad for parameter in model.model.parameters())
    assert all(torch.equal(tensor, before[key]) for key, tensor in model.model.state_dict().items())
    assert logit(model, IDS) == said
