"""Hand calculation: a cell of two units, every weight and input a number to change."""

from __future__ import annotations

import streamlit as st

from seqdemo.ui import components


def render() -> None:
    """Draws the toy cell; all of it is worked out in the browser."""
    st.header("Work it out by hand", anchor="hand", divider="gray")
    st.markdown(
        "The same cells with two units and one number as input. Change any number and follow every step term by term."
    )
    components.hand_calculation(key="hand_calculation")
