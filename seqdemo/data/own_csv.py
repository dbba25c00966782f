"""A visitor's own texts to train on: any table with a column of texts and one of labels.

```python
table = tables.read(content, "reviews.xlsx")
columns = TwoColumns.of(table, text_column, label_column)   # what they hold
choice = columns.proposed()                                 # which labels are learned, and as what
found = columns.labelled(choice)                            # the texts, ready to be trained on
own_csv.written(found)                                      # as a run keeps them; `parse` reads back what was chosen
```
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from seqdemo.data import labels, tables
from seqdemo.data.imdb import Reviews
from seqdemo.data.labels import Label
from seqdemo.data.review_table import has_words
from seqdemo.data.tables import Table
from seqdemo.errors import DataError

MAX_ROWS = 20_000
"""Texts that are trained on."""
MAX_LABELS = 10
MIN_ROWS = 20
MIN_OF_EACH = 5
_MOST_LABELS = 200
"""A column with more different cells holds no labels."""
_KEPT = b'{"seqdemo": "labelled texts"'
"""What the file of a run begins with."""

Which = Literal["first", "random"]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Which labels are learned, and as what.

    Attributes:
        classes: Names of the classes; of two, the positive one last.
        class_of: Key of a label → its class; labels that are not here are left out.
        is_sure: Whether it is known which of two classes is the positive one.
    """

    classes: tuple[str, ...]
    class_of: Mapping[str, int]
    is_sure: bool = True


@dataclass(frozen=True, kw_only=True)
class LabelledTexts:
    """Texts that a model can be trained on.

    Attributes:
        texts: One of each row that is used.
        labels: Which class each is, int64 (n,).
        classes: Their names; of two, the positive one last.
        left_out: What rows lack, in words → how many of them were left out.
    """

    texts: Sequence[str]
    labels: npt.NDArray[np.int64]
    classes: tuple[str, ...]
    left_out: Mapping[str, int]

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
        """What will be learned, in a few sentences: which label is the positive one, and what is left out."""
        rows = {name: f"{n:,} {'row' if n == 1 else 'rows'}" for name, n in self.counts.items()}
        if len(self.classes) == 2:
            negative, positive = (labels.short(name) for name in self.classes)
            first, second = rows.values()
            said = f"“{positive}” is read as positive: {second}. “{negative}” is read as negative: {first}."
        else:
            each = ", ".join(f"“{labels.short(name)}” {n}" for name, n in rows.items())
            said = f"{len(self):,} texts with {len(self.classes)} labels: {each}."
        left_out = [f"{n:,} {'row' if n == 1 else 'rows'} {why}" for why, n in self.left_out.items() if n]
        return said + (f" Left out: {'; '.join(left_out)}." if left_out else "")

    def preview(self, n: int = 5) -> list[tuple[str, str]]:
        """The first rows, each a text and its label as understood."""
        return [(text, self.classes[label]) for text, label in zip(self.texts[:n], self.labels[:n], strict=True)]


