"""The next word of a made-up grammar: what is known of it, who may foretell it, and what is written meanwhile."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from seqdemo.data import grammar
from seqdemo.errors import ConfigError, DataError
from seqdemo.models.registry import MODELS
from seqdemo.training import sample, task_result
from seqdemo.training.problem import prepare
from seqdemo.training.settings import RunSettings
from seqdemo.training.task_model import TaskModel
from seqdemo.training.task_run import TaskLearner, train

pytestmark = pytest.mark.usefixtures("every_state")
SMALL = RunSettings(
    task="next_word", model="rnn", length=12, epochs=2, d_hidden=8, d_embed=4, device="cpu", precision="fp32"
)


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def run(settings, out):
    events = []
    done = train(settings, out=out, on_event=lambda event: events.append(event.plain())).plain()
    return done, events


def test_the_known_losses_are_those_of_the_validation_words():
    problem = prepare(dataclasses.replace(SMALL, length=40))
    ids = [np.concatenate([batch.inputs, batch.targets[:, -1:]], axis=1) for batch in problem.validation]
    chances = [grammar.chances(rows)[:, 1:] for rows in ids]
    drawn = [np.take_along_axis(p, rows[:, 1:, None], axis=2) for p, rows in zip(chances, ids, strict=True)]
    loss = -np.log(np.concatenate(drawn)).mean()
    assert problem.known_losses["the grammar itself"] == pytest.approx(loss, abs=0.02)
    assert problem.known_losses["counting pairs"] > loss + 0.05
    assert problem.guess_loss > 2 * loss
    right = [(p.argmax(axis=2) == rows[:, 1:]) for p, rows in zip(chances, ids, strict=True)]
    assert problem.ceiling == pytest.approx(np.concatenate(right).mean(), abs=0.02)


def test_a_small_model_comes_near_the_grammar_and_its_verbs_learn_to_agree(tmp_path):
    settings = dataclasses.replace(SMALL, length=30, epochs=8, d_hidden=32, d_embed=16, learning_rate=0.01)
    done, events = run(settings, tmp_path / "result")
    start = next(event for event in events if event["event"] == "start")
    epochs = [event for event in events if event["event"] == "epoch"]
    best = min(epoch["validation_loss"] for epoch in epochs)
    assert start["known_losses"]["the grammar itself"] - 0.02 < best < start["known_losses"]["counting pairs"] - 0.02
    assert best == next(epoch for epoch in epochs if epoch["epoch"] == done["best_epoch"])["validation_loss"]
    shares = [epoch["sample"]["verbs_agree"] / epoch["sample"]["verbs"] for epoch in epochs]
    assert shares[1] < 0.8
    assert shares[-1] > 0.9
    words = [epoch["sample"]["text"].replace(".", " .").split() for epoch in epochs]
    assert all(set(text) <= set(grammar.WORDS[1:]) for text in words)
    assert done["confusion"] is None
    assert done["wrong"] == []


@pytest.mark.parametrize("model", [name for name, spec in MODELS.items() if spec.directions == 1])
def test_every_model_that_reads_one_way_runs_and_what_it_leaves_is_read_again(model, tmp_path):
    done, _ = run(dataclasses.replace(SMALL, model=model, epochs=1), tmp_path / "result")
    found = task_result.load(tmp_path / "result")
    assert found.model.foretells
    assert (found.config["task"], found.metrics["test_accuracy"]) == ("next_word", done["metrics"]["test_accuracy"])
    assert found.config["labels"] == list(grammar.WORDS)
    history = json.loads((tmp_path / "result" / "history.json").read_text())
    assert not any("sample" in entry for entry in history)


def test_a_model_that_reads_both_ways_is_refused_with_the_reason():
    with pytest.raises(ConfigError, match="BiLSTM reads in both directions, so that it has read the next word"):
        dataclasses.replace(SMALL, model="bilstm")


@pytest.mark.parametrize("model", ["gru", "transformer"])
def test_no_answer_sees_what_comes_after_it(model):
    settings = dataclasses.replace(SMALL, model=model)
    problem = prepare(settings)
    torch.manual_seed(0)
    made = TaskModel.of(settings, problem).eval()
    ids = torch.from_numpy(problem.validation[0].inputs[:4])
    other = ids.clone()
    other[:, 6:] = torch.randint(1, 10, other[:, 6:].shape)
    lengths = torch.full((4,), ids.shape[1])
    with torch.inference_mode():
        one, two = made(ids, lengths), made(other, lengths)
        torch.testing.assert_close(one[:, :6], two[:, :6])
        assert not torch.allclose(one[:, 6:], two[:, 6:])
        if model == "transformer":
            made.foretells = False
            assert not torch.allclose(made(ids, lengths)[:, :6], made(other, lengths)[:, :6])


def test_what_is_written_is_drawn_from_the_model_with_the_seed():
    learner = TaskLearner(SMALL, prepare(SMALL))
    one, again, other = (sample.written(learner.model, grammar.WORDS, seed) for seed in (1, 1, 2))
    assert one == again != other
    assert one["text"].startswith("the ")
    assert 0 <= one["verbs_agree"] <= one["verbs"]

    class Grammar(torch.nn.Module):
        """Holds likely what the grammar does."""

        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(()))

        def forward(self, ids, _lengths):
            rows = np.concatenate([ids.numpy(), np.zeros((len(ids), 1), dtype=np.int64)], axis=1)
            return torch.log(torch.from_numpy(grammar.chances(rows)[:, 1:]))

    right = sample.written(Grammar(), grammar.WORDS, 1)
    assert right["verbs_agree"] == right["verbs"] > 150


@pytest.fixture
def own_text(tmp_path):
    path = tmp_path / "own.txt"
    rows = grammar.draw(np.random.default_rng(0), 150, 60)
    path.write_text(" ".join(grammar.text(row) for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize("model", ["gru", "transformer"])
def test_the_words_of_an_own_text_are_foretold_better_than_by_their_frequency(model, own_text, tmp_path):
    settings = dataclasses.replace(
        SMALL, task="own_words", model=model, length=20, epochs=3, d_hidden=16, learning_rate=0.01
    )
    events = []
    train(settings, out=tmp_path / "result", csv=own_text, on_event=lambda event: events.append(event.plain()))
    start = next(event for event in events if event["event"] == "start")
    epochs = [event for event in events if event["event"] == "epoch"]
    assert epochs[0]["validation_loss"] > start["guess_loss"]
    assert epochs[-1]["validation_loss"] < start["guess_loss"] - 0.5
    assert list(start["known_losses"]) == ["counting pairs"]
    assert set(epochs[-1]["sample"]) == {"text"}
    assert "<" not in epochs[-1]["sample"]["text"], "neither padding nor the unknown word"
    found = task_result.load(tmp_path / "result")
    assert found.model.foretells
    assert (found.model.answer, found.config["labels"]) == ("class at every step", list(found.vocabulary.words))
    problem = prepare(settings, csv=own_text)
    assert [len(batch.inputs[0]) for batch in problem.epoch(1)] == [20] * 50
    assert problem.note.startswith("9,000 words and marks")


def test_a_piece_is_no_longer_than_what_is_held_back(tmp_path):
    path = tmp_path / "own.txt"
    path.write_text("one two three four five " * 400, encoding="utf-8")
    problem = prepare(dataclasses.replace(SMALL, task="own_words", length=400), csv=path)
    assert {len(batch.inputs[0]) for batch in (*problem.validation, *problem.test, problem.probe)} == {199}


def test_without_a_file_or_with_another_the_sentence_says_what_is_needed(tmp_path):
    settings = dataclasses.replace(SMALL, task="own_words")
    with pytest.raises(DataError, match="The task own_words needs a file"):
        prepare(settings)
    path = tmp_path / "short.txt"
    path.write_text("too short")
    with pytest.raises(DataError, match="at least 2,000"):
        prepare(settings, csv=path)
