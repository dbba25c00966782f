from __future__ import annotations

import pathlib
import shutil
from collections.abc import Iterator

import pytest
import torch

from seqdemo import paths
from seqdemo.checkpoints import folder, manifest, schema
from seqdemo.models import registry
from seqdemo.text import Vocabulary
from tests.checkpoints.fake_hub import FakeHub

OWNER = "someone"
WORDS = ("<pad>", "<unk>", "the", "a", "film", "plot", "was", "good", "bad", "not", "!", ".")
TINY = {
    "rnn": {"d_embed": 4, "d_hidden": 4},
    "transformer": {"d_model": 8, "n_heads": 2, "n_layers": 2, "d_ff": 8},
}


def save_tiny(path: pathlib.Path, name: str = "rnn", *, seed: int = 0, **changes: object) -> None:
    """A checkpoint of a few numbers, drawn at random."""
    torch.manual_seed(seed)
    config = registry.make_config(name, vocab_size=len(WORDS), **TINY[name], **changes)
    folder.save(
        path,
        name=name,
        model=registry.build(name, config),
        vocabulary=Vocabulary(WORDS),
        metrics={"test_accuracy": 0.5},
        history=[{"epoch": 1, "validation_accuracy": 0.5}],
        training={"seed": seed},
        card="---\nlicense: mit\n---\nA tiny model.\n",
    )


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Two tiny checkpoints and a manifest of them; not to be written to."""
    pretrained = tmp_path_factory.mktemp("tiny")
    for name in TINY:
        save_tiny(pretrained / name, name)
    manifest.update(pretrained)
    return pretrained


@pytest.fixture(scope="session")
def every_kind(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A tiny checkpoint of each kind; not to be written to."""
    from tests.checkpoints.kinds import LOAD, save_every_kind

    root = tmp_path_factory.mktemp("kinds")
    save_every_kind(root)
    for kind, load in LOAD.items():  # what torch imports for the first model is not the time of any test
        load(root / kind)
    return root


@pytest.fixture
def pretrained(tiny: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """The embedded checkpoints of this test, its own empty cache of the Hub, and no setting of the machine."""
    path = tmp_path / "pretrained"
    shutil.copytree(tiny, path)
    monkeypatch.setattr(paths, "PRETRAINED", path)
    for variable in (
        "HF_HUB_CACHE",
        "HUGGINGFACE_HUB_CACHE",
        "HF_HUB_OFFLINE",
        "TRANSFORMERS_OFFLINE",
        "HF_TOKEN",
        "HUGGING_FACE_HUB_TOKEN",
        "SEQDEMO_HUB_OWNER",
        "HTTP_PROXY",
        "http_proxy",
        "ALL_PROXY",
        "all_proxy",
    ):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    return path


@pytest.fixture
def fake_hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    with FakeHub() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.endpoint)
        yield server


@pytest.fixture
def published(pretrained: pathlib.Path, fake_hub: FakeHub) -> FakeHub:
    """The Hub holds the same files as `pretrained`, and the manifest pins them."""
    pin(pretrained, fake_hub)
    return fake_hub


def pin(pretrained: pathlib.Path, server: FakeHub) -> None:
    """Puts every checkpoint on the fake Hub and its commit into the manifest."""
    from seqdemo.checkpoints import hub

    entries = {}
    for name, entry in manifest.read(pretrained).items():
        repository = hub.repository_id(OWNER, name)
        commit = server.add(repository, {file: (pretrained / name / file).read_bytes() for file in schema.FILES})
        entries[name] = manifest.Entry(repository=repository, commit=commit, files=entry.files)
    manifest.write(pretrained, entries)
