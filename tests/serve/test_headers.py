"""The headers of every answer, and the policy under which pages run; the browser's side is in tests/browser."""

import asyncio
import base64
import hashlib
import pathlib
import re

import pytest
import streamlit

from seqdemo.serve.headers import SecurityHeaders, content_policy, inline_scripts

PAGE = (pathlib.Path(streamlit.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
START = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/css")]}
CHUNKS = [{"type": "http.response.body", "body": b"%d" % n, "more_body": n < 2} for n in range(3)]


async def nothing():
    return {"type": "http.request", "body": b"", "more_body": False}


def ask(scope=None, messages=(START, *CHUNKS), **settings):
    """What arrives of an app's messages, by way of the middleware."""
    sent = []

    async def app(scope, receive, send):
        for n, message in enumerate(messages):
            await send(message)
            assert len(sent) == n + 1, "each is passed on before the next is made"

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "headers": [(b"host", b"localhost:8501")], **(scope or {})}
    asyncio.run(SecurityHeaders(app, page=PAGE, **settings)(scope, nothing, send))
    return sent


def headers_of(sent):
    assert len({name for name, _ in sent[0]["headers"]}) == len(sent[0]["headers"])
    return {name.decode(): value.decode() for name, value in sent[0]["headers"]}


def rules_of(sent):
    rules = headers_of(sent)["content-security-policy"].split("; ")
    return {name: set(sources) for name, *sources in (rule.split() for rule in rules)}


def test_every_answer_carries_the_headers_and_streams_as_it_comes():
    sent = ask()
    found = headers_of(sent)
    assert found["content-type"] == "text/css"
    assert found["x-content-type-options"] == "nosniff"
    assert found["referrer-policy"] == "same-origin"
    assert "camera=()" in found["permissions-policy"]
    assert sent[1:] == CHUNKS
    assert START["headers"] == [(b"content-type", b"text/css")], "the app's own message is not written to"


def test_a_header_that_the_app_has_set_stays():
    start = {**START, "headers": [(b"Content-Security-Policy", b"sandbox")]}
    sent = ask(messages=[start])
    assert [value for name, value in sent[0]["headers"] if name.lower() == b"content-security-policy"] == [b"sandbox"]


@pytest.mark.parametrize("kind", ["websocket", "lifespan"])
def test_what_is_no_page_is_not_touched(kind):
    messages = [{"type": f"{kind}.accept", "headers": []}]
    sent = ask({"type": kind}, messages)
    assert sent[0] is messages[0]


def test_scripts_come_from_the_server_and_none_is_made_of_text():
    rules = rules_of(ask())
    (script,) = re.findall(r"<script>(.*?)</script>", PAGE, re.DOTALL)  # Streamlit's own, in the page itself
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert rules["script-src"] == {"'self'", "blob:", "'wasm-unsafe-eval'", f"'sha256-{digest}'"}
    assert rules["default-src"] == {"'self'"}
    assert rules["object-src"] == {"'none'"}
    assert not any("'unsafe-eval'" in sources or "*" in sources for sources in rules.values())


def test_inline_scripts_are_found_as_browsers_hash_them():
    page = "<script>a && b < c &amp; '<p>'\n</script><script src='x.js'></script><SCRIPT type=module>d</SCRIPT><p>e</p>"
    assert inline_scripts(page) == ["a && b < c &amp; '<p>'\n", "d"]
    assert b"sha256" not in content_policy("<p>No script.</p>")


@pytest.mark.parametrize(
    ("host", "sockets"),
    [
        (b"school.example", {"ws://school.example", "wss://school.example"}),
        (b"[::1]:8501", {"ws://[::1]:8501", "wss://[::1]:8501"}),
        (b"a.example; script-src *", set()),
        (b"a.example\r\nX-Other: 1", set()),
        (b"", set()),
    ],
)
def test_pages_may_connect_to_their_own_server_only(host, sockets):
    assert rules_of(ask({"headers": [(b"host", host)]}))["connect-src"] == {"'self'", *sockets}


def test_who_may_frame_the_app_is_a_setting_and_other_sites_may_not_by_default():
    assert rules_of(ask())["frame-ancestors"] == {"'self'"}
    rules = rules_of(ask(frame_ancestors="'self' https://school.example"))
    assert rules["frame-ancestors"] == {"'self'", "https://school.example"}
