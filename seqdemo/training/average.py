"""One checkpoint from several: the mean of the weights of fine-tunings that started from one language model.

Runs with other settings or another seed end in other places of the same valley; between them the loss is lower, and
reading a text costs as much as before.

Source:
    Wortsman et al. 2022, "Model soups", section 2 (the uniform soup).
"""

from __future__ import annotations

import functools
import pathlib
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from seqdemo.checkpoints import folder
from seqdemo.checkpoints.classifier import Classifier
from seqdemo.data import examples, imdb
from seqdemo.errors import CheckpointError, ConfigError
from seqdemo.training import events, run

_KEPT = ("epochs", "best_epoch", "device", "precision", "seed", "pretrained_on")


def average(
    folders: Sequence[pathlib.Path],
    *,
    out: pathlib.Path,
    data: str | None = None,
    limit: int | None = None,
    test: bool = True,
    on_event: events.OnEvent = events.ignore,
) -> Classifier:
    """Writes the mean of several checkpoints as one.

    Args:
        folders: Two or more checkpoints of one model, fine-tuned from one language model.
        out: The checkpoint folder to write.
        data: A local folder of the data set; `SEQDEMO_IMDB` or the Hub by default.
        limit: Reviews of each split to use; all by default.
        test: Whether the mean is measured on the test reviews.
        on_event: Called with `testing` and `done`.

    Returns:
        The checkpoint as written. Its curve and settings are those of the first folder; `metrics["averaged"]` says
        what each of them was.

    Raises:
        ConfigError: There are fewer than two folders, or they do not belong together.
        CheckpointError: One of them cannot be read.
        DataError: The reviews cannot be read.
    """
    parts = [_load(path) for path in folders]
    if len(parts) < 2:
        raise ConfigError(f"An average needs at least two checkpoints; got {len(parts)}.")
    first = parts[0]
    for part, path in zip(parts, folders, strict=True):
        _check_alike(first, part, path)
    states = [_uncooled(part) for part in parts]
    model = first.model
    model.load_state_dict({name: torch.stack([state[name] for state in states]).mean(0) for name in states[0]})
    reviews = imdb.load("train", data).some(limit)
    held_out = reviews.pick(run.split(reviews)[1])
    validation = examples.read(held_out, first.vocabulary)
    metrics: dict[str, Any] = {
        "seconds": round(sum(part.metrics["seconds"] for part in parts), 1),
        **{name: first.metrics[name] for name in _KEPT},
        "averaged": [_described(part) for part in parts],
    }
    return run.ship(
        model,
        out,
        name=first.name,
        vocabulary=first.vocabulary,
        validation=validation,
        metrics=metrics,
        history=first.history,
        training=first.config["training"],
        test_reviews=functools.partial(run.open_test_reviews, data, limit) if test else None,
        on_event=on_event,
    )


def _load(path: pathlib.Path) -> Classifier:
    try:
        return folder.load(path)
    except CheckpointError as error:  # its sentence names the file, not the folder
        raise type(error)(f"{path}: {error}") from error


def _check_alike(first: Classifier, part: Classifier, path: pathlib.Path) -> None:
    if unknown := sorted({*_KEPT, "seconds", "validation_accuracy", "commit"} - {"pretrained_on"} - set(part.metrics)):
        raise ConfigError(f"The metrics of {path} do not say {', '.join(unknown)}; it was not trained on film reviews.")
    origin = part.metrics.get("pretrained_on", {}).get("sha256")
    if origin is None or origin != first.metrics.get("pretrained_on", {}).get("sha256"):
        raise ConfigError(f"{path} did not start from the language model that the first started from.")
    shapes = [{name: tensor.shape for name, tensor in each.model.state_dict().items()} for each in (first, part)]
    if part.name != first.name or shapes[0] != shapes[1] or part.vocabulary.words != first.vocabulary.words:
        raise ConfigError(f"{path} is another model than the first, or has other words.")


def _uncooled(part: Classifier) -> dict[str, Tensor]:
    """The weights as they were trained: the temperature is chosen again for the mean."""
    warmth = part.metrics.get("temperature", 1.0)
    state = part.model.state_dict()
    return {name: tensor * warmth if name.startswith("head.") else tensor for name, tensor in state.items()}


def _described(part: Classifier) -> dict[str, Any]:
    return {
        "validation_accuracy": part.metrics["validation_accuracy"],
        "commit": part.metrics["commit"],
        "training": part.config["training"],
        "dropout": part.config["architecture"]["dropout"],
    }
