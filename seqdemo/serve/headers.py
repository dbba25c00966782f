"""The headers that every answer of the server carries: what a page may load, run, and be framed by.

They are set here rather than by a proxy, so that a laptop and a hosted server give the same pages under the same rules,
Streamlit's own files included. As plain ASGI: answers stream on as they come, WebSockets are not touched.
"""

from __future__ import annotations

import base64
import hashlib
import html.parser
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

DEFAULT_ANCESTORS = "'self'"
"""Other sites may link to the app, but not put it into a frame, where a click could be stolen."""
_UNUSED = ("camera", "display-capture", "geolocation", "microphone", "midi", "payment", "serial", "usb")
_HOST = re.compile(rb"[A-Za-z0-9.-]{1,253}(:\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?")


class SecurityHeaders:
    """ASGI middleware that adds them to whatever the app inside answers; one that the app has set stays."""

    def __init__(self, app: App, *, page: str, frame_ancestors: str = DEFAULT_ANCESTORS) -> None:
        """Reads the page once.

        Args:
            app: What answers.
            page: The HTML in which the app runs; its inline scripts are allowed, and no other.
            frame_ancestors: Who may show the app in a frame, as sources of a content policy.
        """
        self._app = app
        self._policy = content_policy(page, frame_ancestors)
        self._always = {
            b"x-content-type-options": b"nosniff",
            b"referrer-policy": b"same-origin",  # an address holds the text that someone typed
            b"permissions-policy": ", ".join(f"{name}=()" for name in _UNUSED).encode(),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        policy = self._policy + _connections(scope)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", ()))
                names = {name.lower() for name, _ in given}
                added = {**self._always, b"content-security-policy": policy}
                message = {**message, "headers": given + [pair for pair in added.items() if pair[0] not in names]}
            await send(message)

        await self._app(scope, receive, send_with_headers)


def content_policy(page: str, frame_ancestors: str = DEFAULT_ANCESTORS) -> bytes:
    """Everything from this server, and beyond that only what Streamlit's front end and our components need.

    Scripts as `blob:` are how Streamlit runs the JavaScript of components, inline styles how it styles, and WebAssembly
    is how its messages get 64-bit integers. No script is made of text: its charts are drawn by Vega's interpreter.

    Args:
        page: The HTML in which the app runs.
        frame_ancestors: Who may show it in a frame.

    Returns:
        The policy, but for `connect-src`.
    """
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in inline_scripts(page)
    )
    rules = {
        "default-src": "'self'",
        "script-src": f"'self' blob: 'wasm-unsafe-eval' {hashes}".strip(),
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "media-src": "'self' data: blob:",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": frame_ancestors,
    }
    return "; ".join(f"{name} {sources}" for name, sources in rules.items()).encode()


def inline_scripts(page: str) -> list[str]:
    """The text of each script that stands in the page itself, to the letter, as browsers hash it."""
    parser = _Scripts()
    parser.feed(page)
    parser.close()
    return parser.found


class _Scripts(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.found: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "script" and "src" not in dict(attrs):
            self._inside = True
            self.found.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.found[-1] += data


def _connections(scope: Scope) -> bytes:
    """Where scripts may connect to: this server, and its WebSocket by name, which some browsers do not count to it."""
    host = next((value for name, value in scope["headers"] if name == b"host"), b"")
    sockets = b" ws://%b wss://%b" % (host, host) if _HOST.fullmatch(host) else b""
    return b"; connect-src 'self'" + sockets
