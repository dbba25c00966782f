"""The run to start: presets that tell a story, then four choices with sensible answers already made."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from seqdemo.data import imdb, own_csv, own_words
from seqdemo.data.own_csv import LabelledTexts
from seqdemo.data.own_words import OwnWords
from seqdemo.data.tasks import MADE_UP
from seqdemo.errors import ConfigError, SeqdemoError
from seqdemo.models.registry import MODELS
from seqdemo.runs.limits import is_allowed
from seqdemo.training.settings import (
    BOUNDS,
    CHOICES,
    FIELDS,
    OWN_WORDS,
    PRESETS,
    TASK_LABELS,
    RunSettings,
    estimate_seconds,
    n_parameters,
)
from seqdemo.ui import resources
from seqdemo.ui.shared.marks import plain
from seqdemo.ui.train import train, train_picture, train_plan, train_upload
from seqdemo.ui.train.train_plan import LABELS, WORDS, Plan

_LINK, _TEXTS, _WORDS, _FETCH, _TRIES = (f"train_{part}" for part in ("link", "texts", "words", "fetch", "fetch_tries"))
_QUESTIONS: Mapping[str, str] = {
    "synthetic": "Is the opinion, which stands first, praise or scorn? Made up on the spot: what follows says nothing.",
    "imdb": "Is a real film review positive or negative?",
    "own": "Which label does each of your texts have?",
    **{name: task.question for name, task in MADE_UP.items()},
    OWN_WORDS: "Which word comes next in a text of yours? Its last two tenths are held back.",
}
_IN_GROUPS: Mapping[str, tuple[str, ...]] = {
    "Model": ("d_hidden", "n_layers", "d_embed", "dropout", "readout", "recurrent_init", "forget_bias", "update_bias"),
    "Training": ("learning_rate", "batch_size", "clip_norm", "optimiser", "schedule", "patience", "seed", "device"),
}
_STEPS: Mapping[str, float] = {
    "learning_rate": 0.001,
    "dropout": 0.1,
    "clip_norm": 0.5,
    "forget_bias": 1.0,
    "update_bias": 1.0,
    "negation": 0.1,
    "noise": 0.05,
}
_HELP: Mapping[str, str] = {
    "readout": "What the verdict is read from: the last state, or all states at once (pooling).",
    "recurrent_init": "The matrix from one state to the next, before training.",
    "forget_bias": "How far an LSTM's forget gate stands open at the start.",
    "update_bias": "How much of its state a GRU keeps at the start: above 0 more than it replaces.",
    "clip_norm": "A longer gradient is shortened to this length; 0 never shortens it.",
    "patience": "Epochs without a better validation result before it stops by itself.",
    "optimiser": "AdamW divides every gradient by its usual size; SGD feels every large one.",
    "schedule": "How the learning rate changes during training.",
    "seed": "Start of all chance: the same seed gives the same curve on a CPU.",
}


def presets() -> None:
    """Draws the comparisons that tell a story; a click replays one, and fills the form with it."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown("**Try first**", width="content")
        for name, preset in PRESETS.items():
            st.button(
                preset.label,
                key=f"train_preset_{name}",
                on_click=_take_preset,
                args=(name,),
                icon=":material/play_arrow:",
                disabled=not is_allowed() and name not in train.recorded(),
            )
    story = PRESETS[train.session().preset]
    st.markdown(f":small[**{story.label}.** {story.story}]")


def choose() -> None:
    """Draws the four choices, what they cost, and the button that starts."""
    _begin()
    if not is_allowed():
        st.info(
            "Training is switched off on this server. The buttons above replay runs that were recorded beforehand.",
            icon=":material/info:",
        )
        return
    st.markdown("**Or choose yourself**")
    _task()
    st.pills(
        "2 · Which models (up to four)",
        list(MODELS),
        selection_mode="multi",
        format_func=lambda name: MODELS[name].label,
        key="train_models",
        wrap=True,
        persist_state="session",
    )
    _vary()
    if st.session_state["train_vary"] != "epochs":
        _number("epochs", label="4 · How many epochs")
    with st.expander("All settings", icon=":material/tune:"):
        for group, names in _IN_GROUPS.items():
            st.markdown(f"**{group}**")
            for name in names:
                if name != st.session_state["train_vary"]:
                    _setting(name)
    _start_button()


def _begin() -> None:
    """Fills the form: from the link, otherwise with the first preset. Widgets keep what they hold from then on."""
    if "train_task" in st.session_state:
        return
    plan = train_plan.of_preset(train.session().preset)
    try:
        plan = train_plan.from_query(st.query_params.to_dict()) or plan
    except ConfigError as error:
        train.session().warning = f"The link cannot be used as it is: {error}"
    _put(plan)


def _put(plan: Plan) -> None:
    st.session_state["train_task"] = plan.base.task
    st.session_state["train_models"] = list(plan.models)
    st.session_state["train_vary"] = plan.vary
    st.session_state["train_values"] = ", ".join(_shown(value) for value in plan.values)
    st.session_state["train_choices"] = list(plan.values) if plan.vary in CHOICES else []
    for name in LABELS:
        st.session_state[f"train_{name}"] = getattr(plan.base, name)


