"""The page that writes on: what its component is given. What it answers stands with the routes and in the browser."""

import json

import pytest

from seqdemo.ui.write import write

PAGE = "../../pages/write.py"


@pytest.fixture
def given(ready, pretrained):
    """Opens the page with these entries in its address; gives what its component is given."""
    for name in ("lm-rnn", "lm-gru", "lm-lstm", "lm-transformer"):
        (pretrained / name).mkdir()

    def open_(**entries):
        for name, value in entries.items():
            ready.query_params[name] = value
        ready.switch_page(PAGE).run()
        assert not ready.exception
        (proto,) = [part.proto for part in ready.get("bidi_component") if part.proto.component_name == "write"]
        return json.loads(proto.json)[0]

    return open_


def test_it_opens_with_a_beginning_and_sensible_settings(given):
    found = given()
    assert found["text"] == write.EXAMPLES[0][1]
    assert found["settings"] == {"temperature": "0.8", "top_k": "0", "top_p": "1", "words": "40", "seed": "1"}
    assert [writer["label"] for writer in found["writers"]] == ["RNN", "GRU", "LSTM"]
    assert (found["written"], found["refused"]) == (False, [])


def test_a_link_opens_its_text_and_settings(given):
    settings = {"temperature": "1.3", "top_k": "50", "top_p": "0.9", "words": "80", "seed": "42"}
    found = given(text="It begins", written="yes", **settings)
    assert found["text"] == "It begins"
    assert found["settings"] == settings
    assert (found["written"], found["refused"]) == (True, [])


@pytest.mark.parametrize(
    ("name", "word", "possible"),
    [
        ("temperature", "2.1", "one of 0, 0.1, "),
        ("top_k", "7", "one of 0, 1, 2, 5, "),
        ("top_p", "0", "one of 1, 0.99, "),
        ("words", "81", "1 to 80"),
        ("words", "9" * 5_000, "1 to 80"),
        ("seed", "-1", "0 to 9999"),
        ("written", "<b>", "one of yes"),
    ],
)
def test_a_setting_that_cannot_be_is_said_and_the_usual_one_taken(given, name, word, possible):
    usual = given()["settings"]
    found = given(**{name: word})
    (said,) = found["refused"]
    assert said.startswith(f"The address asks for {name} “{word[:40]}”; it can be {possible}")
    assert found["settings"] == usual
