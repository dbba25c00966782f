"""Which words matter: the route, and rows of shaded words, sentences, curves and correlations in its answer."""

import shutil

import numpy as np
import pytest

import seqdemo
from seqdemo.checkpoints import folder
from seqdemo.checkpoints.store import ModelStore
from seqdemo.explain import attributions as explain
from seqdemo.explain import deletion
from seqdemo.explain.methods import METHODS, SIGNED, rank_correlation
from seqdemo.models.registry import MODELS
from seqdemo.serve import attributions
from seqdemo.serve.routes import API
from seqdemo.text import MAX_TOKENS, NEWEST_TOKENS, Vocabulary, at_shown
from tests.conftest import PATIENCE_S

TEXT = "This film is 2 out of 10, good."


@pytest.fixture
def newer(vocabulary):
    """What newer rules for words make of the text."""
    words = Vocabulary.build([vocabulary.words[2:]] * 5, version=NEWEST_TOKENS)
    return words.read(TEXT)


def test_figures_of_other_tokens_stand_at_the_words_shown_and_none_is_lost(vocabulary, newer):
    older = vocabulary.read(TEXT)
    assert len(newer.tokens) != len(older.tokens), "otherwise this shows nothing"
    for reading, shown in ((newer, older), (older, newer)):
        values = np.arange(1.0, len(reading.tokens) + 1)
        found = at_shown(values, reading, shown)
        assert len(found) == len(shown.tokens)
        assert found.sum() == values.sum()
    values = np.arange(1.0, len(older.tokens) + 1)
    assert at_shown(values, older, older).tolist() == values.tolist()


def test_rows_are_in_the_order_of_the_methods_and_say_what_is_still_missing():
    parts = {attributions.QUICK: {"gradient_x_input": np.ones(3)}, attributions.LEFT_OUT: RuntimeError("made to fail")}
    rows = attributions.rows_of_methods("lstm", parts)
    assert [row.label for row in rows] == [METHODS[name].label for name in SIGNED]
    assert {row.name: row.problem for row in rows} == {
        "integrated_gradients": "being computed",
        "gradient_x_input": "",
        "leave_one_out": "could not be computed",
    }


def test_rows_of_models_read_by_two_versions_are_as_long_as_the_words_shown(service, newer):
    answering = service.answering({})
    readings = {**answering.read(TEXT), "gru": newer}
    found = {
        name: {attributions.QUICK: {"gradient_x_input": np.ones(len(reading.tokens))}}
        for name, reading in readings.items()
    }
    assert attributions.rows_of_models(answering, {}, "gradient_x_input", {}) == [], "while no model is there"
    rows = attributions.rows_of_models(answering, readings, "gradient_x_input", found)
    data = attributions.rows_data(answering, readings, rows)
    assert [row["label"] for row in data["rows"]] == [spec.label for spec in MODELS.values()]
    assert {len(row["values"]) for row in data["rows"]} == {len(data["words"])}
    assert sum(data["rows"][1]["values"]) == len(newer.tokens)
    assert max(index for row in data["rows"] for index in row["unknown"]) < len(data["words"])


def test_a_sum_that_is_not_close_is_said_to_be_so():
    found = explain.IntegratedGradients(values=np.array([1.0, -0.5]), logit=1.0, baseline=-1.0, n_steps=400)
    line = attributions.completeness(found)
    assert "by 1.500 logits (75.0\u00a0% of it), with 400 points" in line
    assert line.endswith("not close, so take this row with care.")


FILM = "A wonderful film, but the story is long and the end is bad."


@pytest.fixture
def explain_it(ask):
    """What is answered about a text, by default of the Transformer and with every part."""
    return lambda text=FILM, **more: ask("attributions", {"text": text, "model": "transformer", **more})


def labels(found):
    return [row["label"] for row in found["rows"]["rows"]]


def values(found):
    return [row["values"] for row in found["rows"]["rows"]]


