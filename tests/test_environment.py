"""Settings from the environment: each is checked, all at once, when the server starts."""

import os
import pathlib
import re
import subprocess
import sys

import pytest

from seqdemo import environment
from seqdemo.errors import ConfigError

ROOT = pathlib.Path(__file__).parents[1]
NUMBERS = (
    environment.MAX_JOBS,
    environment.MAX_SECONDS,
    environment.MAX_MEMORY_MB,
    environment.TRAINING_THREADS,
    environment.RUNS_MB,
    environment.RUNS_HOURS,
    environment.SAVED_DAYS,
    environment.THREADS,
)


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch):
    for name in [name for name in os.environ if name.startswith("SEQDEMO_")] + ["OMP_NUM_THREADS"]:
        monkeypatch.delenv(name, raising=False)


def test_where_nothing_is_set_everything_is_in_order(monkeypatch):
    environment.check()
    assert all(setting.read() is None for setting in environment.SETTINGS)
    monkeypatch.setenv("SEQDEMO_MAX_JOBS", "  ")
    assert environment.MAX_JOBS.read() is None


def test_readme_lists_every_setting_and_no_other():
    table = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Settings")[2].partition("\n## ")[0]
    listed = set(re.findall(r"`(SEQDEMO_[A-Z_]+|OMP_NUM_THREADS)", table))
    assert listed == {setting.name for setting in environment.SETTINGS}


def test_no_other_module_reads_these_variables():
    words = "|".join(setting.name for setting in environment.SETTINGS if setting is not environment.THREADS)
    reading = re.compile(rf"environ[^\n]*[\"']({words})")
    files = [*(ROOT / "seqdemo").rglob("*.py"), *(ROOT / "pages").glob("*.py"), ROOT / "app.py"]
    assert [path.name for path in files if reading.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("setting", NUMBERS, ids=lambda setting: setting.name)
@pytest.mark.parametrize("word", ["many", "-1", "0", "nan", "inf", "1e999", "9" * 5_000, "2 3", "0x10"])
def test_where_a_number_is_needed_anything_else_is_told(monkeypatch, setting, word):
    monkeypatch.setenv(setting.name, word)
    with pytest.raises(ConfigError) as told:
        environment.check()
    assert str(told.value).startswith(f"{setting.name} must be a")
    assert re.search(r"number from (1|0\.01) to [\d,]+; got", str(told.value))
    assert len(str(told.value)) < 200


@pytest.mark.parametrize(
    ("setting", "word", "value"),
    [
        (environment.MAX_JOBS, "5", 5),
        (environment.MAX_SECONDS, "12.5", 12.5),
        (environment.RUNS_MB, "1e4", 1e4),
        (environment.THREADS, "2,1", (2, 1)),
        (environment.TRAINING, "OFF", False),
        (environment.TRAINING, " 1 ", True),
        (environment.HUB_OWNER, "a-school", "a-school"),
        (environment.FRAME_ANCESTORS, "self https://*.school.example:8443", "'self' https://*.school.example:8443"),
        (environment.FRAME_ANCESTORS, "'none'", "'none'"),
        (environment.FRAME_ANCESTORS, "*", "*"),
    ],
)
def test_what_is_needed_is_taken(monkeypatch, setting, word, value):
    monkeypatch.setenv(setting.name, word)
    environment.check()
    assert setting.read() == value


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("SEQDEMO_TRAINING", "disabled"),
        ("SEQDEMO_MAX_JOBS", "2.5"),
        ("SEQDEMO_HUB_OWNER", "https://hub/me"),
        ("SEQDEMO_IMDB", "/no/such/folder"),
        ("SEQDEMO_PRETRAINED", "/no/such/folder"),
        ("SEQDEMO_IMDB", "a" * 5_000),
        ("SEQDEMO_IMDB", "~nobody-of-that-name/imdb"),
        ("SEQDEMO_RUNS", str(ROOT / "README.md")),
        ("SEQDEMO_RUNS", str(ROOT / "README.md" / "runs")),
        ("SEQDEMO_FRAME_ANCESTORS", "https://a.example; script-src *"),
        ("SEQDEMO_FRAME_ANCESTORS", "https://a.example, https://b.example"),
        ("SEQDEMO_FRAME_ANCESTORS", "none https://a.example"),
        ("SEQDEMO_FRAME_ANCESTORS", "javascript:"),
        ("SEQDEMO_REQUIRE_BROWSER", "perhaps"),
        ("SEQDEMO_REQUIRE_NODE", "perhaps"),
        ("SEQDEMO_UNFILTERED", "perhaps"),
    ],
)
def test_whatever_else_is_wrong_is_told(monkeypatch, name, word):
    monkeypatch.setenv(name, word)
    with pytest.raises(ConfigError, match=rf"^{name} must be .+; got '.{{1,41}}'\.$"):
        environment.check()


def test_a_folder_that_can_be_made_is_taken_and_not_made(monkeypatch, tmp_path):
    monkeypatch.setenv("SEQDEMO_RUNS", str(tmp_path / "new" / "runs"))
    environment.check()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_goes_while_the_server_runs_stops_no_page(monkeypatch, tmp_path):
    monkeypatch.setenv("SEQDEMO_IMDB", str(tmp_path / "gone"))
    assert environment.IMDB.read() == tmp_path / "gone"


def test_a_misspelt_name_is_told_with_the_right_one(monkeypatch):
    monkeypatch.setenv("SEQDEMO_TRAINNIG", "off")
    with pytest.raises(ConfigError, match=r"SEQDEMO_TRAINNIG is no setting; SEQDEMO_TRAINING is one\."):
        environment.check()


def test_the_server_does_not_start_and_lists_everything_wrong_in_one_sentence():
    wrong = {"SEQDEMO_MAX_JOBS": "two", "SEQDEMO_TRAINING": "disabled", "OMP_NUM_THREADS": "-3"}
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port=0", "--server.headless=true"]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **wrong}, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr + done.stdout
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("seqdemo does not start: SEQDEMO_TRAINING must be on or off; got 'disabled'. ")
    assert all(name in last for name in wrong)
