"""What every test may use: small models with a small vocabulary, and no network."""

from __future__ import annotations

import ipaddress
import math
import os
import re
import socket

import pytest

from seqdemo.models.registry import MODELS
from seqdemo.text import PAD, UNKNOWN, Vocabulary

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before anything imports torch
for _name in ("SEQDEMO_IMDB", "SEQDEMO_HUB_OWNER"):
    os.environ.pop(_name, None)  # a developer's own settings must not reach the tests

PATIENCE_S = 300.0
"""Longest wait for what comes at once where nothing else keeps the machine busy; it ends as soon as that has come."""

WORDS = tuple(
    re.findall(
        r"\S+",
        "a and at bad best boring but dull end ever film first good great i is it like liked movie no not of plot poor "
        "slow story the this time very was well worst . , ! ?",
    )
)

SMALL = {
    "recurrent": {"d_embed": 12, "d_hidden": 10},
    "transformer": {"d_model": 16, "n_heads": 2, "n_layers": 2, "d_ff": 24},
}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """A file goes to one process, all with a browser to the same: they share a server, and two of them are slower."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class BrowserInOne(LoadFileScheduling):
        def _split_scope(self, nodeid):
            room = "tests/browser/"
            return room if nodeid.startswith(room) else super()._split_scope(nodeid)

    return BrowserInOne(config, log)


@pytest.fixture(scope="session", autouse=True)
def only_this_machine():
    """Makes a connection to another machine a failure."""
    real = socket.socket.connect

    def connect(self, address):
        if self.family in {socket.AF_INET, socket.AF_INET6} and self.type & socket.SOCK_STREAM:
            host = address[0]
            if host != "localhost" and not ipaddress.ip_address(host.split("%")[0]).is_loopback:
                pytest.fail(f"A test opened a connection to {host}.")
        return real(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect)
        yield


@pytest.fixture
def every_state(monkeypatch):
    """An interrupted run finds the state of its last epoch, however slow the disk was in that moment."""
    from seqdemo.training import engine

    monkeypatch.setattr(engine, "LONG_SAVE_S", math.inf)


@pytest.fixture(scope="session")
def vocabulary():
    """A few words that reviews are made of."""
    return Vocabulary([PAD, UNKNOWN, *WORDS])


@pytest.fixture(scope="session")
def vocabularies(vocabulary):
    """Name → the words of that model: as of those that came with the app, the RNN knows fewer, in another order."""
    fewer = Vocabulary([PAD, UNKNOWN, *(word for word in reversed(WORDS) if word not in {"dull", "poor"})])
    return {name: fewer if name == "rnn" else vocabulary for name in MODELS}


@pytest.fixture(scope="session")
def build_small(vocabulary):
    """Builds `(name, **overrides)` small, in evaluation mode, every weight drawn at random."""
    import torch

    from seqdemo.models import registry

    def build(name, *, seed=0, **overrides):
        torch.manual_seed(seed)
        sizes = {"vocab_size": len(vocabulary), **SMALL[MODELS[name].family.name], **overrides}
        model = registry.build(name, registry.make_config(name, **sizes))
        with torch.no_grad():
            for parameter in model.parameters():  # biases too, which start at 0 and would hide mistakes
                parameter.add_(torch.randn_like(parameter) * 0.2)
        return model.eval()

    return build


@pytest.fixture(scope="session")
def checkpoint_folders(tmp_path_factory, build_small, vocabularies):
    """One checkpoint folder for each model, untrained and small: name → path."""
    from seqdemo.checkpoints import folder

    root = tmp_path_factory.mktemp("checkpoints")
    for name in MODELS:
        folder.save(
            root / name,
            name=name,
            model=build_small(name, vocab_size=len(vocabularies[name])),
            vocabulary=vocabularies[name],
            metrics={"test_accuracy": 0.5},
            history=[{"epoch": 1, "validation_accuracy": 0.5}],
            training={"epochs": 1},
        )
    return {name: root / name for name in MODELS}
