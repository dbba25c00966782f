"""Whether the language models recite: which share of what they write stands in what they have read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from seqdemo.models.registry import MODELS
from seqdemo.studies.next_word import error_of_mean
from seqdemo.studies.study import Inputs, Measurement, Stored, Study, rounded
from seqdemo.text import PAD_ID, UNKNOWN_ID

if TYPE_CHECKING:
    from seqdemo.checkpoints.language_model import LanguageModel

N_TEXTS = 200
N_WORDS = 60
SEED = 1
TEMPERATURES = (0.5, 0.8, 1.0)
RUNS = (4, 6, 8)
"""Words of the runs that are looked for."""
REVIEWS = "reviews"
"""What people wrote, as a row of the result."""

Ids = npt.NDArray[np.int64]


def measure(inputs: Inputs) -> Measurement:
    """Lets each model write, and looks for runs of its words in the text that it has learned from.

    Args:
        inputs: The language models, which share one vocabulary; the reviews' folder; the limit stands for `N_TEXTS`.

    Raises:
        DataError: The reviews cannot be read.
    """
    from seqdemo.data import corpus

    n_texts = inputs.limit or N_TEXTS
    vocabulary = next(iter(inputs.models.values())).vocabulary
    read = corpus.load(inputs.data, vocabulary=vocabulary)
    written: dict[tuple[str, float | None], list[Ids]] = {(REVIEWS, None): _excerpts(read.validation, n_texts)}
    for name, model in inputs.models.items():
        for temperature in TEMPERATURES:
            written[name, temperature] = write(model, n_texts, temperature)
            inputs.say(f"{MODELS[name].label} wrote {n_texts} texts at temperature {temperature:g}")
    copied = {n: copied_runs(read.training, written, n, len(vocabulary)) for n in RUNS}
    rows = [
        {
            "name": name,
            "temperature": temperature,
            "copied": {str(n): copied[n][name, temperature] for n in RUNS},
            **variety(texts),
        }
        for (name, temperature), texts in written.items()
    ]
    return Measurement(
        n=n_texts,
        seed=SEED,
        settings={
            "words": N_WORDS,
            "beginning": "none: a model writes from the end of another text on",
            "reviews": "as many words from anywhere in a held-out review",
            "runs": list(RUNS),
            "learned_from": len(read.training),
            "left_out": "runs with an unknown word",
            "interval": "95 %, over texts",
        },
        results={"rows": rows},
    )


def write(model: LanguageModel, n_texts: int, temperature: float) -> list[Ids]:
    """Texts of `N_WORDS` words, drawn side by side from nothing.

    Args:
        model: Of the next word.
        n_texts: How many.
        temperature: As for `models.writing.Sampling`.
    """
    import torch

    from seqdemo.models.writing import Sampling, draw

    rng, sampling = np.random.default_rng(SEED), Sampling(temperature=temperature)
    ids, state, words = np.full(n_texts, PAD_ID), None, []
    for _ in range(N_WORDS):
        with torch.inference_mode():
            states, state = model.one_way.states(torch.from_numpy(ids)[:, None], state)
            logits = model.one_way.decoder(states[:, 0], model.one_way.embedding.weight)
            chances = logits.double().softmax(-1).numpy()
        ids = np.array([draw(model.drawn_with(of_text, sampling), rng) for of_text in chances])
        words.append(ids)
    return list(np.stack(words, axis=1))


def _excerpts(stream: Ids, n: int) -> list[Ids]:
    """So many words from anywhere in as many held-out reviews; a review that is shorter is passed over."""
    rng = np.random.default_rng(SEED)
    reviews = [review for review in np.split(stream, np.flatnonzero(stream == PAD_ID) + 1) if len(review) > N_WORDS]
    found = []
    for review in rng.permutation(len(reviews))[:n].tolist():
        start = int(rng.integers(0, len(reviews[review]) - N_WORDS))
        found.append(reviews[review][start : start + N_WORDS])
    return found


def copied_runs(
    read: Ids, written: Mapping[Any, Sequence[Ids]], n: int, vocab_size: int
) -> dict[Any, dict[str, float]]:
    """The share of runs of n words that stand in a text.

    Args:
        read: The text, int64 (words,).
        written: Of each writer: its texts.
        n: Words of a run.
        vocab_size: Words of the vocabulary.

    Returns:
        Writer → `share`, with `low` and `high` of its 95 % interval over texts.
    """
    # A run is told by the sum of one random number for each of its words and places, modulo 2^64: that two different
    # ones among 20 million have the same sum has a chance of one in a hundred thousand.
    numbers = np.random.default_rng(0).integers(0, 2**64, size=(n, vocab_size), dtype=np.uint64)
    known = np.sort(_sums(read, numbers))
    found = {}
    for writer, texts in written.items():
        copied, of_text = [], []
        for number, text in enumerate(texts):
            windows = np.lib.stride_tricks.sliding_window_view(text, n)
            whole = ~(windows == UNKNOWN_ID).any(axis=1)
            sums = _sums(text, numbers)[whole]
            copied.append(known[np.searchsorted(known, sums).clip(max=len(known) - 1)] == sums)
            of_text += [number] * int(whole.sum())
        values = np.concatenate(copied).astype(np.float64)
        share, half = float(values.mean()), 1.96 * error_of_mean(values, np.array(of_text))
        found[writer] = {
            "share": rounded(share),
            "low": rounded(max(share - half, 0.0)),
            "high": rounded(min(share + half, 1.0)),
        }
    return found


def _sums(words: Ids, numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    n = len(numbers)
    found: npt.NDArray[np.uint64] = numbers[0][words[: len(words) - n + 1]]
    for place in range(1, n):
        found = found + numbers[place][words[place : len(words) - n + 1 + place]]
    return found


def variety(texts: Sequence[Ids]) -> dict[str, float]:
    """How varied texts are.

    Returns:
        `distinct`: different pairs of words by pairs (distinct-2; Li et al. 2016, "A diversity-promoting objective
        function for neural conversation models"); `repeated`: the share of runs of 4 words that stand in the same text
        before.
    """
    pairs = [pair for text in texts for pair in _runs(text, 2)]
    repeated = [
        bool(run in runs[:k]) for text in texts for runs in [list(_runs(text, 4))] for k, run in enumerate(runs)
    ]
    return {"distinct": rounded(len(set(pairs)) / len(pairs)), "repeated": rounded(float(np.mean(repeated)))}


def _runs(text: Ids, n: int) -> Iterable[tuple[int, ...]]:
    words = text.tolist()
    return (tuple(words[k : k + n]) for k in range(len(words) - n + 1))


STUDY = Study(
    name="copies",
    question="Do the language models recite what they have read?",
    measure=measure,
    of="language model",
)


def frame(stored: Stored, weights: Mapping[str, str] | None = None) -> pd.DataFrame:
    """The stored result as a table.

    Args:
        stored: The result.
        weights: Model name → sha256 of the weights in use; figures of other weights are left out.

    Returns:
        One row for each writer, temperature and length of runs `n`: `name`, `model` (its label), `temperature` (NaN of
        reviews), `share`, `low`, `high`, `distinct`, `repeated`.
    """
    rows = []
    for row in stored.results["rows"]:
        name = row["name"]
        if name != REVIEWS and (name not in MODELS or not stored.holds_for(name, weights)):
            continue
        label = "people's reviews" if name == REVIEWS else MODELS[name].label
        for n, of_n in row["copied"].items():
            rows.append(
                {"name": name, "model": label, "temperature": row["temperature"], "n": int(n), **of_n}
                | {"distinct": row["distinct"], "repeated": row["repeated"]}
            )
    columns = ["name", "model", "temperature", "n", "share", "low", "high", "distinct", "repeated"]
    return pd.DataFrame(rows, columns=columns).astype({"temperature": float})


def finding(table: pd.DataFrame, n: int = 8, temperature: float = 0.8) -> str:
    """Whether they recite, as a sentence: the longest runs against those of real reviews."""
    part = table[table["n"] == n]
    people = part[part["name"] == REVIEWS]
    models = part[(part["name"] != REVIEWS) & (part["temperature"] == temperature)]
    if people.empty or models.empty:
        return "Do the models recite what they have read?"
    of_people, most = people.iloc[0], models.sort_values("share").iloc[-1]
    said = (
        f"Of runs of {n} words, {most['share']:.1%} of the {most['model']}'s stand in what it has read, "
        f"{of_people['share']:.1%} of real reviews'"
    ).replace("%", "\u00a0%")
    recites = most["low"] > of_people["high"]
    return f"{said}: {'more than people repeat each other' if recites else 'the models do not recite'}"
