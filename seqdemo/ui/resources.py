"""What all visitors share: the only place that uses Streamlit's caches."""

from __future__ import annotations

import gc
import logging
import math
import pathlib
from typing import TYPE_CHECKING

import streamlit as st

from seqdemo.checkpoints.store import ModelStore
from seqdemo.explain.prefixes import CurveWorker
from seqdemo.models.registry import MODELS
from seqdemo.training import recorded
from seqdemo.training.jobs import Jobs
from seqdemo.ui.background import Background

if TYPE_CHECKING:
    from seqdemo.checkpoints.classifier import Classifier
    from seqdemo.checkpoints.translator import Translation, Translator
    from seqdemo.explain.rollout import Looks
    from seqdemo.trace import Trace
    from seqdemo.training.recorded import Recording


@st.cache_resource(show_spinner=False)
def store() -> ModelStore:
    """The checkpoints of this process, loading since the first call; `app.py` makes it."""
    models = ModelStore()
    models.start(lambda: _warm_up(models))
    return models


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


@st.cache_data(max_entries=10_000, show_spinner=False)
def probability(sha256: str, text: str, _classifier: Classifier) -> float:  # noqa: ARG001 (part of the key)
    """P(positive) of a text, known by checkpoint and text; the module itself is not hashed.

    Args:
        sha256: Of the checkpoint.
        text: A review with at least one word.
        _classifier: The model with that checkpoint.
    """
    return float(_classifier.predict_proba([text])[0])


@st.cache_resource(show_spinner=False)
def curve_worker() -> CurveWorker:
    """Computes curves for all visitors, one text at a time; keeps them by checkpoint and text."""
    return CurveWorker()


@st.cache_data(max_entries=32, show_spinner=False)
def steps(sha256: str, text: str, _classifier: Classifier) -> Trace:  # noqa: ARG001 (part of the key)
    """Every gate of a recurrent model on a text, known by checkpoint and text; 0.4 to 5 MB each.

    Args:
        sha256: Of the checkpoint.
        text: A review with at least one word.
        _classifier: The recurrent model with that checkpoint.
    """
    from seqdemo.explain.steps import trace

    return trace(_classifier, text)


@st.cache_data(max_entries=16, show_spinner=False)
def looks(sha256: str, text: str, _classifier: Classifier) -> Looks:  # noqa: ARG001 (part of the key)
    """Where a Transformer looked in a text, known by checkpoint and text; 1 to 8 MB each.

    Args:
        sha256: Of the checkpoint.
        text: A review with at least one word.
        _classifier: The Transformer with that checkpoint.
    """
    from seqdemo.explain.rollout import look

    return look(_classifier, text)


@st.cache_resource(show_spinner=False)
def translator(folder: str) -> Translator:
    """The translator of dates in a folder, read at the first question.

    Raises:
        CheckpointError: It cannot be used.
    """
    from seqdemo.checkpoints.translator import load

    return load(folder)


@st.cache_data(max_entries=256, show_spinner=False)
def translation(sha256: str, text: str, width: int, _translator: Translator) -> Translation:  # noqa: ARG001 (the key)
    """An answer with every number of it, known by checkpoint, text and beam width; up to 0.2 MB each."""
    return _translator.translate(text, width=width)


@st.cache_resource(show_spinner=False)
def background() -> Background:
    """Computes for all visitors what takes seconds, one thing at a time; keeps the newest results."""
    return Background()


@st.cache_resource(max_entries=8, show_spinner=False)
def recording(name: str, folder: str) -> list[Recording]:
    """The runs of a recorded preset.

    Raises:
        DataError: There is no such recording, or its file is damaged.
    """
    return recorded.load(name, pathlib.Path(folder))


@st.cache_resource(max_entries=12, ttl="1h", show_spinner=False)  # at most 50 MB each; deleted ones leave memory
def own_model(run_id: str, folder: str) -> Classifier:  # noqa: ARG001 (part of the key: a result changes no more)
    """The text model that a visitor's run left in its folder.

    Raises:
        CheckpointError: It cannot be used.
    """
    from seqdemo.checkpoints import folder as checkpoint

    return checkpoint.load(folder)


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
