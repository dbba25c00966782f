"""The files of a checkpoint: what they are called, how large each may be, and what its JSON may hold.

Imports no torch, so that files which a visitor brings are held against it before anything of them is kept.

A name means the same wherever it stands in `metrics.json` and `history.json`: `test_accuracy`, `accuracy` and
`validation_accuracy` are shares, `n` and `test_n` are counts. Other names may be there, with any plain value.
"""

from __future__ import annotations

import hashlib
import json
import math
import pathlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seqdemo.errors import CheckpointCorruptError

FORMAT = 1
CONFIG, WEIGHTS, VOCABULARY, METRICS, HISTORY, CARD = FILES = (
    "config.json",
    "model.safetensors",
    "vocab.txt",
    "metrics.json",
    "history.json",
    "README.md",
)
INDEX = "model.safetensors.index.json"
"""Stands in the place of the weights where they are in several files (`shards`)."""
SHARD = re.compile(r"model-([0-9]{5})-of-([0-9]{5})\.safetensors")
"""What each of these files is called."""


@dataclass(frozen=True)
class Kind:
    """A kind of checkpoint.

    Attributes:
        label: What a message calls it.
        plural: What a message calls several.
        files: Those that it cannot do without; its card may be missing.
    """

    label: str
    plural: str
    files: tuple[str, ...]


_OF_TEXTS = (CONFIG, WEIGHTS, VOCABULARY, METRICS, HISTORY)
KINDS: Mapping[str | None, Kind] = {
    None: Kind("a classifier", "models", _OF_TEXTS),
    "language model": Kind("a language model", "language models", _OF_TEXTS),
    "dates": Kind("a translator of dates", "translators of dates", (CONFIG, WEIGHTS, METRICS, HISTORY)),
    "task": Kind("a model of a made-up task", "models of made-up tasks", (CONFIG, WEIGHTS, METRICS, HISTORY)),
}
"""Every kind, by the entry `kind` of its config; a classifier has none."""
MAX_BYTES: Mapping[str, int] = {
    CONFIG: 1_000_000,
    WEIGHTS: 2_000_000_000,
    INDEX: 1_000_000,
    VOCABULARY: 5_000_000,
    METRICS: 1_000_000,
    HISTORY: 1_000_000,
    CARD: 1_000_000,
}
"""The most that each file may have; weights in several files together as much as in one."""
_MAX_DEPTH = 8
_MAX_VALUES = 50_000
_MAX_LETTERS = 10_000
_MAX_COUNT = 2**53
_TEXT_LETTERS = 200


def _is_number(value: object, low: float = -math.inf, high: float = math.inf) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def _is_share(value: object) -> bool:
    return value is None or _is_number(value, 0, 1)


def _is_measure(value: object) -> bool:
    return value is None or _is_number(value, 0)


def _is_interval(value: object) -> bool:
    if not isinstance(value, list) or len(value) != 2 or not all(_is_number(end, 0, 1) for end in value):
        return False
    return bool(value[0] <= value[1])


def _is_count(value: object) -> bool:
    return isinstance(value, int) and _is_number(value, 0, _MAX_COUNT)


def _is_text(value: object) -> bool:
    return value is None or (isinstance(value, str) and len(value) <= _TEXT_LETTERS)


_RULES: tuple[tuple[re.Pattern[str], Callable[[object], bool], str], ...] = tuple(
    (re.compile(names), is_right, needed)
    for names, is_right, needed in (
        (r"(.+_)?accuracy|ceiling", _is_share, "a number from 0 to 1"),
        (r"(.+_)?interval", _is_interval, "two numbers from 0 to 1, the lower one first"),
        (r"(.+_)?(n|epochs?|update|tokens)|parameters|seed", _is_count, "a whole number of at least 0"),
        (r".+_(nats|mse|error|error_before)|(.+_)?perplexity", _is_measure, "a number of at least 0"),
        (r"seconds|temperature|gradient_norm", _is_measure, "a number of at least 0"),
        (r"model|device|precision|torch|commit|sha256|form|example|way", _is_text, "a short text"),
    )
)


def read_json(path: pathlib.Path, kind: type[Any]) -> Any:
    """Reads JSON of a checkpoint: not too large, not too deep, every number finite, the right kind at its top.

    Raises:
        CheckpointCorruptError: It is something else.
        OSError: It cannot be read.
    """
    name = path.name
    check_bytes(name, path.stat().st_size)
    try:
        value = json.loads(
            path.read_text(encoding="utf-8"), parse_constant=_refuse_constant, object_pairs_hook=_without_doubles
        )
    except RecursionError as error:
        raise CheckpointCorruptError(f"{name} is nested too deeply; at most {_MAX_DEPTH} levels are read.") from error
    except ValueError as error:
        raise CheckpointCorruptError(f"{name} is not JSON: {str(error)[:_TEXT_LETTERS]}.") from error
    if not isinstance(value, kind):
        raise CheckpointCorruptError(f"{name} holds a {type(value).__name__}; a {kind.__name__} is expected.")
    for n, (depth, found) in enumerate(_values(value)):
        if n >= _MAX_VALUES:
            raise CheckpointCorruptError(f"{name} holds more than {_MAX_VALUES:,} values.")
        if depth > _MAX_DEPTH:
            raise CheckpointCorruptError(f"{name} is nested too deeply; at most {_MAX_DEPTH} levels are read.")
        if isinstance(found, str) and len(found) > _MAX_LETTERS:
            raise CheckpointCorruptError(f"{name} holds a text of more than {_MAX_LETTERS:,} letters.")
        if isinstance(found, int | float) and not -1e300 <= found <= 1e300:
            raise CheckpointCorruptError(f"{name} holds a number that is not finite or far too large.")
    return value


