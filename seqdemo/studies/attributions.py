"""Which explanations hold: how far methods agree, and whether the words they point at matter, over many reviews."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from seqdemo.explain.methods import METHODS, SIGNED, Attributions, rank_correlation
from seqdemo.models.registry import MODELS
from seqdemo.studies import held_out
from seqdemo.studies.study import Inputs, Measurement, Stored, Study, rounded

if TYPE_CHECKING:
    from seqdemo.checkpoints.classifier import Classifier
    from seqdemo.explain.deletion import Deletion

N_REVIEWS = 200
SEED = 1
LONGEST = 90
"""Words and marks of a review, at most: about as long as what visitors type, and each is read some thousand times."""
BETTER_THAN = 0.9
"""A method beats chance in a review where its fall is larger than this share of the random orders'."""
RANDOM = "random"
_CORRELATION = ("one", "other", "rho", "low", "high")
_CURVE = ("method", "label", "share", "p", "low", "high")
_FALL = ("name", "model", "method", "label", "mean", "margin", "low", "high", "by_size", "beats_chance")


def measure(inputs: Inputs) -> Measurement:
    """Attributes whole held-out reviews by every method, and takes their words away.

    Args:
        inputs: The checkpoints, and the reviews' folder.

    Raises:
        DataError: No held-out review is short enough.
    """
    from seqdemo.explain import attributions, deletion

    texts = held_out.draw(inputs, N_REVIEWS, seed=SEED, least=2, most=LONGEST)
    results: dict[str, Any] = {}
    for name, model in inputs.models.items():
        results[name] = _summary([_of_review(model, text) for text in texts])
        falls = results[name]["falls"]
        said = ", ".join(f"{METHODS[method].label} {100 * falls[method]['mean']:.1f}" for method in falls)
        inputs.say(f"{model.label}: points below random deletion: {said}")
    return Measurement(
        n=len(texts),
        seed=SEED,
        settings={
            "reviews": "whole validation rows of the training split, drawn at random",
            "longest": LONGEST,
            "baseline": "the vector of the unknown word at every place; from_zeros: vectors of zeros",
            "first_points": attributions.N_STEPS,
            "most_points": attributions.MAX_STEPS,
            "tolerance": attributions.TOLERANCE,
            "left_out": "replaced by the unknown word",
            "shares": list(deletion.SHARES),
            "random_orders": deletion.N_ORDERS,
            "random_seed": deletion.SEED,
            "rank_correlation": "Spearman, of absolute values",
            "low_high": "quartiles over reviews; random: over reviews and orders",
            "margin": "half of the 95 % interval of the mean",
        },
        results=results,
    )


STUDY = Study(
    name="attributions",
    question="Do the words that an explanation points at matter for the verdict?",
    measure=measure,
)


def correlations_of(found: Attributions) -> pd.DataFrame:
    """How far the methods agree on one text.

    Args:
        found: Name of a method, or of a model, → one figure for each word.

    Returns:
        One row for every two, with `one`, `other`, and `rho`; NaN where there is no order to compare.
    """
    rows = [(one, other, rank_correlation(found[one], found[other])) for one, other in combinations(found, 2)]
    return pd.DataFrame(rows, columns=list(_CORRELATION[:3]))


def correlations(stored: Stored, name: str) -> pd.DataFrame:
    """The same over many reviews: the median as `rho`, and the quartiles `low` and `high`."""
    found = stored.results.get(name, {}).get("correlations", {})
    rows = [(*pair.split("|"), median, low, high) for pair, (low, median, high) in found.items()]
    return pd.DataFrame(rows, columns=list(_CORRELATION))


def curves_of(deleted: Deletion) -> pd.DataFrame:
    """What is left of one verdict, as a table.

    Returns:
        One row for each method (and random) and share: `method`, `label`, `share`, `p`, and for random the first and
        last decile of the orders, `low` and `high`.
    """
    from seqdemo.explain.deletion import SHARES

    rows: list[tuple[Any, ...]] = []
    for method, curve in deleted.curves.items():
        rows += [(method, METHODS[method].label, *point, None, None) for point in zip(SHARES, curve, strict=True)]
    low, high = np.quantile(deleted.random, (0.1, 0.9), axis=0)
    points = zip(SHARES, deleted.random.mean(axis=0), low, high, strict=True)
    rows += [(RANDOM, "Random words", *point) for point in points]
    return _floats(pd.DataFrame(rows, columns=list(_CURVE)), "p", "low", "high")


def curves(stored: Stored, name: str) -> pd.DataFrame:
    """The same over many reviews: `p` is the mean; `low` and `high` are quartiles over reviews and random orders."""
    rows: list[tuple[Any, ...]] = []
    for method, points in stored.results.get(name, {}).get("curves", {}).items():
        label = METHODS[method].label if method in METHODS else "Random words"
        shares = stored.settings["shares"]
        rows += [(method, label, *point) for point in zip(shares, points["mean"], points["low"], points["high"])]  # noqa: B905
    return _floats(pd.DataFrame(rows, columns=list(_CURVE)), "p", "low", "high")


