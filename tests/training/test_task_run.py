"""Training runs: a task is learned by who can and not by who sees too little; runs repeat, resume, stop and fail."""

import dataclasses
import json
import math

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

import seqdemo
from seqdemo.checkpoints import folder, schema
from seqdemo.errors import CheckpointCorruptError, DataError, TrainingError
from seqdemo.notation import SIGNS
from seqdemo.text import NEWEST_TOKENS
from seqdemo.training import settings as run_settings
from seqdemo.training import task_result
from seqdemo.training.control import Control
from seqdemo.training.engine import RunFailed
from seqdemo.training.problem import prepare
from seqdemo.training.settings import RunSettings, architecture
from seqdemo.training.task_model import TaskModel, tensors
from seqdemo.training.task_run import train

pytestmark = pytest.mark.usefixtures("every_state")
QUICK = {"learning_rate": 1e-2, "epochs": 6, "device": "cpu", "precision": "fp32"}
LEARNERS = {
    "first_token": RunSettings(task="first_token", model="lstm", length=10, **{**QUICK, "epochs": 2}),
    "adding": RunSettings(task="adding", model="gru", length=6, **QUICK),
    "temporal_order": RunSettings(task="temporal_order", model="lstm", length=10, **{**QUICK, "epochs": 3}),
    "parity": RunSettings(task="parity", model="rnn", length=10, **QUICK),
    "copy": RunSettings(task="copy", model="gru", length=8, **QUICK),
    "synthetic": RunSettings(task="synthetic", model="lstm", distance=5, samples=800, **{**QUICK, "epochs": 4}),
}
SHORT = RunSettings(
    task="first_token", model="gru", length=6, d_hidden=8, d_embed=4, dropout=0.2, **{**QUICK, "epochs": 4}
)


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def run(settings, tmp_path, **options):
    events = []
    listen = options.pop("on_event", events.append)
    done = train(settings, out=tmp_path / "result", on_event=lambda event: listen(event.plain()), **options)
    return done.plain(), events


def epochs(events):
    return [{k: v for k, v in event.items() if k != "seconds"} for event in events if event["event"] == "epoch"]


def last_step_reader(problem):
    """What can be answered by someone who sees only the last step (of the copy task: the step that is asked)."""
    training = [batch for epoch in range(4) for batch in problem.epoch(epoch)]

    def seen(batch):
        if problem.answer == "class at every step":
            return batch.inputs.ravel()
        if problem.answer == "number":
            return batch.inputs[:, -1]
        return batch.inputs[np.arange(len(batch.lengths)), batch.lengths - 1]

    features = np.concatenate([seen(batch) for batch in training])
    targets = np.concatenate([batch.targets.ravel() for batch in training])
    if problem.answer == "number":
        columns = np.column_stack([features, np.ones(len(features))])
        weights = np.linalg.lstsq(columns, targets, rcond=None)[0]
        errors = [np.column_stack([seen(b), np.ones(len(b.lengths))]) @ weights - b.targets for b in problem.test]
        return float(np.mean(np.concatenate(errors) ** 2))
    counts = np.zeros((problem.n_rows, len(problem.classes)))
    np.add.at(counts, (features, targets), 1)
    if problem.uncounted is not None:
        counts[:, problem.uncounted] = -1
    right = [counts[seen(batch)].argmax(1) == batch.targets.ravel() for batch in problem.test]
    asked = [
        batch.targets.ravel() != (-1 if problem.uncounted is None else problem.uncounted) for batch in problem.test
    ]
    return float(np.concatenate(right)[np.concatenate(asked)].mean())


@pytest.mark.parametrize("task", LEARNERS)
def test_the_right_model_learns_the_task_within_300_updates(task, tmp_path):
    done, events = run(LEARNERS[task], tmp_path)
    start = next(event for event in events if event["event"] == "start")
    assert start["updates"] <= 300
    if task == "adding":
        assert done["metrics"]["test_mse"] < 0.1 * start["guess_loss"]
    assert done["metrics"]["test_accuracy"] > 0.9
    assert abs(epochs(events)[0]["validation_accuracy"] - start["guess_accuracy"]) < 0.12, "untrained, it guesses"


@pytest.mark.parametrize("task", LEARNERS)
def test_who_sees_the_last_step_alone_does_not_learn_the_task(task):
    problem = prepare(LEARNERS[task])
    found = last_step_reader(problem)
    if task == "adding":
        assert found > 0.8 * problem.guess_loss
    else:
        assert found < problem.guess_accuracy + 0.08


def test_counting_words_reads_plain_opinions_and_not_negated_ones():
    plain, negated = (prepare(RunSettings(samples=2000, distance=5, negation=share)) for share in (0.0, 0.5))
    assert plain.bag_of_words == 1
    assert negated.bag_of_words < 0.6


