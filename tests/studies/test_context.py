"""How many words back language models use: what is given to them, and what is said of it."""

import numpy as np
import pytest
import torch

from seqdemo.errors import DataError
from seqdemo.studies import context
from seqdemo.studies.study import Inputs, Stored


@pytest.fixture(scope="module")
def measured(language, language_models):
    return context.measure(Inputs(models=language_models, data=str(language), limit=12))


def test_a_word_is_asked_for_after_the_end_of_a_text_and_the_words_before(language_models):
    model, rng = language_models["gru"], np.random.default_rng(0)
    before = [rng.integers(2, len(model.vocabulary), size=n) for n in (3, 1, 7)]
    targets = rng.integers(2, len(model.vocabulary), size=3)
    found = context._nats(model, before, targets)
    for words, target, nats in zip(before, targets, found, strict=True):
        with torch.inference_mode():
            logits, _ = model.model(torch.from_numpy(np.concatenate([[0], words]))[None])
        assert nats == pytest.approx(-logits[0, -1].log_softmax(-1)[target].item(), abs=1e-5)


def test_losses_are_of_the_same_words_and_all_that_is_measured_last_loses_nothing_by_order(measured):
    assert measured.n == 12
    for found in measured.results.values():
        assert len(found["last"]) == len(found["shuffled"]) == len(context.LAST)
        assert found["shuffled"][-1]["nats"] == 0, "nothing was shuffled"
        assert all(each["low"] <= each["nats"] <= each["high"] for way in ("last", "shuffled") for each in found[way])


def test_shuffling_keeps_the_last_words_and_all_words():
    words = np.arange(50)
    found = context._shuffled(words, 10, np.random.default_rng(0))
    assert found[-10:].tolist() == words[-10:].tolist()
    assert found.tolist() != words.tolist()
    assert sorted(found) == words.tolist()


def test_without_long_reviews_it_says_so(language_models):
    with pytest.raises(DataError, match="None of the 2 test reviews has more than 200 words"):
        context._draw(["too short", "so is this"], language_models["gru"].vocabulary, 5)


def stored():
    def losses(*nats):
        return [{"nats": each, "low": each - 0.002, "high": each + 0.002} for each in nats]

    nine, none = (1.0, 0.5, 0.3, 0.2, 0.1, 0.005, 0.001, 0.0, 0.0), (0.0,) * 9
    rnn = {"all": 120.0, "last": losses(*nine), "shuffled": losses(*none)}
    lstm = {"all": 93.0, "last": losses(*(each + 0.2 for each in nine)), "shuffled": losses(*none)}
    results = {"rnn": rnn, "lstm": lstm}
    settings = {"last": list(context.LAST)}
    return Stored(
        study="context", checkpoints={"rnn": "a", "lstm": "b"}, n=9, seed=1, settings=settings, results=results
    )


def test_the_finding_says_how_many_words_are_enough():
    table = context.frame(stored())
    assert context.used(table) == {"RNN": 20, "LSTM": None}
    assert context.finding(table) == "Words that each model uses: the RNN the last 20 and the LSTM more than 200"
    assert set(context.frame(stored(), {"rnn": "other"})["name"]) == {"lstm"}
    assert context.finding(table[:0]) == "How many of the words before does each model use?"
