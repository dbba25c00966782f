"""Charts of heads: every head where it belongs, what chance gives beside it."""

import numpy as np
import pytest

from seqdemo.charts import attention as charts

SHAPE = (12, 4)


def table(distance=9.0, bits=4.0, shape=SHAPE):
    return charts.heads_table(np.full(shape, distance, np.float32), np.full(shape, bits, np.float32))


def test_the_table_names_layers_and_heads_from_one():
    distance = np.arange(48, dtype=np.float32).reshape(SHAPE)
    rows = charts.heads_table(distance, np.full(SHAPE, 3, np.float32))
    last = rows[(rows["layer"] == 12) & (rows["head"] == 4)]
    assert last["distance_words"].tolist() == [47]
    assert rows["words"].tolist() == [8] * 48
    assert (rows["layer"].min(), rows["head"].min()) == (1, 1)


@pytest.mark.parametrize("shape", [(12, 4), (1, 1), (2, 8)])
def test_every_head_stands_within_its_layer_and_no_two_at_one_place(shape):
    spec = charts.heads_chart(table(shape=shape), "distance_words", "words away", 10, "#009E73").to_dict()
    (rows,) = [rows for rows in spec["datasets"].values() if "head" in rows[0]]
    assert len(rows) == shape[0] * shape[1]
    assert all(abs(row["x"] - row["layer"]) < 0.5 for row in rows)
    assert len({row["x"] for row in rows}) == len(rows)


def test_what_all_words_alike_would_give_is_drawn_within_the_axis():
    spec = charts.heads_chart(table(distance=2.0), "distance_words", "words away", 100, "#009E73").to_dict()
    domains = [layer["encoding"]["y"]["scale"]["domain"] for layer in spec["layer"]]
    assert all(low == 0 and high > 100 for low, high in domains)
    assert "all alike" in str(spec)


def test_the_finding_about_distance_depends_on_the_numbers():
    distance = np.full(SHAPE, 9.0, np.float32)
    assert charts.distance_finding(charts.heads_table(distance, distance), 10).startswith("No head looks mainly")
    distance[2, 1] = 1.25
    one = charts.distance_finding(charts.heads_table(distance, distance), 10)
    assert one == "Head 2 of layer 3 looks nearest, 1.2 words away on average"
    distance[5, 0] = 3
    assert "2 of 48 heads" in charts.distance_finding(charts.heads_table(distance, distance), 10)


def test_the_finding_about_width_counts_the_narrow_heads():
    bits = np.full(SHAPE, 5.0, np.float32)
    assert charts.width_finding(charts.heads_table(bits, bits), 40).startswith("Every head spreads")
    bits[0, :2] = 1
    assert charts.width_finding(charts.heads_table(bits, bits), 40) == (
        "2 of 48 heads look at less than a quarter of the words, the sharpest as if at 2.0 of 40"
    )


def test_the_chart_can_be_told_in_words():
    said = charts.heads_alt(table(), "distance_words", "Words away", 12.3)
    assert "48 heads in 12 layers" in said
    assert "12.3" in said
