"""How a model is trained: one frozen set of checked settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from seqdemo.errors import ConfigError

SCHEDULES = ("cosine", "plateau")
SOFTMAXES = ("auto", "full", "candidates")
PRECISIONS = ("auto", "fp32", "bf16")
MAX_SEED = 2**31 - 1
KEPT = ("best", "last")
STARTS = ("layers", "words")


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """Settings of one training run.

    Attributes:
        epochs: Passes over the training reviews, at most.
        batch_size: Reviews in one update.
        learning_rate: Highest rate of AdamW (Loshchilov & Hutter 2019).
        embedding_rate: Share of the rate that the word vectors get; those of a language model know
            more words than the labelled reviews teach (Howard & Ruder 2018, "discriminative").
        weight_decay: Decay of matrices outside the embedding; norms and biases have none.
        label_smoothing: Share of each label's certainty given to the other label.
        warmup_share: Share of all updates over which the rate rises from 0.
        schedule: After that: a cosine down to 0, or half the rate where validation
            accuracy stops rising.
        clip_norm: Longest gradient allowed, in its L2 norm; 0 leaves it as it is.
        word_dropout: Share of words replaced by the unknown word.
        crop_share: Share of reviews cut to one to three sentences.
        short_epochs: Epochs at the start in which every review is cut to a few sentences:
            attention finds the words that matter sooner there, at a fifth of the cost.
        step_loss: Weight of the loss at every word beside the loss at the last one,
            rising linearly along the text (Dai & Le 2015, "linear gain"). Only models
            that read out their last state have it.
        opinion_share: Generated opinions beside each review ("not bad at all", see
            `seqdemo.data.opinions`), new ones in each epoch.
        adversarial: Length of a step of each text's word vectors to where its loss is worst, in
            standard deviations of their entries; the loss there is added (Miyato, Dai & Goodfellow
            2017, "Adversarial training methods for semi-supervised text classification", eq. 2 to 3).
            Doubles the cost; 0 leaves it out.
        start: What is taken of a language model: its word vectors and `layers`, or its `words` alone. A vanilla
            RNN's W_hh that has learned to say the next word holds nothing to the end of a review.
        gradual: Whether only the head learns in the first epoch, all but the word vectors in the second, and
            everything from the third on (Howard & Ruder 2018, "gradual unfreezing").
        average_decay: Share of the averaged weights that stays at each update; the average is what is
            measured and kept (Polyak & Juditsky 1992; here exponential). 0 keeps the last weights.
        keep: The epoch that is kept: the `best` on the validation reviews, or the `last`. Among
            epochs that differ less than 2,500 reviews can tell, the best is one of chance.
        patience: Epochs without a better validation accuracy before stopping.
        seed: Start of all chance.
        precision: `fp32`, `bf16` autocast, or `auto`: bf16 where it works here and is clearly faster.
    """

    epochs: int = 8
    batch_size: int = 64
    learning_rate: float = 2e-3
    embedding_rate: float = 1.0
    weight_decay: float = 1e-2
    label_smoothing: float = 0.05
    warmup_share: float = 0.05
    schedule: Literal["cosine", "plateau"] = "cosine"
    clip_norm: float = 1.0
    word_dropout: float = 0.1
    crop_share: float = 0.4
    short_epochs: int = 0
    step_loss: float = 0.5
    opinion_share: float = 0.0
    adversarial: float = 0.0
    start: Literal["layers", "words"] = "layers"
    gradual: bool = False
    average_decay: float = 0.0
    keep: Literal["best", "last"] = "best"
    patience: int = 4
    seed: int = 1
    precision: Literal["auto", "fp32", "bf16"] = "auto"

    def __post_init__(self) -> None:
        """Refuses what cannot be run."""
        require(self, "at least 1", lambda value: value >= 1, "epochs", "batch_size", "patience")
        require(self, "above 0", lambda value: value > 0, "learning_rate")
        not_negative = ("short_epochs", "embedding_rate", "weight_decay", "clip_norm", "opinion_share", "adversarial")
        require(self, "0 or more", lambda value: value >= 0, *not_negative)
        shares = ("label_smoothing", "warmup_share", "word_dropout", "average_decay")
        require(self, "at least 0 and below 1", lambda value: 0 <= value < 1, *shares)
        require(self, "from 0 to 1", lambda value: 0 <= value <= 1, "crop_share", "step_loss")
        require_one_of(self, schedule=SCHEDULES, precision=PRECISIONS, keep=KEPT, start=STARTS)
        check_seed(self.seed)


def require(config: Any, rule: str, fits: Callable[[Any], bool], *names: str) -> None:
    """Refuses a config of which one of these entries does not fit.

    Raises:
        ConfigError: It says what the entry is, by the rule, and what was found.
    """
    for name in names:
        if not fits(getattr(config, name)):
            raise ConfigError(f"{name} is {rule}; got {getattr(config, name)!r}.")


def require_one_of(config: Any, **allowed: Sequence[str]) -> None:
    """Refuses a config of which one of these entries is none of what it may be.

    Raises:
        ConfigError: It says what the entry may be.
    """
    for name, choices in allowed.items():
        require(config, f"one of {', '.join(choices)}", choices.__contains__, name)


def check_seed(seed: int) -> None:
    """Refuses a seed that a source of chance does not take.

    Raises:
        ConfigError: It is negative, or too large.
    """
    if not 0 <= seed <= MAX_SEED:
        raise ConfigError(f"seed is from 0 to {MAX_SEED:,}; got {seed:,}.")


RECIPES: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("rnn", "standard"): {"learning_rate": 3e-4, "short_epochs": 2},
    ("transformer", "compact"): {"learning_rate": 5e-4, "epochs": 7, "short_epochs": 3},
    ("transformer", "full"): {"learning_rate": 9e-5, "weight_decay": 1e-2, "epochs": 30, "warmup_share": 0.1},
}
"""Where a model's preset is trained with other settings than the defaults."""

