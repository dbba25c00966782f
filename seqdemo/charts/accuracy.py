"""Test accuracy of each model beside the baseline."""

from __future__ import annotations

import altair as alt
import pandas as pd

from seqdemo.charts import style

_ROW_PX = 46
_AXIS_PX = 80


def accuracy_chart(table: pd.DataFrame, *, baseline: str) -> alt.LayerChart:
    """Draws a dot for each accuracy, a whisker for its interval, a rule at the baseline.

    Args:
        table: One row a model with `name`, `model`, `test_accuracy`, `low` and `high`, from 0
            to 1; rows without an accuracy are left out.
        baseline: The name of the row to compare with.

    Returns:
        The chart, with each model's name on the left of its row and its accuracy on the right.
    """
    table = table.dropna(subset=["test_accuracy"])
    names = table["name"].tolist()
    x = alt.X(
        "test_accuracy:Q",
        title="test accuracy",
        axis=style.per_cent_axis(tickCount=5, tickMinStep=0.01, grid=True),
        scale=alt.Scale(zero=False, nice=True, padding=12),
    )
    y = alt.Y("model:N", title=None, sort=table["model"].tolist(), axis=alt.Axis(grid=False))
    colour = alt.Color("name:N", scale=style.colour_scale(names), legend=None)
    shapes = alt.Scale(domain=names, range=["diamond" if name == baseline else "circle" for name in names])
    tooltip = [
        alt.Tooltip("model:N", title="model"),
        alt.Tooltip("test_accuracy:Q", title="test accuracy", format=".1%"),
        alt.Tooltip("low:Q", title="95 % interval from", format=".1%"),
        alt.Tooltip("high:Q", title="to", format=".1%"),
    ]
    base = alt.Chart(table)
    rule = (
        base.transform_filter(alt.datum.name == baseline)
        .mark_rule(color=style.NEUTRAL, strokeDash=[4, 4], strokeWidth=2)
        .encode(x=x)
    )
    whiskers = base.mark_rule(strokeWidth=5).encode(x=alt.X("low:Q"), x2="high:Q", y=y, color=colour, tooltip=tooltip)
    dots = base.mark_point(filled=True, size=240, opacity=1).encode(
        x=x, y=y, color=colour, shape=alt.Shape("name:N", scale=shapes, legend=None), tooltip=tooltip
    )
    numbers = (
        base.transform_calculate(words="format(100 * datum.test_accuracy, '.1f') + '\u00a0%'")
        .mark_text(align="left", baseline="middle", dx=12, fontWeight="bold")
        .encode(x=alt.value("width"), y=y, text="words:N")
    )
    layers = [rule] if baseline in set(table["name"]) else []
    return style.finished([*layers, whiskers, dots, numbers], height_px=_ROW_PX * len(table) + _AXIS_PX)


def accuracy_alt(table: pd.DataFrame) -> str:
    """The chart in words."""
    table = table.dropna(subset=["test_accuracy"])
    scores = (f"{row['model']} {100 * row['test_accuracy']:.1f} %" for row in table.to_dict("records"))
    return f"Test accuracy: {', '.join(scores)}."
