"""What all visitors share: the only place that uses Streamlit's caches."""

from __future__ import annotations

import gc
import logging
import math
import pathlib
from typing import TYPE_CHECKING

import streamlit as st

from seqdemo.checkpoints.store import ModelStore
from seqdemo.models.registry import MODELS
from seqdemo.runs import recordings
from seqdemo.runs.jobs import Jobs
from seqdemo.serve.routes import KINDS
from seqdemo.serve.service import Service
from seqdemo.ui.shared.background import Background

if TYPE_CHECKING:
    from seqdemo.checkpoints.classifier import Classifier
    from seqdemo.runs.recordings import Recording

_VISITOR = "visitor_token"


@st.cache_resource(show_spinner=False)
def store() -> ModelStore:
    """The checkpoints of this process, loading since the first call; `app.py` makes it."""
    models = ModelStore()
    models.start(lambda: _warm_up(models))
    return models


@st.cache_resource(show_spinner=False)
def service() -> Service:
    """What answers routes and pages; made of the store and the jobs that are here."""
    return Service(store(), jobs(), KINDS)


def visitor() -> str:
    """The token of this browser session, which its pages' components send with every question."""
    token = st.session_state.get(_VISITOR)
    if token is None or not service().visitors.knows(token):
        token = st.session_state[_VISITOR] = service().visitors.mint()
    return str(token)


@st.cache_resource(show_spinner=False)
def milliseconds() -> dict[str, float]:
    """What one review took each model on this machine; filled in the background, NaN where it cannot be."""
    return {}


def is_timed() -> bool:
    """Whether `milliseconds` will change no more."""
    return set(milliseconds()) == set(MODELS)


def models() -> dict[str, Classifier]:
    """The models that can answer now, in the registry's order."""
    return store().ready()


def shipped() -> dict[str, str]:
    """Model name → sha256 of those weights, which stored figures are of."""
    return {name: model.sha256 for name, model in models().items()}


@st.cache_resource(max_entries=8, show_spinner=False)
def recording(name: str, folder: str) -> list[Recording]:
    """The runs of a recorded preset.

    Raises:
        DataError: There is no such recording, or its file is damaged.
    """
    return recordings.load(name, pathlib.Path(folder))


@st.cache_resource(show_spinner=False)
def downloads() -> Background:
    """Fetches data sets for all visitors, one at a time, without keeping computations waiting."""
    return Background(max_kept=4)


@st.cache_resource(show_spinner=False)
def jobs() -> Jobs:
    """The training runs of this process, for all visitors; `app.py` ends them with the server."""
    return Jobs()


def _warm_up(models: ModelStore) -> None:
    """Pays in the background what the first visitor would pay otherwise."""
    import altair  # noqa: F401 (imported for the pages that follow)
    import pandas  # noqa: F401

    from seqdemo.studies import speed

    _freeze()  # now, since pages ask again and again while the models are timed
    for name in MODELS:
        model = models.get(name)
        try:
            milliseconds()[name] = speed.milliseconds_per_review(model) if model else math.nan
        except Exception:  # a figure is missing, but the thread goes on to the Hub
            milliseconds()[name] = math.nan
            logging.getLogger(__name__).exception("The speed of %s could not be measured.", name)
    _freeze()


def _freeze() -> None:
    """What is there by now stays: Python's garbage collector need not look at it again (70 ms each time)."""
    gc.collect()
    gc.freeze()
