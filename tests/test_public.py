import pathlib
import re
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


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(seqdemo.UnknownModelError) as caught:
        seqdemo.load("lstmm")
    assert str(caught.value) == (
        "There is no model and no folder called 'lstmm'; known models are rnn, gru, lstm, bilstm, transformer."
    )


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
