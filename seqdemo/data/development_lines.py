"""Lines of the kinds that people write and film reviews rarely hold, written for this project, for choosing by.

What trains a model never reads them: while it is developed, its answers to them say whether it has learned a kind. Its
final figure comes from `data.typed_reviews`, which nobody develops by.
"""

from __future__ import annotations

import functools
import pathlib
from collections.abc import Iterable
from dataclasses import dataclass

from seqdemo.data import labelled_lines

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
    return labelled_lines.read(
        path,
        _COLUMNS,
        kinds=KINDS,
        labels=LABELS,
        needed=f"one of {', '.join(LABELS)}",
        make=lambda kind, label, text: DevelopmentLine(text, LABELS[label], kind),
    )


def sha256(lines: Iterable[DevelopmentLine]) -> str:
    """Names the lines: of their kinds, labels and texts, whatever the file's line ends are."""
    return labelled_lines.sha256((line.kind, line.label, line.text) for line in lines)
