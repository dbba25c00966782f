"""Whatever stands in an address, every page opens: one typed, shortened or made up by someone breaks nothing."""

import pathlib
import re

import pytest
from streamlit.testing.v1 import AppTest

import seqdemo
from seqdemo.ui import resources
from seqdemo.ui.pages import PAGES
from seqdemo.ui.train import train
from tests.conftest import PATIENCE_S
from tests.ui.conftest import MAIN

UI = pathlib.Path(seqdemo.__file__).parent / "ui"
ODD = ["", "9" * 5_000, "-1", "x-y, <b>", "\u0663\u00b2 \U0001f3ac\x00"]
ENTRIES = {
    *("own", "review", "table", "left", "right", "left_unit", "right_unit", "token", "text", "beam", "step", "char"),
    *("what", "layer", "head", "word", "key", "view", "explained", "explained_by", "edit", "put"),
    *("hand", "hand_numbers", "epoch", "sentence", "scale", "closely"),
    *("temperature", "top_k", "top_p", "words", "seed", "written", "branches"),
    *("opinion", "matrix", "block_of_gru", "block_of_lstm", "reach"),
    *train.IN_ADDRESS,
}


@pytest.fixture
def own_runs(tmp_path, monkeypatch):
    """Visitors' runs, of which there are none."""
    monkeypatch.setenv("SEQDEMO_RUNS", str(tmp_path / "runs"))
    resources.jobs.clear()
    yield
    resources.jobs().close()
    resources.jobs.clear()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.file)
def test_a_page_opens_whatever_stands_in_every_entry_of_its_address(own_runs, app, loaded, page):
    app.run()
    loaded()
    for word in ODD:
        opened = AppTest.from_file(MAIN, default_timeout=PATIENCE_S)
        opened.run()
        for name in ENTRIES:
            opened.query_params[name] = word
        opened.switch_page(f"../../pages/{page.file}").run()
        assert not opened.exception, (word[:20], opened.exception[0].value)
        assert opened.title, word[:20]


def test_an_own_model_that_is_none_breaks_nothing(own_runs, app):
    for word in ODD:
        opened = AppTest.from_file(MAIN, default_timeout=PATIENCE_S)
        opened.query_params["own"] = word
        assert not opened.run().exception, word[:20]


def test_every_entry_that_the_code_reads_or_writes_is_tried_here():
    read = {
        name
        for path in UI.rglob("*.py")
        if path.name != "address.py"  # which has an example
        for name in re.findall(
            r'(?:asked\.|address\.(?!entries)\w+\([^"\n]*\bquery\w*[^"\n]*, )(?:\w+\()?"(\w+)"', path.read_text("utf-8")
        )
    }
    asked = {
        name
        for path in UI.rglob("*.js")
        for name in re.findall(r'(?:searchParams\.get|\w*[iI]nAddress)\("(\w+)"', path.read_text("utf-8"))
    }
    assert {"own", "review", "beam", "preset", "edit"} <= read
    assert {"token", "char", "what", "epoch", "hand"} <= asked
    chosen = {
        name
        for path in UI.rglob("*.py")
        for name in re.findall(r'= one_of\(.*?key="(\w+)"', path.read_text("utf-8"), re.S)
    }
    assert {"opinion", "reach"} <= chosen
    assert read | asked | chosen <= ENTRIES
