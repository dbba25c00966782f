"""Checkpoints of any repository of the Hub, through the public face: bounded, checked, of the kind that is wanted."""

from __future__ import annotations

import json
import pathlib
import shutil
from collections.abc import Callable
from typing import Any

import pytest
import torch

import seqdemo
from seqdemo.checkpoints import download, hub, repository, schema, shards
from seqdemo.errors import CheckpointCorruptError, CheckpointMissingError, HubError, UnknownModelError
from tests.checkpoints.fake_hub import FakeHub
from tests.checkpoints.kinds import KIND_OF, LOAD, split, weight_files

FACE: dict[str, Callable[[str], Any]] = {
    "classifier": seqdemo.load,
    "language model": seqdemo.load_language_model,
    "dates": seqdemo.load_translator,
}
NAME = "school/model"


def put(server: FakeHub, folder: pathlib.Path, name: str = NAME) -> str:
    """The files of a folder on the Hub; gives their commit."""
    return server.add(name, {path.name: path.read_bytes() for path in folder.iterdir()})


def asked(server: FakeHub) -> set[str]:
    """The files that were asked for."""
    return {request.rpartition("/")[2] for request in server.requests if "/resolve/" in request}


@pytest.fixture
def server(pretrained: pathlib.Path, fake_hub: FakeHub) -> FakeHub:
    """A Hub of this test, and a cache of its own."""
    return fake_hub


@pytest.fixture(params=FACE)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def checkpoint(kind: str, every_kind: pathlib.Path, tmp_path: pathlib.Path) -> pathlib.Path:
    return pathlib.Path(shutil.copytree(every_kind / kind, tmp_path / "checkpoint"))


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("school/model", ("school/model", "main")),
        ("school/model@v1.0", ("school/model", "v1.0")),
        ("a/b.c_d-e@refs/pr/1", ("a/b.c_d-e", "refs/pr/1")),
        (f"school/model@{'a' * 40}", ("school/model", "a" * 40)),
        *(
            (name, None)
            for name in (
                "model",
                "/school/model",
                "./model",
                "../model",
                "school/..",
                "school/model/more",
                "school/model@",
                "school/model@../main",
                "school/model@a/../b",
                "school/mo--del",
                "school/model-",
                "school\\model",
                "https://hub/model",
                "school/model\n",
                "",
            )
        ),
    ],
)
def test_a_name_of_the_hub_is_told_from_a_path(name: str, found: tuple[str, str] | None) -> None:
    assert repository.parse(name) == found


@pytest.mark.parametrize("n_shards", [1, 3], ids=["one file", "several files"])
def test_every_kind_comes_from_a_repository(
    kind: str, checkpoint: pathlib.Path, server: FakeHub, n_shards: int
) -> None:
    if n_shards > 1:
        split(checkpoint, n_shards)
    commit = put(server, checkpoint)
    here = LOAD[kind](checkpoint)
    for name in (NAME, f"{NAME}@{commit}"):
        found = FACE[kind](name)
        assert found.sha256 == here.sha256
        for parameter, tensor in found.model.state_dict().items():
            assert torch.equal(here.model.state_dict()[parameter], tensor)
    weights = {file.name for file in weight_files(checkpoint)}
    assert asked(server) == {*schema.KINDS[KIND_OF[kind]].files, schema.INDEX, *weights} - (
        {schema.WEIGHTS} - weights
    ), "the index first, then only the files that it names"


