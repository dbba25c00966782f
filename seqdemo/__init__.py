"""Five sequence models, written from scratch, trained on real reviews, and opened up.

```python
import seqdemo

model = seqdemo.load("lstm")
model.predict_proba(["not bad at all"])  # P(positive), float32 (1,)
model.trace("not bad at all")            # every gate at every word

seqdemo.load_language_model("gru").next_words("not bad at")  # the same layers, trained to foresee the next word
seqdemo.load_translator("dates-attention").translate("3 March 1987")
```
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from seqdemo.errors import (
    BusyError,
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
from seqdemo.paths import PRETRAINED
from seqdemo.trace import SIGNALS, Trace

if TYPE_CHECKING:
    from seqdemo.checkpoints.classifier import Classifier
    from seqdemo.checkpoints.language_model import LanguageModel
    from seqdemo.checkpoints.translator import Translator

__version__ = "1.0.0"

__all__ = [
    "MODELS",
    "PRETRAINED",
    "SIGNALS",
    "BusyError",
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
    "load_language_model",
    "load_translator",
]


def load(name: str | os.PathLike[str]) -> Classifier:
    """Loads a trained model that reads texts.

    Args:
        name: A name in `MODELS` for the embedded checkpoint, the path of a checkpoint folder that
            someone trained, or `owner/repository@revision` for one on the Hugging Face Hub, where
            `@revision` (a commit, a tag or a branch) may be missing unless a folder here has the owner's name.

    Returns:
        The classifier, on the CPU.

    Raises:
        UnknownModelError: None of these; lists the known names.
        CheckpointMissingError: A file of the checkpoint is not there.
        CheckpointCorruptError: A file's contents are not what they should be, or it is another kind
            of model.
        HubError: The repository could not be fetched.
    """
    from seqdemo.checkpoints import find, folder  # torch is imported when it is first needed

    return folder.load(find.find(name, None))


def load_language_model(name: str | os.PathLike[str]) -> LanguageModel:
    """Loads a trained language model.

    Args:
        name: As for `load`; embedded are `lm-rnn`, `lm-gru`, `lm-lstm` and `lm-transformer`, which the names of their
            cells in `MODELS` stand for too.

    Returns:
        The language model, on the CPU.

    Raises:
        SeqdemoError: As for `load`.
    """
    from seqdemo.checkpoints import find, language_model

    return language_model.load(find.find(name, language_model.KIND))


def load_translator(name: str | os.PathLike[str]) -> Translator:
    """Loads a trained translator of dates.

    Args:
        name: As for `load`; embedded are `dates-attention` and `dates-plain`.

    Returns:
        The translator, on the CPU.

    Raises:
        SeqdemoError: As for `load`.
    """
    from seqdemo.checkpoints import find, translator

    return translator.load(find.find(name, translator.KIND))
