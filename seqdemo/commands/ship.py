"""`python -m seqdemo ship`: finishes a trained classifier for `pretrained/`."""

from __future__ import annotations

import argparse
import pathlib

from seqdemo.commands.options import add_data, add_threads, count, set_threads

HELP = "finish a trained classifier: temperature on the validation reviews, the test reviews once, its card"


def add_options(parser: argparse.ArgumentParser) -> None:
    """What may be said to it."""
    parser.add_argument("folder", type=pathlib.Path, help="a classifier's checkpoint folder, as `unpack` writes it")
    parser.add_argument("--out", type=pathlib.Path, help="where it goes; its own folder by default")
    parser.add_argument("--limit", type=count, help="use only so many reviews of each split")
    add_data(parser)
    add_threads(parser)


def run(options: argparse.Namespace) -> None:
    """Finishes it and says what it reaches."""
    set_threads(options.threads)
    from seqdemo.training.run import finish

    found = finish(options.folder, out=options.out or options.folder, data=options.data, limit=options.limit)
    low, high = found.metrics["test_interval"]
    print(f"{found.folder}: test {found.metrics['test_accuracy']:.2%} (95 % interval {low:.2%} to {high:.2%})")
