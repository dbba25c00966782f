"""Does it matter, as Python draws it: stored figures, choices, and places for what the browser asks for itself.

What is answered about a text is in tests/serve and tests/browser.
"""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import seqdemo
from seqdemo.models.registry import MODELS
from seqdemo.studies import attributions as study
from seqdemo.studies.study import Inputs, path_of, write
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


def sent(page, name="attributions"):
    """What each component of that name was given."""
    found = [element.proto for element in page.get("bidi_component")]
    return [json.loads(proto.json)[0] for proto in found if proto.component_name == name]


def said(page):
    parts = [*page.caption, *page.info, *page.markdown, *page.subheader, *page.header]
    return "\n".join(element.value for element in parts).replace("\\", "")


def alts(page):
    return [chart.proto.alt for chart in page.get("vega_lite_chart")]


def own_alts(page):
    return [alt for alt in alts(page) if alt.startswith(("P(verdict)", "Rank correlation", "Points of"))]


def choose(page, name):
    page.segmented_control(key="explained").set_value(name).run()
    assert not page.exception
    return page


def test_stored_figures_stand_beside_a_place_for_those_of_the_review(measured, page):
    assert not page.exception
    for name in reversed(MODELS):
        choose(page, name)
        (asked,) = sent(page)
        assert asked["model"] == name
        assert asked["token"] == page.session_state["visitor_token"]
        assert [data["what"] for data in sent(page, "attributions_part")] == ["curves", "agreement"]
        assert len(own_alts(page)) == 2 + 1
        assert "6 held-out reviews" in said(page)


def test_all_five_models_are_asked_for_by_one_method(measured, page):
    (asked,) = sent(choose(page, "all"))
    assert (asked["model"], asked["method"]) == ("all", "integrated_gradients")
    assert [data["what"] for data in sent(page, "attributions_part")] == ["agreement"]
    page.segmented_control(key="explained_by").set_value("leave_one_out").run()
    assert sent(page)[0]["method"] == "leave_one_out"
    assert "This review, by leave one word out" in said(page)
    assert not page.exception


def test_a_model_and_a_method_of_a_link_are_chosen(measured, ready):
    ready.query_params["explained"] = "All five"
    ready.query_params["explained_by"] = "Leave one word out"
    (asked,) = sent(ready.switch_page(PAGE).run())
    assert (asked["model"], asked["method"]) == ("all", "leave_one_out")


def test_attention_is_labelled_as_where_and_not_why(measured, page):
    assert "where a model looked, not why it decided" in said(page)


def test_stored_figures_stand_there_while_the_models_load(measured, app, gate):
    app.run()
    page = app.switch_page(PAGE).run()
    assert not page.exception
    assert "6 held-out reviews" in said(page)
    assert sum(alt.startswith("Points of P(verdict) below random words: RNN") for alt in alts(page)) == 1


def test_without_a_stored_result_the_page_says_how_to_measure_and_asks_for_ones_own(page):
    assert not page.exception
    assert "python -m seqdemo study attributions" in said(page)
    assert own_alts(page) == []
    assert len(sent(page)) == 1


def test_figures_of_other_weights_are_not_shown_as_these(measured, app, loaded, pretrained, build_small, vocabulary):
    from seqdemo.checkpoints import folder

    other = build_small("gru", seed=9)
    folder.save(pretrained / "gru", name="gru", model=other, vocabulary=vocabulary, metrics={}, history=[], training={})
    app.run()
    loaded()
    page = choose(app.switch_page(PAGE).run(), "gru")
    assert "not been measured on these weights of the GRU" in said(page)
    assert not any("GRU" in alt for alt in alts(page) if alt.startswith("Points of"))


def test_an_own_transformer_takes_the_place_of_the_usual_one_in_what_is_asked_and_not_in_what_is_stored(
    measured, app, loaded, own_model
):
    app.query_params["own"] = run_id = own_model("transformer")
    app.run()
    loaded()
    page = app.switch_page(PAGE).run()
    assert not page.exception
    assert sent(page)[0]["models"] == {"transformer": run_id}
    assert len(own_alts(page)) == 1, "nothing of many reviews beside it"
    assert "Measured on the models that came with the app, not on First try (Transformer)" in said(page)
    (stored,) = [alt for alt in alts(page) if alt.startswith("Points of")]
    assert "Transformer: " in stored
    assert "First try" not in stored
    assert "First try (Transformer)" in page.segmented_control(key="explained").proto.options[-2].content.replace(
        "\\", ""
    )
