"""The stepper, answered: two recurrent models along one text, as one binary message; and the numbers of picked units.

The trace is sent once; playing, stepping and scrubbing need nothing more. The equations of the picked units travel in a
second, small message, so that another pick neither sends the text again nor moves the cursor.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from seqdemo.models.registry import MODELS
from seqdemo.serve import word_notes
from seqdemo.serve.answering import Answering
from seqdemo.serve.http import Question, RefusedError
from seqdemo.serve.message import pack, text_id
from seqdemo.serve.verdicts import percent, verdict
from seqdemo.serve.worker import CURVE, Ids, Kind
from seqdemo.text import SENTENCE_ENDS, Reading, places
from seqdemo.trace import SIGNALS

if TYPE_CHECKING:
    from seqdemo.checkpoints.classifier import Classifier
    from seqdemo.explain.beginnings import Beginnings
    from seqdemo.explain.prefixes import Curve
    from seqdemo.serve.service import Service
    from seqdemo.trace import Trace

NAMES = tuple(name for name, spec in MODELS.items() if spec.has_states)
"""The models that can be stepped through."""
SIDES = ("left", "right")
DEFAULT = {"left": "rnn", "right": "lstm"}
_GATES = ("forget_gate", "input_gate", "output_gate", "reset_gate", "update_gate")
_MAPS = ("hidden", "cell")
_SHARE_IN_SCALE = 0.98
"""Single units of a cell state run far beyond all others and would leave these without colour."""


STEPS = "steps"


def step_pieces(classifier: Classifier, ids: Ids, _: Beginnings) -> Generator[None, None, Trace]:
    """Every gate of a recurrent model on a text, in one piece."""
    from seqdemo.explain import steps

    yield
    return steps.trace_ids(classifier, ids)


KINDS = {STEPS: Kind(rank=1, pieces=step_pieces)}


@dataclass(frozen=True, kw_only=True)
class Side:
    """One of the two models on screen.

    Attributes:
        name: Of the model in the registry.
        model: Which answers; None where it cannot.
        traced: Its trace.
        curve: Its P(positive) after words.
        reading: What it reads.
        at: For each token that is shown the index of its own token there, int64 (n_shown,).
    """

    name: str
    model: Classifier | None = None
    traced: Trace | None = None
    curve: Curve | None = None
    reading: Reading | None = None
    at: npt.NDArray[np.int64] | None = None


async def steps(service: Service, question: Question) -> bytes:
    """`POST /api/v1/steps`: all that is needed to step two models through a text, as one binary message.

    The question holds for each side, `left` and `right`, {"model": NAME}; by default an RNN and an LSTM.
    """
    answering = service.asked(question)
    chosen = {side: name for side, (name, _) in choices(question).items()}
    readings = await asyncio.to_thread(answering.read, question.text)
    if not any(reading.tokens for reading in readings.values()):
        return _nothing_to_step(question.text, answering, readings)
    sides = await _sides(service, question, answering, readings, chosen)
    return await asyncio.to_thread(trace_message, question, answering, readings, sides)


async def units(service: Service, question: Question) -> bytes:
    """`POST /api/v1/units`: the numbers of the picked units' equations, as one binary message.

    The question is that of `steps`, with {"model": NAME, "units": [INDEX, …]} for each side: one unit of each direction
    of reading, from 0; what is missing or is no unit of the model stands for the one that stands out.
    """
    answering = service.asked(question)
    picked = choices(question)
    readings = await asyncio.to_thread(answering.read, question.text)
    if not any(reading.tokens for reading in readings.values()):
        raise RefusedError("There is no word to read yet, so that no unit has numbers.")
    sides = await _sides(service, question, answering, readings, {side: name for side, (name, _) in picked.items()})
    return await asyncio.to_thread(unit_message, question, sides, {side: units for side, (_, units) in picked.items()})


def choices(question: Question) -> dict[str, tuple[str, list[int]]]:
    """Side → the model to be stepped through, and the picked units of it.

    Raises:
        RefusedError: It is no such choice.
    """
    found = {}
    for side in SIDES:
        choice: Mapping[str, Any] = question.entry(side, dict, {})
        name, units = choice.get("model", DEFAULT[side]), choice.get("units", [])
        if name not in NAMES:
            raise RefusedError(f"The models to step through are {', '.join(NAMES)}; not {str(name)[:40]!r}.")
        if not isinstance(units, list) or not all(type(unit) is int for unit in units):
            raise RefusedError(f"The units of {side!r} are a JSON array of whole numbers.")
        found[side] = (name, units[:2])
    return found


async def _sides(
    service: Service,
    question: Question,
    answering: Answering,
    readings: Mapping[str, Reading],
    chosen: Mapping[str, str],
) -> dict[str, Side]:
    """What each side's model records, as far as it can answer."""
    first = next(readings[name] for name in (*chosen.values(), *readings) if name in readings)
    found = {}
    for side, name in chosen.items():
        model = answering.models.get(name)
        if model is None:
            found[side] = Side(name=name)
            continue
        reading = readings[name]
        visitor = f"{question.visitor}.{side}" if question.visitor else ""  # both sides may be of one model
        traced: Trace = await service.ask(STEPS, model, reading.ids, visitor)
        curve: Curve = await service.ask(CURVE, model, reading.ids, visitor)
        at = places(first, reading)
        found[side] = Side(name=name, model=model, traced=traced, curve=curve, reading=reading, at=at)
    return found


