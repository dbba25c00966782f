"""An app over small checkpoints of its own, its models loaded anew for each test that is about loading."""

import pathlib
import shutil
import threading

import pytest
from streamlit.testing.v1 import AppTest

import seqdemo
from seqdemo import paths
from seqdemo.models.registry import MODELS
from seqdemo.ui import resources
from tests.conftest import PATIENCE_S
from tests.own_run import write_run

MAIN = pathlib.Path(seqdemo.__file__).parent / "ui" / "main.py"


@pytest.fixture
def pretrained(tmp_path, checkpoint_folders, monkeypatch):
    """A folder with five small checkpoints, which takes the place of `pretrained/`."""
    root = tmp_path / "pretrained"
    for name in MODELS:
        shutil.copytree(checkpoint_folders[name], root / name)
    monkeypatch.setattr(paths, "PRETRAINED", root)
    monkeypatch.setattr(paths, "RUNS", tmp_path / "runs")
    return root


@pytest.fixture
def app(pretrained):
    """The whole app, as a visitor opens it; nothing has been loaded yet."""
    forget_models()
    yield AppTest.from_file(MAIN, default_timeout=PATIENCE_S)
    resources.store().wait(PATIENCE_S)
    wait_until_timed()
    forget_models()


@pytest.fixture(scope="module")
def loaded_once():
    """Forgets at the end of a file the models that its tests shared."""
    yield
    forget_models()


@pytest.fixture
def ready(pretrained, loaded_once):
    """The whole app with every model loaded: those of the test before, unless that one loaded its own."""
    assert resources.store().wait(PATIENCE_S)
    wait_until_timed()
    return AppTest.from_file(MAIN, default_timeout=PATIENCE_S)


def forget_models():
    for kept in (resources.store, resources.service, resources.milliseconds):
        kept.clear()


def wait_until_timed():
    """Waits for the background work that follows loading."""
    for name in ("load-models", "fetch-"):
        for thread in threading.enumerate():
            if thread.name.startswith(name):
                thread.join(PATIENCE_S)
    assert resources.is_timed()


@pytest.fixture
def loaded():
    """Waits until every model was tried and timed."""

    def wait():
        assert resources.store().wait(PATIENCE_S)
        wait_until_timed()

    return wait


@pytest.fixture
def gate(monkeypatch):
    """Holds the loading of the real checkpoints back until it is set."""
    opened = threading.Event()

    class SlowStore(resources.ModelStore):
        def _load_local(self, name):
            assert opened.wait(PATIENCE_S)
            super()._load_local(name)

    monkeypatch.setattr(resources, "ModelStore", SlowStore)
    yield opened
    opened.set()


@pytest.fixture
def own_model(tmp_path, monkeypatch, build_small, vocabulary):
    """Makes, of a kind, what a visitor trained and saved as `First try`; returns its id."""
    root = tmp_path / "runs"
    monkeypatch.setenv("SEQDEMO_RUNS", str(root))
    resources.jobs.clear()
    resources.service.clear()

    def make(name):
        return write_run(root, build_small(name, seed=9), name, vocabulary)

    yield make
    resources.jobs().close()
    resources.jobs.clear()
    resources.service.clear()
