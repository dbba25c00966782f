"""The manifest: what every file that comes with the app must be."""

from __future__ import annotations

import json
import pathlib
import shutil

import pytest

import seqdemo
from seqdemo import paths
from seqdemo.__main__ import main
from seqdemo.checkpoints import folder, language_model, manifest, schema, translator
from seqdemo.errors import CheckpointCorruptError, DataError
from seqdemo.models.registry import MODELS
from seqdemo.runs import recordings
from seqdemo.studies import results, study, typed_reviews
from tests.checkpoints.conftest import save_tiny
from tests.checkpoints.test_store import flip

SHIPPED = pathlib.Path(seqdemo.__file__).parents[1] / "pretrained"


@pytest.fixture
def shipped(tmp_path: pathlib.Path) -> pathlib.Path:
    """A copy of what is shipped, without the checkpoints that are large."""
    copy = tmp_path / "pretrained"
    small = ("rnn", "dates-attention", "lm-rnn", "studies", "runs")
    copy.mkdir()
    for name in small:
        shutil.copytree(SHIPPED / name, copy / name)
    shutil.copy(SHIPPED / manifest.NAME, copy)
    return copy


def test_the_manifest_that_is_shipped_is_up_to_date() -> None:
    assert manifest.changed(SHIPPED) == [], f"{manifest.COMMAND} brings it up to date"


def test_every_file_that_answers_is_named() -> None:
    named = manifest.read(SHIPPED)
    assert {*MODELS, "dates-attention", "dates-plain", "lm-lstm", "runs", "studies"} <= set(named)
    for path in SHIPPED.rglob("*"):
        if path.is_file() and path.name not in {schema.CARD, manifest.NAME}:
            assert path.name in named[path.parent.name].files, path


@pytest.mark.parametrize("file", [schema.CONFIG, schema.WEIGHTS, schema.VOCABULARY, schema.METRICS, schema.HISTORY])
def test_a_damaged_classifier_is_refused(shipped: pathlib.Path, file: str) -> None:
    assert folder.load(shipped / "rnn").name == "rnn"
    flip(shipped / "rnn" / file)
    with pytest.raises(CheckpointCorruptError, match=rf"^{file} of pretrained/rnn is not the file .* SHA-256 differs"):
        folder.load(shipped / "rnn")


def test_a_model_asked_for_by_name_in_python_is_checked_too(
    shipped: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "PRETRAINED", shipped)
    flip(shipped / "rnn" / schema.WEIGHTS)
    with pytest.raises(CheckpointCorruptError, match="SHA-256 differs"):
        seqdemo.load("rnn")


def test_a_damaged_translator_is_refused(shipped: pathlib.Path) -> None:
    flip(shipped / "dates-attention" / schema.WEIGHTS)
    with pytest.raises(CheckpointCorruptError, match=r"^model\.safetensors of pretrained/dates-attention is not"):
        translator.load(shipped / "dates-attention")


def test_a_damaged_language_model_is_refused(shipped: pathlib.Path) -> None:
    flip(shipped / "lm-rnn" / schema.WEIGHTS)
    with pytest.raises(CheckpointCorruptError, match=r"^model\.safetensors of pretrained/lm-rnn is not"):
        language_model.load(shipped / "lm-rnn")


def test_a_cut_file_says_its_size(shipped: pathlib.Path) -> None:
    weights = shipped / "rnn" / schema.WEIGHTS
    size = weights.stat().st_size
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(CheckpointCorruptError, match=f"has 1000 bytes; the manifest says {size}"):
        folder.load(shipped / "rnn")


def swap_digit(path: pathlib.Path) -> None:
    """Another figure in the place of one: still JSON, and not what was measured."""
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("0.9", "0.8", 1) if "0.9" in text else text.replace("1", "2", 1), encoding="utf-8")


def test_a_damaged_recording_is_refused(shipped: pathlib.Path) -> None:
    assert recordings.load("clipping", shipped / "runs")
    swap_digit(shipped / "runs" / "clipping.json")
    with pytest.raises(DataError, match=r"clipping\.json of pretrained/runs is not the file"):
        recordings.load("clipping", shipped / "runs")


def test_damaged_figures_are_shown_nowhere(shipped: pathlib.Path) -> None:
    assert study.read("fillers", shipped / "studies") is not None
    before = results.accuracies(folder=shipped).set_index("name")["test_accuracy"]
    assert before[["rnn", "bag_of_words"]].notna().all()
    for path in ("studies/fillers.json", "studies/bag_of_words.json", "rnn/metrics.json"):
        swap_digit(shipped / path)
    assert study.read("fillers", shipped / "studies") is None
    assert study.read("attributions", shipped / "studies") is not None
    assert typed_reviews.read_baseline(shipped / "studies") is None
    after = results.accuracies(folder=shipped).set_index("name")["test_accuracy"]
    assert after[["rnn", "bag_of_words"]].isna().all()


def test_what_is_written_into_the_folder_is_written_into_the_manifest(pretrained: pathlib.Path) -> None:
    before = manifest.read(pretrained)
    save_tiny(pretrained / "rnn", seed=1)
    assert folder.load(pretrained / "rnn").name == "rnn"
    after = manifest.read(pretrained)
    assert after["rnn"] != before["rnn"]
    assert after["transformer"] == before["transformer"]
    assert manifest.changed(pretrained) == []


def test_a_result_that_is_written_hides_no_damage_of_its_neighbours(shipped: pathlib.Path) -> None:
    swap_digit(shipped / "studies" / "fillers.json")
    (shipped / "studies" / "new.json").write_text("{}", encoding="utf-8")
    manifest.follow(shipped / "studies", "new.json")
    assert manifest.read_text(shipped / "studies" / "new.json") == "{}"
    assert study.read("fillers", shipped / "studies") is None


def test_folders_elsewhere_are_nobodys_claim(tmp_path: pathlib.Path) -> None:
    save_tiny(tmp_path / "runs" / "mine")
    flip(tmp_path / "runs" / "mine" / schema.WEIGHTS)
    assert folder.load(tmp_path / "runs" / "mine").name == "rnn"
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["mine"]


def test_one_command_brings_it_up_to_date_and_says_what_has_changed(
    pretrained: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(paths, "PRETRAINED", pretrained)
    assert main(["manifest", "--check"]) == 0
    flip(pretrained / "rnn" / schema.VOCABULARY)
    assert main(["manifest", "--check"]) == 1
    assert "The manifest is out of date for rnn; run `python -m seqdemo manifest`." in capsys.readouterr().err
    assert main(["manifest"]) == 0
    assert capsys.readouterr().out == "Brought up to date: rnn.\n"
    assert main(["manifest", "--check"]) == 0


def test_the_manifest_lists_what_is_there(pretrained: pathlib.Path) -> None:
    (pretrained / "rnn" / "notes.txt").write_text("private", encoding="utf-8")
    written = json.loads(manifest.update(pretrained).read_text(encoding="utf-8"))
    assert set(written["folders"]) == {"rnn", "transformer"}
    files = written["folders"]["rnn"]["files"]
    assert set(files) == set(schema.KINDS[None].files)
    path = pretrained / "rnn" / "vocab.txt"
    assert files["vocab.txt"] == {"size": path.stat().st_size, "sha256": schema.sha256(path)}
    assert [path.name for path in pretrained.iterdir() if path.name.startswith(".")] == []
