"""Does it matter: all methods and models on the visitor's text, stored figures beside them, whatever is typed."""

import json
import shutil
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import seqdemo
from seqdemo.explain import attributions as explain
from seqdemo.explain.methods import METHODS, SIGNED
from seqdemo.models.registry import MODELS
from seqdemo.studies import attributions as study
from seqdemo.studies.study import Inputs, path_of, write
from seqdemo.text import MAX_TOKENS, NEWEST_TOKENS, Vocabulary
from seqdemo.ui import resources
from tests.conftest import WORDS

PAGE = "../../pages/attention.py"


@pytest.fixture(scope="module")
def found(checkpoint_folders, tmp_path_factory):
    """The study on the small checkpoints and six made-up reviews."""
    data = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    letters = [word for word in WORDS if word.isalpha()]
    texts = [" ".join(rng.choice(letters, 20)) for _ in range(60)]
    (data / "plain_text").mkdir()
    table = pa.table({"text": texts, "label": [0] * 30 + [1] * 30})
    pq.write_table(table, data / "plain_text/train-00000-of-00001.parquet")
    models = {name: seqdemo.load(checkpoint_folders[name]) for name in MODELS}
    return models, study.measure(Inputs(models=models, data=str(data)))


@pytest.fixture
def measured(pretrained, found):
    """Its result, stored beside the checkpoints that the app loads."""
    models, measurement = found
    write(path_of(study.STUDY.name), study.STUDY, measurement, models)


@pytest.fixture
def page(ready):
    """The page with every model loaded."""
    return ready.switch_page(PAGE).run()


def settle(page):
    """Runs the page until nothing is being computed for it."""
    deadline = time.monotonic() + 60
    while True:
        jobs = dict(page.session_state["attributions_jobs"])
        for future in jobs.values():
            future.exception(max(deadline - time.monotonic(), 0))
        page.run()
        if set(page.session_state["attributions_jobs"]) == set(jobs):
            return page


def sent(page):
    """What the component was sent."""
    found = [element.proto for element in page.get("bidi_component")]
    (proto,) = [proto for proto in found if proto.component_name == "attributions"]
    (data,) = json.loads(proto.json)
    return data


def said(page):
    return "\n".join(
        element.value for element in [*page.caption, *page.info, *page.markdown, *page.subheader, *page.header]
    )


def alts(page):
    return [chart.proto.alt for chart in page.get("vega_lite_chart")]


def own_alts(page):
    return [alt for alt in alts(page) if alt.startswith(("P(verdict)", "Rank correlation", "Points of"))]


def choose(page, name):
    page.segmented_control(key="explained").set_value(name).run()
    return settle(page)


def read(page, text):
    """The page after an edit to this text."""
    page.session_state["attention"] = {"text": text}
    page.run()
    return settle(page)


def test_the_transformer_has_five_rows_and_every_other_model_three(measured, page):
    settle(page)
    assert not page.exception
    for name in reversed(MODELS):
        data = sent(choose(page, name))
        assert not page.exception
        methods = METHODS if name == "transformer" else SIGNED
        assert [row["label"] for row in data["rows"]] == [METHODS[method].label for method in methods]
        assert all(len(row["values"]) == len(data["words"]) for row in data["rows"])
        assert len(own_alts(page)) == 2 + 2 + 1


def test_the_rows_hold_what_the_methods_find(measured, page, found):
    data = sent(choose(page, "lstm"))
    model = found[0]["lstm"]
    ids = model.vocabulary.require(attributions_text(page)).ids
    for row, values in zip(data["rows"], explain.attribute(model, ids).values(), strict=True):
        np.testing.assert_allclose(row["values"], values, rtol=1e-3, atol=1e-6)


def attributions_text(page):
    return page.session_state["attributions_text"]


