"""Explanations over many reviews: who is chosen, what is stored, what is said of it."""

import json
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from seqdemo.errors import DataError
from seqdemo.explain import attributions, deletion
from seqdemo.explain.methods import METHODS, SIGNED
from seqdemo.models.registry import MODELS
from seqdemo.studies import attributions as study
from seqdemo.studies.registry import STUDIES
from seqdemo.studies.study import Inputs, path_of, read, write


@pytest.fixture(scope="module")
def stored(models, write_reviews, tmp_path_factory):
    """Ten held-out reviews, of which six are short enough."""
    root = tmp_path_factory.mktemp("study")
    data = write_reviews(root / "imdb", [*[30] * 45, 12, 20, 30, study.LONGEST + 1, 1])
    found = study.measure(Inputs(models=models, data=str(data)))
    write(root / f"{study.STUDY.name}.json", study.STUDY, found, models)
    return read(study.STUDY.name, root)


def methods_of(name):
    return tuple(METHODS) if name == "transformer" else SIGNED


def test_the_command_line_knows_the_study():
    assert STUDIES["attributions"] is study.STUDY


def test_only_short_held_out_reviews_count(stored):
    assert stored.n == 6
    assert stored.seed == study.SEED
    assert set(stored.results) == set(MODELS)
    assert stored.settings["random_orders"] >= 20
    assert stored.settings["first_points"] >= 50


def test_without_a_short_review_the_error_says_what_is_needed(models, write_reviews, tmp_path):
    data = write_reviews(tmp_path / "imdb", [study.LONGEST + 1] * 20)
    with pytest.raises(DataError, match="shorter ones are needed"):
        study.measure(Inputs(models=models, data=str(data)))


@pytest.mark.parametrize("name", MODELS)
def test_every_two_methods_are_compared_and_every_method_is_put_to_the_test(stored, name):
    found = study.correlations(stored, name)
    assert list(zip(found["one"], found["other"], strict=True)) == list(combinations(methods_of(name), 2))
    assert (found["low"] <= found["rho"]).all()
    assert (found["rho"] <= found["high"]).all()
    curves = study.curves(stored, name)
    assert list(dict.fromkeys(curves["method"])) == [*methods_of(name), study.RANDOM]
    assert all(tuple(part["share"]) == deletion.SHARES for _, part in curves.groupby("method"))
    assert curves["p"].between(0, 1).all()


def test_falls_are_means_over_the_reviews(stored, models, tmp_path_factory):
    table = study.falls(stored)
    assert list(dict.fromkeys(table["name"])) == list(MODELS)
    assert (table["low"] <= table["high"]).all()
    assert table["beats_chance"].between(0, 1).all()
    # The curves hold the same: the mean of falls is the fall of mean curves.
    for name in MODELS:
        curves = study.curves(stored, name).set_index("method")["p"]
        for method in methods_of(name):
            gap = curves.loc[study.RANDOM].to_numpy() - curves.loc[method].to_numpy()
            row = table[(table["name"] == name) & (table["method"] == method)].iloc[0]
            assert row["mean"] == pytest.approx(deletion.mean_height(gap), abs=2e-3)


def test_figures_of_other_weights_are_left_out(stored, models):
    weights = {name: model.sha256 for name, model in models.items()} | {"gru": "0" * 64}
    assert "gru" not in study.usable(stored, weights)
    assert "gru" not in set(study.falls(stored, weights)["name"])
    assert set(study.falls(stored, weights)["name"]) == set(MODELS) - {"gru"}


def test_completeness_is_told_in_per_cent(stored):
    said = study.completeness_words(stored, "transformer")
    assert "100\u00a0% of the reviews met the bound of 2\u00a0%" in said


def test_the_other_usual_baseline_is_measured_too(stored):
    assert "unknown word" in stored.settings["baseline"]
    logits = [stored.results[name]["from_zeros"]["logit"] for name in MODELS]
    assert len(set(logits)) == len(MODELS)  # what each model says of nothing at all
    for name in MODELS:
        assert (
            stored.results[name]["from_zeros"]["mean"] != stored.results[name]["falls"]["integrated_gradients"]["mean"]
        )


def test_chance_lies_around_zero(stored):
    low, high = study.chance(stored, list(MODELS))
    assert low < 0 < high


@pytest.mark.parametrize("name", MODELS)
def test_one_text_has_the_same_tables(models, name):
    ids = models[name].vocabulary.require("A great film, not a dull story.").ids
    found = attributions.attribute(models[name], ids)
    table = study.correlations_of(found)
    assert len(table) == len(list(combinations(methods_of(name), 2)))
    assert table["rho"].between(-1, 1).all()
    deleted = deletion.delete(models[name], ids, found)
    curves = study.curves_of(deleted)
    assert list(dict.fromkeys(curves["method"])) == [*methods_of(name), study.RANDOM]
    random = curves[curves["method"] == study.RANDOM]
    assert (random["low"] <= random["high"]).all()


END = "the LSTM's verdict falls 31 points further than without random ones"


def falls_of(**means):
    rows = [{"method": method, "model": "LSTM", "mean": mean, "margin": 0.01} for method, mean in means.items()]
    return pd.DataFrame(rows, columns=["method", "model", "mean", "margin"])


@pytest.mark.parametrize(
    ("means", "sentence"),
    [
        ({}, "Do the words that an explanation points at matter?"),
        (
            {"integrated_gradients": 0.31, "leave_one_out": 0.2},
            f"Without the words found by integrated gradients, {END}",
        ),
        (
            {"leave_one_out": 0.31, "rollout": 0.009, "mean_attention": -0.02},
            f"Without the words found by leaving one out, {END}; without those it looked at, no further",
        ),
        (
            {"leave_one_out": 0.31, "rollout": 0.16, "mean_attention": -0.02},
            f"Without the words found by leaving one out, {END}; without those found by attention rollout, 16 points",
        ),
    ],
)
def test_the_finding_says_what_holds(means, sentence):
    assert study.finding(falls_of(**means)) == sentence


def test_attention_is_compared_with_methods_whose_signs_are_ignored():
    rows = [("leave_one_out", 0.16), ("integrated_gradients", 0.17), ("rollout", 0.16), ("mean_attention", -0.04)]
    table = pd.DataFrame(rows, columns=["method", "by_size"]).assign(name="transformer", model="Transformer")
    assert study.fair_finding(table) == (
        "With signs ignored, integrated gradients take 17 points from the Transformer's verdict, "
        "attention rollout 16 points"
    )
    assert study.fair_finding(table[:2]) == "How much the words matter, model by model"


def test_agreement_names_the_extremes():
    table = pd.DataFrame(
        [
            ("Integrated gradients", "Attention rollout", 0.2),
            ("Leave one word out", "Attention rollout", np.nan),
            ("RNN", "First try (GRU)", 0.9),
        ],
        columns=["one", "other", "rho"],
    )
    assert study.agreement(table) == (
        "RNN and First try (GRU) agree most (0.90); Integrated gradients and Attention rollout agree least (0.20)."
    )
    assert study.agreement(table[:0]) == "There are no two orders of words to compare."


def test_a_shipped_result_is_small_and_of_enough_reviews():
    path = path_of(study.STUDY.name)
    shipped = read(study.STUDY.name)
    assert shipped is not None
    assert shipped.n >= 200
    assert path.stat().st_size < 300_000
    assert "text" not in json.dumps(shipped.results)
    assert set(shipped.results) == set(MODELS)
