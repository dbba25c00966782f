"""Every route beside the pages, under `/api/v1/`: what pages ask while one types or drags, and programs at any time."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from starlette.routing import Route

from seqdemo.serve import attention, attributions, hidden_words, memory, sentiment, stepper, translate, write
from seqdemo.serve.http import Answer, Question, route
from seqdemo.text import MAX_CHARACTERS

if TYPE_CHECKING:
    from seqdemo.serve.service import Service
    from seqdemo.serve.worker import Kind

API = "/api/v1"
KINDS: dict[str, Kind] = {
    **sentiment.KINDS,
    **stepper.KINDS,
    **attention.KINDS,
    **attributions.KINDS,
    **translate.KINDS,
    **memory.KINDS,
    **write.KINDS,
    **hidden_words.KINDS,
}
"""What the worker can be asked beside verdicts."""


async def keep(service: Service, question: Question) -> None:
    """`POST /api/v1/text`: what a visitor wrote, for the next page; nothing is kept without the visitor's token."""
    service.visitors.put(question.visitor, question.text[:MAX_CHARACTERS])


ANSWERS: dict[str, Callable[[Service, Question], Awaitable[Answer]]] = {
    "text": keep,
    "verdicts": sentiment.verdicts,
    "curves": sentiment.curves,
    "steps": stepper.steps,
    "units": stepper.units,
    "looks": attention.looks,
    "translate": translate.translate,
    "attributions": attributions.attributions,
    "edit": memory.edit,
    "next": write.next_words,
    "write": write.write,
    "surprise": write.surprise,
    "hidden": hidden_words.hidden,
}


def routes(service: Callable[[], Service], base: str = "") -> list[Route]:
    """The routes of one server.

    Args:
        service: What answers, asked for at the first question.
        base: The path under which the app is served, `server.baseUrlPath` of Streamlit.
    """
    root = f"/{base.strip('/')}" if base.strip("/") else ""

    def bound(answer: Callable[[Service, Question], Awaitable[Answer]]) -> Callable[[Question], Awaitable[Answer]]:
        @functools.wraps(answer)
        async def ask(question: Question) -> Answer:
            return await answer(service(), question)

        return ask

    return [route(f"{root}{API}/{name}", bound(answer)) for name, answer in ANSWERS.items()]