def test_all_five_models_stand_under_each_other_by_one_method(measured, page):
    data = sent(choose(page, "all"))
    assert [row["label"] for row in data["rows"]] == [spec.label for spec in MODELS.values()]
    assert [row["colour"] for row in data["rows"]] == [spec.colour for spec in MODELS.values()]
    assert all(row["values"] is not None for row in data["rows"])
    integrated = data["rows"][0]["values"]
    page.segmented_control(key="explained_by").set_value("leave_one_out").run()
    assert sent(settle(page))["rows"][0]["values"] != integrated
    assert not page.exception
    (alt,) = [alt for alt in alts(page) if alt.startswith("Rank correlation")]
    assert "RNN and Transformer" in alt


def test_completeness_is_shown_as_a_number_and_relative_to_the_difference(measured, page):
    settle(page)
    (line,) = [caption.value for caption in page.caption if caption.value.startswith("Integrated gradients add up")]
    assert "baseline" in line
    assert "\u00a0% of it" in line
    assert "50 points" in line


def test_attention_is_labelled_as_where_and_not_why(measured, page):
    settle(page)
    assert "where a model looked, not why it decided" in said(page)
    assert [row["signed"] for row in sent(page)["rows"]] == [True, True, True, False, False]


def test_stored_figures_stand_there_while_the_models_load(measured, app, gate):
    app.run()
    page = app.switch_page(PAGE).run()
    assert not page.exception
    assert "6 held-out reviews" in said(page)
    assert sum(alt.startswith("Points of P(verdict) below random words: RNN") for alt in alts(page)) == 1


def test_without_a_stored_result_the_page_says_how_to_measure_and_shows_ones_own(page):
    settle(page)
    assert not page.exception
    assert "python -m seqdemo study attributions" in said(page)
    assert len(own_alts(page)) == 2


def test_figures_of_other_weights_are_not_shown_as_these(measured, app, loaded, pretrained, build_small, vocabulary):
    from seqdemo.checkpoints import folder

    other = build_small("gru", seed=9)
    folder.save(pretrained / "gru", name="gru", model=other, vocabulary=vocabulary, metrics={}, history=[], training={})
    app.run()
    loaded()
    page = choose(app.switch_page(PAGE).run(), "gru")
    assert not page.exception
    assert "not been measured on these weights of the GRU" in said(page)
    assert not any("GRU" in alt for alt in alts(page) if alt.startswith("Points of"))


def test_a_text_without_a_word_gets_a_sentence(measured, page):
    settle(page)
    assert not page.info
    for text, answer in (
        ("", "Write a sentence"),
        ("   ", "Write a sentence"),
        ("@#%", "There is no word to read yet"),
    ):
        read(page, text)
        assert not page.exception, text
        assert page.info[0].value.startswith(answer), text


def test_short_and_strange_texts_are_attributed(measured, page):
    for text in ("good", "xyzzy plugh", "<script>alert(1)</script> $x$ **b**", "🙂 good"):
        read(page, text)
        assert not page.exception, text
        assert attributions_text(page) == text
        values = [row["values"] for row in sent(page)["rows"]]
        assert values
        assert None not in values, text


def test_a_text_of_unknown_words_only_leaves_nothing_out(measured, page):
    data = sent(choose(read(page, "xyzzy plugh quux"), "rnn"))
    assert [row["values"] for row in data["rows"] if row["label"] == "Leave one word out"] == [[0, 0, 0]]
    assert "Rank correlation" in "".join(alts(page))


def test_each_row_marks_the_words_that_its_own_model_does_not_know(measured, page):
    data = sent(choose(read(page, "a dull film"), "all"))
    assert {row["label"]: row["unknown"] for row in data["rows"]} == {
        "RNN": [1],
        "GRU": [],
        "LSTM": [],
        "BiLSTM": [],
        "Transformer": [],
    }
    assert (data["unknown"], data["partly"]) == ([], {"1": "unknown to the RNN"})
    data = sent(choose(page, "rnn"))
    assert (data["unknown"], data["partly"]) == ([1], {})
    assert all(row["unknown"] == [1] for row in data["rows"])


def test_of_a_long_text_head_and_tail_are_attributed(measured, page):
    data = sent(read(page, "good film " * 300))
    assert len(data["words"]) == MAX_TOKENS
    assert data["skipped"] == 600 - MAX_TOKENS
    assert data["gap"] is not None