def _read() -> Plan:
    """The plan that the form holds.

    Raises:
        ConfigError: It cannot be run; a sentence.
    """
    state = st.session_state
    vary = state["train_vary"] or ""
    models = tuple(name for name in MODELS if name in state["train_models"])
    entries = {name: state[f"train_{name}"] for name in LABELS}
    for name, value in entries.items():
        if value is None:  # a field that was emptied
            raise ConfigError(f"{LABELS[name]} needs a number.")
    if vary in CHOICES:
        values: tuple[Any, ...] = tuple(value for value in CHOICES[vary] if value in state["train_choices"])
    else:
        values = train_plan.parse_values(vary, state["train_values"])
    if values:
        entries[vary] = values[0]
    base = RunSettings(task=state["train_task"], model=models[0] if models else "rnn", **entries)
    return Plan(base=base, models=models, vary=vary, values=values)


def _task() -> None:
    task = st.selectbox(
        "1 · What to learn",
        list(TASK_LABELS),
        format_func=TASK_LABELS.__getitem__,
        key="train_task",
        persist_state="session",
    )
    st.caption(_QUESTIONS[task])
    if task == "own":
        st.session_state[_TEXTS] = train_upload.draw(resources.jobs().limits)
    elif task == OWN_WORDS:
        st.session_state[_WORDS] = train_upload.draw_words(resources.jobs().limits)
    elif task == "imdb":
        _film_reviews()
    vary = st.session_state["train_vary"]
    names = [name for name in train_plan.settings_that_count(task) if name != vary]
    labels = {"length": "Words read of each text, at most" if task in ("imdb", "own") else "Steps of each sequence"}
    for name in names:
        _number(name, label=labels.get(name))


def _vary() -> None:
    state = st.session_state
    options = ["", *(name for name in ("clip_norm", "readout", "recurrent_init", "forget_bias", "update_bias", "seed"))]
    options += [name for name in LABELS if name not in {*options, "device", "precision", "samples"}]
    st.selectbox(
        "3 · In what else the runs differ",
        options,
        format_func=lambda name: LABELS[name] if name else "Nothing else",
        key="train_vary",
        persist_state="session",
        on_change=_suggest_values,
    )
    vary = state["train_vary"]
    if not vary:
        return
    if vary in CHOICES:
        st.pills(
            "Compare",
            CHOICES[vary],
            selection_mode="multi",
            format_func=lambda value: WORDS.get(vary, {}).get(value, str(value)),
            key="train_choices",
            wrap=True,
            persist_state="session",
        )
    else:
        low, high = BOUNDS[vary]
        st.text_input(
            f"Compare these values, separated by commas ({low:,} to {high:,})",
            key="train_values",
            max_chars=80,
            persist_state="session",
        )


def _suggest_values() -> None:
    vary = st.session_state["train_vary"]
    if vary in CHOICES:
        st.session_state["train_choices"] = list(CHOICES[vary][:2])
    elif vary:
        now, (low, high) = st.session_state[f"train_{vary}"] or 0, BOUNDS[vary]
        other = {"clip_norm": 0, "forget_bias": -now, "update_bias": -now, "patience": 2, "seed": now + 1}.get(
            vary, now * 2
        )
        values = [now, min(high, max(low, other))] if other != now else [low, now]
        st.session_state["train_values"] = ", ".join(_shown(value) for value in values)


def _setting(name: str) -> None:
    if name == "device":
        _device()
    elif name in CHOICES:
        st.selectbox(
            LABELS[name],
            CHOICES[name],
            format_func=lambda value: WORDS.get(name, {}).get(value, str(value)),
            key=f"train_{name}",
            help=_HELP.get(name),
            persist_state="session",
        )
    else:
        _number(name)


def _number(name: str, label: str | None = None) -> None:
    low, high = BOUNDS[name]
    kind = FIELDS[name]
    step = kind(_STEPS.get(name, 500 if name == "samples" else 1))
    if name in {"d_hidden", "d_embed"}:
        step = 4
    st.number_input(
        label or LABELS[name],
        min_value=kind(low),
        max_value=kind(high),
        step=step,
        format="%g" if kind is float else "%d",
        key=f"train_{name}",
        help=_HELP.get(name),
        persist_state="session",
    )


def _device() -> None:
    """The devices of this machine by name, once torch is there to ask."""
    if not resources.store().settled:
        st.selectbox("Device", ["auto"], format_func=lambda _: "Found by itself", disabled=True, key="train_no_device")
        return
    from seqdemo.training import devices  # imports torch

    found = devices.available()
    words = {"auto": f"Found by itself: {_device_words(found[0])}"}
    words |= {device.name: _device_words(device) for device in found}
    if st.session_state["train_device"] not in words:  # a link from another machine
        st.session_state["train_device"] = "auto"
    st.selectbox(
        "Device", list(words), format_func=lambda name: words[name], key="train_device", persist_state="session"
    )


