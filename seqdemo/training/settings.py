"""What a visitor can set of a training run, its limits, its cost before the start, and presets that tell a story.

Imports no torch, so that a page can check settings and name a price while torch is still loading.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from seqdemo.data import own_words, synthetic
from seqdemo.data.tasks import MADE_UP
from seqdemo.errors import ConfigError
from seqdemo.models.registry import MODELS
from seqdemo.training.config import require_one_of

TEXT_TASKS: Mapping[str, str] = {
    "synthetic": "Made-up reviews",
    "imdb": "Film reviews",
    "own": "Your own texts",
}
"""Tasks on texts, with their names on screen."""
OWN_WORDS = "own_words"
"""The task to foretell the words of a visitor's own text."""
TASK_LABELS: Mapping[str, str] = {
    **TEXT_TASKS,
    **{name: task.label for name, task in MADE_UP.items()},
    OWN_WORDS: "Next word of your own text",
}
"""Every task that `RunSettings` knows, with its name on screen."""
CHOICES: Mapping[str, tuple[str, ...]] = {
    "task": tuple(TASK_LABELS),
    "model": tuple(MODELS),
    "readout": ("last", "mean", "max", "mean+max"),
    "recurrent_init": ("orthogonal", "default"),
    "schedule": ("constant", "cosine", "plateau"),
    "optimiser": ("adamw", "sgd"),
    "device": ("auto", "cpu", "cuda", "mps"),
    "precision": ("auto", "fp32", "bf16"),
}
"""What each setting in words may be."""
BOUNDS: Mapping[str, tuple[float, float]] = {
    "length": (4, 400),
    "distance": (0, synthetic.MAX_DISTANCE),
    "negation": (0, 1),
    "noise": (0, 0.4),
    "samples": (200, 25_000),
    "d_hidden": (2, 256),
    "n_layers": (1, 4),
    "dropout": (0, 0.8),
    "d_embed": (2, 256),
    "forget_bias": (-5, 5),
    "update_bias": (-5, 5),
    "learning_rate": (1e-6, 10),
    "batch_size": (2, 256),
    "clip_norm": (0, 100),
    "epochs": (1, 100),
    "patience": (0, 100),
    "seed": (0, 2**31 - 1),
}
"""The least and the most of each setting in numbers: what keeps a visitor's run within a small server."""
MIN_LENGTH: Mapping[str, int] = {"temporal_order": 10}
UPDATES_PER_EPOCH = 50
"""Of made-up sequences, which are drawn afresh for every update, so that an epoch has no other end."""
IMDB_VOCABULARY = 10_000


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """Everything that decides one training run; the same settings in one precision on one CPU give one curve.

    Attributes:
        task: One of `TASK_LABELS`.
        model: A name in the registry.
        length: Steps of a made-up sequence, or of a piece of an own text whose words are foretold; of a film review or
            an own text with a label the most tokens that are read.
        distance: Words after the opinion of a synthetic review.
        negation: Share of synthetic reviews whose opinion is negated.
        noise: Share of synthetic reviews with the wrong label.
        samples: Synthetic or film reviews in all, of which a tenth is for validation and a tenth for the test.
        d_hidden: Entries of the hidden state; of the Transformer the width of its stream.
        n_layers: Layers on top of each other.
        dropout: Share of entries zeroed in training, of word vectors and before the head.
        d_embed: Entries of a word vector; the Transformer's are as wide as its stream.
        readout: What the head of a recurrent model sees; the Transformer always takes the mean.
        recurrent_init: Start of W_hh: orthogonal, or torch's uniform (`default`).
        forget_bias: Start of an LSTM's forget bias.
        update_bias: Start of a GRU's update-gate bias; above 0 the state is kept rather than replaced.
        learning_rate: Highest rate.
        batch_size: Sequences in one update.
        clip_norm: Longest gradient allowed; 0 switches clipping off.
        epochs: Passes at most; of made-up sequences and of words to foretell 50 updates are called an epoch.
        patience: Epochs without a better validation result before stopping early; 0 never stops early.
        schedule: How the rate changes: not at all, down a cosine to 0, or halved where validation stops improving.
        optimiser: AdamW, which divides every gradient by its usual size, or plain SGD with momentum 0.9, which
            feels every large one.
        seed: Start of all chance.
        device: Where to compute; `auto` takes the accelerator if there is one.
        precision: `fp32`, `bf16` autocast, or `auto`: bf16 where it works for this model on this device and is
            clearly faster.
    """

    task: str = "synthetic"
    model: str = "lstm"
    length: int = 40
    distance: int = 30
    negation: float = 0.0
    noise: float = 0.0
    samples: int = 5_000
    d_hidden: int = 32
    n_layers: int = 1
    dropout: float = 0.0
    d_embed: int = 16
    readout: str = "last"
    recurrent_init: str = "orthogonal"
    forget_bias: float = 1.0
    update_bias: float = 1.0
    learning_rate: float = 3e-3
    batch_size: int = 32
    clip_norm: float = 1.0
    epochs: int = 10
    patience: int = 0
    schedule: str = "constant"
    optimiser: str = "adamw"
    seed: int = 1
    device: str = "auto"
    precision: str = "auto"

    def __post_init__(self) -> None:
        """Refuses what cannot be run.

        Raises:
            ConfigError: The first setting that is not allowed, in one sentence.
        """
        require_one_of(self, **CHOICES)
        for field in dataclasses.fields(self):
            if field.name not in BOUNDS:
                continue
            value, (low, high) = getattr(self, field.name), BOUNDS[field.name]
            kind = type(field.default)
            if isinstance(value, bool) or not isinstance(value, int if kind is int else (int, float)):
                raise ConfigError(f"{field.name} is a {'whole ' if kind is int else ''}number; got {value!r}.")
            if not low <= value <= high:
                raise ConfigError(f"{field.name} is from {low:,} to {high:,}; got {value:,}.")
        shortest = MIN_LENGTH.get(self.task, 4)
        if self.length < shortest:
            raise ConfigError(f"{TASK_LABELS[self.task]} needs a length of at least {shortest}; got {self.length}.")
        if MODELS[self.model].has_attention and self.d_hidden % 4:
            raise ConfigError(f"The width of a Transformer is a multiple of 4; got {self.d_hidden}.")
        if asks_at_every_step(self.task) and self.readout != "last":
            raise ConfigError(
                f"{TASK_LABELS[self.task]} asks after every step and is read from the state there: its readout is last."
            )

        if foretells(self.task) and MODELS[self.model].directions > 1:
            raise ConfigError(
                f"A {MODELS[self.model].label} reads in both directions, so that it has read the next word before it "
                "is asked for it: take a model that reads in one."
            )

    @classmethod
    def read(cls, path: pathlib.Path) -> RunSettings:
        """The settings in a JSON file, by name; what it leaves out has its default.

        Raises:
            ConfigError: They are none, in one sentence.
            OSError: The file cannot be read.
        """
        try:
            found = json.loads(path.read_bytes())
        except (ValueError, RecursionError) as error:
            raise ConfigError(f"{path.name} is not JSON ({error}).") from error
        if not isinstance(found, dict):
            raise ConfigError(f'{path.name} holds no object of settings, such as {{"task": "copy", "model": "gru"}}.')
        if unknown := [name for name in found if name not in FIELDS]:
            raise ConfigError(f"{path.name}: there is no setting {', '.join(unknown)}; known are {', '.join(FIELDS)}.")
        return cls(**found)

    @property
    def on_text(self) -> bool:
        """Whether the task's sequences are texts that a visitor could type."""
        return self.task in TEXT_TASKS

    def changed(self) -> dict[str, Any]:
        """The settings that differ from their default, by name; what a link has to carry."""
        return {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if getattr(self, field.name) != field.default
        }


