"""What is forgotten: gradients by distance, neutral words, edits, spectra and gates."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import altair as alt
import numpy as np
import numpy.typing as npt
import pandas as pd

from seqdemo.charts import style
from seqdemo.models.registry import MODELS

_LARGE_PX, _MIDDLE_PX, _SMALL_PX = 560, 380, 320
_LYING: dict[str, Any] = {"titleAngle": 0, "titleAlign": "left", "titleAnchor": "end", "titleX": 0, "titleY": -18}
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_LEAST_DECADES = 2


def gradient_chart(table: pd.DataFrame, own: pd.DataFrame, floors: Mapping[float, str]) -> alt.LayerChart:
    """Draws scaled gradients against the distance from the end, on a log axis.

    Args:
        table: Of many reviews: `name`, `model`, `distance`, `low`, `median`, `high`; may be empty.
        own: Of one review: `name`, `model`, `distance`, `gradient`; may be empty. At least one of the two is not.
        floors: Values below which fp32 says nothing → the words for it; drawn where the curves come near.

    Returns:
        The chart: bands and lines of the many, a thin line with dots of the one, names at the ends. A model of the one
        that is not among the many, by its label, has its name at the end of the thin line.
    """
    table, own = table.copy(), own.copy()
    tiny = min(floors, default=np.finfo(float).tiny)
    for column in ("low", "median", "high"):
        table[column] = _log10(table[column], tiny)
    own["gradient"] = _log10(own["gradient"], tiny)
    main = _named_lines(table, own)
    present = {*table["name"], *own["name"]}
    names = [name for name in MODELS if name in present]
    every = pd.concat([table["low"], table["high"], own["gradient"]])
    low, high = math.floor(every.min()), max(math.ceil(every.max()), math.floor(every.min()) + _LEAST_DECADES)
    drawn = {math.log10(value): words for value, words in floors.items() if math.log10(value) > low - 1.5}
    low = min([low, *(math.floor(value) for value in drawn)])
    ends = style.ends(main, "distance", "value", _LARGE_PX, span=high - low)

    x = _x("distance", "tokens from the end of the review", int(main["distance"].max()))
    scale = alt.Scale(domain=[low, high], nice=False, zero=False)
    axis = _powers(low, high, **_LYING)
    title = "change of the logit"
    y = alt.Y("value:Q", title=title, axis=axis, scale=scale)
    colour, dash = style.colour(names), style.dash(names)
    tooltip = [
        alt.Tooltip("model:N", title="model"),
        alt.Tooltip("distance:Q", title="tokens from the end", format="d"),
        alt.Tooltip("shown:N", title=title),
    ]
    layers = []
    for value, words in drawn.items():
        rule = pd.DataFrame({"at": [value], "words": [words], "left": [0]})
        base = alt.Chart(rule)
        layers.append(
            base.mark_rule(color=style.NEUTRAL, strokeWidth=2, strokeDash=[2, 4]).encode(y=alt.Y("at:Q", scale=scale))
        )
        layers.append(
            base.mark_text(align="left", baseline="bottom", dx=6, dy=-4, fontSize=style.LABEL_PX - 2).encode(
                x=alt.X("left:Q"), y=alt.Y("at:Q", scale=scale), text="words:N"
            )
        )
    if len(table):
        many = table.assign(value=table["median"], shown=_powers_of_ten(table["median"]))
        layers.append(
            alt.Chart(table)
            .mark_area(opacity=0.16, clip=True)
            .encode(x=x, y=alt.Y("low:Q", scale=scale), y2="high:Q", color=colour)
        )
        layers.append(
            alt.Chart(many)
            .mark_line(strokeWidth=3.5, clip=True)
            .encode(x=x, y=y, color=colour, strokeDash=dash, tooltip=tooltip)
        )
    if len(own):
        one = own.assign(value=own["gradient"], shown=_powers_of_ten(own["gradient"]))
        base = alt.Chart(one)
        layers.append(base.mark_line(strokeWidth=1.25, clip=True).encode(x=x, y=y, color=colour))
        layers.append(
            base.mark_point(filled=True, size=26, opacity=1, clip=True).encode(x=x, y=y, color=colour, tooltip=tooltip)
        )
    layers += style.names(ends, x, scale)
    return style.finished(layers, height_px=_LARGE_PX)


def gradient_alt(table: pd.DataFrame, own: pd.DataFrame) -> str:
    """The chart in words."""
    main = _named_lines(table, own)
    many = set(table["model"]) if len(table) else set(own["model"])
    parts = []
    for model, part in main.groupby("model", sort=False):
        part = part.sort_values("distance")
        near, far = part.iloc[0], part.iloc[-1]
        who = str(model) if model in many else f"{model!s} in the one review"
        parts.append(
            f"{who} {near['value']:.1e} at the last token, {far['value']:.1e} {int(far['distance'])} tokens back"
        )
    return f"Scaled gradient by distance from the end: {'; '.join(parts)}."


def words_chart(
    table: pd.DataFrame, *, title: str = "P(positive)", unit: str = "\u00a0%", rule_at: float = 0.5
) -> alt.LayerChart:
    """Draws P(positive), or a difference of it, against the number of neutral words, one line a model.

    Args:
        table: `name`, `model`, `words`, and `low`, `median`, `high` from 0 to 1, over the fillers; not empty.
        title: Of the vertical axis.
        unit: Behind its numbers.
        rule_at: Where a dashed rule stands: what says nothing.

    Returns:
        The chart, with their quartiles as a band.
    """
    names = list(dict.fromkeys(table["name"]))
    ends = style.ends(table.rename(columns={"median": "value"}), "words", "value", _MIDDLE_PX, span=1.0)
    low = min(0.0, float(table["low"].min()))
    x = _x("words", "neutral words", int(table["words"].max()))
    scale = alt.Scale(domain=[low, 1], nice=False)
    hundredths = f"format(100 * datum.value, 'd') + '{unit}'"
    axis = alt.Axis(labelExpr=hundredths, values=[0, 0.25, 0.5, 0.75, 1], **_LYING)
    y = alt.Y("median:Q", title=title, axis=axis, scale=scale)
    colour = style.colour(names)
    tooltip = [
        alt.Tooltip("model:N", title="model"),
        alt.Tooltip("words:Q", title="neutral words", format="d"),
        alt.Tooltip("median:Q", title=f"{title}, median", format=".0%"),
        alt.Tooltip("low:Q", title="lower quartile", format=".0%"),
        alt.Tooltip("high:Q", title="upper quartile", format=".0%"),
    ]
    half = alt.Chart(pd.DataFrame({"at": [rule_at]})).mark_rule(color=style.NEUTRAL, strokeDash=[4, 4], strokeWidth=2)
    base = alt.Chart(table)
    layers = [
        half.encode(y=alt.Y("at:Q", scale=scale)),
        base.mark_area(opacity=0.13).encode(x=x, y=alt.Y("low:Q", scale=scale), y2="high:Q", color=colour),
        base.mark_line(strokeWidth=3).encode(x=x, y=y, color=colour, strokeDash=style.dash(names)),
        base.mark_point(filled=True, size=70, opacity=1).encode(x=x, y=y, color=colour, tooltip=tooltip),
        *style.names(ends, x, scale),
    ]
    return style.finished(layers, height_px=_MIDDLE_PX)


def words_alt(table: pd.DataFrame, place: str, title: str = "P(positive)") -> str:
    """The chart in words."""
    parts = []
    for model, part in table.groupby("model", sort=False):
        part = part.sort_values("words")
        first, last = part.iloc[0], part.iloc[-1]
        parts.append(
            f"{model} {_whole(first['median'])} at {first['words']} neutral words, "
            f"{_whole(last['median'])} at {last['words']}"
        )
    return f"{title}, {place}: {'; '.join(parts)}."


def eigenvalue_chart(points: pd.DataFrame, colour: str) -> alt.LayerChart:
    """Draws eigenvalues in the complex plane with the unit circle.

    Args:
        points: `real`, `imaginary` and `when` (start or trained); not empty.
        colour: Of the trained model.

    Returns:
        A square chart of fixed size.
    """
    reach = 1.12 * max(1.0, float(points[["real", "imaginary"]].abs().max().max()))
    scale = alt.Scale(domain=[-reach, reach], nice=False)
    ticks = [-1, 0, 1] if reach < 2 else [-math.floor(reach), 0, math.floor(reach)]
    axis = alt.Axis(values=ticks, format="d", grid=False)
    angles = np.linspace(0, 2 * np.pi, 121)
    circle = pd.DataFrame({"real": np.cos(angles), "imaginary": np.sin(angles), "order": range(len(angles))})
    x = alt.X("real:Q", title="real part", scale=scale, axis=axis)
    y = alt.Y("imaginary:Q", title="imaginary part", scale=scale, axis=axis)
    tooltip = [alt.Tooltip("when:N"), alt.Tooltip("length:Q", title="|λ|", format=".3f")]
    layers = [
        alt.Chart(circle)
        .mark_line(color=style.NEUTRAL, strokeWidth=2, strokeDash=[4, 4])
        .encode(x=x, y=y, order="order:Q")
    ]
    for when, filled, own in (("start", False, style.NEUTRAL), ("trained", True, colour)):
        part = points[points["when"] == when]
        if len(part):
            layers.append(
                alt.Chart(part)
                .mark_point(filled=filled, size=34 if filled else 44, opacity=1, color=own)
                .encode(x=x, y=y, tooltip=tooltip)
            )
    chart = style.finished(layers, height_px=_SMALL_PX)
    chart.width = _SMALL_PX - 50
    chart.height = _SMALL_PX - 50
    return chart


def singular_chart(table: pd.DataFrame, colour: str) -> alt.LayerChart:
    """Draws singular values by rank, at the start and after training, with a rule at 1.

    Args:
        table: `rank` from 1, `value` and `when` (start or trained); not empty.
        colour: Of the trained model.

    Returns:
        The chart, each line named at its left end.
    """
    n = int(table["rank"].max())
    high = 1.08 * max(1.0, table["value"].max())
    scale = alt.Scale(domain=[0, high], nice=False)
    x = alt.X(
        "rank:Q",
        title="rank, from the largest",
        scale=alt.Scale(domain=[1, n], nice=False),
        axis=alt.Axis(grid=False, tickCount=4),
    )
    y = alt.Y("value:Q", title="singular value", axis=alt.Axis(tickCount=5, **_LYING), scale=scale)
    one = alt.Chart(pd.DataFrame({"at": [1.0]})).mark_rule(color=style.NEUTRAL, strokeWidth=2, strokeDash=[4, 4])
    layers = [one.encode(y=alt.Y("at:Q", scale=scale))]
    tooltip = [alt.Tooltip("when:N"), alt.Tooltip("rank:Q"), alt.Tooltip("value:Q", format=".3f")]
    for when, own, dash in (("start", style.NEUTRAL, [8, 4]), ("trained", colour, [1, 0])):
        part = table[table["when"] == when]
        if len(part):
            line = alt.Chart(part).mark_line(strokeWidth=3, color=own, strokeDash=dash)
            layers.append(line.encode(x=x, y=y, tooltip=tooltip))
    first = table[(table["rank"] == 1) & (table["when"] == "trained")].assign(words="after training")
    last = table[(table["rank"] == n) & (table["when"] == "start")].assign(words="at the start")
    layers.append(alt.Chart(first).mark_text(align="left", dx=14, dy=4).encode(x=x, y=y, text="words:N"))
    layers.append(alt.Chart(last).mark_text(align="right", dx=-6, dy=-14).encode(x=x, y=y, text="words:N"))
    return style.finished(layers, height_px=_SMALL_PX)


def spectrum_alt(points: pd.DataFrame, singular: pd.DataFrame) -> str:
    """Both charts of a spectrum in words."""
    parts = []
    for when in dict.fromkeys(points["when"]):
        length = points.loc[points["when"] == when, "length"].max()
        values = singular.loc[singular["when"] == when, "value"]
        parts.append(
            f"{when}: largest |eigenvalue| {length:.2f}, singular values {values.min():.2f} to {values.max():.2f}"
        )
    return f"Spectrum of W_hh. {'; '.join(parts)}."


def gate_chart(table: pd.DataFrame) -> alt.LayerChart:
    """Draws the mean kept share at each word.

    Args:
        table: `name`, `model`, `word` (from 1), `text`, `gate`; not empty.
    """
    names = list(dict.fromkeys(table["name"]))
    ends = style.ends(table.rename(columns={"gate": "value"}), "word", "value", _SMALL_PX, span=1.0)
    x = _x("word", "word", int(table["word"].max()), least=1)
    scale = alt.Scale(domain=[0, 1], nice=False)
    y = alt.Y(
        "gate:Q",
        title="share kept",
        axis=style.per_cent_axis(values=[0, 0.25, 0.5, 0.75, 1], **_LYING),
        scale=scale,
    )
    tooltip = [
        alt.Tooltip("model:N", title="model"),
        alt.Tooltip("text:N", title="word"),
        alt.Tooltip("gate:Q", title="kept, mean over units", format=".0%"),
    ]
    lines = (
        alt.Chart(table)
        .mark_line(strokeWidth=2)
        .encode(x=x, y=y, color=style.colour(names), strokeDash=style.dash(names), tooltip=tooltip)
    )
    return style.finished([lines, *style.names(ends, x, scale)], height_px=_SMALL_PX)


def survival_chart(table: pd.DataFrame, floor: float) -> alt.LayerChart:
    """Draws the share of the memory after each word that the gates let through to the end, on a log axis.

    Args:
        table: `name`, `model`, `word` (from 1), `text`, `median` and `most` (the unit that keeps most); not empty.
        floor: Smaller shares are drawn at this value.
    """
    names = list(dict.fromkeys(table["name"]))
    low = math.log10(floor)
    table = table.assign(value=_log10(table["most"], floor), middle=_log10(table["median"], floor))
    ends = style.ends(table, "word", "value", _SMALL_PX, span=-low, at="start")
    ends["label_at"] -= max(ends["label_at"].max() + 0.12 * -low, 0)  # below the top, where lines begin
    x = _x("word", "word", int(table["word"].max()), least=1)
    scale = alt.Scale(domain=[low, 0], nice=False)
    y = alt.Y("value:Q", title="share left", axis=_powers(int(low), 0, **_LYING), scale=scale)
    tooltip = [
        alt.Tooltip("model:N", title="model"),
        alt.Tooltip("text:N", title="word"),
        alt.Tooltip("most:Q", title="unit that keeps most", format=".1e"),
        alt.Tooltip("median:Q", title="median unit", format=".1e"),
    ]
    colour, base = style.colour(names), alt.Chart(table)
    layers = [
        base.mark_line(strokeWidth=3).encode(x=x, y=y, color=colour, strokeDash=style.dash(names), tooltip=tooltip),
        base.mark_line(strokeWidth=1.25).encode(x=x, y=alt.Y("middle:Q", scale=scale), color=colour),
    ]
    labels = alt.Chart(ends).mark_text(align="left", baseline="middle", dx=8)
    layers.append(labels.encode(x=x, y=alt.Y("label_at:Q", scale=scale), text="model:N"))
    return style.finished(layers, height_px=_SMALL_PX)


def kept_alt(table: pd.DataFrame) -> str:
    """Both charts of the gates in words."""
    parts = []
    for model, part in table.groupby("model", sort=False):
        first = part.sort_values("word").iloc[0]
        parts.append(
            f"{model} keeps {_whole(part['gate'].mean())} a word on average; of the first word its most lasting unit "
            f"has {first['most']:.0e} left at the end, its median unit {first['median']:.0e}"
        )
    return f"Kept by the gates: {'; '.join(parts)}."


def power(exponent: float) -> str:
    """`10⁻³`, from -3."""
    return "10" + str(round(exponent)).translate(_SUPERSCRIPTS)


def _powers(low: int, high: int, **settings: Any) -> alt.Axis:
    """An axis whose values are exponents of ten."""
    step = max(1, math.ceil((high - low) / 7))
    ticks = list(range(high, low - 1, -step))[::-1]
    words = ", ".join(f"'{power(tick)}'" for tick in ticks)
    return alt.Axis(values=ticks, labelExpr=f"[{words}][round((datum.value - ({ticks[0]})) / {step})]", **settings)


def _powers_of_ten(exponents: pd.Series[float]) -> list[str]:
    """`3.2 · 10⁻⁵`, for tooltips."""
    found = []
    for exponent in exponents:
        whole = math.floor(exponent)
        found.append(f"{10 ** (exponent - whole):.1f} · {power(whole)}")
    return found


def _log10(values: pd.Series[float], floor: float) -> pd.Series[float]:
    return pd.Series(np.log10(np.maximum(values.astype(float), floor)), index=values.index)


def _x(field: str, title: str, most: int, least: int = 0) -> alt.X:
    # Names stand to the right of the last point: the room for them is part of the scale.
    return alt.X(
        f"{field}:Q",
        title=title,
        scale=alt.Scale(domain=[least, max(most, least + 1)], nice=False),
        axis=alt.Axis(format="d", tickMinStep=1, tickCount=6, grid=False),
    )


def _named_lines(table: pd.DataFrame, own: pd.DataFrame) -> pd.DataFrame:
    """The lines that have a name at their end: of each model that of many reviews, otherwise that of the one."""
    many, one = table.rename(columns={"median": "value"}), own.rename(columns={"gradient": "value"})
    if many.empty:
        return one
    one = one[~one["model"].isin(many["model"]) & (one["distance"] <= many["distance"].max())]
    return pd.concat([many, one], ignore_index=True) if len(one) else many


def _whole(share: float) -> str:
    return f"{int(share * 100 + 0.5)}\u00a0%"


def spectrum_points(
    eigenvalues: Mapping[str, npt.NDArray[np.complex128]], singular_values: Mapping[str, npt.NDArray[np.float64]]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Spectra as the tables that the charts take.

    Args:
        eigenvalues: When (start or trained) → eigenvalues.
        singular_values: The same → singular values, the largest first.

    Returns:
        `real`, `imaginary`, `length`, `when`; and `rank`, `value`, `when`.
    """
    points = [
        pd.DataFrame({"real": found.real, "imaginary": found.imag, "length": np.abs(found), "when": when})
        for when, found in eigenvalues.items()
    ]
    ranks = [
        pd.DataFrame({"rank": np.arange(1, len(found) + 1), "value": found, "when": when})
        for when, found in singular_values.items()
    ]
    return pd.concat(points, ignore_index=True), pd.concat(ranks, ignore_index=True)
