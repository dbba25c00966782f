"""Live sentiment: the box, the five verdicts, the curves, and what was typed so far.

One fragment answers each edit: the box reports 120 ms after the last key, and the
verdicts follow. After a second without a key it reports once more, and the curves are
asked for; they are computed in the background, so that whoever types on never waits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from seqdemo.explain.prefixes import MAX_BEGINNINGS
from seqdemo.models.registry import MODELS
from seqdemo.serve import word_notes
from seqdemo.serve.verdicts import percent, verdict
from seqdemo.studies.study import listed
from seqdemo.text import Reading
from seqdemo.ui import resources
from seqdemo.ui.shared import address, old_box, own_models, sources
from seqdemo.ui.shared.component import component, sent
from seqdemo.ui.shared.examples import EXAMPLES

if TYPE_CHECKING:
    from seqdemo.checkpoints.classifier import Classifier
    from seqdemo.explain.prefixes import Curve

_verdicts = component("sentiment/verdicts.js", "sentiment/verdicts.css")
"""A card for each model; sets its state `asked` when it was told to ask again."""
_curves = component("sentiment/curves.js", "sentiment/curves.css")
"""P(positive) after each word, one line for each model, one cursor."""
_WAIT_S = 0.2
_ASK_AGAIN_MS, _ASK_AGAIN_MOST_MS = 200, 1_000
_SESSION = "live"
_EVERYONE = {1: "The model", 2: "Both", 3: "All three", 4: "All four", 5: "All five"}


def render() -> None:
    """Draws the box with everything that answers to it."""
    review = st.session_state.get("review")
    if _SESSION not in st.session_state:
        linked = address.text(st.query_params.to_dict(), "review")
        st.session_state[_SESSION] = old_box.Session(linked or review or EXAMPLES[0].text)
    session: old_box.Session = st.session_state[_SESSION]
    box_is_new = st.session_state.get("review_box", {}).get("edit") is None
    if review is not None and review != session.text:  # another page changed it
        session.give(review)
    elif box_is_new and session.n > 0:  # back from another page: the browser has a new box
        session.give(session.text)
    _answer()


@st.fragment
def _answer() -> None:
    session: old_box.Session = st.session_state[_SESSION]
    old_box.ask(session, "review_box", EXAMPLES)
    st.session_state["review"] = session.text
    models = own_models.answering()
    readings = own_models.read(session.text)
    named = own_models.named(readings)
    session.now = {
        name: percent(resources.probability(models[name], reading))
        for name, reading in readings.items()
        if reading.tokens
    }
    waiting = _update_curves(session, models, named)
    again = None
    if waiting or not resources.store().settled:
        session.asked += 1
        ms = min(_ASK_AGAIN_MS + 50 * session.asked, _ASK_AGAIN_MOST_MS)
        again = {"n": session.asked, "ms": ms}
    else:
        session.asked = 0
    _verdicts(
        key="verdicts",
        data=sent(
            {
                "order": [session.rev, session.n],
                "note": word_notes.note(named) if named else "" if resources.store().settled else "Loading the models",
                "notices": word_notes.notices(named, session.n_characters) if named else [],
                "lead": "P(positive): how sure each model is that this is positive",
                "cards": [_card(name, session) for name in MODELS],
                "summary": summary(session.now) if session.settled else "",
                "again": again,
            }
        ),
        on_asked_change=_nothing,
    )
    _curves(key="curves", data=sent(session.curves))


def summary(percents: Mapping[str, int]) -> str:
    """All verdicts in one line, for those who listen."""
    return ", ".join(f"{MODELS[name].label} {verdict(p)}, {p} per cent" for name, p in percents.items())


def finding(words: Sequence[str], curves: Mapping[str, Curve], every_word: Sequence[str]) -> str:
    """What the curves show, in one sentence.

    Args:
        words: The words read.
        curves: The curve of each model, by name.
        every_word: Models whose curve has a point at every word.

    Returns:
        Since when they agree; otherwise whose verdict turned how often; otherwise how they differ.
    """
    verdicts = {name: [verdict(percent(p)) for p in curve[1].tolist()] for name, curve in curves.items()}
    last = {name: said[-1] for name, said in verdicts.items()}
    everyone = _EVERYONE.get(len(curves), "All")
    be = "are" if len(curves) > 1 else "is"
    if len(set(last.values())) == 1:
        answer = next(iter(last.values()))
        if len(words) == 1:
            return f"{everyone} {be} {answer} after one word"
        since = max(_last_change(curves[name][0], said) for name, said in verdicts.items())
        if since == 0:
            return f"{everyone} {be} {answer} from the first word on"
        if since == len(words) - 1:
            return f"{everyone} {be} {answer}, but only at the last word"
        return f"{everyone} {be} {answer} from word {since + 1} on: “{words[since][:30]}”"
    turns = {name: _turns(verdicts[name]) for name in every_word}
    if turns:
        most, least = max(turns, key=lambda name: turns[name]), min(turns, key=lambda name: turns[name])
        if turns[most] >= 2 and turns[most] > turns[least]:
            return (
                f"The {MODELS[most].label} changes its mind {_times(turns[most])}, "
                f"the {MODELS[least].label} {_times(turns[least])}"
            )
    groups = []
    for answer in ("positive", "unsure", "negative"):
        names = [MODELS[name].label for name in last if last[name] == answer]
        if names:
            groups.append(f"{listed(names) if len(names) <= 2 else len(names)} {answer}")
    return f"The models disagree: {'; '.join(groups)}"


def _update_curves(session: old_box.Session, models: Mapping[str, Classifier], readings: Mapping[str, Reading]) -> bool:
    """Shows the curves that are ready and asks for those that are wanted; True while they are awaited."""
    key = (session.text, *(model.sha256 for model in models.values()))
    loading = not resources.store().settled
    if loading or not any(reading.tokens for reading in readings.values()):
        _cancel(session)
        session.curves_key, session.curves = (), _no_curves(loading=loading)
        return False
    if key == session.curves_key:
        session.curves = {**session.curves, "stale": False}
        return False
    if not session.settled:
        _cancel(session)
        session.curves = {**(session.curves or _no_curves(loading=True)), "stale": True}
        return False
    if session.job is None or session.job_key != key:
        _cancel(session)
        session.job, session.job_key = resources.curve_worker().submit(list(models.values()), session.text), key
        session.asked = 0
    try:
        curves = session.job.result(timeout=0 if session.asked else _WAIT_S)
    except TimeoutError:
        session.curves = {**(session.curves or _no_curves(loading=True)), "stale": True}
        return True
    session.job = None
    session.curves_key = key
    session.curves = curve_data(readings, curves, [name for name, model in models.items() if model.has_prefix_states])
    session.curves["id"] = f"{session.rev}.{session.n}"
    for line, name in zip(session.curves["lines"], curves, strict=True):
        line["label"] = own_models.label(name)
    return False


def curve_data(
    readings: Mapping[str, Reading], curves: Mapping[str, Curve], every_word: Sequence[str]
) -> dict[str, Any]:
    """What the chart in the browser is drawn from.

    Args:
        readings: What each model reads of the text.
        curves: The curve of each model, by name.
        every_word: Models whose curve has a point at every word; the others are drawn with dots.
    """
    shown = word_notes.shown(readings)
    labels = [MODELS[name].label for name in curves if name not in every_word]
    how = "How to read this: each line is what a model would say if the review ended after that word."
    if labels:
        how += f" {listed(labels)}: re-run on up to {MAX_BEGINNINGS} beginnings of the text (dots)."
    ends = ", ".join(f"{MODELS[name].label} {percent(curve[1][-1])} %" for name, curve in curves.items())
    return {
        "stale": False,
        "title": finding(shown["words"], curves, every_word),
        "how": how,
        "alt": f"P(positive) after each of {len(shown['words'])} words. At the end: {ends}.",
        **shown,
        "invitation": "",
        "lines": [
            {
                "label": MODELS[name].label,
                "colour": MODELS[name].colour,
                "dash": MODELS[name].dash,
                "sampled": name not in every_word,
                "steps": None if name in every_word else steps.tolist(),
                # Downwards, so that the browser rounds halves of a per cent as `percent` does.
                "permille": np.floor(probabilities.astype(float) * 1000).astype(int).tolist(),
            }
            for name, (steps, probabilities) in curves.items()
        ],
    }


def _no_curves(*, loading: bool) -> dict[str, Any]:
    return {
        "id": "loading" if loading else "empty",
        "stale": False,
        "title": "After each word",
        "how": "",
        "alt": "",
        "words": [],
        "unknown": [],
        "partly": {},
        "gap": None,
        "skipped": 0,
        "invitation": ""
        if loading
        else "Once there is a word to read, you see here how each verdict grows with every word.",
        "lines": [],
    }


def _card(name: str, session: old_box.Session) -> dict[str, Any]:
    spec, status = MODELS[name], resources.store().status(name)
    now, before = session.now.get(name), session.before.get(name)
    return {
        "name": name,
        "label": own_models.label(name),
        "colour": spec.colour,
        "dash": spec.dash,
        "percent": now,
        "verdict": "" if now is None else verdict(now),
        "delta": None if now is None or before is None else now - before,
        "loading": status.state == "loading",
        "problem": sources.why(status) if status.state == "failed" else "",
    }


def _cancel(session: old_box.Session) -> None:
    if session.job is not None:
        session.job.cancel()
        session.job = None


def _last_change(steps: Sequence[int] | np.ndarray[Any, Any], said: Sequence[str]) -> int:
    """Index of the word since which the verdict is the last one."""
    k = len(said) - 1
    while k > 0 and said[k - 1] == said[-1]:
        k -= 1
    return int(steps[k])


def _turns(said: Sequence[str]) -> int:
    """How often positive turned into negative or back; being unsure in between does not count."""
    sure = [word for word in said if word != "unsure"]
    return sum(one != other for one, other in pairwise(sure))


def _times(n: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(n, f"{n} times")


def _nothing() -> None:
    """A component's state is only declared where it has a callback."""
