"""A visitor's table of reviews, to be scored: which column and rows, and the columns that are added to it.

Between upload and result only the file and the texts of the chosen rows are kept; the cells are read again when the
result is written.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, overload

import numpy as np

from seqdemo.data import tables
from seqdemo.data.tables import Table, Written
from seqdemo.data.tables.writer import Column
from seqdemo.text import MAX_TOKENS, Reading, tokenize

MAX_ROWS = 2_000
"""Rows that are scored in one go; more are scored in parts."""
RESULT_PREFIX = "p_positive_"
UNKNOWN_COLUMN = "share_unknown"
CUT_COLUMN = "cut"
ROW_COLUMN = "row_in_file"

Which = Literal["first", "random", "all"]
# Film reviews: 1.3 % on average, 11 % at most; tweets full of brands: 25 %; other languages: 45 to 70 %.
_MUCH_UNKNOWN = 0.35
_ROWS_TO_JUDGE = 3
_BEGINNING = 500  # characters in which nearly every text has its first word
_PLAIN_WORDS = re.compile(r"[A-Za-z]+ [A-Za-z]+(?: |$)")  # of most texts this tells in a fiftieth of the time


@dataclass(frozen=True, kw_only=True)
class Source:
    """A file and how its visitor wants it read.

    Attributes:
        content: The file.
        file_name: What the visitor calls it.
        encoding: As for `tables.read`; None where the reader decides.
        header: As for `tables.read`.
        part: As for `tables.read`.
    """

    content: bytes
    file_name: str
    encoding: str | None = None
    header: bool | None = None
    part: str | None = None

    def read(self) -> Table:
        """The table; the same every time.

        Raises:
            DataError: It cannot be read.
        """
        return tables.read(self.content, self.file_name, encoding=self.encoding, header=self.header, part=self.part)


class Texts(Sequence[str]):
    """Texts in a fraction of the memory: a million short strings take three times what stands in them."""

    def __init__(self, texts: Iterable[str]) -> None:
        """Puts them one behind the other."""
        encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
        self._ends = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
        self._joined = b"".join(encoded)

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> list[str]: ...
    def __getitem__(self, place: int | slice) -> str | list[str]:
        if isinstance(place, slice):
            return [self[one] for one in range(*place.indices(len(self)))]
        if not 0 <= place < len(self):
            raise IndexError(f"There are {len(self):,} texts; got {place}.")
        return self._joined[self._ends[place] : self._ends[place + 1]].decode("utf-8", "surrogatepass")


@dataclass(frozen=True, kw_only=True)
class ReviewTable:
    """The reviews of a table that are to be scored.

    Attributes:
        source: The file.
        rows: Indices of the chosen rows, in their order in the file.
        texts: The review of each of them; some may be empty.
        is_sample: Whether the rows are a random choice.
    """

    source: Source
    rows: Sequence[int]
    texts: Sequence[str]
    is_sample: bool = False

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def parts(self) -> list[range]:
        """Places in `rows` that are scored in one go, one part after the other."""
        return [range(start, min(start + MAX_ROWS, len(self))) for start in range(0, len(self), MAX_ROWS)]

    def written(self, columns: Mapping[str, Column]) -> Written:
        """The chosen rows as a file with further columns; see `tables.write`."""
        numbers: dict[str, Column] = {ROW_COLUMN: [str(row + 1) for row in self.rows]} if self.is_sample else {}
        return tables.write(self.source.read(), self.source.content, self.rows, numbers | dict(columns))


def choose(source: Source, table: Table, text_column: int, which: Which, seed: int = 0) -> ReviewTable:
    """Chooses the rows that are to be scored.

    Args:
        source: The file.
        table: What was read of it.
        text_column: Which column holds the reviews.
        which: The first `MAX_ROWS`, as many at random, or all.
        seed: Start of all chance.
    """
    n = len(table)
    rows: Sequence[int] = range(n if which == "all" else min(n, MAX_ROWS))
    is_sample = which == "random" and n > MAX_ROWS
    if is_sample:
        rows = sorted(random.Random(seed).sample(range(n), MAX_ROWS))
    texts = Texts(table.rows[row][text_column] for row in rows)
    return ReviewTable(source=source, rows=rows, texts=texts, is_sample=is_sample)


def result_columns(names: Sequence[str]) -> list[str]:
    """The columns that a scoring adds.

    Args:
        names: Of the models, as they stand in the columns' names.
    """
    return [*(RESULT_PREFIX + name for name in names), UNKNOWN_COLUMN, CUT_COLUMN]


def has_words(text: str) -> bool:
    """Whether there is something to read."""
    beginning = text[:_BEGINNING]
    if _PLAIN_WORDS.match(beginning):
        return True
    return bool(tokenize(beginning) or (len(text) > _BEGINNING and tokenize(text)))


def cut_note(reading: Reading) -> str | None:
    """What the result says of a text that is longer than what models read; None of others."""
    if reading.n_skipped:
        return f"cut to {MAX_TOKENS} of {reading.n_found} words and marks"
    if reading.n_characters > len(reading.text):
        return f"cut to {len(reading.text)} of {reading.n_characters} characters"
    return None


def probably_not_english(unknown: Sequence[float], n_foreign: int) -> bool:
    """Whether a table's texts are probably not English.

    Of one text only a majority of unknown words tells; many texts tell by less.

    Args:
        unknown: Of each text, the share of its words that no model knows.
        n_foreign: How many of them are probably not English by themselves.
    """
    n = len(unknown)
    return 2 * n_foreign > n or (n >= _ROWS_TO_JUDGE and sum(unknown) / n >= _MUCH_UNKNOWN)
