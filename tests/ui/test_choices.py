"""A choice that stands in the address: read from it, said where it cannot be."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.conftest import PATIENCE_S


def page():
    import streamlit as st

    from seqdemo.ui.shared.choices import one_of
    from seqdemo.ui.shared.marks import plain

    names = {"rnn": "RNN", "lstm": "LSTM", "own": plain("First *try* (GRU)"), "long": "“It is a film, and so on.”"}
    st.text(one_of("Model", names, default="rnn", key="which"))


def opened(asked=None):
    app = AppTest.from_function(page, default_timeout=PATIENCE_S)
    if asked is not None:
        app.query_params["which"] = asked
    app.run()
    assert not app.exception
    return app


def test_the_default_is_chosen_and_nothing_said():
    app = opened()
    assert app.text[0].value == "rnn"
    assert not app.caption


@pytest.mark.parametrize(
    ("asked", "name"),  # as Streamlit writes a choice into the address: by what it is called on screen
    [("LSTM", "lstm"), (r"First \*try\* \(GRU\)", "own"), ("“It is a film, and so on.”", "long")],
)
def test_the_address_chooses(asked, name):
    app = opened(asked)
    assert app.text[0].value == name
    assert not app.caption


@pytest.mark.parametrize("asked", ["GRU", "lstm", "<b>x</b>", "9" * 5_000])
def test_what_is_not_there_is_said_until_another_one_is_chosen(asked):
    app = opened(asked)
    assert app.text[0].value == "rnn"
    assert "The address asks for which " in app.caption[0].value
    assert "it can be one of RNN, LSTM, " in app.caption[0].value
    assert asked[:3] in app.caption[0].value.replace("\\", "")
    assert len(app.caption[0].value) < 250
    app.run()
    assert app.caption, "while models load the page is drawn anew"
    app.segmented_control(key="which").set_value("lstm").run()
    assert app.text[0].value == "lstm"
    assert not app.caption
