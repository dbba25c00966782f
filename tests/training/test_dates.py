import dataclasses
import itertools
import json

import numpy as np
import pytest
import torch

from seqdemo.checkpoints import translator
from seqdemo.data import dates as data
from seqdemo.data import not_dates
from seqdemo.errors import ConfigError, TrainingError
from seqdemo.models.seq2seq import Seq2Seq, Seq2SeqConfig
from seqdemo.training import dates, engine, events
from seqdemo.training.dates import DatesConfig

pytestmark = pytest.mark.usefixtures("every_state")
SMALL = Seq2SeqConfig(n_inputs=len(data.INPUTS), n_outputs=len(data.OUTPUTS), d_embed=8, d_hidden=16, d_attention=8)
SHORT = DatesConfig(epochs=2, texts=256, batch_size=64, precision="fp32")


@pytest.fixture(autouse=True)
def few_texts(monkeypatch):
    for name in ("_VALIDATION_N", "_TEST_N", "_OTHER_N", "_KIND_N", "_FORM_N", "_LENGTH_N", "_BEAM_N"):
        monkeypatch.setattr(dates, name, 20)


def test_every_text_stands_in_one_batch_beside_texts_of_its_length():
    source = np.random.default_rng(0)
    written = data.draw(source, 70, "train") + not_dates.draw(source, 30, "train")
    made = dates.batches(written, 32, np.random.default_rng(1))
    assert sorted(row for batch in made for row in batch.rows) == list(range(100))
    for batch in made:
        for row, ids, length, answer in zip(batch.rows, batch.ids, batch.lengths, batch.answers, strict=True):
            one = written[row]
            assert ids[:length].tolist() == data.INPUTS.encode(one.text).tolist()
            assert not ids[length:].any()
            assert data.OUTPUTS.decode(answer.tolist()) == one.iso
            assert answer[-1] == data.END_ID
    spans = sorted((int(batch.lengths.min()), int(batch.lengths.max())) for batch in made)
    assert all(first[1] <= second[0] for first, second in itertools.pairwise(spans))


@pytest.mark.parametrize("way", dates.WAYS)
def test_the_loss_falls_whichever_character_the_decoder_is_given(way):
    config = DatesConfig(epochs=4, texts=640, batch_size=64, way=way, learning_rate=0.01, precision="fp32")
    _, progress = dates.fit(SMALL, config)
    history = progress.history
    assert history[-1]["train_loss"] < history[0]["train_loss"]
    assert {entry["way"] for entry in history} == {way}


def test_the_same_seed_gives_the_same_run_and_another_seed_another():
    runs = [
        dates.fit(SMALL, dataclasses.replace(SHORT, epochs=1, texts=128, seed=seed))[1].history for seed in (1, 1, 2)
    ]
    losses = [run[0]["train_loss"] for run in runs]
    assert losses[0] == losses[1] != losses[2]


def test_a_run_writes_a_checkpoint_with_both_curves_and_all_that_was_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(
        dates, "Seq2SeqConfig", lambda attention, **_: Seq2SeqConfig(**{**vars(SMALL), "attention": attention})
    )
    told = []
    found = dates.train(out=tmp_path / "dates", config=SHORT, on_event=lambda event: told.append(event.plain()))
    kinds = [event["event"] for event in told if event["event"] != "step"]
    assert kinds == ["start", "epoch", "epoch", "start", "epoch", "epoch", "testing", "done"]
    json.dumps(told)
    assert [(entry["way"], entry["epoch"]) for entry in found.history] == [
        ("teacher", 1),
        ("teacher", 2),
        ("own", 1),
        ("own", 2),
    ]
    metrics = found.metrics
    assert {form["form"] for form in metrics["forms"]} == {*data.TRAINED, *data.HELD_OUT}
    assert metrics["test_n"] == metrics["held_out"]["n"] == 20
    assert metrics["test_interval"][0] <= metrics["test_accuracy"] <= metrics["test_interval"][1]
    assert [span["from"] for span in metrics["lengths"]] == list(range(11, 101, 10))
    doubt = metrics["doubt"]
    assert 0 <= doubt["threshold"] < 1
    assert [row["kind"] for row in doubt["kinds"]] == list(not_dates.KINDS)
    for row in (*doubt["kinds"], doubt["dates_marked"] | {"n": 20}):
        assert row["n"] == 20
        assert row["interval"][0] <= row.get("passed", row.get("share")) <= row["interval"][1]
    assert metrics["seed"] == 1

    plain = dates.train(out=tmp_path / "plain", config=SHORT, attention=False)
    assert {entry["way"] for entry in plain.history} == {"teacher"}
    assert not plain.model.config.attention


