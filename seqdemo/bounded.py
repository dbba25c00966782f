"""Remembers what is asked for again, within so many bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

ENTRY_BYTES = 300
"""What an entry takes beside its key and its value, about."""


class Bounded(Generic[K, V]):
    """Keeps values by key, the least recently used forgotten first. Any number of threads may share it."""

    def __init__(self, max_bytes: int) -> None:
        """Holds nothing yet.

        Args:
            max_bytes: What all entries together may take; a single larger one is not kept.
        """
        self.max_bytes = max_bytes
        self.n_bytes = 0
        self._lock = threading.Lock()
        self._entries: OrderedDict[K, tuple[V, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: K) -> V | None:
        """The value stored under a key, or None."""
        with self._lock:
            if key not in self._entries:
                return None
            self._entries.move_to_end(key)
            return self._entries[key][0]

    def put(self, key: K, value: V, n_bytes: int) -> None:
        """Stores a value and forgets the oldest beyond the limit.

        Args:
            key: Names the value; it takes the place of an earlier one of that name.
            value: Anything but None.
            n_bytes: What key and value take, about; `ENTRY_BYTES` are added.
        """
        size = n_bytes + ENTRY_BYTES
        with self._lock:
            if key in self._entries:
                self.n_bytes -= self._entries.pop(key)[1]
            if size > self.max_bytes:
                return
            self._entries[key] = (value, size)
            self.n_bytes += size
            while self.n_bytes > self.max_bytes:
                _, (_, freed) = self._entries.popitem(last=False)
                self.n_bytes -= freed
