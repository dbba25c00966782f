"""CSV files of short texts, each with a label and of a kind, that are written by hand for measuring."""

from __future__ import annotations

import csv
import hashlib
import pathlib
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TypeVar

from seqdemo.errors import DataError

T = TypeVar("T")


def read(
    path: pathlib.Path,
    columns: Sequence[str],
    *,
    kinds: Collection[str],
    labels: Collection[str],
    needed: str,
    make: Callable[[str, str, str], T],
) -> tuple[T, ...]:
    """Reads the lines of a file and checks them.

    Args:
        path: The file.
        columns: `kind`, `label` and `text`, in the order of the file.
        kinds: What a line may be of.
        labels: What it may be called.
        needed: The labels in words.
        make: Makes a line of its kind, label and text.

    Raises:
        DataError: The file is missing, or a line is not as it should be.
    """

    def checked(row: dict[str, str], where: str) -> T:
        kind, label, text = row["kind"], row["label"], row["text"]
        if kind not in kinds:
            raise DataError(f"{where} is of the kind {kind!r}; known are {', '.join(kinds)}.")
        if label not in labels:
            raise DataError(f"{where} has the label {label!r}; needed is {needed}.")
        if not text or not text.strip():
            raise DataError(f"{where} has no text.")
        return make(kind, label, text)

    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file, strict=True)
            if rows.fieldnames != list(columns):
                raise DataError(f"{path.name} has the columns {rows.fieldnames}; needed are {list(columns)}.")
            return tuple(checked(row, f"{path.name}, line {rows.line_num}") for row in rows)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path.name} cannot be read: {error}") from error


def sha256(lines: Iterable[tuple[str, object, str]]) -> str:
    """Names lines by their kinds, labels and texts, whatever the file's line ends are."""
    return hashlib.sha256("\n".join(f"{kind}\t{label}\t{text}" for kind, label, text in lines).encode()).hexdigest()
