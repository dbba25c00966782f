"""What a run tells while it goes on: one dialect for pages, terminals and other programs.

`plain` makes an event into plain values, one JSON object a line on `--events jsonl`. Accuracies are from 0 to 1; losses
are in nats, or squared errors where the answer is a number.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that a run tells."""

    def plain(self) -> dict[str, Any]:
        """The event as plain values: `event`, which is its name in lower case, and its entries."""
        entries = {entry.name: getattr(self, entry.name) for entry in dataclasses.fields(self)}
        more = entries.pop("more", {})
        return {"event": type(self).__name__.lower(), **entries, **more}


@dataclass(frozen=True, kw_only=True)
class Loading(Event):
    """Texts or sequences are being read or drawn."""

    task: str
    label: str


@dataclass(frozen=True, kw_only=True)
class Download(Event):
    """How much of the film reviews has come from the Hub."""

    done_bytes: int
    bytes: int


@dataclass(frozen=True, kw_only=True)
class Read(Event):
    """What was understood of a visitor's own file."""

    note: str


@dataclass(frozen=True, kw_only=True)
class Start(Event):
    """A run begins, or goes on.

    Attributes:
        task: What is learned: `reviews`, `language`, `dates`, or a task of the training page.
        label: The model's name as people read it.
        parameters: Trained numbers.
        device: By the name its maker gave it.
        precision: `fp32` or `bf16`.
        epochs: At most.
        updates: In all, at most.
        batch_size: Sequences in one update.
        more: What only this kind of run has, by its name.
    """

    task: str
    label: str
    parameters: int
    device: str
    precision: str
    epochs: int
    updates: int
    batch_size: int
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Precision(Event):
    """In which precision a run that goes on does so."""

    precision: str
    says: str


@dataclass(frozen=True, kw_only=True)
class Step(Event):
    """A few updates were made.

    Attributes:
        epoch: Counted from 1.
        update: Counted from 1, over the whole run.
        updates: In all, at most.
        loss: The mean since the last such event.
        gradient_norm: The largest since then, before clipping.
        learning_rate: Of the last update.
        samples_per_s: Sequences a second, since the epoch began.
        seconds: Computed so far, pauses left out.
        seconds_left: To the end of the run at this speed.
    """

    epoch: int
    update: int
    updates: int
    loss: float
    gradient_norm: float
    learning_rate: float
    samples_per_s: float
    seconds: float
    seconds_left: float


@dataclass(frozen=True, kw_only=True)
class Epoch(Event):
    """An epoch has ended and was measured; epoch 0 is before the first update.

    Attributes:
        epoch: Counted from 1.
        train_loss: The mean over its updates; None in epoch 0.
        gradient_norm: The median over its updates, before clipping; None in epoch 0.
        seconds: Computed so far.
        best_epoch: The one that would be kept now.
        more: What was measured, by its name.
    """

    epoch: int
    train_loss: float | None
    gradient_norm: float | None
    seconds: float
    best_epoch: int
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Paused(Event):
    """The run waits."""


@dataclass(frozen=True, kw_only=True)
class Resumed(Event):
    """It goes on."""


@dataclass(frozen=True, kw_only=True)
class Testing(Event):
    """What will be shipped is measured on texts that it has never seen."""


@dataclass(frozen=True, kw_only=True)
class Failed(Event):
    """The run cannot go on.

    Attributes:
        kind: `nan`, `explosion` or `memory`.
        message: What happened, in a sentence.
        setting: The setting to change, or None.
        advice: What to change it to, in a sentence.
    """

    kind: str
    message: str
    setting: str | None
    advice: str


@dataclass(frozen=True, kw_only=True)
class Done(Event):
    """The run has ended.

    Attributes:
        reason: `finished`, `early` (out of patience), `stopped` or `time`.
        epochs: Finished.
        best_epoch: The one that was kept.
        folder: Where its checkpoint is; None where no epoch was finished.
        metrics: What the checkpoint's `metrics.json` says.
        more: What only this kind of run has, by its name.
    """

    reason: str
    epochs: int
    best_epoch: int
    folder: str | None
    metrics: Mapping[str, Any]
    more: Mapping[str, Any] = field(default_factory=dict)


OnEvent = Callable[[Event], None]


def ignore(event: Event) -> None:
    """The listener of a run that nobody watches."""
