"""`python -m seqdemo manifest`: writes down what the files in `pretrained/` are, or checks it."""

from __future__ import annotations

import argparse

from seqdemo import paths
from seqdemo.errors import CheckpointCorruptError

HELP = "write size and SHA-256 of every file in pretrained/ into its manifest, or check them"


def add_options(parser: argparse.ArgumentParser) -> None:
    """What may be said to it."""
    parser.add_argument("--check", action="store_true", help="write nothing; fail where the manifest is out of date")


def run(options: argparse.Namespace) -> None:
    """Says which folders have changed; writes the manifest unless it is only to be checked.

    Raises:
        CheckpointCorruptError: It was to be checked, and is out of date.
    """
    from seqdemo.checkpoints import manifest

    changed = manifest.changed(paths.PRETRAINED)
    if changed and options.check:
        raise CheckpointCorruptError(f"The manifest is out of date for {', '.join(changed)}; run `{manifest.COMMAND}`.")
    manifest.update(paths.PRETRAINED)
    print(f"Brought up to date: {', '.join(changed)}." if changed else "The manifest is up to date.")
