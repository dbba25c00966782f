"""`python -m seqdemo bundle`: finished checkpoints as a few small files."""

from __future__ import annotations

import argparse
import pathlib

from seqdemo.commands.options import names

HELP = "put checkpoints of the recipe into a few small files"


def add_options(parser: argparse.ArgumentParser) -> None:
    """What may be said to it."""
    parser.add_argument("out", type=pathlib.Path, help="the folder that `recipe` wrote")
    parser.add_argument("--only", type=names, default=[], help="these alone, separated by commas; all by default")
    parser.add_argument("--into", type=pathlib.Path, required=True, help="the folder to write")


def run(options: argparse.Namespace) -> None:
    """Writes it and says what there was no room for."""
    from seqdemo.checkpoints import bundle
    from seqdemo.training import recipe

    wanted = recipe.by_value(recipe.chosen(options.only))
    left_out = bundle.write(options.out, {part.name: options.out / part.name for part in wanted}, options.into)
    print(f"{options.into} is written." + (f" No room for {', '.join(left_out)}." if left_out else ""))
