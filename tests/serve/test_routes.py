"""The door: who may ask, in which form, how much; and that what is kept is kept for whom it belongs to."""

import json

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from seqdemo.errors import BusyError
from seqdemo.serve.http import MAX_BODY, TOKEN
from seqdemo.serve.routes import ANSWERS, API, routes

VERDICTS = f"{API}/verdicts"
GOOD = {"text": "a good film"}


def problem(answer, status):
    """The sentence of a problem."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    return answer.json()["detail"]


def test_a_program_is_answered(client):
    answer = client.post(VERDICTS, json=GOOD)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert set(answer.json()["verdicts"]) == {"rnn", "gru", "lstm", "bilstm", "transformer"}


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://elsewhere.example"},
        {"origin": "null"},
        {"sec-fetch-site": "same-origin", "origin": "https://elsewhere.example"},
    ],
)
def test_a_page_of_another_site_is_refused(client, headers):
    assert problem(client.post(VERDICTS, json=GOOD, headers=headers), 403) == "Pages of other sites may not ask here."


def test_a_page_of_this_site_is_answered(client):
    headers = {"sec-fetch-site": "same-origin", "origin": "http://testserver"}
    assert client.post(VERDICTS, json=GOOD, headers=headers).status_code == 200


def test_what_is_not_json_is_refused_with_a_sentence(client):
    assert "application/json" in problem(client.post(VERDICTS, data={"text": "good"}), 415)
    kind = {"content-type": "application/json"}
    assert problem(client.post(VERDICTS, content=b"{", headers=kind), 400).startswith("This is no JSON")
    assert problem(client.post(VERDICTS, content=b"[" * 100_000, headers=kind), 400).startswith("This is no JSON")
    assert "JSON object" in problem(client.post(VERDICTS, content=b"[]", headers=kind), 422)
    assert "the text to read" in problem(client.post(VERDICTS, json={"text": 1}), 422)


def test_a_question_is_refused_by_its_size_before_it_is_parsed(client):
    sent = []

    def endless():
        while len(sent) < 100:
            sent.append(1)
            yield b" " * 64 * 1024

    answer = client.post(VERDICTS, content=endless(), headers={"content-type": "application/json"})
    assert f"{MAX_BODY:,} bytes" in problem(answer, 413)


def test_the_longest_text_of_any_script_fits(client):
    text = "\U0001f600" * 50_000
    assert len(json.dumps({"text": text})) > MAX_BODY, "escaped, as some programs send it, it may not"
    body = json.dumps({"text": text}, ensure_ascii=False).encode()
    assert client.post(VERDICTS, content=body, headers={"content-type": "application/json"}).status_code == 200


@pytest.mark.parametrize("models", [{"cnn": ""}, {"rnn": 1}])
def test_a_model_that_there_is_not_is_named(client, models):
    assert "the names are rnn, gru" in problem(client.post(VERDICTS, json={**GOOD, "models": models}), 422)
    assert "JSON object" in problem(client.post(VERDICTS, json={**GOOD, "models": ["rnn"]}), 422)


def test_other_weights_than_those_asked_for_do_not_answer(client, service):
    right = service.store.get("rnn").sha256
    assert client.post(VERDICTS, json={**GOOD, "models": {"rnn": right}}).status_code == 200
    assert right in problem(client.post(VERDICTS, json={**GOOD, "models": {"rnn": "0" * 64}}), 409)


def test_a_busy_server_says_when_to_ask_again(client, service, monkeypatch):
    def busy(*_):
        raise BusyError("Too many texts wait to be read. Next in 3 s.", retry_after_s=3)

    monkeypatch.setattr(service.worker, "submit", busy)
    answer = client.post(VERDICTS, json=GOOD)
    assert problem(answer, 503) == "Too many texts wait to be read. Next in 3 s."
    assert answer.headers["retry-after"] == "3"


def test_an_error_of_ours_tells_a_visitor_nothing_but_that_there_was_one(client, service, monkeypatch):
    def broken(*_):
        raise RuntimeError("/secret/path")

    monkeypatch.setattr(service.worker, "submit", broken)
    assert "secret" not in problem(client.post(VERDICTS, json=GOOD), 500)


def test_a_text_is_kept_for_the_session_that_sent_it_and_for_no_other(client, service):
    mine, other = service.visitors.mint(), service.visitors.mint()
    assert client.post(f"{API}/text", json=GOOD, headers={TOKEN: mine}).status_code == 204
    assert service.visitors.text(mine) == "a good film"
    assert service.visitors.text(other) is None
    for unknown in ("", "made up"):
        assert client.post(f"{API}/text", json=GOOD, headers={TOKEN: unknown}).status_code == 204
        assert service.visitors.text(unknown) is None


def test_nothing_is_set_in_the_browser(client):
    assert "set-cookie" not in client.post(VERDICTS, json=GOOD).headers


def test_only_questions_are_answered(client):
    assert client.get(VERDICTS).status_code == 405
    assert client.post(f"{API}/nothing", json=GOOD).status_code == 404


@pytest.mark.parametrize("base", ["demo", "/demo/", "a/demo"])
def test_the_routes_lie_under_the_path_of_the_app(service, base):
    with TestClient(Starlette(routes=routes(lambda: service, base))) as client:
        assert client.post(f"/{base.strip('/')}{VERDICTS}", json=GOOD).status_code == 200
        assert client.post(VERDICTS, json=GOOD).status_code == 404


@pytest.mark.parametrize("kind", ANSWERS)
def test_every_route_refuses_a_question_without_its_text_with_a_sentence(client, kind):
    said = problem(client.post(f"{API}/{kind}", json={}), 422)
    assert said.endswith(".")
