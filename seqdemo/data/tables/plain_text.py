"""Tables that are text: which encoding the bytes are in, and what stands between the cells."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from seqdemo.data.tables import columns
from seqdemo.errors import DataError

ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-16": "UTF-16",
    "cp1252": "Windows-1252",
    "mac_roman": "Mac Roman",
    "cp1250": "Windows-1250 (Central Europe)",
    "cp1251": "Windows-1251 (Cyrillic)",
    "shift_jis": "Shift JIS",
    "gb18030": "GB 18030",
}
"""What a visitor can choose from, by Python's name for it."""
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "pipes"}
HOW_TO_SAVE = (
    "In Excel choose File, Save as, “CSV UTF-8 (Comma delimited)”; in Google Sheets File, Download, "
    "“Comma-separated values (.csv)”."
)

csv.field_size_limit(2**31 - 1)  # files are bounded, the module's own limit of 131,072 characters a cell is too small

_SAMPLE_ROWS = 300
_SAMPLE_CHARACTERS = 300_000
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x19\x1c-\x1f\x7f]")
_MOST_CONTROL = 0.005
# What an apostrophe or an accented letter looks like under another encoding than its own: a capital or a sign within
# a word. Letters and signs that texts do hold are left out.
_ODD = re.compile(r"(?<=[a-z])[^\x00-\x7f\u00df-\u00f6\u00f8-\u00ff\u0153\u0161\u017e\u2013-\u2026](?=[a-z]|\b|$)")


def _as_latin_1(error: UnicodeError) -> tuple[str, int]:
    """The five bytes that Windows-1252 leaves undefined."""
    assert isinstance(error, UnicodeDecodeError)
    return error.object[error.start : error.end].decode("latin-1"), error.end


codecs.register_error("seqdemo.latin1", _as_latin_1)


@dataclass(frozen=True, kw_only=True)
class Cells:
    """A text taken apart.

    Attributes:
        rows: The cells of each row, as many as stand there; the first row may hold names.
        separator: What stands between cells; None where each line is one text.
        notes: What a visitor should know about how it was read, in sentences.
    """

    rows: list[list[str]]
    separator: str | None
    notes: tuple[str, ...] = ()


def decode(content: bytes, encoding: str | None = None) -> tuple[str, str, list[str]]:
    """Finds the encoding that makes sense of some bytes.

    Byte order marks decide, then UTF-16's pattern of zeros, then whether it is UTF-8, then whether Windows-1252 or
    Mac Roman puts fewer strange signs into words.

    Args:
        content: The bytes.
        encoding: One of `ENCODINGS`, where the visitor chose it.

    Returns:
        The text without its byte order mark, the encoding, and notes.

    Raises:
        DataError: It is not text, or not in the encoding that was chosen.
    """
    found = encoding or _encoding(content)
    notes = []
    try:
        text = content.decode(_codec(content, found), "seqdemo.latin1" if found == "cp1252" else "strict")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        place = f"byte {error.start + 1:,} (line {line:,}) is {content[error.start]:#04x}"
        if encoding or found != "utf-8":
            raise DataError(
                f"This file is not {ENCODINGS[found]}: {place}. Choose another encoding, or save the file as UTF-8. "
                + HOW_TO_SAVE
            ) from error
        text = content.decode("utf-8", "replace")
        n = text.count("\ufffd") - content.count("\ufffd".encode())
        notes.append(
            f"{n:,} {'place is' if n == 1 else 'places are'} not UTF-8 and read as “\ufffd”: the first {place}."
        )
    text = text.removeprefix("\ufeff")
    control = _CONTROL.findall(text[:_SAMPLE_CHARACTERS])
    if len(control) > max(1, _MOST_CONTROL * min(len(text), _SAMPLE_CHARACTERS)):
        at = text.index(control[0])
        raise DataError(
            f"This file is not text: character {at + 1:,} is {ord(control[0]):#04x}, which no text holds. "
            + HOW_TO_SAVE
        )
    if found != "utf-8":
        notes.append(f"Read as {ENCODINGS[found]}.")
    return text, found, notes


def _encoding(content: bytes) -> str:
    if content.startswith(codecs.BOM_UTF8):
        return "utf-8"
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or _utf_16(content):
        return "utf-16"
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        replaced = content.decode("utf-8", "replace")
        bad = replaced.count("\ufffd")
        if len(replaced) - len(replaced.encode("ascii", "ignore")) > 2 * bad:  # UTF-8 with a damaged place
            return "utf-8"
        western, mac = (len(_ODD.findall(content.decode(codec, "seqdemo.latin1"))) for codec in ("cp1252", "mac_roman"))
        return "mac_roman" if mac < western else "cp1252"
    return "utf-8"


def _utf_16(content: bytes) -> str | None:
    """Which UTF-16 text without a byte order mark is: every other byte of ASCII is zero."""
    sample = content[:4_000]
    half = len(sample) // 2
    if half and sample[1::2].count(0) > 0.4 * half > sample[::2].count(0):
        return "utf-16-le"
    if half and sample[::2].count(0) > 0.4 * half > sample[1::2].count(0):
        return "utf-16-be"
    return None


def _codec(content: bytes, encoding: str) -> str:
    if encoding == "utf-16" and not content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _utf_16(content) or "utf-16-le"
    return encoding


