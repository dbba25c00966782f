"""One small table of each kind that people have, read by the one reader. All texts are made up."""

import contextlib
import datetime
import decimal
import io
import struct
import zipfile
import zlib

import pyarrow as pa
import pytest

from seqdemo.data import tables
from seqdemo.data.tables import MAX_BYTES, read
from seqdemo.data.tables import workbook as workbooks
from seqdemo.errors import DataError
from tests.data.tables.table_files import HEADER, KINDS, ROWS, XLSX, parquet, text_cell, workbook, written, zipped


def refusal(content, name="a.csv", **choices):
    with pytest.raises(DataError) as refused:
        read(content, name, **choices)
    return str(refused.value)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_table_that_people_have_is_read_as_people_see_it(kind):
    name, content = KINDS[kind]
    table = read(content, name)
    assert list(table.columns)[:3] == HEADER
    assert [row[:3] for row in table.rows] == ROWS
    assert (table.text_column, table.label_column) == (1, 2)
    assert table.has_header
    assert table.file_name == name


def test_dates_of_a_workbook_and_of_parquet_come_as_iso_dates_and_empty_cells_empty():
    assert read(XLSX, "a.xlsx").column(3) == ["2024-01-01"] * 3
    table = read(
        parquet(
            {
                "text": ["one", None, "two"],
                "day": [datetime.date(2024, 2, 3), None, None],
                "at": pa.array([1_700_000_000_123_456_789, None, 0], pa.timestamp("ns")),
                "price": pa.array([decimal.Decimal("1.50"), None, None]),
                "n": pa.array([1, None, 3]),
                "yes": [True, False, None],
                "half": [0.5, float("nan"), 2.0],
            }
        ),
        "a.parquet",
    )
    assert table.rows[0][1:] == ["2024-02-03", "2023-11-14 22:13:20.123456789", "1.50", "1", "TRUE", "0.5"]
    assert table.rows[1] == ["", "", "", "", "", "FALSE", ""]
    assert table.rows[2] == ["two", "", "1970-01-01", "", "3", "", "2"]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("Windows-1252", "Read as Windows-1252."),
        ("Mac Roman", "Read as Mac Roman."),
        ("UTF-16", "Read as UTF-16."),
        ("a sep= line", "“sep=”"),
    ],
)
def test_what_was_decided_on_the_way_is_said(kind, said):
    name, content = KINDS[kind]
    assert said in " ".join(read(content, name).notes)


def test_an_encoding_that_the_visitor_chose_is_used():
    content = "text\nДЖЖ\n".encode("cp1251")
    assert read(content, "a.csv", encoding="cp1251").rows[0] == ["ДЖЖ"]
    assert read(content, "a.csv", encoding="cp1251").encoding == "cp1251"
    said = refusal("text\ngut\nschön\n".encode("cp1252"), encoding="utf-8")
    assert "byte 13 (line 3) is 0xf6" in said
    assert "Excel" in said
    assert "Google Sheets" in said


def test_utf_8_with_one_damaged_byte_stays_utf_8_and_says_where():
    table = read("text\ncafé, très bien\nné\n".encode() + b"caf\xc3\n", "a.txt")
    assert table.rows[0] == ["café, très bien"]
    assert "1 place is not UTF-8" in table.notes[0]
    assert "(line 4)" in table.notes[0]


def test_a_byte_that_windows_1252_does_not_know_harms_nothing():
    assert read(b"text\ncaf\xe9 \x81 good\n", "a.csv").rows == [["café \x81 good"]]


@pytest.mark.parametrize(
    ("name", "content", "rows"),
    [
        ("a.txt", "I liked it, a lot.\nSo did I; truly.\n\nMy father did not.\n", 3),
        ("a.csv", "I liked it.\nSo did I.\n", 2),
        ("a.csv", "It was slow, then slower, then over.\nA gem, a small one.\nNo.\n", 3),
    ],
)
def test_lines_of_prose_are_one_text_each(name, content, rows):
    table = read(content.encode(), name)
    assert len(table) == rows
    assert table.columns == ("text",)
    assert table.separator is None
    assert "looks like data" in " ".join(table.notes)
    assert table.described() == f"{name[-3:].upper() if name == 'a.csv' else 'text'}, one text a line, in UTF-8"


