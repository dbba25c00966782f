"""A development set of reviews as people type them, written for this project, by kind and balanced.

It is for measuring only: nothing that trains a model, or makes examples to train on, may read it.
"""

from __future__ import annotations

import functools
import pathlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from seqdemo.data import labelled_lines
from seqdemo.errors import DataError

FILE = pathlib.Path(__file__).with_suffix(".csv")
LABELS = ("negative", "positive")
KINDS: dict[str, str] = {
    "plain": "Plain",
    "one_or_two_words": "One or two words",
    "negation": "Negation",
    "contrast": "Contrast",
    "comparison": "Comparison",
    "typing_errors_and_capitals": "Typing errors, capitals",
    "craft_words": "Words on the craft",
    "opinion_then_filler": "Opinion, then neutral words",
    "filler_then_opinion": "Neutral words, then opinion",
}
"""Kind → what it is called on screen."""
_COLUMNS = ["kind", "label", "text"]


@dataclass(frozen=True)
class TypedReview:
    """One line.

    Attributes:
        kind: A key of `KINDS`.
        positive: Whether its opinion is positive.
        text: As somebody may type it.
    """

    kind: str
    positive: bool
    text: str


@functools.cache
def load(path: pathlib.Path = FILE) -> tuple[TypedReview, ...]:
    """Reads the lines and checks them.

    Args:
        path: A CSV file with the columns kind, label and text.

    Returns:
        The lines in the order of the file, half of each kind positive.

    Raises:
        DataError: The file is missing, or a line or the balance of a kind is not as it should be.
    """
    lines = labelled_lines.read(
        path,
        _COLUMNS,
        kinds=KINDS,
        labels=LABELS,
        needed=" or ".join(LABELS),
        make=lambda kind, label, text: TypedReview(kind, label == "positive", text),
    )
    for kind in KINDS:
        counts = Counter(line.positive for line in lines if line.kind == kind)
        if not counts or counts[True] != counts[False]:
            raise DataError(
                f"{path.name} has {counts[True]} positive and {counts[False]} negative lines of the kind {kind}; "
                "as many of each are needed."
            )
    return lines


def sha256(lines: Iterable[TypedReview]) -> str:
    """Names the lines: of their kinds, labels and texts, whatever the file's line ends are."""
    return labelled_lines.sha256((line.kind, LABELS[line.positive], line.text) for line in lines)