@dataclass(frozen=True, kw_only=True)
class TwoColumns:
    """What the two chosen columns of a table hold.

    Attributes:
        texts: The cells with the texts.
        keys: The key of each row's label (`labels.key_of`), empty where there is none.
        found: The labels by key, in order.
    """

    texts: Sequence[str]
    keys: Sequence[str]
    found: Mapping[str, Label]

    @classmethod
    def of(cls, table: Table, text_column: int | None, label_column: int | None) -> TwoColumns:
        """Reads the two columns.

        Raises:
            DataError: A column is missing, they are one, or the one for labels holds none; all that is wrong is said.
        """
        wrong = []
        if text_column is None:
            wrong.append("No column of this table holds words; one with a text in each row is needed.")
        if label_column is None:
            names = ", ".join(f"“{labels.short(name)}”" for name in table.columns[:8])
            wrong.append(f"Which column holds the labels? This table has {names}.")
        elif label_column == text_column:
            wrong.append("The texts and their labels stand in two columns; choose another one for the labels.")
        if text_column is None or label_column is None or wrong:
            raise DataError(" ".join(wrong))
        cells = table.column(label_column)
        found = labels.gather(cells)
        if len(found) > _MOST_LABELS:
            some = labels.in_words(found, list(found)[:4])
            raise DataError(
                f"The column “{labels.short(table.columns[label_column])}” holds {len(found):,} different values "
                f"({some} …), so these are no labels. Choose another column."
            )
        return cls(texts=table.column(text_column), keys=[labels.key_of(cell) for cell in cells], found=found)

    @property
    def frequent(self) -> list[str]:
        """Keys of the labels that stand in enough rows to be learned, the ten most frequent ones, in order."""
        enough = [key for key, label in self.found.items() if label.n >= MIN_OF_EACH]
        most = sorted(enough, key=lambda key: -self.found[key].n)[:MAX_LABELS]
        return [key for key in enough if key in most]

    def groups(self) -> dict[str, int] | None:
        """How the labels can be taken as negative (0) and positive (1), where they are more than two."""
        enough = [key for key, label in self.found.items() if label.n >= MIN_OF_EACH]
        return labels.two_groups(enough) if len(enough) > 2 else None

    def proposed(self, positive: str | None = None) -> Choice:
        """What is learned if nobody says otherwise: two answers where the labels can be taken so, else all of them.

        Args:
            positive: The positive one of two labels, where someone said which.

        Raises:
            DataError: There are too few labels, or none of that name.
        """
        if positive is None and (groups := self.groups()) is not None:
            return self.grouped(groups)
        return self.chosen(self.frequent, positive)

    def grouped(self, groups: Mapping[str, int]) -> Choice:
        """Several labels as one class: `negative (1, 2)` and `positive (4, 5)`."""

        def named(side: str, which: int) -> str:
            names = [labels.short(self.found[key].name) for key in groups if groups[key] == which]
            return names[0] if len(names) == 1 else f"{side} ({', '.join(names)})"

        return Choice(classes=(named("negative", 0), named("positive", 1)), class_of=dict(groups))

    def chosen(self, keys: Sequence[str], positive: str | None = None) -> Choice:
        """The labels as they are.

        Args:
            keys: Of those that are learned.
            positive: The positive one of two, where someone said which; any spelling of it.

        Raises:
            DataError: They are too few or too many, one is too rare, or none has that name.
        """
        wrong = []
        known = f"The labels are {labels.in_words(self.found, list(self.found)[:8]) or 'none'}"
        if len(keys) < 2:
            wrong.append(f"Two to ten labels are needed, each in at least {MIN_OF_EACH} rows. {known}.")
        if len(keys) > MAX_LABELS:
            wrong.append(f"{len(keys)} labels are chosen; two to ten can be learned.")
        for rare in [self.found[key] for key in keys if self.found[key].n < MIN_OF_EACH]:
            rows = f"{rare.n} {'row' if rare.n == 1 else 'rows'}"
            wrong.append(f"“{labels.short(rare.name)}” stands in {rows}; a label needs at least {MIN_OF_EACH}.")
        yes = None if positive is None else labels.key_of(positive)
        if yes is not None and yes not in keys:
            wrong.append(f"“{labels.short(positive or '')}” is none of the labels. {known}.")
        if wrong:
            raise DataError(" ".join(wrong))
        ordered = [key for key in self.found if key in keys]
        if len(ordered) == 2:
            yes = yes or labels.positive_of(ordered)
            if yes is not None:
                ordered.sort(key=lambda key: key == yes)
        names = _told_apart([self.found[key].name for key in ordered])
        class_of = {key: place for place, key in enumerate(ordered)}
        return Choice(classes=names, class_of=class_of, is_sure=len(ordered) > 2 or yes is not None)

    def labelled(self, choice: Choice, which: Which = "random", seed: int = 0) -> LabelledTexts:
        """The rows that can be trained on.

        Args:
            choice: Which labels, and as what.
            which: Of more than `MAX_ROWS` rows, the first ones or as many at random; many files are sorted by label.
            seed: Start of that chance.

        Raises:
            DataError: They are too few.
        """
        rows = [row for row, key in enumerate(self.keys) if key in choice.class_of]
        too_many = max(0, len(rows) - MAX_ROWS)
        if too_many:
            rows = rows[:MAX_ROWS] if which == "first" else sorted(random.Random(seed).sample(rows, MAX_ROWS))
        n_chosen = len(rows)
        rows = [row for row in rows if has_words(self.texts[row])]
        of_class = np.array([choice.class_of[self.keys[row]] for row in rows], dtype=np.int64)
        counts = np.bincount(of_class, minlength=len(choice.classes))
        wrong = []
        if len(rows) < MIN_ROWS:
            wrong.append(f"{len(rows)} rows hold a text and a label that is learned; at least {MIN_ROWS} are needed.")
        for name, n in zip(choice.classes, counts, strict=True):
            if n < MIN_OF_EACH:
                wrong.append(f"“{labels.short(name)}” has {n} rows with words; at least {MIN_OF_EACH} are needed.")
        if wrong:
            raise DataError(" ".join(wrong))
        others = [key for key in self.found if key not in choice.class_of]
        some = f"{labels.in_words(self.found, others[:4])}{' …' if len(others) > 4 else ''}"
        return LabelledTexts(
            texts=[self.texts[row] for row in rows],
            labels=of_class,
            classes=choice.classes,
            left_out={
                "without a word": n_chosen - len(rows),
                "without a label": self.keys.count(""),
                f"with another label ({some})": sum(self.found[key].n for key in others),
                f"beyond the {'first' if which == 'first' else 'random'} {MAX_ROWS:,}": too_many,
            },
        )


