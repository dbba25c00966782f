"""`python -m seqdemo unpack`: ordinary checkpoint folders from a bundle."""

from __future__ import annotations

import argparse
import pathlib

HELP = "restore and check the checkpoints of a bundle"


def add_options(parser: argparse.ArgumentParser) -> None:
    """What may be said to it."""
    parser.add_argument("bundle", type=pathlib.Path, help="the folder that `bundle` or `recipe` wrote")
    parser.add_argument("--into", type=pathlib.Path, required=True, help="where the checkpoint folders go")


def run(options: argparse.Namespace) -> None:
    """Restores them, reads each as it will be read, and names what the recipe has beside them."""
    from seqdemo.checkpoints import bundle, folder, language_model
    from seqdemo.training import recipe

    found = bundle.unpack(options.bundle, options.into)
    for part in recipe.parts():
        if part.name in found:
            (language_model if part.learns == "language" else folder).load(options.into / part.name)
            print(f"{options.into / part.name}")
    missing = [part.name for part in recipe.parts() if part.name not in found]
    if missing:
        print(f"Not in this bundle: {', '.join(missing)}.")