def test_a_text_file_with_tabs_and_no_names_is_a_table():
    table = read(b"So there is no way.\t0\nGood case, excellent value.\t1\nGreat\t1\n", "a.txt")
    assert table.rows[1] == ["Good case, excellent value.", "1"]
    assert table.header is None
    assert table.text_column == 0


def test_a_first_row_that_looks_like_data_is_no_header_unless_the_visitor_says_so():
    content = b"1,a fine film\n0,a dull film\n"
    table = read(content, "a.csv")
    assert (len(table), table.header, table.columns) == (2, None, ("column 1", "column 2"))
    assert "looks like data" in table.notes[0]
    assert read(content, "a.csv", header=True).columns == ("1", "a fine film")
    assert len(read(b"text,n\ngood,1\n", "a.csv", header=False)) == 2


@pytest.mark.parametrize("repeated", [b"positive,good film\nnegative,bad film\npositive,fine film\n"])
def test_a_label_in_the_first_row_that_comes_again_below_is_data(repeated):
    assert read(repeated, "a.csv").header is None


def test_columns_without_a_name_or_named_twice_or_empty_do_no_harm():
    table = read(b",text,a,a,,column 1\n0,good,1,2,,\n1,bad,3,4,,\n", "a.csv")
    assert table.columns == ("column 1 (2)", "text", "a", "a (2)", "column 5", "column 1")
    assert table.header == ("", "text", "a", "a", "", "column 1")
    assert table.text_column == 1
    assert len(set(table.columns)) == 6


@pytest.mark.parametrize(
    "name",
    [
        "review",
        "Review",
        "content",
        "comment",
        "Tweet",
        "sentence",
        "feedback",
        "body",
        "opinion",
        "reviewText",
        "Review Text",
        "review_text",
        "Customer Review",
        "message",
        "HEADLINE",
        "Phrase",
        "review_body",
    ],
)
def test_the_usual_names_of_a_column_of_texts_are_known(name):
    rows = [["1", "good", "a much longer cell that is no review"]] * 3
    assert read(written(rows, ["n", name, "address"]).encode(), "a.csv").text_column == 1


@pytest.mark.parametrize(
    "name",
    [
        "label",
        "sentiment",
        "Rating",
        "stars",
        "score",
        "class",
        "target",
        "polarity",
        "overall",
        "airline_sentiment",
        "Star Rating",
    ],
)
def test_the_usual_names_of_a_column_of_labels_are_known(name):
    rows = [[str(n), "good film", str(n % 2)] for n in range(40)]
    assert read(written(rows, ["review_id", "text", name]).encode(), "a.csv").label_column == 2


def test_without_a_usual_name_the_column_with_the_longest_texts_is_proposed():
    table = read(b'film,what they thought,where\nA,rather long and rather good,here\nB,"short, bad",here\n', "a.csv")
    assert table.text_column == 1
    assert table.label_column is None


def test_a_column_of_numbers_called_review_is_no_column_of_texts():
    assert read(b"review,words\n4,a good film\n5,a fine film\n", "a.csv").text_column == 1


def test_rows_that_are_too_long_or_too_short_are_read_and_told():
    table = read(b"label,text,n\n1,well, well, well,7\n0,bad,8\n1,good,9,,\n0,dull\n", "a.csv")
    assert table.rows == [["1", "well, well, well", "7"], ["0", "bad", "8"], ["1", "good", "9"], ["0", "dull", ""]]
    assert "Row 1 has more than 3 cells" in table.notes[0]
    assert "“text”" in table.notes[0]
    assert "Row 4 has fewer than 3 cells" in table.notes[1]


def test_row_names_as_r_writes_them_are_a_column_without_a_name():
    table = read(b'"text","label"\n"1","good","yes"\n"2","bad","no"\n', "a.csv")
    assert table.columns == ("column 1", "text", "label")
    assert table.column(1) == ["good", "bad"]


