"""One training run of any model on any task: settings in, events along the way, a folder out.

What the events hold besides the entries that `training.events` names:

```
start     model, device_memory_bytes, training_n, validation_n, test_n, updates_per_epoch, classes, answer, loss
          ("cross-entropy" in nats or "squared error"), guess_accuracy, guess_loss, bag_of_words (None where there are
          no words), ceiling, known_losses (in words → nats), probe_steps
epoch     train_accuracy (None in epoch 0), validation_loss, validation_accuracy, gradient_by_step (‖∂L/∂h_t‖ for each
          step), sample (where the next word is asked: {text, verbs_agree, verbs})
done      confusion ({labels, rows}; rows are the true classes), wrong (up to 20 of {input, label, answer,
          probability}), is_text_model (whether `checkpoints.folder.load` reads the folder)
```

The accuracy of the adding task counts sums within 0.04.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import pathlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from seqdemo.checkpoints import package
from seqdemo.data.tasks import Batch
from seqdemo.models.registry import MODELS
from seqdemo.text import MAX_TOKENS
from seqdemo.training import devices, engine, events, sample, schedule, task_result
from seqdemo.training.control import Control
from seqdemo.training.events import OnEvent, ignore
from seqdemo.training.precision import Trial
from seqdemo.training.probe import gradient_by_step
from seqdemo.training.problem import Problem, prepare
from seqdemo.training.scores import accuracy_interval
from seqdemo.training.settings import TASK_LABELS, RunSettings
from seqdemo.training.task_model import TaskModel, tensors

_REPORTS = 250
"""About how many `Step` events a run has; fixed by the settings, so that two runs report the same updates."""
_MAX_WRONG = 20
_SECONDS_BETWEEN_DOWNLOAD_EVENTS = 0.3


class TaskLearner(engine.Learner[Batch]):
    """Any model on any task.

    Attributes:
        problem: What is asked.
    """

    model: TaskModel

    def __init__(self, settings: RunSettings, problem: Problem) -> None:
        """Builds the model on the device that the settings name.

        Args:
            settings: Of the run.
            problem: What is asked.
        """
        self._settings, self.problem, self.settings = settings, problem, dataclasses.asdict(settings)
        self.task, self.label = settings.task, MODELS[settings.model].label
        self._where = devices.choose(settings.device)
        torch.manual_seed(settings.seed)
        self.model = TaskModel.of(settings, problem).to(torch.device(self._where.name))
        self._right = self._asked = torch.zeros((), dtype=torch.int64, device=self.device)
        updates = settings.epochs * math.ceil(problem.training_n / settings.batch_size)
        self.plan = engine.Plan(
            epochs=settings.epochs,
            updates=updates,
            batch_size=settings.batch_size,
            learning_rate=settings.learning_rate,
            schedule=schedule.cosine if settings.schedule == "cosine" else schedule.constant,
            clip_norm=settings.clip_norm,
            seed=settings.seed,
            precision=settings.precision,
            patience=settings.patience,
            halves=settings.schedule == "plateau",
            guess_loss=problem.guess_loss,
            report_every=max(1, updates // _REPORTS),
            measures_start=True,
        )

    @property
    def place(self) -> str:
        """The device in full, as the training page names it."""
        return self._where.label

    def about(self) -> dict[str, Any]:
        """What the training page tells of a run before it has learned anything."""
        problem, plan = self.problem, self.plan
        return {
            "model": self._settings.model,
            "device_memory_bytes": self._where.memory_bytes,
            "training_n": problem.training_n,
            "validation_n": sum(len(batch.lengths) for batch in problem.validation),
            "test_n": sum(len(batch.lengths) for batch in problem.test),
            "updates_per_epoch": plan.updates // plan.epochs,
            "classes": list(problem.classes),
            "answer": problem.answer,
            "loss": "squared error" if problem.answer == "number" else "cross-entropy",
            "guess_accuracy": problem.guess_accuracy,
            "guess_loss": problem.guess_loss,
            "bag_of_words": problem.bag_of_words,
            "ceiling": problem.ceiling,
            "known_losses": dict(problem.known_losses),
            "probe_steps": int(problem.probe.lengths.min()),
        }

    def trial(self) -> Trial:
        """A pass over validation sequences."""
        model, batch = self.model, self.problem.validation[0]

        def loss(rows: int, steps: int) -> Tensor:
            targets = batch.targets[:rows, :steps] if batch.targets.ndim == 2 else batch.targets[:rows]
            lengths = batch.lengths[:rows].clip(max=steps)
            cut = Batch(inputs=batch.inputs[:rows, :steps], lengths=lengths, targets=targets)
            inputs, real, wanted = tensors(cut, self.device)
            return model.losses(model(inputs, real), wanted, real).mean()

        rows = min(self._settings.batch_size, len(batch.lengths))
        return Trial(model=model, rows=rows, steps=batch.inputs.shape[1], loss=loss)

    def optimiser(self) -> torch.optim.Optimizer:
        """AdamW without decay, or plain descent with momentum."""
        settings, fused = self._settings, devices.has_fused_optimisers(self.device)
        if settings.optimiser == "sgd":
            return torch.optim.SGD(self.trained, lr=settings.learning_rate, momentum=0.9, fused=fused)
        return torch.optim.AdamW(self.trained, lr=settings.learning_rate, weight_decay=0.0, fused=fused)

    def batches(self, epoch: int) -> Sequence[Batch]:
        """The problem's."""
        self._right = self._asked = torch.zeros((), dtype=torch.int64, device=self.device)
        return self.problem.epoch(epoch)

    def losses(self, batch: Batch) -> Iterator[Tensor]:
        """The mean over the sequences; what was right is counted on the way."""
        inputs, lengths, targets = tensors(batch, self.device)
        answers = self.model(inputs, lengths)
        yield self.model.losses(answers, targets, lengths).mean()
        with torch.no_grad():
            n_right, n_asked = self.model.correct(self.model.decide(answers), targets, lengths)
            self._right, self._asked = self._right + n_right, self._asked + n_asked

    def measure(self, model: TaskModel, epoch: int) -> dict[str, Any]:
        """Accuracy in training, loss and accuracy on validation sequences, and how the gradient flows."""
        found = evaluate(model, self.problem.validation)
        return {
            "train_accuracy": (self._right / self._asked.clamp(min=1)).item() if epoch else None,
            "validation_loss": found["loss"],
            "validation_accuracy": found["accuracy"],
            "gradient_by_step": [float(f"{value:.3g}") for value in gradient_by_step(model, self.problem.probe)],
            **({"sample": sample.written(model, self.problem.classes, self._settings.seed)} if model.foretells else {}),
        }

    def score(self, measured: Mapping[str, Any]) -> list[float]:
        """The accuracy, of several epochs with the same the lowest loss; for a number and a next word the loss alone.

        Who foretells the next word says which are likely: most of that is in no accuracy.
        """
        if self.problem.answer == "number" or self.problem.foretells:
            return [-measured["validation_loss"]]
        return [measured["validation_accuracy"], -measured["validation_loss"]]