def _device_words(device: Any) -> str:
    memory = f", {device.memory_bytes / 1024**3:.0f} GiB" if device.memory_bytes else ""
    return f"{device.label}{memory}"


def _film_reviews() -> None:
    """Where the reviews are; fetched from the Hub on a click where they are not."""
    where = imdb.whereabouts()
    if where:
        st.caption(f"50,000 reviews: {where}.")
        return
    future = st.session_state.get(_FETCH)
    if future is None:
        st.button("Fetch the film reviews (21 MB, from the Hub)", icon=":material/download:", on_click=_fetch)
    elif not future.done():
        _fetching()
    elif (error := future.exception()) is not None:
        st.warning(plain(str(error)), icon=":material/error:")
        st.button("Try again", icon=":material/refresh:", on_click=_fetch)


def _fetch() -> None:
    def both() -> None:
        for split in ("train", "test"):
            imdb.locate(split)

    st.session_state[_TRIES] = st.session_state.get(_TRIES, 0) + 1
    key = ("imdb", train.session().visitor, str(st.session_state[_TRIES]))
    st.session_state[_FETCH] = resources.downloads().ask(key, both)


@st.fragment(run_every=1.0)
def _fetching() -> None:
    if st.session_state[_FETCH].done():
        st.rerun()
    st.progress(imdb.share_fetched(), text="Fetching the film reviews from the Hub")


def _start_button() -> None:
    """What the runs cost, and the button; or why they cannot be started."""
    problem = ""
    runs: list[RunSettings] = []
    try:
        plan = _read()
        runs = plan.runs()
        st.session_state[_LINK] = plan.words()
    except ConfigError as error:
        problem = str(error)
    task = st.session_state["train_task"]
    texts: LabelledTexts | None = st.session_state[_TEXTS] if task == "own" else None
    words: OwnWords | None = st.session_state[_WORDS] if task == OWN_WORDS else None
    if not problem and task == "own" and texts is None:
        problem = "Upload a table to train on."
    elif not problem and task == OWN_WORDS and words is None:
        problem = "Upload a text to train on."
    elif not problem and task == "imdb" and not imdb.whereabouts():
        problem = "The film reviews are not on this machine yet."
    slot = st.container()
    st.button(
        "Start training" if len(runs) < 2 else f"Start {len(runs)} runs",
        key="train_start",
        type="primary",
        icon=":material/model_training:",
        width="stretch",
        disabled=bool(problem),
        on_click=_start,
        args=(runs, texts, words),
    )
    if problem:
        slot.warning(plain(problem), icon=":material/info:")
    elif runs:
        slot.markdown(f":small[{plain(_cost(runs, texts, words))}]")


def _cost(runs: Sequence[RunSettings], texts: LabelledTexts | None, words: OwnWords | None) -> str:
    """Parameters of each run, and about how long all of them take."""
    n_classes = len(texts.classes) if texts else 2
    labels = train_plan.run_labels(runs)
    n_words = len(words.vocabulary) if words else None
    sizes = [n_parameters(run, n_classes=n_classes, n_words=n_words) for run in runs]
    counts = [f"{label} {size:,}" for label, size in zip(labels, sizes, strict=True)]
    n_texts = len(texts) if texts else 2_000
    seconds = [estimate_seconds(run, slowness=resources.jobs().slowness, n_texts=n_texts) for run in runs]
    at_once = resources.jobs().limits.max_jobs
    total = max(max(seconds), sum(seconds) / at_once)
    _, waiting = resources.jobs().busy()
    queue = f" {waiting} other {'run waits' if waiting == 1 else 'runs wait'} already." if waiting else ""
    return f"Parameters: {'; '.join(counts)}. About {train_picture.duration(max(5, total))} on a CPU.{queue}"


# Of two clicks in quick succession the second is answered while the first still starts its runs: Streamlit tells the
# first answer to stop and begins another beside it.
_STARTING = threading.Lock()


def _start(runs: Sequence[RunSettings], texts: LabelledTexts | None, words: OwnWords | None) -> None:
    now = train.session()
    now.problem = now.warning = ""
    registry = resources.jobs()
    with _STARTING:
        known = (registry.view(run_id) for run_id in now.runs if registry.belongs_to(run_id, now.visitor))
        if any(view is not None and not view.has_ended and view.settings in runs for view in known):
            now.problem = "These runs are under way already; stop them first, or change something."
            return
        started: list[str] = []
        table = None if texts is None else own_csv.written(texts)
        table = table if words is None else own_words.written(words)
        try:
            for settings in runs:
                started.append(registry.start(settings, visitor=now.visitor, table=table))
        except SeqdemoError as error:
            now.problem = str(error)
        if started:
            now.add(started)


def _take_preset(name: str) -> None:
    """Fills the form with a preset and shows what it once did, unless something trains on screen. Starts nothing."""
    now = train.session()
    now.preset = name
    now.problem = now.warning = ""
    _put(train_plan.of_preset(name))
    if not train.is_running():
        now.shown = []
        now.play += 1


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else f"{value}"
