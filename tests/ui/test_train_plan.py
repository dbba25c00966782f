"""What a visitor wants to train: from the form, a preset or a link, to one to four runs."""

import dataclasses

import pytest

from seqdemo.errors import ConfigError
from seqdemo.models.registry import MODELS
from seqdemo.training.settings import PRESETS, RunSettings
from seqdemo.ui.train import train_plan
from seqdemo.ui.train.train_plan import Plan


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_a_plan_of_the_same_runs(name):
    assert sorted(map(str, train_plan.of_preset(name).runs())) == sorted(map(str, PRESETS[name].runs))


@pytest.mark.parametrize("name", PRESETS)
def test_a_link_carries_a_plan_there_and_back(name):
    plan = train_plan.of_preset(name)
    found = train_plan.from_query(plan.words())
    assert found is not None
    assert found.runs() == plan.runs()


def test_every_setting_survives_a_link():
    unusual = {"length": 77, "dropout": 0.25, "clip_norm": 0.0, "seed": 9, "learning_rate": 1e-06, "forget_bias": -1.5}
    settings = RunSettings(task="temporal_order", model="gru", **unusual)
    found = train_plan.from_query(Plan(base=settings, models=("gru",)).words())
    assert found is not None
    assert found.runs() == [settings]


def test_a_link_without_settings_carries_no_plan():
    assert train_plan.from_query({"runs": "x", "review": "y"}) is None


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"models": "rnn,robot"}, "robot"),
        ({"epochs": "many"}, "Epochs: 'many' is no whole number"),
        ({"epochs": "-3"}, "Epochs is from 1 to 100; got -3"),
        ({"epochs": "1_0"}, "no whole number"),
        ({"epochs": "9" * 5_000}, "9{40}…' is no whole number"),
        ({"d_hidden": "9" * 15}, "Hidden size is from 2 to 256; got 9{15}"),
        ({"learning_rate": "nan"}, "Learning rate: 'nan' is no number"),
        ({"learning_rate": "1e400"}, "no number"),
        ({"task": "chess"}, "Task is one of .*'chess'"),
        ({"task": "x" * 5_000}, "x{40}…'"),
        ({"models": "y" * 5_000}, "y{40}…'"),
        ({"vary": "z" * 5_000}, "z{40}…'"),
        ({"vary": "seed", "values": "1,2," + "8" * 5_000}, "8{40}…' is no whole number"),
        ({"vary": "colour"}, "colour"),
        ({"vary": "clip_norm", "values": "0,wide"}, "wide"),
        ({"vary": "readout", "values": "last,middle"}, "middle"),
        ({"vary": "d_hidden", "values": "4,1e99"}, "1e99"),
    ],
)
def test_a_link_that_cannot_be_used_is_refused_with_its_word(query, said):
    with pytest.raises(ConfigError, match=said):
        train_plan.from_query(query)


@pytest.mark.parametrize(
    "word", ["9" * 5_000, "-1", "1e999", "nan", "\u0663", "\u0663\u00b2 \U0001f3ac\x00", ",", "", "x\0", "x-y, <b>"]
)
def test_every_entry_of_a_link_is_taken_or_refused_with_a_short_sentence(word):
    said = {}
    for name in train_plan.IN_ADDRESS:
        try:
            plan = train_plan.from_query({"vary": "seed", "values": "1,2", name: word})
            assert plan is None or set(plan.models) <= set(MODELS), name
        except ConfigError as refused:
            said[name] = str(refused)
    assert [name for name, sentence in said.items() if len(sentence) > 300 or not sentence.endswith(".")] == []
    assert "epochs" in said


def test_runs_are_models_times_values_up_to_four():
    base = RunSettings(model="rnn")
    plan = Plan(base=base, models=("rnn", "lstm"), vary="clip_norm", values=(0.0, 1.0))
    assert [(run.model, run.clip_norm) for run in plan.runs()] == [("rnn", 0), ("rnn", 1), ("lstm", 0), ("lstm", 1)]
    with pytest.raises(ConfigError, match="These are 6 runs"):
        dataclasses.replace(plan, models=("rnn", "gru", "lstm")).runs()
    with pytest.raises(ConfigError, match="at least one model"):
        dataclasses.replace(plan, models=()).runs()
    with pytest.raises(ConfigError, match="at least two values"):
        dataclasses.replace(plan, values=(0.0,)).runs()


def test_values_are_read_once_each_and_within_their_bounds():
    assert train_plan.parse_values("seed", " 3, 1,3 ,") == (3, 1)
    assert train_plan.parse_values("", "3") == ()
    with pytest.raises(ConfigError, match="whole number"):
        train_plan.parse_values("epochs", "2.5")


def test_labels_name_the_model_and_what_differs():
    one = RunSettings(model="rnn", clip_norm=0.0)
    runs = [one, dataclasses.replace(one, clip_norm=1.0), dataclasses.replace(one, model="lstm", clip_norm=1.0)]
    assert train_plan.run_labels(runs) == ["RNN, clipping off", "RNN, clipping at 1", "LSTM, clipping at 1"]
    assert train_plan.run_labels([one]) == ["RNN"]
    assert train_plan.run_labels([one, one, one]) == ["RNN", "RNN (2)", "RNN (3)"]
    assert train_plan.run_labels([one, one], ["Mine", ""]) == ["Mine", "RNN"]


def test_what_a_task_does_not_read_is_no_difference():
    runs = [RunSettings(task="parity", length=8, distance=3), RunSettings(task="parity", length=8, distance=9)]
    assert train_plan.run_labels(runs) == ["LSTM", "LSTM (2)"]