def foretells(task: str) -> bool:
    """Whether a task is to say the next word."""
    return task == OWN_WORDS or (task in MADE_UP and MADE_UP[task].foretells)


def asks_at_every_step(task: str) -> bool:
    """Whether a task wants an answer at every step."""
    return foretells(task) or (task in MADE_UP and MADE_UP[task].at_every_step)


FIELDS: Mapping[str, Any] = {field.name: type(field.default) for field in dataclasses.fields(RunSettings)}
"""Every setting with its type."""


def architecture(settings: RunSettings, *, n_outputs: int = 1) -> dict[str, Any]:
    """The entries of the model's config, all but the vocabulary size.

    Args:
        settings: Of the run.
        n_outputs: Numbers that the head gives.
    """
    return {**MODELS[settings.model].family.entries(settings), "n_outputs": n_outputs}


def outputs_and_words(settings: RunSettings, *, n_classes: int = 2, n_words: int | None = None) -> tuple[int, int]:
    """How many numbers the head gives, and how many rows the embedding has (0 where inputs are numbers).

    Args:
        settings: Of the run.
        n_classes: Labels of a visitor's own texts.
        n_words: Words of a visitor's own texts, padding and unknown included.
    """
    if settings.task in MADE_UP:
        task = MADE_UP[settings.task]
        return task.n_classes, task.vocab_size
    if settings.task == OWN_WORDS:
        return (n_words or own_words.MAX_VOCABULARY,) * 2
    words = {"synthetic": len(synthetic.vocabulary()), "imdb": IMDB_VOCABULARY, "own": n_words or IMDB_VOCABULARY}
    return 1 if n_classes == 2 else n_classes, words[settings.task]


