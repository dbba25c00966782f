"""What a visitor wants to train: one to four runs that share all settings but the model and at most one other.

A plan is what the form holds and what a link carries; a preset is one, too.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seqdemo.data.tasks import MADE_UP
from seqdemo.errors import ConfigError
from seqdemo.models.registry import MODELS
from seqdemo.training.settings import BOUNDS, CHOICES, FIELDS, OWN_WORDS, PRESETS, TASK_LABELS, RunSettings
from seqdemo.ui.shared import address

MAX_RUNS = 4
IN_ADDRESS = (*(name for name in FIELDS if name != "model"), "models", "vary", "values")
"""The entries of an address that carry a plan."""
_MAX_SHOWN = 40
LABELS: Mapping[str, str] = {
    "length": "Length",
    "distance": "Words after the opinion",
    "negation": "Share of negated opinions",
    "noise": "Share of wrong labels",
    "samples": "Reviews",
    "d_hidden": "Hidden size",
    "n_layers": "Layers",
    "dropout": "Dropout",
    "d_embed": "Embedding size",
    "readout": "Readout",
    "recurrent_init": "Start of W_hh",
    "forget_bias": "Forget bias of an LSTM",
    "update_bias": "Update bias of a GRU",
    "learning_rate": "Learning rate",
    "batch_size": "Batch",
    "clip_norm": "Clip gradients at (0: never)",
    "epochs": "Epochs",
    "patience": "Stop early after (0: never)",
    "schedule": "Schedule",
    "optimiser": "Optimiser",
    "seed": "Seed",
    "device": "Device",
    "precision": "Precision",
}
"""Every setting but task and model, as the form calls it."""
WORDS: Mapping[str, Mapping[object, str]] = {
    "readout": {"last": "last state", "mean": "mean of all", "max": "maximum of all", "mean+max": "mean and maximum"},
    "recurrent_init": {"orthogonal": "orthogonal", "default": "torch's uniform"},
    "schedule": {"constant": "constant", "cosine": "down a cosine", "plateau": "halved when stuck"},
    "optimiser": {"adamw": "AdamW", "sgd": "SGD with momentum"},
}
"""Choices in words, where their names are none."""
_SHORT: Mapping[str, str] = {
    "d_hidden": "{} units",
    "d_embed": "word vectors of {}",
    "dropout": "dropout {}",
    "n_layers": "{} layers",
    "length": "length {}",
    "distance": "distance {}",
    "negation": "{} negated",
    "noise": "{} wrong labels",
    "samples": "{} reviews",
    "forget_bias": "forget bias {}",
    "update_bias": "update bias {}",
    "learning_rate": "rate {}",
    "batch_size": "batch {}",
    "epochs": "{} epochs",
    "patience": "patience {}",
    "seed": "seed {}",
}
_PREFERRED = ("task", "clip_norm", "readout")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One to four runs.

    Attributes:
        base: The settings that all runs share; its model is the first one.
        models: Names of the models, in the registry's order.
        vary: A further setting in which runs differ, or empty.
        values: Its values.
    """

    base: RunSettings
    models: tuple[str, ...]
    vary: str = ""
    values: tuple[Any, ...] = ()

    def runs(self) -> list[RunSettings]:
        """The settings of each run.

        Raises:
            ConfigError: There is none, there are more than four, or one cannot be run; a sentence.
        """
        if not self.models:
            raise ConfigError("Choose at least one model.")
        if self.vary and len(self.values) < 2:
            raise ConfigError(f"{LABELS[self.vary]}: name at least two values, for example 0, 1.")
        n = len(self.models) * max(1, len(self.values) if self.vary else 1)
        if n > MAX_RUNS:
            raise ConfigError(f"These are {n} runs; up to {MAX_RUNS} can be compared. Take fewer models or values.")
        values: Sequence[Any] = self.values if self.vary else (None,)
        runs = []
        for model, value in itertools.product(self.models, values):
            changed: dict[str, Any] = {self.vary: value} if self.vary else {}
            runs.append(dataclasses.replace(self.base, model=model, **changed))
        return runs

    def words(self) -> dict[str, str]:
        """What a link carries: the settings that are not the default, the models, and what differs."""
        found = {name: f"{value}" for name, value in self.base.changed().items() if name not in {"model", self.vary}}
        found["models"] = ",".join(self.models)
        if self.vary:
            found |= {"vary": self.vary, "values": ",".join(f"{value}" for value in self.values)}
        return found


