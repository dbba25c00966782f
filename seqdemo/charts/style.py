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
