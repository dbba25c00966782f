"""`python -m seqdemo publish`: uploads the checkpoints to the Hugging Face Hub and pins them."""

from __future__ import annotations

import argparse

from seqdemo import paths
from seqdemo.models.registry import MODELS

HELP = "upload the checkpoints to the Hugging Face Hub and pin them"


def add_options(parser: argparse.ArgumentParser) -> None:
    """What may be said to it."""
    parser.add_argument("--owner", required=True, help="a user or an organisation on the Hub")
    parser.add_argument("--private", action="store_true")


def run(options: argparse.Namespace) -> None:
    """Uploads all of them, and writes their commits into the manifest."""
    from seqdemo.checkpoints import publish

    publish.publish(
        options.owner,
        names=list(MODELS),
        pretrained=paths.PRETRAINED,
        private=options.private,
        on_done=lambda repository: print(f"{repository.id} at {repository.revision}", flush=True),
    )
    print("The manifest pins these commits now; commit pretrained/manifest.json to make them the default.")
