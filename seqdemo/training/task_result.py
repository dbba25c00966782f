"""What a training run on a task leaves: a checkpoint folder, with its curve, its settings and a card."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from seqdemo.checkpoints import folder, package
from seqdemo.errors import TrainingError
from seqdemo.models.registry import MODELS
from seqdemo.training.problem import Problem
from seqdemo.training.settings import TASK_LABELS, RunSettings
from seqdemo.training.task_model import TaskModel


def write(
    out: pathlib.Path,
    model: TaskModel,
    problem: Problem,
    settings: RunSettings,
    metrics: Mapping[str, Any],
    history: Sequence[Mapping[str, Any]],
) -> None:
    """Writes the folder; a previous one stays whole until the new one is.

    Args:
        out: The folder.
        model: The trained model; it is moved to the CPU. One that says yes or no of texts becomes a checkpoint that
            `checkpoints.folder` reads.
        problem: What it was trained on.
        settings: Of the run.
        metrics: What `metrics.json` holds.
        history: One entry for each epoch.

    Raises:
        TrainingError: It could not be written.
    """
    model.to("cpu")
    history = [{name: value for name, value in entry.items() if name != "gradient_by_step"} for entry in history]
    training = {**dataclasses.asdict(settings), "classes": list(problem.classes)}
    card = _card(settings, metrics)
    try:
        if problem.answer == "yes or no" and problem.vocabulary is not None:
            folder.save(
                out,
                name=settings.model,
                model=model.network,
                vocabulary=problem.vocabulary,
                metrics=metrics,
                history=history,
                training=training,
                card=card,
            )
            return
        config = {
            "kind": "task",
            "model": settings.model,
            "task": settings.task,
            "architecture": dataclasses.asdict(model.network.config),
            "labels": list(problem.classes),
        }
        package.write(
            out,
            model=model,
            config=config,
            metrics=metrics,
            history=history,
            training=training,
            vocabulary=problem.vocabulary,
            card=card,
        )
    except OSError as error:  # without the path, which a visitor need not know
        raise TrainingError(
            f"The result could not be written ({error.strerror or error}); is the disk full?"
        ) from error


def _card(settings: RunSettings, metrics: Mapping[str, Any]) -> str:
    rows = "\n".join(f"| `{name}` | {value} |" for name, value in dataclasses.asdict(settings).items())
    low, high = metrics["test_interval"]
    return f"""# {MODELS[settings.model].label}, trained on: {TASK_LABELS[settings.task]}

Test accuracy {100 * metrics["test_accuracy"]:.1f} % ({100 * low:.1f} to {100 * high:.1f} %, 95 % interval) on
{metrics["test_n"]:,} sequences that it was not trained on; always the same answer has
{100 * metrics["guess_accuracy"]:.1f} %. {metrics["parameters"]:,} parameters,
{metrics["seconds"]:.0f} s on {metrics["device"]}.

| Setting | |
|---|---|
{rows}
"""
