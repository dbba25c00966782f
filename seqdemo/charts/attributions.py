"""Which explanations hold: verdicts without the words they point at, how far they agree, all models beside chance."""

from __future__ import annotations

import json
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from seqdemo.charts import style
from seqdemo.colours import ABOVE_0_ON_BOTH, BELOW_0_ON_BOTH
from seqdemo.explain.methods import METHODS, SIGNED
from seqdemo.models.registry import MODELS

HEIGHT_PX = 400
ROW_PX = 31
DASHES = dict(zip(METHODS, ([1, 0], [9, 4], [2, 4], [1, 0], [9, 4]), strict=True))
"""Of each method's line; those without a sign are drawn in the text colour, the others in the model's."""
_AXES_PX = 90
_SMALL_PX = style.LABEL_PX - 2
_LINE_PX = _SMALL_PX + 2
"""Names stand in two lines, so that two charts fit beside each other."""
_NARROW_PX = 320
_IN_POINTS = ["mean", "low", "high", "by_size", "from", "to"]
_MOST_OPAQUE = 0.6


def deletion_chart(table: pd.DataFrame, colour: str, falls: dict[str, float]) -> alt.LayerChart:
    """Draws what is left of P(verdict) against the share of words taken away.

    Args:
        table: `method`, `label`, `share`, `p`, `low` and `high` of each curve, that of `random` among them.
        colour: Of the model, for the methods that have a sign; attention is drawn in the text colour.
        falls: Method → how far its curve lies below that of random words, in P; written behind its name.

    Returns:
        The chart: a band for random words, a line for each method, names at the ends.
    """
    methods = list(dict.fromkeys(table["method"]))
    random = table[table["method"] == "random"]
    drawn = table[table["method"] != "random"]
    last = table["share"].max()
    x_scale = alt.Scale(domain=[0, last], nice=False)
    x = alt.X(
        "share:Q", title="share of words taken away", scale=x_scale, axis=style.per_cent_axis(tickCount=5, grid=False)
    )
    scale = alt.Scale(domain=[0, 1], nice=False)
    y_axis = style.per_cent_axis(
        values=[0, 0.25, 0.5, 0.75, 1], titleAngle=0, titleAlign="left", titleAnchor="end", titleX=0, titleY=-18
    )
    y = alt.Y("p:Q", title="P(verdict)", scale=scale, axis=y_axis)
    tooltip = [
        alt.Tooltip("label:N", title="words chosen by"),
        alt.Tooltip("share:Q", title="taken away", format=".0%"),
        alt.Tooltip("p:Q", title="P(verdict)", format=".0%"),
    ]
    half = alt.Chart(pd.DataFrame({"at": [0.5]})).mark_rule(color=style.NEUTRAL, strokeDash=[4, 4], strokeWidth=1.5)
    layers = [
        half.encode(y=alt.Y("at:Q", scale=scale)),
        alt.Chart(random)
        .mark_area(opacity=0.22, color=style.NEUTRAL)
        .encode(x=x, y=alt.Y("low:Q", scale=scale), y2="high:Q"),
        alt.Chart(random).mark_line(color=style.NEUTRAL, strokeWidth=3).encode(x=x, y=y, tooltip=tooltip),
    ]
    for method in methods:
        if method == "random":
            continue
        part = alt.Chart(drawn[drawn["method"] == method])
        own = colour if method in SIGNED else style.TEXT
        layers.append(
            part.mark_line(strokeWidth=3, color=own, strokeDash=DASHES[method]).encode(x=x, y=y, tooltip=tooltip)
        )
        layers.append(part.mark_point(filled=True, size=45, opacity=1, color=own).encode(x=x, y=y, tooltip=tooltip))
    ends = table[table["share"] == last].copy()
    ends["label_at"] = style.spread(ends["p"], 2.35 * _LINE_PX / (HEIGHT_PX - _AXES_PX))
    ends["label_at"] += max(0.04 - ends["label_at"].min(), 0)
    ends["words"] = ["\n".join(end_words(row["label"], falls.get(row["method"]))) for row in ends.to_dict("records")]
    base = alt.Chart(ends)
    layers.append(
        base.mark_rule(strokeWidth=1, strokeDash=[1, 4], color=style.NEUTRAL).encode(
            x=x, x2=alt.value("width"), y=alt.Y("p:Q", scale=scale), y2="label_at:Q"
        )
    )
    layers.append(
        base.mark_text(
            align="left",
            baseline="middle",
            dx=10,
            dy=-_LINE_PX / 2,
            lineBreak="\n",
            lineHeight=_LINE_PX,
            fontSize=_SMALL_PX,
        ).encode(x=x, y=alt.Y("label_at:Q", scale=scale), text="words:N")
    )
    return style.finished(layers, height_px=HEIGHT_PX)


