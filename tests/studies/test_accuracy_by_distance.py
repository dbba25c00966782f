"""Small models on made-up tasks: what can be learned is learned, what cannot is not; results are kept and told."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from seqdemo.data.tasks import TASKS, Batch
from seqdemo.studies import accuracy_by_distance as distance
from seqdemo.studies import study
from seqdemo.studies.accuracy_by_distance import ON_TASK, VARIANTS, Run
from seqdemo.studies.reach import Reach, build_reader
from seqdemo.studies.registry import STUDIES
from seqdemo.training.task_run import evaluate


def entry(task, variant, length, seed, accuracy, **more):
    found = {"task": task, "variant": variant, "length": length, "seed": seed, "accuracy": accuracy}
    return {**found, "trained_length": length, "updates": 100, "parameters": 5000, **more}


def stored(entries):
    return study.Stored(
        study="accuracy_by_distance",
        checkpoints={},
        versions={"torch": "2.13"},
        n=len(entries),
        seed=0,
        settings=distance._settings(),
        results={"runs": entries},
    )


def first_token(accuracies):
    """Accuracies by variant and length, the same ones for two seeds and a worse one for a third."""
    return stored(
        [
            entry("first_token", variant, length, seed, accuracy if seed else 0.5)
            for variant, by_length in accuracies.items()
            for length, accuracy in by_length.items()
            for seed in (0, 1, 2)
        ]
    )


@pytest.mark.parametrize("task", TASKS)
def test_all_models_on_a_task_have_about_as_many_parameters(task):
    counts = [Reach(Run(task=task, variant=name, length=20, seed=0)).n_parameters for name in ON_TASK[task]]
    assert max(counts) <= 1.1 * min(counts)


@pytest.mark.parametrize("task", TASKS)
def test_what_is_counted_and_trained_is_all_that_moves_the_answer(task):
    for name in ON_TASK[task]:
        learner = Reach(Run(task=task, variant=name, length=20, seed=0))
        next(learner.losses(TASKS[task].draw(np.random.default_rng(0), 8, 20))).backward()
        reached = {id(parameter) for parameter in learner.model.parameters() if parameter.grad is not None}
        assert {id(parameter) for parameter in learner.trained} == reached


def test_the_variants_start_as_they_are_called():
    torch.manual_seed(0)
    readers = {name: build_reader(TASKS["first_token"], variant).network for name, variant in VARIANTS.items()}
    for name, orthogonal in {"rnn": True, "rnn_uniform": False}.items():
        matrix = readers[name].left_to_right[0].weight_hh_l0.detach()
        assert torch.allclose(matrix @ matrix.T, torch.eye(len(matrix)), atol=1e-4) == orthogonal
    for name, bias in {"lstm": 1, "lstm_bias_0": 0}.items():
        assert (readers[name].left_to_right[0].bias_ih_l0.chunk(4)[1] == bias).all()


def test_a_short_task_is_learned_within_300_updates(monkeypatch):
    monkeypatch.setattr(distance, "UPDATES", 300)
    (found,) = distance.train_and_test(Run(task="first_token", variant="lstm", length=10, seed=0))
    assert found["accuracy"] >= 0.99
    assert found["updates"] < 300  # it stops once it is right
    assert found["length"] == found["trained_length"] == 10


def test_a_gru_whose_update_gate_starts_open_holds_the_first_token_over_40_steps_and_another_does_not(monkeypatch):
    monkeypatch.setattr(distance, "UPDATES", 250)
    reached = {}
    for bias in (0.0, 1.0):
        variant = dataclasses.replace(VARIANTS["gru"], overrides={"update_bias": bias})
        monkeypatch.setitem(distance.VARIANTS, "gru", variant)
        (found,) = distance.train_and_test(Run(task="first_token", variant="gru", length=40, seed=0))
        reached[bias] = found["accuracy"]
    assert reached[1.0] > 0.95
    assert reached[0.0] < 0.7


def test_a_model_that_cannot_see_the_signal_stays_at_chance(monkeypatch):
    blind = TASKS["first_token"].draw

    def draw(rng, n, length):
        batch = blind(rng, n, length)
        return Batch(inputs=np.maximum(batch.inputs, 3), lengths=batch.lengths, targets=batch.targets)

    monkeypatch.setattr(distance, "UPDATES", 100)
    monkeypatch.setitem(
        distance.TASKS, "first_token", TASKS["first_token"].__class__(**{**vars(TASKS["first_token"]), "draw": draw})
    )
    (found,) = distance.train_and_test(Run(task="first_token", variant="lstm", length=10, seed=0))
    assert found["accuracy"] == pytest.approx(0.5, abs=0.06)
    assert found["updates"] == 100


def test_the_same_run_finds_the_same(monkeypatch):
    monkeypatch.setattr(distance, "UPDATES", 20)
    run = Run(task="adding", variant="rnn", length=20, seed=1)
    assert distance.train_and_test(run) == distance.train_and_test(run)


@pytest.mark.parametrize("task", ["first_token", "parity"])
def test_a_run_that_was_killed_goes_on_from_its_last_check_and_finds_the_same(task, tmp_path, monkeypatch):
    monkeypatch.setattr(distance, "UPDATES", 150)
    monkeypatch.setattr(distance, "CHECK_EVERY", 25)
    run, state = Run(task=task, variant="lstm", length=8, seed=0), tmp_path / "state.safetensors"
    whole = distance.train_and_test(run)
    losses, updates = Reach.losses, []
    killed_in = whole[0]["updates"] - 5  # after the first of the two looks at which all was right

    def killed(self, batch):
        updates.append(batch)
        if len(updates) == killed_in:
            raise KeyboardInterrupt
        return losses(self, batch)

    monkeypatch.setattr(Reach, "losses", killed)
    with pytest.raises(KeyboardInterrupt):
        distance.train_and_test(run, state)
    assert state.is_file()
    assert distance.train_and_test(run, state) == whole
    assert len(updates) == killed_in + 25, "only what came after the last check is computed again"
    assert not state.exists()


def test_an_answer_counts_as_right_within_the_tolerance():
    reader = build_reader(TASKS["adding"], VARIANTS["rnn"])
    batch = TASKS["adding"].draw(np.random.default_rng(0), 4, 10)
    with torch.inference_mode():
        said = reader(torch.from_numpy(batch.inputs), torch.from_numpy(batch.lengths)).numpy()[:, 0]
    targets = said + np.array([0.0, 0.039, -0.039, 0.2], dtype=np.float32)
    found = evaluate(reader, [Batch(inputs=batch.inputs, lengths=batch.lengths, targets=targets)])
    assert found["accuracy"] == 0.75
    assert found["loss"] == pytest.approx((2 * 0.039**2 + 0.2**2) / 4, rel=1e-3)


def test_parity_is_trained_once_and_tested_at_every_length(monkeypatch):
    monkeypatch.setattr(distance, "UPDATES", 10)
    found = distance.train_and_test(Run(task="parity", variant="transformer", length=40, seed=0))
    assert [row["length"] for row in found] == [20, 40, 80, 120, 160, 200]
    assert {row["trained_length"] for row in found} == {40}


def test_finished_runs_are_not_run_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (run, *_) = distance.runs()
    kept = [entry(run.task, run.variant, run.length, run.seed, 0.125)]
    path = tmp_path / "runs/studies/accuracy_by_distance.jsonl"
    path.parent.mkdir(parents=True)
    line = json.dumps({"settings": distance._settings(), "run": vars(run), "found": kept})
    other = json.dumps({"settings": {**distance._settings(), "batch_size": 1}, "run": vars(run), "found": []})
    path.write_text(f"{line}\n{other}\n{line[:40]}", encoding="utf-8")
    measurement = distance.measure(study.Inputs(models={}, limit=1))
    assert measurement.results == {"runs": kept}


def test_the_median_is_over_seeds():
    table = distance.frame(first_token({"rnn": {10: 1.0, 20: 0.6}}), "first_token")
    assert len(table) == 6
    assert distance.medians(table)["accuracy"].tolist() == [1.0, 0.6]
    assert table["name"].unique().tolist() == ["rnn"]


def test_variants_stand_in_one_order_whatever_the_order_of_the_file():
    found = first_token({"transformer": {20: 1.0, 10: 1.0}, "rnn_uniform": {10: 1.0}})
    table = distance.frame(found, "first_token")
    assert table["variant"].unique().tolist() == ["rnn_uniform", "transformer"]
    assert table.loc[table["variant"] == "transformer", "length"].tolist() == [10, 10, 10, 20, 20, 20]


def test_the_finding_says_where_each_model_first_fails():
    found = first_token(
        {
            "rnn_uniform": {10: 1.0, 20: 0.5, 40: 1.0},
            "gru": {10: 1.0, 20: 0.5, 40: 0.5},
            "lstm": {10: 1.0, 20: 1.0, 40: 0.89},
            "bilstm": {10: 1.0, 20: 1.0, 40: 0.9},
        }
    )
    assert distance.finding(distance.frame(found, "first_token"), "first_token") == (
        "The RNN with uniform start and the GRU first fail at 20 steps, the LSTM with forget bias 1 at 40; "
        "the BiLSTM solves it up to 40"
    )


def test_the_finding_needs_neither_a_failure_nor_a_success():
    table = distance.frame(first_token({"gru": {10: 1.0}, "bilstm": {10: 1.0}}), "first_token")
    assert distance.finding(table, "first_token") == "The GRU and the BiLSTM solve it up to 10"
    table = distance.frame(first_token({"gru": {10: 0.5}}), "first_token")
    assert distance.finding(table, "first_token") == "The GRU first fails at 10 steps"


def test_a_model_that_solves_a_longer_task_than_one_it_fails_is_named():
    found = first_token({"rnn_uniform": {10: 0.5, 20: 1.0}, "gru": {10: 1.0, 20: 0.5}})
    assert distance.luck_words(distance.frame(found, "first_token")) == (
        "The RNN with uniform start fails at 10 steps, yet solves 20: with so few seeds, luck has its part."
    )
    assert distance.luck_words(distance.frame(first_token({"gru": {10: 1.0, 20: 0.5}}), "first_token")) == ""


def test_squared_errors_stand_beside_the_baseline():
    entries = [entry("adding", "lstm", 20, seed, 0.9, mse=0.001 * seed) for seed in (0, 1, 2)]
    assert distance.mse_words(distance.frame(stored(entries), "adding")) == (
        "Mean squared error, median over seeds: LSTM bias 1 0.0010 at 20. Always answering 1 has 0.1667."
    )
    assert distance.mse_words(distance.frame(first_token({"gru": {10: 0.5}}), "first_token")) == ""


def test_the_shipped_result_has_every_variant_and_seed_of_what_it_shows():
    assert STUDIES["accuracy_by_distance"] is distance.STUDY
    shipped = study.read("accuracy_by_distance")
    assert shipped is not None
    assert shipped.checkpoints == {}
    assert shipped.settings == json.loads(json.dumps(distance._settings()))
    runs = shipped.results["runs"]
    measured = {(run["task"], run["length"]) for run in runs}
    assert {length for task, length in measured if task == "first_token"} >= {10, 20, 40, 80, 160}  # the default view
    assert measured <= {(task, length) for task, lengths in distance.LENGTHS.items() for length in lengths}
    assert sorted((run["task"], run["length"], run["variant"], run["seed"]) for run in runs) == sorted(
        (task, length, variant, seed)
        for task, length in measured
        for variant in ON_TASK[task]
        for seed in distance.SEEDS
    )
    assert all(0 <= run["accuracy"] <= 1 and run["updates"] <= 1000 for run in runs)