def train(
    settings: RunSettings,
    *,
    out: pathlib.Path,
    csv: pathlib.Path | None = None,
    positive: str | None = None,
    data: str | None = None,
    resume: bool = False,
    control: Control | None = None,
    on_event: OnEvent = ignore,
) -> events.Done:
    """Trains, tests and writes the folder.

    Args:
        settings: Of the run.
        out: The result's folder; a previous one stays whole until the new one is.
        csv: The visitor's file, for the tasks `own` and `own_words`.
        positive: Which of its two labels is the positive one, where someone said so.
        data: A local folder of the film reviews; `SEQDEMO_IMDB` or the Hub by default.
        resume: Whether to go on where an interrupted run with the same settings stopped.
        control: Pauses and stops the run.
        on_event: Called with the run's events.

    Returns:
        The last event.

    Raises:
        DataError: The data cannot be read.
        RunFailed: The loss is no longer a number or exploded, or too much memory was used; told as an event before.
        TrainingError: The state to resume is of another run; the disk is full.
    """
    on_event(events.Loading(task=settings.task, label=TASK_LABELS[settings.task]))
    told = _told_now_and_then(on_event)
    problem = prepare(settings, csv=csv, positive=positive, data=data, on_progress=told)
    if problem.note:
        on_event(events.Read(note=problem.note))
    with engine.failures_told(on_event):
        learner = TaskLearner(settings, problem)
        state_file = out.with_name(f".{out.name}.state.safetensors")
        run = engine.Run(learner, control=control, on_event=on_event, state_file=state_file)
        reason = run.go(resume=resume)
        done = _ship(learner, run.progress, reason, out)
    state_file.unlink(missing_ok=True)
    on_event(done)
    return done


