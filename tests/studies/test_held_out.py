"""Which reviews a study reads: held-out ones, of the right length, the same ones again for the same seed."""

import pytest

from seqdemo.data import imdb
from seqdemo.errors import DataError
from seqdemo.studies import held_out
from seqdemo.studies.study import Inputs

LENGTHS = [*[30] * 45, 12, 20, 30, 31, 90]
"""Of each label; the last five are held out."""


@pytest.fixture
def inputs(models, write_reviews, tmp_path):
    return Inputs(models=models, data=str(write_reviews(tmp_path / "imdb", LENGTHS)))


def lengths(texts):
    return [len(text.split()) for text in texts]


def test_only_held_out_reviews_of_the_right_length_are_drawn_in_the_order_of_the_split(inputs):
    assert lengths(held_out.draw(inputs, 100, seed=1, least=20, most=31)) == [20, 30, 31] * 2
    assert lengths(held_out.draw(inputs, 100, seed=1, least=31)) == [31, 90] * 2
    reviews = imdb.load("train", inputs.data)
    _, validation = imdb.split_validation(reviews.labels)
    assert set(held_out.draw(inputs, 100, seed=1, least=1)) == {reviews.texts[row] for row in validation}


def test_so_many_are_drawn_at_random_and_the_same_ones_again(inputs, models):
    def few(seed):
        return held_out.draw(inputs, 3, seed=seed, least=1)

    assert len(few(1)) == 3
    assert few(1) == few(1)
    assert len({tuple(few(seed)) for seed in range(10)}) > 1
    limited = Inputs(models=models, data=inputs.data, limit=2)
    assert len(held_out.draw(limited, 3, seed=1, least=1)) == 2


def test_where_none_is_of_that_length_the_error_says_which_are_needed(inputs):
    with pytest.raises(DataError, match=r"None of the 10 held-out reviews has 250 tokens; longer ones are needed\."):
        held_out.draw(inputs, 3, seed=1, least=250)
    with pytest.raises(DataError, match=r"has 2 to 5 tokens; shorter ones are needed\."):
        held_out.draw(inputs, 3, seed=1, least=2, most=5)