def trace_message(
    question: Question, answering: Answering, readings: Mapping[str, Reading], sides: Mapping[str, Side]
) -> bytes:
    """All that is needed to step through a text, as one binary message.

    Args:
        question: Of which text.
        answering: Whom it goes to.
        readings: What each model reads of the text, by name.
        sides: Side → what its model recorded.
    """
    from seqdemo.explain import steps

    arrays: dict[str, npt.NDArray[Any]] = {}
    columns, curves = [], {}
    for side in SIDES:
        own = sides[side]
        spec = MODELS[own.name]
        column: dict[str, Any] = {
            "side": side,
            "name": spec.name,
            "label": answering.label(spec.name),
            "colour": spec.colour,
            "dash": spec.dash,
            "cell": spec.fixed["cell"],
            "problem": "",
            "lanes": [],
        }
        columns.append(column)
        if own.model is None or own.traced is None or own.curve is None:
            column["problem"] = answering.failed.get(spec.name, "Loading")
            continue
        traced, at = own.traced, own.at
        curve = shown_curve(own)
        curves[side] = curve
        arrays[f"{side}.curve"] = curve[1]
        column["steps"] = None if own.model.has_prefix_states else curve[0].tolist()
        column["accuracy"] = own.model.metrics.get("test_accuracy")
        for k, direction in enumerate(directions(traced)):
            lane = f"{side}.{k}"
            names = steps.signal_names(traced, direction)
            hidden = traced.signals[f"hidden{direction}"][-1][at]
            arrays[f"{lane}.order"] = steps.by_activity(hidden)
            bounds = {}
            for name in _MAPS:
                if name in names:
                    signal = traced.signals[name + direction][-1][at]
                    bounds[name] = _bound(signal, SIGNALS[name].high)
                    arrays[f"{lane}.{name}"] = steps.quantised(signal, bounds[name])
            gates = [name for name in _GATES if name in names]
            for name in gates:
                arrays[f"{lane}.{name}"] = steps.spread(traced.signals[name + direction][-1][at])
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
    names = [own.name for own in sides.values() if own.name in readings]
    named = answering.named({name: readings[name] for name in names} or readings)
    title, start = finding(
        next(iter(named.values())), {side: (sides[side].name, curve) for side, curve in curves.items()}
    )
    header = {
        "kind": "trace",
        "id": _id(question.text, sides),
        "text_id": text_id(question.text),
        "title": title,
        "start": start,
        "note": word_notes.note(named),
        "notices": word_notes.notices(named, question.n_characters),
        **word_notes.shown(named),
        "names": [{"name": name, "label": MODELS[name].label} for name in NAMES],
        "columns": columns,
        "loading": list(answering.loading),
    }
    return pack(header, arrays)


