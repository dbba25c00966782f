"""A visitor's table given back in its own format, with more columns behind its own.

Text goes out as UTF-8 with a byte order mark, by which Excel sees that "é" is "é", and no cell of it can be run as
a formula. Each kind comes back as what it was; a workbook has the sheet that was read, with its numbers and dates.
"""

from __future__ import annotations

import csv
import io
import math
import pathlib
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seqdemo.data.tables import json_objects, parquet, workbook, zipped
from seqdemo.data.tables.plain_text import decode
from seqdemo.data.tables.reader import Table
from seqdemo.data.tables.records import MAX_CELLS

Column = Sequence[float | str | None] | npt.NDArray[np.float64]

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# What spreadsheets run begins with one of these, blanks before it or not; also in their full-width forms.
_FORMULA = re.compile(r"[\s\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"\s*[+-]?(?:\d[\d.,]*|[.,]\d+)?(?:[eE][+-]?\d+)?\s*%?\s*")
_LONGEST_NUMBER = 60
_DECIMALS = 4


@dataclass(frozen=True)
class Written:
    """A table as a file.

    Attributes:
        content: The file.
        file_name: What to call it: the visitor's own name with `_scored` before its ending.
        n_harmless: Cells that got an apostrophe in front, so that no spreadsheet runs them.
    """

    content: bytes
    file_name: str
    n_harmless: int = 0


def write(table: Table, content: bytes, rows: Sequence[int], added: Mapping[str, Column]) -> Written:
    """Writes some rows of a table with further columns.

    Args:
        table: The table as it was read.
        content: The file that it was read from; JSON and Parquet keep the types of their cells.
        rows: Indices of the rows, in the order in which they are written.
        added: Name → value of each of these rows, None or NaN where there is none. A column of that name is replaced.

    Returns:
        The file; numbers in the added columns have four decimals. A workbook that would be larger than what is written,
        or has a cell longer than Excel keeps, comes back as CSV.
    """
    path = pathlib.PurePath(re.sub(r'[\x00-\x1f<>:"/\\|?*]', "_", table.file_name)[-120:] or "table")
    is_workbook = table.kind == "xlsx" and _fits_a_workbook(table, rows, added)
    ending = ".csv" if table.kind == "xlsx" and not is_workbook else path.suffix or ".csv"
    name = f"{path.stem}_scored{ending}"
    if table.kind == "parquet":
        return Written(_parquet(content, rows, added), name)
    if is_workbook:
        return Written(_workbook(table, content, rows, added), name)
    if table.kind in ("json", "jsonl"):
        found, n_harmless = _json(table, content, rows, added), 0
    else:
        found, n_harmless = _csv(table, rows, added)
    if table.is_zipped:
        inner = pathlib.PurePath(table.part or "table.csv")
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr(f"{inner.stem}_scored{inner.suffix}", found)
        found = out.getvalue()
    return Written(found, name, n_harmless)


def harmless(cell: str) -> str:
    """A cell that no spreadsheet runs: one that could be a formula gets an apostrophe in front; numbers stay."""
    is_number = len(cell) <= _LONGEST_NUMBER and _NUMBER.fullmatch(cell)
    return f"'{cell}" if _FORMULA.match(cell) and not is_number else cell


def _csv(table: Table, rows: Sequence[int], added: Mapping[str, Column]) -> tuple[bytes, int]:
    names = table.header or table.columns
    kept = [place for place, name in enumerate(names) if name not in added]
    separator = table.separator or ("\t" if table.kind == "txt" else ",")
    n_harmless = 0
    out = io.StringIO(newline="")
    # CRLF (RFC 4180) also makes the writer quote cells that hold either of the two characters.
    writer = csv.writer(out, delimiter=separator, lineterminator="\r\n")
    for place in range(-1, len(rows)):
        found = names if place < 0 else table.rows[rows[place]]
        own = [found[column] for column in kept]
        safe = [harmless(cell) for cell in own]
        n_harmless += sum(cell != other for cell, other in zip(own, safe, strict=True))
        more = list(added) if place < 0 else [_shown(column[place]) for column in added.values()]
        writer.writerow([*safe, *more])
    return _BYTE_ORDER_MARK + out.getvalue().encode("utf-8"), n_harmless


def _fits_a_workbook(table: Table, rows: Sequence[int], added: Mapping[str, Column]) -> bool:
    n_cells = (len(rows) + 1) * (len(table.columns) + len(added))
    longest = max((len(cell) for row in rows for cell in table.rows[row]), default=0)
    return n_cells <= workbook.MAX_WRITTEN_CELLS and longest <= workbook.MAX_CELL_CHARACTERS


def _workbook(table: Table, content: bytes, rows: Sequence[int], added: Mapping[str, Column]) -> bytes:
    cells = workbook.values(content, table.part, MAX_CELLS)
    names = cells.pop(0) if table.has_header else list(table.columns)
    kept = [place for place, name in enumerate(names) if name not in added]
    found = [[*(names[place] for place in kept), *added]]
    for place, row in enumerate(rows):
        own = (cells[row][column] for column in kept)
        found.append([*own, *(_value(column[place]) for column in added.values())])
    return workbook.write(found, table.part or "Sheet1")


def _json(table: Table, content: bytes, rows: Sequence[int], added: Mapping[str, Column]) -> bytes:
    if table.is_zipped:
        content, _, _ = zipped.largest_table(content, table.part)
    objects = json_objects.objects(decode(content, table.encoding)[0])
    lines = []
    for place, row in enumerate(rows):
        item = {key: value for key, value in objects[row].items() if key not in added}
        item |= {name: _value(column[place]) for name, column in added.items()}
        lines.append(json_objects.line(item))
    text = "[\n" + ",\n".join(lines) + "\n]\n" if table.kind == "json" else "".join(f"{line}\n" for line in lines)
    return text.encode("utf-8")


def _parquet(content: bytes, rows: Sequence[int], added: Mapping[str, Column]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    found, _ = parquet.plain_columns(content, MAX_CELLS)
    found = found.select([place for place, name in enumerate(found.column_names) if name not in added]).take(
        pa.array(rows, pa.int64())
    )
    for name, column in added.items():
        kind = pa.string() if any(isinstance(value, str) for value in column) else pa.float64()
        found = found.append_column(name, pa.array([_value(value) for value in column], kind))
    out = io.BytesIO()
    pq.write_table(found, out)
    return out.getvalue()


def _shown(value: float | str | None) -> str:
    value = _value(value)
    return "" if value is None else value if isinstance(value, str) else f"{value:.{_DECIMALS}f}"


def _value(value: float | str | None) -> float | str | None:
    if isinstance(value, float):
        return None if math.isnan(value) else round(float(value), _DECIMALS)
    return value
