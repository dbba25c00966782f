"""Charts of the language models: bars named at their ends, and how far back each looks."""

import json

import numpy as np
import pandas as pd
import pytest

from seqdemo.charts import style
from seqdemo.charts import write as charts
from seqdemo.models.registry import MODELS
from seqdemo.studies import context


def bars():
    rows = [
        {"name": name, "label": label, "row": row, "value": value, "low": value - 1, "high": value + 1}
        for row in ("names", "other words")
        for name, label, value in (("rnn", "RNN", 123.0), ("gru", "GRU", 101.0), ("five_gram", "counting", 129.0))
    ]
    return pd.DataFrame(rows).assign(shown=lambda table: table["value"].map("{:.0f}".format))


def reach():
    rows = [
        {
            "name": name,
            "model": MODELS[name].label,
            "way": way,
            "k": k,
            "low": p * 0.98,
            "perplexity": p,
            "high": p / 0.98,
        }
        for name, worst in (("rnn", 130.0), ("lstm", 93.0))
        for way in ("last", "shuffled")
        for k in context.LAST
        for p in [worst + 200 / k]
    ]
    return pd.DataFrame(rows)


def marks(chart):
    return [layer["mark"]["type"] for layer in json.loads(chart.to_json())["layer"]]


def test_every_bar_has_its_interval_and_is_named_at_its_end():
    drawn = json.loads(charts.bars(bars(), title="Perplexity").to_json())
    assert marks(charts.bars(bars(), title="Perplexity")) == ["bar", "rule", "text", "text"]
    rows = drawn["datasets"][drawn["layer"][0]["data"]["name"]]
    assert [row["end"] for row in rows] == ["RNN  123", "GRU  101", "counting  129"] * 2
    headings = drawn["datasets"][drawn["layer"][3]["data"]["name"]]
    assert headings == [{"line": 0, "heading": "names"}, {"line": 4, "heading": "other words"}]
    assert [row["line"] for row in rows] == [1, 2, 3, 5, 6, 7]
    assert marks(charts.bars(bars().assign(row=""), title="Perplexity")) == ["bar", "rule", "text"]
    scale = drawn["layer"][0]["encoding"]["color"]["scale"]
    assert dict(zip(scale["domain"], scale["range"], strict=True)) == {
        "rnn": MODELS["rnn"].colour,
        "gru": MODELS["gru"].colour,
        "five_gram": style.NEUTRAL,
    }
    assert drawn["layer"][0]["encoding"]["x"]["scale"]["domain"] == [0, pytest.approx(1.8 * 130)]


def test_the_bars_in_words_name_all_figures():
    said = charts.bars_alt(bars(), "Perplexity")
    assert said == ("Perplexity. names: RNN 123, GRU 101, counting 129; other words: RNN 123, GRU 101, counting 129.")


def test_the_reach_has_thick_and_thin_lines_and_a_name_at_each_end():
    chart = charts.reach_chart(reach())
    assert marks(chart) == ["area", "line", "line", "point", "rule", "text"]
    drawn = json.loads(chart.to_json())
    widths = [layer["mark"]["strokeWidth"] for layer in drawn["layer"][1:3]]
    assert widths[0] < widths[1]
    x = drawn["layer"][0]["encoding"]["x"]
    assert x["scale"]["domain"] == [0, pytest.approx(np.log10(200))]
    assert [10**value for value in x["axis"]["values"]] == pytest.approx(list(context.LAST))
    names = drawn["datasets"][drawn["layer"][-1]["data"]["name"]]
    assert [row["model"] for row in names] == ["RNN", "LSTM"]


def test_the_reach_in_words_begins_with_one_word_and_ends_with_all_that_were_given():
    said = charts.reach_alt(reach())
    assert said.startswith("Perplexity by the number of last words given. RNN: 1 word 330, 2 words 230")
    assert said.endswith("200 words 94.")
