"""In which precision a run computes, asked of its own model on its own device.

Whether bf16 works is no property of a device: on processors without it torch has no LSTM in bf16 at all, and imitates
the other layers several times slower than fp32. What a processor says of itself is no answer either. So a run's own
model is run forwards and backwards both ways before it learns anything; bf16 is taken only where it works and is
clearly faster.
"""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from seqdemo.errors import TrainingError

_FEW = 2
"""Rows and steps that show whether bf16 works at all."""
_FIRST_ROWS, _FIRST_STEPS, _GROWTH = 16, 4, 4
_LONG_ENOUGH_S = 0.01
"""A pass that takes so long is dominated by what a whole batch spends its time on, too."""
_ROUNDS = 5
_MUCH_FASTER = 0.8
"""bf16 is taken where it needs at most this share of the time: chance does not make the difference, and in doubt the
exact one is taken."""
_HOPELESS = 2.0


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One update's pass as a run would do it, on as much of a batch as is asked for.

    Attributes:
        model: What is trained, on its device.
        rows: Of a whole batch.
        steps: Of its longest sequence.
        loss: `(rows, steps)` → the loss of the batch's first rows, cut to their first steps, a scalar. It takes no
            chance but torch's own, and changes nothing.
    """

    model: nn.Module
    rows: int
    steps: int
    loss: Callable[[int, int], Tensor]


def autocast(device: torch.device, precision: str) -> contextlib.AbstractContextManager[object]:
    """What forward passes are computed under, those of training and of its validation alike.

    Args:
        device: Where they are computed.
        precision: `fp32` or `bf16`.
    """
    return torch.autocast(device.type, torch.bfloat16) if precision == "bf16" else contextlib.nullcontext()


def choose_precision(trial: Trial, wanted: str = "auto") -> str:
    """The precision of a run, asked before its first update.

    Weights, gradients (there are none yet) and the random state stay as they are.

    Args:
        trial: A pass of the run.
        wanted: `fp32`, `bf16`, or `auto`: bf16 where it works and is clearly faster.

    Returns:
        `fp32` or `bf16`.

    Raises:
        TrainingError: bf16 was wanted and does not work.
    """
    if wanted == "fp32":
        return wanted
    with _untouched(trial.model):
        obstacle = _obstacle(trial)
        if wanted == "bf16":
            if obstacle is not None:
                raise TrainingError(
                    f"bf16 does not work for this model on this {_device(trial).type} ({obstacle}). "
                    "--precision auto takes what works, fp32 always does."
                )
            return wanted
        return "bf16" if obstacle is None and _is_much_faster(trial) else "fp32"


def keep_precision(trial: Trial, had: str, wanted: str = "auto") -> tuple[str, str]:
    """The precision in which an interrupted run goes on: the one it had, where that works here.

    Args:
        trial: A pass of the run.
        had: What it computed in before.
        wanted: `auto`, or what is asked for now, which comes first.

    Returns:
        `fp32` or `bf16`, and a sentence that says so.

    Raises:
        TrainingError: bf16 is asked for now and does not work.
    """
    if wanted != "auto":
        precision = choose_precision(trial, wanted)
        return precision, f"The run goes on in {precision}, as asked for."
    with _untouched(trial.model):
        if had == "bf16" and _obstacle(trial) is not None:
            return "fp32", "The run began in bf16, which does not work here; it goes on in fp32."
    return had, f"The run goes on in {had}, as it began."


@contextlib.contextmanager
def _untouched(model: nn.Module) -> Iterator[None]:
    """Leaves the random state, the mode and the gradients as they are before a first update."""
    device = next(model.parameters()).device
    was_training = model.training
    accelerators = [] if device.type == "cpu" else [device]
    with torch.random.fork_rng(accelerators, device_type=device.type if accelerators else None):
        try:
            yield
        finally:
            model.zero_grad(set_to_none=True)
            model.train(was_training)


def _obstacle(trial: Trial) -> str | None:
    """Why bf16 does not work for training and validation; None where it does."""
    rows, steps = min(trial.rows, _FEW), min(trial.steps, _FEW)
    try:
        _seconds(trial, "bf16", rows, steps)
        trial.model.eval()
        with torch.inference_mode(), autocast(_device(trial), "bf16"):
            loss = trial.loss(rows, steps).item()
    except RuntimeError as error:
        return str(error).split("\n")[0].split(". ")[0].rstrip(".")
    return None if loss == loss else "its loss is no number"


def _is_much_faster(trial: Trial) -> bool:
    """Whether bf16 is, on as much of a batch as a clock needs.

    By the fastest of a few passes and by their median: other work on the machine slows a pass and never quickens one,
    so it moves the fastest ones least, and one lucky pass alone decides nothing.
    """
    rows, steps = min(trial.rows, _FIRST_ROWS), min(trial.steps, _FIRST_STEPS)
    try:
        while _seconds_when_warm(trial, "fp32", rows, steps) < _LONG_ENOUGH_S:
            if rows < trial.rows:
                rows = min(trial.rows, _GROWTH * rows)
            elif steps < trial.steps:
                steps = min(trial.steps, _GROWTH * steps)
            else:
                return False  # over before a clock can tell, and nothing to save
        fp32: list[float] = []
        bf16: list[float] = []
        while len(bf16) < _ROUNDS:
            fp32.append(_seconds(trial, "fp32", rows, steps))
            bf16.append(_seconds(trial, "bf16", rows, steps))
            if len(bf16) > 1 and min(bf16) > _HOPELESS * min(fp32):  # the first pass of its size is slower
                return False
    except RuntimeError:
        return False
    return all(typical(bf16) < _MUCH_FASTER * typical(fp32) for typical in (min, statistics.median))


def _seconds_when_warm(trial: Trial, precision: str, rows: int, steps: int) -> float:
    _seconds(trial, precision, rows, steps)
    return _seconds(trial, precision, rows, steps)


def _seconds(trial: Trial, precision: str, rows: int, steps: int) -> float:
    """How long forward and backward take."""
    device = _device(trial)
    wait = torch.get_device_module(device).synchronize
    trial.model.train()
    trial.model.zero_grad(set_to_none=True)
    wait()
    started = time.perf_counter()
    with autocast(device, precision):
        loss = trial.loss(rows, steps)
    loss.backward()  # type: ignore[no-untyped-call]
    wait()
    return time.perf_counter() - started


def _device(trial: Trial) -> torch.device:
    return next(trial.model.parameters()).device
