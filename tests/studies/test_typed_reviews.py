"""Accuracy on typed lines: what is counted, what is stored, and which figures are shown."""

import json

import pytest

from seqdemo.data import typed_reviews as data
from seqdemo.data.typed_reviews import KINDS, TypedReview
from seqdemo.models.registry import MODELS
from seqdemo.studies import registry
from seqdemo.studies import typed_reviews as study
from seqdemo.studies.results import BASELINE
from seqdemo.studies.study import Inputs, read, write
from seqdemo.training.scores import accuracy_interval


@pytest.fixture(scope="module")
def stored(models, tmp_path_factory):
    root = tmp_path_factory.mktemp("study")
    write(root / f"{study.STUDY.name}.json", study.STUDY, study.measure(Inputs(models=models)), models)
    return read(study.STUDY.name, root)


def counts(**share):
    """Right answers by kind as shares of each kind's lines; one half where nothing is said."""
    lines = data.load()
    n = {kind: sum(line.kind == kind for line in lines) for kind in KINDS}
    return {kind: {"n": n[kind], "right": round(n[kind] * share.get(kind, 0.5))} for kind in KINDS}


def test_it_is_found_by_its_name():
    assert registry.study("typed_reviews") is study.STUDY
    assert study.STUDY.of == "classifier"


def test_right_answers_are_counted_by_kind():
    lines = [
        TypedReview("plain", True, "Good."),
        TypedReview("plain", False, "Bad."),
        TypedReview("negation", False, "Not good."),
    ]
    assert study.count(lines, [True, True, True]) == {
        "plain": {"n": 2, "right": 1, "called_positive": 2},
        "negation": {"n": 1, "right": 0, "called_positive": 1},
    }


def test_every_model_is_asked_about_every_line(stored, models):
    lines = data.load()
    assert stored.n == len(lines)
    assert list(stored.results) == list(MODELS)
    for name, model in models.items():
        asked = model.predict_proba([line.text for line in lines])
        right = sum((p >= 0.5) == line.positive for p, line in zip(asked, lines, strict=True))
        assert sum(part["right"] for part in stored.results[name].values()) == right
        assert sum(part["n"] for part in stored.results[name].values()) == len(lines)


def test_no_line_is_stored(stored):
    kept = json.dumps(stored.results) + json.dumps(dict(stored.settings))
    assert not [line for line in data.load() if len(line.text) > 20 and line.text in kept]


def test_the_table_has_every_kind_and_all_lines_with_their_intervals(stored):
    table = study.frame(stored)
    assert list(dict.fromkeys(table["name"])) == list(MODELS)
    for _, part in table.groupby("name"):
        assert part["kind"].tolist() == [*KINDS, study.ALL]
        assert part["n"].iloc[-1] == part["n"].iloc[:-1].sum() == stored.n
        assert part["right"].iloc[-1] == part["right"].iloc[:-1].sum()
    for row in table.to_dict("records"):
        assert row["accuracy"] == row["right"] / row["n"]
        assert (row["low"], row["high"]) == accuracy_interval(row["accuracy"], row["n"])


def test_figures_of_other_weights_are_left_out(stored, models):
    weights = {name: model.sha256 for name, model in models.items()}
    assert set(study.frame(stored, weights)["name"]) == set(MODELS)
    assert set(study.frame(stored, {**weights, "gru": "0" * 64})["name"]) == set(MODELS) - {"gru"}
    assert study.frame(stored, dict.fromkeys(MODELS, "0" * 64), counts()).empty


def test_figures_of_other_lines_are_left_out(stored):
    settings = {**stored.settings, "lines_sha256": "0" * 64}
    other = study.Stored(**{**vars(stored), "settings": settings})
    assert study.frame(other).empty
    assert study.frame(None).empty


def test_the_baseline_stands_last_and_is_read_only_where_it_is_of_the_same_lines(stored, tmp_path):
    path = tmp_path / f"{BASELINE}.json"
    assert study.read_baseline(tmp_path) is None
    found = {"lines_sha256": data.sha256(data.load()), "counts": counts(negation=0.75)}
    path.write_text(json.dumps({"typed_reviews": found}), encoding="utf-8")
    assert study.read_baseline(tmp_path) == counts(negation=0.75)
    table = study.frame(stored, None, study.read_baseline(tmp_path))
    assert list(dict.fromkeys(table["name"])) == [*MODELS, BASELINE]
    for broken in ({"typed_reviews": {**found, "lines_sha256": "0" * 64}}, {"typed_reviews": 7}, []):
        path.write_text(json.dumps(broken), encoding="utf-8")
        assert study.read_baseline(tmp_path) is None


def test_the_finding_gives_the_models_range_and_that_of_the_hardest_kind(stored):
    contrast = counts(contrast=0.3)["contrast"]
    results = {name: {**counts(**dict.fromkeys(KINDS, 0.8)), "contrast": contrast} for name in MODELS}
    results["gru"] = {**counts(**dict.fromkeys(KINDS, 0.9)), "contrast": contrast}
    made = study.Stored(**{**vars(stored), "results": results})
    table = study.frame(made, None, counts(**dict.fromkeys(KINDS, 1.0)))
    totals = table[(table["kind"] == study.ALL) & (table["name"] != BASELINE)]["accuracy"]
    hardest = table[(table["kind"] == "contrast") & (table["name"] != BASELINE)]["accuracy"]
    assert hardest.nunique() == 1
    assert study.finding(table) == (
        "On lines written for this project, the models get "
        f"{study.per_cent(totals.min())} to {study.per_cent(totals.max())}\u00a0% "
        f"right; the hardest kind is contrast, {study.per_cent(hardest.iloc[0])}\u00a0%"
    )
    assert study.finding(study.frame(None)) == "On lines written for this project"


def test_whole_per_cents_are_rounded_half_upwards_as_on_the_other_pages():
    assert [study.per_cent(share) for share in (0.0, 0.725, 0.735, 0.7349, 1.0)] == [0, 73, 74, 73, 100]


def test_fewer_lines_leave_a_figure_less_certain(stored):
    widths = study.uncertainty(study.frame(stored))
    assert list(widths) == [min(widths), stored.n]
    assert widths[min(widths)] > widths[stored.n] > 0


def test_the_terminals_table_has_a_line_for_each_kind_and_one_for_all():
    lines = study.words("LSTM", counts(plain=1.0))
    assert len(lines) == len(KINDS) + 1
    assert "Plain" in lines[0]
    assert "100.0%" in lines[0]
    assert f"n={len(data.load())}" in lines[-1]