def write_own(path, labels=("calm", "sad", "merry"), n=90):
    words = {"calm": "quiet", "sad": "tears", "merry": "laughter", "bad": "dull", "good": "fine"}
    lines = [f"there was {words[labels[k % len(labels)]]} on day {k},{labels[k % len(labels)]}" for k in range(n)]
    path.write_text("text,label\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_an_own_file_with_three_labels_is_learned_and_written_with_its_words(tmp_path):
    settings = RunSettings(task="own", model="gru", **{**QUICK, "epochs": 20})
    done, _ = run(settings, tmp_path, csv=write_own(tmp_path / "own.csv"))
    assert done["metrics"]["test_accuracy"] == 1
    assert done["metrics"]["guess_accuracy"] == pytest.approx(1 / 3)
    assert done["confusion"]["labels"] == ["calm", "merry", "sad"]
    assert np.trace(done["confusion"]["rows"]) == done["metrics"]["test_n"]
    assert not done["is_text_model"]
    config = json.loads((tmp_path / "result" / "config.json").read_text())
    assert config["labels"] == ["calm", "merry", "sad"]
    assert "laughter" in task_result.load(tmp_path / "result").vocabulary.words


def test_an_own_file_with_two_labels_becomes_a_checkpoint_that_every_page_can_use(tmp_path):
    settings = RunSettings(task="own", model="lstm", **{**QUICK, "epochs": 12})
    done, _ = run(settings, tmp_path, csv=write_own(tmp_path / "own.csv", ("bad", "good"), 400))
    assert done["is_text_model"]
    classifier = seqdemo.load(tmp_path / "result")
    good, bad = classifier.predict_proba(["there was fine on day 7", "there was dull on day 7"])
    assert good > 0.9 > 0.1 > bad
    assert classifier.config["training"]["classes"] == ["bad", "good"]
    assert classifier.trace("there was fine on day 7").signals


def write_film_reviews(home, n=400):
    opinions = ["dreadful"] * (n // 2) + ["delightful"] * (n // 2)
    texts = [f"A {word} film. I saw it on day {day}.<br />The end." for day, word in enumerate(opinions)]
    (home / "plain_text").mkdir(parents=True)
    table = pa.table({"text": texts, "label": np.repeat([0, 1], n // 2)})
    pq.write_table(table, home / "plain_text" / "train-00000-of-00001.parquet")
    return str(home)


def test_film_reviews_are_learned_without_their_test_split(tmp_path):
    settings = RunSettings(task="imdb", model="gru", samples=400, **{**QUICK, "epochs": 6})
    done, events = run(settings, tmp_path, data=write_film_reviews(tmp_path / "imdb"))
    assert done["metrics"]["test_accuracy"] == 1
    start = next(event for event in events if event["event"] == "start")
    assert (start["training_n"], start["validation_n"], start["test_n"]) == (324, 40, 36)
    assert seqdemo.load(tmp_path / "result").predict_proba(["A delightful film."])[0] > 0.5


@pytest.mark.parametrize("labels", [("bad", "good"), ("calm", "sad", "merry")])
def test_own_texts_are_read_by_the_newest_rules_for_tokens(labels, tmp_path):
    ratings = dict(zip(labels, ("2/10", "9/10", "5/10"), strict=False))
    lines = [f"day {k}: {ratings[labels[k % len(labels)]]},{labels[k % len(labels)]}" for k in range(120)]
    (tmp_path / "own.csv").write_text("\n".join(["text,label", *lines]), encoding="utf-8")
    settings = RunSettings(task="own", model="gru", **{**QUICK, "epochs": 12})
    done, _ = run(settings, tmp_path, csv=tmp_path / "own.csv")
    assert done["metrics"]["test_accuracy"] == 1
    load = seqdemo.load if done["is_text_model"] else task_result.load
    vocabulary = load(tmp_path / "result").vocabulary
    assert vocabulary.version == NEWEST_TOKENS
    assert vocabulary.read("2 out of 10").ids.tolist() == vocabulary.read("2/10").ids.tolist()


def test_film_reviews_are_read_by_the_newest_rules_for_tokens(tmp_path):
    problem = prepare(RunSettings(task="imdb", samples=400), data=write_film_reviews(tmp_path / "imdb"))
    assert problem.vocabulary.version == NEWEST_TOKENS
    assert set(SIGNS) <= set(problem.vocabulary.words)


@pytest.mark.parametrize("model", seqdemo.MODELS)
@pytest.mark.parametrize("task", ["synthetic", "adding", "copy"])
def test_every_model_runs_every_kind_of_task_and_what_it_writes_is_what_was_measured(model, task, tmp_path):
    settings = RunSettings(task=task, model=model, length=8, distance=4, samples=200, **{**QUICK, "epochs": 1})
    done, events = run(settings, tmp_path)
    assert json.loads(json.dumps(events)) == events, "plain values"
    assert [event["event"] for event in events if event["event"] != "step"] == [
        "loading",
        "start",
        "epoch",
        "epoch",
        "done",
    ]
    assert (done["epochs"], done["reason"]) == (1, "finished")
    assert len(done["wrong"]) <= 20
    for event in events:
        if event["event"] == "epoch":
            assert len(event["gradient_by_step"]) == events[1]["probe_steps"]
    names = {path.name for path in (tmp_path / "result").iterdir()}
    assert names - {"vocab.txt"} == {"config.json", "model.safetensors", "metrics.json", "history.json", "README.md"}
    assert not list(tmp_path.glob(".*")), "no state is left behind"
    if task == "synthetic":
        assert seqdemo.load(tmp_path / "result").metrics["test_accuracy"] == done["metrics"]["test_accuracy"]


@pytest.mark.parametrize("changes", [{}, {"optimiser": "sgd"}, {"model": "transformer"}, {"schedule": "plateau"}])
def test_two_runs_with_one_seed_give_the_same_curve_and_another_seed_another(changes, tmp_path):
    settings = dataclasses.replace(SHORT, epochs=2, **changes)
    (_, one), (_, again), (_, other) = (
        run(dataclasses.replace(settings, seed=seed), tmp_path) for seed in (settings.seed, settings.seed, 2)
    )
    assert epochs(one) == epochs(again)
    steps, steps_again = ([(e["update"], e["loss"]) for e in events if e["event"] == "step"] for events in (one, again))
    assert steps == steps_again
    assert epochs(one) != epochs(other)


class Interrupted(BaseException):
    """Stands for a process that is killed."""


@pytest.mark.parametrize(
    "changes", [{}, {"optimiser": "sgd"}, {"schedule": "cosine"}, {"schedule": "plateau"}, {"model": "transformer"}]
)
def test_a_resumed_run_ends_exactly_as_an_uninterrupted_one(changes, tmp_path):
    settings = dataclasses.replace(SHORT, epochs=3, **changes)
    whole, events = run(settings, tmp_path / "whole")

    def interrupt(event):
        if event["event"] == "step" and event["epoch"] == 3:
            raise Interrupted

    with pytest.raises(Interrupted):
        run(settings, tmp_path / "cut", on_event=interrupt)
    resumed, later = run(settings, tmp_path / "cut", resume=True)
    assert epochs(later) == epochs(events)
    without = {"metrics", "folder"}
    assert {k: v for k, v in resumed.items() if k not in without} == {
        k: v for k, v in whole.items() if k not in without
    }
    assert resumed["metrics"] | {"seconds": 0} == whole["metrics"] | {"seconds": 0}
    one, other = (path / "result" / schema.WEIGHTS for path in (tmp_path / "whole", tmp_path / "cut"))
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes.")]
)
def test_where_memory_ends_the_run_says_what_needs_less_of_it(error, tmp_path):
    events = []

    def listen(event):
        events.append(event)
        if event["event"] == "step":
            raise error

    with pytest.raises(RunFailed, match=r"There is not enough memory for this run\. Take a smaller batch"):
        run(SHORT, tmp_path, on_event=listen)
    assert (events[-1]["event"], events[-1]["kind"], events[-1]["setting"]) == ("failed", "memory", "batch_size")


def test_the_state_of_another_run_is_not_resumed(tmp_path):
    def interrupt(event):
        if event["event"] == "epoch" and event["epoch"] == 2:
            raise Interrupted

    with pytest.raises(Interrupted):
        run(SHORT, tmp_path, on_event=interrupt)
    with pytest.raises(TrainingError, match="other settings"):
        run(dataclasses.replace(SHORT, seed=5), tmp_path, resume=True)


def test_a_loss_that_is_no_number_stops_the_run_and_names_the_setting(tmp_path):
    settings = dataclasses.replace(SHORT, learning_rate=10.0, optimiser="sgd", clip_norm=0.0, task="adding", length=20)
    events = []
    with pytest.raises(RunFailed):
        run(settings, tmp_path, on_event=events.append)
    failed = events[-1]
    assert failed["event"] == "failed"
    assert failed["kind"] in {"nan", "explosion"}
    assert failed["setting"] == "clip_norm"
    assert "Switch clipping on" in failed["advice"]
    assert not (tmp_path / "result").exists()
    with pytest.raises(RunFailed) as clipped:
        run(dataclasses.replace(settings, clip_norm=100.0), tmp_path)
    assert clipped.value.setting == "learning_rate"
    assert "smaller learning rate, 1 instead of 10" in clipped.value.advice


def test_a_weight_that_is_no_number_is_found_at_its_update(tmp_path, monkeypatch):
    real = TaskModel.losses

    def losses(self, answers, targets, lengths):
        found = real(self, answers, targets, lengths)
        return found * math.nan if self.training and torch.is_grad_enabled() and next(count) == 29 else found

    count = iter(range(10_000))
    monkeypatch.setattr(TaskModel, "losses", losses)
    with pytest.raises(RunFailed, match="In update 30 the loss was no longer a number") as failed:
        run(SHORT, tmp_path)
    assert failed.value.kind == "nan"


def test_a_stopped_run_keeps_its_best_epoch_and_a_run_without_an_epoch_keeps_nothing(tmp_path):
    control = Control()

    def stop(event):
        if event["event"] == "epoch" and event["epoch"] == 2:
            control.stop()

    done, _ = run(SHORT, tmp_path, control=control, on_event=stop)
    assert (done["reason"], done["epochs"]) == ("stopped", 2)
    assert (tmp_path / "result" / schema.WEIGHTS).is_file()
    control = Control()
    control.stop()
    done, _ = run(SHORT, tmp_path / "other", control=control)
    assert (done["reason"], done["epochs"], done["folder"]) == ("stopped", 0, None)
    assert not (tmp_path / "other" / "result").exists()


def test_time_and_memory_are_capped(tmp_path):
    done, _ = run(dataclasses.replace(SHORT, epochs=100), tmp_path, control=Control(max_seconds=0.4))
    assert done["reason"] == "time"
    assert done["epochs"] < 100
    with pytest.raises(RunFailed, match="more than 1 MB of memory") as failed:
        run(SHORT, tmp_path, control=Control(max_memory_bytes=1e6))
    assert failed.value.kind == "memory"


def test_a_run_stops_early_where_validation_improves_no_more(tmp_path):
    done, events = run(dataclasses.replace(SHORT, epochs=60, patience=2, learning_rate=1e-6), tmp_path)
    assert done["reason"] == "early"
    assert done["epochs"] < 60
    accuracies = [entry["validation_accuracy"] for entry in epochs(events)[1:]]
    assert max(accuracies[-2:]) <= max(accuracies[:-2]), "the last two epochs brought nothing"


def test_of_epochs_with_the_same_accuracy_the_surest_is_kept(tmp_path):
    done, events = run(LEARNERS["first_token"], tmp_path)
    found = epochs(events)[1:]
    top = [entry for entry in found if entry["validation_accuracy"] == max(e["validation_accuracy"] for e in found)]
    assert len(top) > 1
    assert done["best_epoch"] == min(top, key=lambda entry: entry["validation_loss"])["epoch"]


def test_a_result_that_cannot_be_written_is_told_and_the_previous_one_stays(tmp_path, monkeypatch):
    run(SHORT, tmp_path)
    before = {path.name: path.read_bytes() for path in (tmp_path / "result").iterdir()}

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(schema, "write_json", full)
    with pytest.raises(TrainingError, match="is the disk full"):
        run(dataclasses.replace(SHORT, seed=2), tmp_path)
    assert {path.name: path.read_bytes() for path in (tmp_path / "result").iterdir()} == before


def test_a_file_that_is_missing_gets_a_sentence(tmp_path):
    with pytest.raises(DataError, match="name one with --csv"):
        run(RunSettings(task="own"), tmp_path)
    with pytest.raises(DataError, match=r"none\.csv cannot be read"):
        run(RunSettings(task="own"), tmp_path, csv=tmp_path / "none.csv")


def test_a_transformer_has_the_heads_that_its_width_allows():
    for width, heads in ((32, 4), (36, 2)):
        assert architecture(RunSettings(model="transformer", d_hidden=width))["n_heads"] == heads
    assert run_settings.architecture(RunSettings(model="rnn"))["readout"] == "last"


@pytest.mark.parametrize("task", ["adding", "copy"])
def test_what_a_task_leaves_is_read_by_the_same_module_as_every_checkpoint(task, tmp_path):
    settings = dataclasses.replace(LEARNERS[task], d_hidden=8, d_embed=4, epochs=1)
    done, _ = run(settings, tmp_path)
    found = task_result.load(tmp_path / "result")
    assert (found.config["task"], found.metrics["test_accuracy"]) == (task, done["metrics"]["test_accuracy"])
    model, problem = found.model, prepare(settings)
    right = asked = 0
    with torch.inference_mode():
        for batch in problem.test:
            inputs, lengths, targets = tensors(batch, torch.device("cpu"))
            counts = model.correct(model.decide(model(inputs, lengths)), targets, lengths)
            right, asked = right + int(counts[0]), asked + int(counts[1])
    assert round(right / asked, 5) == done["metrics"]["test_accuracy"]
    with pytest.raises(CheckpointCorruptError, match="is a model of a made-up task; a classifier is needed"):
        folder.load(tmp_path / "result")
