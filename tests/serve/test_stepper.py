"""Two models stepped through one text: what the routes answer, and the sentence above it."""

import numpy as np
import pytest
import torch

import seqdemo
from seqdemo.checkpoints.store import ModelStore
from seqdemo.explain import steps
from seqdemo.models.recurrent import weights_of
from seqdemo.models.registry import MODELS
from seqdemo.serve import stepper
from seqdemo.serve.routes import API
from seqdemo.text import MAX_TOKENS, NEWEST_TOKENS, PAD_ID, Vocabulary
from tests.unpacked import unpacked

TEXT = "This film was great . It is a long story , slow and dull at first , but the end is very good !"
CHOICE = {"left": {"model": "rnn", "units": []}, "right": {"model": "lstm", "units": []}}


def every_word(*probabilities):
    return np.arange(len(probabilities)), np.array(probabilities, dtype=np.float32)


@pytest.fixture
def step(ask):
    """Header and arrays of a text stepped through, `step(text, left=, right=)`."""
    return lambda text=TEXT, **sides: unpacked(
        ask("steps", {"text": text, **{side: {"model": name} for side, name in sides.items()}})
    )


@pytest.fixture
def units(ask):
    """Header and arrays of picked units, `units(text, left=(name, units), right=…)`."""
    return lambda text=TEXT, **sides: unpacked(
        ask("units", {"text": text, **{side: {"model": name, "units": u} for side, (name, u) in sides.items()}})
    )


def test_rnn_and_lstm_stand_side_by_side_where_no_models_are_named(step):
    header, arrays = step()
    assert [column["name"] for column in header["columns"]] == ["rnn", "lstm"]
    assert header["title"]
    assert 0 <= header["start"] < len(header["words"])
    for side in stepper.SIDES:
        assert len(arrays[f"{side}.curve"]) == len(header["words"])
    assert "right.0.cell" in arrays
    assert "left.0.cell" not in arrays


def test_the_message_holds_what_the_trace_holds(step, service):
    header, arrays = step()
    traced = service.store.get("lstm").trace(TEXT)
    n_units = header["columns"][1]["lanes"][0]["n_units"]
    np.testing.assert_allclose(arrays["right.curve"], traced.signals["probability"], atol=1e-5)
    levels = arrays["right.0.hidden"].reshape(-1, n_units)
    np.testing.assert_allclose((levels.astype(float) - 128) / 127, traced.signals["hidden"][0], atol=0.5 / 127 + 1e-5)
    means = arrays["right.0.forget_gate"].reshape(3, -1)[1]
    np.testing.assert_allclose(means, traced.signals["forget_gate"][0].mean(axis=1), atol=1e-5)


def test_picked_units_cost_one_small_message_of_the_same_text_and_models(step, units, service):
    whole, _ = step()
    header, arrays = units(left=("rnn", [3]), right=("lstm", [5]))
    assert header["id"] == whole["id"]
    assert [header["lanes"][lane]["unit"] for lane in ("left.0", "right.0")] == [3, 5]
    traced = service.store.get("lstm").trace(TEXT)
    np.testing.assert_allclose(arrays["right.0.cell"], traced.signals["cell"][0, :, 5], atol=1e-5)


@pytest.mark.parametrize("picked", [[10_000], [-1], []])
def test_a_unit_that_a_model_does_not_have_becomes_the_stand_out_one(units, service, picked):
    header, _ = units(left=("rnn", picked))
    model = service.store.get("rnn")
    assert header["lanes"]["left.0"]["unit"] == steps.standout_unit(model, steps.trace(model, TEXT))


def test_a_bilstm_carries_both_directions_by_name(step, units, service):
    header, arrays = step(left="gru", right="bilstm")
    left, right = header["columns"]
    assert [lane["direction"] for lane in left["lanes"]] == ["forwards"]
    assert [lane["direction"] for lane in right["lanes"]] == ["forwards", "backwards"]
    assert right["steps"][-1] == len(header["words"]) - 1
    assert len(right["steps"]) == len(arrays["right.curve"]) <= 24
    traced = service.store.get("bilstm").trace(TEXT)
    levels = arrays["right.1.hidden"].reshape(len(header["words"]), -1)
    backward = traced.signals["hidden_backward"][0]
    np.testing.assert_allclose((levels.astype(float) - 128) / 127, backward, atol=0.5 / 127 + 1e-5)
    picked, numbers = units(left=("gru", []), right=("bilstm", [1, 4]))
    assert [picked["lanes"][lane]["unit"] for lane in ("right.0", "right.1")] == [1, 4]
    np.testing.assert_allclose(numbers["right.1.hidden"], backward[:, 4], atol=1e-5)


@pytest.mark.parametrize("text", ["", "   ", "()", "\u200b"])
def test_a_text_without_a_word_gets_a_sentence(step, client, text):
    header, _ = step(text)
    assert header["kind"] == "nothing"
    assert header["said"].endswith("Write a sentence about a film, or try an example.")
    assert client.post(f"{API}/units", json={"text": text}).status_code == 422


