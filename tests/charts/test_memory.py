"""Charts of what is forgotten: drawn from their data, named at their ends, within the limits of the eye."""

import math

import numpy as np
import pandas as pd
import pytest

from seqdemo.charts import memory as charts
from seqdemo.models.registry import MODELS

FLOORS = {2.0**-23: "no step", 2.0**-126: "no number"}
NO_TABLE = pd.DataFrame(columns=["name", "model", "distance", "low", "median", "high"])
NO_OWN = pd.DataFrame(columns=["name", "model", "distance", "gradient"])


def gradients(slope=-0.01, distances=range(1, 250, 5)):
    rows = [
        {"name": name, "model": spec.label, "distance": d, "low": v / 2, "median": v, "high": v * 2}
        for rank, (name, spec) in enumerate(MODELS.items())
        for d in distances
        for v in [10 ** (slope * rank * d)]
    ]
    return pd.DataFrame(rows)


def own(value=0.1):
    rows = [
        {"name": name, "model": spec.label, "distance": d, "gradient": value}
        for name, spec in MODELS.items()
        for d in (1, 5, 400)
    ]
    return pd.DataFrame(rows)


def words():
    rows = [
        {
            "name": name,
            "model": spec.label,
            "place": "first",
            "words": n,
            "low": 0.4,
            "median": 0.5 + n / 1000,
            "high": 0.9,
        }
        for name, spec in MODELS.items()
        for n in (0, 100, 300)
    ]
    return pd.DataFrame(rows)


def kept(n=400):
    word = np.arange(1, n + 1)
    columns = {"word": word, "text": ["w"] * n, "gate": 0.7, "most": 0.99 ** (n - word), "median": 0.5 ** (n - word)}
    return pd.concat([pd.DataFrame({"name": name, "model": MODELS[name].label, **columns}) for name in ("lstm", "gru")])


def spectrum(n=256):
    eigenvalues = np.exp(2j * np.pi * np.arange(n) / n) * 1.2
    found = {"start": eigenvalues / 1.2, "trained": eigenvalues}
    return charts.spectrum_points(found, {when: np.linspace(2, 0.1, n) for when in found})


def rows_drawn(chart):
    """Rows over all datasets, each counted once for each layer that draws it."""
    spec = chart.to_dict()
    return sum(len(spec["datasets"][layer["data"]["name"]]) for layer in spec["layer"])


def titles(node):
    """All titles of axes in a chart."""
    if isinstance(node, dict):
        own_title = [node["title"]] if isinstance(node.get("title"), str) else []
        return own_title + [title for value in node.values() for title in titles(value)]
    return [title for value in node for title in titles(value)] if isinstance(node, list) else []


CHARTS = {
    "gradients": lambda: charts.gradient_chart(gradients(), own(), FLOORS),
    "words": lambda: charts.words_chart(words()),
    "eigenvalues": lambda: charts.eigenvalue_chart(spectrum()[0], "#D55E00"),
    "singular": lambda: charts.singular_chart(spectrum()[1], "#D55E00"),
    "gates": lambda: charts.gate_chart(kept()),
    "survival": lambda: charts.survival_chart(kept(), 1e-10),
}


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_has_at_most_two_thousand_marks(name):
    assert rows_drawn(CHARTS[name]()) <= 2_000


@pytest.mark.parametrize("name", CHARTS)
def test_axes_have_titles_with_their_quantity(name):
    assert len(set(titles(CHARTS[name]().to_dict()))) >= 2


@pytest.mark.parametrize("name", ["gradients", "words"])
def test_each_model_has_its_own_colour_and_dash(name):
    text = CHARTS[name]().to_json()
    assert all(spec.colour in text for spec in MODELS.values())
    assert '"strokeDash"' in text


