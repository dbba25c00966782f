"""The translator of dates: how it learned both ways, and how often it is right, by length and by way of writing."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from seqdemo.charts import style

ACCENT = "#CC79A7"
"""Of the palette by Okabe and Ito, and no model's colour."""
_HEIGHT_PX, _ROW_PX = 380, 44
_DASHES = [[1, 0], [7, 4]]


def ways_chart(table: pd.DataFrame) -> alt.LayerChart:
    """Draws the share of exact answers after each epoch, one line for each way of training.

    Args:
        table: One row for each epoch of each way, the first way's rows first: `series`, `epoch`,
            `validation_accuracy` (from 0 to 1), `train_loss_nats`.

    Returns:
        The chart.
    """
    names = _names(table)
    last = int(table["epoch"].max())
    x = alt.X(
        "epoch:Q",
        title="epoch",
        axis=alt.Axis(format="d", tickMinStep=1, grid=False),
        scale=alt.Scale(domain=[min(1, last - 1), last], nice=False),
    )
    y = alt.Y("validation_accuracy:Q", title="dates exactly right", axis=_axis(), scale=_scale())
    tooltip = [
        alt.Tooltip("series:N", title="training"),
        alt.Tooltip("epoch:Q", title="epoch", format="d"),
        alt.Tooltip("validation_accuracy:Q", title="exactly right", format=".1%"),
        alt.Tooltip("train_loss_nats:Q", title="training loss, nats", format=".3f"),
    ]
    lines = (
        alt.Chart(table)
        .mark_line(strokeWidth=3)
        .encode(x=x, y=y, color=_colour(names), strokeDash=_dash(names), tooltip=tooltip)
    )
    dots = (
        alt.Chart(table)
        .mark_point(filled=True, size=60, opacity=1)
        .encode(x=x, y=y, color=_colour(names), tooltip=tooltip)
    )
    # Both lines end at the top, one upon the other; their names stand below, each beside a piece of its line.
    low = min(1, last - 1)
    keys = pd.DataFrame(
        [
            {"series": name, "epoch": low + share * (last - low), "validation_accuracy": 0.35 - 0.13 * k}
            for k, name in enumerate(names)
            for share in (0.62, 0.68)
        ]
    )
    samples = alt.Chart(keys).mark_line(strokeWidth=3).encode(x=x, y=y, color=_colour(names), strokeDash=_dash(names))
    labels = (
        alt.Chart(keys.groupby("series", sort=False).tail(1))
        .mark_text(align="left", baseline="middle", dx=10)
        .encode(x=x, y=y, text="series:N")
    )
    return style.finished([lines, dots, samples, labels], height_px=_HEIGHT_PX)


def ways_alt(table: pd.DataFrame) -> str:
    """The chart in words."""
    ends = table.sort_values("epoch").groupby("series", sort=False).tail(1)
    said = (f"{row['series']} {100 * row['validation_accuracy']:.1f} %" for row in ends.to_dict("records"))
    return f"Share of validation dates exactly right after each epoch. At the end: {', '.join(said)}."


def lengths_chart(table: pd.DataFrame, *, trained_to: int) -> alt.LayerChart:
    """Draws accuracy against the length of the input, with and without attention.

    Args:
        table: One row for each span of lengths and model: `series`, `from`, `to`, `accuracy`,
            `low`, `high` (from 0 to 1), `n`.
        trained_to: Characters of the longest training text; a rule stands there.

    Returns:
        The chart.
    """
    names = _names(table)
    table = table.assign(middle=(table["from"] + table["to"]) / 2).reset_index(drop=True)
    x = alt.X(
        "middle:Q",
        title="characters of the input",
        axis=alt.Axis(grid=False, values=list(range(10, int(table["to"].max()) + 1, 10))),
        scale=alt.Scale(domain=[int(table["from"].min()) - 1, int(table["to"].max())], nice=False),
    )
    y = alt.Y("accuracy:Q", title="dates exactly right", axis=_axis(), scale=_scale())
    colour, dash = _colour(names), _dash(names)
    tooltip = [
        alt.Tooltip("series:N", title="model"),
        alt.Tooltip("from:Q", title="from", format="d"),
        alt.Tooltip("to:Q", title="to", format="d"),
        alt.Tooltip("accuracy:Q", title="exactly right", format=".1%"),
        alt.Tooltip("n:Q", title="dates", format="d"),
    ]
    rule = (
        alt.Chart(pd.DataFrame({"middle": [trained_to]}))
        .mark_rule(strokeWidth=2, strokeDash=[2, 3], color=style.NEUTRAL)
        .encode(x=x)
    )
    rule_name = (
        alt.Chart(pd.DataFrame({"middle": [trained_to], "words": ["longer than any in training \u2192"]}))
        .mark_text(align="left", baseline="bottom", dx=6, dy=-6)
        .encode(x=x, y=alt.YDatum(0.0, scale=_scale()), text="words:N")
    )
    bars = (
        alt.Chart(table)
        .mark_rule(strokeWidth=4, opacity=0.45)
        .encode(x=x, y=alt.Y("low:Q", scale=_scale()), y2="high:Q", color=colour)
    )
    lines = alt.Chart(table).mark_line(strokeWidth=3).encode(x=x, y=y, color=colour, strokeDash=dash, tooltip=tooltip)
    dots = alt.Chart(table).mark_point(filled=True, size=80, opacity=1).encode(x=x, y=y, color=colour, tooltip=tooltip)
    # Below the lines' ends, where there is room: the upper one cannot be much below the top.
    ends = table.sort_values("middle").groupby("series", sort=False).tail(1).copy()
    gap = 1.4 * style.LABEL_PX / _HEIGHT_PX
    ends["label_at"] = style.spread((ends["accuracy"] - gap).clip(lower=2 * gap), gap)
    labels = (
        alt.Chart(ends)
        .mark_text(align="right", baseline="middle", dx=-2)
        .encode(x=x, y=alt.Y("label_at:Q", scale=_scale()), text="series:N")
    )
    return style.finished([rule, rule_name, bars, lines, dots, labels], height_px=_HEIGHT_PX)


