"""Checkpoint folders of every kind: what is written is read, and what is wrong is refused before it costs anything."""

from __future__ import annotations

import json
import pathlib
import re
import shutil
import struct
import time
from collections.abc import Callable
from typing import Any

import pytest
import safetensors.torch
import torch

import seqdemo
from seqdemo.checkpoints import folder, language_model, package, schema, translator
from seqdemo.data import dates
from seqdemo.errors import CheckpointCorruptError, CheckpointMissingError
from seqdemo.models import registry
from seqdemo.models.language import MaskedLanguageModel, RecurrentLanguageModel
from seqdemo.models.recurrent import RecurrentConfig
from seqdemo.models.seq2seq import Seq2Seq, Seq2SeqConfig
from seqdemo.text import Vocabulary
from tests.checkpoints.conftest import TINY, WORDS, save_tiny

LOAD: dict[str, Callable[[pathlib.Path], Any]] = {
    "classifier": folder.load,
    "language model": language_model.load,
    "dates": translator.load,
}


@pytest.fixture(scope="session")
def every_kind(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A tiny checkpoint of each kind; not to be written to."""
    root = tmp_path_factory.mktemp("kinds")
    save_tiny(root / "classifier")
    torch.manual_seed(0)
    shape = registry.make_config("rnn", vocab_size=len(WORDS), **TINY["rnn"])
    assert isinstance(shape, RecurrentConfig)
    said: dict[str, Any] = {"metrics": {"seconds": 1.0}, "history": [{"epoch": 1, "seconds": 1.0}], "training": {}}
    language_model.save(
        root / "language model",
        name="rnn",
        model=RecurrentLanguageModel(shape),
        vocabulary=Vocabulary(WORDS),
        **said,
    )
    characters = Seq2SeqConfig(n_inputs=len(dates.INPUTS), n_outputs=len(dates.OUTPUTS), d_hidden=8, d_embed=4)
    translator.save(root / "dates", model=Seq2Seq(characters), **said)
    return root


@pytest.fixture(params=LOAD)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def checkpoint(kind: str, every_kind: pathlib.Path, tmp_path: pathlib.Path) -> pathlib.Path:
    """A checkpoint that the test may damage."""
    return pathlib.Path(shutil.copytree(every_kind / kind, tmp_path / "checkpoint"))


def change_json(path: pathlib.Path, **entries: Any) -> None:
    found = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**found, **entries}), encoding="utf-8")


def change_shape(path: pathlib.Path, **entries: Any) -> None:
    config = json.loads((path / schema.CONFIG).read_text(encoding="utf-8"))
    change_json(path / schema.CONFIG, architecture={**config["architecture"], **entries})


def change_tensors(path: pathlib.Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    tensors = safetensors.torch.load((path / schema.WEIGHTS).read_bytes())
    change(tensors)
    safetensors.torch.save_file(tensors, path / schema.WEIGHTS)


def refusal(kind: str, path: pathlib.Path) -> str:
    with pytest.raises(CheckpointCorruptError) as refused:
        LOAD[kind](path)
    said = str(refused.value)
    assert str(path.parent) not in said, "no path of the server"
    return said


# --- what is written is read ---


def test_a_large_table_is_stored_in_a_byte_an_entry_with_a_small_error() -> None:
    table = torch.randn(2000, 500, generator=torch.Generator().manual_seed(0)) * torch.linspace(0.001, 2, 2000)[:, None]
    table[0] = 0
    packed, int8_tables = package.pack({"embedding": table, "bias": torch.ones(5)})
    assert int8_tables == ["embedding"]
    assert {name: tensor.dtype for name, tensor in packed.items()} == {
        "embedding": torch.int8,
        "embedding.scale": torch.float16,
        "bias": torch.float16,
    }
    restored = package.unpack(packed, int8_tables)
    assert set(restored) == {"embedding", "bias"}
    # Half a step of the row's scale, and what rounding the scale to fp16 costs at most.
    bound = table.abs().amax(1, keepdim=True) * (0.5 / 127 + 2**-10) + 1e-7
    assert ((restored["embedding"] - table).abs() <= bound).all()


def built_on_the_cpu(model: torch.nn.Module, path: pathlib.Path) -> torch.nn.Module:
    """A model built and filled the ordinary way, with the stored weights."""
    config = json.loads((path / schema.CONFIG).read_text(encoding="utf-8"))
    stored = safetensors.torch.load((path / schema.WEIGHTS).read_bytes())
    model.load_state_dict(package.unpack(stored, config.get("int8_tables", [])))
    return model.eval()


@pytest.mark.parametrize("name", [*registry.MODELS, "lm-lstm", "lm-transformer", "dates-attention"])
def test_a_shipped_model_built_without_memory_gives_the_same_numbers_as_one_built_with(name: str) -> None:
    path = seqdemo.PRETRAINED / name
    ids, lengths = torch.tensor([[5, 9, 30, 7], [8, 3, 0, 0]]), torch.tensor([4, 2])
    with torch.inference_mode():
        if name.startswith("dates"):
            dated = translator.load(path).model
            other = built_on_the_cpu(Seq2Seq(dated.config), path)
            assert torch.equal(dated(ids, lengths, ids % 10), other(ids, lengths, ids % 10))
        elif name.startswith("lm-"):
            given = language_model.load(path).model
            if isinstance(given, MaskedLanguageModel):
                masked = built_on_the_cpu(MaskedLanguageModel(given.config), path)
                assert isinstance(masked, MaskedLanguageModel)
                assert torch.equal(given.states(ids, lengths), masked.states(ids, lengths))
            else:
                assert torch.equal(given(ids)[0], built_on_the_cpu(RecurrentLanguageModel(given.config), path)(ids)[0])
        else:
            read = folder.load(path).model
            other = built_on_the_cpu(registry.build(name, read.config), path)
            assert torch.equal(read(ids, lengths), other(ids, lengths))
            assert torch.equal(read.record(ids[0])[0], other.record(ids[0])[0])


@pytest.mark.parametrize("path", sorted(path.parent for path in seqdemo.PRETRAINED.glob("*/config.json")), ids=str)
def test_every_shipped_checkpoint_fits_the_schema(path: pathlib.Path) -> None:
    config = json.loads((path / schema.CONFIG).read_text(encoding="utf-8"))
    LOAD[config.get("kind", "classifier")](path)
    schema.read_history(path / schema.HISTORY)


def test_a_model_with_a_buffer_that_nobody_fills_is_a_fault_of_the_program(tmp_path: pathlib.Path) -> None:
    class Forgetful(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = torch.nn.Linear(1, 1)
            self.register_buffer("left", torch.zeros(3), persistent=False)

    shape = Seq2SeqConfig(n_inputs=1, n_outputs=1)
    package.write(tmp_path / "it", model=Forgetful(), config={}, metrics={}, history=[], training={})
    found = package.read(tmp_path / "it", kind=None, needed=translator.FILES)
    with pytest.raises(TypeError, match="neither stored nor computed"):
        found.module(shape, Forgetful)


def test_loading_draws_nothing_from_the_shared_chance(kind: str, checkpoint: pathlib.Path) -> None:
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    LOAD[kind](checkpoint)
    assert torch.rand(1) == expected


def test_a_measure_that_is_not_finite_is_written_as_nothing(tmp_path: pathlib.Path) -> None:
    schema.write_json(tmp_path / schema.METRICS, {"seconds": float("inf"), "all": [1.0, float("nan")]})
    assert schema.read_metrics(tmp_path / schema.METRICS) == {"seconds": None, "all": [1.0, None]}


# --- what is wrong is refused, of every kind alike ---


def test_one_kind_is_not_taken_for_another(kind: str, every_kind: pathlib.Path) -> None:
    for other in LOAD:
        if other != kind:
            with pytest.raises((CheckpointCorruptError, CheckpointMissingError)):
                LOAD[kind](every_kind / other)


def test_a_file_that_is_missing_is_named_without_the_path_of_the_server(kind: str, checkpoint: pathlib.Path) -> None:
    (checkpoint / schema.WEIGHTS).unlink()
    with pytest.raises(CheckpointMissingError, match=r"checkpoint is no checkpoint: model\.safetensors not") as missing:
        LOAD[kind](checkpoint)
    assert str(checkpoint.parent) not in str(missing.value)


@pytest.mark.parametrize("width", [60_000, 10**12])
def test_a_model_that_would_take_gigabytes_is_refused_at_once(kind: str, checkpoint: pathlib.Path, width: int) -> None:
    change_shape(checkpoint, d_hidden=width)
    started = time.perf_counter()
    assert refusal(kind, checkpoint) == f"config.json: d_hidden is at most 4,096; got {width:,}."
    assert time.perf_counter() - started < 1


def test_a_size_that_is_allowed_but_not_that_of_the_weights_is_refused_before_it_is_built(
    kind: str, checkpoint: pathlib.Path
) -> None:
    change_shape(checkpoint, d_hidden=4_096)  # 200 MB of an LSTM, 67 MB of the RNN here
    before = _resident()
    assert "has the shape" in refusal(kind, checkpoint)
    assert _resident() - before < 20e6


def _resident() -> int:
    """Bytes in memory now; 0 where the system does not say."""
    status = pathlib.Path("/proc/self/statm")
    return int(status.read_text().split()[1]) * 4096 if status.is_file() else 0


@pytest.mark.parametrize("entry", ["n_layers", "n_heads", "max_tokens", "vocab_size", "d_ff"])
def test_no_size_of_a_transformer_is_without_a_bound(tmp_path: pathlib.Path, entry: str) -> None:
    save_tiny(tmp_path / "transformer", "transformer")
    change_shape(tmp_path / "transformer", **{entry: 10**9, "d_model": 4_000 if entry == "n_heads" else 8})
    with pytest.raises(CheckpointCorruptError):
        folder.load(tmp_path / "transformer")


def test_a_model_larger_than_is_wanted_is_refused_by_the_header_alone(checkpoint: pathlib.Path, kind: str) -> None:
    if kind == "classifier":
        with pytest.raises(CheckpointCorruptError, match=r"model\.safetensors holds \d+ numbers; at most 50 are read"):
            folder.load(checkpoint, max_parameters=50)


@pytest.mark.parametrize("file", [schema.CONFIG, schema.METRICS, schema.HISTORY])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
        ('{"a":' * 20 + "1" + "}" * 20, "nested too deeply|holds a dict"),
        (json.dumps([{}] * 60_000), "more than 50,000 values|holds a list"),
        (" " * 1_000_001, "has 1.0 MB; at most 1 MB"),
        ("NaN", "NaN is no number"),
        ('[{"x": -Infinity}]', "Infinity is no number"),
        ('[{"x": 1e999}]', "not finite|holds a list"),
        ('{"x": 1e999}', "not finite|holds a dict"),
        ('[{"x": ' + "9" * 4_000 + "}]", "far too large|holds a list"),
        ("9" * 5_000, "is not JSON"),
        (json.dumps(["a" * 10_001]), "more than 10,000 letters|holds a list"),
        ("[1]", "among its entries|holds a list"),
        ("", "is not JSON"),
    ],
)
def test_json_that_is_large_deep_or_not_finite_is_refused(
    every_kind: pathlib.Path, tmp_path: pathlib.Path, file: str, text: str, said: str
) -> None:
    path = pathlib.Path(shutil.copytree(every_kind / "dates", tmp_path / "checkpoint"))
    (path / file).write_text(text, encoding="utf-8")
    message = refusal("dates", path)
    assert message.startswith(file)
    assert re.search(said, message)


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ({"test_accuracy": "0.9"}, "test_accuracy is a number from 0 to 1; got '0.9'"),
        ({"test_accuracy": 90}, "test_accuracy is a number from 0 to 1"),
        ({"validation_accuracy": True}, "validation_accuracy"),
        ({"test_interval": 0.5}, "test_interval is two numbers"),
        ({"test_interval": [0.9, 0.1]}, "the lower one first"),
        ({"test_interval": [0.1, None]}, "test_interval"),
        ({"test_n": 1.5}, "test_n is a whole number"),
        ({"parameters": -1}, "parameters is a whole number"),
        ({"seed": 2**60}, "seed"),
        ({"best_epoch": None}, "best_epoch"),
        ({"best_epoch": 3, "epochs": 2}, "epoch 3 the best of 2"),
        ({"seconds": [1]}, "seconds is a number of at least 0"),
        ({"test_loss_nats": {}}, "test_loss_nats"),
        ({"device": {"a": 1}}, "device is a short text"),
        ({"commit": "x" * 300}, "commit"),
        ({"forms": [{"accuracy": "all"}]}, "accuracy is a number from 0 to 1"),
        ({"ceiling": "1"}, "ceiling"),
    ],
)
def test_a_value_of_the_wrong_type_in_the_metrics_is_refused(
    kind: str, checkpoint: pathlib.Path, entries: dict[str, Any], said: str
) -> None:
    change_json(checkpoint / schema.METRICS, **entries)
    assert said in refusal(kind, checkpoint)


def test_a_value_of_the_wrong_type_in_the_history_is_refused(every_kind: pathlib.Path, tmp_path: pathlib.Path) -> None:
    path = pathlib.Path(shutil.copytree(every_kind / "classifier", tmp_path / "checkpoint"))
    for entry in ({"epoch": "1"}, {"validation_accuracy": 2}, {"train_loss_nats": "low"}, {"seconds": -1}):
        (path / schema.HISTORY).write_text(json.dumps([entry]))
        assert "history.json: " in refusal("classifier", path)


@pytest.mark.parametrize(
    "entries",
    [
        {"format": 2},
        {"kind": "nothing known"},
        {"architecture": [1]},
        {"architecture": None},
        {"architecture": {}},
        {"architecture": {"d_hidden": [1]}},
        {"training": "much"},
        {"int8_tables": {"head.weight": 1}},
        {"int8_tables": [["head.weight"]]},
        {"int8_tables": ["head.bias"]},
        {"int8_tables": ["no such"]},
    ],
)
def test_a_description_of_something_else_is_refused(
    kind: str, checkpoint: pathlib.Path, entries: dict[str, Any]
) -> None:
    change_json(checkpoint / schema.CONFIG, **entries)
    assert "config.json" in refusal(kind, checkpoint)


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ({"n_layers": True}, "n_layers"),
        ({"bidirectional": "yes"}, "bidirectional"),
        ({"forget_bias": "open"}, "wrong type"),
        ({"recurrent_init": "zeros"}, "recurrent_init"),
        ({"dropout": "much"}, "wrong type"),
        ({"cell": "gru"}, "cell"),
        ({"n_outputs": 3}, "something else (3 answers)"),
    ],
)
def test_a_shape_of_the_wrong_types_is_refused(
    every_kind: pathlib.Path, tmp_path: pathlib.Path, entries: dict[str, Any], said: str
) -> None:
    path = pathlib.Path(shutil.copytree(every_kind / "classifier", tmp_path / "checkpoint"))
    change_shape(path, **entries)
    assert said in refusal("classifier", path)


def test_which_model_it_is_must_agree_everywhere(every_kind: pathlib.Path, tmp_path: pathlib.Path) -> None:
    for file, entries, said in (
        (schema.METRICS, {"model": "lstm"}, "metrics.json that it is 'lstm'"),
        (schema.METRICS, {"parameters": 7}, "metrics.json says 7 parameters; the model has"),
        (schema.CONFIG, {"training": {"model": "gru"}}, "the training in config.json that it is 'gru'"),
        (schema.CONFIG, {"model": "gru"}, "GRU has cell='gru'; got 'rnn'"),
        (schema.CONFIG, {"task": "parity"}, "answers something else (parity)"),
    ):
        path = tmp_path / said[:20]
        shutil.copytree(every_kind / "classifier", path)
        change_json(path / file, **entries)
        assert said in refusal("classifier", path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda tensors: tensors.update({"more": torch.ones(1)}), "not known: more"),
        (lambda tensors: tensors.pop("head.bias"), "missing: head.bias"),
        (lambda tensors: tensors.update({"head.bias": tensors["head.bias"][None]}), "head.bias has the shape"),
        (lambda tensors: tensors.update({"head.bias": tensors["head.bias"].double()}), "head.bias is stored as F64"),
        (lambda tensors: tensors["head.bias"].fill_(float("nan")), "head.bias holds values that are not finite"),
    ],
)
def test_weights_of_another_model_are_refused(
    kind: str, checkpoint: pathlib.Path, change: Callable[[dict[str, torch.Tensor]], object], said: str
) -> None:
    def of_this_kind(tensors: dict[str, torch.Tensor]) -> None:
        renamed = {"decoder.bias": "head.bias"} if kind == "language model" else {}
        for name, other in renamed.items():
            tensors[other] = tensors.pop(name)
        change(tensors)
        for name, other in renamed.items():
            if other in tensors:
                tensors[name] = tensors.pop(other)

    change_tensors(checkpoint, of_this_kind)
    if kind == "language model":
        said = said.replace("head.bias", "decoder.bias")
    assert said in refusal(kind, checkpoint)


@pytest.mark.parametrize("n_bytes", [10**6 + 1, 2**63])
def test_a_header_without_end_is_refused_unread(kind: str, checkpoint: pathlib.Path, n_bytes: int) -> None:
    (checkpoint / schema.WEIGHTS).write_bytes(struct.pack("<Q", n_bytes) + b"{" * 2_000_000)
    assert "its header would have" in refusal(kind, checkpoint)


def test_a_table_in_bytes_needs_its_scales(tmp_path: pathlib.Path) -> None:
    path = pathlib.Path(shutil.copytree(seqdemo.PRETRAINED / "rnn", tmp_path / "rnn"))
    change_tensors(path, lambda tensors: tensors.pop("embedding.weight.scale"))
    assert "missing: embedding.weight.scale" in refusal("classifier", path)
    change_tensors(path, lambda tensors: tensors.update({"embedding.weight.scale": torch.ones(20_000, 1).long()}))
    assert "embedding.weight.scale is stored as I64" in refusal("classifier", path)
    change_tensors(
        path,
        lambda tensors: tensors.update(
            {"embedding.weight.scale": torch.ones(20_000, 1).half(), "embedding.weight": torch.ones(20_000, 128)}
        ),
    )
    assert "embedding.weight is stored as F32; I8 is expected" in refusal("classifier", path)


def test_a_vocabulary_is_counted_before_it_is_read(kind: str, checkpoint: pathlib.Path) -> None:
    if kind == "dates":
        return
    with (checkpoint / schema.VOCABULARY).open("a", encoding="utf-8") as file:
        file.write("a\n" * 1_000_000)
    assert "vocab.txt has 1000012 words; config.json says 12" in refusal(kind, checkpoint)
    with (checkpoint / schema.VOCABULARY).open("a", encoding="utf-8") as file:
        file.write("a\n" * 2_000_000)
    assert "vocab.txt has 6.0 MB; at most 5 MB are read" in refusal(kind, checkpoint)
