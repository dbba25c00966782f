"""Training in the page: what one visitor started, and its curves as they grow.

The runs themselves are processes of their own (`runs.jobs`), so that a page only looks: one second after the
other while something trains, and never again once all is still. What it sees travels to the browser as one binary
message, in which playing and scrubbing then ask nothing of the server.
"""

from __future__ import annotations

import dataclasses
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from seqdemo import paths
from seqdemo.errors import SeqdemoError
from seqdemo.runs import recordings
from seqdemo.runs.limits import is_allowed
from seqdemo.runs.view import View
from seqdemo.studies.study import listed
from seqdemo.training.settings import OWN_WORDS, PRESETS, RunSettings
from seqdemo.ui import resources
from seqdemo.ui.shared import address, sources
from seqdemo.ui.shared.component import component
from seqdemo.ui.shared.marks import mark, plain
from seqdemo.ui.train import train_picture, train_plan

_train = component("train/train.js", "train/train.css")
"""Training runs as curves and heatmaps; its data is a `message`.

Its state `visitor` is the name that this browser was given at an earlier visit, where that is not the message's."""
MAX_KNOWN = 12
"""Runs that one visitor's page remembers."""
_SESSION = "train_session"
# On a phone the form would push the curves out of sight.
_CURVES_FIRST = """
<style>
@media (max-width: 640px) { [data-testid="stColumn"]:has(.st-key-train_watch) { order: -1; } }
</style>
"""
IN_ADDRESS = (*train_plan.IN_ADDRESS, "runs", "preset")
"""The entries of the address that are this page's own."""
_MAX_LABEL = 200
_VISITOR = re.compile(r"[0-9a-f]{32}")


@dataclass
class Session:
    """What one visitor trains and looks at.

    Attributes:
        visitor: Names the visitor to the queue; secret. The browser keeps it, so that after a reload the visitor's
            runs are still theirs; no link holds it.
        runs: Ids of the runs known to this page, the oldest first.
        shown: Ids of those whose curves are on screen; empty while a recording is.
        preset: The recording on screen where there is no run.
        closely: The run that is looked at closely: its id, or its label where it is a recording's; empty as long as
            none was chosen.
        play: Counts how often a recording was to be played from its start.
        problem: Why the last wish could not be fulfilled, in a sentence.
        warning: What in the link could not be used, in a sentence.
    """

    visitor: str = field(default_factory=lambda: secrets.token_hex(16))
    runs: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    preset: str = next(iter(PRESETS))
    closely: str = ""
    play: int = 0
    problem: str = ""
    warning: str = ""

    def recognise(self, visitor: object) -> bool:
        """Takes the name that the browser was given at an earlier visit; returns whether it is another one."""
        if not isinstance(visitor, str) or not _VISITOR.fullmatch(visitor) or visitor == self.visitor:
            return False
        self.visitor = visitor
        return True

    def add(self, run_ids: Sequence[str]) -> None:
        """Puts runs on screen, up to four; forgets the oldest of very many."""
        self.runs += [run_id for run_id in run_ids if run_id not in self.runs]
        del self.runs[:-MAX_KNOWN]
        self.shown = [run_id for run_id in run_ids if run_id in self.runs][: train_plan.MAX_RUNS]

    def remember(self, run_ids: Sequence[str]) -> None:
        """Takes the runs of earlier visits, the oldest first, before those that are known here."""
        self.runs = [*(run_id for run_id in run_ids if run_id not in self.runs), *self.runs][-MAX_KNOWN:]

    def forget(self, run_id: str) -> None:
        """Leaves out a run that was deleted."""
        self.runs = [known for known in self.runs if known != run_id]
        self.shown = [known for known in self.shown if known != run_id]
        self.closely = "" if self.closely == run_id else self.closely


def session() -> Session:
    """This visitor's session, begun from the link at the first call."""
    if _SESSION not in st.session_state:
        query = st.query_params.to_dict()
        found = Session()
        wanted = address.ids(query, "runs", most=MAX_KNOWN)
        found.add([run_id for run_id in wanted if resources.jobs().view(run_id) is not None])
        if query.get("runs") and (not wanted or len(found.runs) < len(wanted)):
            found.warning = "A run of this link is not here any more. Runs are deleted after a while."
        asked = address.Asked(query)
        found.preset = asked.choice("preset", PRESETS, found.preset)
        found.warning = " ".join(filter(None, [found.warning, *asked.refused]))
        found.closely = address.text(query, "closely", most=_MAX_LABEL)
        if address.is_id(found.closely) and resources.jobs().view(found.closely) is not None:
            found.remember([found.closely])  # it need not be one whose curves are on screen
        st.session_state[_SESSION] = found
    found = st.session_state[_SESSION]
    assert isinstance(found, Session)
    return found


def recorded() -> list[str]:
    """The presets that can be watched without training."""
    return recordings.names(paths.PRETRAINED / "runs")


def on_screen() -> list[train_picture.Shown]:
    """The runs whose curves are on screen: those that were started, otherwise a recording."""
    now = session()
    views = [view for view in map(resources.jobs().view, now.shown) if view is not None]
    if not views and (names := recorded()):
        try:
            name = now.preset if now.preset in names else names[0]
            views = [recording.view() for recording in resources.recording(name, str(paths.PRETRAINED / "runs"))]
        except SeqdemoError as error:
            now.problem = str(error)
    return train_picture.side_by_side(views)


def is_mine(view: View) -> bool:
    """Whether this visitor started or loaded a run, and so may steer and name it."""
    return resources.jobs().belongs_to(view.id, session().visitor)


