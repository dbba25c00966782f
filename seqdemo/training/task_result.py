"""What a training run on a task leaves: a checkpoint folder, with its curve, its settings and a card."""

from __future__ import annotations

import dataclasses
import os
import pathlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seqdemo.checkpoints import folder, package
from seqdemo.checkpoints.schema import CONFIG
from seqdemo.data.tasks import MADE_UP
from seqdemo.errors import CheckpointCorruptError, TrainingError
from seqdemo.models import registry
from seqdemo.models.registry import MODELS
from seqdemo.text import Vocabulary
from seqdemo.training.problem import Problem
from seqdemo.training.settings import OWN_WORDS, TASK_LABELS, RunSettings
from seqdemo.training.task_model import TaskModel

KIND = "task"


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
    left_out = ("gradient_by_step", "sample")
    history = [{name: value for name, value in entry.items() if name not in left_out} for entry in history]
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
            "kind": KIND,
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


@dataclass(frozen=True, kw_only=True, eq=False)
class TaskResult:
    """What a run left whose model answers something else than one of two labels of a text, read again.

    Attributes:
        model: The model: CPU, fp32, evaluation mode, weights frozen.
        config: What `config.json` holds.
        metrics: What `metrics.json` holds.
        vocabulary: The words, of a task on texts.
        sha256: Of its weights.
    """

    model: TaskModel
    config: Mapping[str, Any]
    metrics: Mapping[str, Any]
    vocabulary: Vocabulary | None
    sha256: str


def load(result: str | os.PathLike[str], *, max_parameters: int = package.MAX_PARAMETERS) -> TaskResult:
    """Reads and checks what `write` wrote, but for a model of two labels, which `checkpoints.folder` reads.

    Args:
        result: The folder.
        max_parameters: Numbers of the largest model that is wanted.

    Raises:
        CheckpointMissingError: The folder or a file in it is not there.
        CheckpointCorruptError: A file's contents are not what they should be.
    """
    found = package.read(pathlib.Path(result), kind=KIND)
    name, shape = found.shape()
    said = found.config.get("task")
    if not isinstance(said, str) or said not in TASK_LABELS:
        raise CheckpointCorruptError(f"{CONFIG}: task is one of {', '.join(TASK_LABELS)}; got {repr(said)[:60]}.")
    task = MADE_UP.get(said)
    sizes = (len(found.config.get("labels", [])), shape.vocab_size)
    if task is not None:
        sizes = (task.n_classes, max(task.vocab_size, 1))
    if (shape.n_outputs, shape.vocab_size) != sizes:
        raise CheckpointCorruptError(
            f"{CONFIG}: the answers and words of {said} are {sizes[0]} and {sizes[1]}; "
            f"those of the architecture are {shape.n_outputs} and {shape.vocab_size}."
        )
    vocabulary = found.vocabulary(shape.vocab_size) if task is None else None

    def build() -> TaskModel:
        network = registry.build(name, shape)
        if said == OWN_WORDS:
            return TaskModel(network, answer="class at every step", foretells=True)
        if task is None:
            return TaskModel(network, answer="class")
        return TaskModel(
            network,
            answer=task.answer,
            uncounted=task.uncounted,
            reads_numbers=not task.vocab_size,
            foretells=task.foretells,
        )

    return TaskResult(
        model=found.module(shape, build, max_parameters=max_parameters),
        config=found.config,
        metrics=found.metrics,
        vocabulary=vocabulary,
        sha256=found.sha256,
    )


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
