"""How many neutral words a model reads until an opinion no longer shows in its verdict."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from seqdemo.data.fillers import FILLERS, opening
from seqdemo.errors import TextError
from seqdemo.explain.pieces import finished
from seqdemo.models.registry import MODELS
from seqdemo.studies.study import Inputs, Measurement, Stored, Study, listed, rounded
from seqdemo.text import MAX_TOKENS, tokenize

if TYPE_CHECKING:
    from seqdemo.checkpoints.classifier import Classifier

WORDS: tuple[int, ...] = (0, 10, 25, 50, 100, 150, 200, 300)
"""Neutral words beside the opinion."""
SENTENCES: dict[str, str] = {
    "positive": "This is a wonderful film, and I loved every minute of it.",
    "negative": "This is a terrible film, and I hated every minute of it.",
}
PLACES = ("first", "last")
ALONE = "alone"
LOST = 0.10
"""An opinion counts as lost where it moves P(positive) by less than this, beside the filler alone."""
N_TEXTS = len(PLACES) * len(WORDS) * len(FILLERS)
"""Texts that a model reads for one sentence."""
N_ALONE = (len(WORDS) - 1) * len(FILLERS)
"""Texts that it reads for the fillers without an opinion."""
_COLUMNS = ("name", "model", "place", "words", "low", "median", "high")

Sweep = Mapping[str, Mapping[str, Sequence[Sequence[float]]]]
"""Model name → place → for each entry of `WORDS`, P(positive) with each of the fillers; alone begins at 10 words."""


def measure(inputs: Inputs) -> Measurement:
    """Measures both built-in sentences, and the fillers without any opinion."""
    results: dict[str, Any] = {"sentences": {}}
    for kind, sentence in SENTENCES.items():
        results["sentences"][kind] = sweep(inputs.models, sentence)
        inputs.say(f"{sentence} measured")
    results[ALONE] = sweep_alone(inputs.models)
    return Measurement(
        n=len(FILLERS),
        seed=None,
        settings={
            "sentences": dict(SENTENCES),
            "words": list(WORDS),
            "fillers": list(FILLERS),
            "fillers_tokens_at_most": max(len(tokenize(opening(name, WORDS[-1]))) for name in FILLERS),
        },
        results=results,
    )


STUDY = Study(
    name="fillers",
    question="How many neutral words does a model read until it forgets an opinion?",
    measure=measure,
)


def sweep(models: Mapping[str, Classifier], sentence: str) -> dict[str, dict[str, list[list[float]]]]:
    """P(positive) of an opinion with more and more neutral words after or before it.

    Args:
        models: Name → model.
        sentence: The opinion; with 300 neutral words it must fit into what a model reads.

    Returns:
        Model name → place of the opinion → for each entry of `WORDS`, one value a filler.

    Raises:
        TextError: No word to read, or too many.
    """
    sentence = checked(sentence)
    return {name: finished(sweep_pieces(model, sentence)) for name, model in models.items()}


def sweep_pieces(model: Classifier, sentence: str) -> Generator[None, None, dict[str, list[list[float]]]]:
    """The same of one model, one piece for each place and entry of `WORDS`.

    Args:
        model: Who reads.
        sentence: As `checked` gives it.
    """
    found: dict[str, list[list[float]]] = {place: [] for place in PLACES}
    for place in PLACES:
        for n in WORDS:
            found[place].append(_ask(model, [_join(sentence, opening(filler, n), place) for filler in FILLERS]))
            yield
    return found


def sweep_alone(models: Mapping[str, Classifier]) -> dict[str, list[list[float]]]:
    """P(positive) of the fillers without an opinion: model name → for each entry of `WORDS` but 0, one a filler."""
    return {name: finished(alone_pieces(model)) for name, model in models.items()}


def alone_pieces(model: Classifier) -> Generator[None, None, list[list[float]]]:
    """The same of one model, one piece for each entry of `WORDS` but 0."""
    found = []
    for words in WORDS[1:]:
        found.append(_ask(model, [opening(filler, words) for filler in FILLERS]))
        yield
    return found


def checked(sentence: str) -> str:
    """The sentence with a mark at its end.

    Raises:
        TextError: It holds no word, or so many that 300 more would not be read.
    """
    sentence = " ".join(sentence.split())
    found = len(tokenize(sentence))
    room = MAX_TOKENS - 1 - max(len(tokenize(opening(name, WORDS[-1]))) for name in FILLERS)
    if not any(character.isalnum() for character in sentence) or not found:
        raise TextError("There is no word to read. Write an opinion in one sentence.")
    if found > room:
        raise TextError(
            f"The sentence has {found} words and marks. It may have {room}, so that the models read all of it beside "
            f"{WORDS[-1]} neutral words."
        )
    return sentence if sentence[-1] in ".!?…" else f"{sentence}."


def frame(found: Sweep, alone: Mapping[str, Sequence[Sequence[float]]]) -> pd.DataFrame:
    """A sweep as a table.

    Args:
        found: As `sweep` returns it.
        alone: Model name → for each entry of `WORDS` but the first, P(positive) of each filler without an opinion.

    Returns:
        One row for each model, place and number of words, with `name`, `model` (its label), `place` (first, last or
        alone), `words`, the quartiles of P(positive) over the fillers, `low`, `median` and `high`, and `moved`: by how
        much the opinion moves P(positive) beside the same filler alone, the median over the fillers; missing where
        there is nothing to compare with.
    """
    rows = []
    for name in (name for name in MODELS if name in found):
        curves = {**found[name], **({ALONE: [[], *alone[name]]} if name in alone else {})}
        for place, values in curves.items():
            for k, over_fillers in enumerate(values):
                if over_fillers:
                    row = _row(name, place, WORDS[k], over_fillers)
                    if place != ALONE and k and name in alone:
                        row["moved"] = float(np.median(np.subtract(over_fillers, alone[name][k - 1])))
                    rows.append(row)
    return pd.DataFrame(rows, columns=[*_COLUMNS, "moved"])


def difference(positive: Sweep, negative: Sweep) -> pd.DataFrame:
    """What is left of the difference between a positive and a negative opinion, beside the same neutral words.

    Args:
        positive: As `sweep` returns it.
        negative: The same for the other sentence, with the same models.

    Returns:
        The columns of `frame` but `moved`: quartiles over the fillers of P(positive) with the one minus with the other.
    """
    rows = [
        _row(name, place, words, np.subtract(one, other).tolist())
        for name in (name for name in MODELS if name in positive)
        for place in PLACES
        for words, one, other in zip(WORDS, positive[name][place], negative[name][place], strict=True)
    ]
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def difference_finding(table: pd.DataFrame, place: str = "first") -> str:
    """Which model keeps least of the difference and which most, as a sentence."""
    left: dict[str, tuple[float, float]] = {}
    for model, part in table[table["place"] == place].groupby("model", sort=False):
        medians = part.set_index("words")["median"]
        left[str(model)] = (100 * medians[WORDS[-1]], 100 * medians[WORDS[0]])
    if not left:
        return "How many words until it forgets?"
    share = {model: now / max(before, 1) for model, (now, before) in left.items()}
    least, most = min(share, key=lambda model: share[model]), max(share, key=lambda model: share[model])
    words = {model: f"the {model} {now:.0f} of {before:.0f}" for model, (now, before) in left.items()}
    sentence = f"{WORDS[-1]} neutral words leave {words[least]} points between praise and scorn"
    return sentence if least == most else f"{sentence}, {words[most]}"


def lost_after(table: pd.DataFrame, place: str = "first") -> dict[str, int | None]:
    """After how many neutral words each model has lost the opinion.

    Args:
        table: As `frame` returns it.
        place: Where the opinion stands.

    Returns:
        Label → the first number of words from which on the opinion moves P(positive) by less than `LOST` beside
        the same filler alone, as the median over the fillers; None where it is never lost.
    """
    found: dict[str, int | None] = {}
    for model, part in table.groupby("model", sort=False):
        gone = part[part["place"] == place].set_index("words")["moved"].dropna().abs() < LOST
        if gone.empty:
            continue
        since = None
        for words in sorted(gone.index, reverse=True):
            if not gone[words]:
                break
            since = int(words)
        found[str(model)] = since
    return found


def finding(table: pd.DataFrame, place: str = "first") -> str:
    """After how many words which model has lost the opinion, as a sentence."""
    lost = lost_after(table, place)
    if not lost:
        return "How many words until it forgets?"
    groups: dict[int, list[str]] = {}
    for model, words in lost.items():
        if words is not None:
            groups.setdefault(words, []).append(model)
    kept = [model for model, words in lost.items() if words is None]
    if not groups:
        return f"No model has lost the opinion after {WORDS[-1]} neutral words"
    parts: list[str] = []
    for words, models in sorted(groups.items()):
        who = f"the {listed(models)} {'has' if len(models) == 1 else 'have'} lost the opinion" if not parts else ""
        parts.append(f"after {words} neutral words {who}" if not parts else f"after {words} the {listed(models)}")
    sentence = ", ".join(parts)
    if kept:
        sentence += f"; the {listed(kept)} still {'shows' if len(kept) == 1 else 'show'} it after {WORDS[-1]}"
    return sentence[0].upper() + sentence[1:]


def alone_table(alone: Mapping[str, Sequence[Sequence[float]]]) -> pd.DataFrame:
    """P(positive) of 300 words of each filler and nothing else: a row a filler, a column a model."""
    columns = {MODELS[name].label: alone[name][-1] for name in MODELS if name in alone}
    return pd.DataFrame({"filler": list(FILLERS), **columns})


def alone_words(alone: Mapping[str, Sequence[Sequence[float]]]) -> str:
    """By how much the fillers move each model on their own, as a sentence."""
    parts = []
    for name in (name for name in MODELS if name in alone):
        low, high = (round(100 * value) for value in (min(alone[name][-1]), max(alone[name][-1])))
        parts.append(f"{MODELS[name].label} {low} to {high}\u00a0%")
    return f"{WORDS[-1]} words of each filler alone, without any opinion, are read as positive by: {'; '.join(parts)}."


def usable(stored: Stored, weights: Mapping[str, str] | None = None) -> list[str]:
    """The models whose figures are those of the weights in use."""
    return [name for name in stored.checkpoints if stored.holds_for(name, weights)]


def _row(name: str, place: str, words: int, values: Sequence[float]) -> dict[str, Any]:
    low, median, high = np.quantile(values, (0.25, 0.5, 0.75))
    return dict(zip(_COLUMNS, (name, MODELS[name].label, place, words, low, median, high), strict=True))


def _ask(model: Classifier, texts: Sequence[str]) -> list[float]:
    return [rounded(float(probability)) for probability in model.predict_proba(texts)]


def _join(sentence: str, filler: str, place: str) -> str:
    return f"{sentence} {filler}".strip() if place == "first" else f"{filler} {sentence}".strip()