@pytest.mark.parametrize("name", ["gradients", "words", "gates", "survival"])
def test_lines_are_named_at_their_ends_and_names_keep_their_distance(name):
    spec = CHARTS[name]().to_dict()
    labelled = [
        spec["datasets"][layer["data"]["name"]]
        for layer in spec["layer"]
        if layer["mark"].get("type") == "text" and "label_at" in str(layer["encoding"]["y"])
    ]
    assert labelled
    for rows in labelled:
        places = sorted(row["label_at"] for row in rows)
        assert len(places) == 1 or min(np.diff(places)) > 0.02


def test_the_floor_is_drawn_only_where_curves_come_near():
    near = charts.gradient_chart(gradients(slope=-0.009), NO_OWN, FLOORS).to_json()
    far = charts.gradient_chart(gradients(slope=-0.0001), NO_OWN, FLOORS).to_json()
    assert "no step" in near
    assert "no step" not in far
    assert "no number" not in near


def test_zero_is_drawn_at_the_last_floor_and_not_lost():
    table = gradients()
    table.loc[table["name"] == "rnn", ["low", "median", "high"]] = 0.0
    spec = charts.gradient_chart(table, NO_OWN, FLOORS).to_dict()
    drawn = [row for rows in spec["datasets"].values() for row in rows if row.get("name") == "rnn" and "value" in row]
    assert min(row["value"] for row in drawn) == pytest.approx(math.log10(2.0**-126))
    assert "no number" in str(spec)


def test_one_review_alone_is_drawn_too_and_the_many_alone():
    for table, mine in ((NO_TABLE, own()), (gradients(), NO_OWN)):
        datasets = charts.gradient_chart(table, mine, FLOORS).to_dict()["datasets"]
        assert {row["name"] for rows in datasets.values() for row in rows if "name" in row} == set(MODELS)
    assert "Transformer 1.0e-01 at the last token" in charts.gradient_alt(NO_TABLE, own())


def test_a_longer_review_than_the_many_ends_with_the_axis():
    spec = charts.gradient_chart(gradients(), own(), FLOORS).to_dict()
    domains = {
        tuple(layer["encoding"]["x"]["scale"]["domain"])
        for layer in spec["layer"]
        if "scale" in layer["encoding"].get("x", {})
    }
    assert domains == {(0, 246)}


def test_a_log_axis_has_powers_of_ten():
    assert charts.power(-12) == "10⁻¹²"
    assert charts.power(0) == "10⁰"
    assert "'10⁻³'" in charts.gradient_chart(gradients(), NO_OWN, FLOORS).to_json(ensure_ascii=False)


def test_the_plane_of_eigenvalues_is_square_and_holds_the_unit_circle():
    chart = CHARTS["eigenvalues"]().to_dict()
    assert chart["width"] == chart["height"]
    circle = next(rows for rows in chart["datasets"].values() if "order" in rows[0])
    assert all(math.hypot(row["real"], row["imaginary"]) == pytest.approx(1) for row in circle)


def test_a_spectrum_without_a_start_is_drawn_alone():
    points, ranks = spectrum()
    points, ranks = points[points["when"] == "trained"], ranks[ranks["when"] == "trained"]
    assert rows_drawn(charts.eigenvalue_chart(points, "#D55E00")) == 256 + 121
    assert "start" not in charts.spectrum_alt(points, ranks)


@pytest.mark.parametrize(
    ("words_of", "part"),
    [
        (lambda: charts.gradient_alt(gradients(), NO_OWN), "RNN 1.0e+00 at the last token"),
        (lambda: charts.words_alt(words(), "opinion first"), "GRU 50\u00a0% at 0 neutral words, 80\u00a0% at 300"),
        (lambda: charts.spectrum_alt(*spectrum()), "trained: largest |eigenvalue| 1.20, singular values 0.10 to 2.00"),
        (lambda: charts.kept_alt(kept()), "LSTM keeps 70\u00a0% a word on average"),
    ],
)
def test_every_chart_can_be_told_in_words(words_of, part):
    assert part in words_of()


@pytest.mark.parametrize("n", [1, 2])
def test_a_text_of_one_or_two_words_has_charts(n):
    assert charts.gate_chart(kept(n)).to_dict()
    assert charts.survival_chart(kept(n), 1e-10).to_dict()
