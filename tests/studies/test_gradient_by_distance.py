"""Gradients over many reviews: who is chosen, what is stored, what is said of it."""

from itertools import pairwise

import pandas as pd
import pytest

from seqdemo.errors import DataError
from seqdemo.explain import gradients
from seqdemo.models.registry import MODELS
from seqdemo.studies import gradient_by_distance as study
from seqdemo.studies.study import Inputs, read, write


@pytest.fixture(scope="module")
def stored(models, write_reviews, tmp_path_factory):
    """Twenty held-out reviews, of which only some are long enough."""
    root = tmp_path_factory.mktemp("study")
    data = write_reviews(root / "imdb", [*[300] * 90, *[300] * 4, *[249] * 5, 420])
    found = study.measure(Inputs(models=models, data=str(data)))
    write(root / f"{study.STUDY.name}.json", study.STUDY, found, models)
    return read(study.STUDY.name, root)


def test_only_held_out_reviews_that_are_long_enough_count(stored):
    assert stored.n == 10  # 4 of 300 words and one longer, in both classes
    assert stored.seed == study.SEED
    assert set(stored.results) == set(MODELS)


def test_the_table_has_quartiles_at_every_distance(stored):
    table = study.frame(stored)
    assert list(dict.fromkeys(table["name"])) == list(MODELS)
    assert all(tuple(part["distance"]) == study.DISTANCES for _, part in table.groupby("name"))
    assert (table["low"] <= table["median"]).all()
    assert (table["median"] <= table["high"]).all()
    assert (table["high"] > 0).all()


def test_a_distance_is_counted_from_the_end(models):
    text = " ".join(["good"] * 299 + ["bad"])
    backwards = study._by_distance(models["lstm"], text)
    whole = gradients.scaled_gradients(models["lstm"], models["lstm"].read(text).ids)
    assert backwards[0] == whole[-1]
    assert backwards[-1] == whole[-study.DISTANCES[-1]]


def test_figures_of_other_weights_are_left_out(stored, models):
    weights = {name: model.sha256 for name, model in models.items()}
    assert set(study.frame(stored, weights)["name"]) == set(MODELS)
    assert set(study.frame(stored, {**weights, "gru": "0" * 64})["name"]) == set(MODELS) - {"gru"}
    assert set(study.frame(stored, {})["name"]) == set(MODELS), (
        "before models are loaded, nothing is known against them"
    )


def test_too_short_reviews_are_an_error_in_a_sentence(models, write_reviews, tmp_path):
    data = write_reviews(tmp_path / "imdb", [20] * 10)
    with pytest.raises(DataError, match="250 tokens"):
        study.measure(Inputs(models=models, data=str(data)))


@pytest.mark.parametrize("n", [1, 2, 9, 12, 250, 400])
def test_the_windows_of_one_review_cover_it_without_overlap(n):
    windows = study._windows(n)
    assert windows[0][:2] == (1, 0)
    assert all(start < end for _, start, end in windows)
    assert all(one[2] <= other[1] + 1 for one, other in pairwise(windows))
    assert all(start <= distance - 1 < end for distance, start, end in windows)
    assert windows[-1][0] <= n


def own(models, text):
    readings = {name: model.read(text) for name, model in models.items()}
    return study.own(
        readings, {name: gradients.word_gradients(model, readings[name].ids) for name, model in models.items()}
    )


def test_one_review_is_measured_with_a_word_that_stands_out(models):
    found = own(models, "This film was the best I ever liked, and it was not boring!")
    assert list(dict.fromkeys(found.table["name"])) == list(MODELS)
    assert (found.table["gradient"] > 0).all()
    tokens = models["rnn"].read("This film was the best I ever liked, and it was not boring!").tokens
    assert tokens[found.standout].text.isalpha()


@pytest.mark.parametrize("text", ["good", "xyzzy plugh", "!", "🙂", "good " * 10_000])
def test_one_review_may_be_short_unknown_or_long(models, text):
    found = own(models, text)
    assert found.standout < len(models["rnn"].read(text).tokens)
    assert found.table["gradient"].notna().all()


def table_of(**medians):
    """Two distances for each model: near and far."""
    rows = [
        {"model": model, "distance": distance, "median": value}
        for model, (near, far) in medians.items()
        for distance, value in ((5, near), (study.FAR, far))
    ]
    return pd.DataFrame(rows, columns=["model", "distance", "median"])


@pytest.mark.parametrize(
    ("medians", "sentence"),
    [
        ({}, "How much of the beginning is left at the end?"),
        ({"RNN": (1.0, 1e-4)}, "200 words back, a word moves the RNN 10,000 times less than one at the end"),
        (
            {"LSTM": (1.0, 0.5), "RNN": (1.0, 2e-7), "GRU": (1.0, 1.05)},
            "200 words back, a word moves the RNN 5 million times less than one at the end, the GRU as much",
        ),
        (
            {"RNN": (1.0, 0.0), "BiLSTM": (1.0, 3.0)},
            "200 words back, a word moves the RNN more than a billion times less than one at the end, "
            "the BiLSTM 3.0 times more",
        ),
    ],
)
def test_the_finding_names_who_loses_most_and_least(medians, sentence):
    assert study.finding(table_of(**medians)) == sentence
