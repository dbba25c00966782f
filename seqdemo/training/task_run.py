"""One training run of any model on any task: settings in, events along the way, a folder out.

Events are plain values, one JSON object a line on `--events jsonl`:

```
loading   task, label: its texts or sequences are being read or drawn
download  done_bytes, bytes: how much of the film reviews has come from the Hub
read      note: what was understood of a visitor's own file
start     model, task, parameters, device, device_memory_bytes, precision, training_n, validation_n, test_n, epochs,
          updates (in all), updates_per_epoch, classes, answer, loss ("cross-entropy" in nats or "squared error"),
          guess_accuracy, guess_loss, bag_of_words (None where there are no words), ceiling, probe_steps
step      epoch, update, updates, loss (mean since the last such event), gradient_norm (its largest since then,
          before clipping), learning_rate, samples_per_s, seconds, seconds_left
epoch     epoch (0 is before the first update), train_loss, train_accuracy (None in epoch 0), validation_loss,
          validation_accuracy, gradient_norm (median), gradient_by_step (‖∂L/∂h_t‖ for each step), seconds, best_epoch
precision precision, says: of a run that goes on, which precision it goes on in
paused, resumed
failed    kind (nan, explosion, memory, data), message, setting (which one teaches it, or None), advice
done      reason (finished, early, stopped, time), epochs, best_epoch, folder (None where no epoch was finished),
          metrics, confusion ({labels, rows}; rows are the true classes), wrong (up to 20 of {input, label, answer,
          probability}), is_text_model (whether `checkpoints.folder.load` reads the folder)
```

Accuracies are from 0 to 1; that of the adding task counts sums within 0.04. All chance of an epoch comes from the seed
and the epoch's number: a resumed run repeats what an uninterrupted one would have done.
"""

from __future__ import annotations

import dataclasses
import json
import math
import pathlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from seqdemo.checkpoints import package
from seqdemo.data.tasks import Batch
from seqdemo.errors import TrainingError, is_out_of_memory
from seqdemo.models.registry import MODELS
from seqdemo.text import MAX_TOKENS
from seqdemo.training import devices, state, task_result
from seqdemo.training.control import Control
from seqdemo.training.loop import OnEvent, ignore
from seqdemo.training.precision import Trial, autocast, choose_precision, keep_precision
from seqdemo.training.probe import gradient_by_step
from seqdemo.training.problem import Problem, prepare
from seqdemo.training.run import code_commit
from seqdemo.training.scores import accuracy_interval
from seqdemo.training.settings import TASK_LABELS, RunSettings
from seqdemo.training.task_model import TaskModel, tensors

_REPORTS = 250
"""About how many `step` events a run has; fixed by the settings, so that two runs report the same updates."""
EXPLODED = 50.0
"""A loss this many times that of guessing counts as an explosion."""
_MAX_WRONG = 20
_NEEDS_LESS_MEMORY = "Take a smaller batch, a shorter text or a narrower model."
_SECONDS_BETWEEN_DOWNLOAD_EVENTS = 0.3


class RunFailed(TrainingError):  # noqa: N818 (it says what happened)
    """A run that cannot go on, with what teaches it.

    Attributes:
        kind: `nan`, `explosion` or `memory`.
        setting: The setting to change, or None.
        advice: What to change it to, in a sentence.
    """

    def __init__(self, kind: str, message: str, *, setting: str | None, advice: str) -> None:
        """Keeps all three; the error's own text is message and advice."""
        super().__init__(f"{message} {advice}")
        self.kind, self.message, self.setting, self.advice = kind, message, setting, advice


@dataclass(kw_only=True)
class _Progress:
    epoch: int = 0
    best_epoch: int = 0
    best_score: float = -math.inf
    best_loss: float = math.inf
    improved_epoch: int = 0
    seconds: float = 0.0
    rate_scale: float = 1.0
    precision: str = "fp32"
    history: list[dict[str, Any]] = field(default_factory=list)


