import csv
import io
import threading

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import seqdemo
from seqdemo.data.review_table import MAX_BYTES, MAX_ROWS, parse
from seqdemo.models.registry import MODELS
from seqdemo.ui import resources
from seqdemo.ui.review_queue import QUEUE, Job

PATIENCE_S = 30
PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489")


def page():
    from seqdemo.ui import review_table

    review_table.render()


@pytest.fixture
def at(checkpoint_folders, monkeypatch):
    monkeypatch.setattr(seqdemo, "PRETRAINED", checkpoint_folders["rnn"].parent)
    st.cache_resource.clear()
    yield AppTest.from_function(page, default_timeout=PATIENCE_S).run()
    st.cache_resource.clear()
    for thread in threading.enumerate():
        if thread.name == "load-models":  # must not outlive the test: torch does not survive the end of Python
            thread.join(PATIENCE_S)


def upload(at, content, name="reviews.csv"):
    at.file_uploader(key="review_table_upload").set_value((name, content, "text/csv"))
    at.run()
    assert not at.exception
    return at


def finish(at):
    assert at.session_state["review_table_job"].wait(PATIENCE_S)
    at.run()
    assert not at.exception
    return at


def texts(at):
    return " ".join(element.value for element in at.text)


def keys(at):
    return {element.key for element in (*at.button, *at.download_button)}


def test_before_an_upload_there_is_the_invitation_alone(at):
    assert at.expander[0].label == "Score a CSV of reviews"
    assert "column called text" in at.file_uploader[0].label
    assert keys(at) == set()
    assert not at.exception


def test_a_table_is_shown_scored_and_handed_back(at):
    rows = [["id", "Text"], ["01", 'good, "very good"\n🎬'], ["02", "bad"], ["03", ""]]
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    upload(at, out.getvalue().encode())
    assert "3 rows and 2 columns, separated by commas" in texts(at)
    assert "1 row without a word" in texts(at)
    assert at.dataframe[0].value["id"].tolist() == ["01", "02", "03"]
    assert at.button(key="review_table_start").label == "Score 2 reviews"
    at.button(key="review_table_start").click().run()
    finish(at)
    assert "Positive among 2 reviews: RNN" in texts(at)
    assert keys(at) == {"review_table_download"}
    scored = parse(at.session_state["review_table_job"].result)
    assert list(scored.columns) == ["id", "Text", *(f"p_positive_{name}" for name in MODELS)]
    assert [row[:2] for row in scored.rows] == rows[1:]
    assert all(cell for row in scored.rows[:2] for cell in row[2:])
    assert not any(scored.rows[2][2:])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"text\n" + b"good\n" * (MAX_ROWS + 1), "2,001 rows"),
        (b"text\n" + b"a" * (MAX_BYTES - 4), "at most 5 MB"),
        (PNG, "not text"),
        (b"review\ngood\n", "no column called text"),
        (b"", "empty"),
    ],
)
def test_a_file_that_cannot_be_scored_gets_a_sentence_and_no_button(at, content, words):
    upload(at, content)
    assert words in at.error[0].value.replace("\\", "")
    assert keys(at) == set()


def test_markdown_in_a_header_stays_plain(at):
    upload(at, b"![a](//example.com/a.png)\ngood\n")
    assert "\\!\\[a\\]\\(//example\\.com" in at.error[0].value


def test_a_table_without_any_word_cannot_be_started(at):
    upload(at, b'text,n\n"",1\n')
    assert at.button(key="review_table_start").disabled


def test_a_model_that_failed_to_load_is_named(at, checkpoint_folders, tmp_path, monkeypatch):
    monkeypatch.setattr(seqdemo, "PRETRAINED", tmp_path)
    for name in ("rnn", "lstm"):
        (tmp_path / name).symlink_to(checkpoint_folders[name])
    st.cache_resource.clear()
    upload(at, b"text\ngood\n")
    at.button(key="review_table_start").click().run()
    finish(at)
    assert "GRU could not be loaded; its column is empty." in texts(at)
    assert "Positive among 1 review: RNN" in texts(at)


def test_one_waits_visibly_behind_another_table_and_can_stop(at):
    gate = threading.Event()

    def get_models():
        assert gate.wait(PATIENCE_S)
        return resources.models()

    other = Job(parse(b"text\ngood\n"), file_name="other.csv", file_id="other", get_models=get_models)
    QUEUE.submit(other)
    try:
        upload(at, b"text\ngood\n")
        at.button(key="review_table_start").click().run()
        assert "Another table is being scored; yours is next." in at.get("progress")[0].proto.text
        assert keys(at) == {"review_table_stop"}
        mine = at.session_state["review_table_job"]
        at.button(key="review_table_stop").click().run()
        assert not at.exception
        assert keys(at) == {"review_table_start"}
    finally:
        gate.set()
    assert mine.wait(PATIENCE_S)
    assert mine.state == "stopped"


def test_taking_the_file_away_takes_its_result_away(at):
    upload(at, b"text\ngood\n")
    at.button(key="review_table_start").click().run()
    finish(at)
    at.file_uploader(key="review_table_upload").set_value(None)
    at.run()
    assert keys(at) == set()
    assert "review_table_job" not in at.session_state
