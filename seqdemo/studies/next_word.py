"""How well the language models foretell the next word of real reviews, beside counting words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from seqdemo.models.registry import MODELS
from seqdemo.studies.study import Inputs, Measurement, Stored, Study, rounded
from seqdemo.text import PAD_ID, SENTENCE_ENDS, UNKNOWN_ID, Token, Vocabulary, tokenize

if TYPE_CHECKING:
    from seqdemo.checkpoints.language_model import LanguageModel

N_WORDS = 200_000
ORDERS = {"unigram": 1, "bigram": 2, "trigram": 3, "five_gram": 5}
"""Words of the longest runs that are counted, by the name of the baseline."""
LABELS = {
    "unigram": "how often a word is written",
    "bigram": "counting pairs",
    "trigram": "counting runs of 3",
    "five_gram": "counting runs of 5",
}
"""The baselines as a reader has them."""
CLASSES = {
    "all": "all words",
    "function": "function words",
    "names": "names",
    "after_not": "after a negation",
    "first": "first word of a sentence",
    "other": "other words",
}
"""Kinds of words as a reader has them; one word can be of several."""
_CLOSED = """
a about after all also an and any are as at be because been before being but by can could did do does for from had
has have he her him his how i if in into is it its just me more most my no nor not of off on one only or other our
out over she should so some such than that the their them then there these they this those through to too under up
us was we were what when where which while who whom whose why will with would you your
"""
FUNCTION_WORDS = frozenset(_CLOSED.split())
"""Words of closed classes: articles, pronouns, prepositions, conjunctions, auxiliaries, quantities."""
_NEGATIONS = frozenset({"not", "never", "no", "cannot"})
_PIECE = 4_000
"""Words that are read at once."""
_PUBLISHED = "AWD-LSTM, first trained on other text: perplexity 53 (fastai course v3, other tokens and another split)"

Floats = npt.NDArray[np.float64]
Ids = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Words:
    """Reviews behind each other.

    Attributes:
        ids: The end of a text, then the words of each review and its end, int64 (1 + n,).
        texts: Of each but the first: which review it is of, int64 (n,).
        kinds: Name of a class → whether each but the first is of it, bool (n,); ends of texts are of none.
    """

    ids: Ids
    texts: Ids
    kinds: Mapping[str, npt.NDArray[np.bool_]]


def measure(inputs: Inputs) -> Measurement:
    """Reads the first test reviews, and counts the words of those that the language models have learned from.

    Args:
        inputs: The language models, which share one vocabulary; the reviews' folder; the limit stands for `N_WORDS`.

    Raises:
        DataError: The reviews cannot be read.
    """
    from seqdemo.data import corpus, imdb
    from seqdemo.studies.kneser_ney import KneserNey

    vocabulary = next(iter(inputs.models.values())).vocabulary
    words = first_words(imdb.load("test", inputs.data).texts, vocabulary, inputs.limit or N_WORDS)
    results: dict[str, Any] = {}
    for name, model in inputs.models.items():
        results[name] = figures(*_read(model, words.ids), words)
        inputs.say(_line(MODELS[name].label, results[name]))
    stream = corpus.load(inputs.data, vocabulary=vocabulary).training
    for name, order in ORDERS.items():
        counted = KneserNey(np.concatenate([words.ids[:1], stream]), len(vocabulary), order)
        results[name] = figures(*counted.chances_in_text(words.ids), words)
        inputs.say(_line(LABELS[name], results[name]))
    counted_words = words.kinds["all"]
    return Measurement(
        n=int(counted_words.sum()),
        seed=None,
        settings={
            "reviews": "the first of the test split, behind each other; the state is carried on from one to the next",
            "reviews_read": int(words.texts.max()) + 1,
            "unknown_share": rounded(float((words.ids[1:] == UNKNOWN_ID)[counted_words].mean())),
            "an_unknown_word": "is right where a model says that an unknown word comes",
            "counted_words": len(stream),
            "counting": "interpolated modified Kneser-Ney (Chen & Goodman 1998) on the training text of the models",
            "interval": "95 %, over reviews",
            "published": _PUBLISHED,
        },
        results=results,
    )


def first_words(texts: Sequence[str], vocabulary: Vocabulary, n_words: int) -> Words:
    """The first reviews, whole, until there are so many words.

    Args:
        texts: The reviews; at least one.
        vocabulary: Theirs that read.
        n_words: Words of which the last review may hold more.
    """
    ids, n = [[PAD_ID]], 0
    of_text: list[int] = []
    kinds: dict[str, list[bool]] = {name: [] for name in CLASSES}
    for number, text in enumerate(texts):
        if n >= n_words:
            break
        tokens = tokenize(text, version=vocabulary.version)[: n_words - n]
        n += len(tokens)
        ids += [vocabulary.encode([token.text for token in tokens]), [PAD_ID]]
        of_text += [number] * (len(tokens) + 1)
        for name, found in _kinds(tokens, text).items():
            kinds[name] += [*found, False]
    return Words(
        np.concatenate([np.array(part, dtype=np.int64) for part in ids]),
        np.array(of_text),
        {name: np.array(found, dtype=bool) for name, found in kinds.items()},
    )


def _kinds(tokens: Sequence[Token], text: str) -> dict[str, list[bool]]:
    found: dict[str, list[bool]] = {name: [] for name in CLASSES}
    before = "."
    for token in tokens:
        is_word = token.text[0].isalpha()
        is_first = before in SENTENCE_ENDS and is_word
        spelt = text[token.start : token.end]
        has_capital = spelt[0].isupper() and not spelt.isupper() and not spelt.startswith("I'")
        kinds = {
            "all": True,
            "function": token.text in FUNCTION_WORDS,
            "names": is_word and not is_first and has_capital,
            "after_not": is_word and (before in _NEGATIONS or before.endswith("n't")),
            "first": is_first,
        }
        kinds["other"] = is_word and not any(kinds[name] for name in ("function", "names", "after_not", "first"))
        for name, is_of_it in kinds.items():
            found[name].append(is_of_it)
        before = token.text
    return found


def _read(model: LanguageModel, ids: Ids) -> tuple[Floats, Ids]:
    """How likely each word was, and its rank."""
    from seqdemo.models import writing

    parts, state = [], None
    for start in range(0, len(ids) - 1, _PIECE):
        p, ranks, state = writing.chances_in_text(model.one_way, ids[start : start + _PIECE + 1], state)
        parts.append((p, ranks))
    p, ranks = (np.concatenate(column) for column in zip(*parts, strict=True))
    return p, ranks


def figures(p: Floats, ranks: Ids, words: Words) -> dict[str, dict[str, float]]:
    """What is said of each kind of words.

    Args:
        p: Of each word but the first, as a model held it.
        ranks: Its place among all words, 1 for the likeliest.
        words: What was read.

    Returns:
        Name of a class → `n`, `nats` (mean surprise), `perplexity` with `low` and `high` of its 95 % interval over
        reviews, `top1` and `top5` (shares). A class without a word is left out.
    """
    found = {}
    for name, chosen in words.kinds.items():
        if not chosen.any():
            continue
        nats = -np.log(p[chosen])
        mean = float(nats.mean())
        half = 1.96 * error_of_mean(nats, words.texts[chosen])
        found[name] = {
            "n": int(chosen.sum()),
            "nats": rounded(mean, 5),
            "perplexity": rounded(math.exp(mean)),
            "low": rounded(math.exp(mean - half)),
            "high": rounded(math.exp(mean + half)),
            "top1": rounded(float((ranks[chosen] == 1).mean())),
            "top5": rounded(float((ranks[chosen] <= 5).mean())),
        }
    return found


def error_of_mean(values: Floats, groups: Ids) -> float:
    """The standard error of a mean of values that come in groups, whose members are alike (a ratio estimator).

    Args:
        values: (n,).
        groups: Which group each is of, (n,).
    """
    apart = values - values.mean()
    sums = np.bincount(groups, weights=apart)
    return float(np.sqrt((sums**2).sum()) / len(values))


STUDY = Study(
    name="next_word",
    question="How well does each language model foretell the next word, beside counting words?",
    measure=measure,
    of="language model",
)


def frame(stored: Stored, weights: Mapping[str, str] | None = None) -> pd.DataFrame:
    """The stored result as a table.

    Args:
        stored: The result.
        weights: Model name → sha256 of the weights in use; figures of other weights are left out.

    Returns:
        One row for each model or baseline and class of words, with `name`, `label`, `baseline` (bool), `kind` (the
        class), `words` (the class as a reader has it), `n`, `nats`, `perplexity`, `low`, `high`, `top1`, `top5`.
    """
    rows = []
    for name, found in stored.results.items():
        baseline = name in LABELS
        if not baseline and (name not in MODELS or not stored.holds_for(name, weights)):
            continue
        label = LABELS[name] if baseline else MODELS[name].label
        rows += [
            {"name": name, "label": label, "baseline": baseline, "kind": kind, "words": CLASSES[kind], **of_kind}
            for kind, of_kind in found.items()
        ]
    columns = ["name", "label", "baseline", "kind", "words", "n", "nats", "perplexity", "low", "high", "top1", "top5"]
    return pd.DataFrame(rows, columns=columns)


def finding(table: pd.DataFrame) -> str:
    """Which model foretells best and what counting does, as a sentence."""
    every = table[table["kind"] == "all"]
    models, counted = every[~every["baseline"]], every[every["baseline"]]
    if models.empty or counted.empty:
        return "How well does each model foretell the next word?"
    ordered = models.sort_values("perplexity")
    best, worst = ordered.iloc[0], ordered.iloc[-1]
    baseline = counted.sort_values("perplexity").iloc[0]
    said = f"The {best['label']} names one next word in {1 / best['top1']:.1f} rightly"
    share = worst["perplexity"] / baseline["perplexity"]
    if len(models) == 1:
        return said
    if share > 1.02:
        return f"{said}; the {worst['label']} does worse than {baseline['label']}"
    if share > 0.9:
        return f"{said}; the {worst['label']} hardly beats {baseline['label']}"
    return f"{said}; all beat {baseline['label']}"


def _line(label: str, found: Mapping[str, Mapping[str, float]]) -> str:
    every = found["all"]
    return (
        f"{label}: perplexity {every['perplexity']:.1f} ({every['low']:.1f} to {every['high']:.1f}), "
        f"right {every['top1']:.1%}, among five {every['top5']:.1%}"
    )
