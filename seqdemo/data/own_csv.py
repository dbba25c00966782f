"""A visitor's own texts to train on: a CSV with the columns `text` and `label`."""

from __future__ import annotations

import collections
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seqdemo.data import tables
from seqdemo.data.imdb import Reviews
from seqdemo.errors import DataError
from seqdemo.text import tokenize

MAX_BYTES = tables.MAX_BYTES
MAX_ROWS = 20_000
MAX_LABELS = 10
MIN_ROWS = 20
MIN_OF_EACH = 5
# Of two labels the one that says yes is the positive class, whatever the alphabet says.
_POSITIVE = {"1", "pos", "positive", "true", "yes", "good", "praise"}


@dataclass(frozen=True, kw_only=True)
class LabelledTexts:
    """A CSV that a model can be trained on.

    Attributes:
        texts: One of each row that is used.
        labels: Which class each is, int64 (n,).
        classes: The labels as they stand in the file; of two, the positive one last.
        without_words: Rows left out because their text holds no word.
        without_label: Rows left out because their label is empty.
        described: What the file is, in a few words.
    """

    texts: Sequence[str]
    labels: npt.NDArray[np.int64]
    classes: tuple[str, ...]
    without_words: int
    without_label: int
    described: str

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def counts(self) -> dict[str, int]:
        """Rows of each class."""
        return {name: int((self.labels == index).sum()) for index, name in enumerate(self.classes)}

    @property
    def reviews(self) -> Reviews:
        """Texts and labels alone."""
        return Reviews(self.texts, self.labels)

    def summary(self) -> str:
        """What was understood, in a sentence or two."""
        counts = ", ".join(f"“{_short(name)}” {count:,}" for name, count in self.counts.items())
        left_out = [
            f"{count:,} {'row' if count == 1 else 'rows'} without {what}"
            for count, what in ((self.without_words, "a word"), (self.without_label, "a label"))
            if count
        ]
        return f"{len(self):,} texts, {len(self.classes)} labels: {counts}. {self.described}." + (
            f" Left out: {' and '.join(left_out)}." if left_out else ""
        )

    def preview(self, n: int = 5) -> list[tuple[str, str]]:
        """The first rows, each a text and its label as understood."""
        return [(text, self.classes[label]) for text, label in zip(self.texts[:n], self.labels[:n], strict=True)]


def parse(content: bytes, file_name: str = "table.csv") -> LabelledTexts:
    """Reads a table and checks that a model can be trained on it.

    Args:
        content: Any table that `tables.read` reads, with at most 20,000 rows, one column of texts and one of labels,
            two to ten different ones.
        file_name: What the visitor calls it.

    Returns:
        The rows that hold a word and a label.

    Raises:
        DataError: It cannot be used; the sentence says what was found and what is needed.
    """
    table = tables.read(content, file_name)
    if table.text_column is None or table.label_column is None:
        what = "texts, such as “text”" if table.text_column is None else "labels, such as “label”"
        raise DataError(f"This table has no column of {what}; its columns are {_listed(table.columns)}.")
    if len(table) > MAX_ROWS:
        raise DataError(f"This table has {len(table):,} rows; at most {MAX_ROWS:,} can be trained on.")
    texts, names = [], []
    without_words = without_label = 0
    for row in table.rows:
        text, name = row[table.text_column], row[table.label_column].strip()
        if not tokenize(text):
            without_words += 1
        elif not name:
            without_label += 1
        else:
            texts.append(text)
            names.append(name)
    counts = collections.Counter(names)
    _check(counts)
    classes = tuple(sorted(counts, key=lambda name: (len(counts) == 2 and name.lower() in _POSITIVE, _in_order(name))))
    places = {name: index for index, name in enumerate(classes)}
    return LabelledTexts(
        texts=texts,
        labels=np.array([places[name] for name in names], dtype=np.int64),
        classes=classes,
        without_words=without_words,
        without_label=without_label,
        described=table.described(),
    )


def split(
    labels: npt.NDArray[np.int64], seed: int = 0
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Divides rows at random, each class alike: a tenth for validation, a tenth for the test, the rest for training.

    Args:
        labels: Classes, (n,), each at least `MIN_OF_EACH` times.
        seed: Start of all chance.

    Returns:
        Training, validation and test rows, each in order.
    """
    rng = np.random.default_rng(seed)
    training, validation, test = [], [], []
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        n = max(1, len(rows) // 10)
        validation.append(rows[:n])
        test.append(rows[n : 2 * n])
        training.append(rows[2 * n :])
    return np.sort(np.concatenate(training)), np.sort(np.concatenate(validation)), np.sort(np.concatenate(test))


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(f"“{_short(column)}”" for column in columns[:8])


def _check(counts: collections.Counter[str]) -> None:
    n = counts.total()
    if n < MIN_ROWS:
        raise DataError(f"This CSV has {n} rows with a text and a label; at least {MIN_ROWS} are needed.")
    if len(counts) == 1:
        raise DataError(f"Every row has the label “{_short(next(iter(counts)))}”; two to ten labels are needed.")
    if len(counts) > MAX_LABELS:
        some = ", ".join(f"“{_short(name)}”" for name, _ in counts.most_common(4))
        raise DataError(
            f"The column label holds {len(counts):,} different labels ({some} …); two to ten are needed. "
            "Are numbers on a scale meant? Then put them into a few groups first."
        )
    rare = [name for name, count in counts.items() if count < MIN_OF_EACH]
    if rare:
        raise DataError(
            f"The label “{_short(rare[0])}” has {counts[rare[0]]} {'row' if counts[rare[0]] == 1 else 'rows'}; "
            f"each label needs at least {MIN_OF_EACH}."
        )


def _in_order(name: str) -> tuple[bool, float, str]:
    """Numbers by their size, before words by the alphabet."""
    try:
        return False, float(name), name
    except ValueError:
        return True, 0.0, name


def _short(name: str) -> str:
    return name if len(name) <= 40 else name[:39] + "…"
