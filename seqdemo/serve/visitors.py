"""What is kept of each visitor's browser session beside Streamlit: the text and the models, by a secret token.

Python mints the token when it draws a page and gives it to the page's components, which send it with every question.
What they post is known to the next page that Python draws for the same visitor. No cookie is read or set.
"""

from __future__ import annotations

import secrets
import sys
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

KEPT_S = 3_600.0
"""A session that asks for nothing for so long is forgotten."""
MAX_VISITORS = 2_000
"""Sessions that are kept at most, the one that asked longest ago forgotten first."""
MAX_BYTES = 32 * 1024**2
"""What the texts of all of them together may take; beyond it texts are forgotten in the same order, and no session."""


@dataclass
class Visitor:
    """One browser session.

    Attributes:
        text: The review that it wrote or chose last; None before the first.
        n_bytes: What that takes.
        seen: When it asked last, on the monotonic clock, in seconds.
    """

    text: str | None = None
    n_bytes: int = 0
    seen: float = 0.0


class Visitors:
    """All sessions, bounded in number, age and bytes; any number of threads may share it."""

    def __init__(self, *, max_visitors: int = MAX_VISITORS, max_bytes: int = MAX_BYTES, kept_s: float = KEPT_S) -> None:
        """Knows nobody yet."""
        self._max_visitors = max_visitors
        self._max_bytes = max_bytes
        self._n_bytes = 0
        self._kept_s = kept_s
        self._lock = threading.Lock()
        self._visitors: OrderedDict[str, Visitor] = OrderedDict()

    def __len__(self) -> int:
        return len(self._visitors)

    def mint(self) -> str:
        """A token for a new session."""
        token = secrets.token_urlsafe(16)
        with self._lock:
            self._visitors[token] = Visitor(seen=time.monotonic())
            self._forget()
        return token

    def knows(self, token: str) -> bool:
        """Whether this token was minted here and is not forgotten; it now counts as used."""
        return self._use(token) is not None

    def text(self, token: str) -> str | None:
        """The text that a session wrote last."""
        found = self._use(token)
        return found.text if found is not None else None

    def put(self, token: str, text: str) -> None:
        """Keeps a text for the next page; of an unknown session nothing is kept."""
        found = self._use(token)
        if found is None:
            return
        with self._lock:
            if self._visitors.get(token) is found:  # not forgotten meanwhile
                n_bytes = sys.getsizeof(text)
                self._n_bytes += n_bytes - found.n_bytes
                found.text, found.n_bytes = text, n_bytes
                for other in self._visitors.values():
                    if self._n_bytes <= self._max_bytes:
                        break
                    self._n_bytes -= other.n_bytes
                    other.text, other.n_bytes = None, 0

    def _use(self, token: str) -> Visitor | None:
        with self._lock:
            self._forget()
            found = self._visitors.get(token)
            if found is not None:
                found.seen = time.monotonic()
                self._visitors.move_to_end(token)
            return found

    def _forget(self) -> None:
        oldest = time.monotonic() - self._kept_s
        while self._visitors and (
            len(self._visitors) > self._max_visitors or next(iter(self._visitors.values())).seen < oldest
        ):
            _, forgotten = self._visitors.popitem(last=False)
            self._n_bytes -= forgotten.n_bytes
