"""A visitor's own texts: what is understood, chosen and left out, and a plain sentence for anything else."""

import csv
import io
import json

import numpy as np
import pytest

from seqdemo.data import own_csv, tables
from seqdemo.data.own_csv import TwoColumns, parse, split
from seqdemo.errors import DataError
from tests.data.tables.table_files import parquet, text_cell, workbook


def written(rows, header=("text", "label"), **options):
    out = io.StringIO(newline="")
    csv.writer(out, **options).writerows([header, *rows])
    return out.getvalue().encode()


def rows(*labels, each=10):
    return [(f"a {label} thing number {n}", label) for n in range(each) for label in labels]


def columns(*labels, each=10):
    table = tables.read(written(rows(*labels, each=each)), "mine.csv")
    return TwoColumns.of(table, table.text_column, table.label_column)


def refusal(content, **options):
    with pytest.raises(DataError) as refused:
        parse(content, **options)
    return str(refused.value)


def test_it_is_said_before_training_which_label_is_read_as_positive_and_how_many_rows_it_has():
    found = parse(written([*rows("5", "1"), ("", "1"), ("( )", "5"), ("words", " ")], delimiter=";"))
    assert len(found) == 20
    assert found.classes == ("1", "5")
    assert found.counts == {"1": 10, "5": 10}
    assert found.preview(2) == [("a 5 thing number 0", "5"), ("a 1 thing number 0", "1")]
    assert found.summary() == (
        "“5” is read as positive: 10 rows. “1” is read as negative: 10 rows. "
        "Left out: 2 rows without a word; 1 row without a label."
    )


def test_columns_are_found_by_their_usual_names_in_any_order_and_case():
    content = b"id, Stars ,REVIEW\n" + b"".join(b"%d,%d,word %d\n" % (n, 1 + n % 2, n) for n in range(20))
    assert parse(content).classes == ("1", "2")


@pytest.mark.parametrize("name", ["mine.tsv", "mine.jsonl", "mine.xlsx", "mine.parquet"])
def test_every_kind_of_file_that_the_reader_takes_can_be_trained_on(name):
    reviews = rows("fresh", "rotten")
    if name.endswith("tsv"):
        content = written(reviews, ("review", "label"), delimiter="\t").decode().encode("utf-16")
    elif name.endswith("jsonl"):
        content = "".join(json.dumps({"review": text, "label": label}) + "\n" for text, label in reviews).encode()
    elif name.endswith("parquet"):
        content = parquet({"review": [text for text, _ in reviews], "label": [label for _, label in reviews]})
    else:
        cells = [("review", "label"), *reviews]
        content = workbook(
            "".join(
                f"<row r='{n}'>{text_cell(f'A{n}', a)}{text_cell(f'B{n}', b)}</row>"
                for n, (a, b) in enumerate(cells, 1)
            )
        )
    assert parse(content, name).counts == {"rotten": 10, "fresh": 10}


def test_spellings_of_one_label_are_one():
    content = written([*rows("Positive", "negative"), *rows("positive ", "NEGATIVE", each=5)])
    assert parse(content).counts == {"negative": 15, "Positive": 15}


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (("positive", "negative"), ("negative", "positive")),
        (("good", "poor"), ("poor", "good")),
        (("2", "1"), ("1", "2")),
        (("fresh", "rotten"), ("rotten", "fresh")),
        (("c", "a", "b"), ("a", "b", "c")),
    ],
)
def test_labels_are_put_in_an_order_in_which_the_positive_one_is_last(labels, classes):
    assert parse(written(rows(*labels))).classes == classes


def test_which_label_is_the_positive_one_can_be_said_and_is_asked_where_nobody_can_know():
    content = written(rows("ham", "spam"))
    assert "Which label is the positive one, “ham” or “spam”?" in refusal(content)
    assert parse(content, positive="HAM ").classes == ("spam", "ham")
    assert parse(written(rows("5", "1")), positive="1").classes == ("5", "1")
    assert "“eggs” is none of the labels. The labels are “ham”, “spam”." in refusal(content, positive="eggs")


def test_a_choice_that_is_not_sure_is_marked():
    assert not columns("ham", "spam").proposed().is_sure
    assert columns("ham", "spam").proposed("spam").is_sure
    assert columns("a", "b", "c").proposed().is_sure


def test_stars_become_two_answers_unless_all_are_wanted():
    found = columns("1", "2", "3", "4", "5")
    two = found.labelled(found.proposed())
    assert two.counts == {"negative (1, 2)": 20, "positive (4, 5)": 20}
    assert "“positive (4, 5)” is read as positive: 20 rows" in two.summary()
    assert "Left out: 10 rows with another label (“3”)." in two.summary()
    five = found.labelled(found.chosen(found.frequent))
    assert five.counts == dict.fromkeys("12345", 10)
    assert "50 texts with 5 labels" in five.summary()


