import json

import numpy as np
import pytest

from seqdemo.explain import steps
from seqdemo.text import MAX_TOKENS
from seqdemo.ui import resources
from seqdemo.ui.shared import old_box
from seqdemo.ui.shared.examples import EXAMPLES
from seqdemo.ui.stepper import stepper

PAGE = "../../pages/stepper.py"
GOOD, BAD = "This film was great . ", "It was dull and boring . "


def unpack(message):
    length = int.from_bytes(message[:4], "little")
    header, body = json.loads(message[4 : 4 + length]), message[4 + length :]
    return header, {
        name: np.frombuffer(body, place["dtype"], place["size"], place["offset"])
        for name, place in header["arrays"].items()
    }


def sent(app, name="stepper"):
    """The message that a component was sent."""
    (proto,) = [element.proto for element in app.get("bidi_component") if element.proto.component_name == name]
    return proto.bytes


def header_of(app):
    return unpack(sent(app))[0]


def type_in(app, text, *, n=1, settled=True):
    """What the box would report for this text."""
    (box,) = [element.proto for element in app.get("bidi_component") if element.proto.component_name == "review_box"]
    (data,) = json.loads(box.json)
    edit = {"text": text, "length": len(text), "rev": data["rev"], "n": n, "settled": settled}
    app.session_state["stepper_box"] = {"edit": edit}
    app.run()
    assert not app.exception
    return app


def choose(app, **sides):
    """What the stepper would report for a choice of models and units."""
    app.session_state["stepper"] = {
        "choice": {side: {"model": model, "units": units} for side, (model, units) in sides.items()}
    }
    app.run()
    assert not app.exception
    return app


@pytest.fixture
def page(ready):
    """The page with every model loaded."""
    ready.switch_page(PAGE).run()
    assert not ready.exception
    return ready


def reading_of(vocabulary, text):
    return vocabulary.read(text)


def every_word(*probabilities):
    return np.arange(len(probabilities)), np.array(probabilities, dtype=np.float32)


def test_rnn_and_lstm_stand_side_by_side_on_a_long_text_before_anything_is_typed(page):
    header, arrays = unpack(sent(page))
    assert [column["name"] for column in header["columns"]] == ["rnn", "lstm"]
    assert len(header["words"]) > 150
    assert header["title"]
    assert 0 <= header["start"] < len(header["words"])
    for side in stepper.SIDES:
        assert len(arrays[f"{side}.curve"]) == len(header["words"])
    assert "right.0.cell" in arrays
    assert "left.0.cell" not in arrays


def test_the_message_holds_what_the_trace_holds(page):
    header, arrays = unpack(sent(page))
    model = resources.models()["lstm"]
    traced = model.trace(stepper.LONG_PLOT.text)
    n_units = header["columns"][1]["lanes"][0]["n_units"]
    np.testing.assert_allclose(arrays["right.curve"], traced.signals["probability"], atol=1e-5)
    levels = arrays["right.0.hidden"].reshape(-1, n_units)
    np.testing.assert_allclose((levels.astype(float) - 128) / 127, traced.signals["hidden"][0], atol=0.5 / 127 + 1e-5)
    means = arrays["right.0.forget_gate"].reshape(3, -1)[1]
    np.testing.assert_allclose(means, traced.signals["forget_gate"][0].mean(axis=1), atol=1e-5)


def test_another_unit_costs_one_small_message_and_leaves_the_large_one_as_it_was(page):
    before, units = sent(page), sent(page, "stepper_units")
    choose(page, left=("rnn", [3]), right=("lstm", [5]))
    assert sent(page) == before
    header, arrays = unpack(sent(page, "stepper_units"))
    assert sent(page, "stepper_units") != units
    assert header["id"] == header_of(page)["id"]
    assert [header["lanes"][lane]["unit"] for lane in ("left.0", "right.0")] == [3, 5]
    traced = resources.models()["lstm"].trace(stepper.LONG_PLOT.text)
    np.testing.assert_allclose(arrays["right.0.cell"], traced.signals["cell"][0, :, 5], atol=1e-5)


