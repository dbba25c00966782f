"""The one reader of every table that a visitor brings: CSV and its kin, plain text, JSON, Excel, Parquet, zipped ones.

What can be read is read, and what was decided on the way is said in `Table.notes`; the visitor can decide otherwise
by the arguments of `read`. Nothing is unpacked or laid out before its size was checked.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from seqdemo.data.tables import columns as names_of_columns
from seqdemo.data.tables import json_objects, parquet, plain_text, workbook, zipped
from seqdemo.data.tables.plain_text import ENCODINGS, HOW_TO_SAVE, SEPARATORS
from seqdemo.data.tables.records import MAX_CELLS, Records, check_size
from seqdemo.errors import DataError
from seqdemo.sizes import MB, megabytes

MAX_BYTES = 5 * MB
"""What a visitor's table may have, wherever it is uploaded."""
KINDS = "CSV, TSV, TXT, Excel (.xlsx), JSON Lines or Parquet; text files also zipped"
"""What is read, in words."""

Kind = Literal["csv", "tsv", "txt", "json", "jsonl", "parquet", "xlsx"]
_KIND_NAMES = {
    "csv": "CSV",
    "tsv": "TSV",
    "txt": "text",
    "json": "JSON",
    "jsonl": "JSON Lines",
    "parquet": "Parquet",
    "xlsx": "Excel workbook",
}
_ONE_AT_A_TIME = threading.Lock()  # the largest tables take some hundred megabytes while they are read
_EMPTY = "This file is empty. A table with one text in each row is needed."
_OTHERS = {
    b"%PDF": "a PDF, not a table",
    b"\x89PNG": "a picture, not a table",
    b"\xff\xd8\xff": "a picture, not a table",
    b"GIF8": "a picture, not a table",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls) or another old office file",
    b"\x1f\x8b": "packed with gzip, which is not unpacked here",
    b"7z\xbc\xaf": "packed with 7-Zip, which is not unpacked here",
    b"Rar!": "packed with RAR, which is not unpacked here",
    b"SQLite format 3": "a database, not a table",
    b"ARROW1": "an Arrow file, which is not read here",
    b"{\\rtf": "a formatted document, not a table",
}


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table as it was read.

    Attributes:
        file_name: What the visitor calls the file.
        kind: What it is; of a ZIP, what the file in it is.
        columns: A name for each column: as it stands in the file where it has one, else "column 3"; none twice.
        header: The names exactly as they stand in the file; None where it has none.
        rows: The cells as text, each row as long as `columns`.
        text_column: Index of the column that probably holds the texts; None where no cell holds a letter.
        label_column: Index of the column that is probably the label; None where none is called so.
        encoding: Of text, one of `ENCODINGS`; None for others.
        separator: What stands between cells of text; None where each line is one text, and for other kinds.
        is_zipped: Whether it came in a ZIP.
        parts: Sheets of the workbook or tables of the ZIP, to choose from.
        part: Which of them this is.
        notes: How it was read, where that is not a matter of course: sentences for the visitor.
    """

    file_name: str
    kind: Kind
    columns: tuple[str, ...]
    header: tuple[str, ...] | None
    rows: list[list[str]]
    text_column: int | None
    label_column: int | None
    encoding: str | None = None
    separator: str | None = None
    is_zipped: bool = False
    parts: tuple[str, ...] = ()
    part: str | None = None
    notes: tuple[str, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def has_header(self) -> bool:
        """Whether the file names its columns."""
        return self.header is not None

    @property
    def can_lack_header(self) -> bool:
        """Whether the first row may be names or data, so that the visitor can say which."""
        return self.kind in ("csv", "tsv", "txt", "xlsx")

    def column(self, index: int) -> list[str]:
        """The cells of one column."""
        return [row[index] for row in self.rows]

    def described(self) -> str:
        """What the file is, in a few words: "CSV, separated by commas, in UTF-8"."""
        said = [f"{_KIND_NAMES[self.kind]} in a ZIP" if self.is_zipped else _KIND_NAMES[self.kind]]
        if self.separator is not None:
            said.append(f"separated by {SEPARATORS.get(self.separator, f'“{self.separator}”')}")
        elif self.kind in ("csv", "tsv", "txt"):
            said.append("one text a line")
        if self.encoding is not None:
            said.append(f"in {ENCODINGS[self.encoding]}")
        return ", ".join(said)


def read(
    content: bytes,
    file_name: str,
    *,
    encoding: str | None = None,
    header: bool | None = None,
    part: str | None = None,
) -> Table:
    """Reads a table.

    Args:
        content: The file.
        file_name: What the visitor calls it; its ending decides only where the content does not.
        encoding: One of `ENCODINGS`, where the visitor chose it.
        header: Whether the first row holds names, where the visitor said so.
        part: A sheet of the workbook or a table of the ZIP; None for the first sheet or the largest table.

    Returns:
        The table; lines with nothing at all are not rows.

    Raises:
        DataError: It cannot be read; the sentences say where, and how it could be.
    """
    with _ONE_AT_A_TIME:
        return _read(content, file_name, encoding, header, part)


def _read(content: bytes, file_name: str, encoding: str | None, header: bool | None, part: str | None) -> Table:
    if len(content) > MAX_BYTES:
        raise DataError(f"This file has {megabytes(len(content))}; at most {megabytes(MAX_BYTES)} are read.")
    if not content.strip(b"\0 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise DataError(_EMPTY)
    if content.startswith(b"PAR1"):
        return _table(parquet.read(content, MAX_CELLS), file_name, "parquet", header)
    if not content.startswith(b"PK\x03\x04"):
        return _read_text(content, file_name, encoding, header)
    if workbook.is_workbook(content):
        return _table(workbook.read(content, part, MAX_CELLS), file_name, "xlsx", header)
    content, inner, parts = zipped.largest_table(content, part)
    if content.startswith((b"PK\x03\x04", b"PAR1")):
        raise DataError("The file in this ZIP is packed itself. Upload that file without the ZIP.")
    table = _read_text(content, inner.rsplit("/", 1)[-1], encoding, header)
    return replace(table, file_name=file_name, is_zipped=True, parts=parts, part=inner)


def _read_text(content: bytes, file_name: str, encoding: str | None, header: bool | None) -> Table:
    for start, what in _OTHERS.items():
        if content.startswith(start):
            raise DataError(f"This file is {what}. Upload the table as CSV. {HOW_TO_SAVE}")
    text, found, notes = plain_text.decode(content, encoding)
    if not text.strip():
        raise DataError(_EMPTY)
    if text.lstrip()[:15].lower().startswith(("<!doctype html", "<html")):
        raise DataError(f"This file is a web page, not a table. Upload the table as CSV. {HOW_TO_SAVE}")
    if json_objects.is_json(text, file_name):
        records = json_objects.from_json(text, MAX_CELLS)
        kind: Kind = "json" if json_objects.is_array(text) else "jsonl"
        return replace(_table(records, file_name, kind, header), encoding=found, notes=tuple(notes))
    ending = file_name.lower().rsplit(".", 1)[-1]
    cells = plain_text.take_apart(text, prose=ending == "txt", max_cells=MAX_CELLS)
    kind = "txt" if ending == "txt" else "tsv" if cells.separator == "\t" else "csv"
    records = Records(names=None, rows=cells.rows, notes=(*notes, *cells.notes))
    return replace(_table(records, file_name, kind, header, cells.separator), encoding=found)


def _table(records: Records, file_name: str, kind: Kind, header: bool | None, separator: str | None = None) -> Table:
    rows, notes = records.rows, list(records.notes)
    names = records.names
    if names is None:
        if not rows:
            raise DataError(_EMPTY)
        first, others = rows[0], rows[1:]
        is_prose = kind == "txt" and separator is None  # a line is a text, unless it is called so
        has_names = header
        if header is None:
            has_names = any(map(names_of_columns.is_name, first)) or not (
                is_prose or names_of_columns.looks_like_data(first, others[:300])
            )
        if has_names:
            names, rows = tuple(first), others
        elif header is None:
            notes.append("The first row looks like data, so the columns have no names.")
    if not rows:
        raise DataError("This table has a row of names and nothing below it. Each text needs a row of its own.")
    width, names = _width(names, rows)
    check_size(len(rows), width, MAX_CELLS)
    said = names or (("text",) if width == 1 else ("",) * width)
    even = [row for row in rows if len(row) == width]
    text_column = names_of_columns.propose_text(said, even or [_even(row, width) for row in rows[:300]])
    columns = names_of_columns.shown(said)
    notes += _make_even(rows, width, text_column, columns, separator)
    return Table(
        file_name=file_name,
        kind=kind,
        columns=columns,
        header=names,
        rows=rows,
        text_column=text_column,
        label_column=names_of_columns.propose_label(said, rows, text_column),
        separator=separator,
        parts=records.parts,
        part=records.part,
        notes=tuple(notes),
    )


def _width(names: tuple[str, ...] | None, rows: Sequence[Sequence[str]]) -> tuple[int, tuple[str, ...] | None]:
    """How many columns there are, with the names that the first row lacks where most rows are longer."""
    usual = names_of_columns.usual_length(rows)
    if names is None:
        return usual, None
    is_usual = sum(len(row) == usual for row in rows) >= 0.9 * len(rows)
    if usual <= len(names) or not is_usual or not any(any(row[len(names) :]) for row in rows if len(row) == usual):
        return len(names), names
    missing = ("",) * (usual - len(names))
    # R writes its row names without a name above them.
    numbered = usual == len(names) + 1 and all(row[0].strip().isdigit() for row in rows if len(row) == usual)
    return usual, (*missing, *names) if numbered else (*names, *missing)


def _even(row: Sequence[str], width: int) -> list[str]:
    return [*row[:width], *[""] * (width - len(row))]


def _make_even(
    rows: list[list[str]], width: int, text_column: int | None, columns: Sequence[str], separator: str | None
) -> list[str]:
    """Makes every row as long as the table is wide, in place; what that took, in sentences."""
    short, long = [], []
    for n, row in enumerate(rows, start=1):
        if len(row) > width:
            extra = row[width:]
            if any(extra):  # a separator within a text that was not quoted
                place = width - 1 if text_column is None else text_column
                end = place + len(extra) + 1
                row[place:end] = [(separator or " ").join(row[place:end])]
                long.append(n)
            else:
                del row[width:]
        elif len(row) < width:
            row += [""] * (width - len(row))
            short.append(n)
    notes = []
    if long:
        column = columns[width - 1 if text_column is None else text_column]
        cells = f"{width:,} {'cell' if width == 1 else 'cells'}"
        notes.append(f"{_rows(long)} more than {cells}; the rest was taken for a part of the text in “{column[:40]}”.")
    if short:
        notes.append(f"{_rows(short)} fewer than {width:,} cells; the missing ones are empty.")
    return notes


def _rows(numbers: Sequence[int]) -> str:
    if len(numbers) == 1:
        return f"Row {numbers[0]:,} has"
    return f"{len(numbers):,} rows (the first is row {numbers[0]:,}) have"
