"""The stepper, answered: two recurrent models along one text, as one binary message; and the numbers of picked units.

A model is a classifier, or the language model of the same cell, called `lm-` and its name: the first says after each
word how positive the text is, the second how likely it held the word.

The trace is sent once; playing, stepping and scrubbing need nothing more. The equations of the picked units travel in a
second, small message, so that another pick neither sends the text again nor moves the cursor.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from seqdemo.checkpoints import find
from seqdemo.errors import CheckpointError
from seqdemo.models.registry import MODELS, ModelSpec
from seqdemo.serve import word_notes
from seqdemo.serve.answering import Answering
from seqdemo.serve.http import Question, RefusedError
from seqdemo.serve.message import pack, text_id
from seqdemo.serve.service import without_server_paths
from seqdemo.serve.verdicts import percent, verdict
from seqdemo.serve.worker import CURVE, Ids, Kind
from seqdemo.text import SENTENCE_ENDS, Reading, places, read_with
from seqdemo.trace import SIGNALS

if TYPE_CHECKING:
    from seqdemo.checkpoints.classifier import Classifier
    from seqdemo.checkpoints.language_model import LanguageModel
    from seqdemo.explain.beginnings import Beginnings
    from seqdemo.explain.prefixes import Curve
    from seqdemo.serve.service import Service
    from seqdemo.trace import Trace

NAMES = tuple(name for name, spec in MODELS.items() if spec.has_states)
"""The classifiers that can be stepped through."""
WRITES = "lm-"
"""What the name of a language model begins with."""
SIDES = ("left", "right")
DEFAULT = {"left": "rnn", "right": "lstm"}
_GATES = ("forget_gate", "input_gate", "output_gate", "reset_gate", "update_gate")
_MAPS = ("hidden", "cell")
_SHARE_IN_SCALE = 0.98
"""Single units of a cell state run far beyond all others and would leave these without colour."""


STEPS = "steps"
LOADING = "Loading"


def step_pieces(checkpoint: Classifier | LanguageModel, ids: Ids, _: Beginnings) -> Generator[None, None, Trace]:
    """Every gate of a recurrent model on a text, in one piece."""
    from seqdemo.explain import steps

    yield
    return steps.trace_ids(checkpoint, ids)


KINDS = {STEPS: Kind(rank=1, pieces=step_pieces)}


def names() -> list[str]:
    """The models that can be stepped through, the language models that are there among them."""
    return [*NAMES, *(WRITES + name for name in find.writers())]


def spec_of(name: str) -> ModelSpec:
    """The model that a classifier or a language model is of."""
    return MODELS[name.removeprefix(WRITES)]


@dataclass(frozen=True, kw_only=True)
class Side:
    """One of the two models on screen.

    Attributes:
        name: One of `names`.
        label: What to call it on screen.
        in_sentence: What to call it in a sentence.
        problem: Why it cannot answer; empty where it does.
        model: Which answers; None where it cannot.
        traced: Its trace.
        curve: What it says after words: P(positive), or of a language model how likely it held each word.
        ids: What it has read, int64 (n_read,); the end of the text before among it, of a language model.
        at: For each token that is shown the index of its own step in the trace, int64 (n_shown,).
    """

    name: str
    label: str
    in_sentence: str
    problem: str = ""
    model: Classifier | LanguageModel | None = None
    traced: Trace | None = None
    curve: Curve | None = None
    ids: Ids | None = None
    at: npt.NDArray[np.int64] | None = None

    @property
    def writes(self) -> bool:
        """Whether it is a language model."""
        return self.name.startswith(WRITES)


async def steps(service: Service, question: Question) -> bytes:
    """`POST /api/v1/steps`: all that is needed to step two models through a text, as one binary message.

    The question holds for each side, `left` and `right`, {"model": NAME}; by default an RNN and an LSTM.
    """
    answering = service.asked(question)
    chosen = {side: name for side, (name, _) in choices(question).items()}
    writers, failed = await _writers(service, chosen.values())
    readings = await asyncio.to_thread(_read, answering, writers, question.text)
    if not any(reading.tokens for reading in readings.values()):
        return _nothing_to_step(question.text, answering, readings)
    sides = await _sides(service, question, answering, writers, failed, readings, chosen)
    return await asyncio.to_thread(trace_message, question, answering, readings, sides)


async def units(service: Service, question: Question) -> bytes:
    """`POST /api/v1/units`: the numbers of the picked units' equations, as one binary message.

    The question is that of `steps`, with {"model": NAME, "units": [INDEX, …]} for each side: one unit of each direction
    of reading, from 0; what is missing or is no unit of the model stands for the one that stands out.
    """
    answering = service.asked(question)
    picked = choices(question)
    chosen = {side: name for side, (name, _) in picked.items()}
    writers, failed = await _writers(service, chosen.values())
    readings = await asyncio.to_thread(_read, answering, writers, question.text)
    if not any(reading.tokens for reading in readings.values()):
        raise RefusedError("There is no word to read yet, so that no unit has numbers.")
    sides = await _sides(service, question, answering, writers, failed, readings, chosen)
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
        if name not in (known := names()):
            raise RefusedError(f"The models to step through are {', '.join(known)}; not {str(name)[:40]!r}.")
        if not isinstance(units, list) or not all(type(unit) is int for unit in units):
            raise RefusedError(f"The units of {side!r} are a JSON array of whole numbers.")
        found[side] = (name, units[:2])
    return found


async def _writers(service: Service, chosen: Iterable[str]) -> tuple[dict[str, LanguageModel], dict[str, str]]:
    """The chosen language models by name, and why others of them cannot answer."""
    found, failed = {}, {}
    for name in {name for name in chosen if name.startswith(WRITES)}:
        if not service.store.settled:  # torch is on its way
            failed[name] = LOADING
            continue
        try:
            found[name] = await asyncio.to_thread(service.language_model, name)
        except CheckpointError as error:
            failed[name] = without_server_paths(str(error))
    return found, failed


def _read(answering: Answering, writers: Mapping[str, LanguageModel], text: str) -> dict[str, Reading]:
    """What each model reads of a text, by name."""
    vocabularies = {name: model.vocabulary for name, model in answering.models.items()}
    return read_with(vocabularies | {name: model.vocabulary for name, model in writers.items()}, text)


async def _sides(
    service: Service,
    question: Question,
    answering: Answering,
    writers: Mapping[str, LanguageModel],
    failed: Mapping[str, str],
    readings: Mapping[str, Reading],
    chosen: Mapping[str, str],
) -> dict[str, Side]:
    """What each side's model records, as far as it can answer."""
    first = next(readings[name] for name in (*chosen.values(), *readings) if name in readings)
    found = {}
    for side, name in chosen.items():
        visitor = f"{question.visitor}.{side}" if question.visitor else ""  # both sides may be of one model
        if name.startswith(WRITES):
            label = spec_of(name).label
            own = Side(name=name, label=f"{label}, next word", in_sentence=f"the {label} that foretells words")
            problem = failed.get(name, "")
        else:
            own = Side(name=name, label=answering.label(name), in_sentence=answering.in_sentence(name))
            problem = "" if name in answering.models else answering.failed.get(name, LOADING)
        if problem:
            found[side] = dataclasses.replace(own, problem=problem)
            continue
        at = places(first, readings[name])
        if own.writes:
            found[side] = await _foretold(service, own, writers[name], readings[name].ids, at, visitor)
            continue
        model, ids = answering.models[name], readings[name].ids
        traced: Trace = await service.ask(STEPS, model, ids, visitor)
        curve: Curve = await service.ask(CURVE, model, ids, visitor)
        found[side] = dataclasses.replace(own, model=model, traced=traced, curve=curve, ids=ids, at=at)
    return found


