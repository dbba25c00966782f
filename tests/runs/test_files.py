"""The files of a run: begun, found again, named, packed, taken back, and what is refused."""

import dataclasses
import io
import json
import os
import shutil
import zipfile

import pytest

import seqdemo
from seqdemo.checkpoints import folder, package, schema, shards
from seqdemo.errors import CheckpointError, ConfigError, TrainingError
from seqdemo.runs.files import RunFiles, clean_name, unzip, writable, zip_bytes
from seqdemo.training.loaded import read_result
from seqdemo.training.settings import RunSettings
from tests.checkpoints.kinds import read_tensors

SMALL = RunSettings(model="rnn", epochs=1)


def test_a_run_is_found_by_its_id_with_what_was_written_of_it(tmp_path):
    files = RunFiles.begin(tmp_path, SMALL, "somebody", b"text,label\n")
    files.add({"event": "paused", "at": 2.5})
    files.write_name("My run")
    found = RunFiles.find(tmp_path, files.home.name)
    view, owner = found.read()
    assert (view.id, view.settings, view.name, owner) == (files.home.name, SMALL, "My run", "somebody")
    assert (view.state, view.seconds) == ("killed", 2.5), "no process computes it"
    assert found.data.read_bytes() == b"text,label\n"
    (files.home / "settings.json").write_text("{")
    assert found.read() is None, "changed by someone"


def test_the_end_of_a_run_is_noted_and_what_was_half_written_is_deleted(tmp_path):
    files = RunFiles.begin(tmp_path, SMALL, "")
    (files.home / ".checkpoint-half").mkdir()
    (files.home / ".checkpoint-half" / "model.safetensors").write_bytes(b"0")
    files.conclude("failed", "It broke off.", "error")
    view, _ = files.read()
    assert (view.state, view.message, view.kind) == ("failed", "It broke off.", "error")
    assert not list(files.home.glob(".*"))


def test_a_root_that_cannot_be_written_to_is_replaced(tmp_path):
    taken = tmp_path / "file"
    taken.write_text("")
    root = writable(taken / "runs")
    assert root.is_dir()
    assert not root.is_relative_to(tmp_path)
    root.rmdir()


def test_without_a_result_there_is_nothing_to_download(tmp_path):
    for result in (None, tmp_path / "gone"):
        with pytest.raises(TrainingError, match="no result"):
            zip_bytes(result)


@pytest.fixture
def result(checkpoint_folders):
    """The files of a small result by name."""
    return {path.name: path.read_bytes() for path in checkpoint_folders["gru"].iterdir()}


def changed(result, file, **entries):
    return {**result, file: json.dumps({**json.loads(result[file]), **entries}).encode()}


def test_a_result_is_taken_back_under_the_name_of_its_file_which_does_not_save_it(tmp_path, result, zipped):
    packed = zipped(**{f"my-gru/{name}": found for name, found in result.items()})
    files = RunFiles.of_result(tmp_path, unzip(packed), read_result, "somebody", "My GRU")
    view, owner = files.read()
    assert (view.state, view.is_text_model, owner) == ("done", True, "somebody")
    assert (view.name, view.is_saved) == ("My GRU", False)
    files.write_name("Kept")
    assert [(view.name, view.is_saved) for view in [files.read()[0]]] == [("Kept", True)]


def test_a_result_whose_weights_are_in_several_files_is_packed_and_comes_back(tmp_path, checkpoint_folders):
    path = shutil.copytree(checkpoint_folders["transformer"], tmp_path / "split")
    (path / schema.WEIGHTS).unlink()
    package.write_weights(path, read_tensors(checkpoint_folders["transformer"]), shard_bytes=1)
    packed = zip_bytes(path)
    files = RunFiles.of_result(tmp_path, unzip(packed), read_result, "somebody")
    back, before = folder.load(files.result), folder.load(path)
    assert back.sha256 == before.sha256
    assert back.predict_proba(["a fine film"]) == before.predict_proba(["a fine film"])
    part = {name: content for name, content in unzip(packed).items() if "-00002-" not in name}
    with pytest.raises(CheckpointError, match=r"no checkpoint: model-00002-of-.* not found in it"):
        RunFiles.of_result(tmp_path, part, read_result, "somebody")


