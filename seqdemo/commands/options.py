"""Options that several commands have, what they may be, and how a command asks for those that were given."""

from __future__ import annotations

import argparse
import inspect
import math
import os
import pathlib
import re
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from seqdemo.checkpoints import schema
from seqdemo.errors import ConfigError

_MAX_THREADS = 1_024
_ELSEWHERE = "--out names another place."


def flag(name: str) -> str:
    """`batch_size` → `--batch-size`."""
    return f"--{name.replace('_', '-')}"


def with_hyphens(words: Sequence[str]) -> list[str]:
    """`--batch_size=64` → `--batch-size=64`; what is no option, or stands after `--`, stays as it is."""
    end = list(words).index("--") if "--" in words else len(words)
    found = []
    for word in words[:end]:
        name, equals, value = word.partition("=")
        found.append(name.replace("_", "-") + equals + value if word.startswith("--") else word)
    return [*found, *words[end:]]


def number(word: str) -> float:
    """Reads a number, which neither NaN nor infinity is."""
    try:
        value = float(word)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"a number is needed; got {word!r}")
    return value


def positive(word: str) -> float:
    """Reads a number above 0."""
    value = number(word)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"a number above 0 is needed; got {word!r}")
    return value


def count(word: str, most: float = math.inf) -> int:
    """Reads a whole number from 1 on."""
    try:
        value = int(word)
    except ValueError:
        value = 0
    if not 1 <= value <= most:
        bound = f" to {most:,}" if most < math.inf else " on"
        raise argparse.ArgumentTypeError(f"a whole number from 1{bound} is needed; got {word!r}")
    return value


def names(word: str) -> list[str]:
    """Reads names with commas between them."""
    return [name for name in word.split(",") if name]


def meanings(config: type[Any]) -> dict[str, str]:
    """What each setting of a config means, as the `Attributes` of its docstring say it."""
    text = inspect.getdoc(config) or ""
    entries = re.findall(r"^ {4}(\w+): (.+(?:\n {5,}.+)*)", text.partition("Attributes:")[2], re.MULTILINE)
    return {name: " ".join(meaning.split()).replace("`", "") for name, meaning in entries}


def add_settings(
    parser: argparse.ArgumentParser, kinds: Mapping[str, Callable[[str], Any]], meanings: Mapping[str, str]
) -> None:
    """One option for each setting, without a default, so that `given` finds what was said only.

    Args:
        parser: Of the command.
        kinds: Name of the setting → what reads its value.
        meanings: Name of the setting → what it means.
    """
    for name, kind in kinds.items():
        help = meanings.get(name, "").replace("%", "%%")
        if kind is bool:
            parser.add_argument(flag(name), action=argparse.BooleanOptionalAction, default=None, help=help)
        else:
            parser.add_argument(flag(name), type=number if kind is float else kind, help=help)


def add_machine(parser: argparse.ArgumentParser) -> None:
    """Where a command trains, and how it says what goes on."""
    parser.add_argument("--device", help="cuda, mps or cpu; found by itself")
    add_threads(parser)
    parser.add_argument(
        "--events", choices=["bar", "jsonl"], default="bar", help="a progress bar, or one JSON object a line"
    )


def add_threads(parser: argparse.ArgumentParser) -> None:
    """How many CPU threads a command takes."""
    parser.add_argument("--threads", type=lambda word: count(word, _MAX_THREADS), help="CPU threads; all by default")


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


def folder_to_write(options: argparse.Namespace, usual: pathlib.Path = pathlib.Path()) -> pathlib.Path:
    """The folder of a result, found to be writable before anything is computed for it.

    Args:
        options: Their `out` names it, and is set to it where it does not.
        usual: The folder where none is named.

    Raises:
        ConfigError: A file has that name, or the folder holds other files than a result.
        OSError: Nothing can be written there.
    """
    path: pathlib.Path = options.out or usual
    options.out = path
    if path.name in {"", ".."}:
        raise ConfigError(f"--out names a new folder, or the one of an earlier result; got {str(path)!r}.")
    if path.exists() and not path.is_dir():
        raise ConfigError(f"{path} is a file; --out names a folder.")
    _try_to_write(path.parent, _ELSEWHERE)
    # A result replaces the folder, so nothing else may be in it.
    entries = path.iterdir() if path.exists() else ()
    others = sorted(entry.name for entry in entries if not schema.is_file_name(entry.name))
    if others:
        raise ConfigError(
            f"{path} holds other files than a result ({', '.join(others[:3])}), which would be lost; name another "
            "folder with --out."
        )
    return path


def file_to_write(path: pathlib.Path, advice: str = _ELSEWHERE) -> pathlib.Path:
    """The file of a result, as `folder_to_write`; the advice is for a folder that cannot be written to."""
    if path.is_dir():
        raise ConfigError(f"{path} is a folder; --out names a file.")
    _try_to_write(path.parent, advice)
    return path


def _try_to_write(folder: pathlib.Path, advice: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        refused = OSError(error.errno, f"nothing can be written there ({error.strerror})", str(folder))
        refused.add_note(advice)
        raise refused from error
