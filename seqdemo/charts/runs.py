"""Training runs side by side: accuracies as bars, and what was confused with what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from seqdemo.charts import style
from seqdemo.runs.view import View, side_by_side

_BAR_PX, _AXIS_PX, _CELL_PX, _CELLS_PX = 44, 70, 64, 176
_CURVE_COLUMNS = [
    *("run", "model", "seed", "kind", "epoch", "update", "train_loss", "train_accuracy", "validation_loss"),
    *("validation_accuracy", "gradient_norm", "gradient_first_step", "gradient_last_step", "learning_rate"),
    *("samples_per_s", "seconds"),
]


def runs_table(views: Sequence[View], labels: Sequence[str]) -> pd.DataFrame:
    """One row a run: what was trained and what came of it; fit for a CSV.

    Args:
        views: The runs.
        labels: What they are called on screen.

    Returns:
        `run` and the columns of `runs.view.side_by_side`, without the id, which is a key to the run.
    """
    frame = pd.DataFrame(side_by_side(views))
    frame.insert(0, "run", list(labels))
    return frame.drop(columns=["id", "name"])


def curves_table(views: Sequence[View], labels: Sequence[str]) -> pd.DataFrame:
    """Every measured number of the runs, one row for each epoch and one for each reported update.

    Returns:
        `run`, `model`, `seed`, `kind` (epoch or update), `epoch`, `update`, and what was measured there; of
        gradients through time the first and the last step.
    """
    rows: list[dict[str, Any]] = []
    for view, label in zip(views, labels, strict=True):
        head = {"run": label, "model": view.settings.model, "seed": view.settings.seed}
        for entry in view.epochs:
            steps = entry["gradient_by_step"]
            rows.append(
                head
                | {"kind": "epoch"}
                | {name: entry[name] for name in ("epoch", "train_loss", "train_accuracy")}
                | {name: entry[name] for name in ("validation_loss", "validation_accuracy", "gradient_norm", "seconds")}
                | {"gradient_first_step": steps[0], "gradient_last_step": steps[-1]}
            )
        for step in view.steps:
            measured = ("epoch", "update", "gradient_norm", "learning_rate", "samples_per_s", "seconds")
            rows.append(
                head | {"kind": "update"} | {name: step[name] for name in measured} | {"train_loss": step["loss"]}
            )
    return pd.DataFrame(rows, columns=_CURVE_COLUMNS)


def accuracy_bars(table: pd.DataFrame) -> alt.LayerChart:
    """Draws the test accuracy of each run as a bar with its interval, and a rule for always the same answer.

    Args:
        table: One row a run with `run` (all different), `colour`, `accuracy`, `low`, `high` (NaN where unknown) and
            `guess`, from 0 to 1; not empty.

    Returns:
        The chart, values at the bars' ends.
    """
    table = table.assign(words=[f"{100 * value:.1f}\u00a0%" for value in table["accuracy"]])
    order = table["run"].tolist()
    scale = alt.Scale(domain=[0, 1.14], nice=False)
    y = alt.Y("run:N", title=None, sort=order, axis=alt.Axis(ticks=False, domain=False))
    axis = style.per_cent_axis(values=[0, 0.25, 0.5, 0.75, 1], grid=True)
    x = alt.X("accuracy:Q", title="test accuracy", axis=axis, scale=scale)
    colour = alt.Color("run:N", scale=alt.Scale(domain=order, range=table["colour"].tolist()), legend=None)
    table["edge"] = table["high"].fillna(table["accuracy"])
    base = alt.Chart(table)
    layers = [
        base.mark_bar(height=22).encode(x=x, y=y, color=colour),
        base.mark_rule(strokeWidth=2, color=style.TEXT).encode(x=alt.X("low:Q", scale=scale), x2="high:Q", y=y),
        base.mark_tick(thickness=3, height=30, color=style.NEUTRAL).encode(x=alt.X("guess:Q", scale=scale), y=y),
        base.mark_text(align="left", dx=8).encode(x=alt.X("edge:Q", scale=scale), y=y, text="words:N"),
    ]
    return style.finished(layers, height_px=_AXIS_PX + _BAR_PX * len(table))


def accuracy_alt(table: pd.DataFrame) -> str:
    """The bars in words."""
    parts = (f"{row['run']} {100 * row['accuracy']:.1f} %" for row in table.to_dict("records"))
    return f"Test accuracy: {', '.join(parts)}."


def confusion_chart(confusion: Mapping[str, Any], colour: str) -> alt.LayerChart:
    """Draws how often each true class was answered as each class, shaded by the share of its row.

    Args:
        confusion: `labels`, and `rows` of counts: true classes down, answers across.
        colour: Of full cells.
    """
    labels = [_short(label) for label in confusion["labels"]]
    rows = []
    for truth, counts in zip(labels, confusion["rows"], strict=True):
        total = max(1, sum(counts))
        for answer, count in zip(labels, counts, strict=True):
            rows.append({"truth": truth, "answer": answer, "count": count, "share": count / total})
    frame = pd.DataFrame(rows)
    # As wide as a cell: the rows have the same names in the same order.
    axis = alt.Axis(labelAngle=0, orient="top", ticks=False, labelLimit=_CELLS_PX // len(labels))
    x = alt.X("answer:N", title="answered", sort=labels, axis=axis)
    y = alt.Y("truth:N", title="true", sort=labels, axis=alt.Axis(ticks=False))
    base = alt.Chart(frame).encode(x=x, y=y)
    # Half of the colour at most, so that numbers in the text colour stay readable on it in both themes.
    shade = alt.Opacity("share:Q", scale=alt.Scale(domain=[0, 1], range=[0.03, 0.5]), legend=None)
    tooltip = ["truth:N", "answer:N", "count:Q", alt.Tooltip("share:Q", format=".1%")]
    layers = [
        base.mark_rect(color=colour, stroke=style.NEUTRAL, strokeWidth=1).encode(opacity=shade, tooltip=tooltip),
        base.mark_text().encode(text=alt.Text("count:Q", format=",")),
    ]
    return style.finished(layers, height_px=_CELL_PX * len(labels))


def confusion_alt(confusion: Mapping[str, Any]) -> str:
    """The matrix in words."""
    parts = []
    for index, (label, counts) in enumerate(zip(confusion["labels"], confusion["rows"], strict=True)):
        parts.append(f"{_short(label)}: {counts[index]:,} of {sum(counts):,} right")
    return f"Confusion matrix. {'; '.join(parts)}."


def _short(label: str) -> str:
    return label if len(label) <= 18 else f"{label[:17]}…"
