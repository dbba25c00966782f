from __future__ import annotations

import json
import os
import pathlib
import shutil
from collections.abc import Callable
from typing import Any

import pytest
import safetensors.torch
import torch

import seqdemo
from seqdemo.checkpoints import folder, schema
from seqdemo.errors import CheckpointCorruptError, CheckpointMissingError
from seqdemo.models import registry
from seqdemo.text import TOKENS_VERSIONS, Vocabulary
from tests.checkpoints.conftest import TINY, WORDS, save_tiny


@pytest.fixture
def checkpoint(tiny: pathlib.Path, tmp_path: pathlib.Path) -> pathlib.Path:
    """A checkpoint that the test may damage."""
    return pathlib.Path(shutil.copytree(tiny / "rnn", tmp_path / "rnn"))


def change_tensors(path: pathlib.Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    tensors = safetensors.torch.load((path / schema.WEIGHTS).read_bytes())
    change(tensors)
    safetensors.torch.save_file(tensors, path / schema.WEIGHTS)


def change_config(path: pathlib.Path, **entries: Any) -> None:
    config = json.loads((path / schema.CONFIG).read_text(encoding="utf-8"))
    schema.write_json(path / schema.CONFIG, {**config, **entries})


def contents(path: pathlib.Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.iterdir()}


@pytest.mark.parametrize("name", TINY)
def test_what_is_saved_is_loaded_in_half_precision(name: str, tmp_path: pathlib.Path) -> None:
    torch.manual_seed(3)
    model = registry.build(name, registry.make_config(name, vocab_size=len(WORDS), **TINY[name])).eval()
    folder.save(
        tmp_path / name,
        name=name,
        model=model,
        vocabulary=Vocabulary(WORDS),
        metrics={"test_accuracy": 0.25},
        history=[{"epoch": 1, "loss": 0.5}],
        training={"seed": 3},
        card="# Card\n",
    )
    loaded = folder.load(tmp_path / name)
    assert set(contents(tmp_path / name)) == set(schema.FILES)
    assert loaded.name == name
    assert loaded.vocabulary.words == WORDS
    assert loaded.metrics == {"test_accuracy": 0.25}
    assert loaded.history == [{"epoch": 1, "loss": 0.5}]
    assert loaded.config["training"] == {"seed": 3}
    assert loaded.sha256 == schema.sha256(tmp_path / name / schema.WEIGHTS)
    assert not loaded.model.training
    for parameter, saved in zip(loaded.model.parameters(), model.parameters(), strict=True):
        assert not parameter.requires_grad
        assert parameter.dtype == torch.float32
        assert torch.equal(parameter, saved.detach().half().float())
    ids, lengths = torch.tensor([[2, 3, 4, 5]]), torch.tensor([4])
    with torch.inference_mode():
        assert torch.allclose(loaded.model(ids, lengths), model(ids, lengths), atol=5e-3)


def test_a_folder_that_is_not_there_is_named(tmp_path: pathlib.Path) -> None:
    with pytest.raises(CheckpointMissingError, match="nowhere is no checkpoint"):
        folder.load(tmp_path / "nowhere")


def test_a_transposed_tensor_is_refused_with_both_shapes(checkpoint: pathlib.Path) -> None:
    change_tensors(checkpoint, lambda tensors: tensors.update({"head.weight": tensors["head.weight"].T.contiguous()}))
    with pytest.raises(CheckpointCorruptError, match=r"head\.weight has the shape \(4, 1\); its model has \(1, 4\)"):
        folder.load(checkpoint)


@pytest.mark.parametrize(
    "entries",
    [
        {"model": "cnn"},
        {"model": None},
        {"architecture": {"vocab_size": len(WORDS), "cell": "lstm"}},
    ],
)
def test_a_config_of_something_else_is_refused(checkpoint: pathlib.Path, entries: dict[str, Any]) -> None:
    change_config(checkpoint, **entries)
    with pytest.raises(CheckpointCorruptError, match=schema.CONFIG):
        folder.load(checkpoint)


def test_a_checkpoint_records_which_rules_made_its_tokens(checkpoint: pathlib.Path) -> None:
    assert json.loads((checkpoint / schema.CONFIG).read_text(encoding="utf-8"))["tokens"] == 1
    assert folder.load(checkpoint).vocabulary.version == 1


def test_a_checkpoint_of_the_second_rules_is_read_to_by_them(tmp_path: pathlib.Path) -> None:
    vocabulary = Vocabulary.build([["good", "film"]], version=2)
    model = registry.build("gru", registry.make_config("gru", vocab_size=len(vocabulary), d_embed=4, d_hidden=4))
    folder.save(tmp_path / "gru", name="gru", model=model, vocabulary=vocabulary, metrics={}, history=[], training={})
    assert json.loads((tmp_path / "gru" / schema.CONFIG).read_text(encoding="utf-8"))["tokens"] == 2
    loaded = folder.load(tmp_path / "gru")
    assert loaded.vocabulary.version == 2
    assert loaded.vocabulary.words == vocabulary.words
    assert [token.text for token in loaded.read("9/10 good").tokens] == ["<rating-0.9>", "good"]
    assert not loaded.read("9/10 good").unknown.any()


def test_words_that_hold_no_sign_are_not_of_the_second_rules(checkpoint: pathlib.Path) -> None:
    change_config(checkpoint, tokens=2)
    with pytest.raises(CheckpointCorruptError, match=r"of version 2 holds every sign; not <rating-0\.0>"):
        folder.load(checkpoint)


def test_a_checkpoint_that_says_nothing_of_its_tokens_has_the_first_rules(checkpoint: pathlib.Path) -> None:
    config = json.loads((checkpoint / schema.CONFIG).read_text(encoding="utf-8"))
    del config["tokens"]
    (checkpoint / schema.CONFIG).write_text(json.dumps(config), encoding="utf-8")
    assert folder.load(checkpoint).vocabulary.words == WORDS


def test_a_checkpoint_of_other_tokens_is_refused_in_a_sentence(checkpoint: pathlib.Path) -> None:
    change_config(checkpoint, tokens=max(TOKENS_VERSIONS) + 1)
    said = "trained on tokens of version 3; this program makes version 1 and 2. A newer seqdemo may read it"
    with pytest.raises(CheckpointCorruptError, match=said):
        folder.load(checkpoint)


def test_a_save_that_fails_leaves_the_checkpoint_before_it(checkpoint: pathlib.Path) -> None:
    before = contents(checkpoint)
    config = registry.make_config("rnn", vocab_size=len(WORDS), **TINY["rnn"])
    with pytest.raises(TypeError):
        folder.save(
            checkpoint,
            name="rnn",
            model=registry.build("rnn", config),
            vocabulary=Vocabulary(WORDS),
            metrics={"test_accuracy": object()},  # not JSON, and found out after the weights are written
            history=[],
            training={},
        )
    assert contents(checkpoint) == before
    assert list(checkpoint.parent.iterdir()) == [checkpoint]


def test_a_save_replaces_the_checkpoint_before_it_whole(checkpoint: pathlib.Path) -> None:
    (checkpoint / "left over").touch()
    before = folder.load(checkpoint).sha256
    save_tiny(checkpoint, seed=1)
    assert folder.load(checkpoint).sha256 != before
    assert set(contents(checkpoint)) == set(schema.FILES)
    assert list(checkpoint.parent.iterdir()) == [checkpoint]


@pytest.mark.skipif(os.name == "nt", reason="Windows has other rights.")
def test_another_user_may_read_every_file(tmp_path: pathlib.Path) -> None:
    save_tiny(tmp_path / "rnn")
    assert {file.name for file in (tmp_path / "rnn").iterdir() if not file.stat().st_mode & 0o004} == set()


def test_the_same_training_gives_the_same_bytes(tmp_path: pathlib.Path) -> None:
    save_tiny(tmp_path / "one", seed=5)
    save_tiny(tmp_path / "two", seed=5)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_a_checkpoint_from_before_a_gru_s_update_bias_was_a_setting_says_what_it_was() -> None:
    assert folder.load(seqdemo.PRETRAINED / "gru").model.config.update_bias == 0


def test_a_checkpoint_of_now_says_how_its_update_gate_started(checkpoint: pathlib.Path) -> None:
    assert folder.load(checkpoint).model.config.update_bias == 1
