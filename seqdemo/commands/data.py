"""`python -m seqdemo data`: fetches the film reviews, or checks a local copy."""

from __future__ import annotations

import argparse

from seqdemo.commands.options import add_data

HELP = "fetch the film reviews, or check a local copy"


def add_options(parser: argparse.ArgumentParser) -> None:
    """What may be said to it."""
    add_data(parser)


def run(options: argparse.Namespace) -> None:
    """Says where both splits are, and how the first is divided."""
    from seqdemo.data import imdb

    # The test split is fetched but not opened: only the final evaluation reads it.
    for split in ("train", "test"):
        path = imdb.locate(split, options.data)
        print(f"{split:<6} {path.stat().st_size / 1e6:6.1f} MB  {path}")
    reviews = imdb.load("train", options.data)
    training, validation = imdb.split_validation(reviews.labels)
    print(f"{len(training):,} reviews to train on, {len(validation):,} for validation.")