def read_metrics(path: pathlib.Path) -> dict[str, Any]:
    """Reads `metrics.json`.

    Raises:
        CheckpointCorruptError: A value is not what its name says.
        OSError: It cannot be read.
    """
    metrics: dict[str, Any] = read_json(path, dict)
    _check_names(metrics, path.name)
    if metrics.get("best_epoch", 0) > metrics.get("epochs", _MAX_COUNT):
        raise CheckpointCorruptError(
            f"{path.name} names epoch {metrics['best_epoch']} the best of {metrics['epochs']}."
        )
    return metrics


def read_history(path: pathlib.Path) -> list[dict[str, Any]]:
    """Reads `history.json`: one entry for each epoch or report.

    Raises:
        CheckpointCorruptError: A value is not what its name says.
        OSError: It cannot be read.
    """
    history: list[dict[str, Any]] = read_json(path, list)
    for entry in history:
        if not isinstance(entry, dict):
            raise CheckpointCorruptError(f"{path.name} holds a {type(entry).__name__} among its entries.")
        _check_names(entry, path.name)
    return history


def read_config(path: pathlib.Path, kind: str | None, *, whose: str | None = None) -> dict[str, Any]:
    """Reads `config.json`: of which kind of checkpoint it is, and entries of the right types.

    Args:
        path: The file.
        kind: What its entry `kind` must be; None where it must have none.
        whose: What a message calls the checkpoint; by default the name of its folder.

    Raises:
        CheckpointCorruptError: It is of something else.
        OSError: It cannot be read.
    """
    config: dict[str, Any] = read_json(path, dict)
    if config.get("format") != FORMAT:
        raise CheckpointCorruptError(f"{path.name} has format {config.get('format')!r}; this program reads {FORMAT}.")
    found = _kind_in(config, path.name)
    if found != kind:
        raise CheckpointCorruptError(
            f"{whose or path.parent.name} is {KINDS[found].label}; {KINDS[kind].label} is needed."
        )
    for name, of in (("architecture", dict), ("training", dict), ("int8_tables", list), ("labels", list)):
        if not isinstance(config.get(name, of()), of):
            raise CheckpointCorruptError(f"{path.name}: {name} is no {of.__name__}.")
    for name in ("labels", "int8_tables"):
        if not all(isinstance(entry, str) for entry in config.get(name, [])):
            raise CheckpointCorruptError(f"{path.name}: {name} is a list of texts.")
    if "model" in config and not isinstance(config["model"], str):
        raise CheckpointCorruptError(f"{path.name}: model is the name of a model; got {config['model']!r}.")
    return config


def kind_of(folder: pathlib.Path) -> str | None:
    """Which kind of checkpoint is in a folder: the entry `kind` of its config.

    Raises:
        CheckpointCorruptError: It is none that is known here.
        OSError: It cannot be read.
    """
    return _kind_in(read_json(folder / CONFIG, dict), CONFIG)


def _kind_in(config: Mapping[str, Any], file: str) -> str | None:
    found = config.get("kind")
    if found is None or (isinstance(found, str) and found in KINDS):
        return found
    known = ", ".join(name for name in KINDS if name is not None)
    raise CheckpointCorruptError(
        f"{file}: models of the kind {repr(found)[:60]} are not known here; known are {known}; a classifier has none."
    )


def is_file_name(name: str) -> bool:
    """Whether a file of a checkpoint may be called so."""
    return name in MAX_BYTES or SHARD.fullmatch(name) is not None


def max_bytes(name: str) -> int:
    """The most that a file may have, of a name that `is_file_name`."""
    return MAX_BYTES[WEIGHTS if SHARD.fullmatch(name) else name]


def check_bytes(name: str, n_bytes: int) -> None:
    """Holds the size of a file against the most that it may have.

    Args:
        name: One that `is_file_name`.
        n_bytes: Its size.

    Raises:
        CheckpointCorruptError: It is larger.
    """
    most = max_bytes(name)
    if n_bytes > most:
        raise CheckpointCorruptError(f"{name} has {n_bytes / 1e6:,.1f} MB; at most {most / 1e6:,.0f} MB are read.")


def write_json(path: pathlib.Path, value: Any) -> None:
    """Writes readable JSON with a newline at its end; a number that is not finite becomes null."""
    text = json.dumps(_finite(value), indent=2, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def sha256(path: pathlib.Path) -> str:
    """The SHA-256 of a file, as 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_names(value: object, file: str) -> None:
    """Holds the values of all objects in here against what their names say."""
    for _, found in _values(value):
        for name, entry in found.items() if isinstance(found, dict) else ():
            for names, is_right, needed in _RULES:
                if names.fullmatch(name) and not is_right(entry):
                    raise CheckpointCorruptError(f"{file}: {name} is {needed}; got {repr(entry)[:60]}.")


def _values(value: object) -> Iterator[tuple[int, object]]:
    """Every value in JSON with its depth, names of entries too."""
    waiting: list[tuple[int, object]] = [(1, value)]
    while waiting:
        depth, found = waiting.pop()
        yield depth, found
        if isinstance(found, dict):
            yield from ((depth, name) for name in found)
            waiting += [(depth + 1, entry) for entry in found.values()]
        elif isinstance(found, list):
            waiting += [(depth + 1, entry) for entry in found]


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {name: _finite(entry) for name, entry in value.items()}
    return [_finite(entry) for entry in value] if isinstance(value, list | tuple) else value


def _without_doubles(entries: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON; of two entries of one name, two readers could believe different ones."""
    found = dict(entries)
    if len(found) != len(entries):
        names = [name for name, _ in entries]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} stands in it twice")
    return found


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is no number")
