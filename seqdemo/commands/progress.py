"""How a training run shows itself on a terminal, or to another program."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from seqdemo.models.registry import MODELS

Listener = Callable[[dict[str, Any]], None]
"""Called with each event of a run, as it happens."""


def listener(events: str, bar: Callable[[], Listener]) -> Listener:
    """What listens to a run.

    Args:
        events: `jsonl` for one JSON object a line, or `bar`.
        bar: Makes the bar.
    """
    return _print_json if events == "jsonl" else bar()


class ReviewsBar:
    """Shows the events of `training.run`, `training.pretrain` and `training.dates`: a moving line, then one to keep."""

    def __init__(self) -> None:
        self._line = _MovingLine()

    def __call__(self, event: dict[str, Any]) -> None:
        """Shows one event."""
        kind = event["event"]
        if "says" in event:
            print(event["says"])
        elif kind == "start":
            preset = f", preset {event['preset']}" if event["preset"] else ""
            print(
                f"{MODELS[event['model']].label}{preset}: {event['parameters']:,} parameters on {event['device']}, "
                f"{event['training_reviews']:,} reviews to train on, {event['validation_reviews']:,} for validation."
            )
        elif kind == "step":
            done = round(30 * event["step"] / event["steps"])
            self._line.move(
                f"epoch {event['epoch']:>2} [{'█' * done}{'·' * (30 - done)}] {event['step']}/{event['steps']} "
                f"loss {event['loss_nats']:.3f} nats  {event['samples_per_s']:.0f} texts/s "
            )
        elif kind == "epoch":
            self._line.keep(
                f"epoch {event['epoch']:>2}  training loss {event['train_loss_nats']:.4f}  validation loss "
                f"{event['validation_loss_nats']:.4f}  accuracy {event['validation_accuracy']:.2%}  "
                f"{event['seconds']:.0f} s"
            )
        elif kind == "pretraining":
            print(
                f"{event['parameters']:,} parameters on {event['device']}, in {event['precision']}, "
                f"{event['updates']:,} updates."
            )
        elif kind == "check":
            perplexity = event.get("validation_perplexity")
            self._line.keep(
                f"update {event['update']:>6,} of {event['updates']:,}  training loss "
                f"{event['train_loss_nats']:.4f}  {event['seconds']:.0f} s"
                + (f"  validation perplexity {perplexity:.1f}" if perplexity else "")
            )
        elif kind == "testing":
            print("Measuring on texts that it has never seen.", flush=True)
        elif kind == "done" and "test_interval" not in event:
            print(
                f"Validation accuracy {event['validation_accuracy']:.2%}; the test reviews stayed closed. "
                f"{event['out']}"
            )
        elif kind == "done":
            _print_tested(event, event["out"])


class TaskBar:
    """Shows the events of `training.task_run`: a moving line, then one line an epoch to keep."""

    def __init__(self) -> None:
        self._line = _MovingLine()

    def __call__(self, event: dict[str, Any]) -> None:
        """Shows one event."""
        kind = event["event"]
        if kind == "start":
            print(
                f"{event['label']}: {event['parameters']:,} parameters on {event['device']}, in {event['precision']}, "
                f"{event['training_n']:,} sequences an epoch; guessing is right in {event['guess_accuracy']:.1%}."
            )
        elif kind == "precision":
            print(event["says"])
        elif kind == "read":
            print(event["note"])
        elif kind == "step":
            self._line.move(
                f"update {event['update']}/{event['updates']} loss {event['loss']:.3f}  "
                f"{event['samples_per_s']:.0f} sequences/s  {event['seconds_left']:.0f} s left "
            )
        elif kind == "epoch":
            self._line.keep(
                f"epoch {event['epoch']:>2}  validation loss {event['validation_loss']:.4f}  accuracy "
                f"{event['validation_accuracy']:.2%}  {event['seconds']:.0f} s"
            )
        elif kind == "done" and event["folder"]:
            _print_tested(event["metrics"], event["folder"])
        elif kind == "done":
            print("The run ended before its first epoch did; nothing is kept.")


class _MovingLine:
    """A line that is written over, at most twice a second, until one is kept in its place."""

    def __init__(self) -> None:
        self._moved = 0.0

    def move(self, text: str) -> None:
        if time.monotonic() - self._moved > 0.5:
            self._moved = time.monotonic()
            print(f"\r{text}", end="", flush=True)

    def keep(self, text: str) -> None:
        print(f"\r\033[K{text}", flush=True)


def _print_json(event: dict[str, Any]) -> None:
    print(json.dumps(event), flush=True)


def _print_tested(metrics: dict[str, Any], folder: str) -> None:
    low, high = metrics["test_interval"]
    print(f"Test accuracy {metrics['test_accuracy']:.2%} (95 % interval {low:.2%} to {high:.2%}). {folder}")
