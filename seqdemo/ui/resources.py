"""What all visitors share: the only place that uses Streamlit's caches."""

from __future__ import annotations

import gc
import logging
from typing import TYPE_CHECKING

import streamlit as st

from seqdemo.checkpoints.store import ModelStore

if TYPE_CHECKING:
    from seqdemo.checkpoints.classifier import Classifier

_NEWEST = "newest_weights"


@st.cache_resource(show_spinner=False)
def store() -> ModelStore:
    """The checkpoints of this process, loading since the first call; `app.py` makes it."""
    models = ModelStore()
    models.start(lambda: _warm_up(models))
    return models


@st.cache_resource(show_spinner=False)
def milliseconds() -> dict[str, float]:
    """What one review took each model on this machine; filled in the background."""
    return {}


def newest() -> frozenset[str]:
    """Names of the models for which this visitor asked for the newer weights."""
    return st.session_state.get(_NEWEST, frozenset())


def use_newest(name: str) -> None:
    """From now on this visitor's answers come from the weights that arrived later."""
    st.session_state[_NEWEST] = newest() | {name}


def models() -> dict[str, Classifier]:
    """The models that can answer now, in the registry's order."""
    return store().ready(newest=newest())


def _warm_up(models: ModelStore) -> None:
    """Pays in the background what the first visitor would pay otherwise."""
    import altair  # noqa: F401 (imported for the pages that follow)
    import pandas  # noqa: F401

    from seqdemo.studies import speed

    for name, model in models.ready().items():
        try:
            milliseconds()[name] = speed.milliseconds_per_review(model)
        except Exception:  # a figure is missing, but the thread goes on to the Hub
            logging.getLogger(__name__).exception("The speed of %s could not be measured.", name)
    # Streamlit collects garbage after every run; what is imported and loaded by now stays
    # for good and need not be looked at again (70 ms a run).
    gc.collect()
    gc.freeze()
