"""A visitor's own CSV: what is understood, what is left out, and a plain sentence for anything else."""

import csv
import io

import numpy as np
import pytest

from seqdemo.data import own_csv
from seqdemo.data.own_csv import parse, split
from seqdemo.errors import DataError


def written(rows, header=("text", "label"), **options):
    out = io.StringIO(newline="")
    csv.writer(out, **options).writerows([header, *rows])
    return out.getvalue().encode()


def rows(*labels, each=10):
    return [(f"a {label} thing number {n}", label) for n in range(each) for label in labels]


def refusal(content):
    with pytest.raises(DataError) as refused:
        parse(content)
    return str(refused.value)


def test_texts_and_labels_are_understood_and_told():
    found = parse(written([*rows("ham", "spam"), ("", "ham"), ("( )", "spam"), ("words", " ")], delimiter=";"))
    assert len(found) == 20
    assert found.classes == ("ham", "spam")
    assert found.counts == {"ham": 10, "spam": 10}
    assert (found.without_words, found.without_label) == (2, 1)
    assert found.preview(2) == [("a ham thing number 0", "ham"), ("a spam thing number 0", "spam")]
    said = found.summary()
    assert "20 texts, 2 labels: “ham” 10, “spam” 10" in said
    assert "CSV, separated by semicolons, in UTF-8" in said
    assert "2 rows without a word and 1 row without a label" in said


def test_columns_may_stand_in_any_order_and_be_written_in_any_case():
    content = b"id, Label ,TEXT\n" + b"".join(b"%d,%s,word %d\n" % (n, b"ab"[n % 2 : n % 2 + 1], n) for n in range(20))
    assert parse(content).classes == ("a", "b")


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (("positive", "negative"), ("negative", "positive")),
        (("pos", "neg"), ("neg", "pos")),
        (("good", "poor"), ("poor", "good")),
        (("1", "0"), ("0", "1")),
        (("True", "False"), ("False", "True")),
        (("10", "9", "2"), ("2", "9", "10")),
        (("c", "a", "b"), ("a", "b", "c")),
    ],
)
def test_labels_are_put_in_an_order_in_which_the_positive_one_is_last(labels, classes):
    assert parse(written(rows(*labels))).classes == classes


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (bytes.fromhex("89504e470d0a1a0a0000000d"), "is a picture"),
        (written(rows("a", "b"), header=("text", "where")), "no column of labels, such as “label”"),
        (written(rows("a", "b", each=4)), "8 rows with a text and a label; at least 20"),
        (written(rows("a", each=30)), "Every row has the label “a”"),
        (written(rows(*"abcdefghijk")), "11 different labels"),
        (written([*rows("a", "b"), ("one more", "c")]), "The label “c” has 1 row; each label needs at least 5"),
    ],
)
def test_anything_else_gets_a_plain_sentence(content, said):
    assert said in refusal(content)


def test_a_file_that_is_too_large_or_too_long_is_refused_with_the_limits():
    assert "at most 5 MB are read" in refusal(b"text,label\n" + b"a" * (own_csv.MAX_BYTES + 1))
    too_many = b"text,label\n" + b"word,a\nword,b\n" * 10_001
    assert "20,002 rows; at most 20,000 can be trained on" in refusal(too_many)
    assert len(parse(b"text,label\n" + b"word,a\nword,b\n" * 10_000)) == 20_000


def test_the_parts_share_no_row_and_hold_every_class():
    labels = np.array([0] * 50 + [1] * 20 + [2] * 5)
    parts = split(labels)
    together = np.concatenate(parts)
    assert sorted(together) == list(range(75))
    for part in parts:
        assert set(labels[part]) == {0, 1, 2}
    assert [len(part) for part in parts] == [59, 8, 8]
    assert [part.tolist() for part in split(labels)] == [part.tolist() for part in parts]
