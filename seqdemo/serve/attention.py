"""Attention, answered: where the Transformer looked in a text, in every layer and head.

One binary message holds all that the browser needs: queries, keys and values, from which it
works out the weights of whatever head is picked, to the digits of the trace, and a small picture
of every head. For 400 words that is 8 MB where the weights themselves would take 15 in half precision.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from seqdemo.models.registry import MODELS
from seqdemo.serve import word_notes
from seqdemo.serve.answering import Answering
from seqdemo.serve.http import Question
from seqdemo.serve.message import pack, text_id
from seqdemo.serve.verdicts import percent, verdict
from seqdemo.serve.worker import Ids, Kind
from seqdemo.text import Reading

if TYPE_CHECKING:
    from seqdemo.checkpoints.classifier import Classifier
    from seqdemo.explain.beginnings import Beginnings
    from seqdemo.explain.rollout import Looks
    from seqdemo.serve.service import Service

NAME = next(name for name, spec in MODELS.items() if spec.has_attention)
"""The model that attends."""
LOOKS = "looks"
_ONE_WORD = 0.3
"""From this share on, a head is said to look at one word."""
_AS_SURE = 0.9
"""Of the largest weight: from here on, a word may be the first to be shown."""


def look_pieces(classifier: Classifier, ids: Ids, _: Beginnings) -> Generator[None, None, Looks]:
    """Where a Transformer looked in a text, in pieces."""
    from seqdemo.explain import rollout

    return (yield from rollout.look(classifier, ids))


KINDS = {LOOKS: Kind(rank=1, pieces=look_pieces)}


async def looks(service: Service, question: Question) -> bytes:
    """`POST /api/v1/looks`: all that is needed to explore the Transformer's attention on a text, as one binary message.

    Returns:
        What `looks_message` gives; where there is nothing to look at, `kind` is `nothing`, `said` says why, and
        `loading` names the model where it will still come.
    """
    answering = service.asked(question)
    model = answering.models.get(NAME)
    if model is None:
        if NAME in answering.loading:
            return _nothing("Loading the models", loading=[NAME])
        return _nothing(f"The {MODELS[NAME].label} could not be loaded. {answering.failed[NAME]}")
    reading = await asyncio.to_thread(model.read, question.text)
    if not reading.tokens:
        return _nothing(word_notes.note({answering.in_sentence(NAME): reading}))
    found = await service.ask(LOOKS, model, reading.ids, question.visitor)
    return await asyncio.to_thread(looks_message, question, answering, reading, found)


def looks_message(question: Question, answering: Answering, reading: Reading, looks: Looks) -> bytes:
    """All that is needed to explore a text's attention, as one binary message.

    Args:
        question: Of which text.
        answering: Whom it goes to.
        reading: What the model read of the text.
        looks: Where it looked.
    """
    n_layers, n_heads, _, d_head = looks.query.shape
    title, (layer, head, word) = finding(reading, looks)
    percents = percent(looks.probability)
    name = answering.in_sentence(NAME)
    header = {
        "kind": "looks",
        "text_id": text_id(question.text),
        "title": f"{name}: {title[0].lower()}{title[1:]}" if NAME in answering.own else title,
        "start": {"layer": layer, "head": head, "word": word},
        "note": f"{word_notes.note({name: reading})} · {name} says {verdict(percents)}, {percents}\u00a0% positive",
        "notices": word_notes.notices({name: reading}, question.n_characters),
        **word_notes.shown({name: reading}),
        "n_layers": n_layers,
        "n_heads": n_heads,
        "d_head": d_head,
    }
    return pack(
        header,
        {
            "query": looks.query,
            "key": looks.key,
            "value": looks.value,
            "rollout": np.rint(looks.rollout * (2**16 - 1)).astype(np.uint16),
            "received": looks.received.mean(axis=1),
            "stream": looks.stream,
            "entropy": looks.entropy_bits,
            "thumbnails": looks.thumbnails,
            "peaks": looks.peaks,
        },
    )


def finding(reading: Reading, looks: Looks) -> tuple[str, tuple[int, int, int]]:
    """What the sharpest head looks at, in one sentence, and where to see it.

    Args:
        reading: What the model read.
        looks: Where it looked.

    Returns:
        The sentence; layer, head, and a word that is sure of another one, all from 0.
    """
    n_layers, n_heads, n_words = looks.received.shape
    tokens = [token.text for token in reading.tokens]
    layer, head = (int(k) for k in np.unravel_index(looks.entropy_bits.argmin(), looks.entropy_bits.shape))
    if n_words == 1:
        return "A single word can look at nothing but itself", (layer, head, 0)
    elsewhere = (looks.weights(layer, head) * (1 - np.eye(n_words))).max(axis=1)
    sure = [word for word in range(n_words) if elsewhere[word] >= _AS_SURE * elsewhere.max()]
    at = layer, head, max(sure, key=lambda word: len(tokens[word]))  # a long word says more to a reader
    shares: dict[str, float] = {}
    for token, share in zip(tokens, looks.received[layer, head].tolist(), strict=True):
        shares[token] = shares.get(token, 0) + share
    favourite = max(shares, key=lambda token: shares[token])
    lead = f"The sharpest of {n_layers * n_heads} heads, head {head + 1} of layer {layer + 1},"
    if shares[favourite] >= _ONE_WORD:
        word = reading.words[tokens.index(favourite)]
        return f"{lead} gives {percent(shares[favourite])}\u00a0% of its attention to “{word[:30]}”", at
    return f"{lead} spreads its attention over {2 ** looks.entropy_bits[layer, head]:.1f} of {n_words} words", at


def _nothing(said: str, loading: Sequence[str] = ()) -> bytes:
    return pack({"kind": "nothing", "said": said, "loading": list(loading)}, {})
