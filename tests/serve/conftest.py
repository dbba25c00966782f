"""The routes over small checkpoints, and a visitor's own model beside them."""

import json
import shutil

import pytest
import torch
from starlette.applications import Starlette
from starlette.testclient import TestClient

import seqdemo
from seqdemo import paths
from seqdemo.checkpoints import folder, language_model
from seqdemo.checkpoints.store import ModelStore
from seqdemo.models.language import RecurrentLanguageModel
from seqdemo.models.recurrent import RecurrentConfig
from seqdemo.runs.jobs import Jobs
from seqdemo.runs.limits import Limits
from seqdemo.serve.http import TOKEN
from seqdemo.serve.routes import API, KINDS, routes
from seqdemo.serve.service import Service
from tests.conftest import PATIENCE_S
from tests.own_run import write_run


@pytest.fixture
def pretrained(checkpoint_folders, monkeypatch):
    """Five small checkpoints take the place of `pretrained/`."""
    root = checkpoint_folders["rnn"].parent
    monkeypatch.setattr(paths, "PRETRAINED", root)
    return root


@pytest.fixture
def service(pretrained, tmp_path):
    """What answers, its models loaded."""
    store = ModelStore()
    store.start()
    assert store.wait(PATIENCE_S)
    jobs = Jobs(tmp_path / "runs", Limits())
    yield Service(store, jobs, KINDS)
    jobs.close()


@pytest.fixture
def client(service):
    """A program that asks the routes."""
    with TestClient(Starlette(routes=routes(lambda: service))) as made:
        yield made


@pytest.fixture
def ask(client, service):
    """Asks a route as a page does, `ask(kind, body)`, and gives the answer: an object, or bytes."""
    token = service.visitors.mint()

    def question(kind, body):
        headers = {TOKEN: token, "content-type": "application/json"}
        answer = client.post(f"{API}/{kind}", content=json.dumps(body), headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json() if answer.headers["content-type"] == "application/json" else answer.content

    question.token = token
    return question


@pytest.fixture
def own_model(service, build_small, vocabulary):
    """Makes, of a kind, what a visitor trained and saved as `First try`; returns its id."""
    return lambda name: write_run(service.jobs.root, build_small(name, seed=9), name, vocabulary)


@pytest.fixture
def without(service, pretrained, tmp_path, monkeypatch):
    """Makes the store load a copy in which a file of a model is missing, `without(name, file)`."""

    def load(name, file):
        root = tmp_path / "damaged"
        shutil.copytree(pretrained, root)
        (root / name / file).unlink()
        monkeypatch.setattr(paths, "PRETRAINED", root)
        service.store = ModelStore()
        service.store.start()
        assert service.store.wait(PATIENCE_S)

    return load


@pytest.fixture
def use(service, pretrained, tmp_path, monkeypatch):
    """Puts another model with other words in a place among those that came with the app, `use(name, model, words)`."""

    def load(name, model, words):
        root = tmp_path / "others"
        shutil.copytree(pretrained, root)
        shutil.rmtree(root / name)
        folder.save(root / name, name=name, model=model, vocabulary=words, metrics={}, history=[], training={})
        monkeypatch.setattr(paths, "PRETRAINED", root)
        service.store = ModelStore()
        service.store.start()
        assert service.store.wait(PATIENCE_S)

    return load


@pytest.fixture
def writers(pretrained, vocabulary, tmp_path, monkeypatch):
    """Three small untrained language models beside the small classifiers."""
    root = tmp_path / "pretrained"
    shutil.copytree(pretrained, root)
    for name in ("rnn", "gru", "lstm"):
        torch.manual_seed(0)
        shape = RecurrentConfig(cell=name, vocab_size=len(vocabulary), d_embed=6, d_hidden=5)
        language_model.save(
            root / f"lm-{name}",
            name=name,
            model=RecurrentLanguageModel(shape),
            vocabulary=vocabulary,
            metrics={"seconds": 1.0},
            history=[{"epoch": 1, "seconds": 1.0}],
            training={},
        )
    monkeypatch.setattr(paths, "PRETRAINED", root)
    return root


@pytest.fixture
def shipped(service, monkeypatch):
    """The language models that came with the app."""
    monkeypatch.setattr(paths, "PRETRAINED", seqdemo.PRETRAINED)
