"""One table of damaged checkpoints, which every kind refuses in the same words before it costs anything."""

from __future__ import annotations

import json
import os
import pathlib
import pickle
import re
import shutil
import struct
from collections.abc import Callable
from typing import Any

import pytest
import torch

from seqdemo.checkpoints import schema
from seqdemo.errors import CheckpointCorruptError, CheckpointMissingError
from tests.checkpoints.conftest import WORDS
from tests.checkpoints.kinds import (
    KIND_OF,
    LOAD,
    change_json,
    change_shape,
    change_tensors,
    read_tensors,
    split,
    weight_files,
)

Damage = Callable[[pathlib.Path], object]
PART = "head.bias"
"""A small tensor of a model; the first of these that it has."""
PARTS = (PART, "decoder.bias", "network.head.bias")


def json_of(file: str, **entries: Any) -> Damage:
    return lambda path: change_json(path / file, **entries)


def text_of(file: str, text: str | bytes) -> Damage:
    content = text.encode() if isinstance(text, str) else text
    return lambda path: (path / file).write_bytes(content)


def shape_of(**entries: Any) -> Damage:
    return lambda path: change_shape(path, **entries)


def words(change: Callable[[bytes], bytes]) -> Damage:
    def damage(path: pathlib.Path) -> None:
        file = path / schema.VOCABULARY
        file.write_bytes(change(file.read_bytes()))

    return damage


def part(change: Callable[[torch.Tensor], torch.Tensor | None]) -> Damage:
    """Another tensor in the place of a small one; none where the change gives none."""

    def damage(path: pathlib.Path) -> None:
        def of_all(tensors: dict[str, torch.Tensor]) -> None:
            name = small(tensors)
            found = change(tensors.pop(name))
            if found is not None:
                tensors[name] = found

        change_tensors(path, of_all)

    return damage


def small(tensors: dict[str, torch.Tensor]) -> str:
    return next(name for name in PARTS if name in tensors)


def last_file(change: Callable[[bytes], bytes]) -> Damage:
    """Other bytes in the last file of weights."""

    def damage(path: pathlib.Path) -> None:
        file = weight_files(path)[-1]
        file.write_bytes(change(file.read_bytes()))

    return damage


class Bomb:
    """Ends the tests where a pickle of it is read."""

    def __reduce__(self) -> tuple[object, ...]:
        return os.abort, ()


def torch_pickle(path: pathlib.Path) -> None:
    torch.save(Bomb(), weight_files(path)[-1])


def too_large(path: pathlib.Path) -> None:
    os.truncate(weight_files(path)[-1], 2_000_000_001)  # takes no room on the disk