class _Ended(Exception):  # noqa: N818 (not an error)
    def __init__(self, reason: str) -> None:
        self.reason = reason


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
) -> dict[str, Any]:
    """Trains, tests and writes the folder.

    Args:
        settings: Of the run.
        out: The result's folder; a previous one stays whole until the new one is.
        csv: The visitor's file, for the task `own`.
        positive: Which of its two labels is the positive one, where someone said so.
        data: A local folder of the film reviews; `SEQDEMO_IMDB` or the Hub by default.
        resume: Whether to go on where an interrupted run with the same settings stopped.
        control: Pauses and stops the run.
        on_event: Called with the events above.

    Returns:
        The `done` event.

    Raises:
        DataError: The data cannot be read.
        RunFailed: The loss is no longer a number or exploded, or too much memory was used; told as a `failed` event
            before.
        TrainingError: The state to resume is of another run; the disk is full.
    """
    on_event({"event": "loading", "task": settings.task, "label": TASK_LABELS[settings.task]})
    told = _told_now_and_then(on_event)
    problem = prepare(settings, csv=csv, positive=positive, data=data, on_progress=told)
    if problem.note:
        on_event({"event": "read", "note": problem.note})
    try:
        return _Run(settings, problem, out, control or Control(), on_event).go(resume=resume)
    except RunFailed as error:
        failed = error
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        failed = RunFailed(
            "memory", "There is not enough memory for this run.", setting="batch_size", advice=_NEEDS_LESS_MEMORY
        )
        failed.__cause__ = error
    on_event(
        {
            "event": "failed",
            "kind": failed.kind,
            "message": failed.message,
            "setting": failed.setting,
            "advice": failed.advice,
        }
    )
    raise failed


