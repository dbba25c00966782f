"""Accuracy against the length of a task, for models trained afresh."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from seqdemo.charts import style
from seqdemo.models.registry import MODELS

HEIGHT_PX = 460
_AXES_PX = 90
_OTHER_DASH = (1, 5)
"""For a second variant of a model, which shares the colour of the first."""


def distance_chart(seeds: pd.DataFrame, medians: pd.DataFrame, *, chance: float, trained_to: int = 0) -> alt.LayerChart:
    """Draws accuracy against length, on a logarithmic axis.

    Args:
        seeds: One row for each variant, length and seed: `variant`, `name` (the model's), `model` (its label),
            `length`, `seed`, `accuracy` from 0 to 1; not empty.
        medians: One row for each variant and length, with the same columns but no `seed`.
        chance: Accuracy without looking at the sequence.
        trained_to: Length of the longest training sequence, where longer ones were tested; 0 for none.

    Returns:
        The chart: a line of medians and a dot for each seed, names at the right, a rule at chance.
    """
    variants = list(dict.fromkeys(medians["variant"]))
    names = [medians.loc[medians["variant"] == variant, "name"].iloc[0] for variant in variants]
    lengths = sorted(int(length) for length in set(seeds["length"]))
    x_scale = alt.Scale(type="log", base=2, domain=[lengths[0], lengths[-1]], nice=False)
    x_axis = alt.Axis(values=lengths, format="d", grid=False, labelOverlap="greedy")
    x = alt.X("length:Q", title="steps of the sequence", scale=x_scale, axis=x_axis)
    low = 0.4 if min(*seeds["accuracy"], chance) >= 0.4 else 0.0
    y_scale = alt.Scale(domain=[low, 1], nice=False, zero=False)
    y_axis = style.per_cent_axis(
        values=[0, 0.25, 0.5, 0.75, 1] if low == 0 else [0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1],
        titleAngle=0,
        titleAlign="left",
        titleAnchor="end",
        titleX=0,
        titleY=-18,
    )
    y = alt.Y("accuracy:Q", title="answered correctly", scale=y_scale, axis=y_axis)
    colours = alt.Scale(domain=variants, range=style.colour_scale(names).range)
    dashes = alt.Scale(domain=variants, range=_dashes(variants, names))
    colour = alt.Color("variant:N", scale=colours, legend=None)
    dash = alt.StrokeDash("variant:N", scale=dashes, legend=None)
    ends = _ends(medians, span=1 - low)
    ends["edge"] = lengths[-1]
    at_left = pd.DataFrame({"length": [lengths[0]], "accuracy": [chance], "words": ["chance"]})
    tooltip = [
        alt.Tooltip("model:N", title="model"),
        alt.Tooltip("length:Q", title="steps", format="d"),
        alt.Tooltip("accuracy:Q", title="answered correctly", format=".1%"),
    ]
    base, named = alt.Chart(medians), alt.Chart(ends)
    layers = [
        alt.Chart(at_left).mark_rule(color=style.NEUTRAL, strokeDash=[4, 4], strokeWidth=2).encode(y=y),
        alt.Chart(at_left).mark_text(align="left", baseline="top", dx=6, dy=6).encode(x=x, y=y, text="words:N"),
    ]
    if trained_to:
        here = pd.DataFrame({"length": [trained_to], "accuracy": [1.0], "words": ["trained up to here"]})
        rule = alt.Chart(here).mark_rule(color=style.NEUTRAL, strokeDash=[2, 4], strokeWidth=2)
        layers.append(rule.encode(x=alt.X("length:Q", scale=x_scale)))
        words = alt.Chart(here).mark_text(align="left", baseline="bottom", dx=4, dy=-6, fontSize=style.LABEL_PX - 2)
        layers.append(words.encode(x=x, y=y, text="words:N"))
    layers += [
        base.mark_line(strokeWidth=3).encode(x=x, y=y, color=colour, strokeDash=dash),
        alt.Chart(seeds)
        .mark_point(filled=True, size=55, opacity=0.75)
        .encode(x=x, y=y, color=colour, tooltip=[*tooltip, alt.Tooltip("seed:N", title="seed")]),
        named.mark_rule(strokeWidth=1, strokeDash=[1, 4], color=style.NEUTRAL).encode(
            x=x, x2="edge:Q", y=y, y2="label_at:Q"
        ),
        named.mark_text(align="left", baseline="middle", dx=10).encode(
            x=alt.X("edge:Q", scale=x_scale), y=alt.Y("label_at:Q", scale=y_scale), text="model:N"
        ),
    ]
    return style.finished(layers, height_px=HEIGHT_PX)


def distance_alt(seeds: pd.DataFrame, medians: pd.DataFrame) -> str:
    """The chart in words."""
    parts = []
    for model, part in medians.groupby("model", sort=False):
        at = ", ".join(f"{100 * row['accuracy']:.0f}\u00a0% at {row['length']}" for row in part.to_dict("records"))
        parts.append(f"{model} {at}")
    return f"Accuracy by length, median of {seeds['seed'].nunique()} seeds: {'; '.join(parts)}."


def _dashes(variants: Sequence[str], names: Sequence[str]) -> list[list[int]]:
    """The model's own dash where a variant bears its name or stands alone, another for the other."""
    own = [[int(length) for length in MODELS[name].dash.split()] or [1, 0] for name in names]
    return [
        dash if variant == name or names.count(name) == 1 else list(_OTHER_DASH)
        for variant, name, dash in zip(variants, names, own, strict=True)
    ]


def _ends(medians: pd.DataFrame, span: float) -> pd.DataFrame:
    """The last point of each line, with a place for its name that covers no other name."""
    ends = medians.sort_values("length", kind="stable").groupby("variant", sort=False).tail(1).copy()
    gap = 1.25 * span * style.LABEL_PX / (HEIGHT_PX - _AXES_PX)
    placed = style.spread(ends["accuracy"][::-1], gap)  # of equal ones, the first stands on top
    # Many lines end at 1, the top of the chart: their names hang down from it.
    top = 1.0
    for k in placed.sort_values(ascending=False).index:
        placed[k] = min(placed[k], top)
        top = placed[k] - gap
    ends["label_at"] = placed
    return ends
