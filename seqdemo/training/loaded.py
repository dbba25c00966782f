"""What a result that comes as a file says of its run: a two-label text model, trained here or elsewhere."""

from __future__ import annotations

import pathlib
from typing import Any

from seqdemo.checkpoints import folder as checkpoint
from seqdemo.checkpoints import schema
from seqdemo.checkpoints.classifier import Classifier
from seqdemo.errors import CheckpointCorruptError, ConfigError
from seqdemo.training.settings import FIELDS, RunSettings, architecture

_MAX_PARAMETERS = 12_000_000
"""Numbers of the largest model that a visitor may load; the largest that is trained here has 9 million."""


def read_result(result: pathlib.Path) -> tuple[RunSettings, dict[str, Any]]:
    """The settings of the run, and the event that it ended with.

    Raises:
        CheckpointError: A file is missing or not what it should be.
    """
    classifier = checkpoint.load(result, max_parameters=_MAX_PARAMETERS)
    return _settings_of(classifier), {
        "event": "done",
        "reason": "loaded",
        "epochs": len(classifier.history),
        "best_epoch": classifier.metrics.get("best_epoch", 0),
        "folder": str(result),
        "is_text_model": True,
        "metrics": dict(classifier.metrics),
        "confusion": None,
        "wrong": [],
        "at": 0.0,
    }


def _settings_of(classifier: Classifier) -> RunSettings:
    """The settings that stand in a checkpoint; where it was trained elsewhere, those that are known.

    Raises:
        CheckpointCorruptError: They are not those of this model.
    """
    training = classifier.config.get("training", {})
    if "task" not in training:
        return RunSettings(task="imdb", model=classifier.name)
    try:
        settings = RunSettings(**{name: value for name, value in training.items() if name in FIELDS})
    except (ConfigError, TypeError) as error:
        raise CheckpointCorruptError(f"{schema.CONFIG}: its settings cannot be used: {error}") from error
    if not settings.on_text or settings.model != classifier.name:
        raise CheckpointCorruptError(
            f"{schema.CONFIG}: its settings are of {settings.model} on {settings.task}, its model is "
            f"{classifier.name} on texts."
        )
    for name, value in architecture(settings).items():
        found = getattr(classifier.model.config, name)
        if found != value:
            raise CheckpointCorruptError(
                f"{schema.CONFIG}: {name} is {found} in its architecture, {value} by its settings."
            )
    return settings
