import csv
import io

import pytest

from seqdemo.data.review_table import (
    MAX_ROWS,
    Source,
    Texts,
    choose,
    cut_note,
    has_words,
    probably_not_english,
    result_columns,
)
from seqdemo.text import Vocabulary

VOCABULARY = Vocabulary(["<pad>", "<unk>", "good"])


def source(n, name="a.tsv"):
    content = "text\tn\n" + "".join(f"film number {row}\t{row}\n" for row in range(n))
    return Source(content=content.encode(), file_name=name)


def chosen(n, which):
    found = source(n)
    return choose(found, found.read(), 0, which)


def test_of_a_table_within_the_limit_every_row_is_scored_whatever_was_chosen():
    for which in ("first", "random", "all"):
        assert list(chosen(30, which).rows) == list(range(30))
        assert not chosen(30, which).is_sample


def test_a_longer_table_is_never_refused_but_scored_in_its_beginning_at_random_or_in_parts():
    n = 2 * MAX_ROWS + 1
    assert list(chosen(n, "first").rows) == list(range(MAX_ROWS))
    at_random = chosen(n, "random")
    assert len(at_random) == MAX_ROWS
    assert list(at_random.rows) == sorted(set(at_random.rows))
    assert at_random.rows[-1] > MAX_ROWS
    assert at_random.rows == chosen(n, "random").rows
    assert [len(part) for part in chosen(n, "all").parts] == [MAX_ROWS, MAX_ROWS, 1]
    assert len(chosen(60_001, "all")) == 60_001


def test_rows_chosen_at_random_come_back_with_their_number_in_the_file():
    table = chosen(MAX_ROWS + 500, "random")
    written = table.written({"p_positive_rnn": [0.5] * len(table)})
    assert written.file_name == "a_scored.tsv"
    rows = list(csv.reader(io.StringIO(written.content.decode("utf-8-sig"), newline=""), delimiter="\t"))
    assert rows[0] == ["text", "n", "row_in_file", "p_positive_rnn"]
    assert len(rows) == MAX_ROWS + 1
    assert all(int(row[2]) == int(row[1]) + 1 for row in rows[1:])


def test_texts_come_out_of_their_small_store_as_they_went_in():
    texts = ["good film", "", "caf\u00e9 \U0001f3ac", "half a pair \ud83c", "last"]
    kept = Texts(texts)
    assert list(kept) == texts
    assert kept[1:4] == texts[1:4]
    assert len(kept) == 5
    with pytest.raises(IndexError, match="5 texts"):
        kept[5]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("good", True),
        ("good film", True),
        ("a b", True),
        ("", False),
        (" ( ) ", False),
        ("www.example.com", False),
        ("<br />", False),
        (" " * 900 + "good", True),
    ],
)
def test_a_text_without_a_word_is_known_as_such(text, found):
    assert has_words(text) is found


def test_a_text_that_is_longer_than_models_read_is_marked_so():
    assert cut_note(VOCABULARY.read("good " * 812)) == "cut to 400 of 812 words and marks"
    assert cut_note(VOCABULARY.read("good " * 400)) is None
    assert cut_note(VOCABULARY.read("good" + " " * 50_000)) == "cut to 50000 of 50004 characters"


def test_the_columns_of_a_result_are_known_before():
    assert result_columns(["rnn", "lstm_own"]) == ["p_positive_rnn", "p_positive_lstm_own", "share_unknown", "cut"]


@pytest.mark.parametrize(
    ("unknown", "n_foreign", "found"),
    [
        ([0.01, 0.0, 0.11, 0.03], 0, False),  # film reviews
        ([0.1, 0.1, 0.25, 0.1, 0.36, 0.56], 1, False),  # tweets full of names
        ([0.3, 0.71, 0.45, 0.5], 2, True),  # German, French, Dutch
        ([0.5], 0, False),
        ([0.6], 1, True),
        ([], 0, False),
    ],
)
def test_many_texts_tell_that_they_are_not_english_by_a_smaller_share_than_one(unknown, n_foreign, found):
    assert probably_not_english(unknown, n_foreign) is found
