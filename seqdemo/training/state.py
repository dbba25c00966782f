"""The state of an interrupted run, in one safetensors file: weights, the optimiser's moments, progress, settings."""

from __future__ import annotations

import contextlib
import json
import pathlib
from collections.abc import Mapping
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from seqdemo.errors import TrainingError

Groups = dict[str, dict[str, Tensor]]
"""Kind (`model`, `best` and so on) → name → tensor."""
_OPTIMISER = "optimiser"


def save(
    path: pathlib.Path,
    groups: Mapping[str, Mapping[str, Tensor]],
    optimiser: torch.optim.Optimizer,
    *,
    progress: Mapping[str, Any],
    settings: str,
) -> None:
    """Writes a run's state in one step: a reader never sees half of it.

    Args:
        path: The file.
        groups: Kind → tensors by name.
        optimiser: Its moments are kept.
        progress: How far the run has come, as plain values.
        settings: What must be the same for the run to be resumed.

    Raises:
        TrainingError: It could not be written.
    """
    tensors = {f"{kind}.{name}": tensor for kind, group in groups.items() for name, tensor in group.items()}
    for index, entries in optimiser.state_dict()["state"].items():
        moments = {name: tensor for name, tensor in entries.items() if isinstance(tensor, Tensor)}
        tensors |= {f"{_OPTIMISER}.{index}.{name}": tensor for name, tensor in moments.items()}
    tensors = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    partial = path.with_suffix(".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        safetensors.torch.save_file(tensors, partial, {"progress": json.dumps(dict(progress)), "settings": settings})
        partial.replace(path)
    except (OSError, safetensors.SafetensorError) as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        reason = getattr(error, "strerror", None) or error  # without the path, which a visitor need not know
        raise TrainingError(f"The state of the run could not be written ({reason}); is the disk full?") from error


def load(path: pathlib.Path, *, settings: str) -> tuple[Groups, dict[str, Any]]:
    """Reads a run's state back.

    Args:
        path: A file that `save` wrote.
        settings: Those of the run that is to go on.

    Returns:
        The tensors by kind, on the CPU, and the progress. `restore` takes the optimiser's.

    Raises:
        TrainingError: The file cannot be read, or is of a run with other settings.
    """
    try:
        with safetensors.safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except (safetensors.SafetensorError, OSError) as error:
        raise TrainingError(f"{path} cannot be read ({error}); start again without --resume.") from error
    if metadata.get("settings") != settings:
        raise TrainingError(f"{path} belongs to a run with other settings; start again without --resume.")
    groups: Groups = {}
    for name, tensor in tensors.items():
        kind, rest = name.split(".", 1)
        groups.setdefault(kind, {})[rest] = tensor
    return groups, json.loads(metadata["progress"])


def restore(optimiser: torch.optim.Optimizer, groups: Groups) -> None:
    """Puts the optimiser's moments back; it moves them to its parameters' device."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in groups.get(_OPTIMISER, {}).items():
        index, entry = name.split(".", 1)
        state.setdefault(int(index), {})[entry] = tensor
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
