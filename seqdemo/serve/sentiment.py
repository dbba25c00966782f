"""Live sentiment, answered: the verdicts of all models on a text, and what each would say after every word of it."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from seqdemo.explain.pieces import TOKENS_A_PIECE
from seqdemo.explain.prefixes import MAX_BEGINNINGS, curve_pieces
from seqdemo.models.registry import MODELS
from seqdemo.serve import word_notes
from seqdemo.serve.answering import Answering
from seqdemo.serve.http import Question
from seqdemo.serve.verdicts import percent, verdict
from seqdemo.serve.worker import CURVE, MANY, VERDICT, Ids, Kind
from seqdemo.studies.study import listed
from seqdemo.text import Reading, places

if TYPE_CHECKING:
    from seqdemo.checkpoints.classifier import Classifier
    from seqdemo.explain.beginnings import Beginnings
    from seqdemo.explain.prefixes import Curve
    from seqdemo.serve.service import Service

FEWER_BEGINNINGS = 8
"""Beginnings of a text on which a model without prefix states is run again where many ask."""
TABLE = "table"
"""The verdicts on several reviews at once, of a table, to which the worker comes last."""


def table_pieces(classifier: Classifier, texts: tuple[Ids, ...], _: Beginnings) -> Generator[None, None, list[float]]:
    """P(positive) of several texts, one piece a padded batch of like length."""
    found = np.zeros(len(texts), dtype=np.float32)
    waiting = sorted(range(len(texts)), key=lambda row: len(texts[row]))
    while waiting:
        rows = waiting[-max(1, TOKENS_A_PIECE // len(texts[waiting[-1]])) :]  # the longest, and as many as fit with it
        del waiting[-len(rows) :]
        found[rows] = classifier.predict_ids([texts[row] for row in rows])
        yield
    return [float(p) for p in found]


KINDS = {CURVE: Kind(rank=1, pieces=curve_pieces), TABLE: Kind(rank=2, pieces=table_pieces)}
LEAD = "P(positive): how sure each model is that this is positive"
WAITING = "After each word"
INVITATION = "Once there is a word to read, you see here how each verdict grows with every word."
_EVERYONE = {1: "The model", 2: "Both", 3: "All three", 4: "All four", 5: "All five"}


async def verdicts(service: Service, question: Question) -> dict[str, Any]:
    """`POST /api/v1/verdicts`: what each model makes of a text, and what there is to say of its words.

    Returns:
        `verdicts`: name → `probability` to four places, whole per cents, the word for it, and a line that says so;
        `labels`: what to call each model; `readings`: what the models of each vocabulary read; `note`, `notices` and
        `summary`: sentences; `loading`: models that will still come; `failed`: name → why it cannot answer.
    """
    answering = service.asked(question)
    readings = await asyncio.to_thread(answering.read, question.text)
    named = answering.named(readings)
    asked = {
        name: service.ask(VERDICT, answering.models[name], reading.ids, question.visitor)
        for name, reading in readings.items()
        if reading.tokens
    }
    found = dict(zip(asked, await asyncio.gather(*asked.values()), strict=True))
    percents = {name: percent(p) for name, p in found.items()}
    return {
        "verdicts": {
            name: {
                "probability": round(p, 4),
                "percent": percents[name],
                "verdict": verdict(percents[name]),
                "says": summary(answering, {name: percents[name]}),
            }
            for name, p in found.items()
        },
        "labels": {name: answering.label(name) for name in MODELS},
        "readings": word_notes.by_vocabulary(readings),
        "note": word_notes.note(named) if named else "Loading the models" if answering.loading else "",
        "notices": word_notes.notices(named, question.n_characters) if named else [],
        "summary": summary(answering, percents),
        "loading": list(answering.loading),
        "failed": dict(answering.failed),
    }


async def curves(service: Service, question: Question) -> dict[str, Any]:
    """`POST /api/v1/curves`: P(positive) after each word, as the chart in the browser is drawn from it.

    Returns:
        What `curve_data` gives; `loading`: models that will still come.
    """
    answering = service.asked(question)
    readings = await asyncio.to_thread(answering.read, question.text)
    if not any(reading.tokens for reading in readings.values()):
        return {**no_curves(loading=not readings), "loading": list(answering.loading)}
    # Of many who ask, each gets fewer points rather than none; models with a state after each word give all by the way.
    most = FEWER_BEGINNINGS if service.worker.n_waiting > MANY else MAX_BEGINNINGS
    asked = {
        name: service.ask(CURVE, model, ids if model.has_prefix_states else (ids, most), question.visitor)
        for name, reading in readings.items()
        if len(ids := reading.ids) and (model := answering.models[name])
    }
    found = dict(zip(asked, await asyncio.gather(*asked.values()), strict=True))
    return {**curve_data(answering, readings, found), "loading": list(answering.loading)}


def summary(answering: Answering, percents: Mapping[str, int]) -> str:
    """All verdicts in one line, for those who listen."""
    return ", ".join(f"{answering.label(name)} {verdict(p)}, {p} per cent" for name, p in percents.items())


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


def curve_data(answering: Answering, readings: Mapping[str, Reading], curves: Mapping[str, Curve]) -> dict[str, Any]:
    """What the chart in the browser is drawn from.

    Args:
        answering: Whom the curves are of; those with a state after each word have a point at every word, the others
            are drawn with dots.
        readings: What each model reads of the text, by name.
        curves: The curve of each model, by name.
    """
    shown = word_notes.shown(answering.named(readings))
    first = next(iter(readings.values()))
    every_word = [name for name in curves if answering.models[name].has_prefix_states]
    curves = {name: (places(readings[name], first)[steps], p) for name, (steps, p) in curves.items()}
    labels = [MODELS[name].label for name in curves if name not in every_word]
    how = "How to read this: each line is what a model would say if the review ended after that word."
    if labels:
        how += f" {listed(labels)}: re-run on up to {MAX_BEGINNINGS} beginnings of the text (dots)."
    ends = ", ".join(f"{MODELS[name].label} {percent(curve[1][-1])} %" for name, curve in curves.items())
    return {
        "title": finding(shown["words"], curves, every_word),
        "how": how,
        "alt": f"P(positive) after each of {len(shown['words'])} words. At the end: {ends}.",
        **shown,
        "invitation": "",
        "lines": [
            {
                "label": answering.label(name),
                "colour": MODELS[name].colour,
                "dash": MODELS[name].dash,
                "sampled": name not in every_word,
                "steps": None if name in every_word and len(steps) == len(first.tokens) else steps.tolist(),
                # Downwards, so that the browser rounds halves of a per cent as `percent` does.
                "permille": np.floor(probabilities.astype(float) * 1000).astype(int).tolist(),
            }
            for name, (steps, probabilities) in curves.items()
        ],
    }


def no_curves(*, loading: bool) -> dict[str, Any]:
    """As `curve_data`, where there is nothing to draw; an invitation unless the models are still loading."""
    return {
        "title": WAITING,
        "how": "",
        "alt": "",
        "words": [],
        "unknown": [],
        "partly": {},
        "gap": None,
        "skipped": 0,
        "invitation": "" if loading else INVITATION,
        "lines": [],
    }


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
