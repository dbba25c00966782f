import csv
import io
import threading
import time

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from seqdemo import paths
from seqdemo.data import review_table as data
from seqdemo.data.tables import MAX_BYTES, read
from seqdemo.models.registry import MODELS
from seqdemo.serve import routes
from seqdemo.serve.worker import Worker
from seqdemo.ui import resources
from seqdemo.ui.sentiment.review_queue import QUEUE, Column, Job
from tests.conftest import PATIENCE_S
from tests.data.tables.table_files import KINDS, ROWS, text_cell, workbook

PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489")


def page():
    from seqdemo.ui.sentiment import review_table

    review_table.render()


@pytest.fixture
def opened(checkpoint_folders, monkeypatch):
    """Opens the corner in a browser of its own, under an address."""
    monkeypatch.setattr(paths, "PRETRAINED", checkpoint_folders["rnn"].parent)
    st.cache_resource.clear()

    def open_(query=None):
        at = AppTest.from_function(page, default_timeout=PATIENCE_S)
        for name, value in (query or {}).items():
            at.query_params[name] = value
        return at.run()

    yield open_
    st.cache_resource.clear()
    for thread in threading.enumerate():
        if thread.name == "load-models":  # must not outlive the test: torch does not survive the end of Python
            thread.join(PATIENCE_S)


@pytest.fixture
def at(opened):
    return opened()


def upload(at, content, name="reviews.csv"):
    at.file_uploader(key="review_table_upload").set_value((name, content, "text/csv"))
    at.run()
    assert not at.exception
    return at


def job_of(at):
    return QUEUE.find(at.session_state["review_table_job"])


def start(at):
    at.button(key="review_table_start").click().run()
    assert not at.exception
    return job_of(at)


def finish(at):
    job = start(at)
    assert job.wait(PATIENCE_S)
    at.run()
    assert not at.exception
    return job


def scored(job):
    return read(job.outcome.written.content, job.outcome.written.file_name)


def texts(at):
    return " ".join(element.value for element in (*at.text, *at.caption)).replace("\\", "")


def errors(at):
    return " ".join(element.value for element in at.error).replace("\\", "")


def keys(at):
    return {element.key for element in (*at.button, *at.download_button)}


def picked(at, part):
    return at.selectbox(key=f"review_table_{part}")


def test_before_an_upload_there_is_the_invitation_alone(at):
    assert at.expander[0].label == "Score a table of reviews"
    assert "up to 5 MB: CSV, TSV, TXT, Excel (.xlsx), JSON Lines or Parquet" in at.file_uploader[0].label
    assert keys(at) == set()
    assert not at.exception


def test_a_table_is_shown_scored_and_handed_back(at):
    rows = [["id", "Text"], ["01", 'good, "very good"\n🎬'], ["02", "bad"], ["03", ""]]
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    upload(at, out.getvalue().encode())
    assert "3 rows and 2 columns: CSV, separated by commas, in UTF-8." in texts(at)
    assert "1 row without a word" in texts(at)
    assert at.dataframe[0].value["id"].tolist() == ["01", "02", "03"]
    assert at.button(key="review_table_start").label == "Score 2 reviews"
    job = finish(at)
    assert "Positive among 2 reviews of reviews.csv: RNN" in texts(at)
    assert "Kept for 60 minutes more" in texts(at)
    assert keys(at) == {"review_table_download"}
    assert at.download_button[0].label == "Download reviews_scored.csv"
    table = scored(job)
    assert list(table.columns) == ["id", "Text", *(f"p_positive_{name}" for name in MODELS), "share_unknown", "cut"]
    assert [row[:2] for row in table.rows] == rows[1:]
    assert all(cell for row in table.rows[:2] for cell in row[2:8])
    assert not any(table.rows[2][2:])


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_table_is_shown_and_can_be_scored(at, kind):
    name, content = KINDS[kind]
    upload(at, content, name)
    assert picked(at, "text").value == "Review Text"
    assert at.dataframe[0].value["Review Text"].tolist() == [row[1] for row in ROWS]
    assert at.button(key="review_table_start").label == "Score 3 reviews"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"text\n" + b"a" * (MAX_BYTES - 4), "at most 5 MB"),
        (PNG, "a picture"),
        (b"", "empty"),
        (b"1,2\n3,4\n", "No cell of this table holds a word"),
    ],
)
def test_a_file_that_cannot_be_scored_gets_a_sentence_and_no_button(at, content, words):
    upload(at, content)
    assert words in errors(at)
    assert keys(at) == set()
    upload(at, b"text\ngood\n", "next.csv")
    assert not at.error
    assert keys(at) == {"review_table_start"}


def test_markdown_in_a_header_stays_plain(at):
    upload(at, b"![a](//example.com/a.png),n\ngood, fine, well,1\nbad,2\nso so,3\nnot bad at all,4\n")
    assert "\\!\\[a\\]\\(//example\\.com" in " ".join(caption.value for caption in at.caption)