def test_another_text_gives_up_what_was_asked_for_the_one_before(measured, page):
    before = set(page.session_state["attributions_jobs"])
    read(page, "A dull story, and a poor plot.")
    after = page.session_state["attributions_jobs"]
    assert not before & set(after)
    assert all(future.done() and not future.cancelled() for future in after.values())


def test_a_model_that_cannot_be_loaded_leaves_the_others(measured, pretrained, app, loaded):
    (pretrained / "lstm/model.safetensors").write_bytes(b"cut")
    app.run()
    loaded()
    page = choose(app.switch_page(PAGE).run(), "lstm")
    assert not page.exception
    assert "LSTM could not be loaded" in said(page).replace("\\", "")
    assert [row["label"] for row in sent(choose(page, "all"))["rows"]] == ["RNN", "GRU", "BiLSTM", "Transformer"]


def test_an_own_transformer_takes_the_place_of_the_usual_one_in_what_is_computed_and_not_in_what_is_stored(
    measured, app, loaded, own_model, pretrained
):
    resources.background.clear()
    app.query_params["own"] = own_model("transformer")
    app.run()
    loaded()
    page = app.switch_page(PAGE).run()
    read(page, "A good story, and a boring end.")
    assert not page.exception
    data = sent(page)
    unknown = [data["words"][k] for k in data["unknown"]]
    assert unknown == ["good"], "read with its own words"
    own = seqdemo.load(pretrained.parent / "runs" / f"{'transformer':_<16}" / "checkpoint")
    ids = own.read("A good story, and a boring end.").ids
    expected = explain.gradient_x_input(own, ids)
    (row,) = [row for row in data["rows"] if row["label"] == METHODS["gradient_x_input"].label]
    np.testing.assert_allclose(row["values"], expected, rtol=1e-3, atol=1e-6)
    assert len(own_alts(page)) == 3, "nothing of many reviews beside it"
    assert "Measured on the models that came with the app, not on First try (Transformer)" in said(page).replace(
        "\\", ""
    )
    (stored,) = [alt for alt in alts(page) if alt.startswith("Points of")]
    assert "Transformer: " in stored
    assert "First try" not in stored
    labels = [row["label"] for row in sent(choose(page, "all"))["rows"]]
    assert labels == ["RNN", "GRU", "LSTM", "BiLSTM", "First try (Transformer)"]
    assert "First try" in "".join(alt for alt in alts(page) if alt.startswith("Rank correlation"))


def test_an_own_model_of_newer_rules_for_words_stands_among_the_others(
    measured, app, loaded, own_model, pretrained, build_small, vocabulary
):
    from seqdemo.checkpoints import folder

    text = "This film is 2 out of 10, good."
    words = Vocabulary.build([vocabulary.words[2:]] * 5, version=NEWEST_TOKENS)
    app.query_params["own"] = run_id = own_model("gru")
    newer = build_small("gru", vocab_size=len(words))
    root = pretrained.parent / "runs" / run_id / "checkpoint"
    shutil.rmtree(root)
    folder.save(root, name="gru", model=newer, vocabulary=words, metrics={}, history=[], training={})
    app.run()
    loaded()
    page = choose(read(app.switch_page(PAGE).run(), text), "all")
    assert not page.exception
    data = sent(page)
    assert len(words.read(text).tokens) != len(data["words"]) == len(vocabulary.read(text).tokens)
    assert [len(row["values"]) for row in data["rows"]] == [len(data["words"])] * len(MODELS)
    assert "Rank correlation" in "".join(alts(page))
    page = choose(page, "gru")
    assert not page.exception
    assert len(sent(page)["words"]) == len(words.read(text).tokens)


def test_a_computation_that_fails_is_answered_with_a_sentence(measured, page, monkeypatch, caplog):
    def fail(*_):
        raise RuntimeError("made to fail")

    monkeypatch.setattr(explain, "leave_one_out", fail)
    read(page, "A great film.")
    assert not page.exception
    (row,) = [row for row in sent(page)["rows"] if row["label"] == "Leave one word out"]
    assert row["values"] is None
    assert row["problem"] == "could not be computed"
    assert "made to fail" in caplog.text
