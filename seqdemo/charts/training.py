"""How the models learned, epoch by epoch."""

from __future__ import annotations

import altair as alt
import pandas as pd

from seqdemo.charts import style

_HEIGHT_PX = 440


def training_chart(curves: pd.DataFrame) -> alt.LayerChart:
    """Draws validation accuracy against epochs, one line a model, named at its end.

    Args:
        curves: One row for each model and epoch with `name`, `model`, `epoch`,
            `validation_accuracy` (from 0 to 1) and `best`; at least one row.

    Returns:
        The chart.
    """
    names = list(dict.fromkeys(curves["name"]))
    last_epoch = int(curves["epoch"].max())
    low, high = curves["validation_accuracy"].min(), curves["validation_accuracy"].max()
    span = max(high - low, 0.01)

    # Names stand in a column on the right, since lines may end close together and early.
    ends = curves.sort_values("epoch").groupby("name", sort=False).tail(1).copy()
    ends["label_at"] = style.spread(ends["validation_accuracy"], 2.1 * span * style.LABEL_PX / _HEIGHT_PX)
    ends["edge"] = last_epoch
    low, high = min(low, ends["label_at"].min()), max(high, ends["label_at"].max())

    x = alt.X(
        "epoch:Q",
        title="epoch",
        axis=alt.Axis(format="d", tickMinStep=1, grid=False),
        scale=alt.Scale(domain=[min(1, last_epoch - 1), last_epoch], nice=False),
    )
    scale = alt.Scale(domain=[low - 0.03 * span, high + 0.03 * span], nice=False, zero=False)
    lying = {"titleAngle": 0, "titleAlign": "left", "titleAnchor": "end", "titleX": 0, "titleY": -18}
    axis = style.per_cent_axis(tickCount=6, tickMinStep=0.01, **lying)
    y = alt.Y("validation_accuracy:Q", title="validation accuracy", axis=axis, scale=scale)
    colour = alt.Color("name:N", scale=style.colour_scale(names), legend=None)
    dash = alt.StrokeDash("name:N", scale=style.dash_scale(names), legend=None)
    tooltip = [
        alt.Tooltip("model:N", title="model"),
        alt.Tooltip("epoch:Q", title="epoch", format="d"),
        alt.Tooltip("validation_accuracy:Q", title="validation accuracy", format=".1%"),
    ]
    leaders = (
        alt.Chart(ends)
        .mark_rule(strokeWidth=1, strokeDash=[1, 4], color=style.NEUTRAL)
        .encode(x=x, x2="edge:Q", y=y, y2="label_at:Q")
    )
    lines = alt.Chart(curves).mark_line(strokeWidth=3).encode(x=x, y=y, color=colour, strokeDash=dash, tooltip=tooltip)
    kept = (
        alt.Chart(curves[curves["best"].astype(bool)])
        .mark_point(filled=True, size=160, opacity=1)
        .encode(x=x, y=y, color=colour, tooltip=tooltip)
    )
    labels = (
        alt.Chart(ends)
        .mark_text(align="left", baseline="middle", dx=12)
        .encode(x="edge:Q", y=alt.Y("label_at:Q", scale=scale), text="model:N")
    )
    return style.finished([leaders, lines, kept, labels], height_px=_HEIGHT_PX)


def training_alt(curves: pd.DataFrame) -> str:
    """The chart in words."""
    best = curves[curves["best"].astype(bool)]
    scores = (
        f"{row['model']} {100 * row['validation_accuracy']:.1f} % in epoch {row['epoch']}"
        for row in best.to_dict("records")
    )
    return f"Validation accuracy after each epoch. Best: {', '.join(scores)}."
