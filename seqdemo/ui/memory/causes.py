"""Why: the spectrum of the matrix between two words, and what gates keep along the visitor's review."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st

from seqdemo.charts import memory as charts
from seqdemo.models.registry import MODELS
from seqdemo.serve.memory import SPECTRUM
from seqdemo.serve.stepper import STEPS
from seqdemo.ui import resources
from seqdemo.ui.memory import review
from seqdemo.ui.shared import own_models, sources
from seqdemo.ui.shared.choices import one_of
from seqdemo.ui.shared.marks import plain

if TYPE_CHECKING:
    from seqdemo.text import Reading
    from seqdemo.trace import Trace

SURVIVAL_FLOOR = 1e-10
_GATED = ("lstm", "gru")
_WITH_MATRIX = tuple(name for name, spec in MODELS.items() if spec.has_states and spec.directions == 1)


def spectrum() -> None:
    """Eigenvalues and singular values of W_hh, at the start and after training."""
    names = {name: plain(own_models.label(name)) for name in _WITH_MATRIX}
    name = one_of("Model", names, default="rnn", key="matrix")
    model = own_models.answering().get(name)
    if model is not None:
        review.ask("spectrum", {"spectrum": (SPECTRUM, model, ())})
    sources.live(lambda: _spectrum(name), lambda: review.is_waiting("spectrum"))


def gates() -> None:
    """What the gates of LSTM and GRU keep along the visitor's review."""
    _ask_gates()
    sources.live(_gates, lambda: review.is_waiting("kept"))


def _spectrum(name: str) -> None:
    model = own_models.answering().get(name)
    found = review.result("spectrum")
    if model is None:
        st.caption("The models are loading." if not resources.store().settled else "This model could not be loaded.")
        return
    if not isinstance(found, Mapping):
        if isinstance(found, Exception):
            st.caption("The spectrum could not be computed.")
        else:
            st.skeleton(height=280)
        return
    found = found["spectrum"]
    blocks = list(found["trained"])
    block = blocks[0]
    if len(blocks) > 1:
        names = {block: block for block in blocks}
        block = one_of("Block of W_hh", names, default="candidate", key=f"block_of_{name}")
    eigenvalues = {when: spectra[block].eigenvalues for when, spectra in found.items()}
    singular = {when: spectra[block].singular_values for when, spectra in found.items()}
    points, ranks = charts.spectrum_points(eigenvalues, singular)
    colour = MODELS[name].colour
    alt = charts.spectrum_alt(points, ranks)
    longest = np.abs(eigenvalues["trained"]).max()
    whose = own_models.in_words(f"**The longest eigenvalue of the {MODELS[name].label}")
    st.markdown(
        f"{whose} has the length {longest:.2f}, the largest singular value is {singular['trained'][0]:.2f}**"
        + (
            f"; at the start they were {abs(eigenvalues['start'][0]):.2f} and {singular['start'][0]:.2f}"
            if "start" in found
            else ""
        )
    )
    left, right = st.columns([2, 3])
    with left:
        st.altair_chart(charts.eigenvalue_chart(points, colour), width="content", alt=alt)
    with right:
        st.altair_chart(charts.singular_chart(ranks, colour), width="stretch", alt=alt)
    start = (
        "Grey rings and the grey dashed line: at the start of the training, drawn again from its seed."
        if "start" in found
        else "The start of this training is not on record, so only the trained matrix is shown."
    )
    st.caption(
        "How to read this: W_hh carries the state from word to word. Left, its eigenvalues and the unit circle; "
        "right, its singular values and a line at 1. Inside of the circle and below the line, W_hh alone shrinks what "
        f"it carries. {start}"
    )
    with st.expander("The data as a table"):
        st.dataframe(points, hide_index=True)
        st.dataframe(ranks, hide_index=True)


def _gates() -> None:
    answer = _ask_gates()
    if not isinstance(answer, Mapping):
        if review.is_waiting("kept"):
            st.skeleton(height=280)
        else:
            st.caption("Without a word to read, or without the LSTM and the GRU, there are no gates to look at.")
        return
    found = kept_table(answer, review.readings())
    if found.empty:
        st.caption("Neither the LSTM nor the GRU could be loaded.")
        return
    found = own_models.with_names(found)
    alt = charts.kept_alt(found)
    left, right = st.columns(2)
    with left:
        st.markdown("**Kept at each word**")
        st.altair_chart(charts.gate_chart(found), width="stretch", alt=alt)
    with right:
        st.markdown("**Still there at the end**")
        st.altair_chart(charts.survival_chart(found, SURVIVAL_FLOOR), width="stretch", alt=alt)
    st.caption(
        "How to read this: left, the share of its memory that a model keeps at each word of the review above, as a "
        "mean over its units: the forget gate f of the LSTM, and z of the GRU, which keeps the old state here "
        "(h = (1 - z) · n + z · h; where papers turn it round, it is 1 - z). Right, all shares from a word to the end "
        "multiplied: the thick line is the unit that keeps most, the thin line the median unit; shares below 10⁻¹⁰ "
        "stand at the bottom. Memory also runs through the gates themselves, so this is one path of several."
    )
    with st.expander("The data as a table"):
        st.dataframe(found.drop(columns=["name"]), hide_index=True)


def _ask_gates() -> Mapping[str, Any] | Exception | None:
    readings = review.readings()
    models = {name: model for name, model in own_models.answering().items() if name in _GATED and name in readings}
    if not resources.store().settled or not models:
        review.forget("kept")
        return None
    return review.ask("kept", {name: (STEPS, model, readings[name].ids) for name, model in models.items()})


def kept_table(traces: Mapping[str, Trace], readings: Mapping[str, Reading]) -> pd.DataFrame:
    """What gates keep at each word, and what is left of it at the end: one row for each model and word.

    Args:
        traces: Name of a model → what it recorded.
        readings: Name → what it read.
    """
    from seqdemo.explain import dynamics

    parts = []
    for name, traced in traces.items():
        found = dynamics.kept(traced)
        if found is not None:
            words = [token.text for token in readings[name].tokens]
            word = np.arange(1, len(words) + 1)
            columns = {"gate": found.gate, "most": found.survives[2], "median": found.survives[0]}
            parts.append(
                pd.DataFrame({"name": name, "model": MODELS[name].label, "word": word, "text": words, **columns})
            )
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
