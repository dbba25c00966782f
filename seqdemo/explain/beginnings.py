"""P(positive) after each word of texts that are being edited: what stands before an edit is not read again.

A model that reads in one direction is, after a word, nothing but its state. The states after every 16th word are kept
by the words read so far, so that a text goes on from the longest beginning that is known: a word added at the end of a
review costs at most 16 steps. The answers are those of a full reading but for the last digits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from seqdemo.bounded import Bounded

if TYPE_CHECKING:
    from seqdemo.checkpoints.classifier import Classifier
    from seqdemo.checkpoints.language_model import LanguageModel

BLOCK = 16
"""Words between two states that are kept."""


@dataclass(frozen=True)
class Block:
    """So many words of a text, read after those before them.

    Attributes:
        state: After the last of them, as `RecurrentClassifier.read_on` gives it, (n_layers, n_parts, d_hidden).
        probabilities: P(positive) after each, float32 (BLOCK,).
    """

    state: Tensor
    probabilities: npt.NDArray[np.float32]


Beginnings: TypeAlias = Bounded[bytes, Any]
"""What is known of beginnings of texts, by checkpoint and words: a `Block` of a model that reads in one direction, the
verdict of another, the state of a language model. Any number of threads may share it."""


def read_on(
    classifier: Classifier, texts: Sequence[npt.NDArray[np.int64]], memory: Beginnings
) -> list[npt.NDArray[np.float32]]:
    """P(positive) after each word of several texts, as `Classifier.prefix_proba` of each alone.

    Args:
        classifier: A model whose verdict after each word is the head applied to that word's state.
        texts: Vocabulary indices, int64 (n_tokens,) each, none of them empty.
        memory: What is known of beginnings; added to.

    Returns:
        For each text float32 (n_tokens,).
    """
    curves: list[list[npt.NDArray[np.float32]]] = []
    states: list[Tensor | None] = []
    keys = [_keys(classifier.sha256, ids) for ids in texts]
    for own in keys:
        known: list[Block] = []
        for key in own:
            if (block := memory.get(key)) is None:
                break
            known.append(block)
        curves.append([block.probabilities for block in known])
        states.append(known[-1].state if known else None)
    while rows := [row for row, ids in enumerate(texts) if len(curves[row]) * BLOCK < len(ids)]:
        starts = [len(curves[row]) * BLOCK for row in rows]
        words = [texts[row][start : start + BLOCK] for row, start in zip(rows, starts, strict=True)]
        ids = np.zeros((len(rows), max(map(len, words))), dtype=np.int64)
        for place, block in enumerate(words):
            ids[place, : len(block)] = block
        with torch.inference_mode():
            logits, after = classifier.model.read_on(  # type: ignore[operator]
                torch.from_numpy(ids), _stacked([states[row] for row in rows])
            )
            found = torch.sigmoid(logits[..., 0]).numpy()
        for place, row in enumerate(rows):
            probabilities = found[place, : len(words[place])].copy()
            if len(words[place]) == BLOCK:
                states[row] = state = after[:, :, place].clone()
                key = keys[row][len(curves[row])]
                memory.put(key, Block(state, probabilities), state.numel() * 4 + probabilities.nbytes + len(key))
            curves[row].append(probabilities)
    return [np.concatenate(parts) for parts in curves]


def longest_known(model: LanguageModel, ids: npt.NDArray[np.int64], memory: Beginnings) -> tuple[int, Any]:
    """How many of the first words a language model has read before, and its state after them; 0 and None where none.

    Args:
        model: A language model that reads in one direction.
        ids: Vocabulary indices, int64 (n,).
        memory: What is known of beginnings.
    """
    running, keys = _hash_of(model.sha256), []
    for word in ids:
        running.update(word.tobytes())
        keys.append(running.digest())
    for n in range(len(ids), 0, -1):
        if (state := memory.get(keys[n - 1])) is not None:
            return n, state
    return 0, None


def keep_state(model: LanguageModel, ids: npt.NDArray[np.int64], state: Any, memory: Beginnings) -> None:
    """Keeps a language model's state after some words, as `models.writing` gives and takes it."""
    running = _hash_of(model.sha256)
    running.update(ids.tobytes())
    parts = state if isinstance(state, tuple) else (state,)
    memory.put(running.digest(), state, sum(part.numel() * 4 for part in parts) + running.digest_size)


def _stacked(states: Sequence[Tensor | None]) -> Tensor | None:
    """The states of a batch, zeros for texts that begin; None where all do."""
    known = next((state for state in states if state is not None), None)
    if known is None:
        return None
    return torch.stack([torch.zeros_like(known) if state is None else state for state in states], dim=2)


def _keys(sha256: str, ids: npt.NDArray[np.int64]) -> list[bytes]:
    """The name of each whole block: of the checkpoint and of all words up to its end."""
    running = _hash_of(sha256)
    found = []
    for end in range(BLOCK, len(ids) + 1, BLOCK):
        running.update(ids[end - BLOCK : end].tobytes())
        found.append(running.digest())
    return found


def _hash_of(sha256: str) -> hashlib.blake2b:
    return hashlib.blake2b(key=bytes.fromhex(sha256), digest_size=32)
