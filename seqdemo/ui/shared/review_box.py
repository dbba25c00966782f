"""The box that every page about a text has. What is typed there is answered in the browser, by routes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from seqdemo.text import MAX_CHARACTERS
from seqdemo.ui import resources
from seqdemo.ui.shared import address, own_models
from seqdemo.ui.shared.component import component, sent
from seqdemo.ui.shared.examples import Example

LINK_CHARACTERS = 2_000
"""A longer review does not fit into a link that every browser and server takes."""
_review_box = component("shared/js/review_box.js", "shared/js/review_box.css")
"""The box one types in; it tells the other components of the page of each edit."""


def text(default: str) -> str:
    """The review that a page opens with: that of its address, else what this visitor wrote last, else the default."""
    linked = address.text(st.query_params.to_dict(), "review")
    return linked or resources.service().visitors.text(resources.visitor()) or default


def asked(review: str) -> dict[str, Any]:
    """What every component needs that asks routes about a text: the text, the session's token, the own models in use.

    Args:
        review: What the page opens with; from then on the box tells of edits.
    """
    return {"text": review, "token": resources.visitor(), "models": own_models.run_ids()}


def draw(review: str, examples: Sequence[Example]) -> None:
    """Draws the box.

    Args:
        review: What stands in it first.
        examples: Texts to try.
    """
    _review_box(
        key="review_box",
        data=sent(
            {
                **asked(review),
                "examples": [{"kind": example.kind, "text": example.text} for example in examples],
                "max_characters": MAX_CHARACTERS,
                "link_characters": LINK_CHARACTERS,
            }
        ),
    )
