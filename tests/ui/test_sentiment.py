"""The live page as Python places it; what it answers is in tests/serve and tests/browser."""

import json

import pytest

from seqdemo.models.registry import MODELS
from seqdemo.serve.http import TOKEN
from seqdemo.ui import resources
from seqdemo.ui.shared.examples import EXAMPLES

PAGE = "../../pages/sentiment.py"


def parts(app):
    """The data of the page's three browser components, by name."""
    found = {}
    for element in app.get("bidi_component"):
        proto = element.proto
        (found[proto.component_name],) = json.loads(proto.json)
    return found


@pytest.fixture
def page(ready):
    """The page with every model loaded."""
    ready.switch_page(PAGE).run()
    assert not ready.exception
    return ready


def test_a_worked_out_example_stands_there_before_anything_is_typed(page):
    found = parts(page)
    assert {found[name]["text"] for name in ("review_box", "verdicts", "curves")} == {EXAMPLES[0].text}
    assert [card["name"] for card in found["verdicts"]["cards"]] == list(MODELS)


def test_every_part_asks_in_the_name_of_this_session(page):
    tokens = {data["token"] for name, data in parts(page).items() if "token" in data}
    (token,) = tokens
    assert resources.service().visitors.knows(token)
    assert TOKEN.lower() == TOKEN, "as HTTP names headers"


def test_a_link_opens_its_review(app, loaded):
    app.run()
    loaded()
    app.query_params["review"] = "a <b>good</b> film"
    app.switch_page(PAGE).run()
    assert parts(app)["review_box"]["text"] == "a <b>good</b> film"


def test_the_page_opens_with_what_was_written_last(page):
    token = parts(page)["review_box"]["token"]
    resources.service().visitors.put(token, "a dull plot")
    page.run()
    assert parts(page)["review_box"]["text"] == "a dull plot"
    page.query_params["review"] = "what the address says"
    page.run()
    assert parts(page)["verdicts"]["text"] == "what the address says"


def test_an_own_model_is_named_to_those_that_ask(app, loaded, own_model):
    app.query_params["own"] = run_id = own_model("gru")
    app.run()
    loaded()
    app.switch_page(PAGE).run()
    found = parts(app)
    assert found["verdicts"]["models"] == found["curves"]["models"] == {"gru": run_id}
    assert [card["label"] for card in found["verdicts"]["cards"]][1] == "First try (GRU)"


def test_the_places_are_kept_while_models_load(app, gate):
    app.run().switch_page(PAGE).run()
    assert not app.exception
    assert [card["label"] for card in parts(app)["verdicts"]["cards"]] == [spec.label for spec in MODELS.values()]