def falls(stored: Stored, weights: Mapping[str, str] | None = None) -> pd.DataFrame:
    """How much faster than by chance a verdict falls, for every model and method.

    Args:
        stored: The result.
        weights: Model name → sha256 of the weights in use; figures of other weights are left out.

    Returns:
        One row each, with `name`, `model` (its label), `method`, `label`; `mean` over the reviews, in P, with half of
        its 95 % interval, `margin`, and the quartiles `low` and `high`; the mean with signs ignored, `by_size`; and
        the share of reviews in which the method does better than most random orders, `beats_chance`.
    """
    rows = []
    for name in usable(stored, weights):
        for method, found in stored.results[name]["falls"].items():
            row = {"name": name, "model": MODELS[name].label, "method": method, "label": METHODS[method].label}
            rows.append({**row, **found})
    return pd.DataFrame(rows, columns=list(_FALL))


def usable(stored: Stored, weights: Mapping[str, str] | None = None) -> list[str]:
    """The models whose figures may be shown: those measured on the weights in use."""
    return [name for name in MODELS if name in stored.results and stored.holds_for(name, weights)]


def chance(stored: Stored, names: Sequence[str]) -> tuple[float, float]:
    """Between which falls eight of ten single random orders lie, over these models."""
    bounds = np.array([stored.results[name]["random_falls"] for name in names])
    return float(bounds[:, 0].min()), float(bounds[:, 1].max())


def finding(table: pd.DataFrame) -> str:
    """What taking words away shows of one model, as a sentence.

    Args:
        table: The rows of `falls` of that model; may be empty.
    """
    if table.empty:
        return "Do the words that an explanation points at matter?"
    best = table.sort_values("mean").iloc[-1]
    sentence = (
        f"Without the words found by {_in_words(best['method'])}, the {best['model']}'s verdict falls "
        f"{_points(best['mean'])} further than without random ones"
    )
    looked = table[~table["method"].isin(SIGNED)]
    if looked.empty or not METHODS[best["method"]].signed:
        return sentence
    most = looked.sort_values("mean").iloc[-1]
    if most["mean"] <= most["margin"]:
        return f"{sentence}; without those it looked at, no further"
    return f"{sentence}; without those found by {_in_words(most['method'])}, {_points(most['mean'])}"


def fair_finding(table: pd.DataFrame) -> str:
    """How the best method compares with attention once signs are ignored, which attention has none of, as a sentence.

    Args:
        table: As `falls` returns it; may hold no model with attention.
    """
    attends = table[~table["method"].isin(SIGNED)]
    if attends.empty:
        return "How much the words matter, model by model"
    looked = attends.sort_values("by_size").iloc[-1]
    rivals = table[(table["name"] == looked["name"]) & table["method"].isin(SIGNED)].sort_values("by_size")
    ours = f"{_in_words(looked['method'])} {_points(looked['by_size'])}"
    if rivals.empty:
        return f"From the {looked['model']}'s verdict, {ours}"
    best = rivals.iloc[-1]
    takes = "take" if best["method"] == "integrated_gradients" else "takes"
    return (
        f"With signs ignored, {_in_words(best['method'])} {takes} {_points(best['by_size'])} from the "
        f"{looked['model']}'s verdict, {ours}"
    )


def agreement(table: pd.DataFrame) -> str:
    """Which two methods agree most and which least, as a sentence.

    Args:
        table: As `correlations` or `correlations_of` return it, with labels in the place of names.
    """
    known = table.dropna(subset=["rho"]).sort_values("rho", kind="stable")
    if known.empty:
        return "There are no two orders of words to compare."
    most, least = known.iloc[-1], known.iloc[0]
    pair = "{} and {} agree {} ({:.2f})"
    sentence = pair.format(most["one"], most["other"], "most", most["rho"])
    if len(known) > 1:
        sentence += "; " + pair.format(least["one"], least["other"], "least", least["rho"])
    return f"{sentence}."


def completeness_words(stored: Stored, name: str) -> str:
    """How well integrated gradients added up over the reviews, in a sentence."""
    found = stored.results[name]["completeness"]
    median, worst = (_per_cent(found[key]) for key in ("median", "worst_of_twenty"))
    return (
        f"Integrated gradients missed their sum by {median} of it in the median review; the worst of twenty "
        f"misses {worst}; {100 * found['complete']:.0f}\u00a0% of the reviews met the bound of "
        f"{100 * stored.settings['tolerance']:.0f}\u00a0%."
    )