def n_parameters(settings: RunSettings, *, n_classes: int = 2, n_words: int | None = None) -> int:
    """How many numbers are trained, without building the model.

    Args:
        settings: Of the run.
        n_classes: Labels of a visitor's own texts.
        n_words: Words of a visitor's own texts; 10,000 where that is not known, as for film reviews (whose
            vocabulary is smaller where there are few).
    """
    n_outputs, n_rows = outputs_and_words(settings, n_classes=n_classes, n_words=n_words)
    d, spec = settings.d_hidden, MODELS[settings.model]
    if spec.has_attention:
        front = n_rows * d if n_rows else 3 * d
        layer = 4 * (d * d + d) + 2 * (2 * d * d) + 2 * d + d + 4 * d
        return front + settings.n_layers * layer + 2 * d + (d + 1) * n_outputs
    front = n_rows * settings.d_embed if n_rows else 3 * settings.d_embed
    gates, directions = spec.gates, spec.directions
    widths = [settings.d_embed] + [d * directions] * (settings.n_layers - 1)
    cells = sum(directions * gates * (width * d + d * d + 2 * d) for width in widths)
    seen = d * directions * (2 if settings.readout == "mean+max" else 1)
    return front + cells + (seen + 1) * n_outputs


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A comparison that tells a story.

    Attributes:
        name: Its name in links.
        label: Its name on screen.
        story: What one should see, in a sentence or two; true of the recorded runs.
        runs: The settings of each run.
    """

    name: str
    label: str
    story: str
    runs: tuple[RunSettings, ...]


_COSTS: Mapping[str, tuple[float, float, float, float]] = {
    "rnn": (0.3e-3, 3.7e-5, 1.4e-8, 2e-11),
    "gru": (0.7e-3, 13.2e-5, 2.2e-8, 5e-11),
    "lstm": (1.0e-3, 0.0, 1.6e-8, 5e-11),
    "bilstm": (1.3e-3, 0.0, 5.7e-8, 4e-11),
    "transformer": (0.7e-3, 5.2e-5, 5.6e-8, 3e-11),
}
"""Seconds of one update on one core: fixed, for each step, for each entry of a state, for each multiplication.

