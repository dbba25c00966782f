"""Attention as Python places it: what it answers is in tests/serve and tests/browser."""

import json

import pytest

from seqdemo.serve.attention import NAME
from seqdemo.ui import resources
from seqdemo.ui.attention import attention
from seqdemo.ui.shared import review_box

PAGE = "../../pages/attention.py"
LONG = "good film " * 300


def data_of(app):
    (proto,) = [element.proto for element in app.get("bidi_component") if element.proto.component_name == "attention"]
    (data,) = json.loads(proto.json)
    return data


def said(app):
    return " ".join(part.value for part in [*app.caption, *app.markdown]).replace("\\", "")


def report(app, text):
    """What the component reports of an edit that rests."""
    app.session_state["attention"] = {"text": text}
    app.run()
    assert not app.exception
    return app


@pytest.fixture
def page(ready):
    """The page with every model loaded."""
    ready.switch_page(PAGE).run()
    assert not ready.exception
    return ready


def test_something_is_on_screen_before_anything_is_typed(page):
    assert data_of(page)["text"] == data_of(page)["usual"] == attention.DEFAULT.text
    assert len(page.get("vega_lite_chart")) >= 2


def test_the_charts_follow_the_text_that_the_component_reports(page):
    n_words = len(resources.models()[NAME].read(attention.DEFAULT.text).tokens)
    assert f" of {n_words}**" in said(page)
    report(page, LONG)
    assert " of 400**" in said(page)
    report(page, "good")
    assert "every head looks 0 words away" in said(page)


@pytest.mark.parametrize("text", ["", "   ", "()", "\u200b", "\ud83d", 7, None])
def test_whatever_is_reported_the_page_goes_on(page, text):
    report(page, text)
    assert " of 400**" in said(report(page, LONG))


def test_what_was_written_elsewhere_is_what_it_opens_with_but_for_a_link(ready):
    ready.switch_page(PAGE).run()
    resources.service().visitors.put(ready.session_state["visitor_token"], "a bad film")
    ready.run()
    assert data_of(ready)["text"] == "a bad film"
    ready.query_params["review"] = "a good film"
    ready.run()
    assert data_of(ready)["text"] == "a good film"


def test_while_the_models_load_the_place_of_the_charts_is_kept(app, gate):
    app.run()
    app.switch_page(PAGE).run()
    assert not app.exception
    assert len(app.get("skeleton")) >= 1
    gate.set()


def test_without_the_model_the_rest_of_the_page_stands(app, loaded, pretrained):
    (pretrained / NAME / "vocab.txt").unlink()
    app.run()
    loaded()
    app.switch_page(PAGE).run()
    assert not app.exception
    assert "words away" not in said(app)
    assert "An encoder" in said(app)


def test_the_page_says_what_kind_of_transformer_it_is(page):
    for part in ("encoder", "padding mask", "no causal mask", "mean readout", "Where it looked, not why"):
        assert part.lower() in said(page).lower()


def test_an_own_transformer_goes_by_its_own_name(app, loaded, own_model):
    run_id = own_model(NAME)
    app.query_params["own"] = run_id
    app.run()
    loaded()
    app.switch_page(PAGE).run()
    assert not app.exception
    assert data_of(app)["models"] == {NAME: run_id}
    assert said(app).count("read by First try (Transformer)") == 2
    assert "read by" not in "".join(part.value for part in app.header)


def test_the_first_text_fits_a_link_and_is_read_in_full(vocabulary):
    assert vocabulary.read(attention.DEFAULT.text).n_skipped == 0
    assert len(attention.DEFAULT.text) < review_box.LINK_CHARACTERS
