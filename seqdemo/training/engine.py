"""The one loop that trains everything: rate, clipping, finite checks, averaging, early stopping, pauses, state, events.

What is learned, from which batches, by which loss and measured how, says a `Learner`; the settings that every run has
are its `Plan`. All chance of an epoch comes from the seed and the epoch's number, so that a resumed run repeats what an
uninterrupted one would have done.
"""

from __future__ import annotations

import abc
import contextlib
import copy
import dataclasses
import json
import math
import pathlib
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from seqdemo.errors import TrainingError, is_out_of_memory
from seqdemo.training import devices, events, ranks, schedule, state
from seqdemo.training.control import Control
from seqdemo.training.events import OnEvent, ignore
from seqdemo.training.precision import Trial, autocast, choose_precision, keep_precision

EXPLODED = 50.0
"""A loss this many times that of guessing counts as an explosion."""
LONG_SAVE_S = 0.5
SAVING_SHARE = 0.1
"""A state that takes longer than that to write, as hundreds of MB do, is written only as often as takes this share of
the time, and at the end."""
NEEDS_LESS_MEMORY = "Take a smaller batch, a shorter text or a narrower model."

B = TypeVar("B")


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


@contextlib.contextmanager
def failures_told(on_event: OnEvent) -> Iterator[None]:
    """Tells a failure as an event before it is raised; one for want of memory becomes a `RunFailed` on the way."""
    try:
        yield
        return
    except RunFailed as error:
        failed = error
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        failed = RunFailed(
            "memory", "There is not enough memory for this run.", setting="batch_size", advice=NEEDS_LESS_MEMORY
        )
        failed.__cause__ = error
    on_event(events.Failed(kind=failed.kind, message=failed.message, setting=failed.setting, advice=failed.advice))
    raise failed


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The settings that every run has.

    Attributes:
        epochs: At most.
        updates: Of the whole run.
        batch_size: Sequences in one update.
        learning_rate: The highest.
        schedule: Its course.
        clip_norm: Longest gradient allowed, in its L2 norm; 0 leaves it as it is.
        seed: Start of all chance.
        precision: `fp32`, `bf16`, or `auto`: bf16 where it works here and is clearly faster.
        keep: The epoch whose weights are kept: the one with the highest score, or the last.
        patience: Epochs without a better score before stopping; 0 goes on to the end.
        halves: Whether the rate is halved after each epoch without a better score.
        average_decay: Share of the averaged weights that stays at each update; the average is what is measured and
            kept (Polyak & Juditsky 1992; here exponential). 0 keeps the weights themselves.
        guess_loss: The loss of guessing; a multiple of it counts as an explosion. None where that is not looked at.
        report_every: Updates between two `Step` events, between which a processor does not wait for its device.
        measures_start: Whether the untrained model is measured too, as epoch 0.
    """

    epochs: int
    updates: int
    batch_size: int
    learning_rate: float
    schedule: schedule.Schedule = schedule.constant
    clip_norm: float = 1.0
    seed: int = 1
    precision: str = "auto"
    keep: Literal["best", "last"] = "best"
    patience: int = 0
    halves: bool = False
    average_decay: float = 0.0
    guess_loss: float | None = None
    report_every: int = 10
    measures_start: bool = False


class Learner(abc.ABC, Generic[B]):
    """What is learned: a model, its batches, its loss, its measures.

    Attributes:
        task: Its name in events.
        label: The model's name as people read it.
        model: What is trained, on its device.
        plan: The settings that every run has.
        settings: What must be the same for a run to be resumed.
        n_losses: How many `losses` gives.
    """

    task: str
    label: str
    model: nn.Module
    plan: Plan
    settings: Mapping[str, Any]
    n_losses = 1

    @property
    def device(self) -> torch.device:
        """Where it is computed."""
        return next(self.model.parameters()).device

    @property
    def trained(self) -> list[nn.Parameter]:
        """The parameters that learn."""
        return [parameter for parameter in self.model.parameters() if parameter.requires_grad]

    @property
    def place(self) -> str:
        """The device by the name its maker gave it."""
        return devices.name_of(self.device)

    @property
    def n_parameters(self) -> int:
        """Trained numbers."""
        return sum(parameter.numel() for parameter in self.trained)

    def about(self) -> Mapping[str, Any]:
        """What a run's start tells beside what every start does."""
        return {}

    def start(self, precision: str) -> events.Start:
        """What is told when the run begins."""
        return events.Start(
            task=self.task,
            label=self.label,
            parameters=self.n_parameters,
            device=self.place,
            precision=precision,
            epochs=self.plan.epochs,
            updates=self.plan.updates,
            batch_size=self.plan.batch_size,
            more=self.about(),
        )

    @abc.abstractmethod
    def trial(self) -> Trial:
        """A pass of the run, by which its precision is chosen."""

    @abc.abstractmethod
    def optimiser(self) -> torch.optim.Optimizer:
        """Over `trained`. Groups may have `share`, of the rate, and `first_epoch`, in which they begin to learn."""

    @abc.abstractmethod
    def batches(self, epoch: int) -> Sequence[B]:
        """The batches of an epoch, counted from 0."""

    @abc.abstractmethod
    def losses(self, batch: B) -> Iterator[Tensor]:
        """The scalars whose gradients make up an update; the first is the one that is reported.

        Each gradient is computed before the next loss is asked for, which may depend on it. Where several processes
        train together, each is over own rows, times `ranks.weight`.
        """

    @abc.abstractmethod
    def measure(self, model: Any, epoch: int) -> dict[str, Any]:
        """What is known of a model after an epoch (0 before the first update), as plain values.

        Args:
            model: The one that would be kept: `self.model`, or the average of its weights.
            epoch: Counted from 1.
        """

    def score(self, measured: Mapping[str, Any]) -> list[float]:
        """Higher is better; patience looks at the first entry alone, since a loss can fall for ever."""
        return [measured["validation_accuracy"]]

    def has_learned(self, measured: Mapping[str, Any]) -> bool:  # noqa: ARG002 (most do not know)
        """Whether nothing more is to be had from further epochs."""
        return False

    def carried(self) -> dict[str, Tensor]:
        """What goes over from one epoch to the next besides weights and moments."""
        return {}

    def carry_on(self, carried: Mapping[str, Tensor]) -> None:
        """Takes back what `carried` gave."""


