"""The stepper: two recurrent models read one text, step by step, in the browser.

The trace of both models is one binary message, sent once; playing, stepping and
scrubbing need nothing more. The equations of the picked units travel in a second,
small message, so that another pick neither sends the text again nor moves the cursor.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import streamlit as st

from seqdemo.models.registry import MODELS
from seqdemo.serve import word_notes
from seqdemo.serve.message import pack
from seqdemo.serve.verdicts import percent, verdict
from seqdemo.text import SENTENCE_ENDS, Reading
from seqdemo.trace import SIGNALS
from seqdemo.ui import resources
from seqdemo.ui.shared import address, old_box, own_models, sources
from seqdemo.ui.shared.component import component
from seqdemo.ui.shared.examples import EXAMPLES, Example

if TYPE_CHECKING:
    from seqdemo.checkpoints.classifier import Classifier
    from seqdemo.trace import Trace

_stepper = component("stepper/stepper.js", "stepper/cell.css shared/js/desk.css")
"""Two models along one text; its data is a `trace_message`. Its state `choice` holds, for each side, {model, units}."""
_stepper_units = component("stepper/stepper_units.js")
"""Shows nothing: hands the numbers of the picked units to the stepper."""
NAMES = tuple(name for name, spec in MODELS.items() if spec.has_states)
"""The models that can be stepped through."""
SIDES = ("left", "right")
DEFAULT = {"left": "rnn", "right": "lstm"}
LONG_PLOT = Example(
    "Long plot",
    "This is a terrible film, one of the worst I have ever seen. It begins in a small harbour town, where a young"
    " clerk finds a letter behind the counter of the post office. The letter was written forty years before and "
    "never sent. He takes the night train to the city to look for the woman whose name is on the envelope, and on"
    " the way he meets a retired sailor, who remembers her brother. They go from house to house, from one street "
    "to the next, and in the evening they sit in the station and wait. Meanwhile his employer has noticed that "
    "the letter is missing and sends two men after him. On the third day they reach the river, and an old "
    "ferryman tells them what happened in the winter of the flood, when the bridge was carried away. The clerk "
    "writes down the names of the streets, one after the other. In the house beside the church a lamp is burning,"
    " and a man with a grey coat opens the door.",
)
"""What stands on screen first: an opinion, then a long plot without one."""
_SESSION = "stepper_session"
_MOST_UNITS = 2**16
"""A larger number names no unit of any model; whether this one has as many is seen once it is loaded."""
_GATES = ("forget_gate", "input_gate", "output_gate", "reset_gate", "update_gate")
_MAPS = ("hidden", "cell")
_SHARE_IN_SCALE = 0.98
"""Single units of a cell state run far beyond all others and would leave these without colour."""


@dataclass
class Session:
    """What one visitor looks at.

    Attributes:
        box: The text box and what was typed into it.
        text: The text on screen; follows the box when the typist pauses.
        models: Side → name of the model.
        units: Side → picked unit of each direction, from 0; empty for the stand-out ones.
    """

    box: old_box.Session
    text: str
    models: dict[str, str] = field(default_factory=lambda: dict(DEFAULT))
    units: dict[str, list[int]] = field(default_factory=lambda: {side: [] for side in SIDES})

    def choose(self, choice: object) -> None:
        """Takes what was chosen in the browser or stood in the link; what cannot be is left as it was."""
        if not isinstance(choice, Mapping):
            return
        for side in SIDES:
            match choice.get(side):
                case {"model": str(name), "units": list(units)} if name in NAMES:
                    self.models[side] = name
                    self.units[side] = [unit for unit in units if isinstance(unit, int) and unit >= 0]


def start(query: Mapping[str, str], review: str | None) -> Session:
    """A visitor's first view.

    Args:
        query: The address: `review`, `left`, `right`, `left_unit`, `right_unit`.
        review: What the visitor wrote on another page, if anything.
    """
    written = review if review and review != EXAMPLES[0].text else None
    box = old_box.Session(address.text(query, "review") or written or LONG_PLOT.text)
    session = Session(box, box.text)
    session.choose(
        {
            side: {
                "model": address.choice(query, side, NAMES, DEFAULT[side]),
                "units": [unit - 1 for unit in address.integers(query, f"{side}_unit", 1, _MOST_UNITS, most=2)],
            }
            for side in SIDES
        }
    )
    return session


def render() -> None:
    """Draws the text box, and what two models make of the text."""
    review = st.session_state.get("review")
    if _SESSION not in st.session_state:
        st.session_state[_SESSION] = start(st.query_params.to_dict(), review)
    session: Session = st.session_state[_SESSION]
    box_is_new = st.session_state.get("stepper_box", {}).get("edit") is None
    if review is not None and review not in (session.box.text, EXAMPLES[0].text):  # another page changed it
        session.box.give(review)
        session.text = session.box.text
    elif box_is_new and session.box.n > 0:  # back from another page: the browser has a new box
        session.box.give(session.box.text)
    sources.live(_answer, lambda: not resources.store().settled)


def _answer() -> None:
    session: Session = st.session_state[_SESSION]
    with st.expander("Change the text", icon=":material/edit:"):
        old_box.ask(session.box, "stepper_box", (LONG_PLOT, *EXAMPLES))
    if session.box.n > 0 and session.box.settled:
        session.text = session.box.text
        st.session_state["review"] = session.text
    session.choose(st.session_state.get("stepper", {}).get("choice"))
    models = own_models.answering()
    readings = own_models.read(session.text)
    if not any(reading.tokens for reading in readings.values()):
        message, units = _nothing_to_step(session, readings), b""
    else:
        shown = {side: models.get(name) for side, name in session.models.items()}
        traces = {side: resources.steps(model, session.text) for side, model in shown.items() if model is not None}
        message = trace_message(session, readings, shown, traces)
        units = unit_message(session, shown, traces)
    _stepper_units(key="stepper_units", data=units, height=1)
    _stepper(key="stepper", data=message, on_choice_change=_nothing)


def trace_message(
    session: Session,
    readings: Mapping[str, Reading],
    models: Mapping[str, Classifier | None],
    traces: Mapping[str, Trace],
) -> bytes:
    """All that is needed to step through a text, as one binary message.

    Args:
        session: What is looked at.
        readings: What each model reads of the text, by name.
        models: Side → its model, or None where it could not be loaded.
        traces: Side → its trace.
    """
    from seqdemo.explain import steps

    arrays: dict[str, npt.NDArray[Any]] = {}
    columns, curves = [], {}
    for side in SIDES:
        model = models[side]
        spec = MODELS[session.models[side]]
        column: dict[str, Any] = {
            "side": side,
            "name": spec.name,
            "label": own_models.label(spec.name),
            "colour": spec.colour,
            "dash": spec.dash,
            "cell": spec.fixed["cell"],
            "problem": "",
            "lanes": [],
        }
        columns.append(column)
        if model is None:
            column["problem"] = _problem(spec.name)
            continue
        traced = traces[side]
        curve = _curve(model, traced, session.text)
        curves[side] = curve
        arrays[f"{side}.curve"] = curve[1]
        column["steps"] = None if model.has_prefix_states else curve[0].tolist()
        column["accuracy"] = model.metrics.get("test_accuracy")
        for k, direction in enumerate(directions(traced)):
            lane = f"{side}.{k}"
            names = steps.signal_names(traced, direction)
            hidden = traced.signals[f"hidden{direction}"][-1]
            arrays[f"{lane}.order"] = steps.by_activity(hidden)
            bounds = {}
            for name in _MAPS:
                if name in names:
                    signal = traced.signals[name + direction][-1]
                    bounds[name] = _bound(signal, SIGNALS[name].high)
                    arrays[f"{lane}.{name}"] = steps.quantised(signal, bounds[name])
            gates = [name for name in _GATES if name in names]
            for name in gates:
                arrays[f"{lane}.{name}"] = steps.spread(traced.signals[name + direction][-1])
            column["lanes"].append(
                {
                    "direction": ("forwards", "backwards")[k],
                    "n_units": hidden.shape[1],
                    "bounds": bounds,
                    "gates": [
                        {"name": name, "symbol": SIGNALS[name].symbol, "meaning": _meaning(name)} for name in gates
                    ],
                }
            )
    named = own_models.named({name: readings[name] for name in session.models.values() if name in readings} or readings)
    title, at = finding(
        next(iter(named.values())), {side: (session.models[side], curve) for side, curve in curves.items()}
    )
    header = {
        "kind": "trace",
        "id": _id(session, models),
        "text_id": _digest(session.text),
        "review": "" if session.text == LONG_PLOT.text else session.text,
        "link_characters": old_box.LINK_CHARACTERS,
        "title": title,
        "start": at,
        "note": word_notes.note(named),
        "notices": word_notes.notices(named, session.box.n_characters),
        **word_notes.shown(named),
        "names": [{"name": name, "label": MODELS[name].label} for name in NAMES],
        "columns": columns,
    }
    return pack(header, arrays)


def unit_message(session: Session, models: Mapping[str, Classifier | None], traces: Mapping[str, Trace]) -> bytes:
    """The numbers of the picked units' equations, as one binary message."""
    from seqdemo.explain import steps

    arrays: dict[str, npt.NDArray[Any]] = {}
    lanes = {}
    for side, traced in traces.items():
        model = models[side]
        assert model is not None
        for k, direction in enumerate(directions(traced)):
            n_units = traced.signals["hidden"].shape[-1]
            picked = session.units[side][k] if k < len(session.units[side]) else -1
            unit = picked if 0 <= picked < n_units else steps.standout_unit(model, traced, direction)
            numbers = steps.unit_steps(model, traced, session.text, unit, direction)
            lane = f"{side}.{k}"
            lanes[lane] = {"unit": unit, "biases": numbers.biases}
            arrays |= {f"{lane}.{name}": values for name, values in numbers.series.items()}
    return pack({"kind": "units", "id": _id(session, models), "lanes": lanes}, arrays)