def take_apart(text: str, *, prose: bool, max_cells: int) -> Cells:
    """Finds what stands between the cells of a text and how they are quoted.

    Args:
        text: The whole file.
        prose: Whether the name says that it is plain text: commas then separate only where there is no doubt.
        max_cells: Cells that may be made.

    Returns:
        The cells; rows without a single character are left out.

    Raises:
        DataError: A quote is never closed, or there are too many cells.
    """
    declared = re.match(r"\"?sep=(.)\"?[ \t]*(?:\r\n|\r|\n|$)", text, re.IGNORECASE)
    notes: tuple[str, ...] = ()
    if declared:
        text = text[declared.end() :]
        notes = ("The line that begins with “sep=” is not part of the table.",)
    separator = declared[1] if declared else _separator(text, prose=prose)
    if separator is None:
        return Cells(rows=_lines(text, max_cells, prose=prose), separator=None, notes=notes)
    rows, quoting = _quoted(text, separator, max_cells)
    return Cells(rows=rows, separator=separator, notes=(*notes, *quoting))


def _separator(text: str, *, prose: bool) -> str | None:
    sample = text[:_SAMPLE_CHARACTERS]
    ranked = []
    for separator in SEPARATORS:
        for variant in (sample, _unescaped(sample)) if '\\"' in sample else (sample,):
            rows = _first_rows(variant, separator)
            below = rows[1:] or rows
            if not rows or len(rows[0]) < 2:
                continue
            usual = columns.usual_length(below)
            agreement = sum(len(row) == usual for row in below) / len(below)
            named = any(map(columns.is_name, rows[0]))
            if named or _is_table(rows, usual, agreement, weak=prose and separator in ",;"):
                ranked.append((named, round(agreement, 1), len(rows[0]), separator))
    return max(ranked)[3] if ranked else None


def _is_table(rows: Sequence[Sequence[str]], usual: int, agreement: float, *, weak: bool) -> bool:
    """Whether cells without a known name are cells, rather than clauses of sentences."""
    if usual < 2 or abs(usual - len(rows[0])) > 1:
        return False
    if weak:  # a column of numbers or short labels must stand beside the text
        alike = [row for row in rows if len(row) == usual]
        return agreement >= 0.9 and any(
            all(columns.is_number(row[place]) or len(row[place].split()) == 1 for row in alike)
            for place in (0, usual - 1)
        )
    return agreement >= 0.9 or (agreement >= 0.5 and not columns.looks_like_data(rows[0], rows[1:]))


def _first_rows(text: str, separator: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    rows: list[list[str]] = []
    for row in reader:
        if row:
            rows.append(row)
        if len(rows) == _SAMPLE_ROWS:
            return rows
    return rows[:-1] if len(rows) > 2 and len(text) == _SAMPLE_CHARACTERS else rows  # the last one may be cut


def _quoted(text: str, separator: str, max_cells: int) -> tuple[list[list[str]], tuple[str, ...]]:
    """The rows under the first way of quoting that the text agrees with."""
    problem = ""
    for variant in (text, _unescaped(text)) if '\\"' in text else (text,):
        rows: list[list[str]] = []
        begun = 1
        reader = csv.reader(io.StringIO(variant, newline=""), delimiter=separator, strict=True)
        try:
            for row in _bounded(reader, max_cells):
                rows.append(row)
                begun = reader.line_num + 1
        except csv.Error:
            problem = problem or (
                f"A double quote in row {len(rows) + 1:,} (line {begun:,}) is not closed where its cell ends. "
                f"Put cells that hold quotes into quotes, and write a quote inside them twice. {HOW_TO_SAVE}"
            )
        else:
            return rows, ()
    plain = csv.reader(io.StringIO(text, newline=""), delimiter=separator, quoting=csv.QUOTE_NONE)
    rows = [[_without_quotes(cell) for cell in row] for row in _bounded(plain, max_cells)]
    if sum(len(row) == len(rows[0]) for row in rows) >= 0.9 * len(rows):
        return rows, ("Quotes in it do not pair, so each line is one row and quotes stand as they are.",)
    end = "end of this table"
    loose = csv.reader(io.StringIO(f"{text}\n{end}", newline=""), delimiter=separator)
    rows = list(_bounded(loose, max_cells))
    if rows.pop() == [end] and sum(len(row) == len(rows[0]) for row in rows) >= 0.9 * len(rows):
        return rows, ("Some quotes in it do not stand at the end of a cell; they are left out.",)
    raise DataError(problem)


def _bounded(reader: Iterator[list[str]], max_cells: int) -> Iterator[list[str]]:
    n_cells = 0
    for row in reader:
        if row:
            n_cells += len(row)
            if n_cells > max_cells:
                raise DataError(f"This table has more than {max_cells:,} cells. Leave out rows or columns.")
            yield row


def _lines(text: str, max_cells: int, *, prose: bool) -> list[list[str]]:
    """Each line one text, unless they are quoted as a CSV's only column is."""
    if not prose and '"' in text:
        try:
            reader = csv.reader(io.StringIO(text, newline=""), strict=True)
            rows = list(_bounded(reader, max_cells))
        except csv.Error:
            pass
        else:
            if all(len(row) == 1 for row in rows):
                return rows
    lines = (line.rstrip("\n") for line in io.StringIO(text, newline=None))
    return list(_bounded(([line] if line else [] for line in lines), max_cells))


def _unescaped(text: str) -> str:
    r"""Quotes escaped as in `\"` written twice, as the csv module reads them."""
    return re.sub(r'\\(["\\])', lambda found: '""' if found[1] == '"' else "\\", text)


def _without_quotes(cell: str) -> str:
    return cell[1:-1].replace('""', '"') if len(cell) > 1 and cell[0] == cell[-1] == '"' else cell
