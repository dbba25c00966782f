"""The wheel, built from a source distribution as anyone would, installed where no checkout is: it answers and shows."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

import seqdemo

ROOT = pathlib.Path(__file__).parents[1]
SOURCES = [
    "app.py",
    "pages",
    "pretrained",
    "seqdemo",
    ".streamlit",
    "setup.py",
    "pyproject.toml",
    "MANIFEST.in",
    "README.md",
    "LICENSE",
    "requirements.txt",
    "requirements-dev.txt",
]
NO_NETWORK = ("--no-index", "--no-deps", "--quiet", "--disable-pip-version-check")
WAIT_S = 60.0


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A folder of packages, in which the wheel's is."""
    root = tmp_path_factory.mktemp("wheel")
    source = root / "source"
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("*.safetensors", "__pycache__"))
        else:
            source.mkdir(exist_ok=True)
            shutil.copy(ROOT / name, source)
    build = f"from setuptools import build_meta; build_meta.build_sdist({str(root)!r})"
    run([sys.executable, "-c", build], cwd=source)
    shutil.rmtree(source)
    (archive,) = root.glob("*.tar.gz")
    pip = [sys.executable, "-m", "pip"]
    run([*pip, "wheel", *NO_NETWORK, "--no-build-isolation", "--wheel-dir", str(root), str(archive)], cwd=root)
    (wheel,) = root.glob("*.whl")
    run([*pip, "install", *NO_NETWORK, "--target", str(root / "packages"), str(wheel)], cwd=root)
    return root / "packages"


def environment(**variables: str) -> dict[str, str]:
    """That of these tests without any setting of a developer's own."""
    return {name: value for name, value in os.environ.items() if not name.startswith("SEQDEMO_")} | variables


def run(command: list[str], cwd: pathlib.Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=cwd, env=environment(**variables), capture_output=True, text=True, check=True, timeout=300
    )


def program(installed: pathlib.Path) -> str:
    """The command `seqdemo`."""
    found = shutil.which("seqdemo", path=installed / "bin")
    assert found is not None
    return found


def test_it_holds_its_types_and_what_stands_beside_the_package_and_no_weights(installed: pathlib.Path) -> None:
    site = installed / "seqdemo" / "site"
    assert (installed / "seqdemo" / "py.typed").is_file()
    assert {path.name for path in (ROOT / "pages").glob("*.py")} == {
        path.name for path in (site / "pages").glob("*.py")
    }
    assert sorted(path.name for path in site.iterdir() if path.suffix == ".py") == ["app.py"]
    assert (site / "pretrained" / "manifest.json").is_file()
    assert list(installed.rglob("*.safetensors")) == []


def test_it_tells_its_version(installed: pathlib.Path, tmp_path: pathlib.Path) -> None:
    code = "from importlib import metadata; import seqdemo; print(metadata.version('seqdemo'), seqdemo.__version__)"
    told = run([sys.executable, "-c", code], tmp_path, PYTHONPATH=str(installed))
    assert told.stdout.split() == [seqdemo.__version__] * 2


def test_it_is_called_by_its_own_name(installed: pathlib.Path, tmp_path: pathlib.Path) -> None:
    told = run([program(installed), "--help"], tmp_path, PYTHONPATH=str(installed))
    assert told.stdout.startswith("usage: seqdemo ")


def test_an_extra_brings_what_development_needs(installed: pathlib.Path) -> None:
    (told,) = installed.glob("seqdemo-*.dist-info/METADATA")
    extras = [
        line.partition(": ")[2].partition(";")[0].strip()
        for line in told.read_text(encoding="utf-8").splitlines()
        if line.startswith("Requires-Dist") and 'extra == "dev"' in line
    ]
    wanted = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8").splitlines()[1:]
    assert [re.split("[<>=]", line)[0] for line in extras] == [re.split("[<>=]", line)[0] for line in wanted]


def test_the_changelog_begins_with_what_is_to_come_and_the_version() -> None:
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert headings[:2] == ["Unreleased", seqdemo.__version__]


def test_a_model_answers_from_the_folder_that_the_environment_names(
    installed: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    answer = run(
        [program(installed), "predict", "Not bad at all.", "--model", "rnn", "--json"],
        tmp_path,
        PYTHONPATH=str(installed),
        SEQDEMO_PRETRAINED=str(ROOT / "pretrained"),
    )
    (found,) = json.loads(answer.stdout)
    assert found["text"] == "Not bad at all."
    assert 0 < found["p_positive"]["rnn"] < 1


def test_without_any_weights_one_sentence_says_what_to_do(installed: pathlib.Path, tmp_path: pathlib.Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as told:
        run([program(installed), "predict", "Not bad.", "--model", "rnn"], tmp_path, PYTHONPATH=str(installed))
    assert told.value.returncode == 1
    assert told.value.stderr == (
        "seqdemo: There are no weights of rnn in pretrained; set SEQDEMO_PRETRAINED to a folder that holds them, such "
        "as pretrained/ of a checkout, or SEQDEMO_HUB_OWNER to who has published them on the Hub.\n"
    )


@pytest.fixture
def app(installed: pathlib.Path, tmp_path: pathlib.Path) -> Iterator[str]:
    """The address of `seqdemo app`, which was started with options of Streamlit."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [program(installed), "app", f"--server.port={port}", "--server.headless", "true"],
        cwd=tmp_path,
        env=environment(PYTHONPATH=str(installed)),
        stdout=subprocess.DEVNULL,
    )
    try:
        yield f"ws://127.0.0.1:{port}/_stcore/stream"
    finally:
        process.terminate()
        process.wait(WAIT_S)


def test_the_app_shows_its_pages_in_its_own_look(app: str) -> None:
    page = (ROOT / "pages" / "translate.py").read_text(encoding="utf-8")
    title = re.search(r'st\.title\("(.+?)"', page)
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert title is not None
    message = BackMsg()
    message.rerun_script.page_name = "translate"
    end = time.monotonic() + WAIT_S
    while True:
        try:
            socket = connect(app, max_size=None)
        except (OSError, WebSocketException):  # it is not there yet
            assert time.monotonic() < end
            time.sleep(0.1)
        else:
            break
    theme = None
    with socket:
        socket.send(message.SerializeToString())
        while True:
            answer = ForwardMsg.FromString(socket.recv(timeout=WAIT_S))
            if answer.HasField("new_session"):
                theme = answer.new_session.custom_theme.base_font_size
            if answer.delta.new_element.heading.body == title[1]:
                break
            assert not answer.HasField("script_finished"), f"the page ended without the title {title[1]!r}"
    assert theme == config["theme"]["baseFontSize"]
