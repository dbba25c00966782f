"""The table of the five models and the baseline.

HTML rather than `st.dataframe`: it is read by screen readers, has body-sized type, and folds
into one block a model on a phone. No cell holds a visitor's words; all are escaped.
"""

from __future__ import annotations

import html
import math
from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd
import streamlit as st

from seqdemo.studies import results, speed
from seqdemo.ui import resources
from seqdemo.ui.shared import sources
from seqdemo.ui.shared.marks import mark_address

_NOT_MEASURED = "not measured"
_HEADINGS = ("Model", "Test accuracy (95\u00a0% interval)", "One review here", "Parameters", "Source")
_STYLE = """
<style>
.models-table { width: 100%; border-collapse: collapse; table-layout: fixed; font-size: 1rem; line-height: 1.4; }
.models-table th, .models-table td {
  padding: 0.5rem 0.5rem; text-align: left; vertical-align: top; font-weight: 400; overflow-wrap: break-word;
  border: 0; border-bottom: 1px solid color-mix(in srgb, currentColor 18%, transparent);
}
.models-table thead th { font-size: 0.9rem; vertical-align: bottom; }
.models-table th:first-child { padding-left: 0; width: 36%; }
.models-table th:nth-child(2) { width: 19%; }
.models-table th:nth-child(3), .models-table th:nth-child(4) { width: 14%; }
.models-table th:last-child { padding-left: 1.5rem; }
.models-table td:last-child { padding-left: 1.5rem; }
.models-table tbody th b { white-space: nowrap; }
.models-table tbody th img { margin-right: 0.5rem; }
.models-table tbody th small { display: block; font-size: 0.9rem; }
.models-table .number { text-align: right; font-variant-numeric: tabular-nums; }
.models-table .interval { white-space: nowrap; font-size: 0.9rem; margin-left: 0.25rem; }
.models-table .interval, .models-table .interval b { display: inline-block; }
@media (max-width: 1500px) { .models-table { font-size: 0.9rem; } }
@media (min-width: 1600px) {
  .models-table td { padding-top: 0.75rem; }
  .models-table .number b { font-size: 1.6rem; line-height: 1; }
  .models-table thead th, .models-table tbody th small, .models-table .interval { font-size: 1rem; }
}
@media (max-width: 900px) {
  .models-table, .models-table tbody { display: block; }
  .models-table thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .models-table tr {
    display: grid; grid-template-columns: 1fr 1fr; gap: 0.25rem 1rem; padding: 0.75rem 0;
    border-bottom: 1px solid color-mix(in srgb, currentColor 18%, transparent);
  }
  .models-table th:first-child { width: auto; grid-column: 1 / -1; }
  .models-table tbody th, .models-table td { display: block; padding: 0; border: 0; }
  .models-table .number { text-align: left; }
  .models-table .interval { margin-left: 0; }
  .models-table td:last-child { padding-left: 0; }
  .models-table td::before { content: attr(data-heading); display: block; font-size: 0.85rem; }
}
</style>
"""


def models_table() -> None:
    """Draws the table; it completes itself while models load and are timed."""
    sources.live(_draw, lambda: sources.is_busy() or not resources.is_timed())


def how_measured() -> str:
    """What the column of milliseconds means."""
    return (
        f"One review here: from text to answer, {speed.N_WORDS} words, on one core of this machine, the median of "
        f"{speed.RUNS} runs. Parameters: the numbers that training has set."
    )


def _draw() -> None:
    st.html(table_html(results.accuracies(resources.models())))


def table_html(table: pd.DataFrame) -> str:
    """Turns figures into the table on screen.

    Args:
        table: As `studies.results.accuracies` returns it.

    Returns:
        A style sheet and one table, all text escaped.
    """
    statuses = {status.name: status for status in resources.store().statuses()}
    head = "".join(
        f'<th scope="col"{_class(column)}>{html.escape(heading)}</th>' for column, heading in enumerate(_HEADINGS)
    )
    rows = []
    for row in table.to_dict("records"):
        name = row["name"]
        status = statuses.get(name)
        image = f'<img src="{mark_address(name)}" alt="">' if status else ""
        cells = (
            _accuracy(row),
            html.escape(_milliseconds(name) if status else _NOT_MEASURED),
            _NOT_MEASURED if pd.isna(row["parameters"]) else f"{row['parameters']:,}",
            html.escape(sources.source_words(status) if status else "Measured beforehand"),
        )
        rows.append(
            f'<tr><th scope="row">{image}<b>{html.escape(row["model"])}</b>'
            f"<small>{html.escape(row['summary'])}</small></th>"
            + "".join(
                f'<td{_class(column)} data-heading="{html.escape(_HEADINGS[column])}">{cell}</td>'
                for column, cell in enumerate(cells, start=1)
            )
            + "</tr>"
        )
    return f'{_STYLE}<table class="models-table"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'


def _class(column: int) -> str:
    return ' class="number"' if 1 <= column <= 3 else ""


def _accuracy(row: Mapping[Hashable, Any]) -> str:
    if math.isnan(row["test_accuracy"]):
        return _NOT_MEASURED
    accuracy = f"<b>{100 * row['test_accuracy']:.1f}\u00a0%</b>"
    if math.isnan(row["low"]) or math.isnan(row["high"]):
        return accuracy
    return f'{accuracy} <span class="interval">{100 * row["low"]:.1f} to {100 * row["high"]:.1f}</span>'


def _milliseconds(name: str) -> str:
    found = resources.milliseconds().get(name)
    if found is None:
        return "measuring"
    if math.isnan(found):
        return _NOT_MEASURED
    return f"{found:.1f}\u00a0ms" if found < 10 else f"{found:.0f}\u00a0ms"
