"""The reviews that a study reads: held-out ones of the right length, drawn at random."""

from __future__ import annotations

import math

import numpy as np

from seqdemo.errors import DataError
from seqdemo.studies.study import Inputs


def draw(inputs: Inputs, n: int, *, seed: int, least: int, most: int | None = None) -> list[str]:
    """Draws whole reviews from the validation rows of the training split.

    Args:
        inputs: The reviews' folder; its first model counts tokens, its limit stands in for n.
        n: How many, at most.
        seed: Start of chance.
        least: Tokens of a review, at least.
        most: Tokens of a review, at most; None for any number.

    Returns:
        The texts, in the order of the split.

    Raises:
        DataError: No held-out review is of that length.
    """
    from seqdemo.data import imdb

    reviews = imdb.load("train", inputs.data)
    _, validation = imdb.split_validation(reviews.labels)
    counting = next(iter(inputs.models.values()))
    fitting = [row for row in validation if least <= counting.read(reviews.texts[row]).n_found <= (most or math.inf)]
    if not fitting:
        wanted = f"{least} tokens; longer ones" if most is None else f"{least} to {most} tokens; shorter ones"
        raise DataError(f"None of the {len(validation):,} held-out reviews has {wanted} are needed.")
    drawn = np.random.default_rng(seed).permutation(len(fitting))[: inputs.limit or n]
    return [reviews.texts[fitting[k]] for k in np.sort(drawn)]
