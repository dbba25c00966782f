"""What each part of the training recipe is worth: an LSTM with all of them, without each, and with what was tried.

Small on purpose (6,000 reviews, three epochs), so that every variant can be run
with several seeds; generated opinions have their words from all training reviews. The
differences are what counts; the shipped models learn from all reviews.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from seqdemo import paths
from seqdemo.data import typed_reviews
from seqdemo.models import registry
from seqdemo.studies.study import Inputs, Measurement, Stored, Study, rounded
from seqdemo.training.config import TrainingConfig, recipe

N_REVIEWS = 6_000
SEEDS = (1, 2)
EPOCHS = 3

MEASURED = ("validation", "typed", "negation", "padded")
"""Accuracy on the validation reviews, on all typed ones, and on two kinds of these: negations, and opinions with
neutral words around."""
_NO_SETTINGS = frozenset({"pretrained", "padded_share"})
"""What a variant changes outside of `TrainingConfig`."""

EVERYTHING = "the whole recipe"
VARIANTS: Mapping[str, Mapping[str, Any]] = {
    EVERYTHING: {},
    "without language modelling": {"pretrained": False},
    "without crops of sentences": {"crop_share": 0.0},
    "without the loss at every word": {"step_loss": 0.0},
    "without word dropout": {"word_dropout": 0.0},
    "without generated opinions": {"opinion_share": 0.0},
    "without neutral words around these": {"padded_share": 0.0},
    "without adversarial steps": {"adversarial": 0.0},
    "without averaged weights": {"average_decay": 0.0},
    "with word vectors that learn ten times slower": {"embedding_rate": 0.1},
    "with gradual unfreezing": {"gradual": True},
}
"""What is different → the settings that make it so."""


def measure(inputs: Inputs) -> Measurement:
    """Trains every variant with every seed; accuracy on validation reviews and on typed ones.

    Raises:
        DataError: The reviews cannot be read.
        CheckpointMissingError: The LSTM's language model is not there.
    """
    import torch

    from seqdemo.checkpoints import language_model
    from seqdemo.data import examples, imdb, opinions
    from seqdemo.training import sentiment

    given = language_model.load(paths.PRETRAINED / "lm-lstm")
    reviews = imdb.load("train", inputs.data)
    training_rows, validation_rows = imdb.split_validation(reviews.labels)
    all_training = reviews.pick(training_rows)
    # Words of praise and of blame are learned from all: 3,000 reviews hold too few of them.
    words = examples.tokenize_all(all_training, version=given.vocabulary.version)
    lexicon = opinions.Lexicon.learn(words, all_training.labels)
    encoded = examples.read(all_training.some(inputs.limit or N_REVIEWS), given.vocabulary)
    validation = examples.read(reviews.pick(validation_rows).some(inputs.limit), given.vocabulary)
    lines = typed_reviews.load()
    typed = examples.encode(
        [[token.text for token in given.vocabulary.read(line.text).tokens] for line in lines],
        np.array([line.positive for line in lines], dtype=np.int64),
        given.vocabulary,
    )
    negated = np.array([line.kind == "negation" for line in lines])
    padded = np.array(["filler" in line.kind for line in lines])
    base = base_config()
    device = torch.device("cpu")
    results: dict[str, list[dict[str, float]]] = {}
    for variant, settings in VARIANTS.items():
        for seed in SEEDS:
            changed = {name: value for name, value in settings.items() if name not in _NO_SETTINGS}
            config = dataclasses.replace(base, **changed, seed=seed)
            torch.manual_seed(seed)
            sizes: dict[str, Any] = language_model.sizes(given, "lstm")
            shape = registry.make_config("lstm", vocab_size=len(given.vocabulary), **sizes)
            model = registry.build("lstm", shape)
            if settings.get("pretrained", True):
                language_model.start_from(model, given)
            beside = None
            if config.opinion_share:
                n_opinions = round(config.opinion_share * len(encoded))
                kept = {name: value for name, value in settings.items() if name == "padded_share"}
                draw = functools.partial(opinions.draw, lexicon, given.vocabulary, n_opinions, **kept)
                beside = sentiment.Beside(n_opinions, draw)
            sentiment.fit(model, encoded, validation, config, device=device, beside=beside)
            right = (sentiment.predict_logits(model, typed, device=device) > 0) == (typed.labels == 1)
            found = {
                "validation": sentiment.evaluate(model, validation, device=device)["accuracy"],
                "typed": float(right.mean()),
                "negation": float(right[negated].mean()),
                "padded": float(right[padded].mean()),
            }
            results.setdefault(variant, []).append({name: rounded(value) for name, value in found.items()})
            inputs.say(f"{variant:<46} seed {seed}  " + "  ".join(f"{k} {v:.1%}" for k, v in found.items()))
    return Measurement(
        n=len(encoded),
        seed=SEEDS[0],
        settings={
            "seeds": list(SEEDS),
            "validation_n": len(validation),
            "typed_n": len(typed),
            "training": {name: value for name, value in dataclasses.asdict(base).items() if name != "seed"},
            "language_model": given.sha256,
        },
        results=results,
    )


def base_config() -> TrainingConfig:
    """The LSTM's recipe, for fewer epochs."""
    return recipe("lstm", "standard", fine_tuning=True, epochs=EPOCHS)


def frame(stored: Stored | None) -> pd.DataFrame:
    """One row for each variant.

    Returns:
        `variant`, `seeds`, the means each of `MEASURED` from 0 to 1, and their ranges
        over the seeds, `validation_spread` and so on.
    """
    rows = []
    for variant, runs in (stored.results if stored else {}).items():
        row: dict[str, Any] = {"variant": variant, "seeds": len(runs)}
        for name in MEASURED:
            values = [entry[name] for entry in runs]
            row |= {name: float(np.mean(values)), f"{name}_spread": max(values) - min(values)}
        rows.append(row)
    return pd.DataFrame(rows)


STUDY = Study(
    name="ablation",
    question="What is each part of the training recipe worth?",
    measure=measure,
    of=None,
)
