"""What labels mean: spellings that are one, which of two says yes, and how grades become two answers."""

import pytest

from seqdemo.data.labels import gather, key_of, number_of, positive_of, two_groups


@pytest.mark.parametrize(
    "spellings",
    [
        ("Positive", "positive ", " POSITIVE", "“positive”", "positive\u00a0"),
        ("1", "1.0", "+1", "01", "__label__1"),
        ("-1", "\u22121", "-1.0"),
        ("thumbs up", "Thumbs_Up", "thumbs  up"),
        ("👍", "👍🏽", "👍\ufe0f"),
        ("\uff27\uff2f\uff2f\uff24", "good"),
        ("-", "\u2212", "\u2013"),
    ],
)
def test_case_blanks_and_other_dress_make_no_other_label(spellings):
    assert len({key_of(spelling) for spelling in spellings}) == 1


def test_different_labels_stay_different():
    names = ("positive", "not positive", "1", "-1", "10", "1.5", "+", "-", "a b", "ab", "★", "★★")
    assert len({key_of(name) for name in names}) == len(names)


def test_a_label_is_called_by_its_most_frequent_spelling_and_counted_whole():
    found = gather(["Good", "good ", "Good", "bad", "", "  "])
    assert [(label.name, label.n) for label in found.values()] == [("bad", 1), ("Good", 3)]


def test_numbers_come_by_their_size_before_words():
    assert list(gather(["b", "10", "9", "a", "2"])) == ["2", "9", "10", "a", "b"]


@pytest.mark.parametrize(
    ("no", "yes"),
    [
        ("0", "1"),
        ("-1", "1"),
        ("1", "2"),  # Yelp's
        ("__label__1", "__label__2"),
        ("1", "5"),
        ("1.0", "5.0"),
        ("0", "4"),
        ("1 star", "5 stars"),
        ("1/5", "5/5"),
        ("★", "★★★★★"),
        ("★☆☆☆☆", "★★★★★"),
        ("neg", "pos"),
        ("Negative", "positive "),
        ("very negative", "very positive"),
        ("rotten", "fresh"),
        ("sad", "happy"),
        ("unfavorable", "favorable"),
        ("Unfavourable", "Favourable"),
        ("\u2212", "+"),
        ("thumbs down", "thumbs up"),
        ("👎", "👍🏿"),
        ("☹️", "☺️"),
        (":(", ":)"),
        ("no", "Yes"),
        ("False", "True"),
        ("bad", "good"),
        ("poor", "good"),
        ("scorn", "praise"),
        ("dislike", "like"),
        ("not recommended", "recommended"),
        ("other", "positive"),
    ],
)
def test_of_two_labels_the_one_that_says_yes_is_recognised(no, yes):
    keys = [key_of(no), key_of(yes)]
    assert positive_of(keys) == positive_of(keys[::-1]) == key_of(yes)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ham", "spam"),
        ("cat", "dog"),
        ("negative", "neutral"),
        ("non-negative", "negative"),
        ("2019", "2020"),
        ("a", "1"),
    ],
)
def test_where_nobody_can_know_it_is_not_guessed(one, other):
    assert positive_of([key_of(one), key_of(other)]) is None


@pytest.mark.parametrize(
    ("names", "no", "yes"),
    [
        ("12345", "12", "45"),
        ("1245", "12", "45"),
        ("135", "1", "5"),
        ("01234", "01", "34"),
        (("-1", "0", "1"), ("-1",), ("1",)),
        ([f"{n}" for n in range(1, 11)], "1234", ("7", "8", "9", "10")),
        (("1 star", "2 stars", "3 stars", "4 stars", "5 stars"), ("1 star", "2 stars"), ("4 stars", "5 stars")),
        (("1.5", "2.5", "3.5", "4.5"), ("1.5",), ("4.5",)),
        (("Negative", "Neutral", "Positive"), ("negative",), ("positive",)),
        (
            ("Extremely Negative", "Negative", "Neutral", "Positive", "Extremely Positive"),
            ("extremely negative", "negative"),
            ("positive", "extremely positive"),
        ),
    ],
)
def test_grades_and_degrees_become_two_answers_and_the_middle_is_left_out(names, no, yes):
    assert two_groups([key_of(name) for name in names]) == dict.fromkeys(no, 0) | dict.fromkeys(yes, 1)


@pytest.mark.parametrize("names", ["abc", ("sports", "politics", "1"), ("positive", "neutral", "mixed")])
def test_what_is_no_grade_stays_as_it_is(names):
    assert two_groups([key_of(name) for name in names]) is None


@pytest.mark.parametrize(
    ("key", "number"),
    [("4", 4), ("4.5", 4.5), ("4 stars", 4), ("4/5", 4), ("4 out of 5", 4), ("★★★", 3), ("★★☆", 2), ("***", 3)],
)
def test_a_grade_is_a_number_however_it_is_written(key, number):
    assert number_of(key) == number
    assert [number_of(word) for word in ("four", "4th", "2019", "", "1e9", "nan")] == [None] * 6
