"""What a study is, and how its result is kept: one JSON file with the checkpoints that it was measured on.

A study measures something over many reviews or tasks. `python -m seqdemo study NAME` reruns it.
Its result names the sha256 of every checkpoint, so that figures of other weights are never shown
as these weights' own. Reading results needs no torch.
"""

from __future__ import annotations

import json
import pathlib
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from seqdemo import paths
from seqdemo.checkpoints import manifest
from seqdemo.errors import CheckpointError

FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What a study may use.

    Attributes:
        models: Name → the checkpoint to measure; empty for a study that needs none.
        data: A local folder of the film reviews; `SEQDEMO_IMDB` or the Hub where None.
        limit: Reviews or tasks to use at most; None for the study's own number.
        say: Called with a line about what is going on.
    """

    models: Mapping[str, Any]
    data: str | None = None
    limit: int | None = None
    say: Callable[[str], None] = lambda _: None


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """What a study found, as plain values that JSON can hold.

    Attributes:
        n: How many reviews, texts or tasks it rests on.
        seed: Start of all chance; None where there is none.
        settings: All else that another run needs to find the same.
        results: The figures; no text of a review.
    """

    n: int
    seed: int | None
    settings: Mapping[str, Any]
    results: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Study:
    """One measurement that anyone can run again.

    Attributes:
        name: Its name on the command line, and of its file.
        question: What it answers, in one sentence.
        measure: Does it.
        of: The kind of checkpoint that it measures; None where it measures none.
    """

    name: str
    question: str
    measure: Callable[[Inputs], Measurement]
    of: Literal["classifier", "language model"] | None = "classifier"


@dataclass(frozen=True, kw_only=True)
class Stored(Measurement):
    """A measurement as it is kept.

    Attributes:
        study: The study's name.
        checkpoints: Model name → sha256 of the weights that were measured.
        versions: Of what it was computed with.
    """

    study: str
    checkpoints: Mapping[str, str]
    versions: Mapping[str, str] = field(default_factory=dict)

    def measured_on(self, name: str, sha256: str) -> bool:
        """Whether these are figures of this model with these weights."""
        return self.checkpoints.get(name) == sha256

    def holds_for(self, name: str, weights: Mapping[str, str] | None) -> bool:
        """Whether this model's figures may be shown.

        Args:
            name: The model.
            weights: Model name → sha256 of the weights in use; of a model that is not loaded nothing is known, and
                nothing speaks against its figures.
        """
        return not weights or name not in weights or self.measured_on(name, weights[name])


def path_of(name: str, folder: pathlib.Path | None = None) -> pathlib.Path:
    """Where a study's result stands: `pretrained/studies/NAME.json`."""
    return (folder or paths.PRETRAINED / "studies") / f"{name}.json"


def read(name: str, folder: pathlib.Path | None = None) -> Stored | None:
    """A stored result.

    Args:
        name: The study's name.
        folder: Where results are; those shipped by default.

    Returns:
        The result, or None where there is none that can be read.
    """
    try:
        found = json.loads(manifest.read_text(path_of(name, folder)))
        if found.pop("format") != FORMAT or found["study"] != name:
            return None
        return Stored(**found)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, CheckpointError):
        return None


def write(path: pathlib.Path, study: Study, measurement: Measurement, models: Mapping[str, Any]) -> Stored:
    """Keeps a result.

    Args:
        path: The file.
        study: What was measured.
        measurement: What was found.
        models: The checkpoints that were measured.

    Returns:
        What was written.
    """
    import numpy as np
    import torch

    stored = Stored(
        study=study.name,
        checkpoints={name: model.sha256 for name, model in models.items()},
        versions={"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__},
        **asdict(measurement),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"format": FORMAT, **asdict(stored)}, indent=1, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")
    manifest.follow(path.parent, path.name)
    return stored


def rounded(value: float, digits: int = 4) -> float:
    """A figure with so many significant digits, for files that people read."""
    return float(f"{value:.{digits}g}")


def listed(names: Sequence[str]) -> str:
    """Names as a sentence has them: `a, b and c`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
