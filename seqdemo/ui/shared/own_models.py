"""A visitor's own models in the place of those that came with the app, for that visitor alone.

A run is known by an id that cannot be guessed; whoever has a link with it (`?own=<id>`) sees the same.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Mapping
from typing import TYPE_CHECKING

import streamlit as st

from seqdemo.models.registry import MODELS
from seqdemo.serve.answering import Answering, called
from seqdemo.studies.study import listed
from seqdemo.ui import resources
from seqdemo.ui.shared import address
from seqdemo.ui.shared.marks import mark, plain

if TYPE_CHECKING:
    import pandas as pd

    from seqdemo.checkpoints.classifier import Classifier
    from seqdemo.runs.view import View
    from seqdemo.text import Reading

_PAGES = {"sentiment": "Live sentiment", "stepper": "the stepper", "attention": "Attention", "memory": "Memory"}
_OWN, _MISSING, _OPENED = "own_models", "own_models_missing", "own_models_opened"


def pages_for(name: str) -> dict[str, str]:
    """Path → name of the pages that can answer with an own model of that kind."""
    can = {"attention": MODELS[name].has_attention, "stepper": MODELS[name].has_states}
    return {path: page for path, page in _PAGES.items() if can.get(path, True)}


def link(run_id: str) -> str:
    """The address of Live sentiment with the model of that run."""
    here = urllib.parse.urlsplit(st.context.url or "")
    root = here.path.rstrip("/").rpartition("/")[0]
    query = urllib.parse.urlencode({"own": run_id})
    return urllib.parse.urlunsplit((here.scheme, here.netloc, f"{root}/sentiment", query, ""))


def use(run_id: str) -> None:
    """From now on this visitor's pages answer with the model of that run, in the place of the one of its kind."""
    view = resources.jobs().view(run_id)
    if view is not None and view.is_text_model:
        st.session_state[_OWN] = {**_chosen(), view.settings.model: run_id}


def put_back(name: str) -> None:
    """The model that came with the app answers again."""
    st.session_state[_OWN] = {model: run_id for model, run_id in _chosen().items() if model != name}


def current() -> Answering:
    """Who answers this visitor."""
    return resources.service().answering(_chosen())


def views() -> Mapping[str, View]:
    """Model name → the run whose result takes its place for this visitor; those that are gone are left out."""
    return current().own


def ids() -> list[str]:
    """The runs whose results are in use, as a link names them."""
    return [view.id for view in views().values()]


def run_ids() -> dict[str, str]:
    """Name of a model → the run whose result takes its place, as questions to routes name it."""
    return {name: view.id for name, view in views().items()}


def answering() -> Mapping[str, Classifier]:
    """The models that answer this visitor, in the registry's order: as `resources.models`, with the own ones."""
    return current().models


def read(text: str) -> dict[str, Reading]:
    """What each model that answers reads of a text, by name."""
    return current().read(text)


def named(readings: Mapping[str, Reading]) -> dict[str, Reading]:
    """Readings by what their models are called in a sentence, as `seqdemo.serve.word_notes` takes them."""
    return current().named(readings)


def label(name: str) -> str:
    """What to call a model on screen: the own name of an own one."""
    return current().label(name)


def with_names(table: pd.DataFrame) -> pd.DataFrame:
    """A table of what models that answer gave, with what to call each (from `name`) in the column `model`."""
    return table.assign(model=[label(name) for name in table["name"]])


def in_words(sentence: str) -> str:
    """A sentence about the models that answer, in which own ones have their own names; for Markdown.

    Args:
        sentence: Names models by their labels; no other part of it is one.
    """
    own = {MODELS[name].label: label(name) for name in views()}
    if not own:
        return sentence
    found = re.sub(rf"(?:\b[Tt]he )?\b({'|'.join(own)})\b", lambda match: plain(own[match[1]]), sentence)
    return found[0].upper() + found[1:]


def not_theirs() -> str:
    """That stored figures are not of the visitor's own models, for Markdown; empty where there are none of these."""
    own = [plain(label(name)) for name in views()]
    if not own:
        return ""
    return f"Measured on the models that came with the app, not on {listed(own)}."


def sidebar() -> None:
    """Says which models are the visitor's own, and puts them back."""
    found = views()
    if not found:
        return
    with st.sidebar, st.container(gap="small"):
        st.markdown("**Your own models**")
        for name, view in found.items():
            pages = ", ".join(pages_for(name).values())
            st.markdown(
                f"{mark(name)} {plain(called(view))}  \n:small[takes the {MODELS[name].label}'s place: {pages}]"
            )
            st.button(
                f"Back to the usual {MODELS[name].label}", key=f"own_back_{name}", on_click=put_back, args=(name,)
            )


def say_missing(page: str) -> None:
    """Says on the page that a link opened that a model of this link is not here.

    Args:
        page: The page on screen.
    """
    _chosen()
    if st.session_state[_MISSING] and st.session_state.setdefault(_OPENED, page) == page:
        st.info(
            "A model of one's own that this link names is not here any more: runs are deleted after a while. "
            "The one that came with the app answers in its place.",
            icon=":material/info:",
        )


def _chosen() -> dict[str, str]:
    """Model name → run id; begun from the link."""
    if _OWN not in st.session_state:
        query = st.query_params.to_dict()
        wanted = address.ids(query, "own", most=len(MODELS))
        named = {run_id: resources.jobs().view(run_id) for run_id in wanted}
        usable = {run_id: view for run_id, view in named.items() if view is not None and view.is_text_model}
        st.session_state[_OWN] = {view.settings.model: run_id for run_id, view in usable.items()}
        st.session_state[_MISSING] = bool(query.get("own")) and (not usable or len(usable) < len(wanted))
    chosen: dict[str, str] = st.session_state[_OWN]
    return chosen
