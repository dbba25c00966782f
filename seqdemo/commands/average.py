"""`python -m seqdemo average`: the mean of the weights of several fine-tunings, as one checkpoint."""

from __future__ import annotations

import argparse
import pathlib

from seqdemo.commands.options import add_data, add_threads, count, folder_to_write, set_threads

HELP = "write the mean of several fine-tunings of one language model as one checkpoint"


def add_options(parser: argparse.ArgumentParser) -> None:
    """What may be said to it."""
    parser.add_argument("folders", nargs="+", type=pathlib.Path, help="checkpoint folders")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="the folder to write")
    parser.add_argument("--limit", type=count, help="use only so many reviews of each split")
    parser.add_argument("--no-test", action="store_true", help="leave the test reviews closed")
    add_threads(parser)
    add_data(parser)


def run(options: argparse.Namespace) -> None:
    """Writes it and says what it reaches."""
    set_threads(options.threads)
    from seqdemo.training.average import average

    out = folder_to_write(options)
    found = average(options.folders, out=out, data=options.data, limit=options.limit, test=not options.no_test)
    single = ", ".join(f"{part['validation_accuracy']:.1%}" for part in found.metrics["averaged"])
    tested = found.metrics.get("test_accuracy")
    print(f"{options.out}: validation {found.metrics['validation_accuracy']:.1%} (each alone: {single})")
    print("the test reviews stayed closed" if tested is None else f"test {tested:.2%}")
