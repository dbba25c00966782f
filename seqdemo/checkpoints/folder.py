"""A trained classifier as a checkpoint folder (`package`), the kind that every page can use."""

from __future__ import annotations

import dataclasses
import os
import pathlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from seqdemo.checkpoints import package
from seqdemo.checkpoints.classifier import Classifier
from seqdemo.checkpoints.schema import CONFIG
from seqdemo.errors import CheckpointCorruptError
from seqdemo.models import registry
from seqdemo.text import MAX_TOKENS, Vocabulary

if TYPE_CHECKING:
    from seqdemo.models.registry import SequenceModel


def save(
    folder: pathlib.Path,
    *,
    name: str,
    model: SequenceModel,
    vocabulary: Vocabulary,
    metrics: Mapping[str, Any],
    history: Sequence[Mapping[str, float]],
    training: Mapping[str, Any],
    card: str = "",
) -> None:
    """Writes a checkpoint; a previous one stays whole until the new one is.

    Args:
        folder: Where it goes; replaced if it is there.
        name: The model's name in the registry.
        model: The trained model.
        vocabulary: Its words.
        metrics: What `metrics.json` holds.
        history: What `history.json` holds.
        training: The settings it was trained with, for `config.json`.
        card: The text of `README.md`.
    """
    config = {
        "model": name,
        "architecture": dataclasses.asdict(model.config),
        "max_tokens": MAX_TOKENS,
        "labels": ["negative", "positive"],
    }
    package.write(
        folder,
        model=model,
        config=config,
        metrics=metrics,
        history=history,
        training=training,
        vocabulary=vocabulary,
        card=card,
    )


def load(folder: str | os.PathLike[str], *, max_parameters: int = package.MAX_PARAMETERS) -> Classifier:
    """Reads and checks a checkpoint.

    Args:
        folder: A folder that `save` wrote.
        max_parameters: Numbers of the largest model that is wanted.

    Returns:
        The classifier, on the CPU, in fp32, its weights frozen.

    Raises:
        CheckpointMissingError: The folder or a file in it is not there.
        CheckpointCorruptError: A file's contents are not what they should be.
    """
    found = package.read(pathlib.Path(folder), kind=None)
    name, shape = found.shape()
    if "task" in found.config or shape.n_outputs != 1:
        what = found.config.get("task", f"{shape.n_outputs} answers")
        raise CheckpointCorruptError(f"{CONFIG}: this model answers something else ({what}) than one of two labels.")
    if getattr(shape, "max_tokens", MAX_TOKENS) < MAX_TOKENS:
        raise CheckpointCorruptError(
            f"{CONFIG}: the model reads {shape.max_tokens} tokens; {MAX_TOKENS} are needed."  # type: ignore[union-attr]
        )
    vocabulary = found.vocabulary(shape.vocab_size)
    model = found.module(shape, lambda: registry.build(name, shape), max_parameters=max_parameters)
    return Classifier(
        name=name,
        model=model,
        vocabulary=vocabulary,
        config=found.config,
        metrics=found.metrics,
        history=found.history,
        sha256=found.sha256,
        folder=found.folder,
    )