def test_a_unit_that_a_model_does_not_have_becomes_the_stand_out_one(page):
    choose(page, left=("rnn", [10_000]), right=("lstm", [5]))
    header, _ = unpack(sent(page, "stepper_units"))
    model = resources.models()["rnn"]
    assert header["lanes"]["left.0"]["unit"] == steps.standout_unit(model, steps.trace(model, stepper.LONG_PLOT.text))


def test_a_bilstm_carries_both_directions_by_name(page):
    choose(page, left=("gru", []), right=("bilstm", []))
    header, arrays = unpack(sent(page))
    left, right = header["columns"]
    assert [lane["direction"] for lane in left["lanes"]] == ["forwards"]
    assert [lane["direction"] for lane in right["lanes"]] == ["forwards", "backwards"]
    assert right["steps"][-1] == len(header["words"]) - 1
    assert len(right["steps"]) == len(arrays["right.curve"]) <= 24
    traced = resources.models()["bilstm"].trace(stepper.LONG_PLOT.text)
    levels = arrays["right.1.hidden"].reshape(len(header["words"]), -1)
    backward = traced.signals["hidden_backward"][0]
    np.testing.assert_allclose((levels.astype(float) - 128) / 127, backward, atol=0.5 / 127 + 1e-5)


@pytest.mark.parametrize("text", ["", "   ", "()", "\u200b"])
def test_a_text_without_a_word_gets_a_sentence(page, text):
    type_in(page, text)
    header = header_of(page)
    assert header["kind"] == "nothing"
    assert header["said"].endswith("Write a sentence about a film, or try an example.")
    assert header_of(type_in(page, "good", n=2))["words"] == ["good"]


@pytest.mark.parametrize("text", ["good", "\U0001f600", "zyzzyva qwertz", "\U0001f600 good \u4f60\u597d"])
def test_short_and_strange_texts_can_be_stepped_through(page, text):
    header = header_of(type_in(page, text))
    assert header["kind"] == "trace"
    assert "".join(header["words"]) == text.replace(" ", "")


def test_words_that_no_model_knows_are_said_to_be_unknown(page):
    header = header_of(type_in(page, "zyzzyva qwertz"))
    assert header["unknown"] == [0, 1]
    assert "The models know none of these words" in header["notices"][-1]


def test_unknown_words_are_those_of_the_two_models_on_screen(page):
    header = header_of(type_in(page, "a dull film"))
    assert (header["unknown"], header["partly"]) == ([], {"1": "unknown to the RNN"})
    assert header["note"] == "3 words · unknown to the RNN: dull"
    choose(page, left=("gru", []), right=("lstm", []))
    header = header_of(page)
    assert (header["unknown"], header["partly"], header["note"]) == ([], {}, "3 words")
    choose(page, left=("rnn", []), right=("rnn", []))
    header = header_of(page)
    assert (header["unknown"], header["partly"], header["note"]) == ([1], {}, "3 words · unknown: dull")


def test_of_a_text_of_50_000_characters_head_and_tail_are_read(page):
    text = "good film " * 5_100
    header = header_of(type_in(page, text))
    assert len(header["words"]) == MAX_TOKENS
    assert header["gap"] == 128
    assert "first 50,000 of 51,000 characters" in header["notices"][0]
    assert "first 128 and the last 272 of 10,000" in header["notices"][1]
    assert len(sent(page)) < 3_000_000


def test_nothing_is_computed_while_somebody_types(page):
    before = sent(page)
    type_in(page, "good", settled=False)
    assert sent(page) == before
    assert header_of(type_in(page, "good film", n=2))["words"] == ["good", "film"]


def test_the_text_goes_to_the_other_pages_and_comes_from_them(page):
    type_in(page, "a good film")
    assert page.session_state["review"] == "a good film"
    page.session_state["review"] = "a bad film"
    page.run()
    assert header_of(page)["words"] == ["a", "bad", "film"]


