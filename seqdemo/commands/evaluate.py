"""`python -m seqdemo evaluate`: measures checkpoints on the test reviews."""

from __future__ import annotations

import argparse
import json
import pathlib

from seqdemo.commands.options import add_data, count
from seqdemo.errors import ConfigError
from seqdemo.models.registry import MODELS

HELP = "measure checkpoints on the 25,000 test reviews"


def add_options(parser: argparse.ArgumentParser) -> None:
    """What may be said to it."""
    parser.add_argument(
        "checkpoints", nargs="*", help="names, folders or owner/repository@revision; the five by default"
    )
    reviews = parser.add_mutually_exclusive_group()
    reviews.add_argument("--limit", type=count, help="use only so many reviews")
    reviews.add_argument("--write", action="store_true", help="put what is found into metrics.json and the model card")
    parser.add_argument("--json", action="store_true")
    add_data(parser)


def run(options: argparse.Namespace) -> None:
    """Prints a line for each checkpoint, or all of them as JSON.

    Raises:
        ConfigError: Something is to be written where there is no folder.
    """
    from seqdemo.checkpoints import find, folder
    from seqdemo.data import imdb
    from seqdemo.training.run import measure, remember

    for name in options.checkpoints if options.write else ():
        if name not in MODELS and not pathlib.Path(name).is_dir():  # the Hub's cache is not ours to change
            raise ConfigError(f"--write needs a known name or a folder on this machine; got {name!r}.")
    reviews = imdb.load("test", options.data).some(options.limit)
    rows = []
    for name in options.checkpoints or MODELS:
        classifier = folder.load(find.find(name, None))
        measured = measure(classifier, reviews)
        if options.write:
            remember(classifier, measured)
        rows.append({"checkpoint": name, "model": classifier.name, **measured})
        if not options.json:
            low, high = rows[-1]["test_interval"]
            print(
                f"{name:<14} {rows[-1]['test_accuracy']:7.2%}  95 % interval {low:.2%} to {high:.2%}  "
                f"loss {rows[-1]['test_loss_nats']:.4f} nats  n={rows[-1]['test_n']:,}",
                flush=True,
            )
    if options.json:
        print(json.dumps(rows, indent=2))
