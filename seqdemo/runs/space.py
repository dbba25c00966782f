"""The space that the runs of all visitors take: how long each is kept, what one visitor may use, what is deleted.

A run that nobody saved, and a model that was loaded from a file, is kept for hours; a saved one for days. Where space
is short, the oldest run that is not saved goes, of whoever holds the most: nobody's runs make room for the mass of
another's.
"""

from __future__ import annotations

import contextlib
import pathlib
import shutil
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from seqdemo.errors import TrainingError
from seqdemo.runs.files import LABEL, NAME, OWNER, SETTINGS, is_id, read_text
from seqdemo.runs.limits import Limits

_HALF_MADE_S = 3600.0
"""After so long nobody is writing the files of a run any more that has no settings yet."""


@dataclass(frozen=True, kw_only=True)
class Holding:
    """The folder of one run, as it lies there.

    Attributes:
        home: The folder; its name is the run's id.
        owner: Whose it is, hashed.
        n_bytes: What its files take.
        since: When it ended, was loaded or was saved; seconds since 1970.
        is_whole: Whether all of it has been written.
        is_saved: Whether it has a name.
        is_loaded: Whether it came as a file.
    """

    home: pathlib.Path
    owner: str
    n_bytes: int
    since: float
    is_whole: bool
    is_saved: bool
    is_loaded: bool


class Space:
    """The folder of all runs with its bounds."""

    def __init__(self, root: pathlib.Path, limits: Limits) -> None:
        """Touches no file; a fifth of the space is for one visitor, half of it for saved runs."""
        self.root = root
        self.limits = limits

    def kept_until(self, run_id: str) -> float | None:
        """When a run will be deleted, in seconds since 1970; None where there is none."""
        found = _look(self.root / run_id, with_size=False)
        return self._end(found) if found is not None else None

    def of(self, owner: str) -> list[str]:
        """The ids of a visitor's runs, the oldest first."""
        own = [found for found in self._holdings(with_sizes=False) if found.owner == owner and found.is_whole]
        return [found.home.name for found in sorted(own, key=lambda found: found.since)]

    def make_room(self, in_use: Collection[str], *, owner: str = "", n_bytes: int = 0) -> set[str]:
        """Deletes what is too old, then what has to make room.

        Args:
            in_use: Ids of runs that have not ended, which stay.
            owner: Whose files will come, hashed; nobody's by default.
            n_bytes: How large these are.

        Returns:
            The ids of what was deleted; `refuse` then says whether there is room.
        """
        now, deleted = time.time(), set()
        kept = sorted(self._holdings(), key=lambda found: found.since)

        def delete(found: Holding) -> None:
            shutil.rmtree(found.home, ignore_errors=True)
            deleted.add(found.home.name)
            kept.remove(found)

        def loose() -> list[Holding]:
            return [found for found in kept if found.is_whole and not found.is_saved and found.home.name not in in_use]

        for found in list(kept):
            if found.home.name not in in_use and now > self._end(found):
                delete(found)
        while owner and _size(kept, owner) + n_bytes > self._of_one:
            if (oldest := next((found for found in loose() if found.owner == owner), None)) is None:
                break
            delete(oldest)
        while _size(kept) + n_bytes > self._of_all and (free := loose()):
            delete(max(free, key=lambda found: _size(free, found.owner)))  # the first of equals: the oldest of an owner
        return deleted

    def refuse(self, *, owner: str = "", n_bytes: int = 0) -> None:
        """Says that there is no room, after `make_room`.

        Raises:
            TrainingError: For this visitor or for anyone; a sentence.
        """
        kept = self._holdings()
        if owner and (used := _size(kept, owner)) + n_bytes > self._of_one:
            raise TrainingError(
                f"This would take your runs and models above the {self._of_one / 1e6:,.0f} MB of one visitor "
                f"({used / 1e6:,.1f} MB are used). Delete a saved one first."
            )
        if _size(kept) + n_bytes > self._of_all:
            raise TrainingError(
                f"The space for runs is used up ({self.limits.kept_mb:,.0f} MB, all of it in saved or unfinished runs)."
            )

    def refuse_model(self, run_id: str, owner: str) -> None:
        """Says that a visitor has as many saved runs and loaded models as one may have.

        Raises:
            TrainingError: Without this one they are that many.
        """
        models = [found for found in self._holdings(with_sizes=False) if found.is_saved or found.is_loaded]
        n = sum(found.owner == owner and found.home.name != run_id for found in models)
        if owner and n >= self.limits.max_models:
            raise TrainingError(f"You have {n} saved or loaded models here, and no more are kept. Delete one first.")

    def refuse_saving(self, run_id: str) -> None:
        """Says that no room is left for saved runs.

        Raises:
            TrainingError: This one does not fit in beside the others.
        """
        saved = [found for found in self._holdings() if found.is_saved or found.home.name == run_id]
        if _size(saved) > self._of_all / 2:
            raise TrainingError(
                f"The space for saved runs is used up ({self.limits.kept_mb / 2:,.0f} MB). Download the run instead."
            )

    @property
    def _of_all(self) -> float:
        return self.limits.kept_mb * 1e6

    @property
    def _of_one(self) -> float:
        return self._of_all / 5

    def _end(self, found: Holding) -> float:
        if not found.is_whole:
            return found.since + _HALF_MADE_S
        return found.since + (86_400 * self.limits.saved_days if found.is_saved else 3_600 * self.limits.kept_hours)

    def _holdings(self, *, with_sizes: bool = True) -> list[Holding]:
        homes = [home for home in self.root.glob("*") if is_id(home.name)]
        looked = (_look(home, with_size=with_sizes) for home in homes)
        return [found for found in looked if found is not None]


def _look(home: pathlib.Path, *, with_size: bool) -> Holding | None:
    """What lies in the folder of a run; None where it is none, or is being deleted."""
    try:
        is_whole, is_saved = (home / SETTINGS).is_file(), (home / NAME).is_file()
        if not is_whole and not (home / OWNER).is_file():  # nothing of ours
            return None
        return Holding(
            home=home,
            owner=read_text(home / OWNER),
            n_bytes=_size_on_disk(home) if with_size else 0,
            since=(home / NAME if is_saved else home).stat().st_mtime,
            is_whole=is_whole,
            is_saved=is_saved,
            is_loaded=(home / LABEL).is_file(),
        )
    except (OSError, ValueError):
        return None


def _size(holdings: Sequence[Holding], owner: str | None = None) -> int:
    return sum(found.n_bytes for found in holdings if owner is None or found.owner == owner)


def _size_on_disk(folder: pathlib.Path) -> int:
    found = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):  # deleted in this moment
            found += path.stat().st_size
    return found
