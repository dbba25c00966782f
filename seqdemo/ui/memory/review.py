"""The review that Memory's charts are of, and what the worker computes of it; charts look again each second."""

from __future__ import annotations

from collections.abc import Mapping
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
Questions = Mapping[Any, tuple[str, "Classifier", Any]]
"""Key → what is asked of the worker: kind, checkpoint, and what that kind takes."""


@dataclass(frozen=True)
class _Job:
    """What one part of the page waits for.

    Attributes:
        questions: What was asked.
        futures: Key → the answer to come.
        problem: Why the worker did not take the questions.
    """

    questions: Questions
    futures: dict[Any, Future[Any]] = field(default_factory=dict)
    problem: Exception | None = None

    @property
    def is_done(self) -> bool:
        """Whether every answer is there."""
        return all(future.done() for future in self.futures.values())


def readings() -> dict[str, Reading]:
    """What each model that answers reads of the visitor's review, by name; empty where it holds no word."""
    found = own_models.read(st.session_state[TEXT])
    return found if any(reading.tokens for reading in found.values()) else {}


def remarks() -> tuple[str | None, list[str]]:
    """Why the review cannot be measured, None where it can be; and what else is to be said of it, in sentences."""
    named = own_models.named(own_models.read(st.session_state[TEXT]))
    if not named:
        return None, []
    problem = None
    if not any(reading.tokens for reading in named.values()):
        problem = word_notes.note(named)
    elif all(reading.unknown.all() for reading in named.values()):
        problem = " ".join(word_notes.nothing_known(named))
    notices = word_notes.notices(named, next(iter(named.values())).n_characters)
    return problem, [notice for notice in notices if notice != problem]


def gradients() -> gradient_by_distance.OwnReview | Exception | None:
    """The review's gradients, None while they are not there, an exception where they cannot be."""
    models, found = own_models.answering(), readings()
    if not resources.store().settled or not found:
        forget("own")
        return None
    answer = ask("own", {name: (GRADIENTS, model, found[name].ids) for name, model in models.items()})
    return gradient_by_distance.own(found, answer) if isinstance(answer, Mapping) else answer


def ask(slot: str, questions: Questions) -> Mapping[Any, Any] | Exception | None:
    """Key → answer, None while one is awaited, an exception where there is none.

    Args:
        slot: A part of the page; what it asked before, if that was something else, is given up.
        questions: What it asks now.
    """
    jobs = _jobs()
    if slot not in jobs or not _same(jobs[slot].questions, questions):
        forget(slot)
        jobs[slot] = job = _Job(questions)
        try:
            for key, (kind, model, asked) in questions.items():
                job.futures[key] = resources.service().worker.submit(kind, model, asked)
        except BusyError as error:
            jobs[slot] = _Job(questions, problem=error)
    return result(slot)


def forget(slot: str) -> None:
    """Gives up what a part of the page asked."""
    job = _jobs().pop(slot, None)
    for future in job.futures.values() if job else ():
        future.cancel()


def result(slot: str) -> Mapping[Any, Any] | Exception | None:
    """What `ask` gave, as it stands now."""
    job = _jobs().get(slot)
    if job is None or job.problem is not None:
        return job.problem if job else None
    if not job.is_done:
        return None
    try:
        return {key: future.result() for key, future in job.futures.items()}
    except Exception as error:
        return error


def is_waiting(slot: str) -> bool:
    """Whether something may still arrive in this slot by itself."""
    job = _jobs().get(slot)
    return not resources.store().settled or (job is not None and not job.is_done)


def _same(one: Questions, other: Questions) -> bool:
    def known(questions: Questions) -> list[tuple[Any, ...]]:
        return [
            (key, kind, model.sha256, asked if isinstance(asked, tuple) else asked.tobytes())
            for key, (kind, model, asked) in questions.items()
        ]

    return known(one) == known(other)


def _jobs() -> dict[str, _Job]:
    found: dict[str, _Job] = st.session_state.setdefault(_JOBS, {})
    return found