def _told_now_and_then(on_event: OnEvent) -> Callable[[int, int], None]:
    last = -math.inf

    def on_progress(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last > _SECONDS_BETWEEN_DOWNLOAD_EVENTS or done >= total:
            last = time.monotonic()
            on_event(events.Download(done_bytes=done, bytes=total))

    return on_progress


def _ship(learner: TaskLearner, progress: engine.Progress, reason: str, out: pathlib.Path) -> events.Done:
    """Measures the best epoch on the test sequences and writes it, if there is one."""
    problem, model = learner.problem, learner.model
    done = functools.partial(events.Done, reason=reason, epochs=progress.epoch, best_epoch=progress.best_epoch)
    more: dict[str, Any] = {"is_text_model": problem.answer == "yes or no", "confusion": None, "wrong": []}
    if not progress.epoch:
        nothing = {"seconds": round(progress.seconds, 2), "parameters": model.n_parameters}
        return done(folder=None, metrics=nothing, more=more)
    # As it will be read back: the file holds fp16.
    kept = package.unpack(*package.pack(model.state_dict()))
    model.load_state_dict({name: tensor.to(learner.device) for name, tensor in kept.items()})
    test = evaluate(model, problem.test)
    low, high = accuracy_interval(test["accuracy"], int(test["asked"]))
    about = learner.about()
    metrics: dict[str, Any] = {
        "test_accuracy": round(test["accuracy"], 5),
        "test_interval": [round(low, 5), round(high, 5)],
        "test_n": about["test_n"],
        "test_mse" if problem.answer == "number" else "test_loss_nats": round(test["loss"], 5),
        "max_tokens": MAX_TOKENS,
        "validation_accuracy": progress.best["validation_accuracy"],
        "validation_n": about["validation_n"],
        "guess_accuracy": problem.guess_accuracy,
        "bag_of_words_accuracy": problem.bag_of_words,
        "ceiling": problem.ceiling,
        "parameters": model.n_parameters,
        **progress.facts(learner.place, learner.plan.seed),
    }
    more["confusion"], more["wrong"] = _mistakes(model, problem)
    settings = RunSettings(**learner.settings)
    history = engine.as_shipped(progress.history, "mse" if problem.answer == "number" else "loss_nats")
    task_result.write(out, model, problem, settings, metrics, history)
    return done(folder=str(out), metrics=metrics, more=more)


@torch.inference_mode()
def evaluate(model: TaskModel, batches: Sequence[Batch]) -> dict[str, float]:
    """Loss and accuracy of a model on sequences, and how many answers were `asked` for."""
    device = next(model.parameters()).device
    model.eval()
    losses: list[Tensor] = []
    right = asked = torch.zeros((), dtype=torch.int64, device=device)
    n = 0
    for batch in batches:
        inputs, lengths, targets = tensors(batch, device)
        answers = model(inputs, lengths)
        losses.append(model.losses(answers, targets, lengths).sum())
        n_right, n_asked = model.correct(model.decide(answers), targets, lengths)
        right, asked, n = right + n_right, asked + n_asked, n + len(batch.lengths)
    total = 0.0  # in double precision, which not every device has
    for loss in torch.stack(losses).tolist():
        total += loss
    return {"loss": total / n, "accuracy": (right / asked.clamp(min=1)).item(), "asked": float(asked)}


@torch.inference_mode()
def _mistakes(model: TaskModel, problem: Problem) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    """The confusion matrix of the test sequences, and some that were answered wrongly."""
    device = next(model.parameters()).device
    model.eval()
    n_classes = len(problem.classes)
    if problem.foretells:  # nobody could always be right, and so many words are no matrix to be read
        return None, []
    matrix = np.zeros((n_classes, n_classes), dtype=np.int64)
    wrong: list[dict[str, Any]] = []
    offset = 0
    for batch in problem.test:
        inputs, lengths, _ = tensors(batch, device)
        answers = model(inputs, lengths)
        decided = model.decide(answers).cpu().numpy()
        certain = _certainty(model, answers).cpu().numpy()
        if problem.answer == "number":
            rows = np.argsort(-np.abs(decided - batch.targets))[: _MAX_WRONG // 2]
        else:
            counted = batch.targets != (-1 if problem.uncounted is None else problem.uncounted)
            np.add.at(matrix, (batch.targets[counted], decided[counted]), 1)
            missed = (decided != batch.targets) & counted
            rows = np.flatnonzero(missed.reshape(len(missed), -1).any(1))[:_MAX_WRONG]
        wrong += [_wrong(problem, batch, row, offset, decided[row], certain[row]) for row in rows]
        offset += len(batch.lengths)
    confusion = {"labels": list(problem.classes), "rows": matrix.tolist()} if n_classes else None
    return confusion, wrong[:_MAX_WRONG]


def _wrong(problem: Problem, batch: Batch, row: int, offset: int, decided: Any, certain: Any) -> dict[str, Any]:
    """What was asked, what is right, and what was answered with which probability, where there is one for all."""
    target, has_class = batch.targets[row], problem.answer in {"yes or no", "class"}
    if problem.test_texts is not None:
        shown: Any = problem.test_texts[offset + row]
    else:
        shown = np.round(batch.inputs[row].astype(np.float64), 3).tolist()
    return {
        "input": shown,
        "label": problem.classes[target] if has_class else target.tolist(),
        "answer": problem.classes[decided] if has_class else decided.tolist(),
        "probability": float(certain) if has_class else None,
    }


def _certainty(model: TaskModel, answers: Tensor) -> Tensor:
    """The probability of what was answered, (B,) for one answer a sequence."""
    if model.answer == "yes or no":
        return torch.sigmoid(answers[:, 0].abs())
    return answers.float().softmax(-1).amax(-1)