def test_as_many_files_as_weights_may_be_in_are_taken_from_a_zip_also_from_a_mac(zipped):
    names = {schema.INDEX, *schema.FILES} - {schema.WEIGHTS}
    names |= {shards.shard_name(number, shards.MAX_SHARDS) for number in range(1, shards.MAX_SHARDS + 1)}
    packed = zipped(**dict.fromkeys(names, b""), **{f"__MACOSX/._{name}": b"" for name in names})
    assert set(unzip(packed)) == names


def test_what_the_finder_of_a_mac_puts_into_a_zip_is_no_strange_file(result, zipped):
    packed = zipped(**result, **{"__MACOSX/gru/._config.json": b"", "gru/.DS_Store": b""})
    assert set(unzip(packed)) == set(result)


def refused(tmp_path, result, said, error=CheckpointError):
    with pytest.raises(error) as refusal:
        RunFiles.of_result(tmp_path, result, read_result, "somebody")
    assert said in str(refusal.value)
    assert str(tmp_path) not in str(refusal.value), "no path of the server"
    assert list(tmp_path.iterdir()) == [], "nothing of it is left"


def test_whatever_is_refused_leaves_nothing_on_disk(tmp_path, result):
    architecture = json.loads(result["config.json"])["architecture"]
    refused(tmp_path, {**result, "config.json": b"{}"}, "config.json has format None")
    refused(tmp_path, {**result, "model.safetensors": b"\0" * 100}, "model.safetensors is not a safetensors file")
    refused(tmp_path, {name: result[name] for name in ("config.json", "vocab.txt")}, "metrics.json, history.json not")
    refused(tmp_path, {"config.json": b"{}"}, "only models of texts with two labels can be loaded", TrainingError)
    refused(tmp_path, changed(result, "metrics.json", test_accuracy="all"), "test_accuracy is a number from 0 to 1")
    huge = changed(result, "config.json", architecture={**architecture, "d_hidden": 60_000})
    refused(tmp_path, huge, "d_hidden is at most 4,096; got 60,000")
    with pytest.raises(ConfigError, match="at least one letter"):
        RunFiles.of_result(tmp_path, result, read_result, "", name="...")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("training", "said"),
    [
        ({"task": "synthetic", "model": "lstm"}, "the training in config.json that it is 'lstm'"),
        ({"task": "synthetic"}, "its settings are of lstm on synthetic, its model is gru"),
        ({"task": "parity", "model": "gru"}, "its settings are of gru on parity"),
        ({"task": "chess", "model": "gru"}, "its settings cannot be used: task is one of"),
        ({"task": "own", "model": "gru", "epochs": 10**9}, "its settings cannot be used: epochs"),
        ({"task": "own", "model": "gru", "seed": "one"}, "its settings cannot be used: seed"),
        ({"task": "own", "model": "gru", "seed": [1]}, "its settings cannot be used"),
        ({"task": "own", "model": "gru", "d_embed": 12, "d_hidden": 64}, "10 in its architecture, 64 by its settings"),
    ],
)
def test_the_settings_in_a_result_must_be_those_of_its_model(tmp_path, result, training, said):
    refused(tmp_path, changed(result, "config.json", training=training), said)


