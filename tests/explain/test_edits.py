"""Edits of one word: the text as it would be then."""

import pytest

from seqdemo.errors import TextError
from seqdemo.explain import edits


def read(vocabulary, text, word):
    reading = vocabulary.read(text)
    written = [reading.text[token.start : token.end] for token in reading.tokens]
    return reading, written.index(word)


@pytest.mark.parametrize(
    ("text", "word", "after"),
    [
        ("A very good film.", "very", "A good film."),
        ("Great film", "Great", "film"),
        ("A good, long film", "long", "A good, film"),
        ("It was great!", "great", "It was!"),
    ],
)
def test_a_word_is_deleted_with_its_space(vocabulary, text, word, after):
    assert edits.delete(*read(vocabulary, text, word)) == after


@pytest.mark.parametrize(
    ("text", "word", "after"),
    [
        ("A good film.", "good", "A not good film."),
        ("Good film.", "Good", "Not good film."),
        ("It is good.", "is", "It is not good."),
        ("It is not good.", "is", "It is good."),
        ("It is not good.", "not", "It is good."),
        ("It is not good.", "good", "It is good."),
        ("It isn't good.", "isn't", "It is good."),
        ("It isn\u2019t good.", "isn\u2019t", "It is good."),
        ("I can't like it.", "can't", "I can like it."),
        ("Won't you see it?", "Won't", "Will you see it?"),
        ("Never dull.", "Never", "dull."),
    ],
)
def test_a_word_is_negated_or_loses_its_negation(vocabulary, text, word, after):
    assert edits.negate(*read(vocabulary, text, word)) == after


def test_a_word_is_replaced_in_its_place_only(vocabulary):
    reading, index = read(vocabulary, "Good, good, GOOD!", "GOOD")
    assert edits.replace(reading, index, " bad ") == "Good, good, bad!"


@pytest.mark.parametrize("word", ["", "   "])
def test_an_empty_replacement_is_refused_in_a_sentence(vocabulary, word):
    with pytest.raises(TextError, match="no word to put"):
        edits.replace(*read(vocabulary, "A good film", "good"), word)


def test_the_only_word_cannot_be_deleted(vocabulary):
    with pytest.raises(TextError, match="only word"):
        edits.delete(*read(vocabulary, "Great!", "Great"))


@pytest.mark.parametrize("edit", [edits.delete, edits.negate])
@pytest.mark.parametrize("index", [-1, 3, 99])
def test_a_word_that_is_not_there_is_named(vocabulary, edit, index):
    with pytest.raises(TextError, match="3 words and marks"):
        edit(vocabulary.read("A good film"), index)


def test_emoji_and_long_words_survive_edits_beside_them(vocabulary):
    text = "🎬 " + "x" * 500 + " was good 🙂"
    reading, index = read(vocabulary, text, "good")
    assert edits.delete(reading, index) == "🎬 " + "x" * 500 + " was 🙂"
