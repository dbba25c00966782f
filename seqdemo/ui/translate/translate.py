"""Dates to ISO by an encoder-decoder, answered by a route; here it is placed."""

from __future__ import annotations

import streamlit as st

from seqdemo.data import dates
from seqdemo.serve.translate import DEFAULT_WIDTH, WIDTHS
from seqdemo.ui import resources
from seqdemo.ui.shared import address
from seqdemo.ui.shared.component import component, sent

_translate = component("translate/translate.js", "shared/js/desk.css translate/translate.css")
"""A box for a date, its answer and every number; asks for them at each edit."""
EXAMPLES = (
    ("words", "the third of March, 1987"),
    ("short", "3 mar 87"),
    ("weekday", "Tuesday 3.3.1987"),
    ("slashes", "3/4/1987"),
    ("sentence", "please answer by October 26, 1936 if all goes well"),
    ("time of day", "3 March 1987 at 5pm"),
    ("misspelt", "21 Febuary 2024"),
    ("new way of writing", "1987, March the 3rd"),
    ("no such day", "30 February 2024"),
    ("too early", "4 July 1776"),
    ("another language", "14. Mai 1991"),
    ("no date", "pizza for two"),
)
_LINK_CHARACTERS = 2_000


def render() -> None:
    """Draws the box with everything that answers to it; the browser itself reads `step` and `char` of the address."""
    query = st.query_params.to_dict()
    asked = address.Asked(query)
    width = asked.choice("beam", [str(width) for width in WIDTHS], str(DEFAULT_WIDTH))
    _translate(
        key="translate",
        data=sent(
            {
                "text": address.text(query, "text", EXAMPLES[0][1], most=_LINK_CHARACTERS),
                "width": int(width),
                "widths": WIDTHS,
                "refused": asked.refused,
                "examples": [{"kind": kind, "text": text} for kind, text in EXAMPLES],
                "max_characters": dates.MAX_CHARACTERS,
                "token": resources.visitor(),
            }
        ),
    )