def parse(content: bytes, file_name: str = "data.csv", *, positive: str | None = None) -> LabelledTexts:
    """Reads a table of which nobody chose anything, or one that `written` made, as it was chosen.

    Args:
        content: The file, of any kind that `tables.read` takes.
        file_name: What it is called.
        positive: Which of two labels is the positive one, where someone said so.

    Returns:
        The texts and labels.

    Raises:
        DataError: They cannot be trained on, or nobody can know which label is the positive one.
    """
    if content.startswith(_KEPT):
        return _kept(content)
    table = tables.read(content, file_name)
    columns = TwoColumns.of(table, table.text_column, table.label_column)
    choice = columns.proposed(positive)
    if not choice.is_sure:
        one, other = choice.classes
        raise DataError(
            f"Which label is the positive one, “{labels.short(one)}” or “{labels.short(other)}”? Say so (--positive)."
        )
    return columns.labelled(choice)


def written(found: LabelledTexts) -> bytes:
    """The texts as a run keeps them, from which `parse` makes the same."""
    whole = {
        "seqdemo": "labelled texts",
        "classes": found.classes,
        "left_out": dict(found.left_out),
        "labels": found.labels.tolist(),
        "texts": list(found.texts),
    }
    return json.dumps(whole).encode()


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


def _kept(content: bytes) -> LabelledTexts:
    """What `written` wrote.

    Raises:
        DataError: Someone changed it.
    """
    try:
        whole = json.loads(content)
        found = LabelledTexts(
            texts=[str(text) for text in whole["texts"]],
            labels=np.array(whole["labels"], dtype=np.int64),
            classes=tuple(str(name) for name in whole["classes"]),
            left_out=whole["left_out"],
        )
        fits = len(found.texts) == len(found.labels) and set(found.labels.tolist()) == set(range(len(found.classes)))
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise DataError("The texts of this run are damaged.") from error
    if not fits:
        raise DataError("The texts of this run are damaged.")
    return found


def _told_apart(names: Sequence[str]) -> tuple[str, ...]:
    """Names of classes; two labels can have one spelling where only their key tells them apart."""
    found: list[str] = []
    for name in names:
        found.append(name if name not in found else f"{name} ({found.count(name) + 1})")
    return tuple(found)
