"""`python -m seqdemo pretrain`: learns a language model on unlabelled reviews, to start from."""

from __future__ import annotations

import argparse
import dataclasses
import pathlib

from seqdemo.commands import progress
from seqdemo.commands.options import (
    add_data,
    add_machine,
    add_settings,
    count,
    folder_to_write,
    given,
    meanings,
    set_threads,
)
from seqdemo.models.registry import MODELS
from seqdemo.training.config import PretrainingConfig
from seqdemo.training.settings import RunSettings

HELP = "learn a language model on unlabelled reviews, to start from"

_SIZES = {"d_embed": count, "d_hidden": count}
_SETTINGS = {entry.name: type(entry.default) for entry in dataclasses.fields(PretrainingConfig)}


def add_options(parser: argparse.ArgumentParser) -> None:
    """What may be said to it."""
    parser.add_argument("--model", required=True, choices=list(MODELS), help="whose layers learn the language")
    parser.add_argument("--preset", help="of the model; its first by default")
    parser.add_argument("--out", type=pathlib.Path, help="checkpoint folder; runs/lm-MODEL by default")
    parser.add_argument("--start", type=pathlib.Path, help="a language model whose words are taken to start from")
    parser.add_argument("--resume", action="store_true", help="go on where an interrupted run stopped")
    add_settings(parser, _SIZES, meanings(RunSettings))
    add_settings(parser, _SETTINGS, meanings(PretrainingConfig))
    add_machine(parser)
    add_data(parser)


def run(options: argparse.Namespace) -> None:
    """Trains it."""
    set_threads(options.threads)
    from seqdemo.training import ranks
    from seqdemo.training.pretrain import pretrain

    with ranks.together(options.device) as device:
        pretrain(
            options.model,
            out=folder_to_write(options, pathlib.Path("runs") / f"lm-{options.model}"),
            config=PretrainingConfig(**given(options, _SETTINGS)),
            preset=options.preset,
            overrides=given(options, _SIZES),
            start=options.start,
            data=options.data,
            device=device,
            resume=options.resume,
            on_event=progress.listener(options.events),
        )
