"""The page that writes on: what its component is given, and what was measured of the models.

What it answers while one types stands with the routes and in the browser.
"""

import json
import shutil

import numpy as np
import pytest

import seqdemo
from seqdemo.checkpoints import find
from seqdemo.models.registry import MODELS
from seqdemo.studies import next_word, registry, study
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


STUDIES = ("next_word", "context", "copies")


@pytest.fixture
def measured(pretrained):
    """The stored figures of the shipped language models, which stand in the folder of the app with their manifest."""
    (pretrained / "studies").mkdir(exist_ok=True)
    for name in STUDIES:
        shutil.copy(study.path_of(name, seqdemo.PRETRAINED / "studies"), pretrained / "studies")
    shutil.copy(seqdemo.PRETRAINED / "manifest.json", pretrained)
    return pretrained


def test_what_was_measured_stands_below_each_with_its_finding(measured, given, ready):
    given()
    findings = [heading.value for heading in ready.subheader]
    tables = [registry.STUDIES[name] for name in STUDIES]
    assert len(findings) == len(tables)
    assert "names one next word in" in findings[0]
    assert findings[1].startswith("Words that each model uses: the RNN the last ")
    assert "of real reviews'" in findings[2]
    assert [len(part.proto.spec) > 0 for part in ready.get("vega_lite_chart")] == [True] * 4
    how = [caption.value for caption in ready.caption if caption.value.startswith("How to read this")]
    assert len(how) == 3
    assert "95\u00a0% interval over reviews" in how[0]
    assert not ready.info


def test_figures_of_other_weights_are_not_shown_and_it_says_so(measured, given, ready):
    path = measured / "manifest.json"
    found = json.loads(path.read_text())
    found["folders"]["lm-gru"]["files"]["model.safetensors"]["sha256"] = "0" * 64
    path.write_text(json.dumps(found))
    given()
    said = [caption.value for caption in ready.caption]
    assert said.count("GRU: measured on other weights than those in use, so not shown.") == 3
    assert not any("GRU" in heading.value for heading in ready.subheader)


def test_without_stored_figures_the_command_is_named(given, ready):
    given()
    assert [info.value.rpartition(" ")[2] for info in ready.info] == [f"{name}`." for name in STUDIES]


def test_those_who_write_are_the_shipped_language_models_with_states(given):
    given()
    assert find.writers() == [name for name in MODELS if name in ("rnn", "gru", "lstm")]


def test_what_counting_comes_to_stands_in_the_chart_of_surprise(measured, given):
    table = next_word.frame(study.read("next_word"), None)
    of_five = table[(table["name"] == "five_gram") & (table["kind"] == "all")]["perplexity"].item()
    assert given()["counting"] == pytest.approx(np.log2(of_five), abs=0.01)
    (measured / "studies" / "next_word.json").unlink()
    assert given()["counting"] is None