def test_a_commit_that_is_in_the_cache_is_asked_for_no_more(
    kind: str, checkpoint: pathlib.Path, server: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    split(checkpoint)
    commit = put(server, checkpoint)
    FACE[kind](f"{NAME}@v1.0")
    server.requests.clear()
    FACE[kind](f"{NAME}@{commit}")
    assert server.requests == []
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    FACE[kind](f"{NAME}@v1.0")
    with pytest.raises(HubError, match=r"Offline mode is on .*the cache does not hold school/model at other"):
        FACE[kind](f"{NAME}@other")
    assert server.requests == []


def test_another_kind_is_refused_before_its_weights_are_asked_for(
    kind: str, every_kind: pathlib.Path, server: FakeHub, tmp_path: pathlib.Path
) -> None:
    for other in LOAD:
        if KIND_OF[other] != KIND_OF[kind]:
            put(server, every_kind / other)
            server.requests.clear()
            found, needed = (schema.KINDS[KIND_OF[name]].label for name in (other, kind))
            with pytest.raises(CheckpointCorruptError) as refused:
                FACE[kind](NAME)
            assert str(refused.value) == f"school/model is {found}; {needed} is needed."
            assert not any(file.endswith(".safetensors") for file in asked(server))


def test_a_repository_that_lacks_a_file_is_told_before_its_weights_are_asked_for(
    kind: str, checkpoint: pathlib.Path, server: FakeHub
) -> None:
    (checkpoint / schema.METRICS).unlink()
    put(server, checkpoint)
    with pytest.raises(CheckpointMissingError, match=r"^school/model is no checkpoint: metrics\.json not found in it"):
        FACE[kind](NAME)
    assert schema.WEIGHTS not in asked(server)


def test_a_repository_without_weights_is_told(checkpoint: pathlib.Path, kind: str, server: FakeHub) -> None:
    (checkpoint / schema.WEIGHTS).unlink()
    put(server, checkpoint)
    with pytest.raises(HubError, match=r"The Hub has no file model\.safetensors in school/model"):
        FACE[kind](NAME)


@pytest.fixture
def shared(every_kind: pathlib.Path, tmp_path: pathlib.Path) -> pathlib.Path:
    """A classifier in three files, which a test may damage before it is put on the Hub."""
    path = pathlib.Path(shutil.copytree(every_kind / "classifier", tmp_path / "shared"))
    split(path)
    return path


def test_an_index_with_a_path_in_it_fetches_nothing_more(shared: pathlib.Path, server: FakeHub) -> None:
    index = json.loads((shared / schema.INDEX).read_text(encoding="utf-8"))
    index["weight_map"]["head.bias"] = "../../secret.safetensors"
    (shared / schema.INDEX).write_text(json.dumps(index), encoding="utf-8")
    put(server, shared)
    with pytest.raises(CheckpointCorruptError, match=r"names the file '\.\./\.\./secret\.safetensors'"):
        seqdemo.load(NAME)
    assert not any(file.endswith(".safetensors") for file in asked(server))


def test_a_file_that_the_index_names_and_the_hub_lacks_is_told(shared: pathlib.Path, server: FakeHub) -> None:
    (shared / shards.shard_name(2, 3)).unlink()
    put(server, shared)
    with pytest.raises(HubError, match=r"The Hub has no file .* in school/model"):
        seqdemo.load(NAME)
    assert not [request for request in server.requests if request.startswith("GET /cdn/")], "no weights were fetched"


def test_weights_larger_than_the_index_announces_are_not_fetched(shared: pathlib.Path, server: FakeHub) -> None:
    file = shared / shards.shard_name(3, 3)
    file.write_bytes(file.read_bytes() + b"\0" * 4_000_000)
    put(server, shared)
    with pytest.raises(HubError, match=r"Its files have 4\.0 MB on the Hub; 3\.3 MB are announced"):
        seqdemo.load(NAME)
    assert not [request for request in server.requests if request.startswith("GET /cdn/")]


def test_a_small_file_that_is_large_is_not_fetched(shared: pathlib.Path, server: FakeHub) -> None:
    (shared / schema.HISTORY).write_bytes(b" " * 1_000_001)
    put(server, shared)
    with pytest.raises(HubError, match=r"history\.json has 1\.0 MB on the Hub; at most 1 MB are read"):
        seqdemo.load(NAME)
    assert not list(hub.cache().rglob(schema.HISTORY))


def test_what_the_hub_does_not_size_or_sizes_too_high_is_refused() -> None:
    assert download.too_large({"a": 1, "b": 2}, {"a": 1, "b": 2}, 3) is None
    assert download.too_large({"a": None}, {"a": 1}, 3) == "The Hub does not say how large a is."
    gigabytes = download.too_large({"a": 3 * 10**9}, {"a": 2 * 10**9}, 10**10)
    assert gigabytes == "a has 3,000.0 MB on the Hub; at most 2,000 MB are read."


def test_weights_that_change_on_their_way_are_refused_and_leave_nothing(shared: pathlib.Path, server: FakeHub) -> None:
    put(server, shared)
    server.mode = "corrupt"
    with pytest.raises(HubError, match=r"model-0.*\.safetensors of school/model is not the file that the Hub names"):
        seqdemo.load(NAME)
    assert not list(hub.cache().rglob("*.safetensors"))
    server.mode = "working"
    assert seqdemo.load(NAME).name == "rnn"


def test_a_damaged_cache_is_fetched_anew(shared: pathlib.Path, server: FakeHub) -> None:
    commit = put(server, shared)
    folder = seqdemo.load(NAME).folder
    damaged = (folder / shards.shard_name(2, 3)).resolve()
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    assert seqdemo.load(f"{NAME}@{commit}").name == "rnn"


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        ("404", "The Hub shows no repository school/model"),
        ("403", "The Hub refuses access to school/model"),
        ("500", "The Hub has a fault of its own"),
        ("portal", "Something other than the Hub answered"),
        ("no revision", "The Hub has no revision main of school/model"),
        ("cut", "The Hub broke off in the middle of"),
    ],
)
def test_a_hub_that_fails_is_told_with_what_was_looked_for(
    shared: pathlib.Path, server: FakeHub, mode: str, said: str
) -> None:
    put(server, shared)
    server.mode = mode
    with pytest.raises(HubError, match=f"^There is no folder called 'school/model', so that the Hub was asked. {said}"):
        seqdemo.load(NAME)


