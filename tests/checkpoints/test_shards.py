"""Weights in several files: what is split is whole again, and an index is believed in nothing."""

from __future__ import annotations

import json
import pathlib
import shutil
from collections.abc import Callable
from typing import Any

import pytest
import safetensors
import safetensors.torch
import torch

import seqdemo
from seqdemo.checkpoints import folder, hub, manifest, package, publish, schema, shards
from seqdemo.errors import CheckpointCorruptError, CheckpointMissingError, ConfigError, HubError
from tests.checkpoints.conftest import OWNER, save_tiny
from tests.checkpoints.fake_hub import FakeHub
from tests.checkpoints.kinds import KIND_OF, LOAD, read_tensors, split, weight_files

FIRST, SECOND, THIRD = (shards.shard_name(number, 3) for number in (1, 2, 3))


@pytest.fixture
def checkpoint(tmp_path: pathlib.Path) -> pathlib.Path:
    """A classifier whose weights are in three files."""
    save_tiny(tmp_path / "rnn")
    split(tmp_path / "rnn")
    assert [file.name for file in weight_files(tmp_path / "rnn")] == [FIRST, SECOND, THIRD]
    return tmp_path / "rnn"


def change_index(path: pathlib.Path, change: Callable[[dict[str, Any]], object]) -> None:
    index = json.loads((path / schema.INDEX).read_text(encoding="utf-8"))
    change(index)
    (path / schema.INDEX).write_text(json.dumps(index), encoding="utf-8")


