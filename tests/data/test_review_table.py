import csv
import io
import random

import pytest

from seqdemo.data.review_table import MAX_BYTES, MAX_ROWS, parse
from seqdemo.errors import DataError

PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489")

FIVE = ("rnn", "gru", "lstm", "bilstm", "transformer")


def written(rows, **options):
    out = io.StringIO(newline="")
    csv.writer(out, **options).writerows(rows)
    return out.getvalue().encode()


def read(content, **options):
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), **options))


def refusal(content):
    with pytest.raises(DataError) as refused:
        parse(content)
    return str(refused.value)


def test_every_cell_comes_back_as_it_was_with_five_columns_behind():
    header = ["id", " Text ", "note"]
    rows = [
        ["007", 'He said "never again", twice,\nand meant it.', "=1+1"],
        ["1e5", "line\r\nbreaks\rof three\nkinds", "NA"],
        [" 2 ", "فيلم جميل 🎬 שלום", ""],
        ["", "", "null"],
    ]
    table = parse(written([header, *rows]))
    out = read(table.with_probabilities({name: [0.5, 1, 0.00004, None] for name in FIVE}))
    assert [row[:3] for row in out] == [header, *rows]
    assert out[0][3:] == [f"p_positive_{name}" for name in FIVE]
    assert [row[3] for row in out[1:]] == ["0.5000", "1.0000", "0.0000", ""]
    assert table.texts == [row[1] for row in rows]


def test_rows_without_a_word_are_kept_and_named_as_such():
    table = parse(b'text\ngood\n""\n"  "\n( )\n\xf0\x9f\x91\x8d\n')
    assert len(table) == 5
    assert table.rows_with_words() == [0, 4]


@pytest.mark.parametrize(("separator", "name"), [(",", "comma"), (";", "semicolon"), ("\t", "tab")])
def test_the_separator_is_found_and_written_again(separator, name):
    rows = [["film", "text"], ["A; B, C", "Funny, warm; and\tshort"]]
    table = parse(written(rows, delimiter=separator))
    assert table.separator_name == name
    out = read(table.with_probabilities({"rnn": [0.25]}), delimiter=separator)
    assert [row[:2] for row in out] == rows


def test_a_byte_order_mark_is_read_over_and_written_again():
    content = b"\xef\xbb\xbftext\ngood\n"
    table = parse(content)
    assert table.columns == ["text"]
    assert table.with_probabilities({"rnn": [0.9]}) == b"\xef\xbb\xbftext,p_positive_rnn\r\ngood,0.9000\r\n"
    assert parse(b"text\ngood\n").with_probabilities({"rnn": [0.9]}).startswith(b"text,")


def test_a_result_of_an_earlier_scoring_is_replaced():
    table = parse(b"p_positive_rnn,text,p_positive_other\n0.1,good,0.2\n")
    assert table.replaced(FIVE) == ["p_positive_rnn"]
    assert read(table.with_probabilities({"rnn": [0.9]})) == [
        ["text", "p_positive_other", "p_positive_rnn"],
        ["good", "0.2", "0.9000"],
    ]


def test_lines_with_nothing_in_them_are_no_rows():
    assert parse(b"\n\ntext,n\n\ngood,1\n\n").texts == ["good"]


def test_a_single_column_of_prose_with_semicolons_is_separated_by_commas():
    assert parse(b"text\nslow; then slower\n").texts == ["slow; then slower"]


def test_a_cell_longer_than_the_csv_module_allows_by_itself_is_read():
    review = "long " * 40_000
    assert parse(written([["text"], [review]])).texts == [review]


def test_two_thousand_rows_are_read_and_one_more_is_refused():
    assert len(parse(b"text\n" + b"good\n" * MAX_ROWS)) == 2000
    assert "2,001 rows; at most 2,000" in refusal(b"text\n" + b"good\n" * (MAX_ROWS + 1))


def test_a_file_of_five_megabytes_is_read_and_one_byte_more_is_refused():
    start = b"text\n"
    assert len(parse(start + b"a" * (MAX_BYTES - len(start)))) == 1
    assert "at most 5 MB" in refusal(start + b"a" * (MAX_BYTES - len(start) + 1))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf\r\n \n", "empty"),
        (PNG, "not text"),
        (b"\x89PNG\r\n\x1a\n", "not UTF-8"),
        ("text\ngut, schön".encode("cp1252"), "byte 14 is 0xf6"),
        ("text\ngood\n".encode("utf-16"), "UTF-16"),
        (b"text,label\n", "a header and no rows"),
        (b"review,label\ngood,1\n", "no column called text; its first row holds “review”, “label”"),
        (b"I liked it.\nSo did I.\n", "no column called text"),
        (b"text,a,a\ngood,1,2\n", "more than one column called “a”"),
        (b"text,TEXT \ngood,bad\n", "several columns that could hold the reviews"),
        (b"text,label\ngood,1\nwell, well,0\n", "Row 2 (ending in line 3) has 3 cells, the header 2"),
        (b"text,label\n\ngood\n", "has 1 cell, the header 2"),
        (b'text,label\n"good,1\nbad,0\n', "cannot be read beyond line"),
        (b'text,label\n"good" film,1\n', "double quote"),
        (b'"text,label\ngood,1\n', "The first row of this CSV cannot be read"),
        (",".join(f"column {n}" for n in range(100)).encode(), "and 92 more"),
        (b"{" + b'"a": 1, ' * 9 + b"}", "CSV"),
    ],
)
def test_what_cannot_be_scored_gets_a_sentence(content, words):
    message = refusal(content)
    assert words in message
    assert len(message) < 500


def test_any_bytes_give_a_table_or_a_sentence():
    chance = random.Random(0)
    alphabet = [b"text", b",", b";", b"\t", b'"', b"\n", b"\r", b"\r\n", b"a", b" ", b"\xff", b"\xc3", b"\xa9", b"\0"]
    n_tables = 0
    for trial in range(3000):
        start = b"text,a\n" if trial % 2 else b""
        content = start + b"".join(chance.choices(alphabet, [9] * 10 + [0.2] * 4, k=chance.randrange(20)))
        try:
            table = parse(content)
        except DataError:
            continue
        n_tables += 1
        again = parse(table.with_probabilities({"rnn": [None] * len(table)}))
        assert [row[:-1] for row in again.rows] == [list(row) for row in table.rows]
    assert n_tables > 100
