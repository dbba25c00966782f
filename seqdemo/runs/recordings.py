"""Runs that were really trained once, to be watched again where training is switched off.

One file for each preset in `pretrained/runs/`: the settings of its runs, and their events as they came, each with
`at`, the seconds since its start. Nothing in them is made up or smoothed.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seqdemo import paths
from seqdemo.checkpoints import manifest
from seqdemo.errors import CheckpointError, DataError, TrainingError
from seqdemo.runs.jobs import Jobs
from seqdemo.runs.view import View
from seqdemo.training.settings import PRESETS, RunSettings

FOLDER = paths.PRETRAINED / "runs"
_FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Recording:
    """One run as it was.

    Attributes:
        settings: What it was started with.
        events: All its events, each with `at`.
    """

    settings: RunSettings
    events: Sequence[Mapping[str, Any]]

    @property
    def seconds(self) -> float:
        """How long it took, its start included."""
        return float(self.events[-1]["at"]) if self.events else 0.0

    def view(self, seconds: float | None = None) -> View:
        """What could be seen of it so many seconds after its start; at its end by default.

        Training itself is shown: the seconds before its first sign are left out.
        """
        found = View(id="", settings=self.settings, state="starting")
        begin = next((float(event["at"]) for event in self.events if event["event"] == "start"), 0.0)
        for event in self.events:
            at = max(0.0, float(event["at"]) - begin)
            if seconds is not None and at > seconds:
                break
            found.take({**event, "at": at})
        return found


def names(folder: pathlib.Path = FOLDER) -> list[str]:
    """The presets that are recorded, in their usual order."""
    return [name for name in PRESETS if (folder / f"{name}.json").is_file()]


def load(name: str, folder: pathlib.Path = FOLDER) -> list[Recording]:
    """Reads the runs of a recorded preset.

    Raises:
        DataError: There is no such recording, or its file is damaged.
    """
    if name not in PRESETS:
        raise DataError(f"There is no preset called {name!r}; known are {', '.join(PRESETS)}.")
    path = folder / f"{name}.json"
    try:
        stored = json.loads(manifest.read_text(path))
        if stored["format"] != _FORMAT:
            raise DataError(f"{path.name} has format {stored['format']!r}; this program reads {_FORMAT}.")
        return [Recording(settings=RunSettings(**run["settings"]), events=run["events"]) for run in stored["runs"]]
    except FileNotFoundError as error:
        raise DataError(f"The preset {name} has not been recorded.") from error
    except CheckpointError as error:
        raise DataError(f"The recording cannot be used. {error}") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"The recording {path.name} cannot be read ({error}).") from error


def record(name: str, jobs: Jobs, folder: pathlib.Path = FOLDER, timeout_s: float = 1800) -> pathlib.Path:
    """Trains the runs of a preset, one after the other, and writes down what they said.

    Args:
        name: Of the preset.
        jobs: Where they are run.
        folder: Where the recording goes.
        timeout_s: Longest wait for one run.

    Returns:
        The file.

    Raises:
        TrainingError: A run took too long.
    """
    runs = []
    for settings in PRESETS[name].runs:
        run_id = jobs.start(settings)
        view = jobs.wait(run_id, lambda view: view.has_ended, timeout_s)
        if not view.has_ended:
            raise TrainingError(f"A run of {name} took longer than {timeout_s:.0f} s.")
        events = [_short(event) for event in jobs.events(run_id)]
        runs.append({"settings": dataclasses.asdict(settings), "events": events})
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    head = json.dumps({"format": _FORMAT, "preset": name})[:-1]
    blocks = []
    for run in runs:
        lines = ",\n".join(json.dumps(event, ensure_ascii=False) for event in run["events"])
        blocks.append(f'{{"settings": {json.dumps(run["settings"])},\n"events": [\n{lines}\n]}}')
    path.write_text(head + ',\n"runs": [\n' + ",\n".join(blocks) + "\n]}\n", encoding="utf-8", newline="\n")
    manifest.follow(folder, path.name)
    return path


def _short(value: Any) -> Any:
    """Numbers with five significant digits, and no path of this machine, where the weights are not kept."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, dict):
        return {name: None if name == "folder" else _short(entry) for name, entry in value.items()}
    return [_short(entry) for entry in value] if isinstance(value, list) else value
