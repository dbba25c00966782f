"""`python -m seqdemo train`: trains a model on the film reviews, or on a task that needs no data.

The training page runs this same command in a child process, with `--events jsonl --controlled`.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import pathlib
import sys
from collections.abc import Callable, Iterable
from typing import Any

from seqdemo.commands import progress
from seqdemo.commands.options import add_data, add_machine, add_settings, flag, given, set_threads
from seqdemo.errors import ConfigError
from seqdemo.models.registry import MODELS
from seqdemo.training import settings as run_settings
from seqdemo.training.config import TrainingConfig, recipe

HELP = "train a model on the film reviews, or on a task that needs no data"

_MODEL_OPTIONS = (
    "d_embed",
    "d_hidden",
    "n_layers",
    "readout",
    "embed_dropout",
    "dropout",
    "recurrent_init",
    "forget_bias",
)
_TRAINING_OPTIONS = {entry.name: type(entry.default) for entry in dataclasses.fields(TrainingConfig)}
_RUN_OPTIONS = {
    name: kind
    for name, kind in run_settings.FIELDS.items()
    if name not in {"task", "model", "device", *_MODEL_OPTIONS, *_TRAINING_OPTIONS}
}
"""What only the tasks of the training page have."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """What may be said to it."""
    parser.add_argument("--task", choices=list(_TASKS), default="reviews", help="film reviews by default")
    parser.add_argument("--model", choices=list(MODELS), help="needed for film reviews")
    parser.add_argument(
        "--attention", action=argparse.BooleanOptionalAction, default=None, help="of the translator of dates"
    )
    parser.add_argument("--preset", help="of the model; `full` on CUDA and `compact` elsewhere for the Transformer")
    parser.add_argument("--out", type=pathlib.Path, help="checkpoint folder; in runs/ by default")
    parser.add_argument("--resume", action="store_true", help="go on where an interrupted run stopped")
    parser.add_argument("--finish", action="store_true", help="ship the best epoch of an interrupted run as it is")
    parser.add_argument("--limit", type=int, help="use only so many reviews of each split")
    parser.add_argument(
        "--no-test",
        action="store_true",
        default=None,
        help="leave the test reviews closed: for trials that settings are chosen by",
    )
    parser.add_argument("--init", type=pathlib.Path, help="a language model to start from, as `pretrain` makes it")
    add_machine(parser)
    add_settings(parser, _TRAINING_OPTIONS)
    add_settings(parser, dict.fromkeys(_MODEL_OPTIONS, _number_or_word))
    add_settings(parser, _RUN_OPTIONS, "of the tasks of the training page")
    parser.add_argument("--csv", type=pathlib.Path, help="texts and labels of your own, for --task own")
    parser.add_argument(
        "--controlled",
        action="store_true",
        help="take pause, resume and stop as lines from standard input, give way to other programs, and end with it",
    )
    parser.add_argument("--max-seconds", type=float, help="end the run after so long, with its best epoch")
    parser.add_argument("--max-memory-mb", type=float, help="end the run where it holds more")
    add_data(parser)


def run(options: argparse.Namespace) -> None:
    """Trains on the chosen task."""
    set_threads(options.threads)
    _TASKS[options.task](options)


def _train_reviews(options: argparse.Namespace) -> None:
    from seqdemo.models import registry
    from seqdemo.training import devices
    from seqdemo.training.run import train

    if options.model is None:
        raise ConfigError(f"Film reviews need --model, one of {', '.join(MODELS)}.")
    _refuse(options, ["attention"])
    device = devices.find(options.device)
    preset = options.preset
    if preset is None:
        presets = registry.spec(options.model).presets
        preset = "full" if "full" in presets and device.type == "cuda" else next(iter(presets))
    settings = given(options, _TRAINING_OPTIONS)
    train(
        options.model,
        out=options.out or pathlib.Path("runs") / options.model,
        config=recipe(options.model, preset, fine_tuning=options.init is not None, **settings),
        preset=preset,
        overrides=given(options, _MODEL_OPTIONS),
        data=options.data,
        device=device,
        resume=options.resume,
        finish=options.finish,
        init=options.init,
        limit=options.limit,
        test=not options.no_test,
        on_event=progress.listener(options.events, progress.ReviewsBar),
    )


def _train_dates(options: argparse.Namespace) -> None:
    from seqdemo.training import dates, devices

    own = {entry.name for entry in dataclasses.fields(dates.DatesConfig)}
    others = [name for name in _TRAINING_OPTIONS if name not in own]
    _refuse(options, ["model", "preset", "data", "limit", "no_test", *others, *_MODEL_OPTIONS])
    if options.resume or options.finish:
        raise ConfigError("A translator of dates is trained in minutes and cannot be resumed; start it again.")
    attention = options.attention is not False
    dates.train(
        out=options.out or pathlib.Path("runs") / ("dates-attention" if attention else "dates-plain"),
        config=dates.DatesConfig(**given(options, own)),
        attention=attention,
        device=devices.find(options.device or "cpu"),
        on_event=progress.listener(options.events, progress.ReviewsBar),
    )


def _train_task(options: argparse.Namespace) -> None:
    from seqdemo.training import task_run
    from seqdemo.training.control import Control, give_way

    known = run_settings.FIELDS
    others = [name for name in (*_TRAINING_OPTIONS, *_MODEL_OPTIONS) if name not in known]
    _refuse(options, ["preset", "limit", "no_test", "attention", *others])
    if options.finish:
        raise ConfigError("--finish is for --task reviews; a run of this task goes on with --resume.")
    megabytes = options.max_memory_mb
    control = Control(
        max_seconds=options.max_seconds or math.inf,
        max_memory_bytes=megabytes * 1e6 if megabytes else math.inf,
    )
    if options.controlled:
        give_way()
        control.listen(sys.stdin.fileno())
    said: dict[str, Any] = {
        name: float(value) if known[name] is float else value for name, value in given(options, known).items()
    }
    settings = run_settings.RunSettings(**said)
    task_run.train(
        settings,
        out=options.out or pathlib.Path("runs") / f"{settings.task}-{settings.model}",
        csv=options.csv,
        data=options.data,
        resume=options.resume,
        control=control,
        on_event=progress.listener(options.events, progress.TaskBar),
    )


_TASKS: dict[str, Callable[[argparse.Namespace], None]] = {
    "reviews": _train_reviews,
    "dates": _train_dates,
    **dict.fromkeys(run_settings.TASK_LABELS, _train_task),
}
"""What `--task` runs: one function for each task."""


def _refuse(options: argparse.Namespace, names: Iterable[str]) -> None:
    """Stops where an option was given that the task has no use for."""
    if unused := given(options, names):
        raise ConfigError(f"--task {options.task} has no setting {', '.join(map(flag, unused))}.")


def _number_or_word(word: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    return word
