import pandas as pd
import pytest

from seqdemo.charts import translate

SERIES = ("with attention", "without attention")


@pytest.fixture
def ways():
    return pd.DataFrame(
        [
            {"series": series, "epoch": epoch, "validation_accuracy": 1 - 1 / (epoch + k), "train_loss_nats": 1 / epoch}
            for k, series in enumerate(("teacher forcing", "free running"), start=1)
            for epoch in range(1, 5)
        ]
    )


@pytest.fixture
def lengths():
    return pd.DataFrame(
        [
            {"series": series, "from": low, "to": low + 9, "accuracy": 0.5, "low": 0.4, "high": 0.6, "n": 10}
            for series in SERIES
            for low in (11, 21, 31)
        ]
    )


@pytest.fixture
def forms():
    return pd.DataFrame(
        [
            {"series": series, "example": example, "accuracy": accuracy, "low": 0.0, "high": 1.0, "n": 10}
            for series in SERIES
            for example, accuracy in (("3.3.1987", 0.2), ("3 March 1987", 0.9))
        ]
    )


def encodings(spec):
    return [layer["encoding"] for layer in spec["layer"]]


def test_both_ways_are_drawn_from_nothing_to_all_and_named(ways):
    spec = translate.ways_chart(ways).to_dict()
    line = encodings(spec)[0]
    assert line["y"]["scale"]["domain"] == [0, 1]
    assert line["strokeDash"]["scale"]["domain"] == ["teacher forcing", "free running"]
    assert len({tuple(dash) for dash in line["strokeDash"]["scale"]["range"]}) == 2
    named = spec["datasets"][spec["layer"][-1]["data"]["name"]]
    assert [row["series"] for row in named] == ["teacher forcing", "free running"]
    assert translate.ways_alt(ways).endswith("At the end: teacher forcing 80.0 %, free running 83.3 %.")


def test_one_way_alone_can_be_drawn(ways):
    line = encodings(translate.ways_chart(ways[ways["series"] == "teacher forcing"]).to_dict())[0]
    assert line["color"]["scale"]["range"] == [translate.ACCENT]


def test_lengths_are_drawn_with_their_intervals_and_where_training_ended(lengths):
    spec = translate.lengths_chart(lengths, trained_to=20).to_dict()
    assert {row["middle"] for data in spec["datasets"].values() for row in data if set(row) == {"middle"}} == {20}
    assert any("high" in layer.get("y2", {}).get("field", "") for layer in encodings(spec))
    assert "with attention: 11 to 20: 50.0 %" in translate.lengths_alt(lengths)


def test_each_name_stands_at_the_end_of_its_own_line(lengths):
    lengths.loc[lengths["series"] == SERIES[0], "accuracy"] = 0.9
    lengths.index = [0, 1, 2] * 2  # as two tables put together have it
    spec = translate.lengths_chart(lengths, trained_to=20).to_dict()
    named = {row["series"]: row["label_at"] for row in spec["datasets"][spec["layer"][-1]["data"]["name"]]}
    assert named[SERIES[0]] > 0.8 > 0.5 > named[SERIES[1]]


def test_ways_of_writing_stand_in_the_order_of_their_accuracy(forms):
    spec = translate.forms_chart(forms).to_dict()
    assert encodings(spec)[1]["y"]["sort"] == ["3 March 1987", "3.3.1987"]
    assert "3.3.1987: without attention 20 %" in translate.forms_alt(forms)