def test_a_column_without_any_word_cannot_be_started(at):
    upload(at, b'text,n\n"",1\n')
    assert "No cell of this table holds a word" in errors(at)
    upload(at, b"text,n\ngood,1\n")
    picked(at, "text").select("n").run()
    assert at.button(key="review_table_start").label == "Score 1 review"  # a number is a token
    upload(at, b'text,n\ngood,""\n')
    picked(at, "text").select("n").run()
    assert at.button(key="review_table_start").disabled


def test_a_model_that_failed_to_load_is_named(at, checkpoint_folders, tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "PRETRAINED", tmp_path)
    for name in ("rnn", "lstm"):
        (tmp_path / name).symlink_to(checkpoint_folders[name])
    st.cache_resource.clear()
    upload(at, b"text\ngood\n")
    finish(at)
    assert "GRU could not be loaded; its column is empty." in texts(at)
    assert "Positive among 1 review of reviews.csv: RNN" in texts(at)


def test_one_waits_visibly_behind_another_table_and_can_stop(at):
    gate = threading.Event()

    def get_models():
        assert gate.wait(PATIENCE_S)
        return resources.models()

    source = data.Source(content=b"text\ngood\n", file_name="other.csv")
    columns = [Column("rnn", "rnn", "RNN")]
    other = Job(
        data.choose(source, source.read(), 0, "first"),
        columns=columns,
        get_models=get_models,
        worker=Worker(routes.KINDS),
    )
    QUEUE.submit(other)
    try:
        upload(at, b"text\ngood\n")
        mine = start(at)
        assert "Another table is being scored; yours is next." in at.get("progress")[0].proto.text.replace("\\", "")
        assert keys(at) == {"review_table_stop"}
        at.button(key="review_table_stop").click().run()
        assert not at.exception
        assert keys(at) == {"review_table_start"}
    finally:
        gate.set()
    assert mine.wait(PATIENCE_S)
    assert mine.state == "stopped"


def test_taking_the_file_away_takes_its_result_away(at):
    upload(at, b"text\ngood\n")
    finish(at)
    at.file_uploader(key="review_table_upload").set_value(None)
    at.run()
    assert keys(at) == set()
    assert at.session_state["review_table_job"] is None


def test_the_column_is_the_visitors_choice(at):
    upload(at, b"summary,review\nshort,a much longer review\nbad,\n")
    assert picked(at, "text").value == "review"
    assert at.button(key="review_table_start").label == "Score 1 review"
    picked(at, "text").select("summary").run()
    assert at.button(key="review_table_start").label == "Score 2 reviews"
    assert all(scored(finish(at)).rows[1][2:7])


def test_whether_the_first_row_names_the_columns_is_the_visitors_choice(at):
    upload(at, b"1,a fine film\n0,a dull film\n")
    assert "The first row looks like data" in texts(at)
    assert at.button(key="review_table_start").label == "Score 2 reviews"
    picked(at, "header").select(True).run()
    assert not at.exception
    assert picked(at, "text").value == "a fine film"
    assert at.button(key="review_table_start").label == "Score 1 review"


def test_the_encoding_is_said_and_the_visitors_choice_also_after_a_wrong_one(at):
    upload(at, "text\ncaf\u00e9 noir\n".encode("cp1252"))
    assert "Read as Windows-1252." in texts(at)
    picked(at, "encoding").select("utf-8").run()
    assert "byte 9 (line 2) is 0xe9" in errors(at)
    assert keys(at) == set()
    picked(at, "encoding").select("mac_roman").run()
    assert not at.error
    assert at.dataframe[0].value["text"].tolist() == ["caf\u00c8 noir"]


def test_the_sheet_of_a_workbook_is_the_visitors_choice(at):
    sheets = {
        name: f'<row r="1">{text_cell("A1", "text")}</row><row r="2">{text_cell("A2", name)}</row>'
        for name in ("good", "bad")
    }
    upload(at, workbook("", sheets=sheets), "book.xlsx")
    picked(at, "part").select("bad").run()
    assert scored(finish(at)).rows[0][0] == "bad"
    assert at.download_button[0].label == "Download book_scored.xlsx"


def test_columns_without_a_name_or_named_twice_are_shown_and_scored(at):
    upload(at, b",text,text,,\n1,good,2,,\n2,bad,3,,\n")
    assert at.dataframe[0].value.columns.tolist() == ["column 1", "text", "text (2)", "column 4", "column 5"]
    assert scored(finish(at)).header[:5] == ("", "text", "text", "", "")