def test_a_resumed_run_writes_exactly_what_an_uninterrupted_one_does(tmp_path, monkeypatch):
    monkeypatch.setattr(
        dates, "Seq2SeqConfig", lambda attention, **_: Seq2SeqConfig(**{**vars(SMALL), "attention": attention})
    )

    class CutError(Exception):
        pass

    def cut(event):
        if isinstance(event, events.Epoch) and (event.more["way"], event.epoch) == ("own", 1):
            raise CutError

    dates.train(out=tmp_path / "whole", config=SHORT)
    with pytest.raises(CutError):
        dates.train(out=tmp_path / "cut", config=SHORT, on_event=cut)
    found = dates.train(out=tmp_path / "cut", config=SHORT, resume=True)
    one, other = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "cut"))
    assert one == other
    without = [{k: v for k, v in entry.items() if k != "seconds"} for entry in found.history]
    whole = translator.load(tmp_path / "whole").history
    assert without == [{k: v for k, v in entry.items() if k != "seconds"} for entry in whole]
    assert not list(tmp_path.glob(".*")), "no state is left behind"


def test_the_measured_accuracy_is_that_of_the_answers_given_one_by_one(tmp_path):
    model, progress = dates.fit(SMALL, DatesConfig(epochs=1, texts=64, batch_size=64, precision="fp32"))
    written = data.draw(np.random.default_rng(5), 20, "test")
    answered = dates._score(model, written)
    translator.save(
        tmp_path / "dates", model=model, metrics={}, history=engine.as_shipped(progress.history), training={}
    )
    stored = translator.load(tmp_path / "dates").model
    for row, one in enumerate(written):
        (found,) = stored.beam(torch.from_numpy(data.INPUTS.encode(one.text)), 1, data.MAX_STEPS)
        assert answered.text[row] == data.OUTPUTS.decode(found.ids)
        assert answered.right[row] == (answered.text[row] == one.iso)
        assert answered.day[row] == data.is_day(answered.text[row])
        assert np.exp(found.log_probability) == pytest.approx(answered.probability[row], rel=0.05)


def test_what_follows_the_end_of_an_answer_is_not_learned():
    torch.manual_seed(0)
    model = Seq2Seq(SMALL)
    nothing = data.Written(text="14 bananas 1991", iso="", form="")
    (batch,) = dates.batches([nothing], 64)
    assert batch.answers.tolist() == [[data.END_ID] * data.MAX_STEPS]
    first = model(batch.ids, batch.lengths, batch.answers)[:, 0]
    expected = torch.nn.functional.cross_entropy(first, batch.answers[:, 0])
    torch.testing.assert_close(dates._loss(model, batch, own=False), expected)


def test_a_loss_that_is_no_number_stops_the_run_with_a_sentence(tmp_path):
    config = DatesConfig(epochs=1, texts=640, batch_size=64, learning_rate=1e30)
    with pytest.raises(TrainingError, match="smaller --learning-rate"):
        dates.train(out=tmp_path / "dates", config=config)
    assert not (tmp_path / "dates").exists()


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"learning_rate": 0}, {"other_share": 1.5}, {"way": "both"}])
def test_settings_that_cannot_be_run_are_refused_by_name(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        DatesConfig(**wrong)
