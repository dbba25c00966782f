"""The neutral passages: long enough, short enough, and without words of opinion."""

import pytest

from seqdemo.data.fillers import FILLERS, opening
from seqdemo.text import MAX_TOKENS, tokenize

OPINIONS = {"good", "great", "bad", "best", "worst", "wonderful", "terrible", "awful", "boring", "excellent"}
SUBJECT_AND_NEGATIONS = {"love", "hate", "film", "movie", "not", "no", "never"}


def test_there_are_eight_of_them():
    assert len(FILLERS) == 8
    assert len(set(FILLERS.values())) == 8


@pytest.mark.parametrize("name", FILLERS)
def test_a_passage_has_300_words_and_leaves_room_for_an_opinion(name):
    assert len(FILLERS[name].split()) >= 300
    assert len(tokenize(opening(name, 300))) <= MAX_TOKENS - 50


@pytest.mark.parametrize("name", FILLERS)
def test_no_passage_speaks_of_films_or_has_an_opinion(name):
    assert not (OPINIONS | SUBJECT_AND_NEGATIONS) & {token.text for token in tokenize(FILLERS[name])}


@pytest.mark.parametrize("name", FILLERS)
@pytest.mark.parametrize("n_words", [10, 25, 50, 300])
def test_an_opening_has_its_words_and_one_full_stop_at_its_end(name, n_words):
    text = opening(name, n_words)
    assert len(text.split()) == n_words
    assert text.endswith(".")
    assert text[-2].isalnum()


def test_no_words_are_an_empty_text():
    assert opening("House", 0) == ""


def test_more_words_than_there_are_is_an_error():
    with pytest.raises(ValueError, match="4000 were asked"):
        opening("House", 4000)
