import pathlib
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

import seqdemo
from seqdemo import errors

ROOT = pathlib.Path(seqdemo.__file__).parent.parent

PUBLIC = {
    "MODELS",
    "PRETRAINED",
    "SIGNALS",
    "BusyError",
    "CheckpointCorruptError",
    "CheckpointError",
    "CheckpointMissingError",
    "ConfigError",
    "DataError",
    "HubError",
    "SeqdemoError",
    "TextError",
    "Trace",
    "TraceError",
    "TrainingError",
    "UnknownModelError",
    "load",
    "load_language_model",
    "load_translator",
}


def test_the_public_names_are_these_and_all_of_them_exist():
    assert set(seqdemo.__all__) == PUBLIC
    assert all(hasattr(seqdemo, name) for name in PUBLIC)


def test_every_error_of_the_package_is_public_and_has_one_base():
    found = {name for name, value in vars(errors).items() if isinstance(value, type)}
    assert found == {name for name in PUBLIC if name.endswith("Error")}
    assert all(issubclass(getattr(errors, name), errors.SeqdemoError) for name in found)
    for name in found:
        assert name in errors.__doc__


def test_importing_the_package_imports_nothing_heavy():
    heavy = {"torch", "pandas", "streamlit", "altair", "huggingface_hub", "pyarrow"}
    code = f"import sys, seqdemo; seqdemo.MODELS; seqdemo.Trace; sys.exit(str(sorted({heavy} & set(sys.modules))))"
    found = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert found.stderr.strip() == "[]"


@pytest.mark.parametrize("as_type", [str, pathlib.Path])
def test_a_folders_path_loads_the_checkpoint_in_it(checkpoint_folders, as_type):
    model = seqdemo.load(as_type(checkpoint_folders["gru"]))
    assert model.name == "gru"
    assert model.predict_proba(["not bad"]).shape == (1,)


@pytest.mark.parametrize("name", seqdemo.MODELS)
def test_each_shipped_model_loads_by_its_name_and_answers(name):
    model = seqdemo.load(name)
    assert model.name == name
    probabilities = model.predict_proba(
        [
            "A wonderful film. The acting is great, the story is beautiful and I loved every minute of it.",
            "A terrible film. The plot is boring, the acting is awful and the whole thing was a waste of time.",
        ]
    )
    assert probabilities.dtype == np.float32
    assert probabilities[0] > 0.5 > probabilities[1]


@pytest.mark.parametrize("name", ["lm-rnn", "lm-gru", "lm-lstm", "lm-transformer"])
def test_each_shipped_language_model_loads_by_its_name_and_by_its_folder(name):
    model = seqdemo.load_language_model(name)
    assert f"lm-{model.name}" == name
    assert seqdemo.load_language_model(seqdemo.PRETRAINED / name).sha256 == model.sha256


@pytest.mark.parametrize("name", ["dates-attention", "dates-plain"])
def test_each_shipped_translator_loads_by_its_name_and_answers(name):
    translator = seqdemo.load_translator(name)
    assert translator.translate("3 March 1987").answers[0].text == "1987-03-03"
    assert seqdemo.load_translator(str(seqdemo.PRETRAINED / name)).sha256 == translator.sha256


KINDS = {
    seqdemo.load: ("a classifier", "bilstm", "models are rnn, gru, lstm, bilstm, transformer"),
    seqdemo.load_language_model: (
        "a language model",
        "lm-lstm",
        "language models are lm-gru, lm-lstm, lm-rnn, lm-transformer",
    ),
    seqdemo.load_translator: (
        "a translator of dates",
        "dates-plain",
        "translators of dates are dates-attention, dates-plain",
    ),
}


@pytest.mark.parametrize("load", KINDS)
def test_an_unknown_name_lists_the_known_ones_of_its_kind(load):
    with pytest.raises(seqdemo.UnknownModelError) as caught:
        load("lstmm")
    assert str(caught.value) == f"There is no model and no folder called 'lstmm'; known {KINDS[load][2]}."


@pytest.mark.parametrize("load", KINDS)
@pytest.mark.parametrize("as_type", [str, lambda name: seqdemo.PRETRAINED / name])
def test_another_kind_of_model_is_called_what_it_is(load, as_type):
    for other, (kind, name, _) in KINDS.items():
        if other is not load:
            with pytest.raises(seqdemo.CheckpointCorruptError) as caught:
                load(as_type(name))
            assert str(caught.value) == f"{name} is {kind}; {KINDS[load][0]} is needed."


@pytest.mark.parametrize("name", ["studies", "runs"])
def test_a_folder_of_pretrained_that_holds_no_checkpoint_hides_no_folder_of_that_name(
    name, checkpoint_folders, tmp_path, monkeypatch
):
    shutil.copytree(checkpoint_folders["gru"], tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert seqdemo.load(name).name == "gru"


def test_a_folder_that_is_no_checkpoint_says_what_is_missing(tmp_path):
    with pytest.raises(seqdemo.CheckpointMissingError, match=r"is no checkpoint: config\.json, model\.safetensors"):
        seqdemo.load(tmp_path)


def test_the_readme_begins_with_the_two_commands():
    first_screen = (ROOT / "README.md").read_text(encoding="utf-8").split("\n")[:15]
    assert "pip install -r requirements.txt && streamlit run app.py" in first_screen
    assert "pip install -r requirements-dev.txt && pytest" in first_screen


def test_the_readmes_python_example_runs():
    example = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    names = {}
    exec(example.group(1), names)
    assert names["trace"].tokens == ("not", "bad", "at", "all", ".")
