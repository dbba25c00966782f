"""A visitor's CSV of reviews: read, checked, and written again with five probabilities.

The file goes back as it came: every column in its order, every cell character for
character, the separator and the byte order mark too. Cells are not made safe for
spreadsheets that run formulas, because they are the visitor's own.
"""

from __future__ import annotations

import collections
import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from seqdemo.errors import DataError
from seqdemo.text import tokenize

MAX_BYTES = 5 * 1024 * 1024
MAX_ROWS = 2_000
TEXT_COLUMN = "text"
RESULT_PREFIX = "p_positive_"

_SEPARATORS = (",", ";", "\t")
_SEPARATOR_NAMES = {",": "comma", ";": "semicolon", "\t": "tab"}
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

csv.field_size_limit(MAX_BYTES)  # the module's own limit of 131,072 characters a cell is below ours


@dataclass(frozen=True)
class ReviewTable:
    """A CSV with a column of reviews.

    Attributes:
        columns: Names as they stand in the header.
        rows: Cells as they stand in the file, each row as long as `columns`.
        text_index: Which column holds the reviews.
        separator: What stood between cells: comma, semicolon or tab.
        has_mark: Whether the file began with a UTF-8 byte order mark.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    text_index: int
    separator: str
    has_mark: bool

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def separator_name(self) -> str:
        """The separator in a word."""
        return _SEPARATOR_NAMES[self.separator]

    @property
    def texts(self) -> list[str]:
        """The reviews, one a row; some may be empty."""
        return [row[self.text_index] for row in self.rows]

    def rows_with_words(self) -> list[int]:
        """Indices of the rows whose review holds at least one word."""
        return [index for index, text in enumerate(self.texts) if tokenize(text)]

    def replaced(self, names: Sequence[str]) -> list[str]:
        """The columns that the results of these models will take the place of."""
        results = {RESULT_PREFIX + name for name in names}
        return [column for column in self.columns if column in results]

    def with_probabilities(self, probabilities: Mapping[str, Sequence[float | None]]) -> bytes:
        """Writes the table with one further column a model.

        A column of that name, from an earlier scoring, is replaced.

        Args:
            probabilities: Model name → P(positive) of each row, None where there is none.

        Returns:
            CSV in UTF-8 with CRLF line ends (RFC 4180); probabilities with four decimals.
        """
        old = set(self.replaced(list(probabilities)))
        kept = [index for index, column in enumerate(self.columns) if column not in old]
        out = io.StringIO(newline="")
        # CRLF also makes the writer quote cells that hold either of the two characters.
        writer = csv.writer(out, delimiter=self.separator, lineterminator="\r\n")
        writer.writerow([*(self.columns[index] for index in kept), *(RESULT_PREFIX + name for name in probabilities)])
        for row, *results in zip(self.rows, *probabilities.values(), strict=True):
            figures = ["" if result is None else f"{result:.4f}" for result in results]
            writer.writerow([*(row[index] for index in kept), *figures])
        return (_BYTE_ORDER_MARK if self.has_mark else b"") + out.getvalue().encode("utf-8")


def parse(content: bytes) -> ReviewTable:
    """Reads a CSV and checks that it can be scored.

    Args:
        content: The file: UTF-8, separated by commas, semicolons or tabs, the first row
            the header, one column called `text`.

    Returns:
        The table; rows without a word are kept, lines with nothing at all are not rows.

    Raises:
        DataError: It cannot be used; the sentence says what was found and what is needed.
    """
    return read_table(content, max_rows=MAX_ROWS, purpose="scored at once")


def read_table(content: bytes, *, max_rows: int, purpose: str) -> ReviewTable:
    """What `parse` does, with another limit.

    Args:
        content: The file, as for `parse`.
        max_rows: Rows that are allowed.
        purpose: What the rows are for, as it stands in "at most 2,000 can be …".

    Returns:
        The table.

    Raises:
        DataError: As for `parse`.
    """
    if len(content) > MAX_BYTES:
        raise DataError(
            f"This file has {len(content) / 1024**2:.1f} MB; at most {MAX_BYTES // 1024**2} MB can be {purpose}."
        )
    text = _decode(content)
    separator, columns = _header(text)
    text_index = _text_index(columns)
    rows = _rows(text, separator, len(columns))
    if not rows:
        raise DataError("This CSV has a header and no rows. Each review needs a row of its own below the header.")
    if len(rows) > max_rows:
        raise DataError(f"This CSV has {len(rows):,} rows; at most {max_rows:,} can be {purpose}.")
    return ReviewTable(columns, rows, text_index, separator, content.startswith(_BYTE_ORDER_MARK))


def _decode(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError("This file is UTF-16 text. Save it as CSV in UTF-8 and try again.")
    if b"\0" in content:
        raise DataError("This file is not text, so it is not a CSV. A text file with a column called text is needed.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"This file is not UTF-8 text (byte {error.start + 1:,} is {error.object[error.start]:#04x}). "
            "If it is a CSV, save it as CSV in UTF-8 and try again."
        ) from error
    if not text.strip():
        raise DataError("This file is empty. A CSV with a column called text is needed.")
    return text


def _header(text: str) -> tuple[str, list[str]]:
    """The separator under which a `text` column appears, else the one with the most columns."""
    headers = {}
    for separator in _SEPARATORS:
        try:
            headers[separator] = next(row for row in csv.reader(_lines(text), delimiter=separator, strict=True) if row)
        except csv.Error as error:
            problem = error
    if not headers:
        raise DataError(f"The first row of this CSV cannot be read ({problem}). It must hold the names of the columns.")
    return max(headers.items(), key=lambda found: (TEXT_COLUMN in map(_plain, found[1]), len(found[1])))


def _text_index(columns: Sequence[str]) -> int:
    twice = [name for name, n in collections.Counter(columns).items() if n > 1]
    if twice:
        raise DataError(f"This CSV has more than one column called {_names(twice)}. Each column needs its own name.")
    found = [index for index, column in enumerate(columns) if _plain(column) == TEXT_COLUMN]
    if not found:
        raise DataError(
            f"This CSV has no column called text; its first row holds {_names(columns)}. "
            "Name the column of reviews “text”."
        )
    if len(found) > 1:
        raise DataError(
            f"This CSV has several columns that could hold the reviews: {_names([columns[index] for index in found])}. "
            "Only one may be called text."
        )
    return found[0]


def _rows(text: str, separator: str, n_columns: int) -> list[list[str]]:
    reader = csv.reader(_lines(text), delimiter=separator, strict=True)
    rows: list[list[str]] = []
    has_header = False
    try:
        for row in reader:
            if not row:  # a line with nothing in it
                continue
            if not has_header:
                has_header = True
                continue
            if len(row) != n_columns:
                raise DataError(
                    f"Row {len(rows) + 1:,} (ending in line {reader.line_num:,}) has "
                    f"{len(row):,} {'cell' if len(row) == 1 else 'cells'}, the header {n_columns:,}. "
                    f"A cell that holds a {_SEPARATOR_NAMES[separator]} must stand in double quotes."
                )
            rows.append(row)
    except csv.Error as error:
        raise DataError(
            f"This CSV cannot be read beyond line {reader.line_num:,} ({error}). A cell that begins with a double "
            "quote must end with one, and a quote inside it is written twice."
        ) from error
    return rows


def _lines(text: str) -> io.StringIO:
    return io.StringIO(text, newline="")  # line ends stay as they are, within cells too


def _plain(name: str) -> str:
    return name.strip().lower()


def _names(columns: Sequence[str], most: int = 8) -> str:
    shown = [f"“{column[:40]}{'…' if len(column) > 40 else ''}”" for column in columns[:most]]
    return ", ".join(shown) + (f" and {len(columns) - most:,} more" if len(columns) > most else "")
