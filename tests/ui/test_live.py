import numpy as np
import pytest

from seqdemo.models.registry import MODELS
from seqdemo.serve.verdicts import percent, verdict
from seqdemo.text import MAX_CHARACTERS
from seqdemo.ui.sentiment.live import curve_data, finding, summary
from seqdemo.ui.shared.old_box import Session

WORDS = ["a", "very", "good", "film"]


def every_word(*probabilities):
    return np.arange(len(probabilities)), np.array(probabilities, dtype=np.float32)


def edit(session, text, *, n, settled=False, **further):
    return {"text": text, "length": len(text), "rev": session.rev, "n": n, "settled": settled, **further}


@pytest.mark.parametrize(
    ("percents", "word"), [(0, "negative"), (39, "negative"), (40, "unsure"), (60, "unsure"), (61, "positive")]
)
def test_from_40_to_60_per_cent_a_model_is_unsure(percents, word):
    assert verdict(percents) == word


def test_per_cents_are_whole_and_halves_go_up():
    assert [percent(p) for p in (0.0, 0.004, 0.125, 0.394, 0.396, 1.0)] == [0, 0, 13, 39, 40, 100]


def test_the_summary_says_every_verdict():
    assert summary({"rnn": 34, "lstm": 50}) == "RNN negative, 34 per cent, LSTM unsure, 50 per cent"


def test_agreement_is_the_finding_and_says_since_when():
    curves = {"rnn": every_word(0.9, 0.3, 0.8, 0.9), "lstm": every_word(0.9, 0.9, 0.9, 0.9)}
    assert finding(WORDS, curves, list(curves)) == "Both are positive from word 3 on: “good”"
    curves["rnn"] = every_word(0.9, 0.9, 0.9, 0.9)
    assert finding(WORDS, curves, list(curves)) == "Both are positive from the first word on"
    curves["rnn"] = every_word(0.9, 0.9, 0.1, 0.9)
    assert finding(WORDS, curves, list(curves)) == "Both are positive, but only at the last word"


def test_a_sampled_curve_counts_from_the_sample_that_showed_it():
    curves = {"rnn": every_word(0.9, 0.9, 0.9, 0.9), "bilstm": (np.array([0, 3]), np.array([0.1, 0.9]))}
    assert finding(WORDS, curves, ["rnn"]) == "Both are positive, but only at the last word"


def test_changes_of_mind_are_counted_where_models_disagree():
    curves = {"rnn": every_word(0.9, 0.1, 0.5, 0.1, 0.9), "gru": every_word(0.1, 0.1, 0.9, 0.1, 0.1)}
    curves["lstm"] = every_word(0.9, 0.5, 0.5, 0.2, 0.2)
    curves["bilstm"] = every_word(0.1, 0.9, 0.1, 0.9, 0.1)
    words = [*WORDS, "."]
    assert finding(words, curves, ["rnn", "gru", "lstm"]) == "The RNN changes its mind twice, the LSTM once"


def test_a_plain_disagreement_says_who_says_what():
    curves = {"rnn": every_word(0.2), "gru": every_word(0.8), "lstm": every_word(0.9), "bilstm": every_word(0.9)}
    assert finding(["good"], curves, ["rnn", "gru", "lstm"]) == "The models disagree: 3 positive; RNN negative"


def test_one_word_that_all_agree_on_is_said_so():
    curves = {name: every_word(0.9) for name in MODELS}
    assert finding(["good"], curves, list(MODELS)) == "All five are positive after one word"


def test_the_chart_gets_words_as_written_with_unknown_ones_and_the_gap_marked(vocabulary):
    readings = {"the LSTM": vocabulary.read("GOOD xyz " * 300)}
    curves = {"lstm": (np.arange(400), np.full(400, 0.25, np.float32))}
    data = curve_data(readings, curves, ["lstm"])
    assert data["words"][:2] == ["GOOD", "xyz"]
    assert data["unknown"][:3] == [1, 3, 5]
    assert (data["gap"], data["skipped"]) == (128, 200)
    assert data["lines"][0]["permille"][0] == 250
    assert "re-run" not in data["how"]


def test_the_chart_rounds_to_the_same_per_cents_as_the_cards(vocabulary):
    probabilities = np.array([0.43499, 0.435, 0.9949999, 0.0], dtype=np.float32)
    data = curve_data({"the RNN": vocabulary.read("a b c d")}, {"rnn": (np.arange(4), probabilities)}, ["rnn"])
    shown = [int(permille / 10 + 0.5) for permille in data["lines"][0]["permille"]]
    assert shown == [percent(float(p)) for p in probabilities]


def test_sampled_lines_are_labelled_so(vocabulary):
    curves = {"lstm": every_word(0.1, 0.2), "bilstm": every_word(0.1, 0.2), "transformer": every_word(0.1, 0.2)}
    data = curve_data({"the LSTM": vocabulary.read("good film")}, curves, ["lstm"])
    assert [line["sampled"] for line in data["lines"]] == [False, True, True]
    assert "BiLSTM and Transformer: re-run on up to 24 beginnings of the text" in data["how"]


def test_an_edit_is_taken_once_and_only_for_the_text_it_belongs_to():
    session = Session("good")
    session.take(edit(session, "good film", n=2))
    assert (session.text, session.settled) == ("good film", False)
    session.take(edit(session, "late", n=1))
    session.take(edit(session, "again", n=2))
    session.take({**edit(session, "of another text", n=3), "rev": session.rev - 1})
    assert session.text == "good film"


@pytest.mark.parametrize(
    "nonsense", [None, 1, "text", [], {}, {"text": 1, "length": 1, "rev": 2, "n": 9, "settled": 1}]
)
def test_what_is_no_edit_is_ignored(nonsense):
    session = Session("good")
    session.take(nonsense)
    assert session.text == "good"


def test_change_is_measured_from_before_the_typing_began_to_where_it_paused():
    session = Session("good")
    session.now = {"lstm": 80}
    session.take(edit(session, "n good", n=1))
    session.now = {"lstm": 70}
    session.take(edit(session, "not good", n=2))
    session.now = {"lstm": 20}
    session.take(edit(session, "not good", n=3, settled=True))
    assert session.before == {"lstm": 80}
    session.take(edit(session, "not good.", n=4))
    assert session.before == {"lstm": 20}


def test_an_example_is_no_edit_of_the_text_before_it():
    session = Session("good")
    session.now = {"lstm": 80}
    session.take(edit(session, "a bad film", n=1, settled=True, example=True))
    assert session.before == {}


def test_a_text_given_by_python_outdates_every_edit():
    session = Session("good")
    pending = edit(session, "good f", n=1)
    session.give("bad")
    session.take(pending)
    assert session.text == "bad"


def test_half_a_character_and_too_many_of_them_are_made_usable():
    session = Session("good")
    session.take(edit(session, "good \ud83d", n=1))
    assert session.text == "good \ufffd"
    session.take({**edit(session, "x" * (MAX_CHARACTERS + 5), n=2), "length": 70_000})
    assert (len(session.text), session.n_characters) == (MAX_CHARACTERS, 70_000)
