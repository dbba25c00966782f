"""What every kind of file becomes first: rows of cells as text, within bounds."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from seqdemo.errors import DataError
from seqdemo.sizes import MB

MAX_CELLS = 1_000_000
MAX_COLUMNS = 1_000
MAX_UNPACKED_BYTES = 25 * MB
"""What the cells of a file that unpacks may hold once it is unpacked."""


@dataclass(frozen=True, kw_only=True)
class Records:
    """A table whose columns have names, or whose first row may hold them.

    Attributes:
        names: Names of the columns as they stand there; None where the first row may hold them.
        rows: The cells as text.
        notes: What a visitor should know about how it was read.
        parts: Sheets to choose from.
        part: Which one this is.
    """

    names: tuple[str, ...] | None
    rows: list[list[str]]
    notes: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    part: str | None = None


def number(value: float) -> str:
    """A number as people see it: “5” rather than “5.0”, and no more digits than a spreadsheet shows."""
    if math.isnan(value):
        return ""
    return str(int(value)) if abs(value) < 1e15 and value == int(value) else f"{value:.15g}"


def cell(value: Any) -> str:
    """A value of a workbook or of Parquet as people see it."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "TRUE" if value else "FALSE"
        case float():
            return number(value)
        case datetime.datetime():
            return value.date().isoformat() if value.time() == datetime.time() else value.isoformat(sep=" ")
        case datetime.date() | datetime.time():
            return value.isoformat()
    return str(value)


def check_size(n_rows: int, n_columns: int, max_cells: int) -> None:
    """Refuses what would take too much memory, before it is made.

    Raises:
        DataError: There are too many rows or columns.
    """
    if n_columns > MAX_COLUMNS:
        raise DataError(f"This table has {n_columns:,} columns; at most {MAX_COLUMNS:,} are read. Leave some out.")
    if n_rows * max(1, n_columns) > max_cells:
        raise DataError(
            f"This table has {n_rows:,} rows of {n_columns:,} columns; at most {max_cells:,} cells are read. "
            "Leave out rows or columns."
        )


def some(names: Iterable[str], most: int = 4) -> str:
    """The first few of many names, each in quotes."""
    listed = [f"“{name[:40]}”" for name in names]
    more = f" and {len(listed) - most:,} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more
