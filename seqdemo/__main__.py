"""The command line, `python -m seqdemo COMMAND`; `--help` lists the commands.

Each is a module in `seqdemo.commands`. Option names may be written with hyphens or underscores.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import pathlib
import sys
import traceback
from collections.abc import Mapping, Sequence
from typing import Protocol

import seqdemo
from seqdemo.commands import (
    app,
    average,
    bundle,
    data,
    evaluate,
    failure,
    manifest,
    pack,
    predict,
    pretrain,
    publish,
    recipe,
    record,
    ship,
    study,
    train,
    unpack,
    write,
)
from seqdemo.commands.options import with_hyphens


class Command(Protocol):
    """What a module of `seqdemo.commands` has; it imports torch when it runs, so that `--help` need not wait for it."""

    HELP: str

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Declares its options."""

    def run(self, options: argparse.Namespace) -> None:
        """Does it; whatever it raises is shown as one sentence."""


COMMANDS: Mapping[str, Command] = {
    "app": app,
    "data": data,
    "pretrain": pretrain,
    "train": train,
    "average": average,
    "pack": pack,
    "recipe": recipe,
    "bundle": bundle,
    "unpack": unpack,
    "ship": ship,
    "evaluate": evaluate,
    "study": study,
    "record": record,
    "predict": predict,
    "write": write,
    "manifest": manifest,
    "publish": publish,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        arguments: The words of the command line; `sys.argv` by default.

    Returns:
        The exit status: 0 where it worked; with one sentence on stderr 1 where it did not, 2 where it was told what
        it cannot do, 130 where it was stopped. 141 where nobody reads its output any more.
    """
    words = sys.argv[1:] if arguments is None else arguments
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # not every terminal can show every character
    parser = _parser()
    options, rest = parser.parse_known_args(with_hyphens(words))
    if "streamlit" in options:
        options.streamlit = rest
    elif rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        options.run(options)
        if sys.stdout is not None:
            sys.stdout.flush()
    except (Exception, KeyboardInterrupt) as error:
        sentence, status = failure.told(error, options)
        if isinstance(error, OSError):
            _discard_output()
        if "debug" in options:
            traceback.print_exc()
        if sentence:
            print(f"seqdemo: {sentence}", file=sys.stderr)
        return status
    return 0


def _discard_output() -> None:
    """Lets what stdout did not take go nowhere; the interpreter would complain of it once more when it ends."""
    try:
        sys.stdout.flush()
    except (OSError, AttributeError):
        with contextlib.suppress(OSError, ValueError), open(os.devnull, "wb") as nowhere:  # noqa: PTH123 (no path)
            os.dup2(nowhere.fileno(), sys.stdout.fileno())


def _called() -> str:
    """What it was called by: the installed command, or Python."""
    return "seqdemo" if pathlib.Path(sys.argv[0]).stem == "seqdemo" else "python -m seqdemo"


def _parser() -> argparse.ArgumentParser:
    always = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    always.add_argument("--debug", action="store_true", help="where a command cannot go on, show where in the program")
    description = (seqdemo.__doc__ or "").split("\n")[0]
    parser = argparse.ArgumentParser(prog=_called(), description=description, parents=[always])
    commands = parser.add_subparsers(required=True, metavar="command")
    for name, command in COMMANDS.items():
        its_parser = commands.add_parser(name, help=command.HELP, parents=[always])
        command.add_options(its_parser)
        its_parser.set_defaults(run=command.run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
