"""`python -m seqdemo record`: trains the training page's presets and keeps what they did, for replay."""

from __future__ import annotations

import argparse
import dataclasses
import math

from seqdemo.commands.options import file_to_write
from seqdemo.errors import ConfigError
from seqdemo.models.registry import MODELS
from seqdemo.training.settings import PRESETS

HELP = "train the training page's presets and keep what they did, for replay"


def add_options(parser: argparse.ArgumentParser) -> None:
    """What may be said to it."""
    parser.add_argument("presets", nargs="*", help="names; all by default")


def run(options: argparse.Namespace) -> None:
    """Trains one preset after the other, and says how each run ended."""
    from seqdemo.runs import recordings
    from seqdemo.runs.jobs import Jobs
    from seqdemo.runs.limits import Limits

    names = options.presets or list(PRESETS)
    if unknown := [name for name in names if name not in PRESETS]:
        raise ConfigError(f"There is no preset called {unknown[0]!r}; known are {', '.join(PRESETS)}.")
    for name in names:
        file_to_write(recordings.FOLDER / f"{name}.json", "Recordings lie beside the shipped models.")
    jobs = Jobs(limits=dataclasses.replace(Limits.from_environment(), unwatched_s=math.inf))
    try:
        for name in names:
            path = recordings.record(name, jobs)
            for recording in recordings.load(name):
                view = recording.view()
                label = MODELS[view.settings.model].label
                end = f"test accuracy {view.done['metrics']['test_accuracy']:.1%}" if view.done else view.message
                print(f"{name}: {label}, {recording.seconds:.0f} s, {end}  {path}", flush=True)
    finally:
        jobs.close()