def test_a_result_that_was_trained_here_comes_back_with_its_settings_and_another_with_those_that_are_known(
    tmp_path, build_small, vocabulary
):
    settings = RunSettings(task="own", model="gru", seed=7, d_hidden=10, d_embed=12)
    kept = {"vocabulary": vocabulary, "metrics": {}, "history": []}
    model = build_small("gru", dropout=0.0, embed_dropout=0.0)
    training = {**dataclasses.asdict(settings), "classes": ["bad", "good"]}
    folder.save(tmp_path / "own", name="gru", model=model, training=training, **kept)
    for path, known in (
        (tmp_path / "own", settings),
        (seqdemo.PRETRAINED / "rnn", RunSettings(task="imdb", model="rnn")),
    ):
        content = {file.name: file.read_bytes() for file in path.iterdir()}
        view, _ = RunFiles.of_result(tmp_path, content, read_result, "").read()
        assert view.settings == known


def test_a_zip_of_anything_else_is_refused_in_a_sentence(result, zipped):
    damaged = bytearray(zipped(**result))
    damaged[200:260] = b"\xff" * 60
    for content, said in (
        (b"no zip", "not a ZIP file"),
        (b"", "not a ZIP file"),
        (bytes(damaged), "not a ZIP file"),
        (zipped(**result, **{"run.py": b"print()"}), "other files"),
        (zipped(**result, **{"model-1-of-2.safetensors": b""}), r"other files .*\(model-1-of-2\.safetensors\)"),
        (zipped(**result, **{"../config.json": b"{}"}), "some twice"),
        (zipped(**result)[:-40], "not a ZIP file"),
    ):
        with pytest.raises(TrainingError, match=said):
            unzip(content)


def test_a_zip_is_held_against_its_bounds_before_it_is_unpacked(zipped):
    with pytest.raises(CheckpointError, match=r"history\.json has 30\.0 MB; at most 1 MB are read"):
        unzip(zipped(**{"history.json": b"[" + b"[]," * 10_000_000 + b"[]]"}))  # 30 kB of it
    with pytest.raises(CheckpointError, match=r"vocab\.txt has 6\.0 MB; at most 5 MB"):
        unzip(zipped(**{"vocab.txt": b"0" * 6_000_000}))
    with pytest.raises(TrainingError, match="This result is larger than 50 MB"):
        unzip(zipped(**{"model.safetensors": b"0" * 50_000_001}))
    halves = {shards.shard_name(number, 2): b"0" * 25_000_001 for number in (1, 2)}
    with pytest.raises(TrainingError, match="This result is larger than 50 MB"):
        unzip(zipped(**halves))
    with pytest.raises(TrainingError, match="This file is larger than 50 MB"):
        unzip(b"0" * 50_000_001)
    with pytest.raises(TrainingError, match=r"more than \d+ files"):
        unzip(zipped(**{f"{number}": b"" for number in range(1_000)}))


def test_a_zip_that_is_packed_in_a_way_that_takes_memory_is_refused():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_LZMA) as file:
        file.writestr("config.json", b"{}")
    with pytest.raises(TrainingError, match="packed in an unusual way"):
        unzip(out.getvalue())


@pytest.mark.skipif(os.name != "posix", reason="rights as POSIX has them")
def test_nobody_else_may_read_the_files_of_a_run(tmp_path, result):
    root = writable(tmp_path / "new" / "runs")
    begun = RunFiles.begin(root, SMALL, "somebody", b"text,label\n")
    begun.add({"event": "paused", "at": 1})
    begun.write_name("Mine")
    begun.open_errors().close()
    RunFiles.of_result(root, result, read_result, "somebody", "Loaded")
    for path in (root, *root.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("  My LSTM  ", "My LSTM"),
        ("../../etc/passwd", "etc passwd"),
        ("<script>alert(1)</script>", "script alert(1) script"),
        ("Ünïcode \u202e名前", "Ünïcode 名前"),
        ("a" * 100, "a" * 40),
        ("line\nbreak\0", "line break"),
    ],
)
def test_names_are_cleaned(name, kept):
    assert clean_name(name) == kept


@pytest.mark.parametrize("name", ["", "   ", "...", "<>", "_-_"])
def test_a_name_of_which_nothing_is_left_is_refused(name):
    with pytest.raises(ConfigError, match="at least one letter"):
        clean_name(name)