def shown_curve(own: Side) -> Curve:
    """P(positive) of a side's model at the tokens that are shown."""
    assert own.model is not None
    assert own.curve is not None
    assert own.at is not None
    steps, probabilities = own.curve
    if own.model.has_prefix_states:
        return np.arange(len(own.at), dtype=np.int64), probabilities[own.at]
    # The last shown token of each beginning; with the same rules for tokens that is the token itself.
    return np.searchsorted(own.at, steps, side="right").astype(np.int64) - 1, probabilities


def unit_message(question: Question, sides: Mapping[str, Side], picked: Mapping[str, Sequence[int]]) -> bytes:
    """The numbers of the picked units' equations, as one binary message.

    Args:
        question: Of which text.
        sides: Side → what its model recorded.
        picked: Side → the picked unit of each direction of reading, from 0.
    """
    from seqdemo.explain import steps

    arrays: dict[str, npt.NDArray[Any]] = {}
    lanes = {}
    for side, own in sides.items():
        if own.model is None or own.traced is None or own.reading is None:
            continue
        for k, direction in enumerate(directions(own.traced)):
            n_units = own.traced.signals["hidden"].shape[-1]
            wanted = picked[side][k] if k < len(picked[side]) else -1
            unit = wanted if 0 <= wanted < n_units else steps.standout_unit(own.model, own.traced, direction)
            numbers = steps.unit_steps(own.model, own.traced, own.reading.ids, unit, direction)
            lane = f"{side}.{k}"
            lanes[lane] = {"unit": unit, "biases": numbers.biases}
            arrays |= {f"{lane}.{name}": values[own.at] for name, values in numbers.series.items()}
    return pack({"kind": "units", "id": _id(question.text, sides), "lanes": lanes}, arrays)


def directions(traced: Trace) -> tuple[str, ...]:
    """The directions in which a model read, as the suffixes of its signals' names."""
    from seqdemo.explain import steps

    return (steps.FORWARD, steps.BACKWARD) if "hidden_backward" in traced.signals else (steps.FORWARD,)


def finding(reading: Reading, curves: Mapping[str, tuple[str, Curve]]) -> tuple[str, int]:
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


def lost_after(curve: Curve, end: int) -> int | None:
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


def wavers(curve: Curve, end: int) -> bool:
    """Whether a verdict was at some word the opposite of that of the first sentence, which ends at `end`."""
    verdicts = [verdict(percent(p)) for p in curve[1].tolist()]
    opening = int(np.searchsorted(curve[0], end))
    return any(verdict not in ("unsure", verdicts[opening]) for verdict in verdicts[opening:])


def _nothing_to_step(text: str, answering: Answering, readings: Mapping[str, Reading]) -> bytes:
    if readings:
        said = word_notes.note(answering.named(readings))
    elif not answering.loading:
        said = "No model could be loaded. The sidebar says why."
    else:
        said = "Loading the models"
    loading = [] if readings else list(answering.loading)
    return pack({"kind": "nothing", "said": said, "loading": loading, "text_id": text_id(text)}, {})


def _bound(signal: npt.NDArray[np.float32], known: float | None) -> float:
    """The end of a colour scale: what is known of the signal, otherwise what 98 % of the values stay below."""
    return known if known is not None else float(np.quantile(np.abs(signal), _SHARE_IN_SCALE)) or 1.0


def _meaning(name: str) -> str:
    return SIGNALS[name].meaning.rpartition(" (")[0]


def _id(text: str, sides: Mapping[str, Side]) -> str:
    return ".".join([text_id(text), *(own.model.sha256[:12] if own.model else "none" for own in sides.values())])
