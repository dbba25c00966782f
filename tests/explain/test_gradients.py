"""Gradients: equal to finite differences, on one scale, and nothing is written to a shared model."""

import copy
import types

import numpy as np
import pytest
import torch

from seqdemo.explain import gradients
from seqdemo.models.registry import MODELS

IDS = torch.tensor([5, 9, 1, 20, 7, 7, 31])


def frozen(model):
    return model.requires_grad_(False).eval()


@pytest.mark.parametrize("name", MODELS)
def test_a_gradient_equals_finite_differences(build_small, name):
    model = frozen(copy.deepcopy(build_small(name)).double())
    found = gradients.logit_gradient(model, IDS)
    vectors = model.embedding(IDS)[None]
    lengths = torch.tensor([len(IDS)])
    step = 1e-6
    expected = torch.zeros_like(vectors[0])
    for t in range(vectors.shape[1]):
        for k in range(vectors.shape[2]):
            moved = torch.zeros_like(vectors)
            moved[0, t, k] = step
            up, down = (model.logits_from_embeddings(vectors + sign * moved, lengths)[0, 0] for sign in (1, -1))
            expected[t, k] = (up - down) / (2 * step)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-8)
    assert found.abs().max() > 1e-3


@pytest.mark.parametrize("name", MODELS)
def test_going_on_from_word_vectors_is_the_same_as_reading_words(build_small, name):
    model = build_small(name)
    ids, lengths = torch.tensor([[5, 9, 1, 20], [7, 31, 0, 0]]), torch.tensor([4, 2])
    with torch.inference_mode():
        torch.testing.assert_close(model.logits_from_embeddings(model.embedding(ids), lengths), model(ids, lengths))


@pytest.mark.parametrize("name", MODELS)
def test_a_shared_model_is_left_as_it_was(build_small, name):
    model = frozen(copy.deepcopy(build_small(name)))
    before = copy.deepcopy(model.state_dict())
    with torch.inference_mode():  # whoever asks may stand in it
        gradients.logit_gradient(model, IDS)
    assert all(parameter.grad is None and not parameter.requires_grad for parameter in model.parameters())
    assert all(torch.equal(tensor, before[key]) for key, tensor in model.state_dict().items())


def test_the_scale_does_not_depend_on_how_long_a_models_vectors_are(build_small):
    model = frozen(copy.deepcopy(build_small("lstm")).double())
    other = copy.deepcopy(model)
    other.embedding.weight.mul_(0.25)
    other.left_to_right[0].weight_ih_l0.mul_(4)  # the same model, written with shorter vectors
    one, two = (gradients.scaled_gradients(types.SimpleNamespace(model=each), IDS.numpy()) for each in (model, other))
    np.testing.assert_allclose(one, two, rtol=1e-10)


def test_the_length_of_a_word_vector_leaves_padding_out(build_small):
    model = frozen(copy.deepcopy(build_small("rnn")))
    model.embedding.weight.fill_(0)
    model.embedding.weight[1:, 0] = 3.0
    model.embedding.weight[1:, 1] = 4.0
    assert gradients.embedding_length(model) == pytest.approx(5.0)


def test_a_words_own_effect_is_its_vector_times_its_gradient(build_small):
    model = frozen(copy.deepcopy(build_small("gru")))
    scaled, effects = gradients.word_gradients(types.SimpleNamespace(model=model), IDS.numpy())
    gradient = gradients.logit_gradient(model, IDS)
    np.testing.assert_allclose(effects, (model.embedding(IDS) * gradient).sum(-1).numpy(), rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(scaled, gradient.norm(dim=-1).numpy() * gradients.embedding_length(model), rtol=1e-5)
