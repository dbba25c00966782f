"""Lines of the kinds that people write and film reviews rarely hold, written for this project, for choosing by.

What trains a model never reads them: while it is developed, its answers to them say whether it has learned a kind. Its
final figure comes from `data.typed_reviews`, which nobody develops by.
"""

from __future__ import annotations

import csv
import functools
import hashlib
import pathlib
from collections.abc import Iterable
from dataclasses import dataclass

from seqdemo.errors import DataError

FILE = pathlib.Path(__file__).with_suffix(".csv")
KINDS: dict[str, str] = {
    "double_negation": "Double negation",
    "not_but": "Not … but",
    "could_have_been": "Could have been",
    "comparison_with_films": "Comparison with other films",
    "praise_within_blame": "Praise of a part within blame",
    "blame_within_praise": "Blame of a part within praise",
    "rating": "Ratings",
    "thumbs_and_emoji": "Thumbs and emoji",
    "question": "Questions",
    "plain_description": "Plain descriptions",
    "mixed": "Mixed opinions",
    "one_word": "One word",
    "all_capitals": "All capitals",
    "foreign_words": "Foreign words",
}
"""Kind → what it is called on screen."""
LABELS = {"0": 0.0, "0.5": 0.5, "1": 1.0}
"""Label in the file → the share of readers who would call the line positive."""
_COLUMNS = ["text", "label", "kind"]


@dataclass(frozen=True)
class DevelopmentLine:
    """One line.

    Attributes:
        text: As somebody may type it.
        label: 1 where its opinion is positive, 0 where it is negative, 0.5 where it is mixed or there is none.
        kind: A key of `KINDS`.
    """

    text: str
    label: float
    kind: str


@functools.cache
def load(path: pathlib.Path = FILE) -> tuple[DevelopmentLine, ...]:
    """Reads the lines and checks them.

    Args:
        path: A CSV file with the columns text, label and kind.

    Returns:
        The lines in the order of the file.

    Raises:
        DataError: The file is missing, or a line is not as it should be.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file, strict=True)
            if rows.fieldnames != _COLUMNS:
                raise DataError(f"{path.name} has the columns {rows.fieldnames}; needed are {_COLUMNS}.")
            return tuple(_checked(row, f"{path.name}, line {rows.line_num}") for row in rows)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path.name} cannot be read: {error}") from error


def sha256(lines: Iterable[DevelopmentLine]) -> str:
    """Names the lines: of their kinds, labels and texts, whatever the file's line ends are."""
    content = "\n".join(f"{line.kind}\t{line.label}\t{line.text}" for line in lines)
    return hashlib.sha256(content.encode()).hexdigest()


def _checked(row: dict[str, str], where: str) -> DevelopmentLine:
    text, label, kind = (row[column] for column in _COLUMNS)
    if kind not in KINDS:
        raise DataError(f"{where} is of the kind {kind!r}; known are {', '.join(KINDS)}.")
    if label not in LABELS:
        raise DataError(f"{where} has the label {label!r}; needed is one of {', '.join(LABELS)}.")
    if not text or not text.strip():
        raise DataError(f"{where} has no text.")
    return DevelopmentLine(text, LABELS[label], kind)