def is_running() -> bool:
    """Whether a run on screen may still change by itself."""
    views = map(resources.jobs().view, session().shown)
    return any(not view.has_ended for view in views if view is not None)


def watch() -> None:
    """Draws the runs with their buttons, and the curves; again each second while something trains."""
    st.html(_CURVES_FIRST)
    with st.container(key="train_watch"):
        sources.live(_watch, is_running)


def _watch() -> None:
    now, runs = session(), on_screen()
    own = [run for run in runs if run.view.id]
    if own:
        with st.container(gap="xsmall"):
            for run in own:
                _row(run)
        others = [plain(run.label) for run in own if not run.view.has_ended and not is_mine(run.view)]
        if others:
            st.caption(f"{listed(others)}: started by someone else, so you can watch but not pause or stop.")
        if devices := {train_picture.where(run.view.start) for run in own if run.view.start}:
            st.caption(f"Computed on: {'; '.join(sorted(devices))}")
    elif runs:
        invitation = " Play it again, or press Start to train it yourself." if is_allowed() else ""
        st.caption(f"Recorded beforehand with these settings: {PRESETS[now.preset].label}.{invitation}")
    for said in (now.warning, now.problem):
        if said:
            st.warning(plain(said), icon=":material/info:")
    found = _train(
        key="train_picture",
        data=train_picture.message(
            runs, entries=address.entries(link(now), IN_ADDRESS), play=now.play, visitor=now.visitor
        ),
        on_visitor_change=lambda: None,
    )
    if now.recognise(found.visitor):
        _remember_earlier(now)
        st.rerun()  # the whole page: other things can be done now


def _remember_earlier(now: Session) -> None:
    """Finds the visitor's runs without a link; on screen are those that still train, or the last one, if no others."""
    earlier = [view for view in map(resources.jobs().view, resources.jobs().of(now.visitor)) if view is not None]
    now.remember([view.id for view in earlier])
    if not now.shown and "preset" not in st.query_params:
        going = [view.id for view in earlier if not view.has_ended]
        now.shown = (going or [view.id for view in earlier[-1:]])[-train_plan.MAX_RUNS :]


def _row(run: train_picture.Shown) -> None:
    """One run: what it does now, and what can be done with it."""
    view = run.view
    text, buttons = st.columns([3, 2], vertical_alignment="center", gap="small")
    text.markdown(f"{mark(view.settings.model)} **{plain(run.label)}**  \n:small[{plain(train_picture.status(view))}]")
    with buttons, st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        if view.has_ended and is_allowed():
            _button("Again", "replay", "again", view, _again, "Start again with the same seed")
            _button("New seed", "casino", "seed", view, _new_seed, "Start again with another seed")
        elif not view.has_ended and is_mine(view):
            paused = view.state == "paused"
            steer = resources.jobs().resume if paused else resources.jobs().pause
            name, icon = ("Resume", "play_arrow") if paused else ("Pause", "pause")
            _button(name, icon, "pause", view, steer, disabled=view.state not in {"running", "paused"})
            _button("Stop", "stop", "stop", view, resources.jobs().stop)
    if view.state in {"failed", "killed"}:
        lesson = f" What teaches it: {train_plan.LABELS[view.setting].split(' (')[0]}." if view.setting else ""
        with st.container(horizontal=True, vertical_alignment="center"):
            st.warning(plain(f"{view.message} {view.advice}{lesson}".strip()), icon=":material/error:")
            if is_allowed() and mended(view) is not None:
                _button("Change that and start", "build", "mend", view, _mend)


def _button(label: str, icon: str, name: str, view: View, do: Any, tip: str = "", *, disabled: bool = False) -> None:
    st.button(
        label,
        icon=f":material/{icon}:",
        key=f"train_{name}_{view.id}",
        on_click=do,
        args=(view.id,),
        help=tip or None,
        disabled=disabled,
    )


def _again(run_id: str, seed: int | None = None, settings: RunSettings | None = None) -> None:
    """Puts a new run in the place of an ended one."""
    now = session()
    now.problem = now.warning = ""
    try:
        registry = resources.jobs()
        if settings is None:
            new = registry.again(run_id, seed=seed, visitor=now.visitor)
        else:
            new = registry.start(settings, visitor=now.visitor)
    except SeqdemoError as error:
        now.problem = str(error)
        return
    now.add([new if shown == run_id else shown for shown in now.shown])


def _new_seed(run_id: str) -> None:
    _again(run_id, seed=secrets.randbelow(9_999) + 1)


def _mend(run_id: str) -> None:
    view = resources.jobs().view(run_id)
    settings = mended(view) if view is not None else None
    if settings is not None:
        _again(run_id, settings=settings)


def mended(view: View) -> RunSettings | None:
    """The settings with the one changed that teaches a failure, or None where no single change is the lesson."""
    settings = view.settings
    if view.kind not in {"nan", "explosion"} or settings.task in {"own", OWN_WORDS}:  # would have to be sent again
        return None
    if view.setting == "clip_norm":
        return dataclasses.replace(settings, clip_norm=1.0)
    if view.setting == "learning_rate" and settings.learning_rate >= 1e-5:
        return dataclasses.replace(settings, learning_rate=settings.learning_rate / 10)
    return None


def link(now: Session) -> dict[str, str]:
    """The entries of the address that open this page with the form as it stands, and with what is on screen."""
    words = dict(st.session_state.get("train_link", {}))
    if now.shown:
        words["runs"] = ",".join(now.shown)
    elif now.runs or now.preset != next(iter(PRESETS)):
        words["preset"] = now.preset
    return words