Fitted to measured updates of 16 to 256 units, 20 to 200 steps and 32 to 128 sequences; within 18 % of all of them.
"""
_START_S = 4.0
_TOKENIZE_S = 5e-4


def estimate_seconds(
    settings: RunSettings, *, slowness: float = 1.0, n_texts: int = 2_000, mean_tokens: float = 100.0
) -> float:
    """How long a run will take on the CPU, its start included.

    Args:
        settings: Of the run.
        slowness: How much longer than estimated runs take on this machine; `Jobs.slowness` knows.
        n_texts: A visitor's own texts.
        mean_tokens: Their usual length.

    Returns:
        Seconds.
    """
    per_epoch, steps, read_s = UPDATES_PER_EPOCH, float(settings.length), 0.0
    if settings.on_text:
        n = n_texts if settings.task == "own" else settings.samples
        per_epoch = -(-8 * n // (10 * settings.batch_size))
        read_s = n * _TOKENIZE_S
        usual = {"synthetic": settings.distance + 8.0, "imdb": 250.0, "own": mean_tokens}[settings.task]
        steps = usual if settings.task == "synthetic" else min(settings.length, usual)
    d, rows, spec = settings.d_hidden, settings.batch_size * steps, MODELS[settings.model]
    if spec.has_attention:
        products = 8 * d * d + 2 * steps * d
    else:
        products = spec.gates * spec.directions * (settings.d_embed * d + d * d)
    if settings.task == OWN_WORDS:
        products += d * own_words.MAX_VOCABULARY  # a probability for every word, at every step
    fixed, a_step, an_entry, a_product = _COSTS.get(settings.model, _COSTS["rnn"])
    update_s = fixed + settings.n_layers * (steps * a_step + rows * d * an_entry + rows * products * a_product)
    validation_s = 0.15  # of an epoch: forward alone, and the probe
    return slowness * (_START_S + read_s + settings.epochs * (per_epoch * update_s * 1.1 + validation_s))


PRESETS: Mapping[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            name="distance",
            label="RNN and LSTM, opinion 60 words back",
            story="The opinion stands first, and sixty words follow that say nothing of it. The RNN stays at guessing: "
            "the gradient does not reach back to the opinion. The LSTM learns it.",
            runs=tuple(RunSettings(model=model, distance=60, epochs=6) for model in ("rnn", "lstm")),
        ),
        Preset(
            name="clipping",
            label="Clipping off",
            story="Two RNNs with the same start. Where long gradients are not shortened, one update goes so far that "
            "the loss explodes and the run is stopped; with clipping the same settings learn to add.",
            runs=tuple(
                RunSettings(
                    task="adding",
                    model="rnn",
                    length=10,
                    optimiser="sgd",
                    learning_rate=0.1,
                    schedule="cosine",
                    clip_norm=clip,
                    epochs=20,
                )
                for clip in (0.0, 1.0)
            ),
        ),
        Preset(
            name="pooling",
            label="Pooling makes them equal",
            story="The same two models and reviews, but the verdict is read from all states (mean and maximum) instead "
            "of the last one. Now the RNN is as good as the LSTM: the opinion need not be carried to the end.",
            runs=tuple(
                RunSettings(model=model, distance=60, epochs=4, readout="mean+max") for model in ("rnn", "lstm")
            ),
        ),
        Preset(
            name="agreement",
            label="Next word: grammar appears",
            story="Three models foretell the next word of made-up sentences. What they write is noise at first, then "
            "phrases, and at last sentences whose verb agrees with a noun far before it. The LSTM, which has the most "
            "weights to set, is still on its way when the others are there.",
            runs=tuple(
                RunSettings(task="next_word", model=model, learning_rate=0.01, schedule="cosine", epochs=12)
                for model in ("rnn", "gru", "lstm")
            ),
        ),
    )
}
"""Comparisons that finish in under a minute on two cores; `pretrained/runs` holds what they once did."""
