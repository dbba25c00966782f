"""Accuracy by distance on its page: a choice of tasks, each with its finding; nothing stored, nothing broken."""

import json
import shutil

import pytest
from streamlit.testing.v1 import AppTest

import seqdemo
from seqdemo import paths
from seqdemo.data.tasks import TASKS
from seqdemo.studies import accuracy_by_distance, study
from tests.conftest import PATIENCE_S

SHIPPED = seqdemo.PRETRAINED


def section():
    from seqdemo.ui.memory import distance

    distance.render()


@pytest.fixture
def page():
    app = AppTest.from_function(section, default_timeout=PATIENCE_S).run()
    assert not app.exception
    return app


def finding(task):
    return accuracy_by_distance.finding(measured(task), task)


def measured(task):
    return accuracy_by_distance.frame(study.read("accuracy_by_distance"), task)


def test_the_first_task_is_worked_out_before_any_click(page):
    assert [element.value for element in page.subheader] == [finding("first_token")]
    assert len(page.get("vega_lite_chart")) == 1
    assert len(page.dataframe) == 1


@pytest.mark.parametrize("task", [task for task in TASKS if len(measured(task))])
def test_each_task_has_its_finding_its_chart_in_words_and_its_settings(page, task):
    page.segmented_control(key="reach").set_value(task).run()
    assert not page.exception
    assert not page.info
    assert [element.value for element in page.subheader] == [finding(task)]
    (chart,) = page.get("vega_lite_chart")
    assert chart.proto.alt.startswith("Accuracy by length, median of 3 seeds: ")
    captions = " ".join(element.value for element in page.caption)
    assert "How to read this" in captions
    assert "at most 1,000 updates" in captions
    assert ("Always answering 1 has 0.1667" in captions) == (task == "adding")


def test_the_table_has_every_seed(page):
    (table,) = page.dataframe
    assert len(table.value) == len(measured("first_token"))
    assert table.value.groupby(["model", "length"])["seed"].nunique().eq(3).all()
    assert list(table.value.columns) == ["model", "length", "seed", "accuracy", "updates", "parameters"]


def test_without_a_stored_result_the_command_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "PRETRAINED", tmp_path)
    app = AppTest.from_function(section, default_timeout=PATIENCE_S).run()
    assert not app.exception
    (info,) = app.info
    assert "python -m seqdemo study accuracy_by_distance" in info.value


def test_the_section_stands_on_the_memory_page(app, loaded, pretrained):
    shutil.copytree(SHIPPED / "studies", pretrained / "studies")
    app.run()
    loaded()
    app.switch_page("../../pages/memory.py").run()
    assert not app.exception
    assert finding("first_token") in [element.value for element in app.subheader]


def test_a_task_that_was_not_measured_says_so_and_leaves_the_others(tmp_path, monkeypatch):
    (tmp_path / "studies").mkdir()
    found = json.loads((SHIPPED / "studies/accuracy_by_distance.json").read_text(encoding="utf-8"))
    found["results"]["runs"] = [run for run in found["results"]["runs"] if run["task"] == "first_token"]
    (tmp_path / "studies/accuracy_by_distance.json").write_text(json.dumps(found), encoding="utf-8")
    monkeypatch.setattr(paths, "PRETRAINED", tmp_path)
    app = AppTest.from_function(section, default_timeout=PATIENCE_S).run()
    assert not app.info
    app.segmented_control(key="reach").set_value("parity").run()
    assert not app.exception
    (info,) = app.info
    assert "python -m seqdemo study accuracy_by_distance" in info.value
