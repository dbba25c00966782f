"""The settings that a server takes from its environment: what each may be, read and checked in one place.

```python
environment.MAX_JOBS.read()  # 4, or None where it is not set
environment.check()          # everything at once, as the server does when it starts
```
"""

from __future__ import annotations

import difflib
import os
import pathlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from seqdemo.errors import ConfigError

T = TypeVar("T")

_PREFIX = "SEQDEMO_"
_SHOWN = 40
_SWITCH = {"on": True, "yes": True, "true": True, "1": True, "off": False, "no": False, "false": False, "0": False}
_HOST = r"(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::(?:\d{1,5}|\*))?"
_ANCESTOR = re.compile(rf"\*|'self'|https?:(?://{_HOST})?|{_HOST}", re.IGNORECASE)


@dataclass(frozen=True)
class Setting(Generic[T]):
    """One variable of the environment.

    Attributes:
        name: Of the variable.
        needs: What it must be, to follow "must be".
        parse: Makes a value of its text; a `ValueError` where that is not what is needed.
        is_there: Whether the value can be used; asked by `check` alone, since a folder may go while a server runs,
            which is told by whoever looks for something in it.
    """

    name: str
    needs: str
    parse: Callable[[str], T]
    is_there: Callable[[T], bool] = lambda _: True

    def read(self) -> T | None:
        """Its value now; None where it is not set, or empty.

        Raises:
            ConfigError: It is not what it must be.
        """
        text = self._text()
        try:
            return self.parse(text) if text else None
        except ValueError as error:
            raise ConfigError(self._problem()) from error

    def check(self) -> None:
        """As `read`, and asks whether the value can be used.

        Raises:
            ConfigError: It is not what it must be.
        """
        value = self.read()
        try:
            usable = value is None or self.is_there(value)
        except OSError:  # a path longer than the system takes
            usable = False
        if not usable:
            raise ConfigError(self._problem())

    def _text(self) -> str:
        return os.environ.get(self.name, "").strip()

    def _problem(self) -> str:
        text = self._text()
        shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
        return f"{self.name} must be {self.needs}; got {shown!r}."


def check() -> None:
    """Holds every setting against what it must be.

    Raises:
        ConfigError: Some are not, or have a name that is none; all of them are told.
    """
    problems = []
    for setting in SETTINGS:
        try:
            setting.check()
        except ConfigError as error:
            problems.append(str(error))
    names = {setting.name for setting in SETTINGS}
    for name in sorted(os.environ):
        if name.startswith(_PREFIX) and name not in names:
            near = difflib.get_close_matches(name, names, 1)
            problems.append(f"{name} is no setting{f'; {near[0]} is one' if near else ''}.")
    if problems:
        raise ConfigError(" ".join(problems))


def _number(name: str, kind: Callable[[str], float], least: float, most: float) -> Setting[Any]:
    def parse(text: str) -> float:
        value = kind(text)
        if not least <= value <= most:  # false for what is no number, too
            raise ValueError(text)
        return value

    return Setting(name, f"a {'whole ' if kind is int else ''}number from {least:,} to {most:,}", parse)


def _switch(text: str) -> bool:
    if text.lower() not in _SWITCH:
        raise ValueError(text)
    return _SWITCH[text.lower()]


def _threads(text: str) -> tuple[int, ...]:
    counts = tuple(int(part) for part in text.split(","))  # one for each level of nesting
    if not all(1 <= count <= 1024 for count in counts):
        raise ValueError(text)
    return counts


def _owner(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,96}", text):
        raise ValueError(text)
    return text


def _path(text: str) -> pathlib.Path:
    try:
        return pathlib.Path(text).expanduser()
    except RuntimeError as error:  # the home of a user whom the system does not know
        raise ValueError(text) from error


def _folder(text: str) -> pathlib.Path:
    """As `_path`, of what is read while the package is imported: never an error; such a folder is not there."""
    try:
        return _path(text)
    except ValueError:
        return pathlib.Path(text)


def _can_be_written_to(path: pathlib.Path) -> bool:
    """Whether files can be made in a folder, or the folder itself where it will stand."""
    there = next(parent for parent in (path.absolute(), *path.absolute().parents) if parent.exists())
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def _ancestors(text: str) -> str:
    """Sources of a content policy; `self` and `none` may come without their quotes, which shells take away."""
    words = [f"'{word.lower()}'" if word.lower() in {"self", "none"} else word for word in text.split()]
    if words == ["'none'"] or all(_ANCESTOR.fullmatch(word) for word in words):
        return " ".join(words)
    raise ValueError(text)


IMDB = Setting("SEQDEMO_IMDB", "a folder that is there", _path, pathlib.Path.is_dir)
PRETRAINED = Setting("SEQDEMO_PRETRAINED", "a folder that is there", _folder, pathlib.Path.is_dir)
HUB_OWNER = Setting("SEQDEMO_HUB_OWNER", "the name of a user or organisation on the Hub", _owner)
TRAINING = Setting("SEQDEMO_TRAINING", "on or off", _switch)
MAX_JOBS = _number("SEQDEMO_MAX_JOBS", int, 1, 1_000)
MAX_SECONDS = _number("SEQDEMO_MAX_SECONDS", float, 1, 1_000_000)
MAX_MEMORY_MB = _number("SEQDEMO_MAX_MEMORY_MB", float, 1, 100_000_000)
TRAINING_THREADS = _number("SEQDEMO_TRAINING_THREADS", int, 1, 1_024)
RUNS = Setting("SEQDEMO_RUNS", "a folder that can be written to", _path, _can_be_written_to)
RUNS_MB = _number("SEQDEMO_RUNS_MB", float, 1, 100_000_000)
RUNS_HOURS = _number("SEQDEMO_RUNS_HOURS", float, 0.01, 100_000)
SAVED_DAYS = _number("SEQDEMO_SAVED_DAYS", float, 0.01, 100_000)
FRAME_ANCESTORS = Setting(
    "SEQDEMO_FRAME_ANCESTORS", "none, self, * or addresses such as https://school.example", _ancestors
)
UNFILTERED = Setting("SEQDEMO_UNFILTERED", "on or off", _switch)
REQUIRE_BROWSER = Setting("SEQDEMO_REQUIRE_BROWSER", "on or off", _switch)
REQUIRE_NODE = Setting("SEQDEMO_REQUIRE_NODE", "on or off", _switch)
THREADS = Setting("OMP_NUM_THREADS", "a whole number from 1 to 1,024", _threads)
SETTINGS: tuple[Setting[Any], ...] = (
    IMDB,
    PRETRAINED,
    HUB_OWNER,
    TRAINING,
    MAX_JOBS,
    MAX_SECONDS,
    MAX_MEMORY_MB,
    TRAINING_THREADS,
    RUNS,
    RUNS_MB,
    RUNS_HOURS,
    SAVED_DAYS,
    UNFILTERED,
    FRAME_ANCESTORS,
    REQUIRE_BROWSER,
    REQUIRE_NODE,
    THREADS,
)
"""All of them, in the order of README's table."""
