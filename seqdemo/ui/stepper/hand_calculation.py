"""Hand calculation: a cell of two units, every weight and input a number to change."""

from __future__ import annotations

import streamlit as st

from seqdemo.ui.shared.component import component

_hand_calculation = component("stepper/hand_calculation.js", "stepper/cell.css stepper/hand_calculation.css")
"""A cell of two units with weights and inputs to edit, worked out in the browser."""


def render() -> None:
    """Draws the toy cell; all of it is worked out in the browser."""
    st.header("Work it out by hand", anchor="hand", divider="gray")
    st.markdown(
        "The same cells with two units and one number as input. Change any number and follow every step term by term."
    )
    _hand_calculation(key="hand_calculation")
