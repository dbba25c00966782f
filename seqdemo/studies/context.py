"""How far back the language models use what they read: the next word from the last words alone, or from shuffled ones.

After Khandelwal et al. 2018, "Sharp nearby, fuzzy far away: how neural language models use context".
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from seqdemo.errors import DataError
from seqdemo.models.registry import MODELS
from seqdemo.studies.study import Inputs, Measurement, Stored, Study, listed, rounded
from seqdemo.text import PAD_ID, Vocabulary, tokenize

if TYPE_CHECKING:
    from seqdemo.checkpoints.language_model import LanguageModel

N_WORDS = 1_500
SEED = 1
LAST = (1, 2, 3, 5, 10, 20, 50, 100, 200)
"""How many of the words before are given."""
_BATCH = 250
NO_LOSS_NATS = 0.01
"""What counts as no loss: a perplexity one per cent above that with all words."""

Floats = npt.NDArray[np.float64]
Ids = npt.NDArray[np.int64]


def measure(inputs: Inputs) -> Measurement:
    """Asks for words of test reviews that have at least `LAST[-1]` words of their review before them.

    Args:
        inputs: The language models, which share one vocabulary; the reviews' folder; the limit stands for `N_WORDS`.

    Raises:
        DataError: The reviews cannot be read, or none is long enough.
    """
    from seqdemo.data import imdb

    vocabulary = next(iter(inputs.models.values())).vocabulary
    before, targets = _draw(imdb.load("test", inputs.data).texts, vocabulary, inputs.limit or N_WORDS)
    results: dict[str, Any] = {}
    for name, model in inputs.models.items():
        whole = _nats(model, before, targets)
        nearest = {k: _nats(model, [words[-k:] for words in before], targets) for k in LAST}
        rng = np.random.default_rng(SEED)
        shuffled = {
            k: _nats(model, [_shuffled(words[-LAST[-1] :], k, rng) for words in before], targets) for k in LAST[:-1]
        } | {LAST[-1]: nearest[LAST[-1]]}
        results[name] = {
            "all": rounded(math.exp(whole.mean())),
            "last": [_apart(nats, whole) for nats in nearest.values()],
            "shuffled": [_apart(nats, nearest[LAST[-1]]) for nats in shuffled.values()],
        }
        ahead = ", ".join(f"{k}: {math.exp(nats.mean()):.0f}" for k, nats in nearest.items())
        inputs.say(f"{MODELS[name].label}: perplexity {results[name]['all']:.1f}; of the last {ahead}")
    return Measurement(
        n=len(targets),
        seed=SEED,
        settings={
            "reviews": "test split; words drawn at random among those with enough words of their review before them",
            "last": list(LAST),
            "start": "the words that are given stand behind the end of a text, as a text does",
            "shuffled": f"of the last {LAST[-1]} words those farther back than so many are shuffled",
            "interval": "95 %, of the difference for the same words",
            "no_loss_nats": NO_LOSS_NATS,
        },
        results=results,
    )


def _draw(texts: Sequence[str], vocabulary: Vocabulary, n: int) -> tuple[list[Ids], Ids]:
    """Words that are asked for, at most one of a review, and all those before them."""
    rng = np.random.default_rng(SEED)
    before: list[Ids] = []
    targets: list[int] = []
    for number in rng.permutation(len(texts)).tolist():
        if len(targets) == n:
            break
        tokens = tokenize(texts[number], version=vocabulary.version)
        if len(tokens) <= LAST[-1]:
            continue
        ids = np.array(vocabulary.encode([token.text for token in tokens]), dtype=np.int64)
        place = int(rng.integers(LAST[-1], len(ids)))
        before.append(ids[:place])
        targets.append(int(ids[place]))
    if not targets:
        raise DataError(
            f"None of the {len(texts):,} test reviews has more than {LAST[-1]} words; longer ones are needed."
        )
    return before, np.array(targets)


def _shuffled(words: Ids, kept: int, rng: np.random.Generator) -> Ids:
    """The words with all but the last few in another order."""
    return np.concatenate([rng.permutation(words[:-kept]), words[-kept:]])


def _nats(model: LanguageModel, before: list[Ids], targets: Ids) -> Floats:
    """How surprising each word was after the words before it, in nats."""
    import torch

    nats = np.empty(len(targets))
    module = model.one_way
    order = np.argsort([len(words) for words in before], kind="stable")
    for start in range(0, len(order), _BATCH):
        rows = order[start : start + _BATCH]
        lengths = torch.tensor([len(before[row]) for row in rows])
        ids = torch.full((len(rows), int(lengths.max()) + 1), PAD_ID)  # the end of a text stands before each
        for k, row in enumerate(rows.tolist()):
            ids[k, 1 : 1 + len(before[row])] = torch.from_numpy(before[row])
        with torch.inference_mode():
            states, _ = module.states(ids)
            last = states[torch.arange(len(rows)), lengths]
            logits = module.decoder(last, module.embedding.weight).double()
            own = logits.gather(1, torch.from_numpy(targets[rows])[:, None])[:, 0]
            nats[rows] = (logits.logsumexp(1) - own).numpy()
    return nats


def _apart(nats: Floats, whole: Floats) -> dict[str, float]:
    """How much more surprising the same words are, in nats, with its 95 % interval."""
    apart = nats - whole
    half = 1.96 * float(apart.std(ddof=1)) / math.sqrt(len(apart)) if len(apart) > 1 else 0.0
    mean = float(apart.mean())
    return {"nats": rounded(mean), "low": rounded(mean - half), "high": rounded(mean + half)}


STUDY = Study(
    name="context",
    question="How many of the words before does each language model use?",
    measure=measure,
    of="language model",
)


def frame(stored: Stored, weights: Mapping[str, str] | None = None) -> pd.DataFrame:
    """The stored result as a table.

    Args:
        stored: The result.
        weights: Model name → sha256 of the weights in use; figures of other weights are left out.

    Returns:
        One row for each model, way (`last`: the others are missing; `shuffled`: they are shuffled) and number of words
        `k`: `name`, `model` (its label), `way`, `k`, and the loss in `nats`, `low`, `high`; `all` is the perplexity
        with all words.
    """
    rows = []
    for name in MODELS:
        found = stored.results.get(name)
        if found is None or not stored.holds_for(name, weights):
            continue
        for way in ("last", "shuffled"):
            for k, of_k in zip(stored.settings["last"], found[way], strict=True):
                rows.append(
                    {"name": name, "model": MODELS[name].label, "way": way, "k": k, "all": found["all"], **of_k}
                )
    return pd.DataFrame(rows, columns=["name", "model", "way", "k", "all", "nats", "low", "high"])


def finding(table: pd.DataFrame) -> str:
    """How many words each model uses, as a sentence."""
    reach = used(table)
    if not reach:
        return "How many of the words before does each model use?"
    most = int(table["k"].max())
    return f"Words that each model uses: {listed([_used(model, k, most) for model, k in reach.items()])}"


def _used(model: str, k: int | None, most: int) -> str:
    return f"the {model} the last {k}" if k is not None else f"the {model} more than {most}"


def used(table: pd.DataFrame) -> dict[str, int | None]:
    """By the label of a model: the fewest last words that lose next to nothing; None where all tried lose more."""
    found: dict[str, int | None] = {}
    for model, part in table[table["way"] == "last"].groupby("model", sort=False):
        enough = part.loc[part["nats"] <= NO_LOSS_NATS, "k"]
        found[str(model)] = int(enough.min()) if len(enough) else None
    return found
