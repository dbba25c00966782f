"""The files of a training run, in a folder of its own: begun, found again, kept under a name, packed, taken back.

`<root>/<id>/` holds `settings.json`, `events.jsonl` (each event with `at`, seconds since the start), `checkpoint/` (the
result), `owner.txt` (the visitor's token, hashed), `data.csv` of a task on own texts, `stderr.txt`, and `name.txt` once
the run is saved. Imports torch only where a result is taken back.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import pathlib
import re
import secrets
import shutil
import tempfile
import time
import unicodedata
import zipfile
from collections.abc import Collection, Mapping
from typing import Any

from seqdemo.errors import ConfigError, SeqdemoError, TrainingError
from seqdemo.training.run_view import State, View
from seqdemo.training.settings import RunSettings

_ID = re.compile(r"[A-Za-z0-9_-]{16}")
_SETTINGS, _EVENTS, _OWNER, _NAME = "settings.json", "events.jsonl", "owner.txt", "name.txt"
_RESULT, _ERRORS, _CSV = "checkpoint", "stderr.txt", "data.csv"
_RESULT_FILES = frozenset(
    {"config.json", "model.safetensors", "vocab.txt", "metrics.json", "history.json", "README.md"}
)
_MAX_ZIP_BYTES = 50_000_000
_NAME_LENGTH = 40


def writable(root: pathlib.Path) -> pathlib.Path:
    """The folder for all runs, made where it is missing; one that the system gives where it cannot be written to."""
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=root):
            return root.resolve()
    except OSError:
        return pathlib.Path(tempfile.mkdtemp(prefix="seqdemo-runs-"))


class RunFiles:
    """The files of one run.

    Attributes:
        home: The run's folder; its name is the run's id.
        result: The folder of its result.
        errors: What its process wrote besides events.
        csv: The visitor's own file; only a task on own texts has one.
    """

    def __init__(self, home: pathlib.Path) -> None:
        """Touches no file."""
        self.home = home
        self.result = home / _RESULT
        self.errors = home / _ERRORS
        self.csv = home / _CSV

    @classmethod
    def begin(cls, root: pathlib.Path, settings: RunSettings, owner: str, csv: bytes | None = None) -> RunFiles:
        """Makes the folder of a new run, with an id that cannot be guessed.

        Args:
            root: Of all runs.
            settings: What will be trained.
            owner: Whose run it is, hashed.
            csv: The visitor's file.

        Raises:
            TrainingError: The files cannot be written; nothing of them is left.
        """
        files = cls(root / secrets.token_urlsafe(12))
        try:
            files.home.mkdir(parents=True)
            files._write_who_and_what(settings, owner)
            if csv is not None:
                files.csv.write_bytes(csv)
        except OSError as error:
            shutil.rmtree(files.home, ignore_errors=True)
            raise TrainingError(f"The run's files cannot be written ({error.strerror}); is the disk full?") from error
        return files

    @classmethod
    def of_result(cls, root: pathlib.Path, content: Mapping[str, bytes], owner: str, name: str = "") -> RunFiles:
        """Makes the folder of a finished run from its result: a two-label text model.

        Args:
            root: Of all runs.
            content: The result's files by name, as `unzip` gives them.
            owner: Whose run it is, hashed.
            name: Its name here; from its settings by default.

        Raises:
            TrainingError: The files cannot be written; nothing of them is left, also after the next two.
            CheckpointError: A file is missing or not what it should be.
            ConfigError: Nothing of the name is left.
        """
        from seqdemo.checkpoints import folder as checkpoint  # imports torch

        files = cls(root / secrets.token_urlsafe(12))
        try:
            files.result.mkdir(parents=True)
            for file, found in content.items():
                (files.result / file).write_bytes(found)
            classifier = checkpoint.load(files.result)
            settings = _settings_of(classifier.config.get("training", {}), classifier.name)
            done = {
                "event": "done",
                "reason": "loaded",
                "epochs": len(classifier.history),
                "best_epoch": classifier.metrics.get("best_epoch", 0),
                "folder": str(files.result),
                "is_text_model": True,
                "metrics": dict(classifier.metrics),
                "confusion": None,
                "wrong": [],
                "at": 0.0,
            }
            files._write_who_and_what(settings, owner)
            files.add(done)
            if name:
                files.write_name(clean_name(name))
        except SeqdemoError:
            shutil.rmtree(files.home, ignore_errors=True)
            raise
        except OSError as error:
            shutil.rmtree(files.home, ignore_errors=True)
            raise TrainingError(f"The files cannot be written ({error.strerror}); is the disk full?") from error
        return files

    @classmethod
    def find(cls, root: pathlib.Path, run_id: str) -> RunFiles | None:
        """The files of a run of an earlier server, or of one that was loaded from a file."""
        # What is no id must not become a path: it comes from a link.
        files = cls(root / run_id) if _ID.fullmatch(run_id) else None
        return files if files is not None and (files.home / _SETTINGS).is_file() else None

    def _write_who_and_what(self, settings: RunSettings, owner: str) -> None:
        _write(self.home / _SETTINGS, json.dumps(dataclasses.asdict(settings), indent=2))
        _write(self.home / _OWNER, owner)

    def write_name(self, name: str) -> None:
        """Keeps the run under a name.

        Raises:
            OSError: It cannot be written.
        """
        _write(self.home / _NAME, name)

    def add(self, event: Mapping[str, Any]) -> None:
        """Writes one more event.

        Raises:
            OSError: It cannot be written.
        """
        with (self.home / _EVENTS).open("a", encoding="utf-8", newline="\n") as file:
            file.write(json.dumps(event) + "\n")

    def events(self) -> list[dict[str, Any]]:
        """All events that can be read, the oldest first."""
        try:
            lines = (self.home / _EVENTS).read_text(encoding="utf-8").splitlines()
        except OSError:
            return []
        found = []
        for line in lines:
            try:
                event = json.loads(line)
            except ValueError:  # cut off when the server was killed
                continue
            if isinstance(event, dict) and "event" in event:
                found.append(event)
        return found

    def conclude(self, state: State, message: str, kind: str) -> None:
        """Deletes what a child left half-written, and notes an end other than `done`; as far as the disk lets it."""
        with contextlib.suppress(OSError):
            for left in self.home.glob(f".{_RESULT}*"):
                shutil.rmtree(left) if left.is_dir() else left.unlink()
            if state != "done":
                self.add({"event": "ended", "state": state, "message": message, "kind": kind})

    def read(self) -> tuple[View, str] | None:
        """The run as its files tell it, and its owner, hashed; None where someone changed them."""
        try:
            settings = RunSettings(**json.loads((self.home / _SETTINGS).read_text(encoding="utf-8")))
            name, owner = _read(self.home / _NAME), _read(self.home / _OWNER)
            view = View(id=self.home.name, settings=settings, name=name)
            ended: dict[str, Any] | None = None
            for event in self.events():
                if event["event"] == "ended":
                    ended = event
                else:
                    view.take(event)
            if ended is not None:
                view.state, view.message, view.kind = ended["state"], ended["message"], ended["kind"]
        except (OSError, ValueError, TypeError, KeyError):
            return None
        if ended is None and view.done is not None:
            view.done["folder"] = str(self.result)
        elif ended is None and not view.has_ended:
            view.state, view.kind, view.message = "killed", "killed", "The server was stopped while this run trained."
        return view, owner

    def last_error(self) -> str:
        """The last line that the process wrote besides events, or empty."""
        try:
            lines = self.errors.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        except OSError:
            return ""
        return lines[-1] if lines else ""


def make_room(
    root: pathlib.Path, in_use: Collection[str], *, kept_mb: float, kept_hours: float
) -> tuple[list[str], bool]:
    """Deletes runs without a name: those that are old, and the oldest while space is short.

    Args:
        root: Of all runs.
        in_use: Ids of runs that have not ended, which stay.
        kept_mb: Space for the files of all runs.
        kept_hours: Age at which runs without a name are deleted.

    Returns:
        The ids of what was deleted, and whether there is room now.
    """
    allowed = kept_mb * 1e6
    homes = [path.parent for path in root.glob(f"*/{_SETTINGS}")]
    sizes = {home: _size(home) for home in homes}
    total = sum(sizes.values())
    now = time.time()
    deleted = []
    unnamed = [home for home in homes if not (home / _NAME).is_file() and home.name not in in_use]
    for home in sorted(unnamed, key=_age):
        if total > allowed or now - _age(home) > 3600 * kept_hours:
            shutil.rmtree(home, ignore_errors=True)
            deleted.append(home.name)
            total -= sizes[home]
    return deleted, total <= allowed


def has_room_to_save(root: pathlib.Path, run_id: str, *, kept_mb: float) -> bool:
    """Whether a run fits into the space beside the other ones that have a name."""
    saved = sum(_size(path.parent) for path in root.glob(f"*/{_NAME}") if path.parent.name != run_id)
    return saved + _size(root / run_id) <= kept_mb * 1e6


def clean_name(name: str) -> str:
    """A name that is safe in a file, a link and a chart.

    Raises:
        ConfigError: Nothing of it is left.
    """
    plain = unicodedata.normalize("NFKC", name)
    kept = "".join(letter if letter.isalnum() or letter in "-_.()" else " " for letter in plain)
    cleaned = " ".join(kept.split())[:_NAME_LENGTH].strip(" .")
    if not any(letter.isalnum() for letter in cleaned):
        raise ConfigError("A name needs at least one letter or digit.")
    return cleaned


def zip_bytes(result: pathlib.Path | None) -> bytes:
    """The folder of a result as a ZIP file.

    Raises:
        TrainingError: There is no result, or its folder was deleted.
    """
    out = io.BytesIO()
    try:
        if result is None:
            raise FileNotFoundError
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
            for path in sorted(result.iterdir()):
                file.write(path, path.name)
    except OSError as error:
        raise TrainingError("This run has no result that could be downloaded; its folder is gone.") from error
    return out.getvalue()


def unzip(content: bytes) -> dict[str, bytes]:
    """The files of a result, by name, with their sizes checked before anything is unpacked.

    Raises:
        TrainingError: It is no ZIP file of a result, or one that is too large.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            entries = {pathlib.PurePosixPath(info.filename).name: info for info in file.infolist() if not info.is_dir()}
            strange = sorted(set(entries) - _RESULT_FILES)
            if strange or len(entries) != sum(not info.is_dir() for info in file.infolist()):
                raise TrainingError(
                    f"This ZIP file holds other files than a result has ({', '.join(strange[:3]) or 'some twice'}); "
                    f"{', '.join(sorted(_RESULT_FILES))} are expected."
                )
            if sum(info.file_size for info in entries.values()) > _MAX_ZIP_BYTES:
                raise TrainingError(f"This result is larger than {_MAX_ZIP_BYTES / 1e6:.0f} MB.")
            return {name: file.read(info) for name, info in entries.items()}
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, OSError) as error:
        if isinstance(error, TrainingError):
            raise
        raise TrainingError(f"This is not a ZIP file of a result ({error}).") from error


def _settings_of(entries: Mapping[str, Any], model: str) -> RunSettings:
    """The settings that stand in a checkpoint; where it was trained elsewhere, those that are known."""
    names = {entry.name for entry in dataclasses.fields(RunSettings)}
    try:
        return RunSettings(**{name: value for name, value in entries.items() if name in names})
    except (ConfigError, TypeError):
        return RunSettings(task="imdb", model=model)


def _read(path: pathlib.Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _write(path: pathlib.Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _size(folder: pathlib.Path) -> int:
    found = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):  # deleted in this moment
            found += path.stat().st_size
    return found


def _age(folder: pathlib.Path) -> float:
    try:
        return folder.stat().st_mtime
    except OSError:
        return 0.0
