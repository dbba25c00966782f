"""The table of accuracies on reviews as people type them: kinds below each other, models side by side.

HTML for the reasons that `models_table` gives; on a phone each kind becomes a block of its own.
"""

from __future__ import annotations

import html

import pandas as pd
import streamlit as st

from seqdemo.data.typed_reviews import KINDS
from seqdemo.models.registry import MODELS
from seqdemo.studies import typed_reviews as study
from seqdemo.studies.study import read
from seqdemo.ui import resources
from seqdemo.ui.shared.marks import mark_address

_COMMAND = f"python -m seqdemo study {study.STUDY.name}"
_MEANINGS: dict[str, str] = {
    study.ALL: "of all kinds together",
    "plain": "one opinion, said straight out",
    "one_or_two_words": "nothing but the opinion",
    "negation": "with not, never, nothing, hardly",
    "contrast": "two sides, one of which decides",
    "comparison": "with a book, a first part, other films",
    "typing_errors_and_capitals": "as fast thumbs write",
    "craft_words": "on acting, script, camera, pace, music",
    "opinion_then_filler": "60 to 120 words that say no opinion",
    "filler_then_opinion": "the same words before the opinion",
}
_STYLE = """
<style>
.typed-table { width: 100%; border-collapse: collapse; table-layout: fixed; font-size: 1rem; line-height: 1.3; }
.typed-table th, .typed-table td {
  padding: 0.4rem 0.25rem; text-align: left; vertical-align: middle; font-weight: 400; border: 0;
  border-bottom: 1px solid color-mix(in srgb, currentColor 18%, transparent);
}
.typed-table thead th { font-size: 0.85rem; vertical-align: bottom; }
.typed-table th:first-child { width: 30%; padding-left: 0; }
.typed-table thead img { display: block; margin: 0 0 0.25rem auto; }
.typed-table tbody th b { font-weight: 600; }
.typed-table tbody th small { display: block; font-size: 0.9rem; }
.typed-table .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.typed-table thead .number { white-space: normal; }
.typed-table tr.all th, .typed-table tr.all td { border-bottom-width: 2px; }
.typed-table tr.all td { font-weight: 600; }
@media (min-width: 1600px) {
  .typed-table thead th, .typed-table tbody th small { font-size: 1rem; }
  .typed-table td { font-size: 1.2rem; }
  .typed-table tr.all td { font-size: 1.6rem; }
}
@media (max-width: 1240px) {
  .typed-table, .typed-table tbody { display: block; }
  .typed-table thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .typed-table tr {
    display: grid; grid-template-columns: repeat(auto-fill, minmax(5.5rem, 1fr)); gap: 0.25rem 1rem; padding: 0.75rem 0;
    border-bottom: 1px solid color-mix(in srgb, currentColor 18%, transparent);
  }
  .typed-table th:first-child { width: auto; grid-column: 1 / -1; }
  .typed-table tbody th, .typed-table td { display: block; padding: 0; border: 0; }
  .typed-table .number { text-align: left; }
  .typed-table td::before { content: attr(data-heading); display: block; font-size: 0.85rem; font-weight: 400; }
}
</style>
"""


def render() -> None:
    """The section: its finding, the table, how to read it, and what the lines are."""
    weights = resources.shipped()
    stored = read(study.STUDY.name)
    table = study.frame(stored, weights, study.read_baseline())
    st.header(study.finding(table), anchor=False)
    if table.empty:
        st.info(f"This has not been measured on these weights yet. It is measured by `{_COMMAND}`.")
        return
    st.html(table_html(table))
    few, many = study.uncertainty(table).items()
    st.caption(
        "How to read this: the share of lines that a model judges rightly, in whole per cents; guessing gets 50\u00a0%."
        f" n is the number of lines, half of them positive. With {few[0]} lines a figure is uncertain by about {few[1]}"
        f" points in either direction, with {many[0]} by {many[1]} (95\u00a0% interval)."
    )
    st.caption(
        f"The {many[0]} lines are a development set, written for this project and kept out of training. They show "
        "where the models are weak; they are no sample of what visitors type."
    )
    missing = [spec.label for name, spec in MODELS.items() if name not in set(table["name"])]
    if missing:
        st.caption(f"Not measured on the weights in use: {', '.join(missing)}. It is measured by `{_COMMAND}`.")
    with st.expander("The data as a table"):
        shown = table.assign(kind=table["kind"].map(_label)).drop(columns=["name"])
        percent = st.column_config.NumberColumn(format="percent")
        st.dataframe(shown, hide_index=True, column_config=dict.fromkeys(("accuracy", "low", "high"), percent))


def table_html(table: pd.DataFrame) -> str:
    """Turns figures into the table on screen.

    Args:
        table: As `studies.typed_reviews.frame` returns it, not empty.

    Returns:
        A style sheet and one table, all text escaped.
    """
    labels = {str(name): str(label) for name, label in zip(table["name"], table["model"], strict=True)}
    per_cent = {
        (row["name"], row["kind"]): f"{study.per_cent(row['accuracy'])}\u00a0%" for row in table.to_dict("records")
    }
    n = {str(kind): int(lines) for kind, lines in zip(table["kind"], table["n"], strict=True)}
    head = '<th scope="col">Lines</th>' + "".join(
        f'<th scope="col" class="number">{_mark(name)}{html.escape(label)}</th>' for name, label in labels.items()
    )
    rows = []
    for kind in (kind for kind in (study.ALL, *KINDS) if kind in n):
        cells = "".join(
            f'<td class="number" data-heading="{html.escape(label)}">{per_cent.get((name, kind), "")}</td>'
            for name, label in labels.items()
        )
        of_all = ' class="all"' if kind == study.ALL else ""
        rows.append(
            f'<tr{of_all}><th scope="row"><b>{html.escape(_label(kind))}</b>'
            f"<small>{html.escape(_MEANINGS[kind])}, n\u00a0=\u00a0{n[kind]}</small></th>{cells}</tr>"
        )
    return f'{_STYLE}<table class="typed-table"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'


def _label(kind: str) -> str:
    return KINDS.get(kind, study.ALL_LABEL)


def _mark(name: str) -> str:
    return f'<img src="{mark_address(name)}" alt="">' if name in MODELS else ""
