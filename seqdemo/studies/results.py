"""What was measured of each model, as tidy tables: accuracies and training curves.

Read from the JSON files of the embedded checkpoints, without torch, so that figures stand on
screen before any model is loaded. A file that is missing or damaged leaves gaps, never an
error: why a checkpoint cannot be used is the store's to say.
"""

from __future__ import annotations

import json
import math
import pathlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeGuard

import pandas as pd

from seqdemo import paths
from seqdemo.checkpoints import manifest
from seqdemo.errors import CheckpointError
from seqdemo.models.registry import MODELS
from seqdemo.studies.study import listed, path_of

if TYPE_CHECKING:
    from seqdemo.checkpoints.classifier import Classifier

BASELINE = "bag_of_words"
BASELINE_LABEL = "Bag of words"
BASELINE_SUMMARY = "Counts words and pairs of neighbouring words, and knows nothing else of their order."


def accuracies(models: Mapping[str, Classifier] | None = None, folder: pathlib.Path | None = None) -> pd.DataFrame:
    """The test accuracy of the five models and of the baseline, in the registry's order.

    Args:
        models: Those in use; the others are read from their folders.
        folder: Where the embedded checkpoints are.

    Returns:
        One row each, with `name`, `model` (its label), `summary`, `parameters` and
        `test_n` (Int64), and `test_accuracy`, `low`, `high` (from 0 to 1; the 95 % interval).
        What was not measured is missing.
    """
    models, folder = models or {}, folder or paths.PRETRAINED
    rows = []
    for name, spec in MODELS.items():
        metrics = models[name].metrics if name in models else _read(folder / name / "metrics.json")
        rows.append({"name": name, "model": spec.label, "summary": spec.summary, **_figures(metrics)})
    baseline = _read(path_of(BASELINE, folder / "studies"))
    summary = str(baseline.get("summary", BASELINE_SUMMARY))
    rows.append({"name": BASELINE, "model": BASELINE_LABEL, "summary": summary, **_figures(baseline)})
    return pd.DataFrame(rows).astype({"parameters": "Int64", "test_n": "Int64"})


def training_curves(models: Mapping[str, Classifier] | None = None, folder: pathlib.Path | None = None) -> pd.DataFrame:
    """Validation accuracy after each epoch.

    Args:
        models: Those in use; the others are read from their folders.
        folder: Where the embedded checkpoints are.

    Returns:
        One row for each model and epoch, with `name`, `model` (its label), `epoch`,
        `validation_accuracy` (from 0 to 1), and `best`, true for the epoch with the highest.
    """
    models, folder = models or {}, folder or paths.PRETRAINED
    rows = []
    for name, spec in MODELS.items():
        history = models[name].history if name in models else _read(folder / name / "history.json", [])
        entries = [entry for entry in history if isinstance(entry, Mapping)]
        found = [(entry.get("epoch"), entry.get("validation_accuracy")) for entry in entries]
        points = [(int(epoch), float(a)) for epoch, a in found if _is_number(epoch) and _is_number(a)]
        best = max(points, key=lambda point: (point[1], -point[0]), default=None)  # the first, where two are equal
        for epoch, accuracy in points:
            point = {"epoch": epoch, "validation_accuracy": accuracy, "best": (epoch, accuracy) == best}
            rows.append({"name": name, "model": spec.label, **point})
    return pd.DataFrame(rows, columns=["name", "model", "epoch", "validation_accuracy", "best"])


def accuracy_finding(table: pd.DataFrame) -> str:
    """The best of the five against the baseline; models within the interval of the best one share the lead."""
    measured = {row["name"]: row for row in table.dropna(subset=["test_accuracy"]).to_dict("records")}
    baseline = measured.pop(BASELINE, None)
    if not measured:
        return "Five models read the same film review"
    best = max(measured.values(), key=lambda row: row["test_accuracy"])
    least = best["test_accuracy"] if math.isnan(best["low"]) else best["low"]
    leaders = [f"the {row['model']}" for row in measured.values() if row["test_accuracy"] >= least]
    worst = min(row["test_accuracy"] for row in measured.values() if row["test_accuracy"] >= least)
    shares = list(dict.fromkeys([_per_cent(worst), _per_cent(best["test_accuracy"])]))
    reached = f"{' to '.join(shares)} of film reviews right"
    if len(leaders) == 1:
        finding = f"The best of {_count(len(measured))} models, {leaders[0]}, gets {reached}"
    else:
        finding = f"Of {_count(len(measured))} models {listed(leaders)} lead together, with {reached}"
    if baseline is None:
        return finding
    return f"{finding}; counting words and word pairs gets {_per_cent(baseline['test_accuracy'])}"


def training_finding(curves: pd.DataFrame) -> str:
    """Which models were done first and which last, as a sentence; those of the same epoch are named together."""
    best = [row for row in curves.to_dict("records") if row["best"]]
    if not best:
        return "How the models learned"
    first, last = min(row["epoch"] for row in best), max(row["epoch"] for row in best)
    if first == last:
        return f"Best after {_epochs(first)}"
    early, late = ([f"the {row['model']}" for row in best if row["epoch"] == epoch] for epoch in (first, last))
    was = "was at its" if len(early) == 1 else "were at their"
    sentence = f"{listed(early)} {was} best after {_epochs(first)}, {listed(late)} after {last}"
    return sentence[0].upper() + sentence[1:]


def _figures(metrics: Mapping[str, Any]) -> dict[str, Any]:
    interval = metrics.get("test_interval")
    low, high = interval if isinstance(interval, list) and len(interval) == 2 else (None, None)
    return {
        "parameters": _number(metrics.get("parameters"), None),
        "test_n": _number(metrics.get("test_n"), None),
        "test_accuracy": _number(metrics.get("test_accuracy"), math.nan),
        "low": _number(low, math.nan),
        "high": _number(high, math.nan),
    }


def _number(value: Any, otherwise: Any) -> Any:
    return value if _is_number(value) else otherwise


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _read(path: pathlib.Path, otherwise: Any = None) -> Any:
    """JSON of the same kind as `otherwise`, or `otherwise` itself."""
    otherwise = {} if otherwise is None else otherwise
    try:
        found = json.loads(manifest.read_text(path))
    except (OSError, ValueError, CheckpointError):
        return otherwise
    return found if isinstance(found, type(otherwise)) else otherwise


def _count(n: int) -> str:
    return {1: "one", 2: "two", 3: "three", 4: "four", 5: "five"}.get(n, str(n))


def _epochs(n: int) -> str:
    return f"{n} epoch" if n == 1 else f"{n} epochs"


def _per_cent(share: float) -> str:
    return f"{100 * share:.1f}\u00a0%"
