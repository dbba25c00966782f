"""How often each model is right on reviews as people type them, by kind."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from seqdemo.checkpoints import manifest
from seqdemo.data import typed_reviews
from seqdemo.data.typed_reviews import KINDS, TypedReview
from seqdemo.errors import CheckpointError
from seqdemo.models.registry import MODELS
from seqdemo.studies.results import BASELINE, BASELINE_LABEL
from seqdemo.studies.study import Inputs, Measurement, Stored, Study, path_of
from seqdemo.training.scores import accuracy_interval

ALL = "all"
ALL_LABEL = "All lines"
_COLUMNS = ("name", "model", "kind", "n", "right", "accuracy", "low", "high")

Counts = Mapping[str, Mapping[str, int]]
"""Kind → `n` lines, `right` answers, and how many were `called_positive`; half of each kind are positive."""


def measure(inputs: Inputs) -> Measurement:
    """Asks each model about every line; P(positive) of one half or more is the answer positive.

    Raises:
        DataError: The lines cannot be read.
    """
    lines = typed_reviews.load()
    results: dict[str, Any] = {}
    for name, model in inputs.models.items():
        probabilities = model.predict_proba([line.text for line in lines])
        results[name] = count(lines, [bool(p >= 0.5) for p in probabilities])
        for said in words(model.label, results[name]):
            inputs.say(said)
    return Measurement(
        n=len(lines),
        seed=None,
        settings={
            "lines": "a development set written for this project, kept out of training",
            "lines_sha256": typed_reviews.sha256(lines),
            "positive_from": 0.5,
        },
        results=results,
    )


STUDY = Study(
    name="typed_reviews",
    question="How often is each model right on reviews as people type them?",
    measure=measure,
)


def count(lines: Sequence[TypedReview], called_positive: Sequence[bool]) -> dict[str, dict[str, int]]:
    """Counts right answers by kind.

    Args:
        lines: What was asked.
        called_positive: The answer to each.

    Returns:
        As `Counts` says, for the kinds that the lines have.
    """
    found: dict[str, dict[str, int]] = {}
    for line, positive in zip(lines, called_positive, strict=True):
        counts = found.setdefault(line.kind, {"n": 0, "right": 0, "called_positive": 0})
        counts["n"] += 1
        counts["right"] += line.positive == positive
        counts["called_positive"] += positive
    return found


def words(label: str, counts: Counts) -> list[str]:
    """The counts as lines of a table in a terminal: accuracy, its 95 % interval, and n, for each kind and for all."""
    return [
        f"{row['model']:14}  {KINDS.get(row['kind'], ALL_LABEL):27}  {row['accuracy']:6.1%}  "
        f"({row['low']:.1%} to {row['high']:.1%})  n={row['n']}"
        for row in _rows("", label, counts)
    ]


def frame(
    stored: Stored | None, weights: Mapping[str, str] | None = None, baseline: Counts | None = None
) -> pd.DataFrame:
    """The stored result as a table.

    Args:
        stored: The result, or None.
        weights: Model name → sha256 of the weights in use; figures of other weights are left out.
        baseline: The counts of the bag of words; see `read_baseline`.

    Returns:
        One row for each model and kind, and for each model one of the kind `ALL`, with `name`, `model` (its label),
        `kind`, `n`, `right`, and `accuracy`, `low` and `high`, from 0 to 1: the share of right answers and its 95 %
        interval. Empty where the result is of other lines than those of today.
    """
    rows: list[dict[str, Any]] = []
    if stored is not None and stored.settings.get("lines_sha256") == typed_reviews.sha256(typed_reviews.load()):
        for name in (name for name in MODELS if name in stored.results):
            if stored.holds_for(name, weights):
                rows += _rows(name, MODELS[name].label, stored.results[name])
    if rows and baseline:
        rows += _rows(BASELINE, BASELINE_LABEL, baseline)
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def read_baseline(folder: pathlib.Path | None = None) -> Counts | None:
    """What `benchmarks/bag_of_words.py` counted on the same lines; None where it did not.

    Args:
        folder: Where results are; those shipped by default.
    """
    try:
        found = json.loads(manifest.read_text(path_of(BASELINE, folder)))["typed_reviews"]
        if found["lines_sha256"] != typed_reviews.sha256(typed_reviews.load()):
            return None
        return {kind: {key: int(counts[key]) for key in ("n", "right")} for kind, counts in found["counts"].items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError, CheckpointError):
        return None


def finding(table: pd.DataFrame) -> str:
    """What the models reach on all lines and on the kind that is hardest for them, as a sentence."""
    models = table[table["name"] != BASELINE]
    if models.empty:
        return "On lines written for this project"
    by_kind = models[models["kind"] != ALL].groupby("kind", sort=False)["accuracy"].mean()
    hardest = str(by_kind.idxmin())
    kind = KINDS[hardest][0].lower() + KINDS[hardest][1:]
    return (
        f"On lines written for this project, the models get {_from_to(models, ALL)} right; "
        f"the hardest kind is {kind}, {_from_to(models, hardest)}"
    )


def per_cent(share: float) -> int:
    """A share in whole per cents, a half upwards."""
    return int(100 * share + 0.5)


def uncertainty(table: pd.DataFrame) -> dict[int, int]:
    """Lines → half the width of the widest 95 % interval in points, for the kind with the fewest lines and for all."""
    widths = (table["high"] - table["low"]) / 2
    return {int(n): per_cent(widths[table["n"] == n].max()) for n in (table["n"].min(), table["n"].max())}


def _from_to(models: pd.DataFrame, kind: str) -> str:
    """The lowest and the highest accuracy on a kind, in whole per cents."""
    shares = models.loc[models["kind"] == kind, "accuracy"]
    low, high = per_cent(shares.min()), per_cent(shares.max())
    return f"{low}\u00a0%" if low == high else f"{low} to {high}\u00a0%"


def _rows(name: str, label: str, counts: Counts) -> list[dict[str, Any]]:
    total = {key: sum(part[key] for part in counts.values()) for key in ("n", "right")}
    with_total = {**{kind: counts[kind] for kind in KINDS if kind in counts}, ALL: total}
    rows = []
    for kind, part in with_total.items():
        n, right = part["n"], part["right"]
        low, high = accuracy_interval(right / n, n)
        rows.append(dict(zip(_COLUMNS, (name, label, kind, n, right, right / n, low, high), strict=True)))
    return rows
