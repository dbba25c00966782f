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


review_box = st.components.v2.component("review_box", js=_read("review_box.js"), css=_read("review_box.css"))
"""The box one types in; its state `edit` holds {text, length, rev, n, settled, example}."""

verdicts = st.components.v2.component("verdicts", js=_read("verdicts.js"), css=_read("verdicts.css"))
"""A card for each model; sets its state `asked` when it was told to ask again."""

curves = st.components.v2.component("curves", js=_read("curves.js"), css=_read("curves.css"))
"""P(positive) after each word, one line for each model, one cursor."""