FINE_TUNING: Mapping[str, Any] = {
    "learning_rate": 1e-3,
    "epochs": 4,
    "opinion_share": 0.5,
    "adversarial": 4.0,
    "average_decay": 0.998,
    "short_epochs": 1,
    "keep": "last",
}
"""Other settings than the defaults for a model that starts from its language model."""

FINE_TUNING_RECIPES: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("rnn", "standard"): {"learning_rate": 3e-4, "epochs": 8, "short_epochs": 2, "start": "words", "adversarial": 0.0},
    ("transformer", "compact"): {
        "learning_rate": 4e-4,
        "epochs": 2,
        "embedding_rate": 0.1,
        "opinion_share": 1.0,
        "adversarial": 0.0,
    },
    ("transformer", "full"): {
        "learning_rate": 1e-4,
        "warmup_share": 0.1,
        "epochs": 5,
        "opinion_share": 1.0,
        "adversarial": 0.0,
    },
}
"""Where a model's preset is fine-tuned with others again."""


def recipe(name: str, preset: str, *, fine_tuning: bool = False, **overrides: Any) -> TrainingConfig:
    """The settings a model is trained with, and what the caller wants different.

    Args:
        name: The model's name in the registry.
        preset: One of its presets.
        fine_tuning: Whether it starts from its language model.
        **overrides: Settings that differ.
    """
    if fine_tuning:
        return TrainingConfig(**{**FINE_TUNING, **FINE_TUNING_RECIPES.get((name, preset), {}), **overrides})
    return TrainingConfig(**{**RECIPES.get((name, preset), {}), **overrides})


@dataclass(frozen=True, kw_only=True)
class PretrainingConfig:
    """Settings of one run of language modelling.

    Attributes:
        epochs: Passes over the corpus; may be a fraction.
        batch_size: Lanes, or windows of the Transformer.
        window: Words that gradients go back through, and the Transformer's view.
        learning_rate: Highest rate of AdamW; it falls along a cosine.
        warmup_share: Share of all updates over which the rate rises from 0.
        clip_norm: Longest gradient allowed, in its L2 norm.
        masked_share: Share of the words hidden from the Transformer.
        softmax: Over the `full` vocabulary, over `candidates` alone, or `auto`: full on CUDA, where it costs little.
        n_frequent: Words that are always among the candidates.
        n_sampled: Candidates drawn from the others at each update.
        weight_decay: Decay of matrices outside the word vectors.
        beta2: Share of AdamW's mean of squares that stays at each update.
        seed: Start of all chance.
        precision: As of `TrainingConfig`.
    """

    epochs: float = 2.0
    batch_size: int = 128
    window: int = 70
    learning_rate: float = 3e-3
    warmup_share: float = 0.02
    clip_norm: float = 1.0
    masked_share: float = 0.2
    softmax: Literal["auto", "full", "candidates"] = "auto"
    n_frequent: int = 1536
    n_sampled: int = 1024
    weight_decay: float = 0.0
    beta2: float = 0.999
    seed: int = 1
    precision: Literal["auto", "fp32", "bf16"] = "auto"

    def __post_init__(self) -> None:
        """Refuses what cannot be run."""
        require(self, "at least 1", lambda value: value >= 1, "batch_size", "window", "n_frequent")
        require(self, "0 or more", lambda value: value >= 0, "n_sampled", "weight_decay")
        require(self, "above 0", lambda value: value > 0, "epochs", "learning_rate", "clip_norm")
        shares = ("warmup_share", "masked_share", "beta2")
        require(self, "above 0 and below 1", lambda value: 0 < value < 1, *shares)
        require_one_of(self, softmax=SOFTMAXES, precision=PRECISIONS)
        check_seed(self.seed)