def test_a_table_longer_than_the_limit_is_offered_in_its_beginning_at_random_or_in_parts(at):
    upload(at, b"text\n" + b"good\n" * 2001)
    assert at.radio(key="review_table_which").options == ["The first 2,000", "2,000 at random", "All 2,001, in 2 parts"]
    assert at.button(key="review_table_start").label == "Score 2,000 reviews"
    at.radio(key="review_table_which").set_value("all").run()
    assert at.button(key="review_table_start").label == "Score 2,001 reviews"
    at.radio(key="review_table_which").set_value("random").run()
    assert len(scored(finish(at))) == 2000


def test_of_a_very_long_table_all_rows_are_offered(at):
    upload(at, b"text\n" + b"good\n" * 60_001)
    assert at.radio(key="review_table_which").options[-1] == "All 60,001, in 31 parts"


def test_the_address_leads_back_to_a_table_after_a_reload_and_says_how_long(at, opened):
    upload(at, b"text\ngood\n")
    job = finish(at)
    again = opened({"table": job.id})
    assert not again.exception
    assert "Positive among 1 review of reviews.csv" in texts(again)
    assert keys(again) == {"review_table_download"}
    assert again.expander[0].proto.expanded
    job.kept_until = time.monotonic() - 1
    gone = opened({"table": job.id})
    assert "not kept any more" in gone.info[0].value
    upload(gone, b"text\nbad\n")
    assert not gone.info


@pytest.mark.parametrize("id_", ["", "x", "../../etc/passwd", "a" * 5000, "<script>"])
def test_an_address_with_another_id_harms_nothing(opened, id_):
    at = opened({"table": id_})
    assert not at.exception
    assert keys(at) == set()


def test_scoring_goes_on_while_its_visitor_looks_at_another_page(at, opened):
    gate = threading.Event()
    upload(at, b"text\ngood\n")
    source = data.Source(content=b"text\ngood\n", file_name="other.csv")
    other = Job(
        data.choose(source, source.read(), 0, "first"),
        columns=[Column("rnn", "rnn", "RNN")],
        get_models=lambda: {"opened": gate.wait(PATIENCE_S)},
        worker=Worker(routes.KINDS),
    )
    QUEUE.submit(other)
    try:
        job = start(at)
        id_ = job.id
        at.file_uploader(key="review_table_upload").set_value(None)  # as on another page, where the box is not drawn
    finally:
        gate.set()
    assert job.wait(PATIENCE_S)
    assert "Positive among 1 review" in texts(opened({"table": id_}))


def test_what_was_made_harmless_cut_or_is_probably_not_english_is_said(at):
    long = "good film " * 300
    foreign = "\u0444\u0438\u043b\u044c\u043c \u0432\u043e\u043e\u0431\u0449\u0435"
    upload(at, f"text\n=1+1 good\n{long}\n{foreign}\n{foreign}\n{foreign}\n{foreign}\n".encode())
    assert resources.store().wait(PATIENCE_S)
    at.run()
    assert "67 % of the words are unknown to the models: these texts are probably not English" in at.warning[0].value
    finish(at)
    assert "1 cell that began with =, +, - or @ got an apostrophe" in texts(at)
    assert "1 review is read in part: see the column cut." in texts(at)
    assert "67 % are unknown on average: see share_unknown" in texts(at)
    assert "67 % of the words are unknown to the models" in at.warning[0].value
    upload(at, f"text\ngood film\nbad film\n{foreign}\n".encode())
    finish(at)
    assert not at.warning
    assert "1 review is probably not English: most of the words are unknown." in texts(at)


def test_an_english_table_is_not_called_foreign(at):
    assert resources.store().wait(PATIENCE_S)
    upload(at, b"text\nthe film was very good\nnot bad\n")
    assert not at.warning
    finish(at)
    assert not at.warning
    assert "not English" not in texts(at)


def test_a_visitors_own_model_scores_the_table_and_its_column_says_so(opened, own_model):
    run_id = own_model("lstm")
    at = opened({"own": run_id})
    upload(at, b"text\nsplendid film\n")
    job = finish(at)
    assert "First try (LSTM)" in texts(at)
    table = scored(job)
    assert "p_positive_lstm_own" in table.columns
    assert "p_positive_lstm" not in table.columns
    own = resources.service().own_model(resources.jobs().view(run_id))
    figure = float(table.rows[0][table.columns.index("p_positive_lstm_own")])
    assert figure == pytest.approx(float(own.predict_proba(["splendid film"])[0]), abs=1e-4)
    shipped = resources.models()["lstm"].predict_proba(["splendid film"])[0]
    assert figure != pytest.approx(float(shipped), abs=1e-4)


def test_rows_that_are_too_long_are_read_and_named(at):
    upload(at, b"label,text\n1,well, well, well\n0,bad\n")
    assert "Row 1 has more than 2 cells" in texts(at)
    assert at.dataframe[0].value["text"].tolist() == ["well, well, well", "bad"]