def lengths_alt(table: pd.DataFrame) -> str:
    """The chart in words."""
    said = []
    for name in _names(table):
        rows = table[table["series"] == name].sort_values("from")
        points = (f"{row['from']} to {row['to']}: {100 * row['accuracy']:.1f} %" for row in rows.to_dict("records"))
        said.append(f"{name}: {', '.join(points)}")
    return f"Share of unseen dates exactly right by the number of characters. {'. '.join(said)}."


def forms_chart(table: pd.DataFrame) -> alt.LayerChart:
    """Draws accuracy for each way of writing, one row each, with and without attention.

    Args:
        table: One row for each way and model: `series`, `example`, `accuracy`, `low`, `high`, `n`.

    Returns:
        The chart, the ways in the order of the first series' accuracy.
    """
    names = _names(table)
    first = table[table["series"] == names[0]].sort_values("accuracy", ascending=False, kind="stable")
    order = first["example"].tolist()
    y = alt.Y(
        "example:N",
        sort=order,
        title=None,
        axis=alt.Axis(grid=True, domain=False, ticks=False, labelLimit=520),
    )
    x = alt.X("accuracy:Q", title="dates exactly right", axis=_axis(), scale=_scale())
    tooltip = [
        alt.Tooltip("example:N", title="written like"),
        alt.Tooltip("series:N", title="model"),
        alt.Tooltip("accuracy:Q", title="exactly right", format=".1%"),
        alt.Tooltip("n:Q", title="dates", format="d"),
    ]
    layers = []
    for name, shape, offset_px in zip(names, ("circle", "diamond"), (-8, 8), strict=False):
        rows = alt.Chart(table[table["series"] == name])
        colour = alt.value(ACCENT if name == names[0] else style.NEUTRAL)
        layers += [
            rows.mark_rule(strokeWidth=3, opacity=0.5, yOffset=offset_px).encode(
                x=alt.X("low:Q", scale=_scale()), x2="high:Q", y=y, color=colour
            ),
            rows.mark_point(filled=True, size=130, opacity=1, shape=shape, yOffset=offset_px).encode(
                x=x, y=y, color=colour, tooltip=tooltip
            ),
        ]
    return style.finished(layers, height_px=_ROW_PX * len(order))


def forms_alt(table: pd.DataFrame) -> str:
    """The chart in words."""
    said = (f"{row['example']}: {row['series']} {100 * row['accuracy']:.0f} %" for row in table.to_dict("records"))
    return f"Share of unseen dates exactly right by way of writing. {', '.join(said)}."


def _names(table: pd.DataFrame) -> list[str]:
    return list(dict.fromkeys(table["series"]))


def _colour(names: Sequence[str]) -> alt.Color:
    """The first series in the accent; the second neutral."""
    colours = [ACCENT, style.NEUTRAL][: len(names)]
    return alt.Color("series:N", scale=alt.Scale(domain=list(names), range=colours), legend=None)


def _dash(names: Sequence[str]) -> alt.StrokeDash:
    return alt.StrokeDash("series:N", scale=alt.Scale(domain=list(names), range=_DASHES[: len(names)]), legend=None)


def _axis() -> alt.Axis:
    return style.per_cent_axis(values=[0, 0.25, 0.5, 0.75, 1])


def _scale() -> alt.Scale:
    return alt.Scale(domain=[0, 1], nice=False)
