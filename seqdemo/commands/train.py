"""`python -m seqdemo train`: trains a model on the film reviews, or on a task that needs no data.

The training page runs this same command in a child process, with `--settings FILE --events jsonl --controlled`.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import pathlib
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from seqdemo.commands import progress
from seqdemo.commands.options import (
    add_data,
    add_machine,
    add_settings,
    count,
    flag,
    folder_to_write,
    given,
    meanings,
    number,
    positive,
    set_threads,
)
from seqdemo.errors import ConfigError
from seqdemo.models.registry import MODELS
from seqdemo.training import settings as run_settings
from seqdemo.training.config import TrainingConfig, recipe

HELP = "train a model on the film reviews, or on a task that needs no data"

_MODEL_OPTIONS: Mapping[str, Callable[[str], Any]] = {
    "d_embed": count,
    "d_hidden": count,
    "n_layers": count,
    "readout": str,
    "embed_dropout": number,
    "dropout": number,
    "recurrent_init": str,
    "forget_bias": number,
    "update_bias": number,
}
_TRAINING_OPTIONS = {entry.name: type(entry.default) for entry in dataclasses.fields(TrainingConfig)}
_RUN_OPTIONS = {
    name: kind
    for name, kind in run_settings.FIELDS.items()
    if name not in {"task", "model", "device", *_MODEL_OPTIONS, *_TRAINING_OPTIONS}
}
"""What only the tasks of the training page have."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """What may be said to it."""
    # Film reviews are learned one way here; the training page's short one comes with --settings.
    parser.add_argument("--task", choices=[task for task in _TASKS if task != "imdb"], help="film reviews by default")
    parser.add_argument("--settings", type=pathlib.Path, help="a JSON file with the settings of a training page's task")
    parser.add_argument("--model", choices=list(MODELS), help="needed for film reviews")
    parser.add_argument(
        "--attention", action=argparse.BooleanOptionalAction, default=None, help="of the translator of dates"
    )
    parser.add_argument("--preset", help="of the model; `full` on CUDA and `compact` elsewhere for the Transformer")
    parser.add_argument("--out", type=pathlib.Path, help="checkpoint folder; in runs/ by default")
    parser.add_argument("--resume", action="store_true", default=None, help="go on where an interrupted run stopped")
    parser.add_argument(
        "--finish", action="store_true", default=None, help="ship the best epoch of an interrupted run as it is"
    )
    parser.add_argument("--limit", type=count, help="use only so many reviews of each split")
    parser.add_argument(
        "--no-test",
        action="store_true",
        default=None,
        help="leave the test reviews closed: for trials that settings are chosen by",
    )
    parser.add_argument("--init", type=pathlib.Path, help="a language model to start from, as `pretrain` makes it")
    add_machine(parser)
    of_tasks = meanings(run_settings.RunSettings)
    add_settings(parser, _TRAINING_OPTIONS, meanings(TrainingConfig))
    add_settings(
        parser,
        _MODEL_OPTIONS,
        {"embed_dropout": "Share of entries of word vectors zeroed.", **of_tasks},
    )
    add_settings(parser, _RUN_OPTIONS, {name: f"{text} (Tasks.)" for name, text in of_tasks.items()})
    parser.add_argument(
        "--csv",
        type=pathlib.Path,
        help="texts and labels of your own, for --task own: CSV, TSV, Excel, JSON Lines, Parquet",
    )
    parser.add_argument("--positive", help="which of the two labels in that file is the positive one")
    parser.add_argument(
        "--controlled",
        action="store_true",
        default=None,
        help="take pause, resume and stop as lines from standard input, give way to other programs, and end with it",
    )
    parser.add_argument("--max-seconds", type=positive, help="end the run after so long, with its best epoch")
    parser.add_argument("--max-memory-mb", type=positive, help="end the run where it holds more")
    add_data(parser)


def run(options: argparse.Namespace) -> None:
    """Trains on the chosen task."""
    if options.settings:
        if twice := given(options, run_settings.FIELDS):
            raise ConfigError(
                f"The file of --settings decides what {', '.join(map(flag, twice))} says too; leave it out."
            )
        vars(options).update(dataclasses.asdict(run_settings.RunSettings.read(options.settings)), settings=None)
    options.task = options.task or "reviews"
    set_threads(options.threads)
    _TASKS[options.task](options)


def _train_reviews(options: argparse.Namespace) -> None:
    from seqdemo.models import registry
    from seqdemo.training import ranks
    from seqdemo.training.run import train

    if options.model is None:
        raise ConfigError(f"Film reviews need --model, one of {', '.join(MODELS)}.")
    used = {"model", "preset", "resume", "finish", "limit", "no_test", "init", "data"}
    _refuse_others(options, {*used, *_TRAINING_OPTIONS, *_MODEL_OPTIONS})
    with ranks.together(options.device) as device:
        preset = options.preset
        if preset is None:
            presets = registry.spec(options.model).presets
            preset = "full" if "full" in presets and device.type == "cuda" else next(iter(presets))
        settings = given(options, _TRAINING_OPTIONS)
        train(
            options.model,
            out=folder_to_write(options, pathlib.Path("runs") / options.model),
            config=recipe(options.model, preset, fine_tuning=options.init is not None, **settings),
            preset=preset,
            overrides=given(options, _MODEL_OPTIONS),
            data=options.data,
            device=device,
            resume=bool(options.resume),
            finish=bool(options.finish),
            init=options.init,
            limit=options.limit,
            test=not options.no_test,
            on_event=progress.listener(options.events),
        )


def _train_dates(options: argparse.Namespace) -> None:
    from seqdemo.training import dates, devices

    own = {entry.name for entry in dataclasses.fields(dates.DatesConfig)}
    if options.finish:
        raise ConfigError("--finish is for --task reviews; a run of this task goes on with --resume.")
    _refuse_others(options, {"attention", "resume", *own})
    attention = options.attention is not False
    dates.train(
        out=folder_to_write(options, pathlib.Path("runs") / ("dates-attention" if attention else "dates-plain")),
        config=dates.DatesConfig(**given(options, own)),
        attention=attention,
        device=devices.find(options.device or "cpu"),
        resume=bool(options.resume),
        on_event=progress.listener(options.events),
    )


def _train_task(options: argparse.Namespace) -> None:
    from seqdemo.training import task_run
    from seqdemo.training.control import Control, give_way

    known = run_settings.FIELDS
    if options.finish:
        raise ConfigError("--finish is for --task reviews; a run of this task goes on with --resume.")
    sources = {"own": {"csv", "positive"}, run_settings.OWN_WORDS: {"csv"}, "imdb": {"data"}}.get(options.task, set())
    used = {"resume", "controlled", "max_seconds", "max_memory_mb", *known}
    _refuse_others(options, used | sources)
    if "csv" in sources and options.csv is None:
        raise ConfigError(f"--task {options.task} learns from a file; name it with --csv.")
    megabytes = options.max_memory_mb
    control = Control(
        max_seconds=options.max_seconds or math.inf,
        max_memory_bytes=megabytes * 1e6 if megabytes else math.inf,
    )
    if options.controlled:
        give_way()
        control.listen(sys.stdin.fileno())
    settings = run_settings.RunSettings(**given(options, known))
    task_run.train(
        settings,
        out=folder_to_write(options, pathlib.Path("runs") / f"{settings.task}-{settings.model}"),
        csv=options.csv,
        positive=options.positive,
        data=options.data,
        resume=bool(options.resume),
        control=control,
        on_event=progress.listener(options.events),
    )


_TASKS: dict[str, Callable[[argparse.Namespace], None]] = {
    "reviews": _train_reviews,
    "dates": _train_dates,
    **dict.fromkeys(run_settings.TASK_LABELS, _train_task),
}
"""What `--task` runs: one function for each task."""


def _refuse_others(options: argparse.Namespace, used: Iterable[str]) -> None:
    """Stops where an option was given that the task has no use for."""
    known = {"task", "out", "device", "threads", "events", "debug", "run", *used}
    if unused := [name for name, value in vars(options).items() if value is not None and name not in known]:
        raise ConfigError(f"--task {options.task} has no setting {', '.join(map(flag, unused))}.")
