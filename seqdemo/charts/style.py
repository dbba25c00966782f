"""What all charts share: the models' colours and dashes, and sizes that the last row can read.

Words are in `currentColor`, the text colour of the page around the chart, light or dark.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from seqdemo.models.registry import MODELS

LABEL_PX = 17
TEXT = "currentColor"
NEUTRAL = "#848b91"
"""For what belongs to no model; 3 : 1 or better on both backgrounds."""
_AXES_PX = 90


def colour_scale(names: Sequence[str]) -> alt.Scale:
    """Each model's own colour; anything else is neutral."""
    return alt.Scale(domain=list(names), range=[MODELS[n].colour if n in MODELS else NEUTRAL for n in names])


def dash_scale(names: Sequence[str]) -> alt.Scale:
    """Each model's own dash, so that colour is never the only sign."""
    dashes = [[int(length) for length in MODELS[n].dash.split()] if n in MODELS else [] for n in names]
    return alt.Scale(domain=list(names), range=[dash or [1, 0] for dash in dashes])


def per_cent_axis(**settings: Any) -> alt.Axis:
    """An axis of shares from 0 to 1, in whole per cents."""
    return alt.Axis(labelExpr="format(100 * datum.value, 'd') + '\u00a0%'", **settings)


def finished(layers: Sequence[alt.Chart], *, height_px: int) -> alt.LayerChart:
    """Layers as one chart, with text in the page's colour, in a projector's sizes."""
    chart = alt.LayerChart(layer=list(layers), height=height_px)
    chart.config = alt.Config(
        axis=alt.AxisConfig(
            labelFontSize=LABEL_PX,
            titleFontSize=LABEL_PX,
            labelColor=TEXT,
            titleColor=TEXT,
            labelLimit=400,
            labelFlush=False,
            labelPadding=8,
            titlePadding=12,
        ),
        text=alt.MarkConfig(fontSize=LABEL_PX, color=TEXT),
    )
    return chart


def spread(values: pd.Series[float], gap: float) -> pd.Series[float]:
    """Moves values apart until neighbours are at least `gap` from each other, for labels.

    Args:
        values: Where the labels would stand.
        gap: The least distance, in the same unit.

    Returns:
        Where they stand, in the order and with the index of `values`.
    """
    placed = values.sort_values(kind="stable").astype(float)
    for _ in range(100):
        lacking = gap - placed.diff().iloc[1:].to_numpy()
        lacking[lacking < gap * 1e-3] = 0
        if not lacking.any():
            break
        placed.iloc[:-1] -= lacking / 2
        placed.iloc[1:] += lacking / 2
    return placed.reindex(values.index)


def colour(names: Sequence[str]) -> alt.Color:
    """Each line or mark in the colour of its `name`."""
    return alt.Color("name:N", scale=colour_scale(names), legend=None)


def dash(names: Sequence[str]) -> alt.StrokeDash:
    """Each line in the dash of its `name`."""
    return alt.StrokeDash("name:N", scale=dash_scale(names), legend=None)


def ends(table: pd.DataFrame, x: str, y: str, height_px: int, span: float, at: str = "end") -> pd.DataFrame:
    """The last point of each line (or the first), with a place for its name that covers no other name.

    Args:
        table: `name`, `model` and the columns x and y.
        x: Column of the horizontal axis.
        y: Column of the vertical axis.
        height_px: Of the whole chart.
        span: What the vertical axis spans, in the unit of y.
        at: `end` or `start` of the line.
    """
    ordered = table.sort_values(x).groupby("model", sort=False)
    found = (ordered.tail(1) if at == "end" else ordered.head(1)).copy()
    found["label_at"] = spread(found[y], 1.25 * span * LABEL_PX / (height_px - _AXES_PX))
    found["end_at"] = found[y]
    found["edge"] = table[x].max()
    return found


def names(ends: pd.DataFrame, x: alt.X, scale: alt.Scale) -> list[alt.Chart]:
    """Names in a column on the right, joined to the ends of their lines."""
    base = alt.Chart(ends)
    leaders = base.mark_rule(strokeWidth=1, strokeDash=[1, 4], color=NEUTRAL).encode(
        x=x, x2="edge:Q", y=alt.Y("end_at:Q", scale=scale), y2="label_at:Q"
    )
    labels = base.mark_text(align="left", baseline="middle", dx=10).encode(
        x="edge:Q", y=alt.Y("label_at:Q", scale=scale), text="model:N"
    )
    return [leaders, labels]
