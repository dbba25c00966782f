"""Tables that are no plain text: JSON, ZIP, Excel workbooks and Parquet. What unpacks is measured before it is."""

from __future__ import annotations

import datetime
import io
import json
import math
import xml.parsers.expat
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from seqdemo.data import parquet_pages
from seqdemo.data.table_text import HOW_TO_SAVE
from seqdemo.errors import DataError
from seqdemo.sizes import MB, megabytes

MAX_UNPACKED_BYTES = 25 * MB
"""What a file may hold once it is unpacked: text of all cells."""
MAX_XML_BYTES = 60 * MB
"""An Excel workbook's XML, most of which is marks around the cells."""
MAX_COLUMNS = 1_000

_TEXT_ENDINGS = (".csv", ".tsv", ".tab", ".txt", ".jsonl", ".ndjson", ".json")
_MAX_MEMBERS = 2_000
_CHUNK = 1 << 16
_ZIP_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)


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


# ---- JSON


def is_json(text: str, file_name: str) -> bool:
    """Whether a text is JSON, by its name or because it begins with an object."""
    if file_name.lower().endswith((".jsonl", ".ndjson", ".json")):
        return True
    first = text.lstrip()[:100_000].split("\n", 1)[0]
    if not first.startswith(("{", "[")):
        return False
    try:
        found = json.loads(first)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) or (isinstance(found, list) and bool(found) and isinstance(found[0], dict))


def objects(text: str) -> list[dict[str, Any]]:
    """The objects of JSON Lines or of a JSON array.

    Raises:
        DataError: Something else stands there; the sentence names the first places.
    """
    found: list[dict[str, Any]] = []
    problems: list[str] = []
    for place, item in _array(text) if is_array(text) else _json_lines(text):
        if isinstance(item, dict):
            found.append(item)
        else:
            problems.append(f"{place} {item}" if isinstance(item, _Problem) else f"{place} is not an object")
    if problems:
        more = f", and {len(problems) - 3:,} more" if len(problems) > 3 else ""
        raise DataError(
            f"This JSON cannot be read: {'; '.join(problems[:3])}{more}. Each row needs an object of its own, such as "
            '{"text": "…", "label": "…"}.'
        )
    return found


def is_array(text: str) -> bool:
    """Whether JSON text is one array rather than lines."""
    return text.lstrip().startswith("[")


class _Problem(str):
    """Why a piece of JSON could not be read."""

    __slots__ = ()


def _array(text: str) -> Iterator[tuple[str, Any]]:
    found = _loads(text)
    if isinstance(found, _Problem):
        yield "the file", found
        return
    for n, item in enumerate(found, start=1):
        yield f"item {n:,}", item


def _json_lines(text: str) -> Iterator[tuple[str, Any]]:
    for n, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield f"line {n:,}", _loads(line)


