"""What hangs on one word: verdicts before and after it is changed, answered by a route; here it is placed."""

from __future__ import annotations

import streamlit as st

from seqdemo.serve.http import well_formed
from seqdemo.serve.memory import EDITS, MAX_PUT
from seqdemo.text import MAX_CHARACTERS, MAX_TOKENS
from seqdemo.ui.memory import review
from seqdemo.ui.shared import address, review_box
from seqdemo.ui.shared.component import component, sent

_edit = component("memory/edit.js", "memory/edit.css")
"""One word of the review changed; asks for the verdicts when an edit rests. Its state `text` is the text on screen."""
_PUT = "terrible"


def take(text: str) -> None:
    """Takes over what the box holds by now: the component says so of each text that rests, which draws the page anew.

    Args:
        text: What the page opened with.
    """
    found = st.session_state.get("memory_edit", {}).get("text")
    st.session_state[review.TEXT] = well_formed(found)[:MAX_CHARACTERS] if isinstance(found, str) else text


def render(text: str) -> None:
    """Draws the section.

    Args:
        text: What stands in the box first.
    """
    query = st.query_params.to_dict()
    asked = address.Asked(query)
    word = asked.integer("word", 1, MAX_TOKENS, 0)
    _edit(
        key="memory_edit",
        data=sent(
            {
                **review_box.asked(text),
                "edits": EDITS,
                "word": word - 1 if word else None,
                "edit": asked.choice("edit", EDITS, "negate"),
                "refused": asked.refused,
                "put": address.text(query, "put", _PUT, most=MAX_PUT),
                "most": MAX_PUT,
            }
        ),
        on_text_change=lambda: None,
    )
