import numpy as np
import pytest
import torch

from seqdemo.bounded import Bounded
from seqdemo.checkpoints import folder
from seqdemo.explain.prefixes import MAX_BEGINNINGS, prefix_curve, sampled_steps
from seqdemo.models import registry
from seqdemo.text import Vocabulary

WORDS = ["the", "film", "was", "not", "a", "good", "one", ",", "but", "its", "end", "is", "fine", "."]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """One small untrained checkpoint for each model."""
    torch.manual_seed(1)
    vocabulary = Vocabulary(["<pad>", "<unk>", *dict.fromkeys(WORDS)])
    loaded = {}
    for name in registry.MODELS:
        small = (
            {"d_embed": 8, "d_hidden": 8}
            if registry.spec(name).has_states
            else {"d_model": 8, "n_heads": 2, "n_layers": 2, "d_ff": 16}
        )
        model = registry.build(name, registry.make_config(name, vocab_size=len(vocabulary), **small))
        path = tmp_path_factory.mktemp("models") / name
        folder.save(path, name=name, model=model, vocabulary=vocabulary, metrics={}, history=[], training={})
        loaded[name] = folder.load(path)
    return loaded


class Asked:
    """A classifier that notes which beginnings it was run on."""

    has_prefix_states = False

    def __init__(self, classifier):
        self.classifier = classifier
        self.sha256 = classifier.sha256
        self.lengths = []

    def predict_ids(self, ids):
        self.lengths += [len(one) for one in ids]
        return self.classifier.predict_ids(ids)


def text_of(n_tokens):
    return " ".join(WORDS[k % len(WORDS)] for k in range(n_tokens))


@pytest.mark.parametrize("n_tokens", [1, 2, 23, 24, 25, 47, 184, 185, 368, 399, 400])
def test_the_sample_has_first_and_last_word_and_is_never_larger_than_allowed(n_tokens):
    steps = sampled_steps(n_tokens)
    assert steps[0] == 0
    assert steps[-1] == n_tokens - 1
    assert len(steps) <= MAX_BEGINNINGS
    assert (np.diff(steps) > 0).all()


def test_a_short_text_is_sampled_at_every_word():
    assert sampled_steps(24).tolist() == list(range(24))


def test_of_a_longer_text_only_the_last_word_is_a_new_sample():
    for n_tokens in range(1, 400):
        before, after = sampled_steps(n_tokens).tolist(), sampled_steps(n_tokens + 1).tolist()
        assert set(after) - set(before) == {n_tokens}


@pytest.mark.parametrize("name", registry.MODELS)
def test_each_point_of_a_curve_is_the_verdict_on_that_beginning(models, name):
    classifier = models[name]
    ids = classifier.read(text_of(60)).ids
    steps, probabilities = prefix_curve(classifier, ids, Bounded(1_000_000))
    expected = [classifier.predict_ids([ids[: step + 1]])[0] for step in steps]
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)
    assert probabilities.dtype == np.float32
    assert steps[-1] == 59


@pytest.mark.parametrize("name", ["rnn", "gru", "lstm"])
def test_a_one_way_model_answers_at_every_word(models, name):
    steps, _ = prefix_curve(models[name], models[name].read(text_of(300)).ids, Bounded(1_000_000))
    assert steps.tolist() == list(range(300))


def test_only_new_beginnings_are_run_after_words_are_added(models):
    asked, memory = Asked(models["bilstm"]), Bounded(1_000_000)
    ids = models["bilstm"].read(text_of(60)).ids
    prefix_curve(asked, ids[:50], memory)
    asked.lengths.clear()
    prefix_curve(asked, ids[:57], memory)
    assert asked.lengths == [52, 56, 57]
    asked.lengths.clear()
    prefix_curve(asked, ids[:57], memory)
    assert asked.lengths == []


def test_a_changed_word_is_run_again_from_there_on(models):
    asked, memory = Asked(models["transformer"]), Bounded(1_000_000)
    ids = models["transformer"].read(text_of(20)).ids
    prefix_curve(asked, ids, memory)
    asked.lengths.clear()
    changed = ids.copy()
    changed[12] = ids[12] + 1
    prefix_curve(asked, changed, memory)
    assert sorted(asked.lengths) == list(range(13, 21))


def test_two_checkpoints_do_not_share_memory(models):
    memory = Bounded(1_000_000)
    ids = models["bilstm"].read(text_of(10)).ids
    prefix_curve(models["bilstm"], ids, memory)
    _, probabilities = prefix_curve(models["transformer"], ids, memory)
    np.testing.assert_allclose(probabilities[-1], models["transformer"].predict_ids([ids])[0], atol=1e-6)
    assert len(memory) == 20
