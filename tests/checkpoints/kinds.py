"""A tiny checkpoint of every kind, and the ways to damage one."""

from __future__ import annotations

import dataclasses
import json
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import safetensors.torch
import torch

from seqdemo.checkpoints import folder, language_model, package, schema, translator
from seqdemo.data import dates
from seqdemo.models import registry
from seqdemo.models.language import RecurrentLanguageModel
from seqdemo.models.recurrent import RecurrentConfig
from seqdemo.models.seq2seq import Seq2Seq, Seq2SeqConfig
from seqdemo.text import Vocabulary
from seqdemo.training import task_result
from seqdemo.training.problem import prepare
from seqdemo.training.settings import RunSettings
from seqdemo.training.task_model import TaskModel
from tests.checkpoints.conftest import TINY, WORDS, save_tiny

LOAD: Mapping[str, Callable[..., Any]] = {
    "classifier": folder.load,
    "language model": language_model.load,
    "dates": translator.load,
    "task": task_result.load,
    "task on texts": task_result.load,
}
KIND_OF: Mapping[str, str | None] = {
    "classifier": None,
    "language model": language_model.KIND,
    "dates": translator.KIND,
    "task": task_result.KIND,
    "task on texts": task_result.KIND,
}
"""How each is called in `config.json`."""


def save_every_kind(root: pathlib.Path) -> None:
    """A folder for each kind."""
    save_tiny(root / "classifier")
    torch.manual_seed(0)
    shape = registry.make_config("rnn", vocab_size=len(WORDS), **TINY["rnn"])
    assert isinstance(shape, RecurrentConfig)
    said: dict[str, Any] = {"metrics": {"seconds": 1.0}, "history": [{"epoch": 1, "seconds": 1.0}], "training": {}}
    language_model.save(
        root / "language model", name="rnn", model=RecurrentLanguageModel(shape), vocabulary=Vocabulary(WORDS), **said
    )
    characters = Seq2SeqConfig(n_inputs=len(dates.INPUTS), n_outputs=len(dates.OUTPUTS), d_hidden=8, d_embed=4)
    translator.save(root / "dates", model=Seq2Seq(characters), **said)
    save_task(root / "task", RunSettings(task="adding", model="rnn", d_hidden=4, d_embed=4))
    save_task(
        root / "task on texts",
        RunSettings(task="own", model="rnn", d_hidden=4, d_embed=4),
        answer="class",
        n_outputs=3,
        n_rows=len(WORDS),
        classes=("calm", "merry", "sad"),
        vocabulary=Vocabulary(WORDS),
    )


def save_task(path: pathlib.Path, settings: RunSettings, **problem_of_texts: Any) -> None:
    """What an untrained model of a task leaves."""
    problem = dataclasses.replace(prepare(RunSettings(task="adding")), **problem_of_texts)
    metrics = {"test_accuracy": 0.5, "test_interval": [0.4, 0.6], "test_n": 9, "guess_accuracy": 0.5}
    model = TaskModel.of(settings, problem)
    told = {**metrics, "parameters": model.n_parameters, "seconds": 1.0, "device": "cpu"}
    task_result.write(path, model, problem, settings, told, [{"epoch": 1, "seconds": 1.0}])


def weight_files(path: pathlib.Path) -> list[pathlib.Path]:
    return sorted(path.glob("*.safetensors"))


def read_tensors(path: pathlib.Path) -> dict[str, torch.Tensor]:
    return {
        name: tensor
        for file in weight_files(path)
        for name, tensor in safetensors.torch.load(file.read_bytes()).items()
    }


def write_tensors(path: pathlib.Path, tensors: Mapping[str, torch.Tensor], n_shards: int) -> None:
    """Writes other weights, into at most so many files."""
    tensors = dict(sorted(tensors.items()))  # safetensors gives them in any order
    shard_bytes = sum(tensor.nbytes for tensor in tensors.values()) // n_shards
    while True:
        for file in (*weight_files(path), path / schema.INDEX):
            file.unlink(missing_ok=True)
        package.write_weights(path, tensors, shard_bytes)
        if len(weight_files(path)) <= n_shards:
            return
        shard_bytes += 1 + shard_bytes // 20


def split(path: pathlib.Path, n_shards: int = 3) -> None:
    """Puts the weights of a checkpoint into several files."""
    write_tensors(path, read_tensors(path), n_shards)


def change_tensors(path: pathlib.Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    """Other weights, in one file or several as before."""
    tensors = read_tensors(path)
    n_shards = len(weight_files(path))
    change(tensors)
    write_tensors(path, tensors, n_shards)


def change_json(path: pathlib.Path, **entries: Any) -> None:
    found = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**found, **entries}), encoding="utf-8")


def change_shape(path: pathlib.Path, **entries: Any) -> None:
    config = json.loads((path / schema.CONFIG).read_text(encoding="utf-8"))
    change_json(path / schema.CONFIG, architecture={**config["architecture"], **entries})