def change_file(file: pathlib.Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    """Other tensors in one of the files, of which the index knows nothing."""
    tensors = safetensors.torch.load(file.read_bytes())
    change(tensors)
    file.write_bytes(safetensors.torch.save(tensors))


# --- what is split is whole again ---


@pytest.mark.parametrize("kind", LOAD)
def test_weights_in_several_files_are_the_weights_in_one(
    kind: str, every_kind: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    path = pathlib.Path(shutil.copytree(every_kind / kind, tmp_path / "split"))
    split(path)
    assert len(weight_files(path)) > 1
    whole, parts = LOAD[kind](every_kind / kind), LOAD[kind](path)
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(parts.model.state_dict()[name], tensor)


def test_a_table_in_bytes_may_be_in_another_file_than_its_scales(tmp_path: pathlib.Path) -> None:
    path = pathlib.Path(shutil.copytree(seqdemo.PRETRAINED / "rnn", tmp_path / "rnn"))
    split(path, 3)  # the table alone is nearly all
    index = shards.read(path / schema.INDEX)
    assert index.weight_map["embedding.weight"] != index.weight_map["embedding.weight.scale"]
    texts = ["not bad at all"]
    assert folder.load(path).predict_proba(texts) == folder.load(seqdemo.PRETRAINED / "rnn").predict_proba(texts)


def write(path: pathlib.Path, shard_bytes: int = package.SHARD_BYTES) -> None:
    torch.manual_seed(0)
    model = torch.nn.Sequential(*(torch.nn.Linear(8, 8) for _ in range(4)))
    package.write(path, model=model, config={}, metrics={}, history=[], training={}, shard_bytes=shard_bytes)


def test_weights_above_the_size_are_written_in_files_of_at_most_that_size(tmp_path: pathlib.Path) -> None:
    write(tmp_path / "it", shard_bytes=300)
    files = weight_files(tmp_path / "it")
    assert [file.name for file in files] == [shards.shard_name(number, 2) for number in (1, 2)]
    held = [safetensors.torch.load(file.read_bytes()) for file in files]
    assert [sum(tensor.nbytes for tensor in tensors.values()) for tensors in held] == [288, 288]
    assert json.loads((tmp_path / "it" / schema.INDEX).read_text(encoding="utf-8")) == {
        "metadata": {"total_size": 576},
        "weight_map": {name: file.name for file, tensors in zip(files, held, strict=True) for name in sorted(tensors)},
    }


def test_weights_up_to_the_size_stay_one_file(tmp_path: pathlib.Path) -> None:
    write(tmp_path / "exactly", shard_bytes=576)
    write(tmp_path / "usual")
    assert not (tmp_path / "exactly" / schema.INDEX).exists()
    assert (tmp_path / "exactly" / schema.WEIGHTS).read_bytes() == (tmp_path / "usual" / schema.WEIGHTS).read_bytes()


@pytest.mark.parametrize("name", ["rnn", "dates-attention"])
def test_shipped_weights_are_written_as_they_were(name: str, tmp_path: pathlib.Path) -> None:
    package.write_weights(tmp_path, read_tensors(seqdemo.PRETRAINED / name))
    assert [file.name for file in tmp_path.iterdir()] == [schema.WEIGHTS]
    assert schema.sha256(tmp_path / schema.WEIGHTS) == schema.sha256(seqdemo.PRETRAINED / name / schema.WEIGHTS)


def test_a_tensor_larger_than_the_size_has_a_file_of_its_own(tmp_path: pathlib.Path) -> None:
    write(tmp_path / "it", shard_bytes=10)
    assert len(weight_files(tmp_path / "it")) == 8


def test_more_files_than_are_read_are_not_written(tmp_path: pathlib.Path) -> None:
    tensors = {str(number): torch.ones(8) for number in range(65)}
    with pytest.raises(ConfigError, match="Files of 8 bytes would be 65; at most 64 are read"):
        package.write_weights(tmp_path, tensors, 8)
    assert list(tmp_path.iterdir()) == []


def test_one_file_replaces_several_and_several_replace_one(tmp_path: pathlib.Path) -> None:
    write(tmp_path / "it", shard_bytes=300)
    write(tmp_path / "it")
    assert [file.name for file in weight_files(tmp_path / "it")] == [schema.WEIGHTS]
    write(tmp_path / "it", shard_bytes=300)
    assert not (tmp_path / "it" / schema.WEIGHTS).exists()


def test_the_checksum_of_several_files_tells_every_byte_of_them(checkpoint: pathlib.Path) -> None:
    before = folder.load(checkpoint).sha256
    assert folder.load(checkpoint).sha256 == before
    change_file(checkpoint / THIRD, lambda tensors: next(iter(tensors.values())).fill_(0.5))
    assert folder.load(checkpoint).sha256 != before


# --- an index is believed in nothing ---


DAMAGES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "no map": (lambda index: index.pop("weight_map"), "has no weight_map"),
    "a list for a map": (lambda index: index.update(weight_map=[FIRST]), "has no weight_map"),
    "an empty map": (lambda index: index.update(weight_map={}), "has no weight_map"),
    "no metadata": (lambda index: index.pop("metadata"), "no whole number as total_size"),
    "a list of metadata": (lambda index: index.update(metadata=[1]), "no whole number as total_size"),
    "no size": (lambda index: index["metadata"].pop("total_size"), "no whole number as total_size"),
    "a size of yes": (lambda index: index["metadata"].update(total_size=True), "no whole number as total_size"),
    "a size below 0": (lambda index: index["metadata"].update(total_size=-1), "no whole number as total_size"),
    "another size": (lambda index: index["metadata"].update(total_size=7), "says 7 bytes of tensors; found: "),
    "gigabytes": (
        lambda index: index["metadata"].update(total_size=10**10),
        r"announces 10,000\.0 MB of weights; at most 2,000 MB are read",
    ),
    "a tensor of no file": (lambda index: index["weight_map"].update({"head.bias": None}), "names the file None"),
    "a path upwards": (
        lambda index: index["weight_map"].update({"head.bias": f"../rnn/{FIRST}"}),
        r"names the file '\.\./rnn/model-00001-of-00003\.safetensors'; its files are called model-00001",
    ),
    "an absolute path": (lambda index: index["weight_map"].update({"head.bias": "/etc/passwd"}), "'/etc/passwd'"),
    "a path on Windows": (lambda index: index["weight_map"].update({"head.bias": f"..\\{FIRST}"}), "names the file"),
    "a folder inside": (lambda index: index["weight_map"].update({"head.bias": f"more/{FIRST}"}), "names the file"),
    "a line more": (lambda index: index["weight_map"].update({"head.bias": f"{FIRST}\n"}), "names the file"),
    "other digits": (
        lambda index: index["weight_map"].update({"head.bias": "model-0000\u0661-of-00003.safetensors"}),
        "names the file",
    ),
    "a pickle": (lambda index: index["weight_map"].update({"head.bias": "pytorch_model.bin"}), "names the file"),
    "one file of them all": (lambda index: index["weight_map"].update({"head.bias": schema.WEIGHTS}), "names the file"),
    "a file of another set": (
        lambda index: index["weight_map"].update({"head.bias": shards.shard_name(4, 4)}),
        "names 4 files, which are to be called .*; one is called model-00001-of-00003",
    ),
    "a file left out": (
        lambda index: index.update(
            weight_map={name: file for name, file in index["weight_map"].items() if file != SECOND}
        ),
        "names 2 files, which are to be called model-00001-of-00002",
    ),
    "too many files": (
        lambda index: index["weight_map"].update({str(n): shards.shard_name(n, 65) for n in range(1, 66)}),
        "files; at most 64 are read",
    ),
    "a tensor less": (lambda index: index["weight_map"].pop("head.bias"), "missing: none; not named there: head.bias"),
    "a tensor more": (
        lambda index: index["weight_map"].update(more=FIRST),
        f"{FIRST} does not hold what .* says; missing: more; not named there: none",
    ),
    "a tensor elsewhere": (
        lambda index: index["weight_map"].update({"embedding.weight": THIRD, "head.bias": FIRST}),
        "does not hold what model.safetensors.index.json says",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_an_index_that_does_not_fit_is_refused(checkpoint: pathlib.Path, damage: str) -> None:
    change, said = DAMAGES[damage]
    change_index(checkpoint, change)
    with pytest.raises(CheckpointCorruptError, match=said) as refused:
        folder.load(checkpoint)
    assert str(checkpoint.parent) not in str(refused.value)


def test_a_tensor_that_two_files_hold_is_refused(checkpoint: pathlib.Path) -> None:
    change_file(checkpoint / THIRD, lambda tensors: tensors.update({"embedding.weight": torch.zeros(12, 4).half()}))
    with pytest.raises(CheckpointCorruptError, match=f"{THIRD} does not hold .* not named there: embedding.weight"):
        folder.load(checkpoint)


def test_a_tensor_that_the_index_names_twice_is_refused(checkpoint: pathlib.Path) -> None:
    text = (checkpoint / schema.INDEX).read_text(encoding="utf-8")
    twice = text.replace('"weight_map": {', f'"weight_map": {{"head.bias": "{FIRST}",')
    (checkpoint / schema.INDEX).write_text(twice, encoding="utf-8")
    with pytest.raises(CheckpointCorruptError, match=r"index\.json is not JSON: 'head\.bias' stands in it twice"):
        folder.load(checkpoint)


def test_one_file_beside_an_index_is_refused_in_a_sentence(checkpoint: pathlib.Path) -> None:
    (checkpoint / schema.WEIGHTS).write_bytes(safetensors.torch.save(read_tensors(checkpoint)))
    with pytest.raises(CheckpointCorruptError) as refused:
        folder.load(checkpoint)
    assert str(refused.value) == (
        "rnn holds both model.safetensors and model.safetensors.index.json; "
        "weights are in one file or in several, not in both."
    )


def test_files_without_their_index_are_no_checkpoint(checkpoint: pathlib.Path) -> None:
    (checkpoint / schema.INDEX).unlink()
    with pytest.raises(CheckpointMissingError, match=r"rnn is no checkpoint: model\.safetensors not found in it"):
        folder.load(checkpoint)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"a":' * 20 + "1" + "}" * 20, " " * 1_000_001])
def test_an_index_that_is_not_the_json_it_should_be_is_refused(checkpoint: pathlib.Path, text: str) -> None:
    (checkpoint / schema.INDEX).write_text(text, encoding="utf-8")
    with pytest.raises(CheckpointCorruptError, match=r"^model\.safetensors\.index\.json "):
        folder.load(checkpoint)


def test_several_files_together_are_no_larger_than_one_may_be(checkpoint: pathlib.Path) -> None:
    for file in weight_files(checkpoint):
        with file.open("ab") as opened:
            opened.truncate(700_000_000)  # takes no room on the disk
    with pytest.raises(CheckpointCorruptError, match=r"model\.safetensors has 2,100\.0 MB; at most 2,000 MB are read"):
        folder.load(checkpoint)


# --- the manifest and the Hub know them ---


@pytest.fixture
def split_pretrained(pretrained: pathlib.Path) -> pathlib.Path:
    """The embedded checkpoints; the RNN's weights are in three files."""
    split(pretrained / "rnn")
    manifest.update(pretrained)
    return pretrained


def test_the_manifest_names_index_and_every_file(split_pretrained: pathlib.Path) -> None:
    named = manifest.read(split_pretrained)["rnn"].files
    others = set(schema.KINDS[KIND_OF["classifier"]].files) - {schema.WEIGHTS}
    assert set(named) == {*others, schema.INDEX, FIRST, SECOND, THIRD}
    assert folder.load(split_pretrained / "rnn").name == "rnn"


@pytest.mark.parametrize("file", [schema.INDEX, FIRST, THIRD])
def test_a_file_that_is_not_what_the_manifest_names_is_refused(split_pretrained: pathlib.Path, file: str) -> None:
    content = (split_pretrained / "rnn" / file).read_bytes()
    (split_pretrained / "rnn" / file).write_bytes(content[:-1] + bytes([content[-1] ^ 0x80]))
    with pytest.raises(CheckpointCorruptError, match=rf"^{file} of pretrained/rnn is not the file .* SHA-256 differs"):
        folder.load(split_pretrained / "rnn")


def test_weights_that_are_written_anew_in_one_file_leave_no_name_in_the_manifest(
    split_pretrained: pathlib.Path,
) -> None:
    save_tiny(split_pretrained / "rnn", seed=1)
    assert set(manifest.read(split_pretrained)["rnn"].files) == set(schema.KINDS[None].files)
    assert manifest.changed(split_pretrained) == []


def upload(pretrained: pathlib.Path, server: FakeHub) -> None:
    publish.publish(OWNER, names=["rnn"], pretrained=pretrained, token="hf_good", endpoint=server.endpoint)


def test_a_split_model_is_published_and_comes_back_file_by_file(
    split_pretrained: pathlib.Path, fake_hub: FakeHub
) -> None:
    upload(split_pretrained, fake_hub)
    on_hub = set(fake_hub.repositories[f"{OWNER}/seqdemo-rnn-imdb"].files) - {".gitattributes"}
    assert on_hub == {*(set(schema.FILES) - {schema.WEIGHTS}), schema.INDEX, FIRST, SECOND, THIRD}
    path, source = hub.fetch("rnn")
    assert source.kind == "hub"
    assert folder.load(path).sha256 == folder.load(split_pretrained / "rnn").sha256
    assert hub.resolve_local("rnn")[1].kind == "cache"


def test_a_model_that_is_split_later_leaves_no_single_file_on_the_hub(
    pretrained: pathlib.Path, fake_hub: FakeHub
) -> None:
    upload(pretrained, fake_hub)
    split(pretrained / "rnn")
    manifest.update(pretrained)
    upload(pretrained, fake_hub)
    assert schema.WEIGHTS not in fake_hub.repositories[f"{OWNER}/seqdemo-rnn-imdb"].files
    assert folder.load(hub.fetch("rnn")[0]).name == "rnn"


def test_one_damaged_file_of_several_is_not_used_from_the_cache(
    split_pretrained: pathlib.Path, fake_hub: FakeHub
) -> None:
    upload(split_pretrained, fake_hub)
    path, _ = hub.fetch("rnn")
    damaged = (path / SECOND).resolve()
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    assert f"{SECOND} of the Hub's copy is not the file" in hub.resolve_local("rnn")[1].reason
    hub.fetch("rnn")
    assert hub.resolve_local("rnn")[1].kind == "cache"


def test_one_corrupt_file_of_several_is_refused_on_its_way(split_pretrained: pathlib.Path, fake_hub: FakeHub) -> None:
    upload(split_pretrained, fake_hub)
    fake_hub.mode = "corrupt"
    with pytest.raises(HubError, match="SHA-256 differs"):
        hub.fetch("rnn")
