"""How the small models of `accuracy_by_distance` learn."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from seqdemo.data import tasks
from seqdemo.data.tasks import TASKS, Batch, Task
from seqdemo.models.registry import build, make_config
from seqdemo.studies import accuracy_by_distance as study
from seqdemo.training import engine
from seqdemo.training.precision import Trial
from seqdemo.training.task_model import TaskModel, tensors
from seqdemo.training.task_run import evaluate


def build_reader(task: Task, variant: study.Variant) -> TaskModel:
    """A small model for one task, with weights from torch's global generator."""
    config = make_config(
        variant.model,
        vocab_size=max(task.vocab_size, 1),
        n_outputs=task.n_classes,
        embed_dropout=0.0,
        dropout=0.0,
        **study.SHAPES[variant.model],
        **variant.overrides,
    )
    return TaskModel(build(variant.model, config), answer=task.answer, reads_numbers=not task.vocab_size)


class Reach(engine.Learner[Batch]):
    """One run of the study; it ends when the task is learned."""

    model: TaskModel

    def __init__(self, run: study.Run) -> None:
        """Builds the model."""
        torch.manual_seed(run.seed)
        self._task, self._run = TASKS[run.task], run
        self.task, self.label = run.task, study.VARIANTS[run.variant].label
        self.model, self.settings = build_reader(self._task, study.VARIANTS[run.variant]), dataclasses.asdict(run)
        self._sequences, self._n_drawn = self._draw(study.chance(run, 0, run.length)), 0
        self._validation = self._task.draw(study.chance(run, 1, run.length), study.N_VALIDATION, run.length)
        self._all_right = False
        self.plan = engine.Plan(
            epochs=math.ceil(study.UPDATES / study.CHECK_EVERY),
            updates=study.UPDATES,
            batch_size=study.BATCH_SIZE,
            learning_rate=study.LEARNING_RATE,
            clip_norm=study.CLIP_NORM,
            seed=run.seed,
            precision="fp32",
            keep="last",
            report_every=study.CHECK_EVERY,
        )

    def trial(self) -> Trial:
        """The validation sequences at once."""
        rows, steps = self._validation.inputs.shape[:2]
        return Trial(model=self.model, rows=rows, steps=steps, loss=lambda *_: next(self.losses(self._validation)))

    def optimiser(self) -> torch.optim.Optimizer:
        """AdamW."""
        return torch.optim.AdamW(self.trained, lr=study.LEARNING_RATE)

    def batches(self, epoch: int) -> list[Batch]:
        """Fresh sequences up to the next check; those of parity grow."""
        first, last = epoch * study.CHECK_EVERY, min((epoch + 1) * study.CHECK_EVERY, study.UPDATES)
        skipped = first - self._n_drawn  # a run that goes on has learned from these before
        found = list(itertools.islice(self._sequences, skipped, skipped + last - first))
        self._n_drawn = last
        return found

    def _draw(self, rng: np.random.Generator) -> Iterator[Batch]:
        """The batches of the whole run, from one stream of chance."""
        length, grows = self._run.length, self._run.task == "parity"
        for update in range(1, study.UPDATES + 1):
            if grows:
                longest = max(2, min(length, round(length * update / study.GROWING)))
                yield tasks.parity_up_to(rng, study.BATCH_SIZE, longest)
            else:
                yield self._task.draw(rng, study.BATCH_SIZE, length)

    def losses(self, batch: Batch) -> Iterator[Tensor]:
        """Cross-entropy in nats, or the mean squared error where the answer is a number."""
        inputs, lengths, targets = tensors(batch, self.device)
        yield self.model.losses(self.model(inputs, lengths), targets, lengths).mean()

    def measure(self, model: TaskModel, epoch: int) -> dict[str, Any]:
        """Accuracy on validation sequences, and whether they end the run: all of them right twice in a row."""
        accuracy = evaluate(model, [self._validation])["accuracy"]
        right_before, self._all_right = self._all_right, accuracy == 1
        grown = self._run.task != "parity" or epoch * study.CHECK_EVERY >= study.GROWING
        return {"validation_accuracy": accuracy, "learned": right_before and self._all_right and grown}

    def has_learned(self, measured: Mapping[str, Any]) -> bool:
        """Whether the run ends early."""
        return bool(measured["learned"])

    def carried(self) -> dict[str, Tensor]:
        """Whether all was right at the last look."""
        return {"all_right": torch.tensor(self._all_right)}

    def carry_on(self, carried: Mapping[str, Tensor]) -> None:
        """Takes it back."""
        self._all_right = bool(carried["all_right"])