def _told_now_and_then(on_event: OnEvent) -> Callable[[int, int], None]:
    last = -math.inf

    def on_progress(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last > _SECONDS_BETWEEN_DOWNLOAD_EVENTS or done >= total:
            last = time.monotonic()
            on_event({"event": "download", "done_bytes": done, "bytes": total})

    return on_progress


class _Run:
    def __init__(
        self, settings: RunSettings, problem: Problem, out: pathlib.Path, control: Control, on_event: OnEvent
    ) -> None:
        self.settings, self.problem, self.out, self.control, self.on_event = settings, problem, out, control, on_event
        self.where = devices.choose(settings.device)
        self.device = torch.device(self.where.name)
        torch.manual_seed(settings.seed)
        self.model = TaskModel(settings, problem).to(self.device)
        self.optimiser = _optimiser(self.model, settings, self.device)
        self.progress = _Progress()
        self.best = self._weights()
        self.updates_per_epoch = math.ceil(problem.training_n / settings.batch_size)
        self.updates = settings.epochs * self.updates_per_epoch
        self.report_every = max(1, self.updates // _REPORTS)
        self.state_file = out.with_name(f".{out.name}.state.safetensors")

    def go(self, *, resume: bool) -> dict[str, Any]:
        if resume and self.state_file.is_file():
            self._go_on()
        else:
            self.progress.precision = choose_precision(self._trial(), self.settings.precision)
            self._say_start()
            self._measure_start()
        reason = "finished"
        try:
            while self.progress.epoch < self.settings.epochs:
                self._epoch()
                if self._is_out_of_patience():
                    reason = "early"
                    break
        except _Ended as ended:
            reason = ended.reason
        if reason == "abandoned":
            raise TrainingError("Whoever started this run is gone; it ends, and nothing is written.")
        if reason == "memory":
            raise RunFailed(
                "memory",
                f"The run needed more than {self.control.max_memory_bytes / 1e6:,.0f} MB of memory.",
                setting="batch_size",
                advice=_NEEDS_LESS_MEMORY,
            )
        event = self._finish(reason)
        self.state_file.unlink(missing_ok=True)
        self.on_event(event)
        return event

    # --- one epoch ---

    def _epoch(self) -> None:
        settings, progress, model = self.settings, self.progress, self.model
        started, before = time.perf_counter(), progress.seconds
        waited = 0.0
        torch.manual_seed(settings.seed * 100_003 + progress.epoch)
        batches = self.problem.epoch(progress.epoch)
        losses: list[Tensor] = []
        norms: list[Tensor] = []
        right = asked = torch.zeros((), dtype=torch.int64, device=self.device)
        reported = 0
        model.train()
        for index, batch in enumerate(batches):
            waited += self._obey(before + time.perf_counter() - started - waited)
            update = progress.epoch * self.updates_per_epoch + index
            rate = settings.learning_rate * progress.rate_scale * _rate_factor(update, self.updates, settings)
            for group in self.optimiser.param_groups:
                group["lr"] = rate
            inputs, lengths, targets = tensors(batch, self.device)
            self.optimiser.zero_grad(set_to_none=True)
            with autocast(self.device, progress.precision):
                answers = model(inputs, lengths)
            loss = model.losses(answers, targets, lengths).mean()
            loss.backward()  # type: ignore[no-untyped-call]
            norms.append(torch.nn.utils.clip_grad_norm_(self._trained(), settings.clip_norm or math.inf).detach())
            self.optimiser.step()
            losses.append(loss.detach())
            with torch.no_grad():
                n_right, n_asked = model.correct(model.decide(answers), targets, lengths)
                right, asked = right + n_right, asked + n_asked
            if (update + 1) % self.report_every == 0 or index == len(batches) - 1:
                # The only place where the processor waits for the device.
                progress.seconds = before + time.perf_counter() - started - waited
                self._report(update, rate, losses[reported:], norms[reported:], index + 1, progress.seconds - before)
                reported = len(losses)
        scores = self._evaluate(self.problem.validation, self.progress.precision)
        progress.seconds = before + time.perf_counter() - started - waited
        progress.epoch += 1
        self._keep_if_better(scores)
        self._record(
            {
                "epoch": progress.epoch,
                "train_loss": torch.stack(losses).float().mean().item(),
                "train_accuracy": (right / asked.clamp(min=1)).item(),
                "validation_loss": scores["loss"],
                "validation_accuracy": scores["accuracy"],
                "gradient_norm": torch.stack(norms).float().median().item(),
            }
        )
        self._save_state()

    def _obey(self, seconds: float) -> float:
        """Waits while paused; ends the run where that is asked for. Returns the seconds waited."""
        waited = 0.0
        if self.control.is_paused:
            self.on_event({"event": "paused"})
            waited = self.control.wait()
            self.on_event({"event": "resumed"})
        reason = self.control.reason_to_end(seconds)
        if reason is not None:
            raise _Ended(reason)
        return waited

    def _report(
        self, update: int, rate: float, losses: Sequence[Tensor], norms: Sequence[Tensor], n_done: int, seconds: float
    ) -> None:
        found = torch.stack([*losses, *norms]).float().cpu().numpy()
        loss, norm = found[: len(losses)], found[len(losses) :]
        self._refuse_nonsense(update - len(losses) + 1, loss, norm)
        per_update = seconds / n_done
        self.on_event(
            {
                "event": "step",
                "epoch": self.progress.epoch + 1,
                "update": update + 1,
                "updates": self.updates,
                "loss": float(loss.mean()),
                "gradient_norm": float(norm.max()),
                "learning_rate": rate,
                "samples_per_s": round(self.settings.batch_size / max(per_update, 1e-9), 1),
                "seconds": round(self.progress.seconds, 2),
                "seconds_left": round((self.updates - update - 1) * per_update, 1),
            }
        )

    def _refuse_nonsense(self, first: int, losses: np.ndarray[Any, Any], norms: np.ndarray[Any, Any]) -> None:
        broken = ~np.isfinite(losses) | ~np.isfinite(norms)
        settings = self.settings
        if settings.clip_norm == 0:
            setting = "clip_norm"
            advice = "Switch clipping on: it shortens a gradient that has become too long and keeps its direction."
        else:
            setting = "learning_rate"
            advice = f"Take a smaller learning rate, {settings.learning_rate / 10:g} instead of "
            advice += f"{settings.learning_rate:g}: each update goes less far."
        if broken.any():
            update = first + int(broken.argmax()) + 1
            what = "loss" if not np.isfinite(losses[broken.argmax()]) else "gradient"
            raise RunFailed(
                "nan",
                f"In update {update} the {what} was no longer a number: values had grown until they could not be "
                "written down.",
                setting=setting,
                advice=advice,
            )
        if losses.mean() > EXPLODED * self.problem.guess_loss:
            raise RunFailed(
                "explosion",
                f"By update {first + len(losses)} the loss had grown to {losses.mean():,.1f}, and guessing has "
                f"{self.problem.guess_loss:.2f}: the updates went too far.",
                setting=setting,
                advice=advice,
            )

    def _measure_start(self) -> None:
        """Epoch 0: what the untrained model does, and how its gradients flow."""
        scores = self._evaluate(self.problem.validation, self.progress.precision)
        self._record(
            {
                "epoch": 0,
                "train_loss": None,
                "train_accuracy": None,
                "validation_loss": scores["loss"],
                "validation_accuracy": scores["accuracy"],
                "gradient_norm": None,
            }
        )

    def _record(self, entry: dict[str, Any]) -> None:
        gradients = [float(f"{value:.3g}") for value in gradient_by_step(self.model, self.problem.probe)]
        entry |= {"gradient_by_step": gradients, "seconds": round(self.progress.seconds, 2)}
        entry["best_epoch"] = self.progress.best_epoch
        self.progress.history.append(entry)
        self.on_event({"event": "epoch", **entry})

    def _keep_if_better(self, scores: Mapping[str, float]) -> None:
        """The best epoch has the highest validation accuracy, of several the lowest loss; for a number the loss alone.

        Patience and `plateau` look at the accuracy (or the number's loss): a loss can fall for ever.
        """
        progress, loss = self.progress, scores["loss"]
        score = -loss if self.problem.answer == "number" else scores["accuracy"]
        if (score, -loss) > (progress.best_score, -progress.best_loss):
            if score > progress.best_score:
                progress.improved_epoch = progress.epoch
            progress.best_score, progress.best_loss, progress.best_epoch = score, loss, progress.epoch
            self.best = self._weights()
        if self.settings.schedule == "plateau" and progress.improved_epoch != progress.epoch:
            progress.rate_scale /= 2

    def _is_out_of_patience(self) -> bool:
        patience = self.settings.patience
        return bool(patience) and self.progress.epoch - self.progress.improved_epoch >= patience

    # --- measuring ---

    @torch.inference_mode()
    def _evaluate(self, batches: Sequence[Batch], precision: str) -> dict[str, float]:
        model = self.model
        model.eval()
        losses: list[Tensor] = []
        right = asked = torch.zeros((), dtype=torch.int64, device=self.device)
        n = 0
        for batch in batches:
            inputs, lengths, targets = tensors(batch, self.device)
            with autocast(self.device, precision):
                answers = model(inputs, lengths)
            losses.append(model.losses(answers, targets, lengths).sum())
            n_right, n_asked = model.correct(model.decide(answers), targets, lengths)
            right, asked, n = right + n_right, asked + n_asked, n + len(batch.lengths)
        total = 0.0  # in double precision, which not every device has
        for loss in torch.stack(losses).tolist():
            total += loss
        return {"loss": total / n, "accuracy": (right / asked.clamp(min=1)).item(), "asked": float(asked)}

    @torch.inference_mode()
    def _mistakes(self) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
        """The confusion matrix of the test sequences, and some that were answered wrongly."""
        problem, model = self.problem, self.model
        model.eval()
        n_classes = len(problem.classes)
        matrix = np.zeros((n_classes, n_classes), dtype=np.int64)
        wrong: list[dict[str, Any]] = []
        offset = 0
        for batch in problem.test:
            inputs, lengths, _ = tensors(batch, self.device)
            answers = model(inputs, lengths)
            decided = model.decide(answers).cpu().numpy()
            certain = _certainty(model, answers).cpu().numpy()
            if problem.answer == "number":
                missed = np.abs(decided - batch.targets)
                rows = np.argsort(-missed)[: _MAX_WRONG // 2]
                wrong += [self._wrong(batch, row, offset, float(decided[row]), None) for row in rows]
            elif problem.answer == "class at every step":
                counted = batch.targets != (-1 if problem.uncounted is None else problem.uncounted)
                np.add.at(matrix, (batch.targets[counted], decided[counted]), 1)
                rows = np.flatnonzero(((decided != batch.targets) & counted).any(1))
                wrong += [self._wrong(batch, row, offset, decided[row].tolist(), None) for row in rows[:_MAX_WRONG]]
            else:
                np.add.at(matrix, (batch.targets, decided), 1)
                rows = np.flatnonzero(decided != batch.targets)
                wrong += [
                    self._wrong(batch, row, offset, problem.classes[decided[row]], float(certain[row]))
                    for row in rows[:_MAX_WRONG]
                ]
            offset += len(batch.lengths)
        confusion = {"labels": list(problem.classes), "rows": matrix.tolist()} if n_classes else None
        return confusion, wrong[:_MAX_WRONG]

    def _wrong(self, batch: Batch, row: int, offset: int, answer: Any, probability: float | None) -> dict[str, Any]:
        if self.problem.test_texts is not None:
            shown: Any = self.problem.test_texts[offset + row]
        else:
            shown = np.round(batch.inputs[row].astype(np.float64), 3).tolist()
        target = batch.targets[row]
        if self.problem.answer in {"yes or no", "class"}:
            label: Any = self.problem.classes[int(target)]
        else:
            label = target.tolist()
        return {"input": shown, "label": label, "answer": answer, "probability": probability}

    # --- the end ---

    def _finish(self, reason: str) -> dict[str, Any]:
        progress, problem = self.progress, self.problem
        event: dict[str, Any] = {
            "event": "done",
            "reason": reason,
            "epochs": progress.epoch,
            "best_epoch": progress.best_epoch,
            "folder": None,
            "is_text_model": problem.answer == "yes or no",
            "metrics": {"seconds": round(progress.seconds, 2), "parameters": self.model.n_parameters},
            "confusion": None,
            "wrong": [],
        }
        if not progress.epoch:
            return event
        # As it will be read back: the file holds fp16.
        kept = package.unpack(*package.pack(self.best))
        self.model.load_state_dict({name: tensor.to(self.device) for name, tensor in kept.items()})
        test = self._evaluate(problem.test, "fp32")
        best = progress.history[progress.best_epoch]
        low, high = accuracy_interval(test["accuracy"], int(test["asked"]))
        loss_name = "test_mse" if problem.answer == "number" else "test_loss_nats"
        metrics = {
            "test_accuracy": round(test["accuracy"], 5),
            "test_interval": [round(low, 5), round(high, 5)],
            "test_n": sum(len(batch.lengths) for batch in problem.test),
            loss_name: round(test["loss"], 5),
            "max_tokens": MAX_TOKENS,
            "validation_accuracy": best["validation_accuracy"],
            "validation_n": sum(len(batch.lengths) for batch in problem.validation),
            "guess_accuracy": problem.guess_accuracy,
            "bag_of_words_accuracy": problem.bag_of_words,
            "ceiling": problem.ceiling,
            "parameters": self.model.n_parameters,
            "seconds": round(progress.seconds, 2),
            "epochs": progress.epoch,
            "best_epoch": progress.best_epoch,
            "device": self.where.label,
            "precision": progress.precision,
            "seed": self.settings.seed,
            "commit": code_commit(),
            "torch": torch.__version__,
        }
        confusion, wrong = self._mistakes()
        task_result.write(self.out, self.model, problem, self.settings, metrics, progress.history)
        return event | {"folder": str(self.out), "metrics": metrics, "confusion": confusion, "wrong": wrong}

    # --- state ---

    def _save_state(self) -> None:
        groups = {"model": self._weights(), "best": self.best}
        progress = dataclasses.asdict(self.progress)
        state.save(self.state_file, groups, self.optimiser, progress=progress, settings=self._identity())

    def _go_on(self) -> None:
        """Goes on where the run stopped, and tells what it told before."""
        groups, progress = state.load(self.state_file, settings=self._identity())
        self.model.load_state_dict(groups["model"])
        self.best = {name: tensor.to(self.device) for name, tensor in groups["best"].items()}
        state.restore(self.optimiser, groups)
        self.progress = _Progress(**progress)
        self.progress.precision, says = keep_precision(self._trial(), self.progress.precision, self.settings.precision)
        self._say_start()
        self.on_event({"event": "precision", "precision": self.progress.precision, "says": says})
        for entry in self.progress.history:
            self.on_event({"event": "epoch", **entry})

    def _identity(self) -> str:
        entries = dataclasses.asdict(self.settings)
        return json.dumps({name: value for name, value in entries.items() if name != "precision"}, sort_keys=True)

    # --- small things ---

    def _say_start(self) -> None:
        problem = self.problem
        self.on_event(
            {
                "event": "start",
                "model": self.settings.model,
                "label": MODELS[self.settings.model].label,
                "task": self.settings.task,
                "parameters": self.model.n_parameters,
                "device": self.where.label,
                "device_memory_bytes": self.where.memory_bytes,
                "precision": self.progress.precision,
                "training_n": problem.training_n,
                "validation_n": sum(len(batch.lengths) for batch in problem.validation),
                "test_n": sum(len(batch.lengths) for batch in problem.test),
                "epochs": self.settings.epochs,
                "updates": self.updates,
                "updates_per_epoch": self.updates_per_epoch,
                "classes": list(problem.classes),
                "answer": problem.answer,
                "loss": "squared error" if problem.answer == "number" else "cross-entropy",
                "guess_accuracy": problem.guess_accuracy,
                "guess_loss": problem.guess_loss,
                "bag_of_words": problem.bag_of_words,
                "ceiling": problem.ceiling,
                "probe_steps": int(problem.probe.lengths.min()),
            }
        )

    def _trained(self) -> list[Tensor]:
        return [parameter for parameter in self.model.parameters() if parameter.requires_grad]

    def _weights(self) -> dict[str, Tensor]:
        return {name: tensor.detach().clone() for name, tensor in self.model.state_dict().items()}

    def _trial(self) -> Trial:
        model, batch = self.model, self.problem.validation[0]

        def loss(rows: int, steps: int) -> Tensor:
            targets = batch.targets[:rows, :steps] if batch.targets.ndim == 2 else batch.targets[:rows]
            lengths = batch.lengths[:rows].clip(max=steps)
            cut = Batch(inputs=batch.inputs[:rows, :steps], lengths=lengths, targets=targets)
            inputs, real, wanted = tensors(cut, self.device)
            return model.losses(model(inputs, real), wanted, real).mean()

        rows = min(self.settings.batch_size, len(batch.lengths))
        return Trial(model=model, rows=rows, steps=batch.inputs.shape[1], loss=loss)


def _optimiser(model: TaskModel, settings: RunSettings, device: torch.device) -> torch.optim.Optimizer:
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    fused = devices.has_fused_optimisers(device)
    if settings.optimiser == "sgd":
        return torch.optim.SGD(trained, lr=settings.learning_rate, momentum=0.9, fused=fused)
    return torch.optim.AdamW(trained, lr=settings.learning_rate, weight_decay=0.0, fused=fused)


def _rate_factor(update: int, updates: int, settings: RunSettings) -> float:
    if settings.schedule != "cosine":
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * update / updates))


def _certainty(model: TaskModel, answers: Tensor) -> Tensor:
    """The probability of what was answered, (B,) for one answer a sequence."""
    if model.answer == "yes or no":
        return torch.sigmoid(answers[:, 0].abs())
    return answers.float().softmax(-1).amax(-1)