def directions(traced: Trace) -> tuple[str, ...]:
    """The directions in which a model read, as the suffixes of its signals' names."""
    from seqdemo.explain import steps

    return (steps.FORWARD, steps.BACKWARD) if "hidden_backward" in traced.signals else (steps.FORWARD,)


def finding(
    reading: Reading, curves: Mapping[str, tuple[str, tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]]]
) -> tuple[str, int]:
    """What the two curves show, in one sentence, and the step at which it is to be seen.

    Args:
        reading: What the models read.
        curves: Side → (name of the model, its P(positive) after words).

    Returns:
        Which model's verdict left that of the first sentence, and after how many words;
        otherwise both verdicts at the end. The index of the step.
    """
    last = len(reading.tokens) - 1
    end = first_sentence_end([token.text for token in reading.tokens])
    if not curves:
        return "Neither model could be loaded", last
    said = {MODELS[name].label: curve for name, curve in curves.values()}  # twice the same model counts once
    if end is not None:
        lost = {label: lost_after(curve, end) for label, curve in said.items()}
        if all(step is not None for step in lost.values()):
            gone = [(label, step) for label, step in lost.items() if step is not None and step >= 0]
            kept = [label for label, step in lost.items() if step == -1]
            if not gone:
                whose = "Both models still give" if len(kept) > 1 else f"The {kept[0]} still gives"
                return f"{whose} the verdict of the first sentence at the end", last
            gone.sort(key=lambda found: found[1])
            sentence = f"The {gone[0][0]} has lost the first sentence by word {gone[0][1] + 1}"
            if len(gone) > 1:
                sentence += f", the {gone[1][0]} by word {gone[1][1] + 1}"
            if kept:
                how = "wavers and comes back to it" if wavers(said[kept[0]], end) else "holds it to the end"
                sentence += f"; the {kept[0]} {how}"
            return sentence, gone[0][1]
    ends = [f"{percent(curve[1][-1])}\u00a0% by the {label}" for label, curve in said.items()]
    return f"Positive at the end: {', '.join(ends)}", last


