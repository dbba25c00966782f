"""Tables come back in their own format, in order, complete, and harmless."""

import csv
import dataclasses
import datetime
import io
import json
import zipfile

import numpy as np
import pyarrow.parquet as pq
import pytest
import python_calamine

from seqdemo.data.tables import read, workbook, write
from seqdemo.data.tables.writer import harmless
from tests.data.tables.table_files import HEADER, KINDS, ROWS, parquet, written, zipped

ADDED = {"p": [0.25, None, 1.0], "cut": [None, "to 400", None]}
MORE = [["0.2500", ""], ["", "to 400"], ["1.0000", ""]]


def scored(name, content, rows=(0, 1, 2), added=ADDED, **choices):
    return write(read(content, name, **choices), content, rows, added)


def cells(content, **options):
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), **options))


@pytest.mark.parametrize(
    ("kind", "separator"),
    [
        ("commas", ","),
        ("semicolons", ";"),
        ("tabs", "\t"),
        ("pipes", "|"),
        ("a sep= line", ";"),
        ("UTF-16", "\t"),
        ("Windows-1252", ";"),
        ("backslashes", ","),
    ],
)
def test_text_comes_back_under_its_own_name_and_separator_with_a_mark_by_which_excel_shows_accents(kind, separator):
    name, content = KINDS[kind]
    found = scored(name, content)
    assert found.file_name == name.replace("a.", "a_scored.")
    assert found.content.startswith(b"\xef\xbb\xbf")
    assert "caf\u00e9".encode() in found.content
    assert cells(found.content, delimiter=separator) == [
        [*HEADER, "p", "cut"],
        *([*row, *more] for row, more in zip(ROWS, MORE, strict=True)),
    ]


def test_json_and_parquet_keep_the_types_of_their_cells():
    name, content = KINDS["JSON Lines"]
    found = scored(name, content)
    assert found.file_name == "a_scored.jsonl"
    lines = [json.loads(line) for line in found.content.decode().splitlines()]
    assert lines[1] == {"id": 2, "Review Text": ROWS[1][1], "Rating": 1.0, "p": None, "cut": "to 400"}
    name, content = KINDS["a JSON array"]
    assert [item["p"] for item in json.loads(scored(name, content).content)] == [0.25, None, 1.0]
    name, content = KINDS["Parquet"]
    found = scored(name, content)
    assert found.file_name == "a_scored.parquet"
    table = pq.read_table(io.BytesIO(found.content))
    assert table.schema.names == [*HEADER, "p", "cut"]
    assert table.to_pylist()[0] == {"id": 1, "Review Text": ROWS[0][1], "Rating": 5.0, "p": 0.25, "cut": None}


def test_a_zip_comes_back_as_a_zip():
    name, content = KINDS["a ZIP"]
    found = scored(name, content)
    assert found.file_name == "a_scored.zip"
    with zipfile.ZipFile(io.BytesIO(found.content)) as file:
        assert file.namelist() == ["a_scored.csv"]
        assert cells(file.read("a_scored.csv"))[1][:3] == ROWS[0]
    lines = zipped(**{"a.jsonl": KINDS["JSON Lines"][1]})
    with zipfile.ZipFile(io.BytesIO(scored("b.zip", lines).content)) as file:
        assert b'"p": 0.25' in file.read("a_scored.jsonl")


def values(content):
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
    return {sheet.name: book.get_sheet_by_name(sheet.name).to_python() for sheet in book.sheets_metadata}


def test_a_workbook_comes_back_as_a_workbook_with_its_numbers_and_dates():
    name, content = KINDS["Excel"]
    ((before, own),) = values(content).items()
    found = scored(name, content)
    assert found.file_name == "a_scored.xlsx"
    ((after, rows),) = values(found.content).items()
    assert after == before
    assert [row[: len(own[0])] for row in rows] == own
    assert [row[len(own[0]) :] for row in rows] == [["p", "cut"], [0.25, ""], ["", "to 400"], [1.0, ""]]
    assert {type(value) for row in rows for value in row} == {str, float, datetime.date}


def test_each_kind_of_cell_of_a_workbook_comes_back_as_that_kind():
    day, hour = datetime.date(2024, 2, 29), datetime.timedelta(hours=30, minutes=5)
    row = ["=1+1", "http://example.com", 5.5, True, day, datetime.datetime(2024, 2, 29, 13, 30), hour, None]
    found = workbook.write([["text", *"abcdefg"], row, ["no", *[None] * 7]], "Mine")
    (rows,) = values(found).values()
    assert rows[1] == ["=1+1", "http://example.com", 5.5, True, day, datetime.datetime(2024, 2, 29, 13, 30), hour, ""]
    again = scored("a.xlsx", found, rows=(0, 1), added={"p": np.array([np.nan, 0.123456])})
    assert values(again.content) == {"Mine": [[*rows[0], "p"], [*rows[1], ""], [*rows[2], 0.1235]]}


