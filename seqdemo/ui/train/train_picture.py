"""Training runs in words, and as the message that their picture is drawn from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from seqdemo.models.registry import MODELS
from seqdemo.runs.view import View
from seqdemo.serve.message import pack
from seqdemo.studies.study import listed
from seqdemo.training.settings import foretells
from seqdemo.ui.train import train_plan

_DASHES = ("", "2 3", "8 3", "14 3")
_LEARNED, _STUCK = 0.75, 0.2
"""Of the way from guessing to the best possible: from here on a run has learned, up to here it still guesses."""
_STATES: Mapping[str, str] = {
    "queued": "waiting",
    "starting": "getting ready",
    "running": "training",
    "paused": "paused",
    "done": "done",
    "failed": "broke off",
    "killed": "ended",
}


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One run on screen.

    Attributes:
        view: What is known of it.
        label: What to call it here.
        colour: Its model's.
        dash: Its model's, or another one where two runs are of one model.
    """

    view: View
    label: str
    colour: str
    dash: str


def side_by_side(views: Sequence[View]) -> list[Shown]:
    """Gives runs their labels, colours and dashes."""
    labels = train_plan.run_labels([view.settings for view in views], [view.name for view in views])
    found: list[Shown] = []
    for view, label in zip(views, labels, strict=True):
        spec = MODELS[view.settings.model]
        taken = {other.dash for other in found if other.colour == spec.colour}
        dash = spec.dash if spec.dash not in taken else next(dash for dash in (*_DASHES, "1 6") if dash not in taken)
        found.append(Shown(view=view, label=label, colour=spec.colour, dash=dash))
    return found


def status(view: View) -> str:
    """What a run does now, in one line."""
    words = [_STATES[view.state]]
    if view.state == "queued" and view.ahead:
        words.append(f"{view.ahead} {'run' if view.ahead == 1 else 'runs'} ahead")
    last = view.steps[-1] if view.steps else None
    if view.state in {"running", "paused"} and last is not None:
        words.append(f"epoch {last['epoch']} of {view.settings.epochs}")
        words.append(f"{last['samples_per_s']:,.0f} samples a second")
        if view.state == "running":
            words.append(f"{duration(last['seconds_left'])} left")
    elif view.state == "done" and view.done is not None:
        metrics = view.done["metrics"]
        words = [view.message.rstrip(".")] if view.message else words
        if metrics.get("test_accuracy") is not None:
            words.append(f"{100 * metrics['test_accuracy']:.1f}\u00a0% on the test")
        words.append(f"best epoch {view.done['best_epoch']} of {view.done['epochs']}")
        if metrics.get("seconds"):
            words.append(f"{duration(metrics['seconds'])}")
    return " · ".join(words)


def where(start: Mapping[str, Any]) -> str:
    """The device of a run by its name, with its memory and precision."""
    memory = start.get("device_memory_bytes")
    size = f", {memory / 1024**3:.0f} GiB" if memory else ""
    return f"{start['device']}{size}, {start['precision']}"


def duration(seconds: float) -> str:
    """`4 s`, `2 min 5 s`."""
    whole = round(seconds)
    return f"{whole}\u00a0s" if whole < 60 else f"{whole // 60}\u00a0min {whole % 60}\u00a0s"


def finding(runs: Sequence[Shown]) -> str:
    """What the curves show, in one sentence."""
    views = [run.view for run in runs]
    waiting = [run for run in runs if run.view.state == "queued"]
    waits = f"{listed([run.label for run in waiting])} {'waits' if len(waiting) == 1 else 'wait'}" if waiting else ""
    if waiting and (ahead := min(run.view.ahead for run in waiting)):
        waits += f" for {ahead} {'run' if ahead == 1 else 'runs'} ahead"
    if not any(view.epochs for view in views):
        if all(view.has_ended for view in views):
            return "No run came as far as its first epoch"
        reading = "" if len(waiting) == len(runs) else "Getting ready: the data is being read"
        return "; ".join(filter(None, (reading, waits)))
    if any(not view.has_ended for view in views):
        epoch = max((view.epochs[-1]["epoch"] for view in views if view.epochs), default=0)
        scores = [
            f"{run.label} {_foretelling_words(run.view) or percent(run.view.epochs[-1]['validation_accuracy'])}"
            for run in runs
            if run.view.epochs
        ]
        return "; ".join(
            filter(None, (f"After {epoch} {'epoch' if epoch == 1 else 'epochs'}: {', '.join(scores)}", waits))
        )
    groups: dict[str, list[str]] = {"learns it": [], "learns part of it": [], "stays at guessing": [], "breaks off": []}
    for run in runs:
        groups[verdict(run.view)].append(run.label + score_words(run.view))
    plural = {"learns it": "learn it", "learns part of it": "learn part of it", "stays at guessing": "stay at guessing"}
    plural["breaks off"] = "break off"
    return "; ".join(
        f"{listed(names)} {words if len(names) == 1 else plural[words]}" for words, names in groups.items() if names
    )


def verdict(view: View) -> str:
    """How an ended run did, between always giving the same answer and the best that is possible."""
    accuracy = final_accuracy(view)
    if view.state in {"failed", "killed"} or accuracy is None:
        return "breaks off"
    guess, ceiling = (view.start["guess_accuracy"], view.start["ceiling"]) if view.start else (0.5, 1.0)
    if (agreement := verbs_agree(view)) is not None:  # of the next word, accuracy shows little of what was learned
        accuracy, guess, ceiling = agreement, 0.5, 1.0
    elif view.start and (loss := _best_loss(view)) is not None:  # as well as who counts pairs of words
        accuracy, guess, ceiling = -loss, -view.start["guess_loss"], -min(view.start["known_losses"].values())
    share = (accuracy - guess) / max(ceiling - guess, 1e-9)
    return "learns it" if share >= _LEARNED else "stays at guessing" if share <= _STUCK else "learns part of it"


