"""Choices that stand in the address, so that a link opens what was chosen."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from seqdemo.ui.shared import address
from seqdemo.ui.shared.marks import plain


def one_of(label: str, names: Mapping[str, str], *, default: str, key: str) -> str:
    """One of several, in the address as `key`; what the address asks for and is not there is said below the choice.

    Args:
        label: What is chosen, on screen.
        names: What to choose from → what to call it, on screen and in the address. Markdown: what a visitor wrote in it
            is to be escaped, by `marks.plain`.
        default: What is chosen first; it does not stand in the address.
        key: The entry of the address, of no other page's.
    """
    unknown = f"{key}_unknown"
    asked = st.query_params.get(key)
    if asked and asked not in names.values():
        st.session_state[unknown] = asked  # Streamlit takes it out of the address
    found = st.segmented_control(
        label,
        list(names),
        format_func=names.__getitem__,
        default=default,
        required=True,
        key=key,
        bind="query-params",
        wrap=True,
        on_change=lambda: st.session_state.pop(unknown, None),
    )
    if (asked := st.session_state.get(unknown)) is not None:
        possible = f"one of {', '.join(names.values())}"
        st.caption(address.not_there(key, plain(asked), possible))
    return found or default  # none is chosen where the address asked for what is not there