def from_query(query: Mapping[str, str]) -> Plan | None:
    """The plan that a link carries, or None where it carries none.

    Raises:
        ConfigError: A value cannot be used; a sentence.
    """
    words = {name: word for name, word in query.items() if name in IN_ADDRESS}
    if not set(words) - {"values"}:
        return None
    wanted = {name.strip() for name in words.pop("models", "").split(",") if name.strip()}
    if unknown := sorted(wanted - set(MODELS)):
        raise ConfigError(f"There is no model called {_quoted(unknown[0])}; known are {', '.join(MODELS)}.")
    models = tuple(name for name in MODELS if name in wanted) or ("rnn", "lstm")
    vary, values = words.pop("vary", ""), words.pop("values", "")
    if vary and vary not in LABELS:
        raise ConfigError(f"There is no setting called {_quoted(vary)} that runs could differ in.")
    base = RunSettings(model=models[0], **{name: _value(name, word) for name, word in words.items()})
    return Plan(base=base, models=models, vary=vary, values=parse_values(vary, values))


def parse_values(name: str, text: str) -> tuple[Any, ...]:
    """Reads several values of a setting from one line, separated by commas.

    Raises:
        ConfigError: One of them is not allowed.
    """
    if not name:
        return ()
    words = filter(None, (part.strip() for part in text.split(",")))
    return tuple(dict.fromkeys(_value(name, word) for word in words))


def _value(name: str, word: str) -> Any:
    """The value of a setting that came as text."""
    label = LABELS.get(name, "Task")
    if name in CHOICES:
        if word not in CHOICES[name]:
            raise ConfigError(f"{label} is one of {', '.join(CHOICES[name])}; got {_quoted(word)}.")
        return word
    kind, (low, high) = FIELDS[name], BOUNDS[name]
    value = address.as_integer(word) if kind is int else address.as_number(word)
    if value is None:
        raise ConfigError(f"{label}: {_quoted(word)} is no {'whole ' if kind is int else ''}number.")
    if not low <= value <= high:
        raise ConfigError(f"{label} is from {low:,} to {high:,}; got {word[:_MAX_SHOWN]}.")
    return value


def _quoted(word: str) -> str:
    return repr(word if len(word) <= _MAX_SHOWN else f"{word[:_MAX_SHOWN]}…")


def of_preset(name: str) -> Plan:
    """A preset as a plan; every preset is a product of models and one setting."""
    runs = PRESETS[name].runs
    models = tuple(model for model in MODELS if any(run.model == model for run in runs))
    vary = next((field for field in _differing(runs) if field != "model"), "")
    values = tuple(dict.fromkeys(getattr(run, vary) for run in runs)) if vary else ()
    return Plan(base=dataclasses.replace(runs[0], model=models[0]), models=models, vary=vary, values=values)


def run_labels(runs: Sequence[RunSettings], names: Sequence[str] = ()) -> list[str]:
    """What to call runs that stand side by side: the model, and in what else they differ.

    Args:
        runs: Their settings.
        names: Under which they were saved, or empty.

    Returns:
        One label each, no two alike.
    """
    fields = [field for field in _differing(runs) if field != "model"]
    found: list[str] = []
    for index, run in enumerate(runs):
        own = names[index] if index < len(names) else ""
        parts = [own] if own else [MODELS[run.model].label, *(short(field, getattr(run, field)) for field in fields)]
        label = ", ".join(parts)
        again = sum(other == label or other.startswith(f"{label} (") for other in found)
        found.append(f"{label} ({again + 1})" if again else label)
    return found


def short(name: str, value: Any) -> str:
    """A setting with its value, in two or three words."""
    if name == "task":
        return TASK_LABELS[str(value)]
    if name == "clip_norm":
        return f"clipping at {value:g}" if value else "clipping off"
    shown = WORDS.get(name, {}).get(value, value)
    if isinstance(shown, float):
        shown = f"{shown:g}"
    elif isinstance(shown, int):
        shown = f"{shown:,}" if name != "seed" else f"{shown}"
    return _SHORT.get(name, "{}").format(shown)


def settings_that_count(task: str) -> tuple[str, ...]:
    """The settings that say what the sequences of a task are."""
    if task in MADE_UP:
        return ("length",)
    return {
        "synthetic": ("distance", "negation", "noise", "samples"),
        "imdb": ("samples", "length"),
        "own": ("length",),
        OWN_WORDS: ("length",),
    }[task]


def _differing(runs: Sequence[RunSettings]) -> list[str]:
    """The settings in which runs differ, and that count for their tasks, the telling ones first."""
    fields = [*_PREFERRED, *(name for name in FIELDS if name not in _PREFERRED)]
    of_data = {"length", "distance", "negation", "noise", "samples"}
    counted = {name for run in runs for name in settings_that_count(run.task)}
    return [
        name
        for name in fields
        if (name not in of_data or name in counted) and len({getattr(run, name) for run in runs}) > 1
    ]
