"""How much a word could move the verdict, against its distance from the end, over many reviews."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from seqdemo.models.registry import MODELS
from seqdemo.studies import held_out
from seqdemo.studies.study import Inputs, Measurement, Stored, Study, rounded
from seqdemo.text import HEAD_TOKENS, MAX_TOKENS, Reading, at_shown

if TYPE_CHECKING:
    from seqdemo.checkpoints.classifier import Classifier

N_REVIEWS = 240
SEED = 1
MIN_TOKENS = 250
"""Reviews with fewer are left out, so that every distance has the same reviews behind it. Of the longest, cut to head
and tail, the last 272 tokens follow one another without a gap."""
DISTANCES: tuple[int, ...] = (*range(1, 10), *range(10, MIN_TOKENS + 1, 5))
"""Tokens from the end; the last token has the distance 1."""
NEAR, FAR = 10, 200
"""Distances that the finding compares: the median over all up to the first, and that at the second."""
FP32_STEP = 2.0**-23
"""The distance from 1 to the next number in fp32: a logit of this size cannot show a smaller change."""
FP32_TINY = 2.0**-126
"""The smallest number that fp32 holds with all of its digits."""

assert MIN_TOKENS <= MAX_TOKENS - HEAD_TOKENS


def measure(inputs: Inputs) -> Measurement:
    """Measures scaled gradients on held-out reviews; see `explain.gradients` for the formula.

    Args:
        inputs: The checkpoints, and the reviews' folder.

    Raises:
        DataError: Too few reviews are long enough.
    """
    from seqdemo.explain import gradients

    texts = held_out.draw(inputs, N_REVIEWS, seed=SEED, least=MIN_TOKENS)
    results: dict[str, Any] = {}
    for name, model in inputs.models.items():
        found = np.array([_by_distance(model, text) for text in texts])  # (n, distances)
        low, median, high = np.quantile(found, (0.25, 0.5, 0.75), axis=0)
        results[name] = {
            "low": [rounded(value) for value in low],
            "median": [rounded(value) for value in median],
            "high": [rounded(value) for value in high],
            "zero_share": rounded(float((found == 0).mean())),
            "embedding_length": rounded(gradients.embedding_length(model.model)),
        }
        inputs.say(f"{model.label}: median {median[0]:.1e} at the last token, {median[-1]:.1e} {DISTANCES[-1]} back")
    return Measurement(
        n=len(texts),
        seed=SEED,
        settings={
            "reviews": "validation rows of the training split, drawn at random",
            "min_tokens": MIN_TOKENS,
            "max_tokens": MAX_TOKENS,
            "distances": list(DISTANCES),
            "formula": "norm2(d logit / d x_t) * sqrt(mean_w norm2(e_w)^2)",
            "precision": "fp32",
        },
        results=results,
    )


STUDY = Study(
    name="gradient_by_distance",
    question="How much could a word move the verdict, against its distance from the end?",
    measure=measure,
)


@dataclass(frozen=True)
class OwnReview:
    """One text, measured.

    Attributes:
        table: One row for each model and distance, with `name`, `model` (its label), `distance` and `gradient`: the
            median over the words between the neighbouring distances, which takes out the jitter of single words.
        standout: Index, among the first model's tokens, of the known word that adds or takes away most to first order,
            as shares of each model's sum.
    """

    table: pd.DataFrame
    standout: int


WordGradients: TypeAlias = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]
"""As `explain.gradients.word_gradients` gives them."""


def own(readings: Mapping[str, Reading], found: Mapping[str, WordGradients]) -> OwnReview:
    """The same for one text.

    Args:
        readings: Name of a model → what it reads of the text, at least one word; at least one model.
        found: Name → the gradients of its words, and what each adds.
    """
    shown = next(iter(readings.values()))
    rows, shares = [], np.zeros(len(shown.tokens))
    for name, reading in readings.items():
        gradients, effects = found[name]
        for distance, start, end in _windows(len(gradients)):
            value = float(np.median(gradients[::-1][start:end]))
            rows.append({"name": name, "model": MODELS[name].label, "distance": distance, "gradient": value})
        is_word = np.array([token.text[0].isalpha() for token in reading.tokens]) & ~reading.unknown
        of_words = np.where(is_word, np.abs(effects), 0)
        shares += at_shown(of_words / (of_words.sum() or 1), reading, shown)
    table = pd.DataFrame(rows, columns=["name", "model", "distance", "gradient"])
    return OwnReview(table, int(np.argmax(shares)))


def frame(stored: Stored, weights: Mapping[str, str] | None = None) -> pd.DataFrame:
    """The stored result as a table.

    Args:
        stored: The result.
        weights: Model name → sha256 of the weights in use; figures of other weights are left out.

    Returns:
        One row for each model and distance, with `name`, `model` (its label), `distance`, `low`, `median` and `high`.
    """
    rows = []
    for name in MODELS:
        figures = stored.results.get(name)
        if figures is None or not stored.holds_for(name, weights):
            continue
        points = zip(stored.settings["distances"], figures["low"], figures["median"], figures["high"], strict=True)
        for distance, low, median, high in points:
            spread = {"low": low, "median": median, "high": high}
            rows.append({"name": name, "model": MODELS[name].label, "distance": distance, **spread})
    return pd.DataFrame(rows, columns=["name", "model", "distance", "low", "median", "high"])


def finding(table: pd.DataFrame) -> str:
    """Which model loses most with distance and which least, as a sentence."""
    drops: dict[str, float] = {}
    for model, part in table.groupby("model", sort=False):
        near = part.loc[part["distance"] <= NEAR, "median"].median()
        far = part.loc[part["distance"] == FAR, "median"]
        if near > 0 and len(far):
            drops[str(model)] = near / max(far.iloc[0], FP32_TINY)
    if not drops:
        return "How much of the beginning is left at the end?"
    most, least = max(drops, key=lambda model: drops[model]), min(drops, key=lambda model: drops[model])
    sentence = f"{FAR} words back, a word moves the {most} {_times(drops[most])}"
    if most == least:
        return sentence
    return f"{sentence}, the {least} {_times(drops[least], short=True)}"


def _times(drop: float, *, short: bool = False) -> str:
    """How much less (drop above 1) or more a far word counts than one at the end."""
    factor = drop if drop >= 1 else 1 / drop
    if factor < 1.15:
        return "as much" if short else "as much as one at the end"
    if factor < 10:
        words = f"{factor:.1f} times"
    elif factor < 1e6:
        words = f"{int(rounded(factor, 2)):,} times"
    elif factor < 1e9:
        words = f"{rounded(factor / 1e6, 2):g} million times"
    else:
        words = "more than a billion times"
    comparison = f"{words} {'less' if drop >= 1 else 'more'}"
    return comparison if short else f"{comparison} than one at the end"


def _by_distance(model: Classifier, text: str) -> npt.NDArray[np.float64]:
    from seqdemo.explain import gradients

    backwards = gradients.scaled_gradients(model, model.read(text).ids)[::-1]
    at_distances: npt.NDArray[np.float64] = backwards[np.array(DISTANCES) - 1]
    return at_distances


def _windows(n_tokens: int) -> list[tuple[int, int, int]]:
    """Distance, and the half-open range of indices from the end that it stands for."""
    found = []
    distances = [*DISTANCES, *range(DISTANCES[-1] + 5, MAX_TOKENS + 1, 5)]
    for before, distance, after in zip([0, *distances], distances, [*distances[1:], MAX_TOKENS + 5], strict=False):
        start, end = (before + distance) // 2, (distance + after) // 2
        if distance <= n_tokens:
            found.append((distance, start, min(max(end, start + 1), n_tokens)))
    return found
