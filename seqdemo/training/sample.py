"""What a model that learns to foretell words writes meanwhile: words appear, then phrases, then agreement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from seqdemo.data import grammar
from seqdemo.text import PAD_ID, UNKNOWN_ID, as_written
from seqdemo.training.task_model import TaskModel

WORDS_SHOWN = 30
_TEXTS = 64
_WORDS_EACH = 40


@torch.inference_mode()
def written(model: TaskModel, words: Sequence[str], seed: int) -> dict[str, Any]:
    """Texts that a model writes, each word drawn as it holds it likely (temperature 1).

    Args:
        model: That foretells the next word.
        words: By their ids; of the made-up grammar, or of a text. Padding and the unknown word are never written.
        seed: Start of all chance; after every epoch the same.

    Returns:
        `text`, the beginning of the first. Of the grammar also, of all together, `verbs`, how many verbs have a noun to
        agree with, and `verbs_agree`, how many do.
    """
    of_grammar = tuple(words) == grammar.WORDS
    n_texts = _TEXTS if of_grammar else 1
    never = [0] if of_grammar else [PAD_ID, UNKNOWN_ID]
    first = next((k for k, word in enumerate(words) if word == "the"), len(never))
    device, was_training = next(model.parameters()).device, model.training
    model.eval()
    rng = np.random.default_rng(seed)
    ids = np.full((n_texts, 1), first, dtype=np.int64)
    for _ in range(_WORDS_EACH - 1):
        lengths = torch.full((n_texts,), ids.shape[1], device=device)
        logits = model(torch.from_numpy(ids).to(device), lengths)[:, -1].float()
        logits[:, never] = -torch.inf
        sums = torch.softmax(logits, dim=1).cpu().double().numpy().cumsum(axis=1)
        drawn = (sums <= rng.random((n_texts, 1)) * sums[:, -1:]).sum(axis=1).clip(max=len(words) - 1)
        ids = np.concatenate([ids, drawn[:, None]], axis=1)
    model.train(was_training)
    texts = [[words[index] for index in row] for row in ids]
    found: dict[str, Any] = {"text": "".join(as_written(texts[0][:WORDS_SHOWN]))}
    if of_grammar:
        agreeing = [grammar.agreement(text) for text in texts]
        found["verbs_agree"] = sum(right for right, _ in agreeing)
        found["verbs"] = sum(asked for _, asked in agreeing)
    return found
