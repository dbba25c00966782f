"""What takes longer than a visitor's patience: computed in the background, one thing at a time.

Verdicts never wait for it: torch gives the lock away while it computes, and there is one thread.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

_log = logging.getLogger(__name__)


class Background:
    """Computes each thing once and keeps the newest results; any number of visitors may ask."""

    def __init__(self, max_kept: int = 128) -> None:
        """Starts no thread before the first question.

        Args:
            max_kept: Results kept, the least recently used forgotten first.
        """
        self._max_kept = max_kept
        self._lock = threading.Lock()
        self._futures: OrderedDict[tuple[str, ...], Future[Any]] = OrderedDict()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="background")

    def ask(self, key: tuple[str, ...], compute: Callable[[], Any]) -> Future[Any]:
        """The result of a computation, begun now unless it is known or under way.

        Args:
            key: Names the result: everything that it depends on.
            compute: Called in the background.

        Returns:
            A future; one that was cancelled is begun again by the next who asks.
        """
        with self._lock:
            future = self._futures.get(key)
            if future is None or future.cancelled():
                future = self._futures[key] = self._thread.submit(_logged, compute)
            self._futures.move_to_end(key)
            while len(self._futures) > self._max_kept:
                _, oldest = self._futures.popitem(last=False)
                oldest.cancel()
            return future


def _logged(compute: Callable[[], Any]) -> Any:
    try:
        return compute()
    except Exception:
        _log.exception("A computation in the background failed.")
        raise