@dataclass(kw_only=True)
class Progress:
    """How far a run has come.

    Attributes:
        epoch: Epochs finished.
        update: Updates made.
        best_epoch: The epoch whose weights are kept, counted from 1.
        best_score: Its score.
        improved_epoch: The last in which the score's first entry rose.
        seconds: Computed in all, over interruptions, pauses left out.
        rate_scale: What halving has made of the rate.
        precision: `fp32` or `bf16`, as `training.precision` chose it.
        history: One entry for each epoch, as its event tells it.
    """

    epoch: int = 0
    update: int = 0
    best_epoch: int = 0
    best_score: list[float] = field(default_factory=list)
    improved_epoch: int = 0
    seconds: float = 0.0
    rate_scale: float = 1.0
    precision: str = "fp32"
    history: list[dict[str, Any]] = field(default_factory=list)

    @property
    def best(self) -> dict[str, Any]:
        """The history's entry of the epoch that is kept."""
        return next(entry for entry in self.history if entry["epoch"] == self.best_epoch)

    def facts(self, device: str, seed: int) -> dict[str, Any]:
        """What `metrics.json` says of every training.

        Args:
            device: By its name.
            seed: Start of all chance.
        """
        return {
            "seconds": round(self.seconds, 2),
            "epochs": self.epoch,
            "best_epoch": self.best_epoch,
            "device": device,
            "precision": self.precision,
            "seed": seed,
            "commit": code_commit(),
            "torch": torch.__version__,
        }


