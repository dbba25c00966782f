"""Five sequence models, written from scratch, trained on real reviews, and opened up.

```python
import seqdemo

model = seqdemo.load("lstm")
model.predict_proba(["not bad at all"])  # P(positive), float32 (1,)
model.trace("not bad at all")            # every gate at every word
```
"""

from __future__ import annotations

import os
import pathlib
from typing import TYPE_CHECKING

from seqdemo.errors import (
    CheckpointCorruptError,
    CheckpointError,
    CheckpointMissingError,
    ConfigError,
    DataError,
    HubError,
    SeqdemoError,
    TextError,
    TraceError,
    TrainingError,
    UnknownModelError,
)
from seqdemo.models.registry import MODELS
from seqdemo.trace import SIGNALS, Trace

if TYPE_CHECKING:
    from seqdemo.checkpoints.classifier import Classifier

__all__ = [
    "MODELS",
    "PRETRAINED",
    "SIGNALS",
    "CheckpointCorruptError",
    "CheckpointError",
    "CheckpointMissingError",
    "ConfigError",
    "DataError",
    "HubError",
    "SeqdemoError",
    "TextError",
    "Trace",
    "TraceError",
    "TrainingError",
    "UnknownModelError",
    "load",
]

PRETRAINED = pathlib.Path(__file__).parent.parent / "pretrained"
"""The embedded checkpoints, one folder a model."""


def load(name: str | os.PathLike[str]) -> Classifier:
    """Loads a trained model.

    Args:
        name: A name in `MODELS` for the embedded checkpoint, or the path of a
            checkpoint folder that someone trained.

    Returns:
        The classifier, on the CPU.

    Raises:
        UnknownModelError: Neither a known name nor a folder; lists the known names.
        CheckpointMissingError: A file of the checkpoint is not there.
        CheckpointCorruptError: A file's contents are not what they should be.
    """
    from seqdemo.checkpoints import folder  # torch is imported when it is first needed

    if isinstance(name, str) and name in MODELS:
        return folder.load(PRETRAINED / name)
    if pathlib.Path(name).is_dir():
        return folder.load(name)
    raise UnknownModelError(
        f"There is no model and no folder called {os.fspath(name)!r}; known models are {', '.join(MODELS)}."
    )