def test_quotes_that_do_not_pair_are_read_line_by_line_or_named_by_row():
    table = read(b'text\tn\n"Good" he said\t1\n"Bad\t2\nwell\t3\n', "a.tsv")
    assert table.column(0) == ['"Good" he said', '"Bad', "well"]
    assert "Quotes" in table.notes[0]
    said = refusal(b'text,n\n"well, then",1\n"two\nlines, and more",2\n"three\nlines, never closed,4\n')
    assert "in row 4 (line 5) is not closed" in said
    assert "Excel" in said


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"", "a.csv", "empty"),
        (b"\xef\xbb\xbf\r\n \n", "a.csv", "empty"),
        (b"sep=;\n", "a.csv", "empty"),
        (b"text,label\n", "a.csv", "nothing below it"),
        (bytes.fromhex("89504e470d0a1a0a0000000d49484452"), "a.csv", "a picture"),
        (b"%PDF-1.7\n", "a.csv", "a PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "a.xls", "old Excel workbook"),
        (b"\x1f\x8b\x08\x00", "a.csv.gz", "gzip"),
        (b"<!DOCTYPE html><html></html>", "a.csv", "web page"),
        (b"text\n\x01\x02\x03\x04\x05", "a.csv", "character 6 is 0x01"),
        (b'{"text": "good"}\n{"text": \n[1]\n', "a.jsonl", "line 2 is not JSON"),
        (b'{"text": "good"}\n{"text": \n[1]\n', "a.jsonl", "line 3 is not an object"),
        (b"[" * 100_000, "a.json", "nested too deeply"),
        (b'{"a":' * 50_000, "a.jsonl", "nested too deeply"),
        (b'{"text": "a", "n": ' + b"1" * 5000 + b"}", "a.jsonl", "too long a number"),
        (b"PK\x03\x04 and nothing", "a.zip", "damaged"),
        (b"PAR1 and nothing PAR1", "a.parquet", "cannot be read"),
        (zipped(**{"a.zip": zipped(**{"a.csv": "text\ngood\n"})}), "a.zip", "packed itself"),
        (zipped(**{"a.csv": zipped(**{"a.csv": "text\ngood\n"})}), "a.zip", "packed itself"),
        (zipped(**{"a.png": b"x"}), "a.zip", "holds no table: “a.png”"),
        (zipped(**{"word/document.xml": "x"}), "a.docx", "a Word document"),
    ],
)
def test_what_cannot_be_read_gets_a_sentence(content, name, said):
    assert said in refusal(content, name)


def test_a_file_of_five_megabytes_is_read_and_one_byte_more_is_refused():
    start = b"text\n"
    assert len(read(start + b"a" * (MAX_BYTES - len(start)), "a.csv")) == 1
    assert refusal(start + b"a" * (MAX_BYTES - len(start) + 1)) == "This file has 5.1 MB; at most 5 MB are read."


def test_a_sheet_and_a_file_of_a_zip_can_be_chosen():
    sheets = {
        "Empty": "",
        "One": f'<row r="1">{text_cell("A1", "text")}</row><row r="2">{text_cell("A2", "good")}</row>',
        "Two": f'<row r="1">{text_cell("A1", "text")}</row><row r="2">{text_cell("A2", "bad")}</row>',
    }
    book = workbook("", sheets=sheets)
    assert (read(book, "a.xlsx").part, read(book, "a.xlsx").parts) == ("One", ("Empty", "One", "Two"))
    assert read(book, "a.xlsx", part="Two").rows == [["bad"]]
    files = zipped(**{"a.csv": "text\nshort\n", "in/b.csv": "text\nmuch longer\n"})
    assert read(files, "a.zip").rows == [["much longer"]]
    assert read(files, "a.zip", part="a.csv").rows == [["short"]]
    assert read(files, "a.zip").parts == ("a.csv", "in/b.csv")


def test_parquet_columns_that_are_no_text_are_left_out_and_named():
    table = read(
        parquet({"text": ["good"], "vector": [[0.5, 0.5]], "image": [b"\xff\x00"], "note": [b"as bytes"]}), "a.parquet"
    )
    assert table.columns == ("text", "note")
    assert table.rows == [["good", "as bytes"]]
    assert "“vector”, “image”" in table.notes[0]


# ---- What unpacks to more than a server has


def test_a_zip_bomb_is_refused_before_it_is_unpacked_also_if_it_says_that_it_is_small():
    bomb = zipped(**{"a.csv": b"a" * (tables.MAX_UNPACKED_BYTES + 1)})
    assert len(bomb) < 100_000
    assert "25 MB unpacked" in refusal(bomb, "a.zip")
    size = struct.pack("<I", tables.MAX_UNPACKED_BYTES + 1)
    assert bomb.count(size) == 2
    assert "“a.csv”" in refusal(bomb.replace(size, struct.pack("<I", 100)), "a.zip")


