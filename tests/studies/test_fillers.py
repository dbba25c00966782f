"""Neutral words beside an opinion: what is asked, when an opinion counts as lost, what is refused."""

import numpy as np
import pytest

import seqdemo
from seqdemo.data.fillers import FILLERS, opening
from seqdemo.errors import TextError
from seqdemo.models.registry import MODELS
from seqdemo.studies import fillers as study
from seqdemo.studies.study import Inputs, read, write


@pytest.fixture(scope="module")
def models(checkpoint_folders):
    return {name: seqdemo.load(checkpoint_folders[name]) for name in ("rnn", "transformer")}


@pytest.fixture(scope="module")
def found(models):
    return study.sweep(models, "I liked this film")


def test_steps_run_from_no_neutral_word_to_three_hundred():
    assert len(study.WORDS) == 8
    assert (study.WORDS[0], study.WORDS[-1]) == (0, 300)


def test_every_filler_is_asked_at_every_step_in_both_places(found, models):
    assert {name: set(places) for name, places in found.items()} == {name: set(study.PLACES) for name in models}
    for places in found.values():
        assert all(np.shape(values) == (len(study.WORDS), len(FILLERS)) for values in places.values())


def test_the_opinion_stands_first_or_last_and_is_closed_with_a_full_stop(found, models):
    text = opening("Bread", 25)
    k, f = study.WORDS.index(25), list(FILLERS).index("Bread")
    for place, whole in (("first", f"I liked this film. {text}"), ("last", f"{text} I liked this film.")):
        expected = models["rnn"].predict_proba([whole])[0]
        assert found["rnn"][place][k][f] == pytest.approx(expected, rel=1e-3)
    assert len(set(found["rnn"]["first"][0])) == 1, "without a neutral word all fillers are the same text"


def test_a_stored_study_is_a_table_with_its_baseline(models, tmp_path):
    measured = study.measure(Inputs(models=models))
    write(tmp_path / "fillers.json", study.STUDY, measured, models)
    stored = read("fillers", tmp_path)
    table = study.frame(stored.results["sentences"]["positive"], stored.results[study.ALONE])
    assert set(table["place"]) == {"first", "last", "alone"}
    assert len(table) == len(models) * (8 + 8 + 7)
    assert (table["low"] <= table["median"]).all()
    assert (table["median"] <= table["high"]).all()
    assert study.alone_table(stored.results[study.ALONE]).shape == (8, 1 + len(models))
    weights = {name: model.sha256 for name, model in models.items()}
    assert study.usable(stored, weights) == list(models)
    assert study.usable(stored, {**weights, "rnn": "0" * 64}) == ["transformer"]
    assert study.usable(stored) == list(models)


def test_the_opinion_is_compared_filler_by_filler():
    alone = {"rnn": [[0.1, 0.9] * 4] * 7}
    found = {"rnn": {place: [[0.5] * 8, *[[0.3, 1.0] * 4] * 7] for place in study.PLACES}}
    table = study.frame(found, alone)
    moved = table[table["place"] == "first"].set_index("words")["moved"]
    assert moved[0] != moved[0], "without a neutral word there is nothing to compare with"
    assert moved[300] == pytest.approx(0.15)  # the median of 0.2 and 0.1, not the difference of medians


def test_the_difference_of_two_opinions_is_taken_beside_the_same_filler():
    one = {"gru": {place: [[0.9, 0.5] * 4] * 8 for place in study.PLACES}}
    other = {"gru": {place: [[0.1, 0.5] * 4] * 7 + [[0.8, 0.4] * 4] for place in study.PLACES}}
    table = study.difference(one, other).set_index(["place", "words"])
    assert table.loc[("first", 0), "median"] == pytest.approx(0.4)
    assert table.loc[("last", 300), ["low", "median", "high"]].tolist() == pytest.approx([0.1, 0.1, 0.1])
    assert study.difference_finding(study.difference(one, other)) == (
        "300 neutral words leave the GRU 10 of 40 points between praise and scorn"
    )


