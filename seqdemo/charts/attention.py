"""The heads of a Transformer compared: how far away each looks, and how widely."""

from __future__ import annotations

import altair as alt
import numpy as np
import numpy.typing as npt
import pandas as pd

from seqdemo.charts import style

_HEIGHT_PX = 380
_BESIDE = 0.8
"""Share of a layer's width over which its heads stand side by side."""
_ROOM = 1.18
"""The axis is so many times as long as the layers need, for the words at the rule's end."""
_NEAR = 0.5
_NARROW = 0.25


def heads_table(distance_words: npt.NDArray[np.float32], entropy_bits: npt.NDArray[np.float32]) -> pd.DataFrame:
    """One row a head.

    Args:
        distance_words: (layer, head).
        entropy_bits: (layer, head).

    Returns:
        `layer` and `head` from 1, `distance_words`, `entropy_bits`, and `words`, over which so many bits spread evenly.
    """
    layer, head = np.indices(distance_words.shape) + 1
    return pd.DataFrame(
        {
            "layer": layer.ravel(),
            "head": head.ravel(),
            "distance_words": distance_words.ravel(),
            "entropy_bits": entropy_bits.ravel(),
            "words": 2.0 ** entropy_bits.ravel(),
        }
    )


def heads_chart(table: pd.DataFrame, column: str, title: str, even: float, colour: str) -> alt.LayerChart:
    """Draws one figure of every head, layer by layer, heads as their numbers.

    Args:
        table: As from `heads_table`, not empty.
        column: The figure: `distance_words` or `words`.
        title: Of the vertical axis.
        even: The figure of a head that gives every word the same weight; a rule stands there.
        colour: The model's.

    Returns:
        The chart.
    """
    n_layers, n_heads = int(table["layer"].max()), int(table["head"].max())
    placed = table.assign(
        x=table["layer"] + _BESIDE * ((table["head"] - 0.5) / n_heads - 0.5), value=table[column], name=table["head"]
    )
    high = 1.12 * max(float(placed["value"].max()), even) or 1.0
    scale = alt.Scale(domain=[0, high], nice=False)
    x = alt.X(
        "x:Q",
        title="layer",
        scale=alt.Scale(domain=[0.5, n_layers * _ROOM + 0.5], nice=False),
        axis=alt.Axis(values=list(range(1, n_layers + 1)), format="d", grid=False),
    )
    axis = alt.Axis(tickCount=5, titleAngle=0, titleAlign="left", titleAnchor="end", titleX=0, titleY=-18)
    y = alt.Y("value:Q", title=title, scale=scale, axis=axis)
    tooltip = [
        alt.Tooltip("layer:Q", format="d"),
        alt.Tooltip("head:Q", format="d"),
        alt.Tooltip("value:Q", title=title, format=".1f"),
        alt.Tooltip("entropy_bits:Q", title="entropy in bits", format=".2f"),
    ]
    rule = alt.Chart(pd.DataFrame({"value": [even], "x": [n_layers + 0.5], "says": ["all alike"]}))
    base = alt.Chart(placed)
    layers = [
        rule.mark_rule(color=style.NEUTRAL, strokeDash=[4, 4], strokeWidth=2).encode(y=y),
        rule.mark_text(align="left", baseline="bottom", dx=4, dy=-4, fontSize=style.LABEL_PX - 2).encode(
            x=x, y=y, text="says:N"
        ),
        base.mark_point(filled=True, size=330, opacity=0.3, color=colour).encode(x=x, y=y, tooltip=tooltip),
        base.mark_text(fontSize=style.LABEL_PX - 3).encode(x=x, y=y, text="name:N", tooltip=tooltip),
    ]
    return style.finished(layers, height_px=_HEIGHT_PX)


def distance_finding(table: pd.DataFrame, even: float) -> str:
    """How far the heads look, in one sentence."""
    far = table["distance_words"]
    nearest = table.iloc[int(far.argmin())]
    if nearest["distance_words"] < _NEAR * even:
        n_near = int((far < _NEAR * even).sum())
        who = f"Head {nearest['head']:.0f} of layer {nearest['layer']:.0f} looks nearest"
        others = f"; {n_near} of {len(table)} heads look less than half as far as chance" if n_near > 1 else ""
        return f"{who}, {nearest['distance_words']:.1f} words away on average{others}"
    return (
        f"No head looks mainly at its neighbours: {far.min():.1f} to {far.max():.1f} words away on average, "
        f"{even:.1f} by chance"
    )


def width_finding(table: pd.DataFrame, n_words: int) -> str:
    """How widely the heads look, in one sentence."""
    narrow = int((table["words"] < _NARROW * n_words).sum())
    sharpest = table["words"].min()
    if not narrow:
        return f"Every head spreads over a quarter of the words or more, the sharpest over {sharpest:.1f} of {n_words}"
    return (
        f"{narrow} of {len(table)} heads look at less than a quarter of the words, "
        f"the sharpest as if at {sharpest:.1f} of {n_words}"
    )


def heads_alt(table: pd.DataFrame, column: str, title: str, even: float) -> str:
    """The chart in words."""
    values = table.groupby("layer")[column].mean()
    return (
        f"{title} of {len(table)} heads in {len(values)} layers, from {table[column].min():.1f} to "
        f"{table[column].max():.1f}; mean of the first layer {values.iloc[0]:.1f}, of the last {values.iloc[-1]:.1f}; "
        f"looking at all words alike gives {even:.1f}."
    )