def end_words(label: str, fall: float | None) -> list[str]:
    """What stands at the end of a line: its name in two lines, with its fall in whole points behind it."""
    first, second = _two_lines(label)
    return [first, second if fall is None else f"{second}  {_points(fall)}"]


def deletion_alt(table: pd.DataFrame) -> str:
    """The chart in words."""
    last = table["share"].max()
    ends = table[table["share"] == last]
    parts = [f"{row['label']} {_whole(row['p'])}" for row in ends.to_dict("records")]
    start = table.loc[table["share"] == 0, "p"].iloc[0]
    return (
        f"P(verdict) is {_whole(start)} with all words. With {_whole(last)} of them taken away, chosen by: "
        f"{', '.join(parts)}."
    )


def correlation_chart(table: pd.DataFrame) -> alt.LayerChart:
    """Draws the rank correlation of every two as numbers on squares, in one colour above 0 and another below.

    Args:
        table: `one` and `other` (labels, in the order of drawing), `rho` from -1 to 1 or missing, and where known
            `low` and `high`; not empty.
    """
    labels = list(dict.fromkeys([*table["one"], *table["other"]]))
    shown = table.assign(
        words=["\u2013" if np.isnan(rho) else _signed(rho) for rho in table["rho"]],
        size=(table["rho"].abs() * _MOST_OPAQUE).fillna(0),
        sign=["none" if np.isnan(rho) else "below 0" if rho < 0 else "above 0" for rho in table["rho"]],
    )
    broken = {label: _two_lines(label) for label in labels}
    settings: dict[str, Any] = {
        "labelExpr": f"{json.dumps(broken)}[datum.label]",
        "labelFontSize": alt.ExprRef(expr=f"width < {_NARROW_PX} ? {_SMALL_PX - 3} : {_SMALL_PX}"),  # on a phone
        "labelLineHeight": _LINE_PX,
        "labelOverlap": False,
        "ticks": False,
        "domain": False,
    }
    x = alt.X(
        "one:N",
        title=None,
        sort=labels,
        scale=alt.Scale(domain=labels[:-1], paddingInner=0.04),
        axis=alt.Axis(labelAngle=0, **settings),
    )
    y = alt.Y(
        "other:N",
        title=None,
        sort=labels,
        scale=alt.Scale(domain=labels[1:], paddingInner=0.04),
        axis=alt.Axis(labelOffset=-_LINE_PX / 2, **settings),
    )
    fill = alt.Fill(
        "sign:N",
        scale=alt.Scale(domain=["above 0", "below 0", "none"], range=[ABOVE_0_ON_BOTH, BELOW_0_ON_BOTH, "transparent"]),
        legend=None,
    )
    tooltip = [alt.Tooltip("one:N", title="one"), alt.Tooltip("other:N", title="other")]
    tooltip.append(alt.Tooltip("rho:Q", title="rank correlation", format=".2f"))
    if "low" in table:
        tooltip += [alt.Tooltip("low:Q", title="lower quartile", format=".2f")]
        tooltip += [alt.Tooltip("high:Q", title="upper quartile", format=".2f")]
    base = alt.Chart(shown)
    opacity = alt.FillOpacity("size:Q", scale=alt.Scale(domain=[0, 1], range=[0, 1]), legend=None)
    layers = [
        base.mark_rect(stroke=style.NEUTRAL, strokeWidth=1).encode(
            x=x, y=y, fill=fill, fillOpacity=opacity, tooltip=tooltip
        ),
        base.mark_text(baseline="middle", fontWeight=600).encode(x=x, y=y, text="words:N", tooltip=tooltip),
    ]
    if "low" in table:
        spread = shown.dropna(subset=["low"]).copy()
        spread["spread"] = [f"{_signed(row['low'])} to {_signed(row['high'])}" for row in spread.to_dict("records")]
        layers.append(
            alt.Chart(spread)
            .mark_text(baseline="top", dy=11, fontSize=style.LABEL_PX - 4)
            .encode(x=x, y=y, text="spread:N", tooltip=tooltip)
        )
    return style.finished(layers, height_px=HEIGHT_PX)


def correlation_alt(table: pd.DataFrame) -> str:
    """The matrix in words."""
    parts = [
        f"{row['one']} and {row['other']} {'unknown' if np.isnan(row['rho']) else _signed(row['rho'])}"
        for row in table.to_dict("records")
    ]
    return f"Rank correlation: {'; '.join(parts)}."