def test_a_hub_that_hangs_keeps_nobody_waiting(shared: pathlib.Path, server: FakeHub) -> None:
    put(server, shared)
    server.mode = "hung"
    with pytest.raises(HubError, match=r"The Hub did not answer in 0\.5 s"):
        repository.fetch(hub.Repository(NAME, "main"), None, answer_s=0.5)
    server.mode = "slow"
    with pytest.raises(HubError, match="The Hub did not send everything in 3 s"):
        repository.fetch(hub.Repository(NAME, "main"), None, total_s=3)


def test_a_folder_of_that_name_comes_before_the_hub(
    shared: pathlib.Path, server: FakeHub, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    shutil.copytree(shared, tmp_path / "here" / "school" / "model")
    monkeypatch.chdir(tmp_path / "here")
    assert seqdemo.load(NAME).name == "rnn"
    assert server.requests == []


def test_a_path_is_never_asked_for_on_the_hub(server: FakeHub) -> None:
    with pytest.raises(UnknownModelError, match="no folder called 'school/model'"):
        seqdemo.load(pathlib.Path(NAME))
    assert server.requests == []


@pytest.mark.parametrize(
    "name",
    ["school/modle", "./model", "../model", "/school/model", "~/model", "school/model/epoch-1", "school\\model"],
)
def test_a_path_with_a_slip_in_it_is_called_a_folder_that_is_not_there(
    server: FakeHub, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path, name: str
) -> None:
    (tmp_path / "here" / "school" / "model").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(UnknownModelError) as refused:
        seqdemo.load(name)
    found, _, allowed = str(refused.value).partition(". A name is one of ")
    hub = "; school/modle@main would ask the Hub" if name == "school/modle" else ""
    assert found == f"There is no folder called {name!r}{hub}"
    assert allowed == (
        f"{', '.join(seqdemo.MODELS)}, the path of a checkpoint folder, or "
        "owner/repository or owner/repository@revision on the Hugging Face Hub."
    )
    assert server.requests == []


def test_a_revision_asks_the_hub_even_where_a_folder_is_called_as_the_owner(
    shared: pathlib.Path, server: FakeHub, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    put(server, shared)
    (tmp_path / "here" / "school").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    assert seqdemo.load(f"{NAME}@main").name == "rnn"