def test_the_transformer_has_five_rows_and_every_other_model_three(explain_it):
    for name in MODELS:
        found = explain_it(model=name)
        methods = METHODS if MODELS[name].has_attention else SIGNED
        assert labels(found) == [METHODS[method].label for method in methods]
        assert all(len(row) == len(found["rows"]["words"]) for row in values(found))
        assert [line["label"] for line in found["curves"]["lines"]] == [*labels(found), "Random words"]
        assert len(found["agreement"]["pairs"]) == len(methods) * (len(methods) - 1) / 2


@pytest.mark.parametrize("name", ["lstm", "transformer"])
def test_the_rows_hold_what_the_methods_find(explain_it, service, name):
    model = service.store.get(name)
    expected = explain.attribute(model, model.vocabulary.require(FILM).ids)
    for row, found in zip(values(explain_it(model=name)), expected.values(), strict=True):
        np.testing.assert_allclose(row, found, rtol=1e-3, atol=1e-5)


def test_the_curves_are_what_is_left_of_the_verdict(explain_it, service):
    model = service.store.get("gru")
    ids = model.read(FILM).ids
    expected = deletion.delete(model, ids, explain.attribute(model, ids))
    curves = explain_it(model="gru")["curves"]
    assert curves["shares"] == list(deletion.SHARES)
    lines = {line["label"]: line for line in curves["lines"]}
    for method, curve in expected.curves.items():
        np.testing.assert_allclose(lines[METHODS[method].label]["p"], curve, atol=1e-3)
    random = lines["Random words"]
    np.testing.assert_allclose(random["p"], expected.random.mean(axis=0), atol=1e-3)
    assert all(low <= p <= high for low, p, high in zip(random["band"][0], random["p"], random["band"][1], strict=True))
    assert curves["alt"].startswith("P(verdict) is ")
    fall = round(100 * expected.fall("leave_one_out"))
    assert lines["Leave one word out"]["end"][-1].rpartition("  ")[2].replace("\u2212", "-") == str(fall)


def test_the_correlations_are_those_of_the_rows(explain_it, service):
    found = explain_it(model="gru")
    model = service.store.get("gru")
    expected = explain.attribute(model, model.read(FILM).ids)
    by_label = {METHODS[method].label: figures for method, figures in expected.items()}
    for pair in found["agreement"]["pairs"]:
        rho = rank_correlation(by_label[pair["one"]], by_label[pair["other"]])
        assert pair["rho"] == pytest.approx(rho, abs=0.02), "neighbours may change places by rounding"
    assert "agree most" in found["agreement"]["sentence"]


def test_the_parts_come_one_after_the_other_the_cheap_ones_first(explain_it):
    known = []
    for n in range(1, len(attributions.PARTS) + 1):
        found = explain_it(parts=n)
        assert (found["parts"], found["n_parts"]) == (n, len(attributions.PARTS))
        known.append([label for label, row in zip(labels(found), values(found), strict=True) if row is not None])
        problems = {row["problem"] for row in found["rows"]["rows"] if row["values"] is None}
        assert problems <= {"being computed"}
        assert (found["agreement"] is None) == (len(known[-1]) < len(METHODS))
        assert (found["curves"] is None) == (n < len(attributions.PARTS))
    assert known[0] == [METHODS[name].label for name in ("gradient_x_input", "rollout", "mean_attention")]
    assert [len(found) for found in known] == [3, 4, 5, 5]
    first = explain_it(text="another text", parts=1)
    assert first["completeness"] == "Integrated gradients are being computed."


def test_all_five_models_stand_under_each_other_by_one_method(explain_it):
    found = explain_it(model="all")
    assert labels(found) == [spec.label for spec in MODELS.values()]
    assert [row["colour"] for row in found["rows"]["rows"]] == [spec.colour for spec in MODELS.values()]
    assert None not in values(found)
    assert explain_it(model="all", method="leave_one_out")["rows"]["rows"][0]["values"] != values(found)[0]
    assert {"RNN", "Transformer"} in [{pair["one"], pair["other"]} for pair in found["agreement"]["pairs"]]
    assert found["curves"] is None
    assert found["completeness"] == ""