def test_the_difference_finding_names_who_keeps_least_and_most():
    def sweep(*ends):
        return {
            name: {place: [[0.9] * 8] * 7 + [[end] * 8] for place in study.PLACES}
            for name, end in zip(MODELS, ends, strict=False)
        }

    nothing = {name: {place: [[0.1] * 8] * 8 for place in study.PLACES} for name in MODELS}
    assert study.difference_finding(study.difference(sweep(0.2, 0.7, 0.3), nothing)) == (
        "300 neutral words leave the RNN 10 of 80 points between praise and scorn, the GRU 60 of 80"
    )
    assert study.difference_finding(study.difference({}, {})) == "How many words until it forgets?"


def made(**with_opinion):
    """A table in which the fillers alone give one half, by model: one value a step."""
    names = list(MODELS)[: len(with_opinion)]
    found = {
        name: {place: [[value] * 8 for value in values] for place in study.PLACES}
        for name, values in zip(names, with_opinion.values(), strict=True)
    }
    return study.frame(found, {name: [[0.5] * 8] * 7 for name in names})


def test_an_opinion_is_lost_where_it_stays_within_ten_points_of_the_baseline():
    table = made(
        rnn=[0.9, 0.9, 0.55, 0.5, 0.5, 0.5, 0.45, 0.5],
        gru=[0.9, 0.5, 0.9, 0.9, 0.9, 0.9, 0.9, 0.55],
        lstm=[0.9] * 8,
    )
    assert study.lost_after(table) == {"RNN": 25, "GRU": 300, "LSTM": None}
    assert study.finding(table) == (
        "After 25 neutral words the RNN has lost the opinion, after 300 the GRU; the LSTM still shows it after 300"
    )


def test_the_finding_when_nobody_or_everybody_forgets():
    assert study.finding(made(a=[0.9] * 8)) == "No model has lost the opinion after 300 neutral words"
    assert study.finding(made(a=[0.9, *[0.5] * 7], b=[0.9, *[0.5] * 7])) == (
        "After 10 neutral words the RNN and GRU have lost the opinion"
    )


def test_without_a_baseline_nothing_is_claimed(found):
    table = study.frame(found, {})
    assert study.lost_after(table) == {}
    assert study.finding(table) == "How many words until it forgets?"


def test_the_page_can_say_how_far_the_fillers_move_each_model():
    alone = {"rnn": [[0.5] * 8] * 6 + [[0.4, 0.6, 0.31, 0.5, 0.5, 0.5, 0.5, 0.878]]}
    assert "RNN 31 to 88\u00a0%" in study.alone_words(alone)


@pytest.mark.parametrize("sentence", ["", "  \n ", "!?", "🙂🙂"])
def test_no_word_is_refused_in_a_sentence(sentence):
    with pytest.raises(TextError, match="no word"):
        study.checked(sentence)


@pytest.mark.parametrize("n", [100, 25_000])
def test_more_than_fits_beside_the_neutral_words_is_refused_with_both_numbers(n):
    with pytest.raises(TextError, match=rf"has {n} words and marks. It may have \d\d"):
        study.checked("a " * n)


def test_the_longest_allowed_sentence_is_read_whole(models):
    room = study.MAX_TOKENS - 1 - max(len(study.tokenize(opening(name, 300))) for name in FILLERS)
    sentence = study.checked("good " * room)
    assert all(models["rnn"].read(f"{sentence} {opening(name, 300)}").n_skipped == 0 for name in FILLERS)
    with pytest.raises(TextError):
        study.checked("good " * (room + 1))


@pytest.mark.parametrize(("given", "closed"), [("Great", "Great."), ("Great!", "Great!"), (" so\n so… ", "so so…")])
def test_a_sentence_ends_before_the_neutral_words_begin(given, closed):
    assert study.checked(given) == closed
