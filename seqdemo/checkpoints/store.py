"""The checkpoints of one process: loaded once, in the background, shared by everyone.

Local copies come first, so that pages answer without a network; then the Hub is asked for
all models at once. Whatever its weights come from, they are those that the manifest names,
so that no answer changes when they arrive.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from seqdemo.checkpoints import hub
from seqdemo.checkpoints.hub import Source
from seqdemo.errors import SeqdemoError
from seqdemo.models.registry import MODELS

if TYPE_CHECKING:
    from seqdemo.checkpoints.classifier import Classifier

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ModelStatus:
    """What can be said of one model right now.

    Attributes:
        name: The model's name in the registry.
        state: `loading`, `ready` to answer, or `failed`.
        source: Where the weights in use come from; None while there are none.
        note: One sentence: why this source, or why there are no weights.
        fetching: Whether the Hub is being asked at this moment.
        can_retry: Whether asking the Hub again could help.
    """

    name: str
    state: Literal["loading", "ready", "failed"] = "loading"
    source: Source | None = None
    note: str = "Loading."
    fetching: bool = False
    can_retry: bool = False


class ModelStore:
    """Loads every model's local copy, then asks the Hub where the manifest names one."""

    def __init__(self, names: Iterable[str] = MODELS, *, total_s: float = hub.TOTAL_S) -> None:
        """Knows the names; loads nothing until `start`.

        Args:
            names: Of the models.
            total_s: Bound on the download of each model, in seconds; all are fetched at the same time.
        """
        self._total_s = total_s
        self._lock = threading.Lock()
        self._status = {name: ModelStatus(name=name) for name in names}
        self._loaded: dict[str, Classifier] = {}
        self._without_hub: dict[str, str] = {}
        self._settled = threading.Event()
        self._started = False

    def start(self, on_local: Callable[[], None] = lambda: None) -> None:
        """Begins to load in the background; a second call does nothing.

        Args:
            on_local: Called once, in the background, when every local copy was tried.
        """
        with self._lock:
            if self._started:
                return
            self._started = True
        threading.Thread(target=self._work, args=(on_local,), name="load-models", daemon=True).start()

    @property
    def settled(self) -> bool:
        """Whether every local copy was tried, so that no model is still loading."""
        return self._settled.is_set()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Waits until every local copy was tried; False where time ran out."""
        return self._settled.wait(timeout_s)

    def status(self, name: str) -> ModelStatus:
        """What can be said of one model right now."""
        return self._status[name]

    def statuses(self) -> list[ModelStatus]:
        """The same for all, in the registry's order."""
        return list(self._status.values())

    def get(self, name: str) -> Classifier | None:
        """The model, or None while it is loading or after it failed."""
        return self._loaded.get(name)

    def ready(self) -> dict[str, Classifier]:
        """Every model that can answer now, in the registry's order."""
        found = ((name, self.get(name)) for name in self._status)
        return {name: model for name, model in found if model is not None}

    def retry(self, name: str) -> None:
        """Asks the Hub for one model again, in the background."""
        if self._status[name].can_retry and self._begin_fetch(name):
            self._fetch_in_background(name)

    def _work(self, on_local: Callable[[], None]) -> None:
        wanted: list[str] = []
        try:
            for name in self._status:
                self._load_local(name)
            for name, status in self._status.items():
                if hub.wants_fetch(name, status.source) and self._begin_fetch(name):
                    wanted.append(name)
        finally:
            self._settled.set()
            try:
                on_local()
            finally:
                for name in wanted:
                    self._fetch_in_background(name)

    def _load_local(self, name: str) -> None:
        try:
            from seqdemo.checkpoints import folder  # torch is imported here, in the background

            path, source = hub.resolve_local(name)
            self._without_hub[name] = source.reason
            self._loaded[name] = folder.load(path)
        except Exception as error:  # nobody above this thread would see it
            note = self._without_hub[name] = f"{self._without_hub.get(name, '')} {_sentence(error)}".strip()
            self._update(name, state="failed", note=note, can_retry=hub.wants_fetch(name, None))
        else:
            self._update(name, state="ready", source=source, note=source.reason)

    def _begin_fetch(self, name: str) -> bool:
        """Claims the right to ask the Hub for a model, which one thread has at a time."""
        with self._lock:
            status = self._status[name]
            if status.fetching:
                return False
            self._status[name] = replace(status, fetching=True, can_retry=False, note="Asking the Hub.")
            return True

    def _fetch_in_background(self, name: str) -> None:
        """One thread a model, so that one which comes slowly keeps no other waiting; each ends within its bound."""
        threading.Thread(target=self._fetch, args=(name,), name=f"fetch-{name}", daemon=True).start()

    def _fetch(self, name: str) -> None:
        try:
            from seqdemo.checkpoints import folder  # torch is imported here, in the background

            path, source = hub.fetch(name, total_s=self._total_s)
            model = folder.load(path)
        except Exception as error:  # nobody above this thread would see it
            note = f"{self._without_hub[name]} {_sentence(error)}"
            local = self._status[name].source
            source_now = replace(local, reason=note) if local is not None else None
            self._update(name, source=source_now, fetching=False, can_retry=True, note=note)
        else:
            self._loaded[name] = model
            self._update(name, state="ready", source=source, fetching=False, note=source.reason)

    def _update(self, name: str, **changes: object) -> None:
        with self._lock:
            self._status[name] = replace(self._status[name], **changes)  # type: ignore[arg-type]


def _sentence(error: Exception) -> str:
    """What to tell a visitor; an error that is none of ours goes to the log in full."""
    if isinstance(error, SeqdemoError):
        return str(error)
    _log.error("A model could not be loaded.", exc_info=error)
    return f"It could not be loaded: {type(error).__name__}: {error}."