def test_completeness_is_a_number_and_relative_to_the_difference(explain_it):
    line = explain_it()["completeness"]
    assert line.startswith("Integrated gradients add up")
    assert "baseline" in line
    assert "\u00a0% of it" in line
    assert "50 points" in line


def test_attention_has_no_direction_and_the_page_says_so(explain_it):
    found = explain_it()
    assert [row["signed"] for row in found["rows"]["rows"]] == [True, True, True, False, False]
    assert "grey: attention, which has no direction" in found["how"]
    assert "grey" not in explain_it(model="rnn")["how"]


@pytest.mark.parametrize(
    ("text", "answer"),
    [("", "Write a sentence"), ("   ", "Write a sentence"), ("@#%", "There is no word to read yet")],
)
def test_a_text_without_a_word_gets_a_sentence(explain_it, text, answer):
    assert explain_it()["said"] == ""
    found = explain_it(text)
    assert found["said"].startswith(answer)
    assert found["loading"] == []
    assert found["curves"]["said"] == "There is no verdict to take words from."
    assert found["agreement"]["said"] == "There are no two orders of words to compare."


@pytest.mark.parametrize("text", ["good", "xyzzy plugh", "<script>alert(1)</script> $x$ **b**", "🙂 good"])
def test_short_and_strange_texts_are_attributed(explain_it, text):
    found = explain_it(text)
    assert (found["said"], found["parts"]) == ("", len(attributions.PARTS))
    assert values(found)
    assert None not in values(found)


def test_a_text_of_unknown_words_only_leaves_nothing_out(explain_it):
    found = explain_it("xyzzy plugh quux", model="rnn")
    assert dict(zip(labels(found), values(found), strict=True))["Leave one word out"] == [0, 0, 0]
    assert found["agreement"]["pairs"]
    assert {pair["rho"] for pair in found["agreement"]["pairs"]} == {None}, "there is no order to compare"


def test_each_row_marks_the_words_that_its_own_model_does_not_know(explain_it, use, build_small, vocabulary):
    words = Vocabulary.build([[word for word in vocabulary.words[2:] if word != "dull"]] * 5)
    use("rnn", build_small("rnn", vocab_size=len(words)), words)
    data = explain_it("a dull film", model="all")["rows"]
    unknown = {row["label"]: row["unknown"] for row in data["rows"]}
    assert unknown == {"RNN": [1], "GRU": [], "LSTM": [], "BiLSTM": [], "Transformer": []}
    assert (data["unknown"], data["partly"]) == ([], {"1": "unknown to the RNN"})
    data = explain_it("a dull film", model="rnn")["rows"]
    assert (data["unknown"], data["partly"]) == ([1], {})
    assert all(row["unknown"] == [1] for row in data["rows"])


def test_of_a_long_text_head_and_tail_are_attributed(explain_it):
    data = explain_it("good film " * 300, model="rnn")["rows"]
    assert len(data["words"]) == MAX_TOKENS
    assert data["skipped"] == 600 - MAX_TOKENS
    assert data["gap"] is not None


def test_a_model_that_cannot_be_loaded_leaves_the_others(explain_it, without):
    without("lstm", "model.safetensors")
    found = explain_it(model="lstm")
    assert found["said"].startswith("The LSTM could not be loaded.")
    assert found["loading"] == []
    assert labels(explain_it(model="all")) == ["RNN", "GRU", "BiLSTM", "Transformer"]


def test_while_the_models_load_the_answer_says_so(explain_it, service):
    service.store = ModelStore()  # not begun
    found = explain_it()
    assert (found["said"], found["loading"]) == ("Loading the models", ["transformer"])
    assert explain_it(model="all")["loading"] == list(MODELS)


