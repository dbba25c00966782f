"""The memory page: stored figures before the models are there, the visitor's own text, and whatever is typed."""

import time

import pytest

import seqdemo
from seqdemo.models.registry import MODELS
from seqdemo.studies import fillers, gradient_by_distance
from seqdemo.studies.study import Inputs, Measurement, path_of, write
from seqdemo.ui import resources
from seqdemo.ui.memory import words
from tests.conftest import PATIENCE_S

PAGE = "../../pages/memory.py"
DISTANCES = [1, 5, 10, 100, 200]


@pytest.fixture(scope="module")
def found(checkpoint_folders):
    """Both studies on the small checkpoints: the real one of neutral words, and made-up gradients."""
    models = {name: seqdemo.load(checkpoint_folders[name]) for name in MODELS}
    falling = {
        name: {key: [10 ** (-0.01 * rank * d) for d in DISTANCES] for key in ("low", "median", "high")}
        for rank, name in enumerate(reversed(MODELS))
    }
    made = Measurement(n=240, seed=1, settings={"distances": DISTANCES}, results=falling)
    return models, {gradient_by_distance.STUDY: made, fillers.STUDY: fillers.measure(Inputs(models=models))}


@pytest.fixture
def measured(pretrained, found):
    """Their results, stored beside the checkpoints that the app loads."""
    models, measurements = found
    for study, measurement in measurements.items():
        write(path_of(study.name), study, measurement, models)


@pytest.fixture
def page(ready):
    """The page with every model loaded."""
    return ready.switch_page(PAGE).run()


def settle(page):
    """Runs the page until nothing is being computed for it."""

    def jobs():
        return dict(page.session_state["memory_jobs"]) if "memory_jobs" in page.session_state else {}

    assert resources.store().wait(PATIENCE_S)
    deadline, waited_for = time.monotonic() + PATIENCE_S, None
    while waited_for is None or any(waited_for.get(slot) is not job for slot, job in jobs().items()):
        waited_for = jobs()
        for job in waited_for.values():
            for future in job.futures.values():
                future.exception(max(deadline - time.monotonic(), 0))
        page.run()
    return page


def said(page):
    return "\n".join(element.value for element in [*page.caption, *page.warning, *page.info, *page.markdown])


def alts(page):
    return [chart.proto.alt for chart in page.get("vega_lite_chart")]


def test_stored_figures_stand_there_while_the_models_load(measured, app, gate):
    app.run()
    page = app.switch_page(PAGE).run()
    assert not page.exception
    assert page.title[0].value == (
        "200 words back, a word moves the RNN 63 million times less than one at the end, the Transformer as much"
    )
    assert alts(page)[0].startswith("Scaled gradient by distance from the end: RNN")
    assert len(alts(page)) == 3
    assert "240 held-out reviews" in said(page)


def test_the_visitors_own_text_is_added_once_the_models_are_there(measured, page):
    settle(page)
    assert not page.exception
    assert len(alts(page)) == 1 + 2 + 2 + 2
    assert all(alts(page))
    assert sum("How to read this" in caption.value for caption in page.caption) == 4
    own = page.get("vega_lite_chart")[0].proto
    assert len(own.datasets) > 4


def test_without_stored_results_the_page_says_how_to_measure_and_shows_ones_own(page):
    settle(page)
    assert not page.exception
    assert "python -m seqdemo study gradient_by_distance" in said(page)
    assert "python -m seqdemo study fillers" in said(page)
    assert alts(page)[0].startswith("Scaled gradient")


def test_figures_of_other_weights_are_not_shown_as_these(measured, app, pretrained, build_small, vocabulary):
    from seqdemo.checkpoints import folder

    other = build_small("gru", seed=9)
    folder.save(pretrained / "gru", name="gru", model=other, vocabulary=vocabulary, metrics={}, history=[], training={})
    app.run()
    page = app.switch_page(PAGE).run()
    settle(page)
    assert not page.exception
    assert "GRU: measured on other weights" in said(page)
    assert alts(page)[0].count("GRU") == alts(page)[0].count("GRU in the one review") == 1


def test_each_sentence_has_its_chart_and_the_fillers_alone_beside_it(measured, page):
    settle(page)
    page.segmented_control(key="opinion").set_value("negative").run()
    assert not page.exception
    assert sum("P(positive), " in alt for alt in alts(page)) == 3
    assert "300 words of each filler alone" in said(page)
    assert "RNN" in fillers.alone_words({"rnn": [[0.5]] * 7})


