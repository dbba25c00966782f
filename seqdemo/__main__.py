"""The command line, `python -m seqdemo COMMAND`; `--help` lists the commands.

Each is a module in `seqdemo.commands`. Option names may be written with hyphens or underscores.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Protocol

import seqdemo
from seqdemo.commands import average, data, evaluate, manifest, predict, pretrain, publish, record, study, train
from seqdemo.commands.options import with_hyphens
from seqdemo.errors import SeqdemoError


class Command(Protocol):
    """What a module of `seqdemo.commands` has; it imports torch when it runs, so that `--help` need not wait for it."""

    HELP: str

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Declares its options."""

    def run(self, options: argparse.Namespace) -> None:
        """Does it; a `SeqdemoError` is shown as one sentence."""


COMMANDS: Mapping[str, Command] = {
    "data": data,
    "pretrain": pretrain,
    "train": train,
    "average": average,
    "evaluate": evaluate,
    "study": study,
    "record": record,
    "predict": predict,
    "manifest": manifest,
    "publish": publish,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        arguments: The words of the command line; `sys.argv` by default.

    Returns:
        The exit status: 0 where it worked, 1 with one sentence on stderr where it did not.
    """
    words = sys.argv[1:] if arguments is None else arguments
    options = _parser().parse_args([with_hyphens(word) for word in words])
    try:
        options.run(options)
    except SeqdemoError as error:
        print(f"seqdemo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nseqdemo: stopped. A training run goes on with --resume.", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m seqdemo", description=(seqdemo.__doc__ or "").split("\n")[0])
    commands = parser.add_subparsers(required=True, metavar="command")
    for name, command in COMMANDS.items():
        its_parser = commands.add_parser(name, help=command.HELP)
        command.add_options(its_parser)
        its_parser.set_defaults(run=command.run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
