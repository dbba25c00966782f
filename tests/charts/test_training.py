"""The training chart's scales, marks and words."""

import pandas as pd
import pytest

from seqdemo.charts.training import training_alt, training_chart
from seqdemo.models.registry import MODELS


def curves_of(accuracies):
    rows = [
        {"name": name, "model": MODELS[name].label, "epoch": epoch, "validation_accuracy": accuracy}
        for name, line in accuracies.items()
        for epoch, accuracy in enumerate(line, start=1)
    ]
    frame = pd.DataFrame(rows)
    frame["best"] = frame["validation_accuracy"] == frame.groupby("name")["validation_accuracy"].transform("max")
    return frame


def drawn(chart):
    spec = chart.to_dict()
    data = {id_: pd.DataFrame(rows) for id_, rows in spec["datasets"].items()}
    return spec["layer"], [data[layer.get("data", spec.get("data"))["name"]] for layer in spec["layer"]]


@pytest.fixture
def curves():
    return curves_of({"rnn": [0.6, 0.7], "lstm": [0.7, 0.80, 0.79], "transformer": [0.65, 0.75, 0.801]})


def test_lines_have_the_models_colours_and_dashes(curves):
    layers, _ = drawn(training_chart(curves))
    (line,) = [layer for layer in layers if layer["mark"]["type"] == "line"]
    colours, dashes = line["encoding"]["color"]["scale"], line["encoding"]["strokeDash"]["scale"]
    assert colours["domain"] == dashes["domain"] == ["rnn", "lstm", "transformer"]
    assert colours["range"] == [MODELS[name].colour for name in colours["domain"]]
    assert dashes["range"] == [[2, 3], [1, 0], [14, 3]]


def test_every_line_is_named_and_no_two_names_overlap(curves):
    layers, frames = drawn(training_chart(curves))
    ((layer, names),) = [(k, f) for k, f in zip(layers, frames, strict=True) if k["mark"]["type"] == "text"]
    assert layer["encoding"]["text"]["field"] == "model"
    assert sorted(names["model"]) == ["LSTM", "RNN", "Transformer"]
    low, high = layer["encoding"]["y"]["scale"]["domain"]
    assert names["label_at"].sort_values().diff().min() > 0.04 * (high - low)
    assert names["label_at"].between(low, high).all()


def test_names_keep_the_order_of_the_lines(curves):
    _, frames = drawn(training_chart(curves))
    names = next(frame for frame in frames if "label_at" in frame)
    assert names.sort_values("label_at")["name"].tolist() == names.sort_values("validation_accuracy")["name"].tolist()


def test_the_dot_marks_the_kept_epoch(curves):
    layers, frames = drawn(training_chart(curves))
    (dots,) = [frame for layer, frame in zip(layers, frames, strict=True) if layer["mark"]["type"] == "point"]
    assert dots.set_index("name")["epoch"].to_dict() == {"rnn": 2, "lstm": 2, "transformer": 3}


def test_scales_come_from_the_data(curves):
    layers, _ = drawn(training_chart(curves))
    (line,) = [layer for layer in layers if layer["mark"]["type"] == "line"]
    low, high = line["encoding"]["y"]["scale"]["domain"]
    assert 0.5 < low <= 0.6
    assert 0.8 <= high < 0.9
    assert line["encoding"]["x"]["scale"]["domain"] == [1, 3]


def test_one_epoch_of_one_model_can_be_drawn():
    layers, _ = drawn(training_chart(curves_of({"gru": [0.7]})))
    low, high = layers[0]["encoding"]["y"]["scale"]["domain"]
    assert low < 0.7 < high


def test_the_alternative_text_says_the_best_epochs(curves):
    assert training_alt(curves) == (
        "Validation accuracy after each epoch. Best: "
        "RNN 70.0 % in epoch 2, LSTM 80.0 % in epoch 2, Transformer 80.1 % in epoch 3."
    )