def falls_chart(table: pd.DataFrame, chance: tuple[float, float]) -> alt.LayerChart:
    """Draws how much faster than by chance the verdict falls, for every model and method.

    Args:
        table: `name`, `model`, `method`, `label`, `mean`, `margin`, `low`, `high` and `by_size`, in P; not empty.
        chance: Between which values single random orders lie.
    """
    rows, order = [], []
    for row in table.to_dict("records"):
        if f"{row['name']}||{row['model']}" not in order:
            order.append(f"{row['name']}||{row['model']}")  # a line with the model's name
        key = f"{row['name']}|{row['method']}|{row['label']}"
        order.append(key)
        rows.append({"row": key, **row})
    shown = pd.DataFrame(rows)
    shown = shown.assign(**{"from": shown["mean"] - shown["margin"], "to": shown["mean"] + shown["margin"]})
    shown[_IN_POINTS] *= 100
    least = min(100 * chance[0], shown["low"].min(), 0)
    most = max(100 * chance[1], shown["high"].max(), 1)
    scale = alt.Scale(domain=[least, most], nice=True)
    y = alt.Y(
        "row:N",
        title=None,
        sort=order,
        scale=alt.Scale(domain=order),
        axis=alt.Axis(
            labelExpr="split(datum.label, '|')[2]",
            labelFontWeight=alt.condition("split(datum.value, '|')[1] == ''", alt.value(700), alt.value(400)),
            ticks=False,
            domain=False,
            labelOverlap=False,
        ),
    )

    def x(field: str) -> alt.X:
        axis = alt.Axis(grid=False, tickCount=6, format="d")
        return alt.X(f"{field}:Q", title="points below random words, mean over the shares", scale=scale, axis=axis)

    colour = alt.Color("name:N", scale=style.colour_scale(list(dict.fromkeys(table["name"]))), legend=None)
    tooltip = [
        alt.Tooltip("model:N", title="model"),
        alt.Tooltip("label:N", title="words chosen by"),
        alt.Tooltip("mean:Q", title="mean, points", format=".1f"),
        alt.Tooltip("low:Q", title="lower quartile", format=".1f"),
        alt.Tooltip("high:Q", title="upper quartile", format=".1f"),
        alt.Tooltip("by_size:Q", title="sign ignored, mean", format=".1f"),
    ]
    band = alt.Chart(pd.DataFrame({"low": [100 * chance[0]], "high": [100 * chance[1]]}))
    zero = alt.Chart(pd.DataFrame({"at": [0.0]}))
    base = alt.Chart(shown)
    layers = [
        band.mark_rect(opacity=0.22, color=style.NEUTRAL).encode(x=x("low"), x2="high:Q"),
        zero.mark_rule(color=style.NEUTRAL, strokeWidth=2).encode(x=x("at")),
        base.mark_rule(strokeWidth=2).encode(y=y, x=x("low"), x2="high:Q", color=colour, tooltip=tooltip),
        base.mark_rule(strokeWidth=8).encode(y=y, x=x("from"), x2="to:Q", color=colour, tooltip=tooltip),
        base.mark_point(filled=True, size=130, opacity=1).encode(y=y, x=x("mean"), color=colour, tooltip=tooltip),
        alt.Chart(shown[shown["method"].isin(SIGNED)])
        .mark_point(filled=False, size=110, strokeWidth=2.5, opacity=1)
        .encode(y=y, x=x("by_size"), color=colour, tooltip=tooltip),
    ]
    return style.finished(layers, height_px=ROW_PX * len(order) + 60)


def falls_alt(table: pd.DataFrame, chance: tuple[float, float]) -> str:
    """The chart in words."""
    parts = [
        f"{model}: " + ", ".join(f"{row['label']} {_points(row['mean'])}" for row in part.to_dict("records"))
        for model, part in table.groupby("model", sort=False)
    ]
    return (
        f"Points of P(verdict) below random words: {'; '.join(parts)}. Single random orders lie between "
        f"{_points(chance[0])} and {_points(chance[1])}."
    )


def named(table: pd.DataFrame) -> pd.DataFrame:
    """The same correlations with labels in the place of names."""
    labels: dict[str, str] = {name: method.label for name, method in METHODS.items()}
    labels |= {name: spec.label for name, spec in MODELS.items()}
    return table.assign(one=table["one"].map(labels), other=table["other"].map(labels))


def _two_lines(label: str) -> list[str]:
    """A name broken where its halves are closest in length; a single word stands alone above an empty line."""
    words = label.split(" ")
    if len(words) == 1:
        return [label, ""]
    cuts = [(" ".join(words[:k]), " ".join(words[k:])) for k in range(1, len(words))]
    first, second = min(cuts, key=lambda cut: abs(len(cut[0]) - len(cut[1])))
    return [first, second]


def _points(fall: float) -> str:
    points = round(100 * fall)
    return f"{points}" if points >= 0 else f"\u2212{-points}"


def _signed(value: float) -> str:
    text = f"{abs(value):.2f}"
    return f"\u2212{text}" if value < 0 and float(text) else text


def _whole(share: float) -> str:
    return f"{int(share * 100 + 0.5)}\u00a0%"