def first_sentence_end(tokens: Sequence[str]) -> int | None:
    """Index of the mark that ends the first sentence, where another one follows it."""
    return next((k for k, token in enumerate(tokens[:-1]) if token in SENTENCE_ENDS), None)


def lost_after(curve: tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]], end: int) -> int | None:
    """Since which step a verdict is no longer that of the first sentence.

    Args:
        curve: Steps, and P(positive) after each.
        end: The step at which the first sentence ends.

    Returns:
        The first step after the last one with the first sentence's verdict; -1 where that
        one is the last of all; None where the first sentence left the model unsure.
    """
    verdicts = [verdict(percent(p)) for p in curve[1].tolist()]
    opening = int(np.searchsorted(curve[0], end))
    if verdicts[opening] == "unsure":
        return None
    held = max(k for k, verdict in enumerate(verdicts) if verdict == verdicts[opening])
    return -1 if held == len(verdicts) - 1 else int(curve[0][held + 1])


def wavers(curve: tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]], end: int) -> bool:
    """Whether a verdict was at some word the opposite of that of the first sentence, which ends at `end`."""
    verdicts = [verdict(percent(p)) for p in curve[1].tolist()]
    opening = int(np.searchsorted(curve[0], end))
    return any(verdict not in ("unsure", verdicts[opening]) for verdict in verdicts[opening:])


def _curve(model: Classifier, traced: Trace, text: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    if "probability" in traced.signals:
        return np.arange(len(traced.tokens), dtype=np.int64), traced.signals["probability"]
    return resources.curve_worker().submit([model], text).result()[model.name]


def _nothing_to_step(session: Session, readings: Mapping[str, Reading]) -> bytes:
    if readings:
        said = word_notes.note(own_models.named(readings))
    elif resources.store().settled:
        said = "No model could be loaded. The sidebar says why."
    else:
        said = "Loading the models"
    header = {"kind": "nothing", "said": said, "loading": not readings and not resources.store().settled}
    return pack(header | {"text_id": _digest(session.text)}, {})


def _bound(signal: npt.NDArray[np.float32], known: float | None) -> float:
    """The end of a colour scale: what is known of the signal, otherwise what 98 % of the values stay below."""
    return known if known is not None else float(np.quantile(np.abs(signal), _SHARE_IN_SCALE)) or 1.0


def _meaning(name: str) -> str:
    return SIGNALS[name].meaning.rpartition(" (")[0]


def _problem(name: str) -> str:
    status = resources.store().status(name)
    return sources.why(status) if status.state == "failed" else "Loading"


def _id(session: Session, models: Mapping[str, Classifier | None]) -> str:
    return ".".join([_digest(session.text), *(model.sha256[:12] if model else "none" for model in models.values())])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _nothing() -> None:
    """A component's state is only declared where it has a callback."""