async def _foretold(
    service: Service, own: Side, model: LanguageModel, ids: Ids, at: npt.NDArray[np.int64], visitor: str
) -> Side:
    """A side whose model is a language model."""
    from seqdemo.checkpoints.language_model import after_the_end_of_a_text

    words = after_the_end_of_a_text(ids)
    traced: Trace = await service.ask(STEPS, model, words, visitor)
    n_before = len(words) - len(ids)
    curve = (np.arange(len(words)), traced.signals["word_probability"])
    return dataclasses.replace(own, model=model, traced=traced, curve=curve, ids=words, at=at + n_before)


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
        spec = spec_of(own.name)
        column: dict[str, Any] = {
            "side": side,
            "name": own.name,
            "label": own.label,
            "called": spec.label if own.writes else own.label,
            "writes": own.writes,
            "colour": spec.colour,
            "dash": spec.dash,
            "cell": spec.fixed["cell"],
            "problem": own.problem,
            "lanes": [],
        }
        columns.append(column)
        if own.model is None or own.traced is None or own.curve is None:
            continue
        traced, at = own.traced, own.at
        curve = shown_curve(own)
        curves[side] = curve
        arrays[f"{side}.curve"] = curve[1]
        column["steps"] = None if has_every_step(own) else curve[0].tolist()
        column["accuracy"] = own.model.metrics.get("test_accuracy")
        for k, direction in enumerate(directions(traced)):
            lane = f"{side}.{k}"
            recorded = steps.signal_names(traced, direction)
            hidden = traced.signals[f"hidden{direction}"][-1][at]
            arrays[f"{lane}.order"] = steps.by_activity(hidden)
            bounds = {}
            for name in _MAPS:
                if name in recorded:
                    signal = traced.signals[name + direction][-1][at]
                    bounds[name] = _bound(signal, SIGNALS[name].high)
                    arrays[f"{lane}.{name}"] = steps.quantised(signal, bounds[name])
            gates = [name for name in _GATES if name in recorded]
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
    named = {own.in_sentence: readings[own.name] for own in sides.values() if own.name in readings}
    named = named or answering.named(readings)
    reading = next(iter(named.values()))
    judges = {side: (sides[side].name, curve) for side, curve in curves.items() if not sides[side].writes}
    if judges or not curves:
        title, start = finding(reading, judges)
    else:
        title, start = surprise_finding(reading, {sides[side].in_sentence: p for side, (_, p) in curves.items()})
    header = {
        "kind": "trace",
        "id": _id(question.text, sides),
        "text_id": text_id(question.text),
        "title": title,
        "start": start,
        "note": word_notes.note(named),
        "notices": word_notes.notices(named, question.n_characters),
        **word_notes.shown(named),
        "names": [
            {"name": name, "label": spec_of(name).label + (", next word" if name.startswith(WRITES) else "")}
            for name in names()
        ],
        "columns": columns,
        "loading": list(answering.loading),
    }
    return pack(header, arrays)


