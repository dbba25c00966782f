"""Settings of a run: what is allowed, what it costs, and how it travels in links and commands."""

import dataclasses

import pytest
import torch

from seqdemo.__main__ import _parser
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


def test_the_command_line_takes_the_words_that_settings_give():
    options = _parser().parse_args(["train", *UNUSUAL.arguments()])
    given = {name: getattr(options, name) for name in FIELDS if getattr(options, name, None) is not None}
    assert RunSettings(**given) == UNUSUAL


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("task", ["synthetic", "adding", "copy", "temporal_order"])
def test_the_parameters_named_before_the_start_are_those_of_the_model(model, task):
    changes_tried = [{}, {"n_layers": 2}, {"d_hidden": 40, "d_embed": 24}]
    if task != "copy":
        changes_tried += [{"readout": "mean"}, {"readout": "mean+max", "n_layers": 2}]
    for changes in changes_tried:
        settings = RunSettings(model=model, task=task, samples=200, **changes)
        torch.manual_seed(0)
        assert TaskModel(settings, prepare(settings)).n_parameters == n_parameters(settings)


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
