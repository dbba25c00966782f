"""The files of a run: begun, found again, named, packed, taken back, and what is refused."""

import pytest

from seqdemo.errors import CheckpointError, ConfigError, TrainingError
from seqdemo.training import run_files
from seqdemo.training.run_files import RunFiles, clean_name, unzip, zip_bytes
from seqdemo.training.settings import RunSettings

SMALL = RunSettings(model="rnn", epochs=1)


def test_a_run_is_found_by_its_id_with_what_was_written_of_it(tmp_path):
    files = RunFiles.begin(tmp_path, SMALL, "somebody", b"text,label\n")
    files.add({"event": "paused", "at": 2.5})
    files.write_name("My run")
    found = RunFiles.find(tmp_path, files.home.name)
    view, owner = found.read()
    assert (view.id, view.settings, view.name, owner) == (files.home.name, SMALL, "My run", "somebody")
    assert (view.state, view.seconds) == ("killed", 2.5), "no process computes it"
    assert found.csv.read_bytes() == b"text,label\n"
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
    root = run_files.writable(taken / "runs")
    assert root.is_dir()
    assert not root.is_relative_to(tmp_path)
    root.rmdir()


def test_without_a_result_there_is_nothing_to_download(tmp_path):
    for result in (None, tmp_path / "gone"):
        with pytest.raises(TrainingError, match="no result"):
            zip_bytes(result)


def test_what_is_no_result_is_not_loaded(tmp_path, checkpoint_folders, zipped):
    good = {path.name: path.read_bytes() for path in checkpoint_folders["gru"].iterdir()}
    packed = zipped(**{f"my-gru/{name}": found for name, found in good.items()})
    view, owner = RunFiles.of_result(tmp_path, unzip(packed), "somebody").read()
    assert (view.state, view.is_text_model, owner) == ("done", True, "somebody")
    for content, said in (
        (b"no zip", "not a ZIP file"),
        (zipped(**good, **{"run.py": b"print()"}), "other files"),
        (zipped(**good, **{"../config.json": b"{}"}), "other files"),
    ):
        with pytest.raises(TrainingError, match=said):
            unzip(content)
    for broken in ({"config.json": b"{}"}, {"model.safetensors": b"\0" * 100}):
        with pytest.raises(CheckpointError):
            RunFiles.of_result(tmp_path, {**good, **broken}, "")
    with pytest.raises(CheckpointError):
        RunFiles.of_result(tmp_path, {name: good[name] for name in ("config.json", "metrics.json")}, "")
    with pytest.raises(ConfigError, match="at least one letter"):
        RunFiles.of_result(tmp_path, good, "", name="...")
    assert len(list(tmp_path.iterdir())) == 1, "nothing of what was refused is left"


def test_a_zip_that_unpacks_to_more_than_allowed_is_refused_before_it_is_unpacked(monkeypatch, zipped):
    monkeypatch.setattr(run_files, "_MAX_ZIP_BYTES", 1000)
    with pytest.raises(TrainingError, match="larger than"):
        unzip(zipped(**{"vocab.txt": b"0" * 1001}))


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
