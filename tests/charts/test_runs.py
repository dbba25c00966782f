"""Charts of training runs: bars, confusions, tables for a CSV."""

import pandas as pd
import pytest

from seqdemo.charts import runs as charts
from seqdemo.runs.view import View
from seqdemo.training.settings import RunSettings


@pytest.fixture
def view():
    found = View(id="a" * 16, settings=RunSettings(model="rnn", epochs=2))
    found.take({"event": "start", "at": 0, "parameters": 10})
    for epoch in (0, 1):
        found.take(
            {
                "event": "epoch",
                "at": epoch,
                "epoch": epoch,
                "train_loss": 0.5 if epoch else None,
                "train_accuracy": 0.7 if epoch else None,
                "validation_loss": 0.6,
                "validation_accuracy": 0.65,
                "gradient_norm": 1.5 if epoch else None,
                "gradient_by_step": [1e-4, 1e-2],
                "seconds": 1.0,
            }
        )
    step = {"epoch": 1, "update": 5, "loss": 0.55, "gradient_norm": 2.0, "learning_rate": 0.01, "samples_per_s": 9.0}
    found.take({"event": "step", "at": 1, "seconds": 0.5} | step)
    return found


def test_every_measured_number_stands_in_the_table_of_curves(view):
    table = charts.curves_table([view], ["RNN"])
    assert table["kind"].tolist() == ["epoch", "epoch", "update"]
    assert table["validation_accuracy"].tolist()[:2] == [0.65, 0.65]
    assert table.loc[2, ["update", "train_loss", "gradient_norm"]].tolist() == [5, 0.55, 2.0]
    assert table["gradient_first_step"].tolist()[:2] == [1e-4, 1e-4]


def test_a_run_without_events_gives_a_table_without_rows():
    table = charts.curves_table([View(id="", settings=RunSettings())], ["LSTM"])
    assert len(table) == 0
    assert "kind" in table


def test_the_table_of_runs_names_no_id_since_that_is_a_key(view):
    table = charts.runs_table([view], ["RNN"])
    assert table["run"].tolist() == ["RNN"]
    assert "id" not in table
    assert view.id not in table.to_csv()


@pytest.fixture
def bars():
    return pd.DataFrame(
        {
            "run": ["RNN", "LSTM"],
            "colour": ["#D55E00", "#0072B2"],
            "accuracy": [0.52, 0.987],
            "low": [0.48, 0.97],
            "high": [0.56, 0.99],
            "guess": [0.5, 0.5],
        }
    )


def test_bars_keep_the_runs_order_colours_and_values(bars):
    spec = charts.accuracy_bars(bars).to_dict()
    colour = next(layer for layer in spec["layer"] if layer["mark"]["type"] == "bar")["encoding"]["color"]["scale"]
    assert colour == {"domain": ["RNN", "LSTM"], "range": ["#D55E00", "#0072B2"]}
    (rows,) = spec["datasets"].values()
    assert [row["words"] for row in rows] == ["52.0\u00a0%", "98.7\u00a0%"]
    assert charts.accuracy_alt(bars) == "Test accuracy: RNN 52.0 %, LSTM 98.7 %."


def test_a_run_without_an_interval_is_drawn(bars):
    bars.loc[0, ["low", "high", "guess"]] = None
    spec = charts.accuracy_bars(bars).to_dict()
    assert {layer["mark"]["type"] for layer in spec["layer"]} == {"bar", "rule", "tick", "text"}


def test_the_confusion_matrix_has_each_row_by_its_share():
    confusion = {"labels": ["negative", "positive"], "rows": [[30, 10], [0, 0]]}
    spec = charts.confusion_chart(confusion, "#D55E00").to_dict()
    (rows,) = spec["datasets"].values()
    assert [row["share"] for row in rows] == [0.75, 0.25, 0, 0]
    assert charts.confusion_alt(confusion) == ("Confusion matrix. negative: 30 of 40 right; positive: 0 of 0 right.")


def test_long_labels_of_visitors_are_cut():
    confusion = {"labels": ["x" * 80, "y"], "rows": [[1, 0], [0, 1]]}
    spec = charts.confusion_chart(confusion, "#D55E00").to_dict()
    assert max(len(row["truth"]) for rows in spec["datasets"].values() for row in rows) == 18
