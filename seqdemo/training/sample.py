"""What a model that learns to foretell words writes meanwhile: words appear, then phrases, then agreement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from seqdemo.data import grammar
from seqdemo.training.task_model import TaskModel

WORDS_SHOWN = 30
_TEXTS = 64
_WORDS_EACH = 40


@torch.inference_mode()
def written(model: TaskModel, words: Sequence[str], seed: int) -> dict[str, Any]:
    """Texts that a model writes from "the" on, each word drawn as it holds it likely (temperature 1).

    Args:
        model: That foretells the next word.
        words: By their ids; the first stands for padding and is never written.
        seed: Start of all chance; after every epoch the same.

    Returns:
        `text`, the beginning of the first; of all together `verbs`, how many verbs have a noun to agree with, and
        `verbs_agree`, how many do.
    """
    device, was_training = next(model.parameters()).device, model.training
    model.eval()
    rng = np.random.default_rng(seed)
    ids = np.full((_TEXTS, 1), words.index("the"), dtype=np.int64)
    for _ in range(_WORDS_EACH - 1):
        lengths = torch.full((_TEXTS,), ids.shape[1], device=device)
        logits = model(torch.from_numpy(ids).to(device), lengths)[:, -1].float()
        logits[:, 0] = -torch.inf
        sums = torch.softmax(logits, dim=1).cpu().double().numpy().cumsum(axis=1)
        drawn = (sums <= rng.random((_TEXTS, 1)) * sums[:, -1:]).sum(axis=1).clip(max=len(words) - 1)
        ids = np.concatenate([ids, drawn[:, None]], axis=1)
    model.train(was_training)
    found = [grammar.agreement([words[index] for index in row]) for row in ids]
    return {
        "text": grammar.text(ids[0, :WORDS_SHOWN].tolist()),
        "verbs_agree": sum(right for right, _ in found),
        "verbs": sum(asked for _, asked in found),
    }
