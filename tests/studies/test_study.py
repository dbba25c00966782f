"""Stored results: written, read back, refused where they cannot be read, and those of the shipped weights."""

import dataclasses
import hashlib
import json

import pytest

import seqdemo
from seqdemo.__main__ import main
from seqdemo.errors import ConfigError
from seqdemo.models.registry import MODELS
from seqdemo.studies import registry
from seqdemo.studies.study import Measurement, Stored, Study, listed, path_of, read, rounded, write

FOUND = Measurement(n=3, seed=7, settings={"words": [1, 2]}, results={"rnn": [0.5, 0.25]})


@pytest.fixture
def study():
    return Study(name="example", question="What is it?", measure=lambda _: FOUND)


def test_a_result_is_read_back_as_it_was_written(tmp_path, study, checkpoint_folders):
    models = {name: seqdemo.load(checkpoint_folders[name]) for name in ("rnn", "gru")}
    written = write(tmp_path / "example.json", study, study.measure(None), models)
    found = read("example", tmp_path)
    assert found == written
    assert (found.n, found.seed, found.settings, found.results) == (3, 7, {"words": [1, 2]}, {"rnn": [0.5, 0.25]})
    assert found.measured_on("rnn", models["rnn"].sha256)
    assert not found.measured_on("rnn", models["gru"].sha256)
    assert not found.measured_on("lstm", models["rnn"].sha256)


def test_a_result_names_no_date(tmp_path, study, checkpoint_folders):
    models = {"rnn": seqdemo.load(checkpoint_folders["rnn"])}
    texts = []
    for name in ("one", "two"):
        write(tmp_path / f"{name}.json", study, FOUND, models)
        texts.append((tmp_path / f"{name}.json").read_text())
    assert texts[0] == texts[1]
    assert set(json.loads(texts[0])) == {"format", *(field.name for field in dataclasses.fields(Stored))}
    assert set(json.loads(texts[0])["versions"]) == {"python", "torch", "numpy"}


@pytest.mark.parametrize(
    "content", [None, "", "{cut", "[]", "{}", '{"format": 2, "study": "example"}', '{"format": 1}']
)
def test_a_file_that_cannot_be_read_is_no_result(tmp_path, content):
    if content is not None:
        path_of("example", tmp_path).write_text(content)
    assert read("example", tmp_path) is None


def test_another_studys_file_is_no_result(tmp_path, study):
    write(tmp_path / "other.json", study, FOUND, {})
    assert read("other", tmp_path) is None


def test_figures_are_rounded_to_digits_not_to_places():
    assert rounded(1.23456e-9) == 1.235e-9
    assert rounded(0) == 0


def test_names_are_listed_as_in_a_sentence():
    assert [listed(list(names)) for names in ("a", "ab", "abc")] == ["a", "a and b", "a, b and c"]


def test_an_unknown_study_is_answered_with_the_known_ones():
    with pytest.raises(ConfigError, match="known are gradient_by_distance, fillers"):
        registry.study("nothing")


def test_the_command_lists_studies_and_refuses_others(capsys):
    assert main(["study", "--list"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed and study.question in listed for name, study in registry.STUDIES.items())
    assert main(["study", "nothing"]) == 2
    assert "no study called 'nothing'" in capsys.readouterr().err


def test_a_study_can_be_run_on_any_checkpoint(tmp_path, checkpoint_folders, capsys):
    out = tmp_path / "found.json"
    assert main(["study", "fillers", "--model", str(checkpoint_folders["gru"]), "--out", str(out)]) == 0
    stored = json.loads(out.read_text())
    assert stored["checkpoints"] == {"gru": seqdemo.load(checkpoint_folders["gru"]).sha256}
    assert "n=8" in capsys.readouterr().out


SHIPPED = sorted(path.stem for path in path_of("any").parent.glob("*.json"))


def test_a_stored_result_belongs_to_the_weights_that_are_shipped():
    def weights(names, prefix=""):
        files = {name: seqdemo.PRETRAINED / f"{prefix}{name}" / "model.safetensors" for name in names}
        return {name: hashlib.sha256(file.read_bytes()).hexdigest() for name, file in files.items()}

    of = {"classifier": weights(MODELS), "language model": weights(("rnn", "gru", "lstm"), "lm-"), None: {}}
    measured = [name for name in SHIPPED if name in registry.STUDIES]
    assert {registry.STUDIES[name].of for name in measured} == set(of)
    for name in measured:
        stored = read(name)
        assert stored is not None, f"{path_of(name)} cannot be read"
        assert stored.checkpoints == of[registry.STUDIES[name].of], f"run `python -m seqdemo study {name}` again"


def test_a_stored_result_holds_no_review():
    """Nothing longer than the built-in sentences and the descriptions of settings."""

    def texts(value):
        if isinstance(value, dict):
            return [text for key, entry in value.items() for text in (key, *texts(entry))]
        if isinstance(value, list):
            return [text for entry in value for text in texts(entry)]
        return [value] if isinstance(value, str) else []

    found = {name: texts(json.loads(path_of(name).read_text())) for name in SHIPPED}
    assert {"fillers", "typed_reviews"} <= set(found)
    for name, strings in found.items():
        assert max(map(len, strings)) < 120, name
