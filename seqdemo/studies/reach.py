"""How the small models of `accuracy_by_distance` learn."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 (torch's own name for it)

from seqdemo.data import tasks
from seqdemo.data.tasks import CORRECT_WITHIN, TASKS, Batch, Task
from seqdemo.models.registry import build, make_config
from seqdemo.studies import accuracy_by_distance as study
from seqdemo.training import engine
from seqdemo.training.precision import Trial

if TYPE_CHECKING:
    from seqdemo.models.registry import SequenceModel


class Reader(nn.Module):
    """A small model for one task, with a linear layer in front where inputs are numbers."""

    def __init__(self, task: Task, variant: study.Variant) -> None:
        """Builds the model, with weights from torch's global generator."""
        super().__init__()
        config = make_config(
            variant.model,
            vocab_size=max(task.vocab_size, 1),
            n_outputs=task.n_classes,
            embed_dropout=0.0,
            dropout=0.0,
            **study.SHAPES[variant.model],
            **variant.overrides,
        )
        self.task = task
        self.network: SequenceModel = build(variant.model, config)
        width = self.network.embedding.weight.shape[1]
        self.front: nn.Module = self.network.embedding if task.vocab_size else nn.Linear(2, width)
        if not task.vocab_size:
            self.network.embedding.requires_grad_(False)  # not used

    def forward(self, batch: Batch) -> Tensor:
        """The outputs, (n, n_classes)."""
        vectors = self.front(torch.from_numpy(batch.inputs))
        found: Tensor = self.network.logits_from_embeddings(vectors, torch.from_numpy(batch.lengths))
        return found

    @torch.inference_mode()
    def measure(self, batch: Batch) -> tuple[float, float | None]:
        """Share of correct answers, and the mean squared error where the answer is a number."""
        found = self(batch).numpy()
        if self.task.n_classes > 1:
            return float((found.argmax(1) == batch.targets).mean()), None
        error = found[:, 0] - batch.targets
        return float((np.abs(error) <= CORRECT_WITHIN).mean()), float((error**2).mean())


class Reach(engine.Learner[Batch]):
    """One run of the study; it ends when the task is learned."""

    model: Reader

    def __init__(self, run: study.Run) -> None:
        """Builds the model."""
        torch.manual_seed(run.seed)
        self._task, self._run = TASKS[run.task], run
        self.task, self.label = run.task, study.VARIANTS[run.variant].label
        self.model, self.settings = Reader(self._task, study.VARIANTS[run.variant]), dataclasses.asdict(run)
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
        targets, found = torch.from_numpy(batch.targets), self.model(batch)
        yield F.mse_loss(found[:, 0], targets) if self._task.n_classes == 1 else F.cross_entropy(found, targets)

    def measure(self, model: Reader, epoch: int) -> dict[str, Any]:
        """Accuracy on validation sequences, and whether they end the run: all of them right twice in a row."""
        accuracy = model.measure(self._validation)[0]
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
