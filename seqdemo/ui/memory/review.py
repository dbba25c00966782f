"""The review that Memory's charts are of, and what the worker computes of it; charts look again each second."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import streamlit as st

from seqdemo.errors import BusyError
from seqdemo.serve import word_notes
from seqdemo.serve.memory import GRADIENTS
from seqdemo.studies import gradient_by_distance
from seqdemo.text import Reading
from seqdemo.ui import resources
from seqdemo.ui.shared import own_models

if TYPE_CHECKING:
    from seqdemo.checkpoints.classifier import Classifier

TEXT = "memory_text"
"""The text on screen, in the session's state."""
_JOBS = "memory_jobs"
Questions = Mapping[str, tuple[str, "Classifier", Any]]
"""Name → what is asked of the worker: kind, checkpoint, and what that kind takes."""


@dataclass(frozen=True)
class _Job:
    """What one part of the page waits for.

    Attributes:
        questions: What was asked.
        futures: Name → the answer to come.
        problem: Why the worker did not take the questions.
    """

    questions: Questions
    futures: dict[str, Future[Any]] = field(default_factory=dict)
    problem: Exception | None = None


def shipped() -> dict[str, str]:
    """Of the models that came with the app, which the stored figures are of."""
    return {name: model.sha256 for name, model in resources.models().items()}


def readings() -> dict[str, Reading]:
    """What each model that answers reads of the visitor's review, by name; empty where it holds no word."""
    found = own_models.read(st.session_state[TEXT])
    return found if any(reading.tokens for reading in found.values()) else {}


def problem() -> str | None:
    """Why the review cannot be measured, in a sentence."""
    named = own_models.named(own_models.read(st.session_state[TEXT]))
    if not named:
        return None
    if not any(reading.tokens for reading in named.values()):
        return word_notes.note(named)
    if all(reading.unknown.all() for reading in named.values()):
        return " ".join(word_notes.nothing_known(named))
    return None


def notices() -> list[str]:
    """What is to be said of the review, in sentences."""
    named = own_models.named(own_models.read(st.session_state[TEXT]))
    return word_notes.notices(named, next(iter(named.values())).n_characters) if named else []


def gradients() -> gradient_by_distance.OwnReview | Exception | None:
    """The review's gradients, None while they are not there, an exception where they cannot be."""
    models, found = own_models.answering(), readings()
    if not resources.store().settled or not found:
        forget("own")
        return None
    answer = ask("own", {name: (GRADIENTS, model, found[name].ids) for name, model in models.items()})
    return gradient_by_distance.own(found, answer) if isinstance(answer, Mapping) else answer


def ask(slot: str, questions: Questions) -> Mapping[str, Any] | Exception | None:
    """Name → answer, None while one is awaited, an exception where there is none.

    Args:
        slot: A part of the page; what it asked before, if that was something else, is given up.
        questions: What it asks now.
    """
    jobs = _jobs()
    if slot not in jobs or not _same(jobs[slot].questions, questions):
        forget(slot)
        jobs[slot] = job = _Job(questions)
        try:
            for name, (kind, model, asked) in questions.items():
                job.futures[name] = resources.service().worker.submit(kind, model, asked)
        except BusyError as error:
            jobs[slot] = _Job(questions, problem=error)
    return result(slot)


def forget(slot: str) -> None:
    """Gives up what a part of the page asked."""
    job = _jobs().pop(slot, None)
    for future in job.futures.values() if job else ():
        future.cancel()


def result(slot: str) -> Mapping[str, Any] | Exception | None:
    """What `ask` gave, as it stands now."""
    job = _jobs().get(slot)
    if job is None or job.problem is not None:
        return job.problem if job else None
    if not all(future.done() for future in job.futures.values()):
        return None
    try:
        return {name: future.result() for name, future in job.futures.items()}
    except Exception as error:
        return error


def waiting(slot: str) -> Callable[[], bool]:
    """Whether something may still arrive in this slot by itself, to be asked again and again."""
    return lambda: (
        not resources.store().settled
        or ((job := _jobs().get(slot)) is not None and not all(future.done() for future in job.futures.values()))
    )


def _same(one: Questions, other: Questions) -> bool:
    def known(questions: Questions) -> list[tuple[Any, ...]]:
        return [
            (name, kind, model.sha256, asked if isinstance(asked, tuple) else asked.tobytes())
            for name, (kind, model, asked) in questions.items()
        ]

    return known(one) == known(other)


def _jobs() -> dict[str, _Job]:
    found: dict[str, _Job] = st.session_state.setdefault(_JOBS, {})
    return found


def not_measured(name: str) -> None:
    """Says that a study has no stored result on these weights."""
    st.info(f"This has not been measured on these weights yet. It is measured by `python -m seqdemo study {name}`.")