@dataclass(frozen=True, kw_only=True)
class _Review:
    """What is found in one review.

    Attributes:
        found: Every method's figures.
        deleted: What taking their words away does.
        missed: By what share integrated gradients miss their sum.
        is_complete: Whether that is little enough.
        n_steps: Points they took.
        zeros_logit: What the model says of vectors of zeros.
        zeros_fall: As `deleted.fall` for integrated gradients from there.
    """

    found: Attributions
    deleted: Deletion
    missed: float
    is_complete: bool
    n_steps: int
    zeros_logit: float
    zeros_fall: float


def _of_review(model: Classifier, text: str) -> _Review:
    from seqdemo.explain import attributions, deletion

    ids = model.vocabulary.require(text).ids
    integrated = attributions.integrated_gradients(model, ids)
    found = {
        "integrated_gradients": integrated.values,
        "gradient_x_input": attributions.gradient_x_input(model, ids),
        "leave_one_out": attributions.leave_one_out(model, ids),
        **attributions.attention(model, ids),
    }
    zeros = attributions.integrated_gradients(model, ids, baseline="zeros")
    without = deletion.delete(model, ids, {"integrated_gradients": zeros.values})
    return _Review(
        found=found,
        deleted=deletion.delete(model, ids, found),
        missed=integrated.error / max(abs(integrated.difference), attributions.LEAST_LOGITS),
        is_complete=integrated.is_complete,
        n_steps=integrated.n_steps,
        zeros_logit=zeros.baseline,
        zeros_fall=without.fall("integrated_gradients"),
    )


def _summary(reviews: Sequence[_Review]) -> dict[str, Any]:
    methods = list(reviews[0].found)
    deletions = [review.deleted for review in reviews]
    missed = np.array([review.missed for review in reviews])
    found = [review.found for review in reviews]
    pairs = combinations(methods, 2)
    random_falls = np.array([deleted.random_falls for deleted in deletions])  # (review, order)
    measured = {}
    for method in methods:
        fall = np.array([deleted.fall(method) for deleted in deletions])
        beats = fall > np.quantile(random_falls, BETTER_THAN, axis=1)
        measured[method] = {
            "mean": rounded(fall.mean()),
            "margin": rounded(1.96 * fall.std(ddof=1) / np.sqrt(len(fall))) if len(fall) > 1 else 0.0,
            "low": rounded(np.quantile(fall, 0.25)),
            "high": rounded(np.quantile(fall, 0.75)),
            "by_size": rounded(float(np.mean([deleted.fall(method, by_size=True) for deleted in deletions]))),
            "beats_chance": rounded(beats.mean()),
        }
    return {
        "positive": rounded(float(np.mean([deleted.positive for deleted in deletions]))),
        "correlations": {
            f"{one}|{other}": _quartiles([rank_correlation(each[one], each[other]) for each in found])
            for one, other in pairs
        },
        "curves": {
            **{method: _spread(np.array([deleted.curves[method] for deleted in deletions])) for method in methods},
            RANDOM: _spread(np.concatenate([deleted.random for deleted in deletions])),
        },
        "falls": measured,
        "random_falls": [rounded(value) for value in np.quantile(random_falls, (0.1, 0.9))],
        "completeness": {
            "median": rounded(np.median(missed)),
            "worst_of_twenty": rounded(np.quantile(missed, 0.95)),
            "largest": rounded(missed.max()),
            "complete": rounded(float(np.mean([review.is_complete for review in reviews]))),
            "most_points": max(review.n_steps for review in reviews),
        },
        "from_zeros": {
            "logit": rounded(float(np.mean([review.zeros_logit for review in reviews]))),
            "mean": rounded(float(np.mean([review.zeros_fall for review in reviews]))),
        },
    }


def _quartiles(values: Sequence[float]) -> list[float | None]:
    known = [value for value in values if not np.isnan(value)]
    return [rounded(value) for value in np.quantile(known, (0.25, 0.5, 0.75))] if known else [None] * 3


def _spread(curves: npt.NDArray[np.float64]) -> dict[str, list[float]]:
    """Mean and quartiles of curves (n, n_shares)."""
    low, high = np.quantile(curves, (0.25, 0.75), axis=0)
    found = {"mean": curves.mean(axis=0), "low": low, "high": high}
    return {name: [rounded(value) for value in values] for name, values in found.items()}


def _floats(table: pd.DataFrame, *columns: str) -> pd.DataFrame:
    return table.astype(dict.fromkeys(columns, float))


def _in_words(method: str) -> str:
    return {"leave_one_out": "leaving one out"}.get(method, METHODS[method].label.lower())


def _per_cent(share: float) -> str:
    return "less than 0.01\u00a0%" if share < 1e-4 else f"{100 * share:.2g}\u00a0%"


def _points(fall: float) -> str:
    points = round(100 * fall)
    return f"{points} point{'' if abs(points) == 1 else 's'}"
