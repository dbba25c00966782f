"""The batches of classifiers: an epoch's texts lie behind each other on the device, and batches are put together there.

They go over in one copy; after that no update waits for its device.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from seqdemo.data.examples import Views
from seqdemo.text import PAD_ID


@dataclass(frozen=True, kw_only=True)
class TextBatch:
    """Texts padded on the right to one length, on their device.

    Attributes:
        ids: int64 (B, T).
        lengths: Real words in each row, int64 (B,).
        labels: From 0 to 1, (B,).
        decided_last: Rows whose label holds only once all of it is read, bool (B,).
        is_padded: Whether some row is shorter than T; known without asking the device.
    """

    ids: Tensor
    lengths: Tensor
    labels: Tensor
    decided_last: Tensor
    is_padded: bool

    def part(self, rows: slice, steps: int | None = None) -> TextBatch:
        """These rows, cut to their first steps."""
        return TextBatch(
            ids=self.ids[rows, :steps],
            lengths=self.lengths[rows].clamp(max=steps) if steps else self.lengths[rows],
            labels=self.labels[rows],
            decided_last=self.decided_last[rows],
            is_padded=self.is_padded,
        )


class Gathered(Sequence[TextBatch]):
    """The batches of an epoch, each put together when it is asked for.

    Attributes:
        n_words: In all, padding left out.
    """

    def __init__(self, views: Views, device: torch.device) -> None:
        """Puts the texts on the device, in the order of the batches."""
        order = np.concatenate(views.batches)
        words = np.concatenate([views.texts[row] for row in order])
        lengths = np.array([len(views.texts[row]) for row in order])
        ends = np.cumsum([len(rows) for rows in views.batches])
        self.n_words = len(words)
        self._rows = [slice(end - len(rows), end) for end, rows in zip(ends.tolist(), views.batches, strict=True)]
        self._longest = [int(lengths[rows].max()) for rows in self._rows]
        self._is_padded = [bool(np.ptp(lengths[rows])) for rows in self._rows]
        self._device = device
        self._words = torch.from_numpy(words.astype(np.int32)).to(device)
        self._starts, self._lengths, self._labels, self._decided_last = (
            torch.from_numpy(array).to(device)
            for array in (np.cumsum(lengths) - lengths, lengths, views.labels[order], views.decided_last[order])
        )

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: Any) -> Any:
        """The batch of that number."""
        rows = self._rows[index]
        lengths, t = self._lengths[rows], torch.arange(self._longest[index], device=self._device)
        real = t < lengths[:, None]  # (B, T)
        words = self._words[(self._starts[rows, None] + t) * real].long()
        return TextBatch(
            ids=torch.where(real, words, PAD_ID),
            lengths=lengths,
            labels=self._labels[rows],
            decided_last=self._decided_last[rows],
            is_padded=self._is_padded[index],
        )