JSON_FILES = (schema.CONFIG, schema.METRICS, schema.HISTORY)
OF_JSON: dict[str, tuple[str, str]] = {
    "nothing": ("", "is not JSON"),
    "half": ("{", "is not JSON"),
    "a word": ('"words"', "holds a str"),
    "null": ("null", "holds a NoneType"),
    "deep": ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
    "rather deep": ('{"a":' * 20 + "1" + "}" * 20, "nested too deeply|holds a dict"),
    "many values": (json.dumps([{}] * 60_000), "more than 50,000 values|holds a list"),
    "many bytes": (" " * 1_000_001, "has 1.0 MB; at most 1 MB"),
    "not a number": ("NaN", "NaN is no number"),
    "infinity": ('[{"x": -Infinity}]', "Infinity is no number"),
    "overflow in a list": ('[{"x": 1e999}]', "not finite|holds a list"),
    "overflow": ('{"x": 1e999}', "not finite|holds a dict"),
    "long number": ('[{"x": ' + "9" * 4_000 + "}]", "far too large|holds a list"),
    "endless number": ("9" * 5_000, "is not JSON"),
    "long text": (json.dumps(["a" * 10_001]), "more than 10,000 letters|holds a list"),
    "plain entries": ("[1]", "among its entries|holds a list"),
    "one name twice": ('{"seed": 1, "seed": 2}', "'seed' stands in it twice"),
    "no letters": (b"\xff\xfe\x00".decode("latin-1"), "is not JSON"),
}
DAMAGES: dict[str, tuple[Damage, str]] = {
    f"{file}: {name}": (text_of(file, text), rf"^{re.escape(file)} .*({said})")
    for file in JSON_FILES
    for name, (text, said) in OF_JSON.items()
} | {
    # what the config says
    "another format": (json_of(schema.CONFIG, format=2), "config.json has format 2; this program reads 1"),
    "an unknown kind": (json_of(schema.CONFIG, kind="novels"), "models of the kind 'novels' are not known here"),
    "a kind that is no text": (json_of(schema.CONFIG, kind=["dates"]), r"models of the kind \['dates'\]"),
    "a list for a shape": (json_of(schema.CONFIG, architecture=[1]), "config.json: architecture is no dict"),
    "no shape": (json_of(schema.CONFIG, architecture=None), "config.json: architecture is no dict"),
    "an empty shape": (json_of(schema.CONFIG, architecture={}), "config.json: .*missing: .*(vocab_size|n_inputs)"),
    "an unknown entry": (shape_of(colour="red"), "config.json: .*unknown: colour; missing: none"),
    "a width of a list": (shape_of(d_hidden=[1]), "config.json: .*d_hidden"),
    "a width of yes": (shape_of(d_hidden=True), "config.json: .*d_hidden"),
    "a width of 0": (shape_of(d_hidden=0), "config.json: .*d_hidden"),
    "a width of gigabytes": (shape_of(d_hidden=60_000), r"^config.json: d_hidden is at most 4,096; got 60,000\.$"),
    "an endless width": (shape_of(d_hidden=10**12), "d_hidden is at most 4,096"),
    "another width": (shape_of(d_hidden=10), "has the shape"),
    "much training": (json_of(schema.CONFIG, training="much"), "config.json: training is no dict"),
    "tables by name": (json_of(schema.CONFIG, int8_tables={"head.weight": 1}), "config.json: int8_tables"),
    "no tables": (json_of(schema.CONFIG, int8_tables=None), "config.json: int8_tables"),
    "a list of lists": (json_of(schema.CONFIG, int8_tables=[["a"]]), "config.json: int8_tables"),
    "a vector as a table": (json_of(schema.CONFIG, int8_tables=["head.bias"]), "'head.bias', which is no table"),
    "a table of no model": (json_of(schema.CONFIG, int8_tables=["no such"]), "'no such', which is no table"),
    "a model of no name": (json_of(schema.CONFIG, model=3), "config.json: model is the name of a model; got 3"),
    "another model's training": (
        json_of(schema.CONFIG, training={"model": "gru"}),
        "the training in config.json that it is 'gru'",
    ),
    # what was measured
    "an accuracy as text": (json_of(schema.METRICS, test_accuracy="0.9"), "a number from 0 to 1; got '0.9'"),
    "an accuracy of 90": (json_of(schema.METRICS, test_accuracy=90), "test_accuracy is a number from 0 to 1"),
    "an accuracy of yes": (json_of(schema.METRICS, validation_accuracy=True), "validation_accuracy"),
    "half an interval": (json_of(schema.METRICS, test_interval=0.5), "test_interval is two numbers"),
    "a turned interval": (json_of(schema.METRICS, test_interval=[0.9, 0.1]), "the lower one first"),
    "an open interval": (json_of(schema.METRICS, test_interval=[0.1, None]), "test_interval"),
    "half a review": (json_of(schema.METRICS, test_n=1.5), "test_n is a whole number"),
    "fewer than none": (json_of(schema.METRICS, parameters=-1), "parameters is a whole number"),
    "other parameters": (json_of(schema.METRICS, parameters=7), "metrics.json says 7 parameters; the model has"),
    "a long seed": (json_of(schema.METRICS, seed=2**60), "seed"),
    "no best epoch": (json_of(schema.METRICS, best_epoch=None), "best_epoch"),
    "a best epoch after the last": (json_of(schema.METRICS, best_epoch=3, epochs=2), "epoch 3 the best of 2"),
    "a list of seconds": (json_of(schema.METRICS, seconds=[1]), "seconds is a number of at least 0"),
    "a loss of entries": (json_of(schema.METRICS, test_loss_nats={}), "test_loss_nats"),
    "a device of entries": (json_of(schema.METRICS, device={"a": 1}), "device is a short text"),
    "a long commit": (json_of(schema.METRICS, commit="x" * 300), "commit"),
    "an accuracy inside": (json_of(schema.METRICS, forms=[{"accuracy": "all"}]), "accuracy is a number from 0 to 1"),
    "a ceiling as text": (json_of(schema.METRICS, ceiling="1"), "ceiling"),
    "metrics of another model": (json_of(schema.METRICS, model="lstm"), "metrics.json that it is 'lstm'"),
    # what happened in each epoch
    "an epoch as text": (text_of(schema.HISTORY, '[{"epoch": "1"}]'), "history.json: epoch"),
    "an accuracy of 2": (text_of(schema.HISTORY, '[{"validation_accuracy": 2}]'), "history.json: validation_accuracy"),
    "a low loss": (text_of(schema.HISTORY, '[{"train_loss_nats": "low"}]'), "history.json: train_loss_nats"),
    "seconds below 0": (text_of(schema.HISTORY, '[{"seconds": -1}]'), "history.json: seconds"),
}
OF_WORDS: dict[str, tuple[Damage, str]] = {
    "one word more": (
        words(lambda text: text + b"more\n"),
        f"vocab.txt has {len(WORDS) + 1} words; config.json says {len(WORDS)}",
    ),
    "a million words more": (words(lambda text: text + b"a\n" * 1_000_000), "vocab.txt has 1000012 words"),
    "megabytes of words": (words(lambda text: text + b"a\n" * 3_000_000), "vocab.txt has 6.0 MB; at most 5 MB"),
    "no letters": (words(lambda text: text[:-2] + b"\xff\n"), "vocab.txt is not UTF-8 text"),
    "a word twice": (words(lambda text: text.replace(b"film", b"the")), "."),
    "no sign for padding": (words(lambda text: text.replace(b"<pad>", b"pad")), "."),
    "other tokens": (json_of(schema.CONFIG, tokens=99), "tokens of version 99; this program makes version 1"),
    "tokens as text": (json_of(schema.CONFIG, tokens="1"), "config.json: .*version '1'"),
    "tokens of yes": (json_of(schema.CONFIG, tokens=True), "config.json: .*version True"),
}
OF_WEIGHTS: dict[str, tuple[Damage, str]] = {
    "a tensor more": (lambda path: change_tensors(path, lambda found: found.update(more=torch.ones(1))), "known: more"),
    "a tensor less": (part(lambda _: None), f"missing: {PART}"),
    "another shape": (part(lambda tensor: tensor[None]), rf"{PART} has the shape \(1, \d+\); its model has \(\d+,\)"),
    "double precision": (part(torch.Tensor.double), f"{PART} is stored as F64; F16 is expected"),
    "whole numbers": (part(torch.Tensor.int), f"{PART} is stored as I32; F16 is expected"),
    "not a number": (part(lambda tensor: tensor.fill_(float("nan"))), f"{PART} holds values that are not finite"),
    "infinity": (part(lambda tensor: tensor.fill_(float("inf"))), f"{PART} holds values that are not finite"),
    "no bytes": (last_file(lambda _: b""), "is not a safetensors file"),
    "five bytes": (last_file(lambda content: content[:5]), "is not a safetensors file"),
    "half": (last_file(lambda content: content[: len(content) // 2]), "is not a safetensors file"),
    "all but a byte": (last_file(lambda content: content[:-1]), "is not a safetensors file"),
    "a byte more": (last_file(lambda content: content + b"\0"), "is not a safetensors file"),
    "a web page": (last_file(lambda _: b"<html>" * 100), "is not a safetensors file"),
    "a long header": (last_file(lambda _: struct.pack("<Q", 10**6 + 1) + b"{" * 2_000_000), "header would have"),
    "an endless header": (last_file(lambda _: struct.pack("<Q", 2**63) + b"{" * 100), "its header would have"),
    "a pickle": (last_file(lambda _: pickle.dumps(Bomb())), "is not a safetensors file"),
    "torch's pickle": (torch_pickle, "is not a safetensors file"),
    "gigabytes": (too_large, "MB; at most 2,000 MB are read"),
}


@pytest.fixture(params=LOAD)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def checkpoint(kind: str, every_kind: pathlib.Path, tmp_path: pathlib.Path) -> pathlib.Path:
    """A checkpoint that the test may damage."""
    return pathlib.Path(shutil.copytree(every_kind / kind, tmp_path / "checkpoint"))


def assert_refused(kind: str, path: pathlib.Path, said: str) -> None:
    with pytest.raises(CheckpointCorruptError, match=said) as refused:
        LOAD[kind](path)
    assert str(path.parent) not in str(refused.value), "no path of the server"
    assert len(str(refused.value)) < 1_000


@pytest.mark.parametrize("damage", DAMAGES)
def test_every_kind_refuses_what_is_damaged_beside_its_weights(
    kind: str, checkpoint: pathlib.Path, damage: str
) -> None:
    change, said = DAMAGES[damage]
    change(checkpoint)
    assert_refused(kind, checkpoint, said)


@pytest.mark.parametrize("damage", OF_WORDS)
@pytest.mark.parametrize("kind", ["classifier", "language model", "task on texts"])
def test_every_kind_of_model_of_texts_refuses_damaged_words(kind: str, checkpoint: pathlib.Path, damage: str) -> None:
    change, said = OF_WORDS[damage]
    change(checkpoint)
    assert_refused(kind, checkpoint, said)


@pytest.mark.parametrize("n_shards", [1, 3], ids=["one file", "several files"])
@pytest.mark.parametrize("damage", OF_WEIGHTS)
def test_every_kind_refuses_damaged_weights(kind: str, checkpoint: pathlib.Path, damage: str, n_shards: int) -> None:
    if n_shards > 1:
        split(checkpoint, n_shards)
    change, said = OF_WEIGHTS[damage]
    said = said.replace(PART, small(read_tensors(checkpoint)))
    change(checkpoint)
    assert_refused(kind, checkpoint, said)


@pytest.mark.parametrize("n_shards", [1, 3], ids=["one file", "several files"])
def test_every_kind_names_a_file_that_is_missing(kind: str, checkpoint: pathlib.Path, n_shards: int) -> None:
    if n_shards > 1:
        split(checkpoint, n_shards)
    for file in sorted(checkpoint.iterdir()):
        if file.name in {schema.CARD, schema.INDEX}:
            continue
        content = file.read_bytes()
        file.unlink()
        with pytest.raises(CheckpointMissingError) as missing:
            LOAD[kind](checkpoint)
        assert str(missing.value) == f"checkpoint is no checkpoint: {file.name} not found in it."
        file.write_bytes(content)
    LOAD[kind](checkpoint)


def test_every_kind_does_without_a_card(kind: str, checkpoint: pathlib.Path) -> None:
    (checkpoint / schema.CARD).unlink(missing_ok=True)
    LOAD[kind](checkpoint)


def test_no_kind_is_taken_for_another(kind: str, every_kind: pathlib.Path) -> None:
    for other in LOAD:
        if KIND_OF[other] != KIND_OF[kind]:
            found, needed = (schema.KINDS[KIND_OF[name]].label for name in (other, kind))
            with pytest.raises(CheckpointCorruptError) as refused:
                LOAD[kind](every_kind / other)
            assert str(refused.value) == f"{other} is {found}; {needed} is needed."


def test_every_kind_refuses_a_model_larger_than_is_wanted(kind: str, checkpoint: pathlib.Path) -> None:
    with pytest.raises(CheckpointCorruptError, match=r"model\.safetensors holds [\d,]+ numbers; at most 50 are read"):
        LOAD[kind](checkpoint, max_parameters=50)
    split(checkpoint)
    with pytest.raises(CheckpointCorruptError, match=r"index\.json holds [\d,]+ numbers; at most 50 are read"):
        LOAD[kind](checkpoint, max_parameters=50)


def test_every_kind_that_the_schema_knows_is_in_this_table() -> None:
    assert set(KIND_OF.values()) == set(schema.KINDS)


def test_every_kind_refuses_another_size_before_it_is_built(kind: str, checkpoint: pathlib.Path) -> None:
    change_shape(checkpoint, d_hidden=4_096)  # 200 MB of an LSTM, 67 MB of the RNN here
    before = _resident()
    assert_refused(kind, checkpoint, "has the shape")
    assert _resident() - before < 20e6


def _resident() -> int:
    """Bytes in memory now; 0 where the system does not say."""
    status = pathlib.Path("/proc/self/statm")
    return int(status.read_text().split()[1]) * 4096 if status.is_file() else 0
