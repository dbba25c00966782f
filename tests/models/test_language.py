import math

import pytest
import torch
from torch.nn import functional as F  # noqa: N812 (torch's own name for it)

from seqdemo.errors import ConfigError
from seqdemo.models.language import MaskedLanguageModel, RecurrentLanguageModel, candidate_loss, hide_words
from seqdemo.models.recurrent import RecurrentClassifier, RecurrentConfig
from seqdemo.models.transformer import TransformerConfig
from seqdemo.text import PAD_ID, UNKNOWN_ID


@pytest.fixture
def problem():
    torch.manual_seed(0)
    states = torch.randn(700, 8, requires_grad=True)
    embedding = torch.randn(50, 8, requires_grad=True)
    bias = torch.randn(50, requires_grad=True)
    return states, torch.randint(0, 50, (700,)), embedding, bias


def test_with_every_word_among_the_candidates_loss_and_gradient_are_those_of_the_full_softmax(problem):
    states, targets, embedding, bias = problem
    found = candidate_loss(states, targets, embedding, bias, n_frequent=20, sampled=torch.arange(20, 50))
    gradients = torch.autograd.grad(found, (states, embedding, bias))
    wanted = F.cross_entropy(states @ embedding.T + bias, targets)
    torch.testing.assert_close(found, wanted)
    for gradient, other in zip(gradients, torch.autograd.grad(wanted, (states, embedding, bias)), strict=True):
        torch.testing.assert_close(gradient, other, atol=1e-6, rtol=1e-4)


def test_with_a_sample_the_mean_loss_comes_near_the_full_one(problem):
    states, targets, embedding, bias = problem
    small = embedding.detach() * 0.1  # nearly equal logits: a sample of words tells the whole
    wanted = F.cross_entropy(states @ small.T + 0 * bias, targets)
    found = [
        candidate_loss(
            states, targets, small, 0 * bias, n_frequent=10, sampled=torch.randperm(40, generator=generator)[:15] + 10
        )
        for generator in (torch.Generator().manual_seed(seed) for seed in range(20))
    ]
    assert torch.stack(found).mean().item() == pytest.approx(wanted.item(), rel=0.01)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_reading_in_pieces_gives_the_states_of_reading_at_once(cell):
    torch.manual_seed(0)
    model = RecurrentLanguageModel(RecurrentConfig(cell=cell, vocab_size=30, d_embed=6, d_hidden=5)).eval()
    ids = torch.randint(0, 30, (3, 12))
    whole, _ = model.states(ids)
    first, state = model.states(ids[:, :7])
    second, _ = model.states(ids[:, 7:], state)
    torch.testing.assert_close(torch.cat([first, second], 1), whole)
    assert model(ids)[0].shape == (3, 12, 30)


def test_a_classifier_has_the_same_layers_under_the_same_names():
    config = RecurrentConfig(cell="lstm", bidirectional=True, vocab_size=30, d_embed=6, d_hidden=5)
    model, classifier = RecurrentLanguageModel(config), RecurrentClassifier(config)
    shared = {name for name in classifier.state_dict() if not name.startswith("head.")}
    assert shared <= set(model.state_dict())


def test_a_language_model_of_two_layers_is_refused():
    with pytest.raises(ConfigError, match="one recurrent layer"):
        RecurrentLanguageModel(RecurrentConfig(cell="gru", vocab_size=30, n_layers=2))


def test_a_hidden_word_is_guessed_from_the_words_around_it():
    torch.manual_seed(0)
    model = MaskedLanguageModel(TransformerConfig(vocab_size=30, d_model=8, n_heads=2, n_layers=1, d_ff=8)).eval()
    ids = torch.randint(2, 30, (1, 6))
    lengths = torch.tensor([6])
    before = model.states(ids, lengths)[0, 2]
    ids[0, 5] = (ids[0, 5] - 1) % 28 + 2
    assert not torch.allclose(model.states(ids, lengths)[0, 2], before), "it looks to the right as well"


def test_hidden_words_are_a_share_of_the_real_ones():
    ids = torch.randint(2, 30, (40, 50))
    ids[:, 40:] = PAD_ID
    ids[:, 0] = UNKNOWN_ID
    hidden, picked = hide_words(ids, 0.2, torch.Generator().manual_seed(0))
    assert not picked[:, 40:].any()
    assert not picked[:, 0].any()
    assert picked.sum().item() / (40 * 39) == pytest.approx(0.2, abs=0.03)
    assert (hidden[picked] == UNKNOWN_ID).float().mean().item() == pytest.approx(0.9, abs=0.05)
    assert torch.equal(hidden[~picked], ids[~picked])


def test_before_learning_every_word_is_nearly_as_likely():
    torch.manual_seed(0)
    model = RecurrentLanguageModel(RecurrentConfig(cell="lstm", vocab_size=40, d_embed=6, d_hidden=5)).eval()
    logits, _ = model(torch.randint(0, 40, (4, 9)))
    loss = F.cross_entropy(logits.flatten(0, 1), torch.randint(0, 40, (36,)))
    assert loss.item() == pytest.approx(math.log(40), abs=0.1)
