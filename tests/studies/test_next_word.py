"""How well language models foretell the next word: what is counted, of which words, and what is said of it."""

import numpy as np
import pandas as pd
import pytest

from seqdemo.models import writing
from seqdemo.studies import next_word
from seqdemo.studies.study import Inputs, Stored
from seqdemo.text import PAD_ID, Vocabulary, tokenize


@pytest.fixture(scope="module")
def measured(language, language_models):
    return next_word.measure(Inputs(models=language_models, data=str(language), limit=2_000))


def test_figures_are_those_of_one_reading_with_the_state_carried_on(measured, language, language_models):
    from seqdemo.data import imdb

    model = language_models["gru"]
    words = next_word.first_words(imdb.load("test", str(language)).texts, model.vocabulary, 2_000)
    p, ranks, _ = writing.chances_in_text(model.one_way, words.ids)
    of_words = words.ids[1:] != PAD_ID
    found = measured.results["gru"]["all"]
    assert measured.n == found["n"] == of_words.sum() == 2_000
    assert found["nats"] == pytest.approx(-np.log(p[of_words]).mean(), rel=1e-4)
    assert found["perplexity"] == pytest.approx(np.exp(found["nats"]), rel=1e-3)
    assert found["low"] < found["perplexity"] < found["high"]
    assert found["top1"] == pytest.approx((ranks[of_words] == 1).mean(), abs=1e-4)
    assert found["top5"] == pytest.approx((ranks[of_words] <= 5).mean(), abs=1e-4)


def test_counting_longer_runs_foretells_a_language_of_short_sentences_better(measured):
    perplexities = [measured.results[name]["all"]["perplexity"] for name in next_word.ORDERS]
    assert perplexities == sorted(perplexities, reverse=True)
    assert perplexities[-1] < 2 < perplexities[0] < measured.results["rnn"]["all"]["perplexity"]


def test_words_are_told_apart_by_their_kind():
    text = "I saw AL Pacino. It isn't Good, not really! Bad? The cat saw O'Neal"
    words = next_word.first_words([text, "Never seen ."], Vocabulary(["<pad>", "<unk>", "i", "saw"]), 100)
    tokens = [token.text for token in tokenize(text)]
    assert tokens[:4] + tokens[-2:] == ["i", "saw", "al", "pacino", "saw", "o'neal"]
    assert len(words.ids) == 1 + len(tokens) + 1 + 3 + 1
    assert words.ids[[0, len(tokens) + 1, -1]].tolist() == [PAD_ID] * 3

    def of(kind):
        return [tokens[k] for k in np.flatnonzero(words.kinds[kind][: len(tokens)])]

    assert of("all") == tokens
    assert of("names") == ["pacino", "good", "o'neal"]
    assert of("after_not") == ["good", "really"]
    assert of("first") == ["i", "it", "bad", "the"]
    assert of("function") == ["i", "it", "not", "the"]
    assert of("other") == ["saw", "al", "isn't", "cat", "saw"]
    assert words.texts.tolist() == [0] * (len(tokens) + 1) + [1] * 4
    assert not words.kinds["all"][len(tokens)], "the end of a text is no word"


def test_only_so_many_words_are_read():
    words = next_word.first_words(["a b c", "d e f", "g"], Vocabulary(["<pad>", "<unk>"]), 5)
    assert words.kinds["all"].sum() == 5
    assert words.texts.max() == 1


def test_the_error_of_a_mean_counts_groups_of_like_values_once():
    values, groups = np.repeat([0.0, 1.0] * 20, 10), np.repeat(np.arange(40), 10)
    assert next_word.error_of_mean(values, groups) == pytest.approx(0.5 / np.sqrt(40))
    assert next_word.error_of_mean(values, np.arange(400)) == pytest.approx(0.5 / np.sqrt(400))


def stored(results):
    return Stored(
        study="next_word", checkpoints={"rnn": "a", "lstm": "b"}, n=9, seed=None, settings={}, results=results
    )


def row(perplexity, top1=0.2):
    figures = {"n": 9, "nats": np.log(perplexity), "low": perplexity - 1, "high": perplexity + 1, "top5": 0.4}
    return {"all": {**figures, "perplexity": perplexity, "top1": top1}}


def test_figures_of_other_weights_are_left_out():
    found = stored({"rnn": row(123.0), "lstm": row(93.0), "bigram": row(197.0)})
    assert next_word.frame(found)["label"].tolist() == ["RNN", "LSTM", "counting pairs"]
    assert next_word.frame(found, {"rnn": "a", "lstm": "other"})["name"].tolist() == ["rnn", "bigram"]
    assert isinstance(next_word.frame(stored({})), pd.DataFrame)


@pytest.mark.parametrize(
    ("rnn", "said"),
    [
        (123.0, "The LSTM names one next word in 4.0 rightly; the RNN hardly beats counting runs of 5"),
        (140.0, "The LSTM names one next word in 4.0 rightly; the RNN does worse than counting runs of 5"),
        (100.0, "The LSTM names one next word in 4.0 rightly; all beat counting runs of 5"),
    ],
)
def test_the_finding_sets_the_models_against_counting(rnn, said):
    found = stored({"rnn": row(rnn), "lstm": row(93.0, top1=0.25), "bigram": row(197.0), "five_gram": row(129.0)})
    assert next_word.finding(next_word.frame(found)) == said


def test_without_figures_the_title_is_the_question():
    assert next_word.finding(next_word.frame(stored({}))) == "How well does each model foretell the next word?"
