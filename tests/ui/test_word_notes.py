"""What pages say about words, on small vocabularies and on those of the models that came with the app."""

import pytest

import seqdemo
from seqdemo.models.registry import MODELS
from seqdemo.serve.word_notes import note, nothing_known, notices, shown
from seqdemo.text import PAD, UNKNOWN, Vocabulary, read_with

FRENCH = "Ce film est vraiment nul, je me suis ennuyé du début à la fin."


@pytest.fixture(scope="module")
def shipped():
    """What the models that came with the app read of a text."""
    vocabularies = {
        f"the {spec.label}": Vocabulary.load(seqdemo.PRETRAINED / name / "vocab.txt") for name, spec in MODELS.items()
    }
    return lambda text: read_with(vocabularies, text)


@pytest.fixture
def alone(vocabulary):
    return lambda text: {"the LSTM": vocabulary.read(text)}


@pytest.fixture
def two(vocabularies):
    """What two models with different vocabularies read; the RNN knows neither "dull" nor "poor"."""
    return lambda text: read_with({"the RNN": vocabularies["rnn"], "the LSTM": vocabularies["lstm"]}, text)


def test_the_note_counts_words_and_marks_and_names_unknown_words(alone):
    assert note(alone("Not a good film, but a qqzq!")) == "7 words and 2 marks · unknown: qqzq"
    assert note(alone("good")) == "1 word"
    assert note(alone("Zab zab ZAC")) == "3 words · unknown: Zab, zab, ZAC"


def test_unknown_words_are_said_of_the_models_that_do_not_know_them(two):
    assert note(two("a dull xyzzy")) == "3 words · unknown to both: xyzzy · unknown to the RNN: dull"


def test_of_the_models_that_came_with_the_app_the_rnn_knows_fewer_words(shipped):
    said = note(shipped("Sinbad is a harbour rugby xyzzy"))
    assert said == "6 words · unknown to all: rugby, xyzzy · unknown to the RNN: Sinbad"


def test_each_word_is_tokenised_once_and_looked_up_once_for_each_vocabulary(shipped):
    readings = shipped("Sinbad xyzzy")
    assert len({id(reading.tokens) for reading in readings.values()}) == 1
    assert len({id(reading) for reading in readings.values()}) == 2


@pytest.mark.parametrize("word", ["forgave", "harbour", "colour", "travelled", "skate"])
def test_no_model_that_came_with_the_app_calls_an_english_word_misspelt(shipped, word):
    assert "read as" not in note(shipped(f"It was {word}."))


def test_a_mangled_apostrophe_is_read_as_one(shipped):
    assert note(shipped("It isn\u00e2\u20ac\u2122t bad")) == "3 words" == note(shipped("It isn't bad"))


def test_the_note_says_what_misspelt_words_are_read_as(alone):
    assert note(alone("A grreat moviee")) == "3 words · read as great (for grreat), movie (for moviee)"


def test_misspelt_words_are_said_of_the_models_that_read_them_so(two):
    assert note(two("dulll grreat")) == (
        "2 words · unknown to the RNN: dulll"
        " · read by both as great (for grreat) · read by the LSTM as dull (for dulll)"
    )


def test_only_the_first_unknown_words_are_named(alone):
    assert note(alone("q1 q2 q3 q4 q5 q6 q7")) == "7 words · unknown: q1, q2, q3, q4, q5 and 2 more"


def test_the_note_says_what_is_left_out(alone):
    text = "good <b>film</b> at www.a.com or me@b.com or http://c.com"
    assert note(alone(text)).endswith(" · 2 web addresses left out · 1 e-mail address left out · 2 tags left out")
    assert note(alone("www.a.com")).endswith("or try an example. · 1 web address left out")


@pytest.mark.parametrize("text", ["", " \n", "()[]", "<br />"])
def test_a_text_without_a_word_gets_an_invitation(alone, text):
    assert note(alone(text)).endswith("Write a sentence about a film, or try an example.")
    assert notices(alone(text), len(text)) == []


def test_what_of_a_long_text_is_not_read_is_said(alone):
    assert notices(alone("good " * 400), 2_000) == []
    assert notices(alone("good " * 1_204), 6_020) == [
        "The models read the first 128 and the last 272 of 1,204 words and marks."
    ]
    assert "first 50,000 of 60,000 characters" in notices(alone("good " * 12_000), 60_000)[0]


def test_a_text_that_is_probably_not_english_is_said_to_be(shipped, alone):
    sentence = (
        "This is probably not English: most of these words are unknown to every model or to a list of English words, "
        "so the figures mean little."
    )
    assert notices(shipped(FRENCH), len(FRENCH)) == [sentence]
    assert notices(alone(FRENCH), len(FRENCH)) == [sentence.replace("every model", "the LSTM")]
    assert notices(shipped("It was not a good film."), 23) == []


def test_models_that_know_no_word_are_named(two):
    assert nothing_known(two("xyzzy plugh")) == [
        "The models know none of these words: each is read as the same unknown word."
    ]
    assert nothing_known(two("dull dull")) == [
        "The RNN knows none of these words: each is read as the same unknown word."
    ]
    assert nothing_known(two("dull film")) == []


def test_words_unknown_to_some_models_are_marked_apart_from_those_unknown_to_all(two):
    assert shown(two("A dull xyzzy!")) == {
        "words": ["A", "dull", "xyzzy", "!"],
        "unknown": [2],
        "partly": {"1": "unknown to the RNN"},
        "gap": None,
        "skipped": 0,
    }


def test_three_models_are_told_apart_in_every_way():
    words = {"the RNN": ["a"], "the GRU": ["a", "b"], "the LSTM": ["b", "c"]}
    readings = read_with({name: Vocabulary([PAD, UNKNOWN, *known]) for name, known in words.items()}, "a b c d")
    assert note(readings) == (
        "4 words · unknown to all: d"
        " · unknown to the RNN and the GRU: c · unknown to the RNN: b · unknown to the LSTM: a"
    )
