"""Verdicts and curves as the routes answer them, with every sentence that is shown beside them."""

import dataclasses
import shutil

import numpy as np
import pytest

from seqdemo import paths
from seqdemo.checkpoints.store import ModelStore
from seqdemo.models.registry import MODELS
from seqdemo.serve import word_notes
from seqdemo.serve.answering import Answering
from seqdemo.serve.sentiment import TABLE, curve_data, finding, summary
from seqdemo.serve.verdicts import percent, verdict
from seqdemo.serve.worker import CURVE
from seqdemo.text import MAX_CHARACTERS, NEWEST_TOKENS, Vocabulary
from tests.conftest import PATIENCE_S

WORDS = ["a", "very", "good", "film"]


def every_word(*probabilities):
    return np.arange(len(probabilities)), np.array(probabilities, dtype=np.float32)


@pytest.fixture
def answering(service):
    """The models that came with the app."""
    return service.answering({})


@pytest.mark.parametrize(
    ("percents", "word"), [(0, "negative"), (39, "negative"), (40, "unsure"), (60, "unsure"), (61, "positive")]
)
def test_from_40_to_60_per_cent_a_model_is_unsure(percents, word):
    assert verdict(percents) == word


def test_per_cents_are_whole_and_halves_go_up():
    assert [percent(p) for p in (0.0, 0.004, 0.125, 0.394, 0.396, 1.0)] == [0, 0, 13, 39, 40, 100]


def test_the_summary_says_every_verdict():
    assert (
        summary(Answering(models={}), {"rnn": 34, "lstm": 50}) == "RNN negative, 34 per cent, LSTM unsure, 50 per cent"
    )


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


def test_the_chart_gets_words_as_written_with_unknown_ones_and_the_gap_marked(vocabulary, answering):
    readings = {"lstm": vocabulary.read("GOOD xyz " * 300)}
    curves = {"lstm": (np.arange(400), np.full(400, 0.25, np.float32))}
    data = curve_data(answering, readings, curves)
    assert data["words"][:2] == ["GOOD", "xyz"]
    assert data["unknown"][:3] == [1, 3, 5]
    assert (data["gap"], data["skipped"]) == (128, 200)
    assert data["lines"][0]["permille"][0] == 250
    assert "re-run" not in data["how"]


def test_the_chart_rounds_to_the_same_per_cents_as_the_cards(vocabulary, answering):
    probabilities = np.array([0.43499, 0.435, 0.9949999, 0.0], dtype=np.float32)
    data = curve_data(answering, {"rnn": vocabulary.read("a b c d")}, {"rnn": (np.arange(4), probabilities)})
    shown = [int(permille / 10 + 0.5) for permille in data["lines"][0]["permille"]]
    assert shown == [percent(float(p)) for p in probabilities]


def test_sampled_lines_are_labelled_so(vocabulary, answering):
    curves = {"lstm": every_word(0.1, 0.2), "bilstm": every_word(0.1, 0.2), "transformer": every_word(0.1, 0.2)}
    data = curve_data(answering, dict.fromkeys(curves, vocabulary.read("good film")), curves)
    assert [line["sampled"] for line in data["lines"]] == [False, True, True]
    assert "BiLSTM and Transformer: re-run on up to 24 beginnings of the text" in data["how"]


def test_every_model_answers_with_a_figure_a_word_and_a_line_that_says_both(ask):
    found = ask("verdicts", {"text": "This film is good"})
    assert list(found["verdicts"]) == list(MODELS)
    for name, said in found["verdicts"].items():
        assert said["percent"] == percent(said["probability"]) or abs(said["probability"] * 100 % 1 - 0.5) < 0.01
        assert said["verdict"] == verdict(said["percent"])
        assert said["says"] == f"{MODELS[name].label} {said['verdict']}, {said['percent']} per cent"
    assert found["summary"] == ", ".join(said["says"] for said in found["verdicts"].values())
    assert (found["note"], found["notices"], found["loading"], found["failed"]) == ("4 words", [], [], {})


def test_curves_end_at_the_verdicts(ask):
    curves = ask("curves", {"text": "not good"})
    assert curves["words"] == ["not", "good"]
    verdicts = ask("verdicts", {"text": "not good"})
    ends = {line["label"]: line["permille"][-1] for line in curves["lines"]}
    for name, said in verdicts["verdicts"].items():
        assert abs(ends[MODELS[name].label] / 10 - said["percent"]) <= 1


@pytest.mark.parametrize("text", ["", "()"])
def test_without_a_word_there_is_an_invitation_and_no_verdict(ask, text):
    found = ask("verdicts", {"text": text})
    assert "try an example" in found["note"]
    assert (found["verdicts"], found["summary"]) == ({}, "")
    curves = ask("curves", {"text": text})
    assert (curves["words"], curves["lines"]) == ([], [])
    assert curves["invitation"].startswith("Once there is a word to read")


@pytest.mark.parametrize(
    "text", ["\u0641\u064a\u0644\u0645 \u062c\u064a\u062f \U0001f600", "good " * 12_000, "\0<b>x</b>\n", "good \ud83d"]
)
def test_any_text_gets_five_answers(ask, text):
    assert len(ask("verdicts", {"text": text})["verdicts"]) == len(MODELS)
    curves = ask("curves", {"text": text})
    assert len(curves["lines"]) == len(MODELS)
    assert len(curves["words"]) <= 400


