"""A language model as a folder: the same files as a classifier's, without a card.

`config.json` has `"kind": "language model"`, so that neither is taken for the other.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import safetensors.torch
import torch

from seqdemo.checkpoints import folder as files
from seqdemo.errors import CheckpointCorruptError, CheckpointMissingError, ConfigError, UnknownModelError
from seqdemo.models import registry
from seqdemo.models.language import MaskedLanguageModel, RecurrentLanguageModel
from seqdemo.models.recurrent import RecurrentConfig
from seqdemo.text import PAD_ID, TOKENS_VERSION, Vocabulary

if TYPE_CHECKING:
    from seqdemo.models.registry import SequenceModel

KIND = "language model"
_NEEDED = (files.CONFIG, files.WEIGHTS, files.VOCABULARY, files.METRICS)


@dataclass(frozen=True, kw_only=True, eq=False)
class LanguageModel:
    """A trained language model with its vocabulary; never written to.

    Attributes:
        name: The name in the registry of the classifier whose layers it has.
        model: The module: CPU, fp32, evaluation mode, weights frozen.
        vocabulary: The words that it knows.
        metrics: What `metrics.json` holds: perplexities, cost.
        sha256: Of `model.safetensors`.
    """

    name: str
    model: RecurrentLanguageModel | MaskedLanguageModel
    vocabulary: Vocabulary
    metrics: Mapping[str, Any]
    sha256: str


def save(
    folder: pathlib.Path,
    *,
    name: str,
    model: RecurrentLanguageModel | MaskedLanguageModel,
    vocabulary: Vocabulary,
    metrics: Mapping[str, Any],
    history: Sequence[Mapping[str, Any]],
    training: Mapping[str, Any],
) -> None:
    """Writes a language model; a previous one stays whole until the new one is."""
    with files.replacing(folder) as new:
        tensors, int8_tables = files.pack(model.state_dict())
        config = {
            "format": files.FORMAT,
            "kind": KIND,
            "model": name,
            "architecture": dataclasses.asdict(model.config),
            "tokens": TOKENS_VERSION,
            "int8_tables": int8_tables,
            "training": dict(training),
        }
        safetensors.torch.save_file(tensors, new / files.WEIGHTS, {"format": "pt"})
        (new / files.WEIGHTS).chmod(0o644)
        vocabulary.save(new / files.VOCABULARY)
        files.write_json(new / files.CONFIG, config)
        files.write_json(new / files.METRICS, metrics)
        files.write_json(new / files.HISTORY, list(history))


def load(folder: str | os.PathLike[str]) -> LanguageModel:
    """Reads and checks a language model.

    Raises:
        CheckpointMissingError: The folder or a file in it is not there.
        CheckpointCorruptError: A file's contents are not what they should be, or it is no language model.
    """
    folder = pathlib.Path(folder)
    absent = [name for name in _NEEDED if not (folder / name).is_file()]
    if absent:
        raise CheckpointMissingError(f"{folder} is no language model: {', '.join(absent)} not found in it.")
    config = files.read_json(folder / files.CONFIG, dict)
    if config.get("kind") != KIND or config.get("format") != files.FORMAT:
        raise CheckpointCorruptError(f"{folder / files.CONFIG} is no language model of format {files.FORMAT}.")
    files.check_tokens(config, folder / files.CONFIG)
    name, entries = config.get("model"), config.get("architecture")
    if not isinstance(name, str) or not isinstance(entries, dict):
        raise CheckpointCorruptError(f"{folder / files.CONFIG} names no model or no architecture.")
    vocabulary = Vocabulary.load(folder / files.VOCABULARY)
    model: RecurrentLanguageModel | MaskedLanguageModel
    try:
        shape = registry.config_from_dict(name, entries)
        with torch.random.fork_rng(devices=[]):  # starting weights are drawn, and replaced at once
            model = RecurrentLanguageModel(shape) if isinstance(shape, RecurrentConfig) else MaskedLanguageModel(shape)
    except (ConfigError, UnknownModelError) as error:
        raise CheckpointCorruptError(f"{folder / files.CONFIG}: {error}") from error
    path = folder / files.WEIGHTS
    tensors = files.unpack(files.read_tensors(path), config.get("int8_tables", []), path)
    files.check(tensors, model.state_dict(), path)
    model.load_state_dict(tensors, strict=True, assign=True)
    model.requires_grad_(False).eval()
    return LanguageModel(
        name=name,
        model=model,
        vocabulary=vocabulary,
        metrics=files.read_json(folder / files.METRICS, dict),
        sha256=files.sha256(path),
    )


def sizes(given: LanguageModel, name: str) -> dict[str, int]:
    """The entries of a classifier's config that its language model fixes.

    Raises:
        ConfigError: The classifier cannot start from this language model.
    """
    if given.name != name:
        raise ConfigError(f"{name} starts from its own language model; this one is of {given.name}.")
    keys = (
        ("d_embed", "d_hidden")
        if isinstance(given.model, RecurrentLanguageModel)
        else ("d_model", "n_heads", "n_layers", "d_ff")
    )
    return {key: getattr(given.model.config, key) for key in keys}


@torch.no_grad()
def start_from(model: SequenceModel, given: LanguageModel, *, words_only: bool = False) -> None:
    """Copies word vectors, and layers unless words alone are wanted, into a classifier of the same sizes.

    Its head stays as it is.
    """
    body = given.model.encoder if isinstance(given.model, MaskedLanguageModel) else given.model
    wanted = model.state_dict()
    left = tuple(key for key in wanted if key.startswith("head.") or (words_only and key != "embedding.weight"))
    taken = {key: tensor for key, tensor in body.state_dict().items() if key in wanted and key not in left}
    model.load_state_dict({**wanted, **taken})
    model.embedding.weight[PAD_ID].zero_()  # its row stood for the end of a text
