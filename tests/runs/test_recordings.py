"""Recorded runs: real ones, complete, and shown second by second."""

import json

import pytest

from seqdemo.errors import DataError
from seqdemo.runs import recordings
from seqdemo.runs.jobs import Jobs
from seqdemo.runs.limits import Limits
from seqdemo.training.settings import PRESETS, Preset, RunSettings

TINY = Preset(
    name="tiny",
    label="Tiny",
    story="Two small runs.",
    runs=tuple(
        RunSettings(task="first_token", model=model, length=5, d_hidden=4, d_embed=4, epochs=2, device="cpu")
        for model in ("rnn", "gru")
    ),
)


@pytest.fixture(scope="module")
def recorded_once(tmp_path_factory):
    """The folder of a recording that was just made."""
    home = tmp_path_factory.mktemp("recorded")
    jobs = Jobs(home / "runs", Limits())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recordings, "PRESETS", {"tiny": TINY})
        recordings.record("tiny", jobs, home / "kept", timeout_s=240)
    jobs.close()
    return home / "kept"


@pytest.fixture
def tiny(recorded_once, monkeypatch):
    """The same folder, with its preset known."""
    monkeypatch.setattr(recordings, "PRESETS", {"tiny": TINY})
    return recorded_once


def test_a_recording_holds_each_run_with_its_settings_and_its_end(tiny):
    assert recordings.names(tiny) == ["tiny"]
    runs = recordings.load("tiny", tiny)
    assert tuple(run.settings for run in runs) == TINY.runs
    for run in runs:
        view = run.view()
        assert view.state == "done"
        assert [entry["epoch"] for entry in view.epochs] == [0, 1, 2]
        assert view.folder is None, "the weights are not kept"
    assert str(tiny) not in (tiny / "tiny.json").read_text(), "no path of this machine"


def test_a_recording_is_shown_as_far_as_it_had_come(tiny):
    run = recordings.load("tiny", tiny)[0]
    end = run.view().seconds
    before, middle = run.view(-1.0), run.view(end * 0.999)
    assert before.state == "starting"
    assert (before.steps, before.epochs) == ([], [])
    assert middle.state == "running"
    assert run.view(0.0).start is not None, "what came before the training itself is left out"
    n_seen = [len(run.view(end * share).steps) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert n_seen == sorted(n_seen)
    assert n_seen[-1] == len(run.view().steps) > 0


def test_what_is_not_recorded_or_damaged_gets_a_sentence(tiny, tmp_path):
    with pytest.raises(DataError, match="known are tiny"):
        recordings.load("other", tiny)
    with pytest.raises(DataError, match="has not been recorded"):
        recordings.load("tiny", tmp_path)
    (tmp_path / "tiny.json").write_text("{")
    with pytest.raises(DataError, match="cannot be read"):
        recordings.load("tiny", tmp_path)
    (tmp_path / "tiny.json").write_text(json.dumps({"format": 9, "runs": []}))
    with pytest.raises(DataError, match="format 9"):
        recordings.load("tiny", tmp_path)


@pytest.mark.parametrize("name", recordings.names())
def test_a_shipped_recording_is_of_its_preset_and_its_story_is_true(name):
    runs = recordings.load(name)
    assert tuple(run.settings for run in runs) == PRESETS[name].runs
    views = [run.view() for run in runs]
    accuracies = [view.done["metrics"]["test_accuracy"] if view.done else None for view in views]
    if name == "distance":
        rnn, lstm = accuracies
        assert rnn < 0.6
        assert lstm > 0.95
        first, last = (view.epochs[0]["gradient_by_step"] for view in views)
        assert first[0] < first[-1]
        assert last[0] < last[-1], "at the start both gradients fade towards the opinion"
    elif name == "clipping":
        off, on = views
        assert off.state == "failed"
        assert off.setting == "clip_norm"
        assert on.done["metrics"]["test_mse"] < 0.5 * on.start["guess_loss"]
    elif name == "pooling":
        assert min(accuracies) > 0.95
    elif name == "agreement":
        samples = [[entry["sample"] for entry in view.epochs] for view in views]
        shares = [[each["verbs_agree"] / each["verbs"] for each in found] for found in samples]
        assert max(found[0] for found in shares) < 0.6
        rnn, gru, lstm = (found[-1] for found in shares)
        assert min(rnn, gru) > 0.95
        assert 0.6 < lstm < 0.9
    path = recordings.FOLDER / f"{name}.json"
    assert path.stat().st_size < 400_000


def test_every_preset_is_recorded():
    assert recordings.names() == list(PRESETS)
