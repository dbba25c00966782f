"""Excel workbooks. Their size is measured before their cells are laid out."""

from __future__ import annotations

import datetime
import functools
import io
import math
import xml.parsers.expat
import zipfile
from collections.abc import Iterable, Sequence
from typing import Any

from seqdemo.data.tables.plain_text import HOW_TO_SAVE
from seqdemo.data.tables.records import MAX_UNPACKED_BYTES, Records, cell
from seqdemo.data.tables.zipped import unpack, unzip
from seqdemo.errors import DataError
from seqdemo.sizes import MB, megabytes

MAX_XML_BYTES = 60 * MB
"""An Excel workbook's XML, most of which is marks around the cells."""

MAX_WRITTEN_CELLS = 500_000
"""Cells of a workbook that is written: each takes some 250 bytes meanwhile."""
MAX_CELL_CHARACTERS = 32_767
"""What Excel keeps in a cell."""


def is_workbook(content: bytes) -> bool:
    """Whether a ZIP is an Excel workbook.

    Raises:
        DataError: It is another office document, or cannot be opened.
    """
    with unzip(content) as file:
        names = {info.filename for info in file.infolist()}
    for start, what in (("word/", "a Word document"), ("ppt/", "a presentation")):
        if any(name.startswith(start) for name in names):
            raise DataError(f"This file is {what}, not a table. Put the texts into a spreadsheet, one a row.")
    if "content.xml" in names or "xl/workbook.bin" in names or any(name.endswith(".iwa") for name in names):
        raise DataError(f"This kind of spreadsheet is not read. Save it as .xlsx or as CSV. {HOW_TO_SAVE}")
    return "xl/workbook.xml" in names


def read(content: bytes, part: str | None, max_cells: int) -> Records:
    """A sheet of an Excel workbook.

    Args:
        content: The workbook (.xlsx).
        part: Name of the sheet; None for the first one with cells.
        max_cells: Cells that may be made.

    Raises:
        DataError: It cannot be read, or holds too much.
    """
    sheets, chosen, rows = _rows(content, part, max_cells)
    return Records(names=None, rows=[[cell(value) for value in row] for row in rows], parts=sheets, part=chosen)


def values(content: bytes, part: str | None, max_cells: int) -> list[list[Any]]:
    """What `read` gives as text, as the numbers, dates and texts that stand in the sheet; the first row included.

    Raises:
        DataError: As for `read`.
    """
    return _rows(content, part, max_cells)[2]


def write(rows: Iterable[Sequence[Any]], sheet: str) -> bytes:
    """A workbook of one sheet.

    Args:
        rows: The cells: numbers, dates, times, texts, or None. A text stays a text, also where it looks like a
            formula or an address.
        sheet: Its name.
    """
    import xlsxwriter

    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "remove_timezone": True})
    page = book.add_worksheet(sheet)
    kinds = {"date": "yyyy-mm-dd", "moment": "yyyy-mm-dd hh:mm:ss", "time": "hh:mm:ss", "duration": "[h]:mm:ss"}
    formats = {kind: book.add_format({"num_format": shown}) for kind, shown in kinds.items()}
    for y, row in enumerate(rows):
        for x, value in enumerate(row):
            match value:
                case str():
                    page.write_string(y, x, value)
                case bool():
                    page.write_boolean(y, x, value)
                case int() | float() if math.isfinite(value):
                    page.write_number(y, x, value)
                case datetime.datetime():
                    kind = "date" if value.time() == datetime.time() else "moment"
                    page.write_datetime(y, x, value, formats[kind])
                case datetime.date():
                    page.write_datetime(y, x, value, formats["date"])
                case datetime.time():
                    page.write_datetime(y, x, value, formats["time"])
                case datetime.timedelta():
                    page.write_datetime(y, x, value, formats["duration"])
    book.close()
    return out.getvalue()


def _rows(content: bytes, part: str | None, max_cells: int) -> tuple[tuple[str, ...], str | None, list[list[Any]]]:
    """Names of the sheets, the chosen one's, and its rows that are not empty."""
    import python_calamine

    with unzip(content) as file:
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
    return tuple(sheets), chosen, [row for row in rows if any(map(cell, row))]


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
        content = unpack(file, info, MAX_XML_BYTES)
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
        self._top = self._left = 1 << 62
        self._bottom = self._right = 0
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
        name = tag.rpartition(":")[2] if ":" in tag else tag
        if name == "c":
            place = attributes.get("r", "")
            letters = place.rstrip("0123456789")
            self._column = _column(letters) if letters else self._column + 1
            self._row = _whole(place[len(letters) :]) or self._row
            self._is_shared = attributes.get("t") == "s"
        elif name == "v":
            self._value = []
        elif name == "row":
            self._row = _whole(attributes.get("r")) or self._row + 1
            self._column = 0
        elif name == "si":
            self._length = 0

    def _text(self, found: str) -> None:
        self._length += len(found)
        self.characters += len(found)
        if self._is_shared and self._value is not None:
            self._value.append(found)

    def _end(self, tag: str) -> None:
        name = tag.rpartition(":")[2] if ":" in tag else tag
        if name in ("v", "is"):
            if self._is_shared and self._value:
                self.used.append(_whole("".join(self._value)[:20]))
            self._value = None
            self._n_cells += 1
            self._top, self._bottom = min(self._top, self._row), max(self._bottom, self._row)
            self._left, self._right = min(self._left, self._column), max(self._right, self._column)
            area = (self._bottom - self._top + 1) * (self._right - self._left + 1)
            if max(self._n_cells, area) > self._max_cells:
                self._too_many()
        elif name == "si":
            self.shared.append(self._length)
            if len(self.shared) > self._max_cells:
                self._too_many()

    def _too_many(self) -> None:
        raise DataError(
            f"This workbook has more than {self._max_cells:,} cells, the empty ones between others included. Leave out "
            "rows or columns, or save the table alone as CSV."
        )


def _whole(text: str | None) -> int:
    return int(text) if text and len(text) <= 12 and text.isascii() and text.strip().isdigit() else 0


@functools.lru_cache(maxsize=1024)
def _column(letters: str) -> int:
    place = 0
    for letter in letters[:8].upper():
        place = place * 26 + ord(letter) - 64
    return place
