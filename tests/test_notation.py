"""Ratings, thumbs and emoji as tokens: one scale for all ways to write them, and what only looks like one."""

import itertools

import pytest

from seqdemo.cleaning import clean
from seqdemo.notation import FEELINGS, RATINGS, SIGNS, feeling, find_signs
from seqdemo.text import tokenize


def signs(text):
    """What is read as a sign, each with the characters that it stands for."""
    return [(text[t.start : t.end], t.text) for t in tokenize(text, version=2) if t.text in SIGNS]


def values(text):
    return [token for _, token in signs(text)]


@pytest.mark.parametrize(
    ("text", "tenths"),
    [
        ("8/10", 8),
        ("8 out of 10", 8),
        ("8 / 10", 8),
        ("7,5/10", 8),
        ("4/5", 8),
        ("3.5/5", 7),
        ("2 out of 10", 2),
        ("two out of ten", 2),
        ("8 out of a possible 10", 8),
        ("8 of 10.", 8),
        ("95/100", 10),
        ("11/10", 10),
        ("0/10", 0),
        ("five stars", 10),
        ("one star", 2),
        ("zero stars", 0),
        ("3.5 stars", 7),
        ("3 1/2 stars", 7),
        ("3\u00bd stars", 7),
        ("three and a half stars", 7),
        ("half a star", 1),
        ("8 stars", 8),
        ("a 4-star film", 8),
        ("5 stars out of 10", 5),
        ("3 of 5 stars", 6),
        ("2 out of 4 stars", 5),
        ("3/4 stars", 8),
        ("Rating: 3/4", 8),
        ("\u2605\u2605\u2606\u2606\u2606", 4),
        ("\u2605 \u2605 \u2606 \u2606 \u2606", 4),
        ("\u2605\u2605\u2605\u2605\u2605", 10),
        ("\u2605\u2605\u2605\u00bd", 7),
        ("\u2605\u2605\u2605/4", 8),
        ("\u2b50\ufe0f\u2b50\ufe0f", 4),
        ("4\u2b50", 8),
        ("*** out of *****", 6),
        ("**/****", 5),
        ("B+", 8),
        ("B+. Nice.", 8),
        ("B+ from me", 8),
        ("grade: B+", 8),
        ("Grade: A", 9),
        ("I give it a B+", 8),
        ("I'd give this movie an A-!", 9),
        ("I give it an F.", 0),
        ("it gets a D for effort", 2),
        ("a solid B", None),
        ("a solid B+ of a film", 8),
        ("I GIVE IT A B MINUS", 7),
    ],
)
def test_a_rating_is_read_on_one_scale_however_it_is_written(text, tenths):
    assert values(text) == ([] if tenths is None else [RATINGS[tenths]])


@pytest.mark.parametrize(
    "text",
    [
        "9/11",
        "24/7",
        "1/2 hour",
        "3/4 of an hour",
        "a 3/4 view",
        "10/10/2004",
        "seen on 10/10",
        "4/5 of the film",
        "4/5 hours",
        "9 out of 10 people",
        "1/10th",
        "-5/10",
        "12/10/1987",
        "6/5",
        "the two stars have chemistry",
        "its three stars",
        "one star of the film",
        "two Star Wars films",
        "a four-star general",
        "she started and starred",
        "three star-crossed lovers",
        "50 stars",
        "rated R for violence",
        "a B-movie",
        "give it a B movie",
        "Give it A try",
        "give it a plus",
        "C++",
        "an A list actor",
        "plan A and plan B.",
        "rule of thumb",
        "\u2b50 hello",
        "stars: ****",
        "<rating-0.8> <emoji+2>",
    ],
)
def test_dates_fractions_and_actors_are_no_ratings(text):
    assert values(text) == []
    assert [token.text for token in tokenize(text, version=2)] == [token.text for token in tokenize(text)]


@pytest.mark.parametrize(
    ("text", "strengths"),
    [
        ("\U0001f44d", [1]),
        ("\U0001f44d\U0001f3fd\U0001f44e", [1, -1]),
        ("\u2764 \u2764\ufe0f \u2764\ufe0f\u200d\U0001f525", [2, 2, 2]),
        ("\U0001f600\U0001f60d\U0001f644\U0001f92e", [1, 2, -1, -2]),
        (":) :-( <3 :D", [1, -1, 2, 1]),
        ("thumbs up", [1]),
        ("Two thumbs up!", [2]),
        ("thumbs way up", [2]),
        ("thumbs-down", [-1]),
        ("BIG THUMBS DOWN", [-2]),
        ("\U0001f602 \U0001f62d ;) \U0001f3ac", []),
    ],
)
def test_thumbs_and_emoji_are_read_by_polarity_and_strength(text, strengths):
    assert values(text) == [FEELINGS[strength] for strength in strengths]


def test_the_span_of_a_sign_is_what_was_typed_and_of_a_grade_the_grade_alone():
    text = "I\u2019d say &quot;8 out of 10&quot;, so a B+ from me \U0001f44d\U0001f3fd \u2605\u2605\u2606!"
    assert [written for written, _ in signs(text)] == [
        "8 out of 10",
        "B+",
        "\U0001f44d\U0001f3fd",
        "\u2605\u2605\u2606",
    ]
    assert signs("\uff18\uff0f\uff11\uff10") == [("\uff18\uff0f\uff11\uff10", RATINGS[8])]
    assert signs("&#9733;&#9734;") == [("&#9733;&#9734;", RATINGS[5])]


def test_a_letter_that_is_two_in_lower_case_moves_nothing():
    assert signs("\u0130 8/10 \u0130") == [("8/10", RATINGS[8])]


def test_cleaning_leaves_signs_as_they_are():
    text = "8/10 \u2605\u2606\u2606 B+ \U0001f44d\U0001f3fd \u2764\ufe0f :) <3 ****/***** 3\u00bd stars"
    assert clean(text).text == text


def test_every_sign_stands_for_one_strength():
    assert len(set(SIGNS)) == len(SIGNS) == len(RATINGS) + len(FEELINGS)
    assert {feeling(sign) for sign in ("\U0001f60d", "\U0001f642", "\U0001f641", "\U0001f621")} == set(
        FEELINGS.values()
    )
    assert feeling("\U0001f468\u200d\U0001f469\u200d\U0001f467") is None


def test_signs_stand_in_reading_order_and_none_within_another():
    found = find_signs("B+ from me: 4 out of 5 stars, \u2605\u2605\u2605\u2605\u2606, 8/10, thumbs up, grade: B+")
    assert [token for _, _, token in found] == [*[RATINGS[8]] * 4, FEELINGS[1], RATINGS[8]]
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(found))
