"""Options that several commands have, and how a command asks for those that were given."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any


def flag(name: str) -> str:
    """`batch_size` → `--batch-size`."""
    return f"--{name.replace('_', '-')}"


def with_hyphens(word: str) -> str:
    """`--batch_size=64` → `--batch-size=64`; a word that is no option stays as it is."""
    name, equals, value = word.partition("=")
    return name.replace("_", "-") + equals + value if word.startswith("--") else word


def add_settings(
    parser: argparse.ArgumentParser, kinds: Mapping[str, Callable[[str], Any]], help: str | None = None
) -> None:
    """One option for each setting, without a default, so that `given` finds what was said only.

    Args:
        parser: Of the command.
        kinds: Name of the setting → what reads its value.
        help: What the options are about.
    """
    for name, kind in kinds.items():
        if kind is bool:
            parser.add_argument(flag(name), action=argparse.BooleanOptionalAction, default=None, help=help)
        else:
            parser.add_argument(flag(name), type=kind, help=help)


def add_machine(parser: argparse.ArgumentParser) -> None:
    """Where a command trains, and how it says what goes on."""
    parser.add_argument("--device", help="cuda, mps or cpu; found by itself")
    parser.add_argument("--threads", type=int, help="CPU threads; all by default")
    parser.add_argument(
        "--events", choices=["bar", "jsonl"], default="bar", help="a progress bar, or one JSON object a line"
    )


def add_data(parser: argparse.ArgumentParser) -> None:
    """Where the film reviews are."""
    parser.add_argument("--data", help="a folder in the layout of stanfordnlp/imdb; SEQDEMO_IMDB or the Hub by default")


def given(options: argparse.Namespace, names: Iterable[str]) -> dict[str, Any]:
    """The options of these names that stood on the command line."""
    return {name: value for name in names if (value := getattr(options, name, None)) is not None}


def set_threads(threads: int | None) -> None:
    """Gives torch so many CPU threads; None leaves it as it is."""
    if threads:
        os.environ["OMP_NUM_THREADS"] = str(threads)
        import torch

        torch.set_num_threads(threads)