def test_the_visitors_own_sentence_is_measured_on_a_click(measured, page):
    settle(page)
    page.segmented_control(key="opinion").set_value("own").run()
    assert "Write a sentence" in said(page)
    page.text_input(key="sentence").set_value("I liked the plot very much")
    (button,) = [button for button in page.button if button.label == "Measure it"]
    button.click().run()
    settle(page)
    assert not page.exception
    assert sum("P(positive), " in alt for alt in alts(page)) == 3


def test_what_is_waited_for_is_as_many_texts_as_are_read(found):
    swept = fillers.sweep({"rnn": found[0]["rnn"]}, "I liked it.")["rnn"]
    alone = fillers.sweep_alone({"rnn": found[0]["rnn"]})["rnn"]
    n_swept, n_alone = sum(len(values) for place in swept.values() for values in place), sum(map(len, alone))
    assert words.being_measured([]).startswith(f"Being measured: {n_swept} texts by each model. ")
    assert f", and {n_alone} without your sentence by First try (RNN). " in words.being_measured(["First try (RNN)"])


def test_a_sentence_that_cannot_be_measured_is_answered_with_one(measured, page):
    settle(page)
    page.segmented_control(key="opinion").set_value("own").run()
    for sentence, answer in (("", "no word"), ("a " * 120, "It may have"), ("🙂 !", "no word")):
        page.text_input(key="sentence").set_value(sentence)
        next(button for button in page.button if button.label == "Measure it").click().run()
        assert not page.exception
        assert answer in said(page), sentence


STRANGE = {
    "": "Write a sentence about",
    "@#%": "no word to read",
    "good": "",
    "   ": "Write a sentence about",
    "xyzzy plugh": "know none of these words",
    "<script>alert(1)</script> $x$ **b**": "",
    "good 🙂 " * 7_000: "The models read the first",
    "🙂": "",
}


def test_whatever_is_typed_the_page_stays_alive(measured, page):
    settle(page)
    for text, answer in STRANGE.items():
        page.session_state["memory_edit"] = {"text": text}  # as the box says once a text rests
        settle(page)
        assert not page.exception, text[:40]
        assert alts(page)[0].startswith("Scaled gradient"), text[:40]
        assert answer in said(page), text[:40]


def test_each_recurrent_model_has_its_spectrum(measured, page):
    settle(page)
    for name in ("gru", "lstm"):
        page.segmented_control(key="matrix").set_value(name).run()
        settle(page)
        assert not page.exception
        assert f"longest eigenvalue of the {MODELS[name].label}" in said(page)
        assert "start of this training is not on record" in said(page)


def test_an_own_model_goes_by_its_own_name_and_stored_figures_by_the_name_of_those_they_are_of(
    measured, app, own_model
):
    app.query_params["own"] = own_model("lstm")
    app.run()
    page = settle(app.switch_page(PAGE).run())
    assert not page.exception
    many, one = alts(page)[0].split("; First try (LSTM) in the one review")
    assert " LSTM " in many
    assert "LSTM" not in one
    assert "not on First try (LSTM)" in said(page).replace("\\", "")
    first, last, *_ = alts(page)[1:]
    assert "LSTM" in first
    assert "First try" not in first + last
    kept = alts(page)[-1]
    assert "First try (LSTM) keeps" in kept
    assert "GRU keeps" in kept
    page.segmented_control(key="matrix").set_value("lstm").run()
    settle(page)
    assert "longest eigenvalue of First try (LSTM) has" in said(page).replace("\\", "")


def test_an_own_model_reads_an_own_sentence_beside_the_others(measured, app, own_model):
    app.query_params["own"] = own_model("rnn")
    app.run()
    page = settle(app.switch_page(PAGE).run())
    page.segmented_control(key="opinion").set_value("own").run()
    page.text_input(key="sentence").set_value("I liked the plot very much")
    next(button for button in page.button if button.label == "Measure it").click().run()
    settle(page)
    assert not page.exception
    shown = [alt for alt in alts(page) if "P(positive), " in alt]
    assert len(shown) == 3
    assert all("First try (RNN)" in alt and "GRU" in alt for alt in shown)


def test_a_model_that_cannot_be_loaded_leaves_the_others(measured, pretrained, app):
    (pretrained / "lstm/model.safetensors").write_bytes(b"cut")
    app.run()
    page = settle(app.switch_page(PAGE).run())
    assert not page.exception
    own = next(table.value for table in page.dataframe if "gradient" in table.value)
    assert list(own["model"].unique()) == ["RNN", "GRU", "BiLSTM", "Transformer"]


def test_without_any_model_the_stored_figures_stay(measured, pretrained, app):
    for name in MODELS:
        (pretrained / name / "model.safetensors").write_bytes(b"cut")
    app.run()
    page = app.switch_page(PAGE).run()
    assert resources.store().wait(PATIENCE_S)
    page.run()
    assert not page.exception
    assert len(alts(page)) == 3