def test_a_model_that_cannot_be_loaded_keeps_its_column_and_says_why(app, loaded, pretrained):
    (pretrained / "rnn" / "vocab.txt").unlink()
    app.run()
    loaded()
    app.switch_page(PAGE).run()
    assert not app.exception
    left, right = header_of(app)["columns"]
    assert "vocab.txt" in left["problem"]
    assert right["problem"] == ""
    assert right["lanes"]


def test_while_the_models_load_the_page_says_so(app, gate):
    app.run()
    app.switch_page(PAGE).run()
    assert not app.exception
    assert header_of(app) | {"text_id": ""} == {
        "kind": "nothing",
        "said": "Loading the models",
        "loading": True,
        "text_id": "",
        "arrays": {},
    }
    gate.set()


def test_a_link_opens_its_models_units_and_text():
    query = {"left": "gru", "right": "bilstm", "left_unit": "7", "right_unit": "3-9", "review": "good film"}
    session = stepper.start(query, review="something else")
    assert session.text == "good film"
    assert session.models == {"left": "gru", "right": "bilstm"}
    assert session.units == {"left": [6], "right": [2, 8]}


@pytest.mark.parametrize("query", [{"left": "transformer"}, {"left": "<b>"}, {"left_unit": "x-y"}, {"left_unit": "0"}])
def test_a_broken_link_opens_what_it_can(query):
    session = stepper.start(query, review=None)
    assert session.text == stepper.LONG_PLOT.text
    assert session.models == stepper.DEFAULT
    assert session.units == {"left": [], "right": []}


def test_what_was_typed_on_another_page_comes_before_the_example():
    assert stepper.start({}, review="typed").text == "typed"
    assert stepper.start({}, review=EXAMPLES[0].text).text == stepper.LONG_PLOT.text  # it was there untouched


def test_the_finding_names_the_model_that_lost_the_first_sentence(vocabulary):
    reading = vocabulary.read("great . a film and a film")
    curves = {
        "left": ("rnn", every_word(0.9, 0.9, 0.9, 0.5, 0.7, 0.3, 0.5)),
        "right": ("lstm", every_word(0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9)),
    }
    assert stepper.finding(reading, curves) == (
        "The RNN has lost the first sentence by word 6; the LSTM holds it to the end",
        5,
    )
    curves["right"] = ("lstm", every_word(0.9, 0.9, 0.9, 0.1, 0.9, 0.9, 0.9))
    assert stepper.finding(reading, curves)[0].endswith("by word 6; the LSTM wavers and comes back to it")
    curves["right"] = ("lstm", every_word(0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.2))
    assert stepper.finding(reading, curves)[0] == "The RNN has lost the first sentence by word 6, the LSTM by word 7"
    curves["left"] = ("rnn", every_word(0.9, 0.9, 0.1, 0.9, 0.1, 0.9, 0.9))
    curves["right"] = ("gru", curves["left"][1])
    assert stepper.finding(reading, curves) == (
        "Both models still give the verdict of the first sentence at the end",
        6,
    )


def test_without_a_sure_first_sentence_the_finding_is_how_it_ends(vocabulary):
    ends = ("Positive at the end: 30\u00a0% by the RNN, 80\u00a0% by the LSTM", 2)
    curves = {"left": ("rnn", every_word(0.5, 0.5, 0.3)), "right": ("lstm", every_word(0.5, 0.5, 0.8))}
    assert stepper.finding(vocabulary.read("a . film"), curves) == ends
    assert stepper.finding(vocabulary.read("a good film"), curves) == ends  # one sentence only


def test_a_sampled_curve_is_asked_at_the_first_point_behind_the_first_sentence():
    curve = (np.array([0, 3, 7]), np.array([0.1, 0.9, 0.5], dtype=np.float32))
    assert stepper.lost_after(curve, end=1) == 7
    assert stepper.lost_after(curve, end=0) == 3


def test_the_long_example_gives_its_opinion_first_and_fits_into_what_a_model_reads(vocabulary):
    reading = vocabulary.read(stepper.LONG_PLOT.text)
    assert reading.n_skipped == 0
    assert len(reading.tokens) > 150
    assert len(stepper.LONG_PLOT.text) < old_box.LINK_CHARACTERS