def test_what_excel_could_not_keep_comes_back_as_csv(monkeypatch):
    text = "good " * 7_000
    book = workbook.write([["text"], ["good"], ["bad"]], "Mine")
    assert scored("a.xlsx", book, rows=(0, 1), added={"p": [0.5, 0.25]}).file_name == "a_scored.xlsx"
    table = dataclasses.replace(read(book, "a.xlsx"), rows=[["good"], [text]])
    found = write(table, book, (0, 1), {"p": [0.5, 0.25]})
    assert found.file_name == "a_scored.csv"
    assert cells(found.content)[2] == [text, "0.2500"]
    monkeypatch.setattr(workbook, "MAX_WRITTEN_CELLS", 5)
    assert scored("a.xlsx", book, rows=(0, 1), added={"p": [0.5, 0.25]}).file_name == "a_scored.csv"


def test_only_the_chosen_rows_come_back_in_the_order_of_the_file():
    for kind in ("commas", "JSON Lines", "Parquet", "Excel"):
        name, content = KINDS[kind]
        found = scored(name, content, rows=[0, 2], added={"p": [0.5, 0.25]})
        assert [row[:3] for row in read(found.content, found.file_name).rows] == [ROWS[0], ROWS[2]]


def test_every_cell_comes_back_as_it_was():
    header = ["id", " Text ", "note", "note", ""]
    rows = [
        ["007", 'He said "never again", twice,\nand meant it.', "1e5", " 2 ", "NA"],
        ["1", "line\r\nbreaks\rof three\nkinds", "", "", "null"],
        ["", "\u0641\u064a\u0644\u0645 \U0001f3ac", "", "", ""],
    ]
    found = scored("a.csv", written(rows, header).encode(), added={"p": [0.5, 1.0, 0.00004]})
    assert [row[:5] for row in cells(found.content)] == [header, *rows]
    assert [row[5] for row in cells(found.content)] == ["p", "0.5000", "1.0000", "0.0000"]


@pytest.mark.parametrize("kind", ["commas", "JSON Lines", "Parquet", "Excel"])
def test_a_column_of_an_earlier_scoring_is_replaced(kind):
    name, content = KINDS[kind]
    once = scored(name, content)
    again = scored(once.file_name, once.content, added={"p": [0.5, 0.5, 0.5]})
    table = read(again.content, again.file_name)
    assert table.columns == (*read(content, name).columns, "cut", "p")
    assert table.column(len(table.columns) - 1) in (["0.5000"] * 3, ["0.5"] * 3)


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        "+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(1)",
        " =1",
        "\t=1",
        "\r=1",
        "\u00a0=1",
        "\uff1d1",
        "- not good",
        "@you",
    ],
)
def test_cells_that_spreadsheets_would_run_get_an_apostrophe(cell):
    assert harmless(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["-5", "+3.2", "-1,000.50", "+5e-3", "-12 %", "-", "+", "", "good = bad", "5", "'=1"])
def test_numbers_and_texts_that_no_spreadsheet_runs_stay_as_they_are(cell):
    assert harmless(cell) == cell


def test_how_many_cells_were_made_harmless_is_told():
    content = written([["=1+1", "a - b"], ["-5", "-- so bad"], ["ok", "ok"]], ["text", "@note"]).encode()
    found = scored("a.csv", content)
    assert found.n_harmless == 3
    assert [row[:2] for row in cells(found.content)] == [
        ["text", "'@note"],
        ["'=1+1", "a - b"],
        ["-5", "'-- so bad"],
        ["ok", "ok"],
    ]


def test_a_table_without_names_gets_some():
    found = scored("a.tsv", b"1\tgood\n0\tbad\n1\tfine\n")
    assert cells(found.content, delimiter="\t")[0] == ["column 1", "column 2", "p", "cut"]
    found = scored("a.txt", b"Good, really.\nBad, really.\nFine.\n")
    assert cells(found.content, delimiter="\t")[:2] == [["text", "p", "cut"], ["Good, really.", "0.2500", ""]]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("../../etc/a b.csv", ".._.._etc_a b_scored.csv"),
        ("noending", "noending_scored.csv"),
        ("a\r\nb.tsv", "a__b_scored.tsv"),
        ("\u0444.csv", "\u0444_scored.csv"),
    ],
)
def test_the_name_of_the_result_is_a_plain_file_name(name, found):
    assert scored(name, written().encode()).file_name == found


def test_half_a_surrogate_pair_in_json_is_read_and_written():
    content = b'{"text": "good \\ud83d"}\n{"text": "bad"}\n'
    table = read(content, "a.jsonl")
    assert table.rows[0] == ["good \ufffd"]
    assert json.loads(write(table, content, [0], {"p": [1.0]}).content)["text"] == "good \ud83d"


def test_lists_in_parquet_do_not_keep_the_rest_from_coming_back():
    content = parquet({"text": ["a b", "c d"], "v": [[1], [2]]})
    found = pq.read_table(io.BytesIO(scored("a.parquet", content, rows=[1], added={"p": [0.5]}).content))
    assert found.to_pylist() == [{"text": "c d", "p": 0.5}]
