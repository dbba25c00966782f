"""Checkpoint folders of every kind: what is written is read, and what is wrong is refused before it costs anything."""

from __future__ import annotations

import json
import pathlib
import shutil
from typing import Any

import pytest
import safetensors.torch
import torch

import seqdemo
from seqdemo.checkpoints import folder, language_model, package, schema, translator
from seqdemo.errors import CheckpointCorruptError
from seqdemo.models import registry
from seqdemo.models.language import MaskedLanguageModel, RecurrentLanguageModel
from seqdemo.models.seq2seq import Seq2Seq, Seq2SeqConfig
from tests.checkpoints.conftest import save_tiny
from tests.checkpoints.kinds import LOAD, change_json, change_shape, change_tensors


def refusal(kind: str, path: pathlib.Path) -> str:
    with pytest.raises(CheckpointCorruptError) as refused:
        LOAD[kind](path)
    return str(refused.value)


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
    package.write(tmp_path / "it", model=Forgetful(), config={"kind": "dates"}, metrics={}, history=[], training={})
    found = package.read(tmp_path / "it", kind="dates")
    with pytest.raises(TypeError, match="neither stored nor computed"):
        found.module(shape, Forgetful)


@pytest.mark.parametrize("kind", LOAD)
def test_loading_draws_nothing_from_the_shared_chance(kind: str, every_kind: pathlib.Path) -> None:
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    LOAD[kind](every_kind / kind)
    assert torch.rand(1) == expected


def test_a_measure_that_is_not_finite_is_written_as_nothing(tmp_path: pathlib.Path) -> None:
    schema.write_json(tmp_path / schema.METRICS, {"seconds": float("inf"), "all": [1.0, float("nan")]})
    assert schema.read_metrics(tmp_path / schema.METRICS) == {"seconds": None, "all": [1.0, None]}


# --- what is wrong is refused: what every kind refuses alike stands in `test_damages` ---


@pytest.mark.parametrize("entry", ["n_layers", "n_heads", "max_tokens", "vocab_size", "d_ff"])
def test_no_size_of_a_transformer_is_without_a_bound(tmp_path: pathlib.Path, entry: str) -> None:
    save_tiny(tmp_path / "transformer", "transformer")
    change_shape(tmp_path / "transformer", **{entry: 10**9, "d_model": 4_000 if entry == "n_heads" else 8})
    with pytest.raises(CheckpointCorruptError):
        folder.load(tmp_path / "transformer")


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
    ("kind", "entries", "said"),
    [
        ("task", {"task": "chess"}, "config.json: task is one of synthetic, imdb, own, "),
        ("task", {"task": ["copy"]}, "got ['copy']."),
        ("task", {"task": "copy"}, "the answers and words of copy are 5 and "),
        (
            "task on texts",
            {"labels": ["calm"]},
            "words of own are 1 and 12; those of the architecture are 3 and 12.",
        ),
        (
            "task on texts",
            {"task": "adding"},
            "words of adding are 1 and 1; those of the architecture are 3 and 12.",
        ),
    ],
)
def test_a_task_has_the_answers_and_the_words_of_its_model(
    every_kind: pathlib.Path, tmp_path: pathlib.Path, kind: str, entries: dict[str, Any], said: str
) -> None:
    path = pathlib.Path(shutil.copytree(every_kind / kind, tmp_path / "checkpoint"))
    change_json(path / schema.CONFIG, **entries)
    assert said in refusal(kind, path)


def test_an_endless_name_in_a_shape_makes_no_endless_message(every_kind: pathlib.Path, tmp_path: pathlib.Path) -> None:
    path = pathlib.Path(shutil.copytree(every_kind / "classifier", tmp_path / "checkpoint"))
    change_shape(path, **{f"{number}" * 2_000: 1 for number in range(20)})
    assert len(refusal("classifier", path)) < 1_500
    assert "and others" in refusal("classifier", path)


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
    change_json(path / schema.CONFIG, int8_tables=["embedding.weight"] * 2)
    assert "int8_tables names a table twice" in refusal("classifier", path)