def final_accuracy(view: View) -> float | None:
    """Test accuracy of a result, otherwise the best on validation."""
    measured = view.done["metrics"].get("test_accuracy") if view.done else None
    if measured is not None:
        return float(measured)
    return max((float(entry["validation_accuracy"]) for entry in view.epochs if entry["epoch"]), default=None)


def verbs_agree(view: View) -> float | None:
    """Of the verbs that a model wrote after its best epoch so far, the share that agrees; None where none writes."""
    written = {entry["epoch"]: entry["sample"] for entry in view.epochs if entry.get("sample")}
    if not written or "verbs" not in next(iter(written.values())):
        return None
    found = written[view.epochs[-1]["best_epoch"]]
    return found["verbs_agree"] / found["verbs"] if found["verbs"] else None


def _foretelling_words(view: View) -> str:
    """How well a run foretells words; empty where it does something else, or nothing was measured."""
    if (share := verbs_agree(view)) is not None:
        return f"{percent(share)} of its verbs agree"
    loss = _best_loss(view)
    return "" if loss is None else f"perplexity {math.exp(loss):,.0f}"


def _best_loss(view: View) -> float | None:
    """The lowest loss on validation words of a run that foretells them; None of others."""
    if not foretells(view.settings.task):
        return None
    return min(
        (entry["validation_loss"] for entry in view.epochs if entry["validation_loss"] is not None), default=None
    )


def score_words(view: View) -> str:
    """` (98 %)`, or nothing where nothing was measured."""
    if view.state == "done" and (words := _foretelling_words(view)):
        return f" ({words})"
    accuracy = final_accuracy(view)
    return f" ({percent(accuracy)})" if accuracy is not None and view.state == "done" else ""


def percent(share: float) -> str:
    """Whole per cents, halves up."""
    return f"{int(100 * share + 0.5)}\u00a0%"


def message(
    runs: Sequence[Shown], *, entries: Mapping[str, str] | None = None, play: int = 0, visitor: str = ""
) -> bytes:
    """All that the picture is drawn from, as one binary message.

    Args:
        runs: Up to four.
        entries: What is to stand in the page's address, as `address.entries` gives it; the others stay as they are.
        play: Counts how often it was to be played from the start.
        visitor: What the browser is to keep where it was given no name before.
    """
    arrays: dict[str, npt.NDArray[Any]] = {}
    described = []
    for k, run in enumerate(runs):
        view = run.view
        start = view.start or {}
        per_epoch = start.get("updates_per_epoch", 1)
        gradients = [entry["gradient_by_step"] for entry in view.epochs]
        n_steps = len(gradients[0]) if gradients else 0
        arrays[f"{k}.step_at"] = _floats(step["update"] / per_epoch for step in view.steps)
        arrays[f"{k}.loss"] = _floats(step["loss"] for step in view.steps)
        arrays[f"{k}.norm"] = _floats(step["gradient_norm"] for step in view.steps)
        arrays[f"{k}.epoch_at"] = _floats(entry["epoch"] for entry in view.epochs)
        for name in ("train_accuracy", "validation_accuracy", "validation_loss"):
            arrays[f"{k}.{name}"] = _floats(entry[name] for entry in view.epochs)
        arrays[f"{k}.gradients"] = _floats(value for row in gradients for value in row)
        described.append(
            {
                "label": run.label,
                "colour": run.colour,
                "dash": run.dash,
                "epochs": view.settings.epochs,
                "steps": n_steps,
                "clip": view.settings.clip_norm,
                "guess": start.get("guess_accuracy"),
                "guess_loss": start.get("guess_loss"),
                "bag": start.get("bag_of_words"),
                "ceiling": start.get("ceiling", 1.0),
                "known_losses": start.get("known_losses", {}),
                "samples": [entry["sample"] for entry in view.epochs if entry.get("sample")],
            }
        )
    adding = any(run.view.settings.task == "adding" for run in runs)
    right = " An answer within 0.04 of the sum counts as right." if adding else ""
    if any(foretells(run.view.settings.task) for run in runs):
        right += (
            " What they write is drawn from each model as it stands, every time with the same chance. Perplexity: "
            "among how many equally likely words a model might as well choose."
        )
    if any(run.view.settings.task == "next_word" for run in runs):
        right += " A verb agrees that has the number of the first noun of its sentence."
    losses = {"squared error" if run.view.settings.task == "adding" else "cross-entropy" for run in runs}
    header = {
        "id": ".".join(run.view.id or str(run.view.settings) for run in runs),
        "title": finding(runs) if runs else "Nothing has been trained yet",
        "invitation": "" if runs else "Choose what to learn, and start. The curves grow here.",
        "how": "How to read this: thick lines are measured on examples that are held back (validation), thin ones on "
        f"those being trained on.{right} The last two pictures show how much the loss would change with the state at "
        "each step (total derivative, on 16 fixed sequences): where it is thousands of times smaller at the first step "
        "than at the last, training hardly notices what stood at the beginning.",
        "loss": f"{' and '.join(sorted(losses))}{', nats' if losses == {'cross-entropy'} else ''}",
        "live": any(not run.view.has_ended for run in runs),
        "address": dict(entries or {}),
        "play": play,
        "visitor": visitor,
        "runs": described,
    }
    return pack(header, arrays)


def _floats(values: Any) -> npt.NDArray[np.float32]:
    """float32, None as NaN; what is too large for it as infinity."""
    with np.errstate(over="ignore"):
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64).astype(np.float32)