@pytest.mark.parametrize("text", ["good", "\U0001f600", "zyzzyva qwertz", "\U0001f600 good \u4f60\u597d"])
def test_short_and_strange_texts_can_be_stepped_through(step, text):
    header, _ = step(text)
    assert header["kind"] == "trace"
    assert "".join(header["words"]) == text.replace(" ", "")


def test_words_that_no_model_knows_are_said_to_be_unknown(step):
    header, _ = step("zyzzyva qwertz")
    assert header["unknown"] == [0, 1]
    assert "The models know none of these words" in header["notices"][-1]


def test_unknown_words_are_those_of_the_two_models_on_screen(step):
    header, _ = step("a dull film")
    assert (header["unknown"], header["partly"]) == ([], {"1": "unknown to the RNN"})
    assert header["note"] == "3 words · unknown to the RNN: dull"
    header, _ = step("a dull film", left="gru", right="lstm")
    assert (header["unknown"], header["partly"], header["note"]) == ([], {}, "3 words")
    header, _ = step("a dull film", left="rnn", right="rnn")
    assert (header["unknown"], header["partly"], header["note"]) == ([1], {}, "3 words · unknown: dull")


def test_of_a_text_of_50_000_characters_head_and_tail_are_read(ask):
    text = "good film " * 5_100
    message = ask("steps", {"text": text[:50_000], "length": len(text)})
    header, _ = unpacked(message)
    assert len(header["words"]) == MAX_TOKENS
    assert header["gap"] == 128
    assert "first 50,000 of 51,000 characters" in header["notices"][0]
    assert "first 128 and the last 272 of 10,000" in header["notices"][1]
    assert len(message) < 3_000_000


def test_a_model_that_cannot_be_loaded_keeps_its_column_and_says_why(step, without):
    without("rnn", "vocab.txt")
    header, _ = step()
    left, right = header["columns"]
    assert "vocab.txt" in left["problem"]
    assert right["problem"] == ""
    assert right["lanes"]


def test_while_the_models_load_the_answer_says_so(step, service):
    service.store = ModelStore()  # not begun
    header, _ = step()
    assert (header["kind"], header["said"]) == ("nothing", "Loading the models")
    assert header["loading"] == list(service.store._status)


def test_an_own_model_is_stepped_through_under_its_own_name(ask, own_model):
    header, _ = unpacked(ask("steps", {"text": "good film", "models": {"lstm": own_model("lstm")}}))
    assert [column["label"] for column in header["columns"]] == ["RNN", "First try (LSTM)"]
    assert header["partly"] == {"0": "unknown to First try (LSTM)"}


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ({"left": {"model": "transformer"}}, "The models to step through are rnn, gru, lstm, bilstm"),
        ({"right": {"model": 3}}, "The models to step through are"),
        ({"left": "rnn"}, "JSON object"),
        ({"left": {"model": "rnn", "units": ["1"]}}, "array of whole numbers"),
        ({"left": {"model": "rnn", "units": 1}}, "array of whole numbers"),
    ],
)
@pytest.mark.parametrize("kind", ["steps", "units"])
def test_a_choice_that_there_is_not_is_refused_with_a_sentence(client, kind, choice, said):
    answer = client.post(f"{API}/{kind}", json={"text": "good", **choice})
    assert answer.status_code == 422
    assert said in answer.json()["detail"]


def test_two_models_that_cut_a_text_differently_stand_on_one_strip(step, units, service, build_small, vocabulary, use):
    text = "This film is 2 out of 10 . It was dull ."
    words = Vocabulary.build([vocabulary.words[2:]] * 5, version=NEWEST_TOKENS)
    use("lstm", build_small("lstm", vocab_size=len(words)), words)
    n_own = len(words.read(text).tokens)
    header, arrays = step(text)
    n = len(header["words"])
    assert n > n_own, "otherwise this shows nothing"
    assert len(arrays["left.curve"]) == len(arrays["right.curve"]) == n
    assert len(arrays["right.0.hidden"]) == n * header["columns"][1]["lanes"][0]["n_units"]
    _, numbers = units(text, left=("rnn", [0]), right=("lstm", [0]))
    assert len(numbers["left.0.hidden"]) == len(numbers["right.0.hidden"]) == n
    traced = service.store.get("lstm").trace(text)
    assert numbers["right.0.hidden"][-1] == pytest.approx(traced.signals["hidden"][0, -1, 0], abs=1e-5)


def test_the_finding_names_the_model_that_lost_the_first_sentence(vocabulary):
    reading = vocabulary.read("great . a film and a film")
    curves = {
        "left": ("rnn", every_word(0.9, 0.9, 0.9, 0.5, 0.7, 0.3, 0.5)),
        "right": ("lstm", every_word(0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9)),
    }
    assert stepper.finding(reading, curves) == (
        "The RNN has lost the first sentence by word 6; the LSTM holds it to the end",
        5,
    )
    curves["right"] = ("lstm", every_word(0.9, 0.9, 0.9, 0.1, 0.9, 0.9, 0.9))
    assert stepper.finding(reading, curves)[0].endswith("by word 6; the LSTM wavers and comes back to it")
    curves["right"] = ("lstm", every_word(0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.2))
    assert stepper.finding(reading, curves)[0] == "The RNN has lost the first sentence by word 6, the LSTM by word 7"
    curves["left"] = ("rnn", every_word(0.9, 0.9, 0.1, 0.9, 0.1, 0.9, 0.9))
    curves["right"] = ("gru", curves["left"][1])
    assert stepper.finding(reading, curves) == (
        "Both models still give the verdict of the first sentence at the end",
        6,
    )


