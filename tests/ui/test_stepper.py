"""The stepper as Python places it; what it answers is in tests/serve and tests/browser."""

import json

import pytest

from seqdemo.serve.stepper import DEFAULT
from seqdemo.ui.shared import address, review_box
from seqdemo.ui.stepper import stepper

PAGE = "../../pages/stepper.py"
USUAL = {side: {"model": name, "units": []} for side, name in DEFAULT.items()}


def data_of(app):
    (proto,) = [element.proto for element in app.get("bidi_component") if element.proto.component_name == "stepper"]
    (data,) = json.loads(proto.json)
    return data


def test_a_long_text_with_its_opinion_first_stands_there_before_anything_is_typed(ready):
    ready.switch_page(PAGE).run()
    assert not ready.exception
    assert data_of(ready)["text"] == stepper.LONG_PLOT.text
    assert data_of(ready)["choice"] == USUAL


def test_a_link_opens_its_models_units_and_text(ready):
    query = {"left": "gru", "right": "bilstm", "left_unit": "7", "right_unit": "3-9", "review": "good film"}
    for name, word in query.items():
        ready.query_params[name] = word
    ready.switch_page(PAGE).run()
    assert data_of(ready)["text"] == "good film"
    assert data_of(ready)["choice"] == {
        "left": {"model": "gru", "units": [6]},
        "right": {"model": "bilstm", "units": [2, 8]},
    }


@pytest.mark.parametrize("query", [{"left": "transformer"}, {"left": "<b>"}, {"left_unit": "x-y"}, {"left_unit": "0"}])
def test_a_broken_link_opens_what_it_can(query):
    asked = address.Asked(query)
    assert stepper.choice(asked) == USUAL
    ((name, found),) = query.items()
    assert [said.startswith(f"The address asks for {name} “{found}”; it can be ") for said in asked.refused] == [True]


def test_the_long_example_gives_its_opinion_first_and_fits_into_what_a_model_reads(vocabulary):
    reading = vocabulary.read(stepper.LONG_PLOT.text)
    assert reading.n_skipped == 0
    assert len(reading.tokens) > 150
    assert len(stepper.LONG_PLOT.text) < review_box.LINK_CHARACTERS
