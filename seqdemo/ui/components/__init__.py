"""The parts of pages that run in the browser: plain JavaScript, sent with the page.

Each is one `.js` file with its `.css`, mounted by `st.components.v2`. Visitors' words
reach the page as text nodes only. A component is called again when its data changed, so
each call is idempotent and keeps what it needs by its parent element.
"""

from __future__ import annotations

import pathlib

import streamlit as st

_HERE = pathlib.Path(__file__).parent


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


_ELEMENTS = _read("elements.js") + _read("address.js")

shell = st.components.v2.component("shell", js=_ELEMENTS + _read("shell.js"))
"""Shows nothing: keeps `own` in addresses, a heading of the address in view, and a phone's drawer out of the way."""

address_entries = st.components.v2.component("address_entries", js=_ELEMENTS + _read("address_entries.js"))
"""Shows nothing: puts entries into the address; its data is one object, as `seqdemo.ui.address.entries` makes it."""

review_box = st.components.v2.component(
    "review_box", js=_ELEMENTS + _read("review_box.js"), css=_read("review_box.css")
)
"""The box one types in; its state `edit` holds {text, length, rev, n, settled, example}."""

verdicts = st.components.v2.component("verdicts", js=_ELEMENTS + _read("verdicts.js"), css=_read("verdicts.css"))
"""A card for each model; sets its state `asked` when it was told to ask again."""

curves = st.components.v2.component("curves", js=_ELEMENTS + _read("curves.js"), css=_read("curves.css"))
"""P(positive) after each word, one line for each model, one cursor."""

_PARTS, _CELL = _ELEMENTS + _read("parts.js"), _read("cell.js") + _read("equations.js")
_DESK = _PARTS + _read("desk.js")

stepper = st.components.v2.component(
    "stepper",
    js=_DESK
    + _CELL
    + "".join(_read(f"stepper_{part}.js") for part in ("strip", "panels", "transport", "table"))
    + _read("stepper.js"),
    css=_read("cell.css") + _read("stepper.css"),
)
"""Two models along one text; its data is the message of `seqdemo.ui.stepper.trace_message`.

Its state `choice` holds, for each side, {model, units}."""

stepper_units = st.components.v2.component("stepper_units", js=_read("stepper_units.js"))
"""Shows nothing: hands the numbers of the picked units to the stepper."""

hand_calculation = st.components.v2.component(
    "hand_calculation",
    js=_PARTS + _CELL + _read("hand_calculation.js"),
    css=_read("cell.css") + _read("hand_calculation.css"),
)
"""A cell of two units with weights and inputs to edit, worked out in the browser."""

attention = st.components.v2.component(
    "attention",
    js=_DESK
    + "".join(
        _read(f"attention_{part}.js") for part in ("weights", "sentence", "views", "wall", "formula", "block", "layers")
    )
    + _read("attention.js"),
    css=_read("attention.css"),
)
"""Where the Transformer looked; its data is the message of `seqdemo.ui.attention.attention_message`."""

attributions = st.components.v2.component(
    "attributions", js=_PARTS + _read("attributions.js"), css=_read("attributions.css")
)
"""A text shaded by several methods or models, one row each; its data is that of `seqdemo.ui.attributions.rows_data`."""

translate = st.components.v2.component(
    "translate",
    js=_DESK
    + _read("stepper_transport.js")
    + "".join(_read(f"translate_{part}.js") for part in ("box", "map", "formula"))
    + _read("translate.js"),
    css=_read("stepper.css") + _read("translate.css"),
)
"""A box for a date, its answer and every number; its data is the message of `seqdemo.ui.translate.answer_message`.

Its state `edit` holds {text, length, width, rev, n}."""

train = st.components.v2.component("train", js=_PARTS + _read("train.js"), css=_read("train.css"))
"""Training runs as curves and heatmaps; its data is the message of `seqdemo.ui.train.message`.

Its state `visitor` is the name that this browser was given at an earlier visit, where that is not the message's."""
