"""The one reader of every table that a visitor brings, and the writer that gives it back with more columns."""

from seqdemo.data.tables.plain_text import ENCODINGS, HOW_TO_SAVE
from seqdemo.data.tables.reader import KINDS, MAX_BYTES, Table, read
from seqdemo.data.tables.records import MAX_CELLS, MAX_COLUMNS, MAX_UNPACKED_BYTES
from seqdemo.data.tables.writer import Written, write

__all__ = (
    "ENCODINGS",
    "HOW_TO_SAVE",
    "KINDS",
    "MAX_BYTES",
    "MAX_CELLS",
    "MAX_COLUMNS",
    "MAX_UNPACKED_BYTES",
    "Table",
    "Written",
    "read",
    "write",
)