def test_of_too_long_a_text_is_said_how_much_is_looked_at(ask):
    kept = ("good " * 12_000)[:MAX_CHARACTERS]
    notices = ask("verdicts", {"text": kept, "length": 60_000})["notices"]
    assert notices[0] == "Only the first 50,000 of 60,000 characters are looked at."
    assert notices[1].startswith("The models read the first 128 and the last 272 of")


def test_words_are_unknown_to_the_models_that_do_not_know_them(ask):
    found = ask("verdicts", {"text": "a dull zyzzx"})
    assert found["note"] == "3 words · unknown to all: zyzzx · unknown to the RNN: dull"
    assert found["readings"]["rnn"]["unknown"] == ["dull", "zyzzx"]
    assert found["readings"]["gru,lstm,bilstm,transformer"]["unknown"] == ["zyzzx"]
    curves = ask("curves", {"text": "a dull zyzzx"})
    assert (curves["unknown"], curves["partly"]) == ([2], {"1": "unknown to the RNN"})


def test_a_text_in_another_language_is_said_to_be_probably_not_english(ask):
    (notice,) = ask("verdicts", {"text": "Ce film est vraiment nul"})["notices"]
    assert notice.startswith("This is probably not English: most of these words are unknown to every model")


def test_a_model_that_could_not_be_loaded_says_why_and_the_others_answer(
    ask, service, pretrained, tmp_path, monkeypatch
):
    shutil.copytree(pretrained, tmp_path / "damaged")
    (tmp_path / "damaged" / "gru" / "model.safetensors").write_bytes(b"nothing")
    monkeypatch.setattr(paths, "PRETRAINED", tmp_path / "damaged")
    service.store = ModelStore()
    service.store.start()
    assert service.store.wait(PATIENCE_S)
    found = ask("verdicts", {"text": "good"})
    assert list(found["verdicts"]) == [name for name in MODELS if name != "gru"]
    assert "model.safetensors" in found["failed"]["gru"]
    assert str(tmp_path) not in found["failed"]["gru"], "no path of the server"
    assert len(ask("curves", {"text": "good"})["lines"]) == len(MODELS) - 1


def test_while_models_load_the_answer_says_which_will_come(ask, service):
    service.store = ModelStore()  # not begun
    found = ask("verdicts", {"text": "good"})
    assert found["loading"] == list(MODELS)
    assert (found["verdicts"], found["note"]) == ({}, "Loading the models")
    curves = ask("curves", {"text": "good"})
    assert (curves["loading"], curves["invitation"], curves["lines"]) == (list(MODELS), "", [])


def test_an_own_model_answers_in_the_place_of_the_one_of_its_kind_for_who_names_it(ask, own_model):
    mine = {"text": "good film", "models": {"gru": own_model("gru")}}
    own, usual = ask("verdicts", mine), ask("verdicts", {"text": "good film"})
    assert own["labels"]["gru"] == "First try (GRU)"
    assert own["verdicts"]["gru"]["probability"] != usual["verdicts"]["gru"]["probability"]
    assert own["verdicts"]["lstm"] == usual["verdicts"]["lstm"]
    assert "unknown to First try (GRU): good" in own["note"]
    assert "First try (GRU)" in [line["label"] for line in ask("curves", mine)["lines"]]


def test_an_own_model_that_is_gone_leaves_its_place_to_the_usual_one(ask):
    gone = {"text": "good film", "models": {"gru": "x" * 16}}
    assert ask("verdicts", gone) == ask("verdicts", {"text": "good film"})


def test_models_of_two_versions_of_the_rules_for_words_stand_on_one_page(service, build_small, vocabulary, tmp_path):
    text = "This film is 2 out of 10, good."
    words = Vocabulary.build([vocabulary.words[2:]] * 5, version=NEWEST_TOKENS)
    assert len(words.read(text).tokens) != len(vocabulary.read(text).tokens), "otherwise this shows nothing"
    usual = service.answering({})
    model = build_small("gru", vocab_size=len(words))
    newer = dataclasses.replace(usual.models["gru"], vocabulary=words, model=model, sha256="0" * 64)
    answering = Answering(models={**usual.models, "gru": newer})
    readings = answering.read(text)
    curves = {
        name: service.worker.submit(CURVE, answering.models[name], reading.ids).result(PATIENCE_S)
        for name, reading in readings.items()
    }
    data = curve_data(answering, readings, curves)
    shown = len(data["words"])
    for line in data["lines"]:
        steps = line["steps"] or list(range(len(line["permille"])))
        assert len(steps) == len(line["permille"])
        assert steps == sorted(steps)
        assert steps[-1] == shown - 1, "all end at the last word"
    assert data["words"][:3] == ["This", "film", "is"]
    assert word_notes.note(answering.named(readings)).startswith("8 words")


@pytest.mark.parametrize("name", MODELS)
def test_the_reviews_of_a_table_get_the_answers_they_get_alone(service, name):
    draw = np.random.default_rng(1)
    texts = tuple(draw.integers(2, 30, size=n).astype(np.int64) for n in (3, 400, 1, 250, 250, 250, 250, 90))
    model = service.answering({}).models[name]
    found = service.worker.submit(TABLE, model, texts).result(PATIENCE_S)
    assert np.allclose(found, [model.predict_ids([ids])[0] for ids in texts], atol=1e-5)
