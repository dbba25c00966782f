"""A language model as a checkpoint folder (`package`): the same files as a classifier's, without a card.

`config.json` has `"kind": "language model"`, so that neither is taken for the other.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from seqdemo.checkpoints import package
from seqdemo.errors import ConfigError
from seqdemo.models import language, registry
from seqdemo.text import PAD_ID, Vocabulary

if TYPE_CHECKING:
    from seqdemo.models.registry import SequenceModel

KIND = "language model"


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
    model: language.LanguageModel
    vocabulary: Vocabulary
    metrics: Mapping[str, Any]
    sha256: str


def save(
    folder: pathlib.Path,
    *,
    name: str,
    model: language.LanguageModel,
    vocabulary: Vocabulary,
    metrics: Mapping[str, Any],
    history: Sequence[Mapping[str, Any]],
    training: Mapping[str, Any],
) -> None:
    """Writes a language model; a previous one stays whole until the new one is."""
    config = {"kind": KIND, "model": name, "architecture": dataclasses.asdict(model.config)}
    package.write(
        folder, model=model, config=config, metrics=metrics, history=history, training=training, vocabulary=vocabulary
    )


def load(folder: str | os.PathLike[str], *, max_parameters: int = package.MAX_PARAMETERS) -> LanguageModel:
    """Reads and checks a language model.

    Args:
        folder: A folder that `save` wrote.
        max_parameters: Numbers of the largest model that is wanted.

    Returns:
        The language model, on the CPU, in fp32, its weights frozen.

    Raises:
        CheckpointMissingError: The folder or a file in it is not there.
        CheckpointCorruptError: A file's contents are not what they should be, or it is no language model.
    """
    found = package.read(pathlib.Path(folder), kind=KIND)
    name, shape = found.shape()
    vocabulary = found.vocabulary(shape.vocab_size)
    model = found.module(shape, lambda: registry.build_language_model(name, shape), max_parameters=max_parameters)
    return LanguageModel(
        name=name,
        model=model,
        vocabulary=vocabulary,
        metrics=found.metrics,
        sha256=found.sha256,
    )


def sizes(given: LanguageModel, name: str) -> dict[str, int]:
    """The entries of a classifier's config that its language model fixes.

    Raises:
        ConfigError: The classifier cannot start from this language model.
    """
    if given.name != name:
        raise ConfigError(f"{name} starts from its own language model; this one is of {given.name}.")
    return {entry: getattr(given.model.config, entry) for entry in registry.spec(name).family.given}


@torch.no_grad()
def start_from(model: SequenceModel, given: LanguageModel, *, words_only: bool = False) -> None:
    """Copies word vectors, and layers unless words alone are wanted, into a classifier of the same sizes.

    Its head stays as it is.
    """
    wanted = model.state_dict()
    left = tuple(key for key in wanted if key.startswith("head.") or (words_only and key != "embedding.weight"))
    taken = {key: tensor for key, tensor in given.model.body.state_dict().items() if key in wanted and key not in left}
    model.load_state_dict({**wanted, **taken})
    model.embedding.weight[PAD_ID].zero_()  # its row stood for the end of a text