def _loads(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        place = (
            f"line {error.lineno:,}, character {error.colno:,}" if error.lineno > 1 else f"character {error.colno:,}"
        )
        return _Problem(f"is not JSON ({error.msg}, {place})")
    except (ValueError, RecursionError):
        return _Problem("is nested too deeply or holds too long a number")


def from_json(text: str, max_cells: int) -> Records:
    """A table of JSON objects: each key a column, in the order in which they first appear.

    Args:
        text: JSON Lines, or an array of objects.
        max_cells: Cells that may be made.

    Raises:
        DataError: It is not, or holds too much.
    """
    found = objects(text)
    names = list(dict.fromkeys(key for item in found for key in item))
    check_size(len(found), len(names), max_cells)
    rows = [[_json_cell(item[name]) if name in item else "" for name in names] for item in found]
    return Records(names=tuple(names), rows=rows)


def _json_cell(value: Any) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return "true" if value else "false"
    return cell(value)


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


# ---- ZIP


def from_zip(content: bytes, part: str | None) -> tuple[bytes, str, tuple[str, ...]]:
    """The table in a ZIP file.

    Args:
        content: The ZIP.
        part: Which of its files; None for the largest table.

    Returns:
        The bytes of that file, its name, and the names of all tables in the ZIP.

    Raises:
        DataError: There is none, it is too large unpacked, or it cannot be unpacked.
    """
    with _open(content) as file:
        files = [info for info in file.infolist() if not info.is_dir() and not _is_litter(info.filename)]
        tables = [info for info in files if info.filename.lower().endswith(_TEXT_ENDINGS)]
        if not tables:
            names = [info.filename.rsplit("/", 1)[-1] for info in files]
            if any(name.lower().endswith((".xlsx", ".parquet", ".zip")) for name in names):
                raise DataError(
                    "This ZIP holds a file that is packed itself (a workbook, Parquet or another ZIP). Upload that "
                    "file without the ZIP."
                )
            raise DataError(
                f"This ZIP holds no table: {_some(names)}. A file that ends in .csv, .tsv, .txt or .jsonl is needed."
            )
        chosen = next((info for info in tables if info.filename == part), None)
        chosen = chosen or max(tables, key=lambda info: info.file_size)
        found = _unpack(file, chosen, MAX_UNPACKED_BYTES)
    return found, chosen.filename.rsplit("/", 1)[-1], tuple(info.filename for info in tables)


def is_workbook(content: bytes) -> bool:
    """Whether a ZIP is an Excel workbook.

    Raises:
        DataError: It is another office document, or cannot be opened.
    """
    with _open(content) as file:
        names = {info.filename for info in file.infolist()}
    for start, what in (("word/", "a Word document"), ("ppt/", "a presentation")):
        if any(name.startswith(start) for name in names):
            raise DataError(f"This file is {what}, not a table. Put the texts into a spreadsheet, one a row.")
    if "content.xml" in names or "xl/workbook.bin" in names or any(name.endswith(".iwa") for name in names):
        raise DataError(f"This kind of spreadsheet is not read. Save it as .xlsx or as CSV. {HOW_TO_SAVE}")
    return "xl/workbook.xml" in names


def _open(content: bytes) -> zipfile.ZipFile:
    try:
        file = zipfile.ZipFile(io.BytesIO(content))
    except _ZIP_BROKEN as error:
        raise DataError("This file is a damaged ZIP or workbook. Save it again and try once more.") from error
    if len(file.infolist()) > _MAX_MEMBERS:
        raise DataError(f"This ZIP holds {len(file.infolist()):,} files. Upload one table at a time.")
    return file


def _unpack(file: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int) -> bytes:
    """A file of a ZIP, of which never more than the limit is unpacked, whatever the ZIP says."""
    name = info.filename.rsplit("/", 1)[-1]
    if info.flag_bits & 1:
        raise DataError("This ZIP or workbook is protected by a password. Save it without one.")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # the others unpack all at once
        raise DataError(f"“{name}” is packed in an unusual way. Pack it again as an ordinary ZIP.")
    too_large = f"“{name}” has more than {megabytes(limit)} unpacked; at most that much is read. Upload a part of it."
    if info.file_size > limit:
        raise DataError(too_large)
    found = bytearray()
    try:
        with file.open(info) as member:
            while chunk := member.read(_CHUNK):
                found += chunk
                if len(found) > limit:
                    raise DataError(too_large)
    except _ZIP_BROKEN as error:
        raise DataError(f"“{name}” cannot be unpacked: this ZIP or workbook is damaged. Save it again.") from error
    return bytes(found)


def _is_litter(name: str) -> bool:
    """What macOS and others leave in a ZIP."""
    return name.startswith("__MACOSX/") or name.rsplit("/", 1)[-1].startswith((".", "~$"))


def _some(names: Iterable[str], most: int = 4) -> str:
    listed = [f"“{name[:40]}”" for name in names]
    more = f" and {len(listed) - most:,} more" if len(listed) > most else ""
    return (", ".join(listed[:most]) + more) or "it is empty"


# ---- Excel


def from_workbook(content: bytes, part: str | None, max_cells: int) -> Records:
    """A sheet of an Excel workbook.

    Args:
        content: The workbook (.xlsx).
        part: Name of the sheet; None for the first one with cells.
        max_cells: Cells that may be made.

    Raises:
        DataError: It cannot be read, or holds too much.
    """
    import python_calamine

    with _open(content) as file:
        _measure(file, max_cells)
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        sheets = [
            sheet.name
            for sheet in book.sheets_metadata
            if sheet.typ == python_calamine.SheetTypeEnum.WorkSheet
            and sheet.visible == python_calamine.SheetVisibleEnum.Visible
        ]
        rows: list[list[Any]] = []
        chosen = None
        for name in [part] if part in sheets else sheets:
            chosen = name
            rows = book.get_sheet_by_name(name).to_python()
            if rows:
                break
    except Exception as error:  # the library has errors of many kinds
        raise DataError(f"This workbook cannot be read; it may be damaged. Save it as CSV. {HOW_TO_SAVE}") from error
    if not rows:
        raise DataError("This workbook has no cells. Each text needs a row of its own.")
    found = [[cell(value) for value in row] for row in rows]
    return Records(names=None, rows=[row for row in found if any(row)], parts=tuple(sheets), part=chosen)


def _measure(file: zipfile.ZipFile, max_cells: int) -> None:
    """Refuses a workbook that would take much more memory once its cells are laid out.

    A cell at the far corner makes a sheet of billions of cells, and a long text that is stored once can stand in
    thousands of cells.
    """
    infos = file.infolist()
    if len({info.filename for info in infos}) < len(infos):
        raise DataError("This workbook is damaged: it holds two files of one name. Save it again.")
    total = 0
    sheets: list[_Sheet] = []
    texts: list[int] = []
    for info in infos:
        content = _unpack(file, info, MAX_XML_BYTES)
        total += len(content)
        if total > MAX_XML_BYTES:
            raise DataError(
                f"This workbook has more than {megabytes(MAX_XML_BYTES)} unpacked. Save the table as CSV. {HOW_TO_SAVE}"
            )
        if info.filename.endswith("workbook.xml.rels") and b".vml" in content:
            raise DataError("This workbook is damaged: a sheet of it is no sheet. Save it again.")
        if info.filename.lower().endswith(".vml") or b"<" not in content[:8]:  # drawings, pictures
            continue
        sheet = _Sheet(max_cells)
        sheet.read(content)
        sheets.append(sheet)
        texts += sheet.shared
    for sheet in sheets:
        characters = sheet.characters + sum(texts[index] for index in sheet.used if index < len(texts))
        if characters > MAX_UNPACKED_BYTES:
            raise DataError(
                f"This workbook holds more than {MAX_UNPACKED_BYTES // MB} million characters. Leave out some rows."
            )


class _Sheet:
    """How much a sheet, or the list of texts that sheets share, will hold."""

    def __init__(self, max_cells: int) -> None:
        self.characters = 0
        self.shared: list[int] = []
        self.used: list[int] = []
        self._max_cells = max_cells
        self._n_cells = 0
        self._row = self._column = 0
        self._corner = [math.inf, math.inf, 0.0, 0.0]  # first row and column, last row and column
        self._is_shared = False
        self._length = 0
        self._value: list[str] | None = None

    def read(self, content: bytes) -> None:
        parser = xml.parsers.expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._doctype
        try:
            parser.Parse(content, True)
        except xml.parsers.expat.ExpatError as error:
            raise DataError(f"This workbook is damaged. Save it again, or as CSV. {HOW_TO_SAVE}") from error

    def _doctype(self, *_: Any) -> None:
        raise DataError(f"This workbook holds what no spreadsheet writes. Save it as CSV. {HOW_TO_SAVE}")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        match tag.rpartition(":")[2]:
            case "row":
                self._row = _whole(attributes.get("r")) or self._row + 1
                self._column = 0
            case "c":
                place = attributes.get("r", "")
                letters = place.rstrip("0123456789")
                self._column = _column(letters) if letters else self._column + 1
                self._row = _whole(place[len(letters) :]) or self._row
                self._is_shared = attributes.get("t") == "s"
            case "si":
                self._length = 0
            case "v":
                self._value = []

    def _text(self, found: str) -> None:
        self._length += len(found)
        self.characters += len(found)
        if self._value is not None and self._is_shared:
            self._value.append(found)

    def _end(self, tag: str) -> None:
        match tag.rpartition(":")[2]:
            case "si":
                self.shared.append(self._length)
                if len(self.shared) > self._max_cells:
                    self._too_many()
            case "v" | "is":
                if self._value and self._is_shared:
                    self.used.append(_whole("".join(self._value)[:20]) or 0)
                self._value = None
                self._n_cells += 1
                first_row, first_column, last_row, last_column = self._corner
                self._corner = [
                    min(first_row, self._row),
                    min(first_column, self._column),
                    max(last_row, self._row),
                    max(last_column, self._column),
                ]
                height = self._corner[2] - self._corner[0] + 1
                width = self._corner[3] - self._corner[1] + 1
                if self._n_cells > self._max_cells or height * width > self._max_cells:
                    self._too_many()

    def _too_many(self) -> None:
        raise DataError(
            f"This workbook has more than {self._max_cells:,} cells, the empty ones between others included. Leave out "
            "rows or columns, or save the table alone as CSV."
        )


def _whole(text: str | None) -> int:
    return int(text) if text and len(text) <= 12 and text.isascii() and text.strip().isdigit() else 0


def _column(letters: str) -> int:
    place = 0
    for letter in letters[:8].upper():
        place = place * 26 + ord(letter) - 64
    return place


# ---- Parquet


def from_parquet(content: bytes, max_cells: int) -> Records:
    """The columns of a Parquet file that hold text, numbers, dates or yes and no.

    Args:
        content: The file.
        max_cells: Cells that may be made.

    Raises:
        DataError: It cannot be read, or holds too much.
    """
    table, left_out = parquet_columns(content, max_cells)
    columns = []
    for name, column in zip(table.column_names, table.columns, strict=True):
        try:
            columns.append([cell(value) for value in column.to_pylist()])
        except (ValueError, OverflowError) as error:
            raise DataError(
                f"The column “{name[:40]}” holds dates or times that cannot be shown. Leave it out."
            ) from error
    if not columns:
        raise DataError(f"This Parquet file has no column of text: {_some(left_out)} hold other things.")
    notes: tuple[str, ...] = ()
    if left_out:
        notes = (f"Left out, since cells hold neither text nor a number: {_some(left_out)}.",)
    return Records(names=tuple(table.column_names), rows=[list(row) for row in zip(*columns, strict=True)], notes=notes)


def parquet_columns(content: bytes, max_cells: int) -> tuple[Any, list[str]]:
    """The plain columns of a Parquet file, text as strings, and the names of the others.

    Args:
        content: The file.
        max_cells: Cells that may be made.

    Raises:
        DataError: It cannot be read, or holds too much.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    damaged = "This Parquet file cannot be read; it may be damaged. Save the table as CSV."
    try:
        footer = pq.read_metadata(pa.BufferReader(content))
        check_size(footer.num_rows, footer.num_columns, max_cells)
        parquet_pages.check(content, footer, max_values=max_cells, max_bytes=MAX_UNPACKED_BYTES)
        texts = [
            footer.schema.column(place).path
            for place in range(footer.num_columns)
            if footer.schema.column(place).physical_type == "BYTE_ARRAY"
        ]
        # A text that is stored once stays one text, however many rows hold it.
        file = pq.ParquetFile(pa.BufferReader(content), read_dictionary=texts)
        fields = list(file.schema_arrow)
        flat = [field.name for field in fields if not pa.types.is_nested(field.type)]
        table = file.read(columns=flat, use_threads=False)
    except DataError:
        raise
    except (pa.ArrowException, OSError, ValueError, KeyError, MemoryError) as error:
        raise DataError(damaged) from error
    kept, names = [], []
    n_bytes = 0
    for name, column in zip(table.column_names, table.columns, strict=True):
        if pa.types.is_dictionary(column.type):
            for chunk in column.chunks:
                lengths = pc.binary_length(chunk.dictionary).take(chunk.indices)
                n_bytes += pc.sum(lengths.cast(pa.int64())).as_py() or 0
            if n_bytes > MAX_UNPACKED_BYTES:
                raise DataError(
                    f"This Parquet file holds more than {megabytes(MAX_UNPACKED_BYTES)} of text. Leave out rows."
                )
            try:
                kept.append(column.cast(pa.string()))
            except pa.ArrowException:  # pictures and the like
                continue
        elif _is_plain(column.type):
            kept.append(column)
        else:
            continue
        names.append(name)
    left_out = [field.name for field in fields if field.name not in names]
    return pa.table(kept, names=names), left_out


def _is_plain(kind: Any) -> bool:
    import pyarrow as pa

    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_date(kind)
        or pa.types.is_time(kind)
        or pa.types.is_timestamp(kind)
        or pa.types.is_string(kind)
    )
