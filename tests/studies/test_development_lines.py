"""Answers to the lines to develop by: what is counted as right and as unsure, and what is said of it."""

import json

import pytest

from seqdemo.data import development_lines as data
from seqdemo.data.development_lines import KINDS, DevelopmentLine
from seqdemo.studies import development_lines as study
from seqdemo.studies import registry
from seqdemo.studies.study import Inputs, read, write


def test_it_is_found_by_its_name():
    assert registry.study("development_lines") is study.STUDY


def test_an_opinion_is_answered_rightly_and_none_or_two_with_doubt():
    lines = [
        DevelopmentLine("Bravo.", 1.0, "one_word"),
        DevelopmentLine("Yuck.", 0.0, "one_word"),
        DevelopmentLine("Who is it?", 0.5, "question"),
        DevelopmentLine("Why me?", 0.0, "question"),
        DevelopmentLine("So-so.", 0.5, "mixed"),
    ]
    counts = study.count(lines, [0.5, 0.5, 0.25, 0.1, 0.76])
    assert counts == {
        "one_word": {"n": 2, "right": 1, "n_soft": 0, "unsure": 0},
        "question": {"n": 1, "right": 1, "n_soft": 1, "unsure": 1},
        "mixed": {"n": 0, "right": 0, "n_soft": 1, "unsure": 0},
    }
    assert study.mean_accuracy(counts) == pytest.approx((1 / 2 + 1) / 2)
    assert study.share_unsure(counts) == pytest.approx(1 / 2)


def test_every_model_is_asked_about_every_line_and_no_line_is_stored(models, tmp_path):
    said = []
    measured = study.measure(Inputs(models=models, say=said.append))
    write(tmp_path / f"{study.STUDY.name}.json", study.STUDY, measured, models)
    stored = read(study.STUDY.name, tmp_path)
    assert stored.n == len(data.load())
    for name, model in models.items():
        counts = stored.results[name]
        assert list(counts) == list(KINDS)
        assert sum(part["n"] + part["n_soft"] for part in counts.values()) == stored.n
        asked = model.predict_proba([line.text for line in data.load()])
        assert counts == study.count(data.load(), asked.tolist())
        assert sum(model.label in line for line in said) >= len(KINDS)
    kept = json.dumps(stored.results) + json.dumps(dict(stored.settings))
    assert not [line for line in data.load() if len(line.text) > 20 and line.text in kept]


def test_the_terminals_table_has_both_figures_of_all_lines():
    counts = study.count(data.load(), [line.label for line in data.load()])
    *_, right, unsure = study.words("LSTM", counts)
    assert "Mean of all kinds" in right
    assert "100.0% right" in right
    assert "100.0% unsure (25% to 75%)" in unsure
