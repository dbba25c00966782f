"""What can be shown of a training run: its state and its curves, made from its events one by one."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from seqdemo.training.settings import RunSettings

State = Literal["queued", "starting", "running", "paused", "done", "failed", "killed"]
ENDED: tuple[State, ...] = ("done", "failed", "killed")
"""States that a run does not leave."""


@dataclass(kw_only=True)
class View:
    """What can be shown of a run: a copy, which changes no more.

    Attributes:
        id: Its unguessable id; empty for a recorded run.
        settings: What it was started with.
        state: Where it stands.
        place: Its place in the queue, from 1; 0 where it does not wait.
        ahead: While it waits, runs that are trained or wait before it.
        name: The name it was saved under, or that its file had, or empty.
        is_saved: Whether it was saved under that name.
        kept_until: When its files will be deleted, in seconds since 1970; None while it has not ended.
        download: Bytes of the film reviews that have come from the Hub, and bytes in all; None where none come.
        start: The `start` event, or None while there is none; see `training.events` for all events.
        steps: The `step` events, oldest first.
        epochs: The `epoch` events, epoch 0 first.
        done: The `done` event, or None.
        message: What happened, where it failed, was killed or was ended for a reason; a sentence.
        kind: Of a failure: `nan`, `explosion`, `memory`, `killed`, `data` or `error`; else empty.
        setting: The setting that teaches it, or None.
        advice: What to change, in a sentence, or empty.
        seconds: Since the start of the process, or until its end.
        version: Grows with every change but those of `place`, `ahead` and `seconds`, so that nothing need be drawn
            twice.
    """

    id: str
    settings: RunSettings
    state: State = "queued"
    place: int = 0
    ahead: int = 0
    name: str = ""
    is_saved: bool = False
    kept_until: float | None = None
    download: tuple[int, int] | None = None
    start: dict[str, Any] | None = None
    steps: list[dict[str, Any]] = field(default_factory=list)
    epochs: list[dict[str, Any]] = field(default_factory=list)
    done: dict[str, Any] | None = None
    message: str = ""
    kind: str = ""
    setting: str | None = None
    advice: str = ""
    seconds: float = 0.0
    version: int = 0

    @property
    def has_ended(self) -> bool:
        """Whether it will change no more."""
        return self.state in ENDED

    @property
    def folder(self) -> pathlib.Path | None:
        """The result's folder, if there is one."""
        return pathlib.Path(self.done["folder"]) if self.done and self.done.get("folder") else None

    @property
    def is_text_model(self) -> bool:
        """Whether `checkpoints.folder.load` reads the folder, so that every page can use the model."""
        return self.folder is not None and bool(self.done and self.done.get("is_text_model"))

    def take(self, event: Mapping[str, Any]) -> None:
        """Adds one event of the run."""
        kind = event["event"]
        self.version += 1
        self.seconds = float(event.get("at", self.seconds))
        if kind == "download":
            self.download = event["done_bytes"], event["bytes"]
        elif kind == "start":
            self.start, self.state, self.download = dict(event), "running", None
        elif kind == "step":
            self.steps.append(dict(event))
        elif kind == "epoch":
            # A run that goes on after an interruption tells its finished epochs once more.
            self.epochs = [entry for entry in self.epochs if entry["epoch"] < event["epoch"]] + [dict(event)]
        elif kind == "paused":
            self.state = "paused"
        elif kind == "resumed":
            self.state = "running"
        elif kind == "failed":
            self.state, self.kind, self.message = "failed", event["kind"], event["message"]
            self.setting, self.advice = event.get("setting"), event.get("advice", "")
        elif kind == "done":
            self.done, self.state = dict(event), "done"
            self.message = self.message or _REASONS.get(event["reason"], "")


_REASONS = {
    "early": "Stopped early: the validation result had not improved for as many epochs as set.",
    "stopped": "Stopped by hand.",
    "time": "The time for one run was over; the best epoch so far is kept.",
}


def side_by_side(views: Sequence[View]) -> list[dict[str, Any]]:
    """A table of runs: one row each with plain values, for a page and for CSV.

    Args:
        views: Runs in the order shown.

    Returns:
        `id`, `name`, `task`, `model`, `seed`, `state`, `parameters`, `epochs`, `best_epoch`, `validation_accuracy`,
        `test_accuracy`, `test_loss`, `seconds`; None where nothing is known yet.
    """
    rows = []
    for view in views:
        metrics = view.done["metrics"] if view.done else {}
        best = max((entry["validation_accuracy"] for entry in view.epochs if entry["epoch"]), default=None)
        rows.append(
            {
                "id": view.id,
                "name": view.name,
                "task": view.settings.task,
                "model": view.settings.model,
                "seed": view.settings.seed,
                "state": view.state,
                "parameters": view.start["parameters"] if view.start else metrics.get("parameters"),
                "epochs": len([entry for entry in view.epochs if entry["epoch"]]),
                "best_epoch": view.done["best_epoch"] if view.done else None,
                "validation_accuracy": metrics.get("validation_accuracy", best),
                "test_accuracy": metrics.get("test_accuracy"),
                "test_loss": metrics.get("test_loss_nats", metrics.get("test_mse")),
                "seconds": metrics.get("seconds", view.seconds),
            }
        )
    return rows