def shown_curve(own: Side) -> Curve:
    """What a side's model says at the tokens that are shown."""
    assert own.curve is not None
    assert own.at is not None
    steps, probabilities = own.curve
    if has_every_step(own):
        return np.arange(len(own.at), dtype=np.int64), probabilities[own.at]
    # The last shown token of each beginning; with the same rules for tokens that is the token itself.
    return np.searchsorted(own.at, steps, side="right").astype(np.int64) - 1, probabilities


def has_every_step(own: Side) -> bool:
    """Whether a side's model says something after every word."""
    return own.writes or (own.model is not None and own.model.has_prefix_states)  # type: ignore[union-attr]


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
        if own.model is None or own.traced is None or own.ids is None or own.at is None:
            continue
        for k, direction in enumerate(directions(own.traced)):
            n_units = own.traced.signals["hidden"].shape[-1]
            wanted = picked[side][k] if k < len(picked[side]) else -1
            unit = wanted if 0 <= wanted < n_units else steps.standout_unit(own.model, own.traced, direction)
            numbers = steps.unit_steps(own.model, own.traced, own.ids, unit, direction)
            lane = f"{side}.{k}"
            lanes[lane] = {"unit": unit, "biases": numbers.biases, "before": _before(own, unit)}
            arrays |= {f"{lane}.{name}": values[own.at] for name, values in numbers.series.items()}
    return pack({"kind": "units", "id": _id(question.text, sides), "lanes": lanes}, arrays)


def _before(own: Side, unit: int) -> dict[str, float]:
    """The states of a unit before the first shown word, of a language model; without any, they are 0."""
    assert own.traced is not None
    assert own.at is not None
    signals = own.traced.signals
    if not own.writes or own.at[0] == 0:
        return {}
    return {name: float(signals[name][-1, own.at[0] - 1, unit]) for name in _MAPS if name in signals}


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


def surprise_finding(reading: Reading, chances: Mapping[str, npt.NDArray[np.float32]]) -> tuple[str, int]:
    """Who is most surprised by which word, in one sentence, and the step at which it is to be seen.

    Args:
        reading: What the models read.
        chances: What a language model is called in a sentence → how likely it held each word.
    """
    unknown = reading.unknown[: len(reading.tokens)]
    bits = {
        name: np.where(unknown & (not unknown.all()), -1.0, -np.log2(p.astype(np.float64)))
        for name, p in chances.items()
    }
    name = max(bits, key=lambda name: float(bits[name].max()))
    step = int(bits[name].argmax())
    whom = f"{name[0].upper()}{name[1:]}"
    return f"{whom} is most surprised by \u201c{reading.words[step]}\u201d, {bits[name][step]:.0f} bits", step


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