def test_an_own_transformer_takes_the_place_of_the_usual_one(explain_it, own_model, service):
    run_id = own_model("transformer")
    text = "A good story, and a boring end."
    found = explain_it(text, models={"transformer": run_id})
    data = found["rows"]
    assert [data["words"][k] for k in data["unknown"]] == ["good"], "read with its own words"
    own = seqdemo.load(service.jobs.root / run_id / "checkpoint")
    expected = explain.gradient_x_input(own, own.read(text).ids)
    row = dict(zip(labels(found), values(found), strict=True))[METHODS["gradient_x_input"].label]
    np.testing.assert_allclose(row, expected, rtol=1e-3, atol=1e-6)
    found = explain_it(text, model="all", models={"transformer": run_id})
    assert labels(found) == ["RNN", "GRU", "LSTM", "BiLSTM", "First try (Transformer)"]
    assert "First try (Transformer)" in found["agreement"]["labels"]


def test_an_own_model_of_newer_rules_for_words_stands_among_the_others(
    explain_it, own_model, service, build_small, vocabulary
):
    words = Vocabulary.build([vocabulary.words[2:]] * 5, version=NEWEST_TOKENS)
    run_id = own_model("gru")
    root = service.jobs.root / run_id / "checkpoint"
    shutil.rmtree(root)
    newest = build_small("gru", vocab_size=len(words))
    folder.save(root, name="gru", model=newest, vocabulary=words, metrics={}, history=[], training={})
    found = explain_it(TEXT, model="all", models={"gru": run_id})
    n_shown = len(found["rows"]["words"])
    assert len(words.read(TEXT).tokens) != n_shown == len(vocabulary.read(TEXT).tokens)
    assert [len(row) for row in values(found)] == [n_shown] * len(MODELS)
    assert found["agreement"]["pairs"]
    found = explain_it(TEXT, model="gru", models={"gru": run_id})
    assert len(found["rows"]["words"]) == len(words.read(TEXT).tokens)


def test_a_part_that_fails_is_answered_with_a_sentence_and_leaves_the_others(explain_it, monkeypatch, caplog):
    def fail(*_):
        raise RuntimeError("made to fail")

    monkeypatch.setattr(explain, "leave_one_out_pieces", fail)
    found = explain_it("A great film.")
    rows = {row["label"]: row for row in found["rows"]["rows"]}
    failed = rows.pop("Leave one word out")
    assert (failed["values"], failed["problem"]) == (None, "could not be computed")
    assert all(row["values"] for row in rows.values())
    assert found["curves"]["said"] == "This could not be computed for this text."
    assert found["agreement"]["pairs"], "of those that are there"
    assert "made to fail" in caplog.text


def test_what_is_known_is_not_computed_again(explain_it, service):
    explain_it()
    before = len(service.worker._kept)
    explain_it(parts=2)
    assert len(service.worker._kept) == before == len(attributions.PARTS)


def test_another_text_gives_up_what_was_asked_for_the_one_before(service):
    model, other = service.store.get("transformer"), service.store.get("gru")
    old = [attributions.LEFT_OUT, np.resize(model.read(FILM).ids, MAX_TOKENS)]
    asked = (attributions.QUICK, other.read(FILM).ids)
    with service.worker._changed:  # nothing is begun before both were asked
        given_up = service.worker.submit(attributions.ATTRIBUTIONS, model, tuple(old), "visitor")
        new = service.worker.submit(attributions.ATTRIBUTIONS, other, asked, "visitor")
    assert new.result(PATIENCE_S)
    assert given_up.cancelled()


@pytest.mark.parametrize("question", [{"model": "elmo"}, {"model": 1}, {"method": "rollout"}, {"parts": "all"}])
def test_what_is_no_model_or_method_is_refused_with_a_sentence(client, question):
    answer = client.post(f"{API}/attributions", json={"text": FILM, **question})
    assert answer.status_code == 422
    assert "The entry" in answer.json()["detail"]
