"""Rows of shaded words: what each method or model says, at the words that are shown."""

import numpy as np
import pytest

from seqdemo.explain import attributions as explain
from seqdemo.explain.methods import METHODS, SIGNED
from seqdemo.models.registry import MODELS
from seqdemo.serve import attributions
from seqdemo.text import NEWEST_TOKENS, Vocabulary

TEXT = "This film is 2 out of 10, good."


@pytest.fixture
def newer(vocabulary):
    """What newer rules for words make of the text."""
    words = Vocabulary.build([vocabulary.words[2:]] * 5, version=NEWEST_TOKENS)
    return words.read(TEXT)


def test_figures_of_other_tokens_stand_at_the_words_shown_and_none_is_lost(vocabulary, newer):
    older = vocabulary.read(TEXT)
    assert len(newer.tokens) != len(older.tokens), "otherwise this shows nothing"
    for reading, shown in ((newer, older), (older, newer)):
        values = np.arange(1.0, len(reading.tokens) + 1)
        found = attributions.at_shown(values, reading, shown)
        assert len(found) == len(shown.tokens)
        assert found.sum() == values.sum()
    values = np.arange(1.0, len(older.tokens) + 1)
    assert attributions.at_shown(values, older, older).tolist() == values.tolist()


def test_rows_are_in_the_order_of_the_methods_and_say_what_is_still_missing():
    parts = {attributions.QUICK: {"gradient_x_input": np.ones(3)}, attributions.LEFT_OUT: RuntimeError("made to fail")}
    rows = attributions.rows_of_methods("lstm", parts)
    assert [row.label for row in rows] == [METHODS[name].label for name in SIGNED]
    assert {row.name: row.problem for row in rows} == {
        "integrated_gradients": "being computed",
        "gradient_x_input": "",
        "leave_one_out": "could not be computed",
    }


def test_rows_of_models_read_by_two_versions_are_as_long_as_the_words_shown(service, newer):
    answering = service.answering({})
    readings = {**answering.read(TEXT), "gru": newer}
    found = {
        name: {attributions.QUICK: {"gradient_x_input": np.ones(len(reading.tokens))}}
        for name, reading in readings.items()
    }
    assert attributions.rows_of_models(answering, {}, "gradient_x_input", {}) == [], "while no model is there"
    rows = attributions.rows_of_models(answering, readings, "gradient_x_input", found)
    data = attributions.rows_data(answering, readings, rows)
    assert [row["label"] for row in data["rows"]] == [spec.label for spec in MODELS.values()]
    assert {len(row["values"]) for row in data["rows"]} == {len(data["words"])}
    assert sum(data["rows"][1]["values"]) == len(newer.tokens)
    assert max(index for row in data["rows"] for index in row["unknown"]) < len(data["words"])


def test_a_sum_that_is_not_close_is_said_to_be_so():
    found = explain.IntegratedGradients(values=np.array([1.0, -0.5]), logit=1.0, baseline=-1.0, n_steps=400)
    line = attributions.completeness(found)
    assert "by 1.500 logits (75.0\u00a0% of it), with 400 points" in line
    assert line.endswith("not close, so take this row with care.")
