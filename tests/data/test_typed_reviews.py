"""The lines that people may type: balanced, of the lengths they should have, none twice, kept out of training."""

import ast
import pathlib
import re
from collections import Counter

import pytest

import seqdemo
from seqdemo.data import typed_reviews
from seqdemo.data.typed_reviews import KINDS, load, sha256
from seqdemo.errors import DataError
from seqdemo.text import MAX_TOKENS, tokenize

AT_LEAST = {
    "plain": 60,
    "one_or_two_words": 40,
    "negation": 70,
    "contrast": 50,
    "comparison": 40,
    "typing_errors_and_capitals": 50,
    "craft_words": 40,
    "opinion_then_filler": 20,
    "filler_then_opinion": 20,
}
WITH_FILLER = ("opinion_then_filler", "filler_then_opinion")
HEADER = "kind,label,text\n"


def plainest(text):
    """Letters and digits only, so that two lines that differ in marks or capitals count as one."""
    return re.sub(r"[^a-z0-9]+", " ", text.lower()).strip()


def in_a_file(tmp_path, content):
    path = tmp_path / "lines.csv"
    path.write_text(content, encoding="utf-8")
    return path


def test_there_are_at_least_300_lines_half_of_them_positive():
    lines = load()
    assert len(lines) >= 300
    assert 2 * sum(line.positive for line in lines) == len(lines)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_large_enough_and_balanced(kind):
    counts = Counter(line.positive for line in load() if line.kind == kind)
    assert sum(counts.values()) >= AT_LEAST[kind]
    assert counts[True] == counts[False]


def test_lines_have_the_lengths_of_their_kind():
    for line in load():
        n_words = len(line.text.split())
        if line.kind in WITH_FILLER:
            assert 62 <= n_words <= 140
        else:
            assert 1 <= n_words <= (2 if line.kind == "one_or_two_words" else 40)
        assert 1 <= len(tokenize(line.text)) <= MAX_TOKENS
        assert line.text == " ".join(line.text.split())


def test_no_line_stands_there_twice():
    lines = load()
    assert len({plainest(line.text) for line in lines}) == len(lines)


def test_no_three_words_open_more_than_three_lines():
    openings = Counter(" ".join(plainest(line.text).split()[:3]) for line in load() if line.kind not in WITH_FILLER)
    assert max(openings.values()) <= 3


def test_each_neutral_passage_stands_with_praise_and_with_scorn():
    """So that what a passage does to a model on its own is right as often as it is wrong."""
    with_filler = [line for line in load() if line.kind in WITH_FILLER]
    labels = {}
    for line in with_filler:
        for sentence in re.split(r"(?<=[.!?]) ", line.text):
            labels.setdefault(sentence, []).append(line.positive)
    shared = {sentence: found for sentence, found in labels.items() if len(found) > 1}
    assert all(sorted(found) == [False, True] for found in shared.values())
    assert all(sum(sentence in line.text for sentence in shared) >= 3 for line in with_filler)


def test_only_what_measures_reads_the_lines():
    root = pathlib.Path(seqdemo.__file__).parent
    readers = set()
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            if "typed_reviews" in names or "typed_reviews" in (getattr(node, "module", "") or ""):
                readers.add(path.relative_to(root).parts[0])
    assert "studies" in readers
    assert readers <= {"studies", "ui"}


def test_other_lines_have_another_name(tmp_path):
    lines = load()
    assert sha256(lines) == sha256(load(typed_reviews.FILE))
    assert sha256(lines[:-1]) != sha256(lines)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("kind,text\nplain,Good.\n", "columns"),
        (HEADER + "plain,positive,Good.\nsarcasm,negative,Great job.\n", "line 3 is of the kind 'sarcasm'"),
        (HEADER + "plain,1,Good.\n", "label '1'"),
        (HEADER + "plain,positive, \n", "no text"),
        (HEADER + "plain,positive\n", "no text"),
        (HEADER + "plain,positive,Good.\nplain,positive,Fine.\n", "2 positive and 0 negative lines of the kind plain"),
        (HEADER + 'plain,positive,"Good.\n', "cannot be read"),
    ],
)
def test_a_file_that_is_not_as_it_should_be_is_refused_with_its_fault(tmp_path, content, message):
    with pytest.raises(DataError, match=message):
        load(in_a_file(tmp_path, content))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        load(tmp_path / "none.csv")
