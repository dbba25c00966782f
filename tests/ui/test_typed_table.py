"""The table of typed reviews on the overview: its cells, and what stands there where figures do not fit."""

import json
import re

import pytest

import seqdemo
from seqdemo.data import typed_reviews as data
from seqdemo.data.typed_reviews import KINDS
from seqdemo.models.registry import MODELS
from seqdemo.studies import typed_reviews as study
from seqdemo.studies.study import Inputs, write
from seqdemo.ui.results.typed_table import table_html


@pytest.fixture
def measured(pretrained):
    """The study's result on the small checkpoints, and counts of the baseline on the same lines."""
    models = {name: seqdemo.load(pretrained / name) for name in MODELS}
    write(pretrained / "studies/typed_reviews.json", study.STUDY, study.measure(Inputs(models=models)), models)
    lines = data.load()
    found = {"lines_sha256": data.sha256(lines), "counts": study.count(lines, [True] * len(lines))}
    (pretrained / "studies/bag_of_words.json").write_text(json.dumps({"typed_reviews": found}))
    return models


def plain(cell):
    return " ".join(re.sub(r"<[^>]+>", " ", cell).replace("\u00a0", " ").split())


def rows_of(html):
    return [
        [plain(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)]
        for row in re.findall(r"<tr[^>]*>(.*?)</tr>", html)
    ]


def tables(app):
    return [element.value for element in app.get("html") if "typed-table" in element.value]


def test_models_and_the_baseline_stand_side_by_side_for_every_kind(app, measured, loaded):
    app.run()
    loaded()
    app.run()
    assert not app.exception
    (html,) = tables(app)
    heading, *rows = rows_of(html)
    assert heading == ["Lines", *(spec.label for spec in MODELS.values()), "Bag of words"]
    assert [row[0].split(" ")[0] for row in rows] == ["All", *(label.split(" ")[0] for label in KINDS.values())]
    assert all(re.fullmatch(r"\d+ %", cell) for row in rows for cell in row[1:])
    assert [row[-1] for row in rows] == ["50 %"] * (len(KINDS) + 1)
    assert rows[0][0].endswith(f"n = {len(data.load())}")
    n_plain = sum(line.kind == "plain" for line in data.load())
    assert rows[1][0].endswith(f"n = {n_plain}")


def test_the_page_says_that_it_is_a_development_set(app, measured):
    app.run()
    assert any("development set, written for this project" in caption.value for caption in app.caption)
    assert any(header.value.startswith("On lines written for this project, the models get") for header in app.header)


def test_no_line_of_the_set_is_on_the_page(app, measured):
    app.run()
    shown = " ".join([*tables(app), *(caption.value for caption in app.caption)])
    assert not [line.text for line in data.load() if len(line.text) > 20 and line.text in shown]


def test_without_a_result_the_section_says_how_it_is_measured(app):
    app.run()
    assert not app.exception
    assert tables(app) == []
    assert "On lines written for this project" in [header.value for header in app.header]
    assert any("python -m seqdemo study typed_reviews" in info.value for info in app.info)


def test_figures_of_other_weights_are_not_shown(app, pretrained, measured, loaded):
    path = pretrained / "studies/typed_reviews.json"
    stored = json.loads(path.read_text())
    stored["checkpoints"]["gru"] = "0" * 64
    path.write_text(json.dumps(stored))
    app.run()
    loaded()
    app.run()
    (html,) = tables(app)
    assert "GRU" not in rows_of(html)[0]
    assert any("Not measured on the weights in use: GRU" in caption.value for caption in app.caption)
    stored["checkpoints"] = dict.fromkeys(MODELS, "0" * 64)
    path.write_text(json.dumps(stored))
    app.run()
    assert not app.exception
    assert tables(app) == []
    assert any("not been measured on these weights" in info.value for info in app.info)


def test_words_in_the_table_are_escaped():
    lines = data.load()
    counts = study.count(lines, [True] * len(lines))
    stored = study.Stored(
        n=len(lines),
        seed=None,
        settings={"lines_sha256": data.sha256(lines)},
        results={"gru": counts},
        study=study.STUDY.name,
        checkpoints={},
    )
    table = study.frame(stored).assign(model="<b>GRU</b>")
    assert "&lt;b&gt;GRU&lt;/b&gt;" in table_html(table)
    assert "<b>GRU</b>" not in table_html(table)