def test_without_a_sure_first_sentence_the_finding_is_how_it_ends(vocabulary):
    ends = ("Positive at the end: 30\u00a0% by the RNN, 80\u00a0% by the LSTM", 2)
    curves = {"left": ("rnn", every_word(0.5, 0.5, 0.3)), "right": ("lstm", every_word(0.5, 0.5, 0.8))}
    assert stepper.finding(vocabulary.read("a . film"), curves) == ends
    assert stepper.finding(vocabulary.read("a good film"), curves) == ends  # one sentence only


def test_a_sampled_curve_is_asked_at_the_first_point_behind_the_first_sentence():
    curve = (np.array([0, 3, 7]), np.array([0.1, 0.9, 0.5], dtype=np.float32))
    assert stepper.lost_after(curve, end=1) == 7
    assert stepper.lost_after(curve, end=0) == 3


def test_a_language_model_is_stepped_through_as_a_classifier_is(shipped, step, units):
    text = "The string quartet was not zyxq."
    header, arrays = step(text, left="lm-lstm", right="lm-rnn")
    assert [(column["label"], column["called"], column["writes"]) for column in header["columns"]] == [
        ("LSTM, next word", "LSTM", True),
        ("RNN, next word", "RNN", True),
    ]
    assert header["words"] == ["The", "string", "quartet", "was", "not", "zyxq", "."]
    model = seqdemo.load_language_model("lstm")
    traced = model.trace(text)
    np.testing.assert_allclose(arrays["left.curve"], traced.signals["word_probability"], rtol=1e-4)
    n_units = header["columns"][0]["lanes"][0]["n_units"]
    levels = arrays["left.0.hidden"].reshape(-1, n_units)
    np.testing.assert_allclose((levels.astype(float) - 128) / 127, traced.signals["hidden"][0], atol=0.5 / 127 + 1e-5)
    bits = {name: [word.bits for word in seqdemo.load_language_model(name).surprise(text)] for name in ("lstm", "rnn")}
    most = max(bits, key=lambda name: bits[name][1])
    said = f"The {MODELS[most].label} that foretells words is most surprised by “string”, {bits[most][1]:.0f} bits"
    assert (header["title"], header["start"]) == (said, 1)

    picked, numbers = units(text, left=("lm-lstm", [5]), right=("lm-rnn", []))
    lane = picked["lanes"]["left.0"]
    assert picked["id"] == header["id"]
    cell, w = model.one_way, weights_of(model.one_way.left_to_right[0])
    whole = cell.record(torch.tensor([PAD_ID, *model.read(text).ids]))
    assert lane["before"] == pytest.approx({name: whole[name][0, 0, 5].item() for name in ("hidden", "cell")}, abs=1e-5)
    np.testing.assert_allclose(numbers["left.0.cell"], whole["cell"][0, 1:, 5].numpy(), atol=1e-5)
    rows = torch.arange(4) * n_units + 5
    from_state = (w.W_hh[rows] @ whole["hidden"][0, 0]).tolist()  # of the first word: what the end of a text left
    found = [numbers[f"left.0.{name}.h"][0] for name in ("input_gate", "forget_gate", "candidate", "output_gate")]
    assert found == pytest.approx(from_state, abs=1e-4)


def test_beside_a_classifier_a_language_model_leaves_it_the_title(shipped, step):
    header, arrays = step(left="lm-gru", right="lstm")
    assert "foretells" not in header["title"]
    assert len(arrays["left.curve"]) == len(arrays["right.curve"]) == len(header["words"])
    assert [column["problem"] for column in header["columns"]] == ["", ""]


def test_a_language_model_that_is_not_there_is_refused_and_one_that_is_damaged_says_why(writers, step, client):
    answer = client.post(f"{API}/steps", json={"text": TEXT, "left": {"model": "lm-bilstm"}})
    assert answer.status_code == 422
    assert "lm-rnn, lm-gru, lm-lstm; not 'lm-bilstm'" in answer.json()["detail"]
    (writers / "lm-gru" / "vocab.txt").unlink()
    left, right = step(left="lm-gru", right="lm-rnn")[0]["columns"]
    assert "vocab.txt" in left["problem"]
    assert str(writers) not in left["problem"]
    assert right["problem"] == ""


def test_while_models_load_a_language_model_is_waited_for(writers, service, step):
    service.store = ModelStore()  # nothing began to load
    header, _ = step(left="lm-gru", right="lm-rnn")
    assert header["loading"]