def test_a_rare_label_is_left_out_rather_than_the_file_refused():
    found = parse(written([*rows("good", "bad"), ("so so", "mixed"), ("so so", "mixed")]))
    assert found.counts == {"bad": 10, "good": 10}
    assert "Left out: 2 rows with another label (“mixed”)." in found.summary()
    table = tables.read(written([*rows("good", "bad"), *rows("mixed", each=2)]), "mine.csv")
    two = TwoColumns.of(table, 0, 1)
    with pytest.raises(DataError, match="“mixed” stands in 2 rows; a label needs at least 5"):
        two.chosen(list(two.found))


def test_of_very_many_labels_the_ten_most_frequent_are_proposed():
    content = written([*rows(*"abcdefghijkl", each=5), *rows(*"cdefghijkl", each=3)])
    table = tables.read(content, "mine.csv")
    assert TwoColumns.of(table, 0, 1).frequent == list("cdefghijkl")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (bytes.fromhex("89504e470d0a1a0a0000000d"), "is a picture"),
        (
            written(rows("a", "b"), header=("text", "where")),
            "Which column holds the labels? This table has “text”, “where”",
        ),
        (written(rows("good", "bad", each=4)), "Two to ten labels are needed, each in at least 5 rows"),
        (written([("", "good"), ("", "bad"), *rows("good", "bad", each=6)]), "12 rows hold a text and a label"),
        (written(rows("a", each=30)), "Two to ten labels are needed"),
        (written([(f"word {n}", f"{n}") for n in range(300)]), "holds 300 different values (“0”, “1”, “2”, “3” …)"),
    ],
)
def test_anything_else_gets_a_plain_sentence(content, said):
    assert said in refusal(content)


def test_all_that_is_wrong_is_said_at_once():
    table = tables.read(b"1;2\n3;4\n", "mine.csv")
    with pytest.raises(DataError, match=r"No column of this table holds words.*Which column holds the labels"):
        TwoColumns.of(table, table.text_column, table.label_column)


def test_of_more_rows_than_the_limit_a_random_part_or_the_first_are_taken():
    content = b"text,label\n" + b"word,good\n" * 15_000 + b"word,bad\n" * 15_000
    found = parse(content)
    assert len(found) == own_csv.MAX_ROWS
    assert abs(found.counts["good"] - 10_000) < 400, "at random, since many files are sorted by label"
    assert "10,000 rows beyond the random 20,000" in found.summary()
    table = tables.read(content, "mine.csv")
    two = TwoColumns.of(table, 0, 1)
    first = two.labelled(two.proposed(), "first")
    assert first.counts == {"bad": 5_000, "good": 15_000}
    assert "10,000 rows beyond the first 20,000" in first.summary()


def test_what_was_chosen_is_kept_as_it_is_and_read_back_without_a_choice():
    strange = [
        'a "quoted" text',
        "two\r\nlines, and; more\ttabs",
        "\ufeffmark \u2028 é 👍",
        "\ud800 half",
        "=1+1",
        "a\\b",
    ]
    found = columns("5", "1")
    chosen = found.labelled(found.chosen(list(found.found), "1"))
    chosen = own_csv.LabelledTexts(
        texts=[*strange, *chosen.texts],
        labels=np.concatenate([np.zeros(len(strange), dtype=np.int64), chosen.labels]),
        classes=chosen.classes,
        left_out=chosen.left_out,
    )
    again = parse(own_csv.written(chosen))
    assert (again.texts, again.classes) == (list(chosen.texts), ("5", "1"))
    assert again.labels.tolist() == chosen.labels.tolist()
    assert again.summary() == chosen.summary()
    assert own_csv.written(again) == own_csv.written(chosen)


@pytest.mark.parametrize(
    "rest",
    [b"", b", ", b"}", b', "classes": ["a", "b"], "left_out": {}, "labels": [0, 7], "texts": ["x", "y"]}'],
)
def test_kept_texts_that_someone_changed_are_refused(rest):
    assert refusal(b'{"seqdemo": "labelled texts"' + rest) == "The texts of this run are damaged."


def test_the_parts_share_no_row_and_hold_every_class():
    labels = np.array([0] * 50 + [1] * 20 + [2] * 5)
    parts = split(labels)
    together = np.concatenate(parts)
    assert sorted(together) == list(range(75))
    for part in parts:
        assert set(labels[part]) == {0, 1, 2}
    assert [len(part) for part in parts] == [59, 8, 8]
    assert [part.tolist() for part in split(labels)] == [part.tolist() for part in parts]