class _Pass(nn.Module):
    """The next loss as a forward pass of a module, which is what DistributedDataParallel listens to."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, losses: Iterator[Tensor]) -> Tensor:
        return next(losses)


class _Ended(Exception):  # noqa: N818 (not an error)
    def __init__(self, reason: str) -> None:
        self.reason = reason


class Run(Generic[B]):
    """One run of a learner.

    Attributes:
        learner: What is learned.
        progress: How far the run has come.
    """

    def __init__(
        self,
        learner: Learner[B],
        *,
        control: Control | None = None,
        on_event: OnEvent = ignore,
        state_file: pathlib.Path | None = None,
    ) -> None:
        """Prepares the run; nothing is computed yet.

        Args:
            learner: What is learned.
            control: Pauses and stops the run.
            on_event: Called with each event.
            state_file: Where the state is kept after each epoch, as safetensors; one that takes long, less often.
        """
        self.learner, self.progress = learner, Progress()
        self._plan, self._control = learner.plan, control or Control()
        self._on_event = on_event if ranks.rank() == 0 else ignore
        self._state_file = state_file
        devices.allow_fast_products(learner.device)
        self._optimiser = learner.optimiser()
        self._trained = learner.trained
        self._pass: nn.Module = _Pass(learner.model)
        if ranks.world() > 1:
            # Some weights have no part in every loss, such as the head of an encoder that learns a language.
            self._pass = DistributedDataParallel(self._pass, find_unused_parameters=True)
        self._averaged = copy.deepcopy(learner.model) if self._plan.average_decay else learner.model
        self._best = self._weights() if self._plan.keep == "best" else {}
        self._started = self._saved = self._saving_s = 0.0

    @property
    def kept(self) -> dict[str, Tensor]:
        """The weights of the epoch to be kept, on the run's device."""
        return self._best or self._weights()

    def go(self, *, resume: bool = False, finish: bool = False) -> str:
        """Trains to the end, and leaves the weights of the epoch to be kept in the learner's model.

        Args:
            resume: Whether to go on from the state file if it is there.
            finish: Whether to train no further and take the best epoch of the state file.

        Returns:
            Why it ended: `finished`, `early`, `stopped` or `time`.

        Raises:
            RunFailed: The loss is no longer a number or exploded, or too much memory was used.
            TrainingError: The state is of another run or cannot be written, there is nothing to finish, bf16 is asked
                for and does not work, or whoever started the run is gone.
        """
        plan, progress = self._plan, self.progress
        if (resume or finish) and self._state_file is not None and self._state_file.is_file():
            self._go_on(finish=finish)
        elif finish:
            raise TrainingError("There is no interrupted run to finish; start one without --finish.")
        else:
            progress.precision = ranks.agreed(choose_precision(self.learner.trial(), plan.precision))
            self._on_event(self.learner.start(progress.precision))
            if plan.measures_start:
                self._record(train_loss=None, gradient_norm=None, measured=self._measure())
        reason = "finished"
        try:
            while not finish and progress.epoch < plan.epochs:
                if self._epoch():
                    reason = "early"
                    break
        except _Ended as ended:
            reason = ended.reason
        if reason == "abandoned":
            raise TrainingError("Whoever started this run is gone; it ends, and nothing is written.")
        if reason == "memory":
            limit = f"{self._control.max_memory_bytes / 1e6:,.0f} MB"
            raise RunFailed(
                "memory",
                f"The run needed more than {limit} of memory.",
                setting="batch_size",
                advice=NEEDS_LESS_MEMORY,
            )
        self.learner.model.load_state_dict(self.kept)
        self.learner.model.eval()
        return reason

    def rehearse(self, batches: Sequence[B]) -> tuple[float, float]:
        """How long things take, found by updates at a rate of 0, which leave everything as it was.

        Args:
            batches: Of the updates.

        Returns:
            The seconds of an update, and those of measuring what was learned.
        """
        device = self.learner.device
        accelerators = [] if device.type == "cpu" else [device]
        self.progress.precision = choose_precision(self.learner.trial(), self._plan.precision)
        for group in self._optimiser.param_groups:
            group["lr"] = 0.0
        with torch.random.fork_rng(accelerators, device_type=device.type if accelerators else None):
            self.learner.model.train()
            self._update(batches[0])[0].item()  # the first is slower
            started = time.perf_counter()
            for batch in batches:
                loss, _ = self._update(batch)
            loss.item()  # waits for the device
            updated = time.perf_counter()
            self._measure()
        self._optimiser.state.clear()
        self._optimiser.zero_grad(set_to_none=True)
        return (updated - started) / len(batches), time.perf_counter() - updated

    # --- one epoch ---

    def _epoch(self) -> bool:
        """Trains and measures; returns whether it was the last one worth its time."""
        plan, progress, learner = self._plan, self.progress, self.learner
        self._started = time.perf_counter() - progress.seconds
        began = progress.seconds
        torch.manual_seed(plan.seed * 100_003 + progress.epoch + ranks.rank() * 1_000_003)
        batches = learner.batches(progress.epoch)
        learner.model.train()
        losses: list[Tensor] = []
        norms: list[Tensor] = []
        reported = 0
        for index, batch in enumerate(batches):
            self._obey()
            rate = self._set_rate()
            loss, norm = self._update(batch)
            losses.append(loss)
            norms.append(norm)
            progress.update += 1
            if progress.update % plan.report_every == 0 or index == len(batches) - 1:
                self._report(rate, losses[reported:], norms[reported:], index + 1, began)
                reported = len(losses)
        measured = self._measure()
        progress.epoch += 1
        self._keep_if_better(measured)
        train_loss, gradient_norm = ranks.mean(torch.stack(losses).float().mean()), torch.stack(norms).float().median()
        self._record(train_loss=train_loss.item(), gradient_norm=gradient_norm.item(), measured=measured)
        return learner.has_learned(measured) or 0 < plan.patience <= progress.epoch - progress.improved_epoch

    def _update(self, batch: B) -> tuple[Tensor, Tensor]:
        """One update; returns its loss and the gradient's norm before clipping."""
        self._optimiser.zero_grad(set_to_none=True)
        losses = self.learner.losses(batch)
        first: Tensor | None = None
        for _ in range(self.learner.n_losses):
            with autocast(self.learner.device, self.progress.precision):
                loss = self._pass(losses)
            loss.backward()
            first = loss.detach() if first is None else first
        next(losses, None)  # what the learner does after its last loss
        norm = torch.nn.utils.clip_grad_norm_(self._trained, self._plan.clip_norm or math.inf)
        self._optimiser.step()
        if self._averaged is not self.learner.model:
            self._average()
        assert first is not None
        return first, norm.detach()

    @torch.no_grad()
    def _average(self) -> None:
        """Moves the average to the weights of now; faster at the start, when it still holds what chance drew."""
        update = self.progress.update
        share = 1 - min(self._plan.average_decay, (update + 1) / (update + 10))
        torch._foreach_lerp_(list(self._averaged.parameters()), list(self.learner.model.parameters()), share)

    def _set_rate(self) -> float:
        plan, progress = self._plan, self.progress
        rate = plan.learning_rate * progress.rate_scale * plan.schedule(progress.update, plan.updates)
        for group in self._optimiser.param_groups:
            learns = progress.epoch >= group.get("first_epoch", 0)
            group["lr"] = rate * group.get("share", 1.0) if learns else 0.0
        return rate

    def _obey(self) -> None:
        """Waits while paused; ends the run where that is asked for."""
        if self._control.is_paused:
            self._on_event(events.Paused())
            self._started += self._control.wait()
            self._on_event(events.Resumed())
        reason = ranks.agreed(self._control.reason_to_end(time.perf_counter() - self._started))
        if reason is not None:
            raise _Ended(reason)

    def _report(
        self, rate: float, losses: Sequence[Tensor], norms: Sequence[Tensor], n_done: int, began: float
    ) -> None:
        """The only place of an epoch where the processor waits for the device."""
        found = (
            torch.cat([ranks.mean(torch.stack(list(losses)).float()), torch.stack(list(norms)).float()]).cpu().numpy()
        )
        loss, norm = found[: len(losses)], found[len(losses) :]
        plan, progress = self._plan, self.progress
        self._refuse_nonsense(progress.update - len(losses), loss, norm)
        progress.seconds = time.perf_counter() - self._started
        per_update = max((progress.seconds - began) / n_done, 1e-9)
        self._on_event(
            events.Step(
                epoch=progress.epoch + 1,
                update=progress.update,
                updates=plan.updates,
                loss=float(loss.mean()),
                gradient_norm=float(norm.max()),
                learning_rate=rate,
                samples_per_s=round(plan.batch_size / per_update, 1),
                seconds=round(progress.seconds, 2),
                seconds_left=round((plan.updates - progress.update) * per_update, 1),
            )
        )

    def _refuse_nonsense(self, before: int, losses: np.ndarray[Any, Any], norms: np.ndarray[Any, Any]) -> None:
        broken = ~np.isfinite(losses) | ~np.isfinite(norms)
        plan = self._plan
        if plan.clip_norm == 0:
            setting = "clip_norm"
            advice = "Switch clipping on: it shortens a gradient that has become too long and keeps its direction."
        else:
            setting = "learning_rate"
            advice = f"Take a smaller learning rate, {plan.learning_rate / 10:g} instead of "
            advice += f"{plan.learning_rate:g}: each update goes less far."
        if broken.any():
            first = int(broken.argmax())
            what = "gradient" if np.isfinite(losses[first]) else "loss"
            raise RunFailed(
                "nan",
                f"In update {before + first + 1} the {what} was no longer a number: values had grown until they could "
                "not be written down.",
                setting=setting,
                advice=advice,
            )
        if plan.guess_loss is not None and losses.mean() > EXPLODED * plan.guess_loss:
            raise RunFailed(
                "explosion",
                f"By update {before + len(losses)} the loss had grown to {losses.mean():,.1f}, and guessing has "
                f"{plan.guess_loss:.2f}: the updates went too far.",
                setting=setting,
                advice=advice,
            )

    # --- between two epochs ---

    def _measure(self) -> dict[str, Any]:
        """What is known of the model that would be kept, after the epoch that has just been trained."""
        model, epoch = self._averaged, self.progress.epoch + (self.progress.update > 0)
        model.eval()
        with autocast(self.learner.device, self.progress.precision):
            return self.learner.measure(model, epoch)

    def _keep_if_better(self, measured: Mapping[str, Any]) -> None:
        """The best epoch has the highest score, of several with one first entry the highest of the others."""
        plan, progress = self._plan, self.progress
        if plan.keep == "last":
            progress.best_epoch = progress.improved_epoch = progress.epoch
            return
        score = self.learner.score(measured)
        if not progress.best_score or score > progress.best_score:
            if not progress.best_score or score[0] > progress.best_score[0]:
                progress.improved_epoch = progress.epoch
            progress.best_score, progress.best_epoch = score, progress.epoch
            self._best = self._weights()
        if plan.halves and progress.improved_epoch != progress.epoch:
            progress.rate_scale /= 2

    def _record(self, *, train_loss: float | None, gradient_norm: float | None, measured: Mapping[str, Any]) -> None:
        """Writes the epoch down and saves the state, before anyone is told."""
        progress = self.progress
        if progress.epoch:
            progress.seconds = time.perf_counter() - self._started
        entry = events.Epoch(
            epoch=progress.epoch,
            train_loss=train_loss,
            gradient_norm=gradient_norm,
            seconds=round(progress.seconds, 2),
            best_epoch=progress.best_epoch,
            more=measured,
        )
        progress.history.append({name: value for name, value in entry.plain().items() if name != "event"})
        if self._state_file is not None and progress.epoch and self._is_time_to_save():
            started = time.perf_counter()
            self._save(self._state_file)
            self._saved = time.perf_counter()
            self._saving_s = self._saved - started
        self._on_event(entry)

    def _weights(self) -> dict[str, Tensor]:
        return {name: tensor.detach().clone() for name, tensor in self._averaged.state_dict().items()}

    # --- state ---

    def _is_time_to_save(self) -> bool:
        waits_for = self._saving_s / SAVING_SHARE if self._saving_s > LONG_SAVE_S else 0.0
        is_time = time.perf_counter() - self._saved >= waits_for
        return ranks.agreed(is_time or self.progress.epoch == self._plan.epochs)

    def _save(self, path: pathlib.Path) -> None:
        groups: dict[str, Mapping[str, Tensor]] = {"model": self.learner.model.state_dict()}
        groups |= {"best": self._best} if self._best else {}
        groups |= {"average": self._averaged.state_dict()} if self._plan.average_decay else {}
        groups |= {"carried": carried} if (carried := self.learner.carried()) else {}
        if ranks.rank():
            return
        state.save(path, groups, self._optimiser, progress=dataclasses.asdict(self.progress), settings=self._identity())

    def _go_on(self, *, finish: bool) -> None:
        """Goes on where the run stopped, and tells what it told before."""
        path, learner = self._state_file, self.learner
        assert path is not None
        groups, progress = state.load(path, settings=self._identity())
        try:
            learner.model.load_state_dict(groups["model"])
            if self._plan.average_decay:
                self._averaged.load_state_dict(groups["average"])
            state.restore(self._optimiser, groups)
        except (RuntimeError, ValueError) as error:  # torch's words for other names or shapes
            raise TrainingError(f"{path} belongs to a run of another model; start again without --resume.") from error
        self._best = {name: tensor.to(learner.device) for name, tensor in groups.get("best", {}).items()}
        learner.carry_on(groups.get("carried", {}))
        vars(self.progress).update(progress)
        if finish:
            return
        precision, says = ranks.agreed(keep_precision(learner.trial(), self.progress.precision, self._plan.precision))
        self.progress.precision = precision
        self._on_event(learner.start(precision))
        self._on_event(events.Precision(precision=precision, says=says))
        for entry in self.progress.history:
            named = {each.name: entry[each.name] for each in dataclasses.fields(events.Epoch) if each.name in entry}
            more = {name: value for name, value in entry.items() if name not in named}
            self._on_event(events.Epoch(**named, more=more))

    def _identity(self) -> str:
        settings = {name: value for name, value in self.learner.settings.items() if name != "precision"}
        return json.dumps(settings, sort_keys=True)


def as_shipped(history: Sequence[Mapping[str, Any]], unit: str = "loss_nats") -> list[dict[str, Any]]:
    """A history in the names of `history.json`: losses say their unit, and the epoch before training is left out."""
    renamed = {"train_loss": f"train_{unit}", "validation_loss": f"validation_{unit}"}
    return [
        {renamed.get(name, name): value for name, value in entry.items() if name != "best_epoch"}
        for entry in history
        if entry["epoch"]
    ]


def code_commit() -> str | None:
    """The commit of this code, or None outside of a checkout."""
    try:
        found = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=pathlib.Path(__file__).parent, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return found.stdout.strip()
