"""Accuracy against length: a line for each variant, a dot for each seed, names that cover no other."""

import itertools

import pandas as pd
import pytest

from seqdemo.charts import distance as charts
from seqdemo.charts import style
from seqdemo.data.tasks import TASKS
from seqdemo.models.registry import MODELS
from seqdemo.studies import accuracy_by_distance, study

VARIANTS = {"rnn_uniform": "rnn", "rnn": "rnn", "gru": "gru", "lstm": "lstm"}


@pytest.fixture
def seeds():
    rows = [
        {"variant": variant, "name": name, "model": f"{name} {variant}", "length": length, "seed": seed}
        for variant, name in VARIANTS.items()
        for length in (10, 20, 320)
        for seed in (0, 1, 2)
    ]
    return pd.DataFrame(rows).assign(accuracy=1.0, mse=float("nan"))


def drawn(seeds, **settings):
    medians = accuracy_by_distance.medians(seeds)
    return charts.distance_chart(seeds, medians, **{"chance": 0.5, **settings}).to_dict()


def layers_of(chart, kind):
    return [layer for layer in chart["layer"] if layer["mark"]["type"] == kind]


def data_of(chart, layer):
    return chart["datasets"][layer["data"]["name"]]


def test_variants_of_one_model_share_its_colour_and_differ_in_their_dash(seeds):
    (line,) = layers_of(drawn(seeds), "line")
    colour, dash = line["encoding"]["color"]["scale"], line["encoding"]["strokeDash"]["scale"]
    colours = dict(zip(colour["domain"], colour["range"], strict=True))
    dashes = dict(zip(dash["domain"], map(tuple, dash["range"]), strict=True))
    assert colours == {variant: MODELS[name].colour for variant, name in VARIANTS.items()}
    assert len(set(dashes.values())) == len(VARIANTS)
    assert dashes["rnn"] == tuple(map(int, MODELS["rnn"].dash.split()))


def test_the_line_joins_medians_and_every_seed_has_a_dot(seeds):
    chart = drawn(seeds)
    (line,), (dots,) = layers_of(chart, "line"), layers_of(chart, "point")
    assert len(data_of(chart, line)) == 4 * 3
    assert len(data_of(chart, dots)) == 4 * 3 * 3


def test_lengths_stand_on_a_logarithmic_axis_with_a_tick_each(seeds):
    (line,) = layers_of(drawn(seeds), "line")
    x = line["encoding"]["x"]
    assert x["scale"]["type"] == "log"
    assert x["axis"]["values"] == [10, 20, 320]


def test_names_stand_apart_below_the_top_in_the_order_of_the_variants(seeds):
    chart = drawn(seeds)
    names = [layer for layer in layers_of(chart, "text") if layer["encoding"]["text"]["field"] == "model"]
    (rows,) = [data_of(chart, layer) for layer in names]
    at = [row["label_at"] for row in rows]
    gaps = [above - below for above, below in itertools.pairwise(at)]
    least = style.LABEL_PX * (1 - 0.4) / charts.HEIGHT_PX
    assert max(at) <= 1
    assert min(gaps) > least
    assert {row["edge"] for row in rows} == {320}


def test_chance_is_a_rule_and_stays_in_sight(seeds):
    for chance in (0.5, 0.25, 0.0784):
        chart = drawn(seeds, chance=chance)
        (rule, *_) = layers_of(chart, "rule")
        assert [row["accuracy"] for row in data_of(chart, rule)] == [chance]
        low, high = rule["encoding"]["y"]["scale"]["domain"]
        assert low <= chance < high


@pytest.mark.parametrize("worst", [0.47, 0.31, 0.0])
def test_no_dot_falls_off_the_scale(seeds, worst):
    seeds.loc[3, "accuracy"] = worst
    (dots,) = layers_of(drawn(seeds), "point")
    assert dots["encoding"]["y"]["scale"]["domain"][0] <= worst


def test_the_end_of_training_is_marked_only_where_longer_ones_were_tested(seeds):
    words = [row for rows in drawn(seeds, trained_to=20)["datasets"].values() for row in rows if "words" in row]
    assert {(row["words"], row["length"]) for row in words} == {("chance", 10), ("trained up to here", 20)}
    words = [row for rows in drawn(seeds)["datasets"].values() for row in rows if "words" in row]
    assert {row["words"] for row in words} == {"chance"}


def test_the_alternative_text_holds_every_median(seeds):
    seeds = seeds[seeds["variant"] == "gru"].copy()
    seeds.loc[seeds["length"] == 320, "accuracy"] = [0.5, 0.54, 0.9]
    assert charts.distance_alt(seeds, accuracy_by_distance.medians(seeds)) == (
        "Accuracy by length, median of 3 seeds: gru gru 100\u00a0% at 10, 100\u00a0% at 20, 54\u00a0% at 320."
    )


def test_every_measured_task_is_drawn():
    stored = study.read("accuracy_by_distance")
    assert stored is not None
    for task in {run["task"] for run in stored.results["runs"]}:
        table = accuracy_by_distance.frame(stored, task)
        chart = drawn(table, chance=TASKS[task].chance)
        (dots,) = layers_of(chart, "point")
        assert len(data_of(chart, dots)) == len(table) > 0
