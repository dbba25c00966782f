"""What language models can do, measured: the next word, how far back they look, and whether they recite."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from seqdemo.charts import style

_BAR_PX, _ROOM_PX = 28, 50
_REACH_PX = 420
_ROOM_FOR_NAMES = 1.8
"""The axis of bars is so many times as long as the longest, so that names have a place on a phone too."""


def bars(table: pd.DataFrame, *, title: str) -> alt.LayerChart:
    """Draws one bar a figure, each named at its end, under the names of the rows that they belong to.

    Args:
        table: `name` (a model, or what belongs to none), `label`, `row` (what the bar belongs to, or nothing), `value`,
            `low`, `high` and `shown` (the figure in words); in the order of rows and bars; not empty.
        title: Of the axis.

    Returns:
        The chart; a thin line at the end of a bar is its interval.
    """
    parts = []
    for row, part in table.groupby("row", sort=False):
        heading = [{"row": row, "heading": row}] if row else []
        parts.append(pd.concat([pd.DataFrame(heading), part.assign(end=part["label"] + "  " + part["shown"])]))
    table = pd.concat(parts, ignore_index=True)
    table["line"] = range(len(table))
    is_heading = table["end"].isna()
    names, most = list(dict.fromkeys(table["name"].dropna())), float(table[["value", "high"]].max().max())
    x = alt.X(
        "value:Q",
        title=title,
        axis=alt.Axis(grid=False, labels=False, ticks=False, domain=False, titleAnchor="start"),
        scale=alt.Scale(domain=[0, _ROOM_FOR_NAMES * most], nice=False),
    )
    y = alt.Y("line:O", axis=None, scale=alt.Scale(paddingInner=0.2))
    base = alt.Chart(table[~is_heading].drop(columns="heading", errors="ignore")).encode(y=y)
    tooltip = [
        alt.Tooltip("row:N", title=" "),
        alt.Tooltip("label:N", title=" "),
        alt.Tooltip("shown:N", title=title),
        alt.Tooltip("low:Q", title="95 %: from", format=".4g"),
        alt.Tooltip("high:Q", title="to", format=".4g"),
    ]
    layers = [
        base.mark_bar().encode(x=x, color=style.colour(names), tooltip=tooltip),
        base.mark_rule(strokeWidth=2, color=style.TEXT).encode(x=alt.X("low:Q"), x2="high:Q"),
        base.mark_text(align="left", baseline="middle", dx=8).encode(x=alt.X("high:Q"), text="end:N"),
    ]
    if is_heading.any():
        headings = alt.Chart(table.loc[is_heading, ["line", "heading"]])
        layers.append(
            headings.mark_text(align="left", baseline="middle", fontWeight="bold").encode(
                x=alt.value(0), y=y, text="heading:N"
            )
        )
    return style.finished(layers, height_px=_BAR_PX * len(table) + _ROOM_PX)


def bars_alt(table: pd.DataFrame, title: str) -> str:
    """The chart in words."""
    rows = []
    for row, part in table.groupby("row", sort=False):
        figures = ", ".join(f"{label} {shown}" for label, shown in zip(part["label"], part["shown"], strict=True))
        rows.append(f"{row!s}: {figures}" if row else figures)
    return f"{title}. {'; '.join(rows)}."


def reach_chart(table: pd.DataFrame) -> alt.LayerChart:
    """Draws perplexity against the number of last words that are given, both on log axes.

    Args:
        table: `name`, `model`, `way` (`last` or `shuffled`), `k`, `perplexity`, `low`, `high`; not empty.

    Returns:
        The chart: thick lines where the words farther back are missing, thin ones where they are shuffled.
    """
    table = table.assign(at=np.log10(table["k"]), value=np.log10(table["perplexity"]))
    table = table.assign(low_at=np.log10(table["low"]), high_at=np.log10(table["high"]))
    names, ks = list(dict.fromkeys(table["name"])), sorted(set(table["k"]))
    low, high = float(table["low_at"].min()) - 0.03, float(table["high_at"].max()) + 0.03
    ticks = [tick for tick in (50, 70, 100, 150, 200, 300, 500, 700, 1_000, 2_000) if low <= np.log10(tick) <= high]
    power = "format(round(pow(10, datum.value)), 'd')"
    x = alt.X(
        "at:Q",
        title="last words given",
        scale=alt.Scale(domain=[0, float(np.log10(ks[-1]))], nice=False),
        axis=alt.Axis(values=[float(np.log10(k)) for k in ks], labelExpr=power, grid=False),
    )
    scale = alt.Scale(domain=[low, high], nice=False)
    axis = alt.Axis(values=[float(np.log10(tick)) for tick in ticks], labelExpr=power)
    y = alt.Y("value:Q", title="perplexity", axis=axis, scale=scale)
    colour, dash = style.colour(names), style.dash(names)
    tooltip = [
        alt.Tooltip("model:N", title="model"),
        alt.Tooltip("k:Q", title="last words", format="d"),
        alt.Tooltip("perplexity:Q", format=".1f"),
        alt.Tooltip("low:Q", title="95 %: from", format=".1f"),
        alt.Tooltip("high:Q", title="to", format=".1f"),
    ]
    last, shuffled = (table[table["way"] == way] for way in ("last", "shuffled"))
    ends = style.ends(last, "at", "value", _REACH_PX, span=high - low)
    layers = [
        alt.Chart(last)
        .mark_area(opacity=0.16)
        .encode(x=x, y=alt.Y("low_at:Q", scale=scale), y2="high_at:Q", color=colour),
        alt.Chart(shuffled).mark_line(strokeWidth=1.25).encode(x=x, y=y, color=colour),
        alt.Chart(last).mark_line(strokeWidth=3.5).encode(x=x, y=y, color=colour, strokeDash=dash),
        alt.Chart(last).mark_point(filled=True, size=60, opacity=1).encode(x=x, y=y, color=colour, tooltip=tooltip),
        *style.names(ends, x, scale),
    ]
    return style.finished(layers, height_px=_REACH_PX)


def reach_alt(table: pd.DataFrame) -> str:
    """The chart in words."""
    parts = []
    for model, part in table[table["way"] == "last"].groupby("model", sort=False):
        points = ", ".join(
            f"{k} word{'s' if k > 1 else ''} {value:.0f}"
            for k, value in zip(part["k"], part["perplexity"], strict=True)
        )
        parts.append(f"{model}: {points}")
    return f"Perplexity by the number of last words given. {'; '.join(parts)}."
