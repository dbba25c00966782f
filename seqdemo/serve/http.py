"""The door of the routes: who may ask, how much, in which form; errors as problems that programs and people can read.

A question is `POST`ed as JSON and answered as JSON or as one binary message. A page of another site is refused, by
what the browser says of it; a program, which says nothing of the kind, is answered. No cookie is read.
"""

from __future__ import annotations

import asyncio
import json
import logging
import urllib.parse
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeAlias

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from seqdemo.errors import BusyError, SeqdemoError
from seqdemo.text import MAX_CHARACTERS

MAX_BODY = 512 * 1024
"""Bytes of a question at most: `MAX_CHARACTERS` of any script as JSON, and some more."""
TOKEN = "x-seqdemo-visitor"
"""The header in which a page names the browser session that asks, as `Visitors` minted it."""
_log = logging.getLogger(__name__)


class RefusedError(SeqdemoError, ValueError):
    """A question that cannot be answered as it was asked.

    Attributes:
        status: Of HTTP.
    """

    def __init__(self, message: str, status: int = HTTPStatus.UNPROCESSABLE_ENTITY) -> None:
        """Says why in a sentence."""
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, kw_only=True)
class Question:
    """What somebody asks.

    Attributes:
        body: The JSON object that came.
        visitor: The token of the browser session that asks; empty for a program.
    """

    body: Mapping[str, Any]
    visitor: str = ""

    @property
    def text(self) -> str:
        """The entry `text`, whole characters only.

        Raises:
            RefusedError: There is none, or it is no text.
        """
        found = self.body.get("text")
        if not isinstance(found, str):
            raise RefusedError('A question is a JSON object with the text to read: {"text": "A good film."}.')
        return well_formed(found)

    @property
    def n_characters(self) -> int:
        """Of the text as it was typed, of which a page sends at most `MAX_CHARACTERS`."""
        found = self.body.get("length")
        return found if isinstance(found, int) and found > len(self.text) else len(self.text)

    def entry(self, name: str, kind: type[Any], default: Any) -> Any:
        """One entry of the question, the default where there is none.

        Raises:
            RefusedError: It is of another type.
        """
        found = self.body.get(name, default)
        if not isinstance(found, kind) or (isinstance(found, bool) and kind is not bool):
            raise RefusedError(f"The entry {name!r} is a JSON {_JSON_NAMES[kind]}; this is a {type(found).__name__}.")
        return found


_JSON_NAMES = {
    dict: "object",
    list: "array",
    str: "string",
    int: "whole number",
    float: "number",
    bool: "true or false",
}

Answer: TypeAlias = Mapping[str, Any] | bytes | None
"""JSON, one binary message, or nothing to say."""


def route(path: str, answer: Callable[[Question], Awaitable[Answer]]) -> Route:
    """A route that answers questions.

    Args:
        path: Where.
        answer: Of a question whose form was checked; what it raises of ours becomes a problem.
    """

    async def endpoint(request: Request) -> Response:
        try:
            refuse_other_sites(request)
            question = Question(body=await _body(request), visitor=request.headers.get(TOKEN, "")[:64])
            return _response(await answer(question))
        except BusyError as error:
            busy = problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
            busy.headers["retry-after"] = str(error.retry_after_s)
            return busy
        except RefusedError as error:
            return problem(error.status, str(error))
        except SeqdemoError as error:
            return problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) and task.cancelling():  # the server ends
                raise
            return problem(HTTPStatus.CONFLICT, "A newer question of the same visitor took the place of this one.")
        except ClientDisconnect:  # it typed on, or left: nobody reads this
            return Response(status_code=499)
        except Exception:
            _log.exception("A question to %s could not be answered.", path)
            return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "This could not be answered. The server's log says why.")

    return Route(path, endpoint, methods=["POST"])


def refuse_other_sites(request: Request) -> None:
    """Refuses what another site's page asks for in a visitor's browser.

    Raises:
        RefusedError: The browser says that the question comes from elsewhere.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    elsewhere = origin is not None and urllib.parse.urlsplit(origin).netloc != request.headers.get("host")
    if elsewhere or site not in (None, "same-origin", "none"):
        raise RefusedError("Pages of other sites may not ask here.", HTTPStatus.FORBIDDEN)


def problem(status: int, detail: str) -> JSONResponse:
    """An error as `application/problem+json` (RFC 9457)."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": int(status), "detail": detail}
    return JSONResponse(body, status, media_type="application/problem+json")


def well_formed(text: str) -> str:
    """Half a surrogate pair, as a cut in JavaScript leaves it, cannot be encoded: it becomes U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


async def _body(request: Request) -> dict[str, Any]:
    """The JSON object of a request; its size is bounded before it is parsed."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise RefusedError(
            f"A question is sent as application/json; this is {kind or 'of no type'}.",
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        )
    found = bytearray()
    async for part in request.stream():
        found += part
        if len(found) > MAX_BODY:
            raise RefusedError(
                f"A question has at most {MAX_BODY:,} bytes, a text at most {MAX_CHARACTERS:,} characters.",
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            )
    try:
        body = json.loads(found)
    except (ValueError, RecursionError) as error:
        raise RefusedError(f"This is no JSON: {str(error)[:200]}.", HTTPStatus.BAD_REQUEST) from error
    if not isinstance(body, dict):
        raise RefusedError('A question is a JSON object, such as {"text": "A good film."}.')
    return body


def _response(answer: Answer) -> Response:
    if answer is None:
        return Response(status_code=HTTPStatus.NO_CONTENT)
    if isinstance(answer, bytes):
        return Response(answer, media_type="application/octet-stream", headers=_NOT_KEPT)
    return JSONResponse(answer, headers=_NOT_KEPT)


_NOT_KEPT = {"cache-control": "no-store"}
