"""The lines to develop by: twenty of each kind, none twice, none that another set has, kept out of training."""

import ast
import pathlib
import re
from collections import Counter

import pytest

import seqdemo
from seqdemo.data import development_lines, typed_reviews
from seqdemo.data.development_lines import KINDS, load, sha256
from seqdemo.errors import DataError
from seqdemo.text import MAX_TOKENS, tokenize

SOFT = {"plain_description", "mixed"}
HEADER = "text,label,kind\n"


def plainest(text):
    """Letters and digits only; a line of signs alone as it is."""
    return re.sub(r"\W+", " ", text.lower()).strip() or text


@pytest.mark.parametrize("kind", KINDS)
def test_there_are_twenty_lines_of_every_kind(kind):
    assert sum(line.kind == kind for line in load()) == 20


def test_as_many_praise_as_blame_and_only_some_kinds_have_no_opinion():
    labels = Counter(line.label for line in load())
    assert labels[1.0] == labels[0.0]
    for kind in KINDS:
        of_kind = {line.label for line in load() if line.kind == kind}
        assert (of_kind == {0.5}) == (kind in SOFT)
        assert (0.5 in of_kind) == (kind in SOFT | {"question"})


def test_every_line_can_be_read_and_stands_there_once():
    lines = load()
    assert len({plainest(line.text) for line in lines}) == len(lines)
    for line in lines:
        assert 1 <= len(tokenize(line.text)) <= MAX_TOKENS
        assert line.text == " ".join(line.text.split())


def test_kinds_that_are_told_by_their_form_have_it():
    for line in load():
        if line.kind == "one_word":
            assert len(line.text.split()) == 1
        if line.kind == "question":
            assert "?" in line.text
        assert (line.text.isupper() and len(line.text.split()) > 1) == (line.kind == "all_capitals"), line.text


def test_no_line_stands_in_the_set_that_gives_the_final_figure():
    typed = {plainest(line.text) for line in typed_reviews.load()}
    n_shared = sum(plainest(line.text) in typed for line in load())  # not which: that set is not to be looked at
    assert n_shared == 0


def test_only_what_measures_reads_the_lines():
    root = pathlib.Path(seqdemo.__file__).parent
    readers = set()
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            if "development_lines" in [*names, *(getattr(node, "module", None) or "").split(".")]:
                readers.add(path.relative_to(root).parts[0])
    assert readers == {"studies"}


def test_other_lines_have_another_name():
    assert sha256(load()) == sha256(load(development_lines.FILE))
    assert sha256(load()[:-1]) != sha256(load())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("kind,text\nmixed,Good.\n", "columns"),
        (HEADER + "Good.,1,sarcasm\n", "line 2 is of the kind 'sarcasm'"),
        (HEADER + "Good.,0.7,mixed\n", "label '0.7'"),
        (HEADER + " ,1,mixed\n", "no text"),
        (HEADER + 'Good.,1,"mixed\n', "cannot be read"),
    ],
)
def test_a_file_that_is_not_as_it_should_be_is_refused_with_its_fault(tmp_path, content, message):
    path = tmp_path / "lines.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        load(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        load(tmp_path / "none.csv")
