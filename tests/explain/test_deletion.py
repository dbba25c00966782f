"""Deletion: curves are the model's own answers, and a method that is right beats chance."""

import copy
import types

import numpy as np
import pytest
import torch

from seqdemo.explain import attributions, deletion
from seqdemo.models.registry import MODELS
from seqdemo.text import UNKNOWN_ID

IDS = np.random.default_rng(3).integers(2, 30, 40)


@pytest.fixture(scope="module")
def classifier(build_small):
    def build(name):
        return types.SimpleNamespace(model=copy.deepcopy(build_small(name)).requires_grad_(False).eval())

    return build


def probability(classifier, ids):
    with torch.inference_mode():
        return torch.sigmoid(classifier.model(torch.tensor(ids)[None], torch.tensor([len(ids)])))[0, 0].item()


@pytest.mark.parametrize("name", MODELS)
def test_a_curve_is_what_the_model_says_of_the_text_without_the_first_words_of_the_order(classifier, name):
    model = classifier(name)
    found = {"leave_one_out": attributions.leave_one_out(model, IDS)}
    deleted = deletion.delete(model, IDS, found)
    whole = probability(model, IDS)
    assert deleted.positive == (whole >= 0.5)
    towards = found["leave_one_out"] if deleted.positive else -found["leave_one_out"]
    order = np.argsort(-towards, kind="stable")
    for share, p in zip(deletion.SHARES, deleted.curves["leave_one_out"], strict=True):
        cut = IDS.copy()
        cut[order[: round(share * len(IDS))]] = UNKNOWN_ID
        expected = probability(model, cut)
        assert p == pytest.approx(expected if deleted.positive else 1 - expected, abs=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_every_curve_begins_at_the_verdict(classifier, name):
    model = classifier(name)
    deleted = deletion.delete(model, IDS, attributions.attribute(model, IDS))
    whole = probability(model, IDS)
    starts = [curve[0] for curve in [*deleted.curves.values(), *deleted.by_size.values(), *deleted.random]]
    np.testing.assert_allclose(starts, max(whole, 1 - whole), atol=1e-5)
    assert deleted.random.shape == (deletion.N_ORDERS, len(deletion.SHARES))
    assert deletion.N_ORDERS >= 20
    assert len(np.unique(deleted.random[:, 3])) > 5  # its spread is one of different orders


def test_what_the_model_rests_on_falls_sooner_than_chance_and_the_rest_later(classifier):
    model = classifier("transformer")
    effects = attributions.leave_one_out(model, IDS)
    deleted = deletion.delete(model, IDS, {"leave_one_out": effects, "gradient_x_input": -effects})
    assert deleted.fall("leave_one_out") > deleted.random_falls.max()
    assert deleted.fall("gradient_x_input") < deleted.random_falls.min()


def test_attention_has_no_sign_to_turn_round(classifier):
    model = classifier("transformer")
    shares = np.linspace(0, 1, len(IDS))
    deleted = deletion.delete(model, IDS, {"rollout": shares, "leave_one_out": shares})
    np.testing.assert_array_equal(deleted.curves["rollout"], deleted.by_size["rollout"])
    np.testing.assert_array_equal(deleted.by_size["leave_one_out"], deleted.by_size["rollout"])
    assert deleted.fall("rollout") == deleted.fall("rollout", by_size=True)


def test_the_same_seed_takes_the_same_words(classifier):
    model = classifier("gru")
    one, same, other = (deletion.delete(model, IDS, {}, seed=seed).random for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_chance_falls_below_itself_by_nothing(classifier):
    falls = deletion.delete(classifier("lstm"), IDS, {}).random_falls
    assert falls.shape == (deletion.N_ORDERS,)
    assert falls.mean() == pytest.approx(0, abs=1e-12)


def test_the_mean_height_of_a_straight_line_is_its_middle():
    assert deletion.mean_height(np.array(deletion.SHARES)) == pytest.approx(deletion.SHARES[-1] / 2)


def test_a_text_of_one_word_has_a_flat_curve(classifier):
    model = classifier("rnn")
    deleted = deletion.delete(model, IDS[:1], {"leave_one_out": np.array([1.0])})
    assert np.isfinite(deleted.random).all()
    assert deleted.fall("leave_one_out") == pytest.approx(0, abs=1e-12)
