"""The overview: figures before the models are there, all of them after, and honest gaps."""

import json
import re

import pytest

from seqdemo.checkpoints import folder
from seqdemo.models.registry import MODELS
from seqdemo.ui import resources
from seqdemo.ui.pages import PAGES


@pytest.fixture
def figures(pretrained):
    """Accuracies and curves beside the small checkpoints, and the baseline."""
    for rank, name in enumerate(MODELS):
        accuracy = 0.80 + 0.01 * rank
        metrics = {
            "test_accuracy": accuracy,
            "test_interval": [accuracy - 0.005, accuracy + 0.005],
            "test_n": 25000,
            "parameters": folder.load(pretrained / name).n_parameters,
        }
        (pretrained / name / "metrics.json").write_text(json.dumps(metrics))
        history = [{"epoch": epoch, "validation_accuracy": 0.6 + 0.01 * epoch} for epoch in range(1, 4 + rank)]
        (pretrained / name / "history.json").write_text(json.dumps(history))
    (pretrained / "studies").mkdir()
    baseline = {"test_accuracy": 0.905, "test_interval": [0.901, 0.909], "test_n": 25000, "parameters": 265909}
    (pretrained / "studies/bag_of_words.json").write_text(json.dumps(baseline))


def rows(app):
    """The table as a reader sees it: one list of cells a row, the heading first."""
    (table,) = [element.value for element in app.get("html") if "models-table" in element.value]
    found = []
    for row in re.findall(r"<tr>(.*?)</tr>", table):
        cells = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)
        found.append([re.sub(r"<[^>]+>", " ", cell).replace("\u00a0", " ").split() for cell in cells])
    return [[" ".join(cell) for cell in row] for row in found]


def test_figures_stand_there_while_the_models_load(app, figures, gate):
    app.run()
    assert not app.exception
    assert app.title[0].value.startswith("The best of five models, the Transformer, gets 84.0")
    _, *table = rows(app)
    assert [row[1] for row in table] == [
        "80.0 % 79.5 to 80.5",
        "81.0 % 80.5 to 81.5",
        "82.0 % 81.5 to 82.5",
        "83.0 % 82.5 to 83.5",
        "84.0 % 83.5 to 84.5",
        "90.5 % 90.1 to 90.9",
    ]
    assert [row[2] for row in table] == [*["measuring"] * 5, "not measured"]
    assert [row[4] for row in table] == [*["Loading"] * 5, "Measured beforehand"]
    assert len(app.get("vega_lite_chart")) == 2


def test_the_table_is_complete_once_models_are_loaded(app, figures, loaded):
    app.run()
    loaded()
    app.run()
    assert not app.exception
    heading, *table = rows(app)
    assert heading == ["Model", "Test accuracy (95 % interval)", "One review here", "Parameters", "Source"]
    assert [row[0].split(" ")[0] for row in table] == ["RNN", "GRU", "LSTM", "BiLSTM", "Transformer", "Bag"]
    assert all(re.fullmatch(r"\d+(\.\d)? ms", row[2]) for row in table[:5])
    counts = [model.n_parameters for model in resources.models().values()]
    assert [row[3] for row in table] == [*(f"{count:,}" for count in counts), "265,909"]
    assert [row[4] for row in table[:5]] == ["Embedded copy"] * 5


def test_no_model_without_states_is_said_to_read_word_by_word(app):
    app.run()
    one_by_one = [spec for spec in MODELS.values() if spec.has_states]
    together = [spec.label for spec in MODELS.values() if not spec.has_states]
    words = " ".join(element.value for element in app.markdown)
    assert (len(one_by_one), together) == (4, ["Transformer"])
    assert re.findall(r"(\w+) read word by word", words) == ["four"]
    assert "the Transformer all words at once" in words


def test_charts_have_alternative_texts_and_their_data_as_tables(app, figures):
    app.run()
    charts = app.get("vega_lite_chart")
    assert [chart.proto.alt.split(":")[0] for chart in charts] == [
        "Test accuracy",
        "Validation accuracy after each epoch. Best",
    ]
    assert len(app.dataframe) == 2
    assert sum("How to read this" in caption.value for caption in app.caption) == 2


def test_a_missing_baseline_is_a_gap_in_its_row(app, figures, pretrained):
    (pretrained / "studies/bag_of_words.json").unlink()
    app.run()
    assert not app.exception
    assert rows(app)[-1][1:4] == ["not measured"] * 3


def test_a_checkpoint_that_cannot_be_read_leaves_the_others_answering(app, figures, pretrained, loaded):
    (pretrained / "gru/metrics.json").write_text("{cut")
    (pretrained / "lstm/model.safetensors").write_bytes(b"cut")
    app.run()
    loaded()
    app.run()
    assert not app.exception
    sources = {row[0].split(" ")[0]: row[4] for row in rows(app)[1:6]}
    assert [name for name, source in sources.items() if source == "Could not be loaded"] == ["GRU", "LSTM"]
    assert rows(app)[2][1] == "not measured"
    assert rows(app)[3][2] == "not measured"


def test_without_any_checkpoint_the_page_still_opens(app, pretrained, loaded):
    for name in MODELS:
        for file in (pretrained / name).iterdir():
            file.unlink()
    app.run()
    loaded()
    app.run()
    assert not app.exception
    assert app.title[0].value == "Five models read the same film review"
    assert [row[1] for row in rows(app)[1:]] == ["not measured"] * 6
    assert len(app.get("vega_lite_chart")) == 0


def test_a_way_leads_into_each_other_page(app):
    app.run()
    live, *others = [link.proto.page for link in app.get("page_link")]
    assert live == "sentiment"
    assert others == [page.path for page in PAGES[1:]]


def test_summaries_are_text_never_markup(app, figures, pretrained):
    path = pretrained / "studies/bag_of_words.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "summary": "<script>alert(1)</script>"}))
    app.run()
    (table,) = [element.value for element in app.get("html") if "models-table" in element.value]
    assert "&lt;script&gt;" in table
    assert "<script" not in table
