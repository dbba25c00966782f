"""The accuracy chart's scales, marks and words."""

import pandas as pd
import pytest

from seqdemo.charts.accuracy import accuracy_alt, accuracy_chart
from seqdemo.models.registry import MODELS

NAMES = [*MODELS, "bag_of_words"]


@pytest.fixture
def table():
    accuracy = pd.Series([0.77, 0.874, 0.871, 0.879, 0.849, 0.905])
    labels = [*(spec.label for spec in MODELS.values()), "Bag of words"]
    return pd.DataFrame(
        {"name": NAMES, "model": labels, "test_accuracy": accuracy, "low": accuracy - 0.004, "high": accuracy + 0.004}
    )


def layers(chart):
    return chart.to_dict()["layer"]


def encodings(chart, channel):
    return [layer["encoding"][channel] for layer in layers(chart) if channel in layer["encoding"]]


def test_each_model_has_its_own_colour_and_the_baseline_none_of_them(table):
    chart = accuracy_chart(table, baseline="bag_of_words")
    (scale, *others) = [channel["scale"] for channel in encodings(chart, "color")]
    colours = dict(zip(scale["domain"], scale["range"], strict=True))
    assert all(other == scale for other in others)
    assert {name: colours[name] for name in MODELS} == {name: spec.colour for name, spec in MODELS.items()}
    assert colours["bag_of_words"] not in {spec.colour for spec in MODELS.values()}


def test_models_stand_in_the_order_of_the_table(table):
    assert all(
        channel["sort"] == table["model"].tolist()
        for channel in encodings(accuracy_chart(table, baseline="bag_of_words"), "y")
    )


def test_axes_carry_their_words_in_the_pages_text_colour(table):
    chart = accuracy_chart(table, baseline="bag_of_words")
    axis = chart.to_dict()["config"]["axis"]
    assert axis["labelColor"] == axis["titleColor"] == "currentColor"
    assert axis["labelFontSize"] >= 15
    assert "test accuracy" in {channel.get("title") for channel in encodings(chart, "x")}


def test_models_without_an_accuracy_are_left_out(table):
    table.loc[0, "test_accuracy"] = float("nan")
    drawn = accuracy_chart(table, baseline="bag_of_words").to_dict()
    (rows,) = drawn["datasets"].values()
    assert [row["name"] for row in rows] == NAMES[1:]
    assert "RNN" not in accuracy_alt(table)


def test_accuracies_stand_in_a_column_beside_the_plot_so_that_the_scale_is_the_datas_own(table):
    (numbers,) = [k for k in layers(accuracy_chart(table, baseline="bag_of_words")) if k["mark"]["type"] == "text"]
    assert numbers["encoding"]["x"] == {"value": "width"}
    assert numbers["mark"]["align"] == "left"


def test_without_a_baseline_no_rule_is_drawn(table):
    n_with = len(layers(accuracy_chart(table, baseline="bag_of_words")))
    assert len(layers(accuracy_chart(table[:-1], baseline="bag_of_words"))) == n_with - 1


def test_the_alternative_text_holds_every_accuracy(table):
    assert accuracy_alt(table) == (
        "Test accuracy: RNN 77.0 %, GRU 87.4 %, LSTM 87.1 %, BiLSTM 87.9 %, Transformer 84.9 %, Bag of words 90.5 %."
    )
