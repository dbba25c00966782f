"""How a training run shows itself on a terminal, or to another program."""

from __future__ import annotations

import json
import time

from seqdemo.training import events
from seqdemo.training.events import Event, OnEvent

_WIDTH = 30


def listener(kind: str) -> OnEvent:
    """What listens to a run.

    Args:
        kind: `jsonl` for one JSON object a line, or `bar`.
    """
    return _print_json if kind == "jsonl" else Bar()


class Bar:
    """Shows the events of a run: a line that moves, and one to keep for each epoch."""

    def __init__(self) -> None:
        self._moved = 0.0

    def __call__(self, event: Event) -> None:
        """Shows one event."""
        match event:
            case events.Start():
                print(
                    f"{event.label}: {event.parameters:,} parameters on {event.device}, in {event.precision}, "
                    f"{event.updates:,} updates of {event.batch_size} sequences."
                )
                if "guess_accuracy" in event.more:
                    print(f"Guessing is right in {event.more['guess_accuracy']:.1%}.")
            case events.Read():
                print(event.note)
            case events.Precision():
                print(event.says)
            case events.Step():
                done = round(_WIDTH * event.update / event.updates)
                self._move(
                    f"epoch {event.epoch:>2} [{'█' * done}{'·' * (_WIDTH - done)}] {event.update:,}/{event.updates:,} "
                    f"loss {event.loss:.3f}  {event.samples_per_s:.0f} sequences/s  {event.seconds_left:.0f} s left "
                )
            case events.Epoch():
                self._keep(_in_a_line(event))
            case events.Testing():
                print("Measuring on texts that it has never seen.", flush=True)
            case events.Done():
                print(_ended(event))

    def _move(self, text: str) -> None:
        """Writes over the line, at most twice a second."""
        if time.monotonic() - self._moved > 0.5:
            self._moved = time.monotonic()
            print(f"\r{text}", end="", flush=True)

    def _keep(self, text: str) -> None:
        """Puts a line in its place."""
        print(f"\r\033[K{text}", flush=True)


def _in_a_line(event: events.Epoch) -> str:
    parts = [f"epoch {event.epoch:>2}"]
    if event.train_loss is not None:
        parts.append(f"training loss {event.train_loss:.4f}")
    for name, words, form in (
        ("validation_loss", "validation loss", ".4f"),
        ("validation_accuracy", "accuracy", ".2%"),
        ("validation_perplexity", "validation perplexity", ".1f"),
    ):
        if name in event.more:
            parts.append(f"{words} {event.more[name]:{form}}")
    return "  ".join([*parts, f"{event.seconds:.0f} s"])


def _ended(event: events.Done) -> str:
    metrics = event.metrics
    if event.folder is None:
        return "The run ended before its first epoch did; nothing is kept."
    if "test_interval" in metrics:
        low, high = metrics["test_interval"]
        reached = f"Test accuracy {metrics['test_accuracy']:.2%} (95 % interval {low:.2%} to {high:.2%})."
    elif "validation_perplexity" in metrics:
        reached = f"Validation perplexity {metrics['validation_perplexity']:.1f}."
    else:
        reached = f"Validation accuracy {metrics['validation_accuracy']:.2%}; the test reviews stayed closed."
    return f"{reached} {event.folder}"


def _print_json(event: Event) -> None:
    print(json.dumps(event.plain()), flush=True)
