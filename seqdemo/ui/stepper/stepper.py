"""The stepper: two recurrent models read one text, step by step, in the browser; here it is placed."""

from __future__ import annotations

from typing import Any

import streamlit as st

from seqdemo.serve.stepper import DEFAULT, SIDES, names
from seqdemo.ui.shared import address, review_box
from seqdemo.ui.shared.component import component, sent
from seqdemo.ui.shared.examples import EXAMPLES, Example

_stepper = component("stepper/stepper.js", "stepper/cell.css shared/js/desk.css stepper/stepper.css")
"""Two models along one text; asks for their traces when an edit rests or another model is chosen."""
LONG_PLOT = Example(
    "Long plot",
    "This is a terrible film, one of the worst I have ever seen. It begins in a small harbour town, where a young"
    " clerk finds a letter behind the counter of the post office. The letter was written forty years before and "
    "never sent. He takes the night train to the city to look for the woman whose name is on the envelope, and on"
    " the way he meets a retired sailor, who remembers her brother. They go from house to house, from one street "
    "to the next, and in the evening they sit in the station and wait. Meanwhile his employer has noticed that "
    "the letter is missing and sends two men after him. On the third day they reach the river, and an old "
    "ferryman tells them what happened in the winter of the flood, when the bridge was carried away. The clerk "
    "writes down the names of the streets, one after the other. In the house beside the church a lamp is burning,"
    " and a man with a grey coat opens the door.",
)
"""What stands on screen first: an opinion, then a long plot without one."""
_MOST_UNITS = 2**16
"""A larger number names no unit of any model; whether this one has as many is seen once it is loaded."""


def choice(asked: address.Asked) -> dict[str, dict[str, Any]]:
    """Side → the model and the units that a link names.

    Args:
        asked: The address: `left`, `right`, `left_unit`, `right_unit`; what cannot be is left as usual.
    """
    return {
        side: {
            "model": asked.choice(side, names(), DEFAULT[side]),
            "units": [unit - 1 for unit in asked.integers(f"{side}_unit", 1, _MOST_UNITS, most=2)],
        }
        for side in SIDES
    }


def render() -> None:
    """Draws the text box, and what two models make of the text."""
    review = review_box.text(LONG_PLOT.text)
    with st.expander("Change the text", icon=":material/edit:"):
        review_box.draw(review, (LONG_PLOT, *EXAMPLES))
    asked = address.Asked(st.query_params.to_dict())
    _stepper(
        key="stepper",
        data=sent(
            {
                **review_box.asked(review),
                "choice": choice(asked),
                "refused": asked.refused,
                "usual": LONG_PLOT.text,
                "link_characters": review_box.LINK_CHARACTERS,
            }
        ),
    )
