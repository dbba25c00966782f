"""What language models say and write, by the shipped ones."""

import itertools
import math

import numpy as np
import pytest

import seqdemo
from seqdemo.data import words_not_shown
from seqdemo.errors import ConfigError, TextError
from seqdemo.text import PAD, UNKNOWN

CELLS = ("rnn", "gru", "lstm")
TEXT = "I thought this movie was"


@pytest.fixture(scope="module")
def load():
    loaded = {}

    def load_once(name):
        if name not in loaded:
            loaded[name] = seqdemo.load_language_model(name)
        return loaded[name]

    return load_once


@pytest.mark.parametrize("name", CELLS)
def test_the_name_of_its_cell_is_the_name_of_a_language_model(load, name):
    assert load(name).sha256 == seqdemo.load_language_model(f"lm-{name}").sha256


@pytest.mark.parametrize("name", CELLS)
def test_next_words_are_the_likeliest_in_their_order(load, name):
    words = load(name).next_words(TEXT, 10)
    chances = [word.probability for word in words]
    assert chances == sorted(chances, reverse=True)
    assert words[0].rank == 1
    assert "a" in {word.text for word in words}
    assert 0.2 < sum(chances) < 1


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("text", ["", "a", "The plot is thin, but", "zyxwvq 😀 qqqqzz", "word " * 3_000, "x" * 60_000])
def test_there_is_a_next_word_whatever_stands_before(load, name, text):
    words = load(name).next_words(text)
    assert len(words) == 10
    assert not {PAD, UNKNOWN} & {word.text for word in words}
    assert all(0 < word.probability < 1 for word in words)


@pytest.mark.parametrize("name", CELLS)
def test_the_same_seed_and_settings_write_the_same_words(load, name):
    def written(seed, **settings):
        return [word.text for word in load(name).generate(TEXT, n_words=12, seed=seed, **settings)]

    assert written(1) == written(1)
    assert written(1) != written(2)
    assert written(1, temperature=0) == written(2, temperature=0)


@pytest.mark.parametrize("name", CELLS)
def test_at_temperature_0_the_likeliest_word_is_written_each_time(load, name):
    text = TEXT
    for word in load(name).generate(TEXT, n_words=6, temperature=0):
        (likeliest,) = load(name).next_words(text, 1)
        assert (word.text, word.rank) == (likeliest.text, likeliest.rank)
        assert word.probability == pytest.approx(likeliest.probability, rel=1e-4)
        text += f" {word.text}"


def test_words_come_one_by_one(load):
    assert len(list(itertools.islice(load("rnn").generate(TEXT, n_words=10**9), 3))) == 3


def test_of_two_likeliest_words_no_third_is_written(load):
    written = list(load("gru").generate(TEXT, n_words=40, top_k=2, seed=3))
    not_offered = len(load("gru").left_out())
    assert max(word.rank for word in written) <= 2 + not_offered
    assert len({word.text for word in written}) > 5


def test_words_that_are_not_shown_are_neither_written_nor_offered_unless_asked_for(load):
    model, text = load("lstm"), "it is softcore"
    offered = {word.text for word in model.next_words(text, 30, unfiltered=True)}
    assert offered & words_not_shown.words(), "the model knows them"
    shown = model.next_words(text, 30)
    assert not {word.text for word in shown} & words_not_shown.words()
    assert [word.text for word in shown if word.text in offered] == [
        word.text for word in model.next_words(text, 30, unfiltered=True) if word.text not in words_not_shown.words()
    ]
    written = {word.text for word in model.generate(text, n_words=100, temperature=2, seed=5)}
    assert not {PAD, UNKNOWN, *words_not_shown.words()} & written


@pytest.mark.parametrize("name", CELLS)
def test_the_surprise_of_a_word_is_its_probability_as_the_next_word(load, name):
    model, text = load(name), "Not as good as I thought."
    words = model.surprise(text)
    assert [word.text for word in words] == ["not", "as", "good", "as", "i", "thought", "."]
    for k, word in enumerate(words):
        before = " ".join(other.text for other in words[:k])
        wanted = {w.text: w for w in model.next_words(before, 3_000, unfiltered=True)}[word.text]
        assert word.probability == pytest.approx(wanted.probability, rel=1e-4)
        assert word.bits == -math.log2(word.probability)
        assert abs(word.rank - wanted.rank) <= 1, "two words may be all but equally likely"
    mean_nats = -np.mean([math.log(word.probability) for word in words])
    assert model.perplexity([text]) == pytest.approx(math.exp(mean_nats))
    assert model.perplexity([text, text]) == pytest.approx(model.perplexity(text))


def test_an_unknown_word_is_as_surprising_as_any_unknown_word(load):
    words = load("lstm").surprise("the zyxwvq and the qqqqzz")
    assert [word.text for word in words][1] == "zyxwvq"
    assert words[1].probability == pytest.approx(load("lstm").surprise("the vvvvxx")[1].probability, rel=1e-4)


def test_of_a_long_text_the_last_two_thousand_words_are_read(load):
    text = " ".join(f"{word} film" for word in ["dull"] * 900 + ["fine"] * 1_000)
    reading = load("rnn").read(text)
    assert len(reading.tokens) == len(reading.ids) == 2_000
    assert reading.n_found == 3_800
    assert len(load("rnn").surprise(text)) == 2_000
    assert reading.text[reading.tokens[0].start : reading.tokens[0].end] == "fine"


@pytest.mark.parametrize("name", CELLS)
def test_a_trace_has_the_gates_of_the_cell_and_the_chance_of_each_word(load, name):
    model, text = load(name), "Not as good as I thought."
    found = model.trace(text)
    assert math.isnan(found.probability)
    assert found.signals["hidden"].shape == (1, 7, model.model.config.d_hidden)
    assert ("forget_gate" in found.signals) == (name == "lstm")
    assert found.signals["word_probability"] == pytest.approx([w.probability for w in model.surprise(text)], rel=1e-4)


def test_a_model_that_reads_both_sides_says_hidden_words_and_cannot_write(load):
    model = load("transformer")
    words = model.hidden_words("I did not like this movie at all.", 5)
    assert "film" in {word.text for word in words}
    long = "the film was " + "very " * 1_500 + "good"
    assert model.hidden_words(long, 1_502)[0].probability > 0
    for refused in (model.next_words, model.surprise, model.perplexity, model.trace, model.generate):
        with pytest.raises(ConfigError, match="reads both sides of a word"):
            refused("a text")
    with pytest.raises(TextError, match="has 2 words, so that no word 2"):
        model.hidden_words("two words", 2)
    with pytest.raises(ConfigError, match="asked of a model that reads both sides"):
        load("gru").hidden_words("two words", 1)


@pytest.mark.parametrize("text", ["", "  ", "()"])
def test_surprise_needs_a_word(load, text):
    for refused in (load("rnn").surprise, load("rnn").trace, lambda text: load("rnn").perplexity([text])):
        with pytest.raises(TextError):
            refused(text)
    with pytest.raises(TextError, match="none was given"):
        load("rnn").perplexity([])


def test_what_is_no_text_or_no_number_is_refused_before_anything_is_written(load):
    model = load("rnn")
    with pytest.raises(TextError, match="A text is a str; this is a int"):
        model.next_words(3)
    with pytest.raises(ConfigError, match="n is a whole number from 1 on"):
        model.next_words("a", 0)
    with pytest.raises(ConfigError, match="n_words is a whole number from 0 on"):
        model.generate("a", n_words=-1)
    with pytest.raises(ConfigError, match="temperature"):
        model.generate("a", temperature=5)
    assert list(model.generate("a", n_words=0)) == []
