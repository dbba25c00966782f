"""`python -m seqdemo pack`: everything that training needs in one small folder."""

from __future__ import annotations

import argparse
import pathlib

from seqdemo.commands.options import add_data, count

HELP = "turn the film reviews into tokens once, for a machine that has neither time nor network"


def add_options(parser: argparse.ArgumentParser) -> None:
    """What may be said to it."""
    parser.add_argument(
        "--out", type=pathlib.Path, default=pathlib.Path("pack"), help="the folder to write; pack by default"
    )
    parser.add_argument("--epochs", type=count, default=5, help="sets of generated opinions, one for each epoch")
    parser.add_argument("--no-opinions", action="store_true", help="leave generated opinions out")
    parser.add_argument("--limit", type=count, help="use only so many reviews of each split")
    add_data(parser)


def run(options: argparse.Namespace) -> None:
    """Writes it and says how large it is."""
    from seqdemo.data import packed

    out = options.out
    pack = packed.make(data=options.data, epochs=0 if options.no_opinions else options.epochs, limit=options.limit)
    size = packed.write(out, pack)
    n = len(pack.training) + len(pack.unlabelled)
    print(f"{out}: {n:,} texts to learn from, {len(pack.validation):,} for validation, {size / 1e6:.1f} MB.")
