"""Charts of explanations: what they draw, in which colours, and what they say in words."""

import pandas as pd
import pytest

from seqdemo.charts import attributions as charts
from seqdemo.charts import style
from seqdemo.explain.methods import METHODS, SIGNED
from seqdemo.models.registry import MODELS

SHARES = [0, 0.25, 0.5]
CHANCE = (-0.05, 0.04)


def curves(*methods):
    rows = []
    for k, method in enumerate(methods):
        label = METHODS[method].label if method in METHODS else "Random words"
        for share in SHARES:
            p = 0.9 - share * (1 - 0.1 * k)
            rows.append((method, label, share, p, p - 0.1, p + 0.1))
    return pd.DataFrame(rows, columns=["method", "label", "share", "p", "low", "high"])


def falls(*names):
    rows = []
    for name in names:
        for method in METHODS if name == "transformer" else SIGNED:
            row = {"name": name, "model": MODELS[name].label, "method": method, "label": METHODS[method].label}
            rows.append(row | {"mean": 0.3, "margin": 0.02, "low": 0.2, "high": 0.4, "by_size": 0.1})
    return pd.DataFrame(rows)


def correlations(**more):
    rows = [("Integrated gradients", "Leave one word out", 0.5), ("Integrated gradients", "Attention rollout", -0.25)]
    rows.append(("Leave one word out", "Attention rollout", float("nan")))
    table = pd.DataFrame(rows, columns=["one", "other", "rho"])
    return table.assign(**more)


def marks(chart):
    return [layer["mark"] for layer in chart.to_dict()["layer"]]


def rows_of(chart):
    return [row for rows in chart.to_dict()["datasets"].values() for row in rows]


def test_random_words_are_a_band_and_every_method_is_a_line():
    chart = charts.deletion_chart(curves(*METHODS, "random"), MODELS["transformer"].colour, {"rollout": -0.03})
    kinds = [mark["type"] for mark in marks(chart)]
    assert kinds.count("area") == 1
    assert kinds.count("line") == 1 + len(METHODS)


def test_methods_with_a_sign_have_the_models_colour_and_all_dashes_of_one_colour_differ():
    chart = charts.deletion_chart(curves(*METHODS, "random"), "#123456", {})
    lines = [mark for mark in marks(chart) if mark["type"] == "line"]
    assert [line["color"] for line in lines] == [style.NEUTRAL, *["#123456"] * 3, *[style.TEXT] * 2]
    looks = [(line["color"], tuple(line.get("strokeDash", ()))) for line in lines]
    assert len(set(looks)) == len(looks)


def test_a_methods_fall_stands_behind_its_name():
    chart = charts.deletion_chart(curves("leave_one_out", "rollout", "random"), "#123456", {"rollout": -0.034})
    words = {row["words"] for row in rows_of(chart) if "words" in row}
    assert words == {"Leave one\nword out", "Attention\nrollout  \u22123", "Random\nwords"}


def test_the_deletion_chart_in_words():
    said = charts.deletion_alt(curves("leave_one_out", "random"))
    assert said == (
        "P(verdict) is 90\u00a0% with all words. With 50\u00a0% of them taken away, chosen by: Leave one word out "
        "40\u00a0%, Random words 45\u00a0%."
    )


def test_a_correlation_is_a_number_on_a_square_coloured_by_its_sign():
    chart = charts.correlation_chart(correlations())
    squares = {row["words"]: (row["sign"], row["size"]) for row in rows_of(chart)}
    assert squares["0.50"] == ("above 0", pytest.approx(0.3))
    assert squares["\u22120.25"] == ("below 0", pytest.approx(0.15))
    assert squares["\u2013"] == ("none", 0)
    assert [mark["type"] for mark in marks(chart)] == ["rect", "text"]


def test_over_many_reviews_the_middle_half_stands_below_the_number():
    chart = charts.correlation_chart(correlations(low=[-0.1, -0.5, None], high=[0.7, 0.1, None]))
    spreads = {row["spread"] for row in rows_of(chart) if "spread" in row}
    assert spreads == {"\u22120.10 to 0.70", "\u22120.50 to 0.10"}


def test_the_matrix_in_words():
    assert charts.correlation_alt(correlations()).endswith("Leave one word out and Attention rollout unknown.")


@pytest.mark.parametrize("names", [("lstm",), tuple(MODELS)])
def test_every_model_and_method_has_its_line(names):
    table = falls(*names)
    chart = charts.falls_chart(table, CHANCE)
    found = {row["row"] for row in rows_of(chart) if "row" in row}
    assert len(found) == len(table)
    y = next(layer["encoding"]["y"] for layer in chart.to_dict()["layer"] if "y" in layer["encoding"])
    assert len(y["scale"]["domain"]) == len(table) + len(names)
    assert chart.height == charts.ROW_PX * (len(table) + len(names)) + 60
    assert all(row["mean"] == pytest.approx(30) for row in rows_of(chart) if "mean" in row)


def test_the_rings_are_there_for_methods_with_a_sign_only():
    chart = charts.falls_chart(falls("transformer"), CHANCE).to_dict()
    ring = next(layer for layer in chart["layer"] if layer["mark"].get("filled") is False)
    drawn = chart["datasets"][ring["data"]["name"]]
    assert [row["method"] for row in drawn] == list(SIGNED)


def test_falls_in_words():
    said = charts.falls_alt(falls("lstm"), CHANCE)
    assert said.startswith("Points of P(verdict) below random words: LSTM: Integrated gradients 30,")
    assert said.endswith("between \u22125 and 4.")


def test_names_become_labels():
    table = pd.DataFrame([("rnn", "gru", 0.5), ("rollout", "leave_one_out", 0.1)], columns=["one", "other", "rho"])
    assert charts.named(table)[["one", "other"]].to_numpy().tolist() == [
        ["RNN", "GRU"],
        ["Attention rollout", "Leave one word out"],
    ]
