"""Where each model's weights come from, for the sidebar."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from seqdemo.checkpoints.store import ModelStatus
from seqdemo.models.registry import MODELS
from seqdemo.serve.service import why
from seqdemo.ui import resources
from seqdemo.ui.shared.marks import mark, plain

_POLL_S = 1.0


def sidebar() -> None:
    """One row a model: its mark, its source, and why where that needs saying."""
    with st.sidebar:
        live(_rows, is_busy)


def live(draw: Callable[[], None], busy: Callable[[], bool]) -> None:
    """Draws now, and again each second while something is going on, then never again.

    Args:
        draw: Draws a part of the page.
        busy: Whether what is drawn may still change by itself.
    """
    polling = busy()

    def body() -> None:
        if polling and not busy():
            st.rerun()  # the whole page: only it can end the polling
        draw()

    st.fragment(body, run_every=_POLL_S if polling else None, key=f"live-{draw.__module__}-{draw.__qualname__}")()


def is_busy() -> bool:
    """Whether any model is loading, or being fetched from the Hub."""
    store = resources.store()
    return not store.settled or any(status.fetching for status in store.statuses())


def source_words(status: ModelStatus) -> str:
    """A source in two or three words."""
    source = status.source
    if source is None:
        return "Loading" if status.state == "loading" and not resources.store().settled else "Could not be loaded"
    if source.kind == "embedded":
        return "Embedded copy"
    place = {"hub": "Hub", "cache": "Hub (cached)"}[source.kind]
    return f"{place}, commit {source.commit[:7]}" if source.commit else place


def _rows() -> None:
    with st.container(gap="small"):
        st.markdown("**Models**")
        _each()


def _each() -> None:
    statuses = resources.store().statuses()
    for status in statuses:
        label = f"{mark(status.name)} {MODELS[status.name].label}"
        with st.container(gap="xxsmall"):
            st.markdown(f"{label}  \n:small[{plain(source_words(status))}]")
            if status.state == "failed" or status.can_retry:
                st.caption(plain(why(status)))
            if status.fetching:
                st.caption("Asking the Hub")
            if status.can_retry and st.button("Retry", key=f"retry-{status.name}", icon=":material/refresh:"):
                resources.store().retry(status.name)
                st.rerun()
    with st.expander("Details"):
        for status in statuses:
            st.caption(f"**{MODELS[status.name].label}**: {plain(why(status))}")


def not_measured(name: str) -> None:
    """Says that a study has no stored result on these weights."""
    st.info(f"This has not been measured on these weights yet. It is measured by `python -m seqdemo study {name}`.")