def test_zip_members_packed_by_what_unpacks_all_at_once_are_refused():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_BZIP2) as file:
        file.writestr("a.csv", "text\ngood\n")
    assert "unusual way" in refusal(out.getvalue(), "a.zip")


@pytest.mark.parametrize(
    ("cells", "shared", "said"),
    [
        (f'<row r="1">{text_cell("A1", "a")}</row><row r="1048576">{text_cell("XFD1048576", "b")}</row>', (), "cells"),
        ('<row r="1048576"><c><v>1</v></c></row><row r="1"><c r="C1"><v>1</v></c></row>', (), "cells"),
        ('<row><c t="s"><v>0</v></c></row>' * 30, ["a" * 1_000_000], "million characters"),
        ('<!DOCTYPE a [<!ENTITY a "aaaa">]><row r="1"/>', (), "damaged"),
    ],
)
def test_a_workbook_that_would_fill_the_memory_is_refused_before_it_is_laid_out(cells, shared, said):
    book = workbook(cells, shared=shared)
    assert len(book) < 100_000
    assert said in refusal(book, "a.xlsx")


def test_a_workbook_whose_parts_declare_entities_is_refused():
    book = workbook(f'<row r="1">{text_cell("A1", "a")}</row>')
    with zipfile.ZipFile(io.BytesIO(book)) as file:
        files = {name: file.read(name) for name in file.namelist()}
    files["xl/sharedStrings.xml"] = b'<!DOCTYPE sst [<!ENTITY a "aaaa">]><sst><si><t>&a;</t></si></sst>'
    assert "no spreadsheet writes" in refusal(zipped(**files), "a.xlsx")


def test_a_workbook_of_too_much_xml_is_refused_before_it_is_read():
    book = workbook(" " * (workbooks.MAX_XML_BYTES + 1))
    assert "60 MB unpacked" in refusal(book, "a.xlsx")


def test_parquet_that_repeats_one_long_text_or_packs_much_into_little_is_refused():
    once = parquet({"text": ["a" * 100_000] * 1_000}, compression="zstd")
    assert len(once) < 200_000
    assert "25 MB of text" in refusal(once, "a.parquet")
    packed = parquet({"text": ["a" * 1_000_000 + str(n) for n in range(30)]}, compression="zstd", use_dictionary=False)
    assert len(packed) < 200_000
    assert "25 MB unpacked" in refusal(packed, "a.parquet")
    assert "1,000,000 cells" in refusal(parquet({"n": pa.nulls(1_000_001)}), "a.parquet")
    delta = parquet(
        {"text": ["a" * 1000 + str(n) for n in range(10)]}, use_dictionary=False, column_encoding="DELTA_BYTE_ARRAY"
    )
    assert "DELTA_BYTE_ARRAY" in refusal(delta, "a.parquet")


def test_parquet_with_lists_of_many_values_is_refused_by_their_number():
    lists = pa.array([[0] * 500_000, [1] * 500_001])
    assert "values" in refusal(parquet({"text": ["a", "b"], "list": lists}, compression="zstd"), "a.parquet")


def test_a_table_with_too_many_cells_or_columns_is_refused_before_it_is_padded():
    wide = b"text" + b",a" * 1_500 + b"\n" + b"a\n" * 10
    assert "1,501 columns; at most 1,000" in refusal(wide)
    tall = b"text" + b",a" * 900 + b"\n" + b"a\n" * 10_000
    assert "at most 1,000,000 cells" in refusal(tall)
    sparse = b"".join(b'{"k%d":1}\n' % n for n in range(2_000))
    assert "2,000 columns" in refusal(sparse, "a.jsonl")


@pytest.mark.parametrize("name", ["a.zip", "a.xlsx", "a.parquet", "a.csv", "a.jsonl"])
def test_damaged_files_of_every_kind_get_a_sentence_and_never_another_error(name):
    content = bytearray(dict(KINDS.values())[name])
    for n in range(60):
        damaged = bytearray(content)
        for place in range(n * 7 % 13, len(damaged), 97 + n):
            damaged[place] = zlib.crc32(bytes([n, place % 256])) % 256
        for broken in (bytes(damaged), bytes(content[: len(content) * n // 60])):
            with contextlib.suppress(DataError):
                read(broken, name)
