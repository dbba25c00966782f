"""Settings of a run: what is allowed, what it costs, and how it travels in links and files."""

import dataclasses
import json

import pytest
import torch

from seqdemo.errors import ConfigError
from seqdemo.models.registry import MODELS
from seqdemo.training import settings as run_settings
from seqdemo.training.problem import prepare
from seqdemo.training.settings import (
    BOUNDS,
    CHOICES,
    FIELDS,
    PRESETS,
    TASK_LABELS,
    RunSettings,
    estimate_seconds,
    n_parameters,
)
from seqdemo.training.task_model import TaskModel

UNUSUAL = RunSettings(
    task="temporal_order", model="gru", length=77, dropout=0.25, readout="mean+max", clip_norm=0.0, seed=9, epochs=3
)


@pytest.mark.parametrize("name", BOUNDS)
def test_numbers_outside_their_bounds_are_refused_with_the_bounds(name):
    low, high = BOUNDS[name]
    kind = FIELDS[name]
    for value in (low - 1, high + 1):
        with pytest.raises(ConfigError, match=f"{name} is from"):
            RunSettings(**{name: kind(value)})
    for value in ("3", None, True):
        with pytest.raises(ConfigError, match=f"{name} is a"):
            RunSettings(**{name: value})


@pytest.mark.parametrize("name", CHOICES)
def test_words_that_are_not_known_are_refused_with_those_that_are(name):
    with pytest.raises(ConfigError, match=f"{name} is one of"):
        RunSettings(**{name: "perceptron"})


def test_what_a_task_or_model_cannot_do_is_refused():
    with pytest.raises(ConfigError, match="at least 10"):
        RunSettings(task="temporal_order", length=9)
    with pytest.raises(ConfigError, match="multiple of 4"):
        RunSettings(model="transformer", d_hidden=30)
    for task in ("copy", "parity"):
        with pytest.raises(ConfigError, match="its readout is last"):
            RunSettings(task=task, readout="mean+max")


def test_settings_come_back_from_a_file_whole_or_as_what_was_changed(tmp_path):
    for kept in (dataclasses.asdict(UNUSUAL), UNUSUAL.changed()):
        (tmp_path / "settings.json").write_text(json.dumps(kept))
        assert RunSettings.read(tmp_path / "settings.json") == UNUSUAL


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is not JSON"),
        (b"\xff", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b'["copy"]', "holds no object of settings"),
        (b'{"model": "gru", "speed": 3, "_x": 1}', "there is no setting speed, _x; known are task, model"),
        (b'{"task": ["copy"]}', r"task is one of .* got \['copy'\]"),
        (b'{"epochs": 2.5}', "epochs is a whole number; got 2.5"),
        (b'{"noise": "none"}', "noise is a number; got 'none'"),
        (b'{"learning_rate": NaN}', "learning_rate is from"),
    ],
)
def test_a_file_that_holds_no_settings_is_refused_in_a_sentence(tmp_path, content, said):
    (tmp_path / "mine.json").write_bytes(content)
    with pytest.raises(ConfigError, match=said):
        RunSettings.read(tmp_path / "mine.json")


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("task", ["synthetic", "adding", "copy", "temporal_order"])
def test_the_parameters_named_before_the_start_are_those_of_the_model(model, task):
    changes_tried = [{}, {"n_layers": 2}, {"d_hidden": 40, "d_embed": 24}]
    if task != "copy":
        changes_tried += [{"readout": "mean"}, {"readout": "mean+max", "n_layers": 2}]
    for changes in changes_tried:
        settings = RunSettings(model=model, task=task, samples=200, **changes)
        torch.manual_seed(0)
        assert TaskModel.of(settings, prepare(settings)).n_parameters == n_parameters(settings)


def test_the_parameters_of_an_own_file_depend_on_its_labels_and_words():
    settings = RunSettings(task="own", model="rnn", d_hidden=8, d_embed=4)
    assert n_parameters(settings, n_classes=5, n_words=100) - n_parameters(settings, n_words=100) == 4 * 9
    assert n_parameters(settings, n_words=110) - n_parameters(settings, n_words=100) == 10 * 4


def test_what_costs_more_is_estimated_to_take_longer():
    cheap = RunSettings(task="parity", model="rnn", length=20)
    for changes in (
        {"length": 200},
        {"epochs": 50},
        {"d_hidden": 256},
        {"batch_size": 256},
        {"model": "bilstm", "d_hidden": 128},
        {"n_layers": 3},
        {"task": "synthetic"},
    ):
        assert estimate_seconds(dataclasses.replace(cheap, **changes)) > estimate_seconds(cheap), changes
    assert estimate_seconds(cheap, slowness=3) == pytest.approx(3 * estimate_seconds(cheap))


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_compares_runs_and_is_estimated_to_be_over_in_a_minute(name):
    preset = PRESETS[name]
    assert 2 <= len(preset.runs) <= 4
    assert len(set(preset.runs)) == len(preset.runs)
    assert sum(estimate_seconds(run) for run in preset.runs) / 2 < 60, "two at a time"


def test_every_task_has_a_name_on_screen():
    assert set(CHOICES["task"]) == set(TASK_LABELS)
    assert all(run_settings.MADE_UP[name].label == TASK_LABELS[name] for name in run_settings.MADE_UP)
