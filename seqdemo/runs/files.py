"""The files of a training run, in a folder of its own: begun, found again, kept under a name, packed, taken back.

`<root>/<id>/` holds `settings.json`, `events.jsonl` (each event with `at`, seconds since the start), `checkpoint/` (the
result), `owner.txt` (the visitor's token, hashed), `data.json` of a task on own texts, `stderr.txt`, `name.txt` once
the run is saved, and `label.txt` where it came as a file (the name that the file had). Where the system knows rights,
nobody but the user that the server runs as may read any of it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import os
import pathlib
import re
import secrets
import shutil
import tempfile
import unicodedata
import zipfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO

from seqdemo.checkpoints import schema, shards
from seqdemo.data.tables import zipped
from seqdemo.errors import ConfigError, DataError, TrainingError
from seqdemo.runs.view import State, View
from seqdemo.training.settings import RunSettings

Reader = Callable[[pathlib.Path], tuple[RunSettings, Mapping[str, Any]]]
"""From a result's folder to its run's settings and last event: `training.loaded.read_result`, which needs torch."""
SETTINGS, OWNER, NAME, LABEL = "settings.json", "owner.txt", "name.txt", "label.txt"
_EVENTS, _RESULT, _ERRORS, _DATA = "events.jsonl", "checkpoint", "stderr.txt", "data.json"
MAX_ZIP_BYTES = 50_000_000
"""Of a result as a ZIP file, packed and unpacked."""
_MAX_ENTRIES = 2 * (len(schema.FILES) + shards.MAX_SHARDS)
"""Of such a file: a Mac packs a second one beside each."""
_ID = re.compile(r"[A-Za-z0-9_-]{16}")
_NAME_LENGTH = 40


def is_id(word: str) -> bool:
    """Whether this may be the id of a run; what is none must not become a path, since it comes from a link."""
    return _ID.fullmatch(word) is not None


def writable(root: pathlib.Path) -> pathlib.Path:
    """The folder for all runs, made where it is missing; one that the system gives where it cannot be written to."""
    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        root.mkdir(mode=0o700, exist_ok=True)
        with tempfile.TemporaryFile(dir=root):
            return root.resolve()
    except OSError:
        return pathlib.Path(tempfile.mkdtemp(prefix="seqdemo-runs-"))


class RunFiles:
    """The files of one run.

    Attributes:
        home: The run's folder; its name is the run's id.
        settings: What is trained.
        result: The folder of its result.
        errors: What its process wrote besides events.
        data: The visitor's own texts and labels; only a task on own texts has them.
    """

    def __init__(self, home: pathlib.Path) -> None:
        """Touches no file."""
        self.home = home
        self.settings = home / SETTINGS
        self.result = home / _RESULT
        self.errors = home / _ERRORS
        self.data = home / _DATA

    @classmethod
    def begin(cls, root: pathlib.Path, settings: RunSettings, owner: str, data: bytes | None = None) -> RunFiles:
        """Makes the folder of a new run, with an id that cannot be guessed.

        Args:
            root: Of all runs.
            settings: What will be trained.
            owner: Whose run it is, hashed.
            data: The visitor's own texts and labels.

        Raises:
            TrainingError: The files cannot be written; nothing of them is left.
        """
        with _new(root, owner) as files:
            if data is not None:
                _write(files.data, data)
            files._write_settings(settings)
        return files

    @classmethod
    def of_result(
        cls, root: pathlib.Path, content: Mapping[str, bytes], read: Reader, owner: str, name: str = ""
    ) -> RunFiles:
        """Makes the folder of a finished run from its result: a two-label text model.

        Args:
            root: Of all runs.
            content: The result's files by name, as `unzip` gives them.
            read: What finds out its settings and its last event, and refuses what cannot be used.
            owner: Whose run it is, hashed.
            name: What to call it here; by its settings by default.

        Raises:
            TrainingError: The files cannot be written; nothing of them is left, also after the next two.
            ConfigError: Nothing of the name is left.
            SeqdemoError: What `read` raises.
        """
        if schema.VOCABULARY not in content:
            raise TrainingError(
                f"This result has no words ({schema.VOCABULARY}); only models of texts with two labels can be loaded."
            )
        label = clean_name(name) if name else ""
        with _new(root, owner) as files:
            _write(files.home / LABEL, label.encode())
            files.result.mkdir(mode=0o700)
            for file, found in content.items():
                _write(files.result / file, found)
            settings, done = read(files.result)
            files.add(done)
            files._write_settings(settings)
        return files

    @classmethod
    def find(cls, root: pathlib.Path, run_id: str) -> RunFiles | None:
        """The files of a run of an earlier server, or of one that was loaded from a file."""
        files = cls(root / run_id) if is_id(run_id) else None
        return files if files is not None and files.settings.is_file() else None

    def _write_settings(self, settings: RunSettings) -> None:
        """Makes the run whole: from here on it is found."""
        _write(self.settings, json.dumps(dataclasses.asdict(settings), indent=2).encode())

    def write_name(self, name: str) -> None:
        """Keeps the run under a name.

        Raises:
            OSError: It cannot be written.
        """
        _write(self.home / NAME, name.encode())

    def add(self, event: Mapping[str, Any]) -> None:
        """Writes one more event.

        Raises:
            OSError: It cannot be written.
        """
        with open(self.home / _EVENTS, "ab", opener=_private) as file:
            file.write(json.dumps(event).encode() + b"\n")

    def open_errors(self) -> BinaryIO:
        """The file for what its process writes besides events, empty."""
        return open(self.errors, "wb", opener=_private)

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
        """Deletes what a child left half-written, and notes the end; as far as the disk lets it."""
        with contextlib.suppress(OSError):
            for left in self.home.glob(f".{_RESULT}*"):
                shutil.rmtree(left) if left.is_dir() else left.unlink()
            self.add({"event": "ended", "state": state, "message": message, "kind": kind})

    def read(self) -> tuple[View, str] | None:
        """The run as its files tell it, and its owner, hashed; None where someone changed them."""
        try:
            settings = RunSettings.read(self.settings)
            saved_as, owner = read_text(self.home / NAME), read_text(self.home / OWNER)
            view = View(id=self.home.name, settings=settings, is_saved=bool(saved_as))
            view.name = saved_as or read_text(self.home / LABEL)
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
        if view.state == "done" and view.done is not None:
            if view.done.get("folder") is not None:
                view.done["folder"] = str(self.result)  # where it lies now
        elif ended is not None:
            view.done = None
        elif not view.has_ended:
            view.state, view.kind, view.message = "killed", "killed", "The server was stopped while this run trained."
        return view, owner

    def last_error(self) -> str:
        """The last line that the process wrote besides events, or empty."""
        try:
            lines = self.errors.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        except OSError:
            return ""
        return lines[-1] if lines else ""


@contextlib.contextmanager
def _new(root: pathlib.Path, owner: str) -> Iterator[RunFiles]:
    """Lets the folder of a new run be filled; nothing of it is left where that breaks off."""
    files = RunFiles(root / secrets.token_urlsafe(12))
    try:
        files.home.mkdir(mode=0o700, parents=True)
        _write(files.home / OWNER, owner.encode())
        yield files
    except BaseException as error:
        shutil.rmtree(files.home, ignore_errors=True)
        if isinstance(error, OSError):
            raise TrainingError(f"The run's files cannot be written ({error.strerror}); is the disk full?") from error
        raise


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
    """The files of a result, by name: their number and sizes are checked before anything is unpacked.

    Raises:
        TrainingError: It is no ZIP file of a result, or one that is too large.
        CheckpointCorruptError: One of its files is larger than such a file may be.
    """
    if len(content) > MAX_ZIP_BYTES:
        raise TrainingError(f"This file is larger than {MAX_ZIP_BYTES / 1e6:.0f} MB.")
    try:
        with zipped.unzip(content, _MAX_ENTRIES) as file:
            listed = zipped.members(file)
            entries = {pathlib.PurePosixPath(info.filename).name: info for info in listed}
            strange = sorted(name for name in entries if not schema.is_file_name(name))
            if strange or len(entries) != len(listed):
                raise TrainingError(
                    f"This ZIP file holds other files than a result has ({', '.join(strange[:3]) or 'some twice'}); "
                    f"{', '.join(schema.FILES)} are expected, or {schema.INDEX} and what it names for the weights."
                )
            for name, info in entries.items():
                schema.check_bytes(name, info.file_size)
            if sum(info.file_size for info in entries.values()) > MAX_ZIP_BYTES:
                raise TrainingError(f"This result is larger than {MAX_ZIP_BYTES / 1e6:.0f} MB.")
            return {name: zipped.unpack(file, info, info.file_size) for name, info in entries.items()}
    except DataError as error:
        raise TrainingError(f"This is not a ZIP file of a result. {error}") from error


def read_text(path: pathlib.Path) -> str:
    """A small text file; empty where there is none."""
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _private(path: str, flags: int) -> int:
    """Opens a file that nobody else may read, where it is new."""
    return os.open(path, flags, 0o600)


def _write(path: pathlib.Path, content: bytes) -> None:
    with open(path, "wb", opener=_private) as file:
        file.write(content)
