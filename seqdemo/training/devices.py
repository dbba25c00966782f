"""Where a run can compute, by the names that makers gave."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor

from seqdemo.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Device:
    """One place to compute.

    Attributes:
        name: What `--device` takes: `cpu`, `cuda` or `mps`.
        label: Its name in full.
        memory_bytes: Its memory in all; None where the system does not say.
    """

    name: str
    label: str
    memory_bytes: int | None


def available() -> list[Device]:
    """Every device of this machine, the one that `auto` takes first."""
    found = []
    if torch.cuda.is_available():
        properties = torch.cuda.get_device_properties(0)
        found.append(Device(name="cuda", label=properties.name, memory_bytes=properties.total_memory))
    if torch.backends.mps.is_available():
        found.append(Device(name="mps", label=f"Apple GPU ({platform.machine()})", memory_bytes=_memory()))
    found.append(Device(name="cpu", label=_processor(), memory_bytes=_memory()))
    return found


def choose(name: str) -> Device:
    """The device of that name, or the first for `auto`; the CPU where the wanted one is not there."""
    found = available()
    return found[0] if name == "auto" else next((device for device in found if device.name == name), found[-1])


def find(name: str | None = None) -> torch.device:
    """The device of that name, which must be there; without a name the accelerator of this machine, or its CPU.

    Raises:
        ConfigError: There is no such device here.
    """
    found = {device.name: device for device in available()}
    if name is None or name == "auto":
        return torch.device(next(iter(found)))
    try:
        device = torch.device(name)
    except RuntimeError:  # torch's word for a name that it does not know
        device = None
    n_devices = torch.cuda.device_count() if device is not None and device.type == "cuda" else 1
    if device is None or device.type not in found or (device.index or 0) >= n_devices:
        raise ConfigError(f"There is no device {name!r} here; this machine has {', '.join(found)}.")
    return device


def name_of(device: torch.device) -> str:
    """The device by the name its maker gave it, and how many threads compute there."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type} ({platform.machine()}, {torch.get_num_threads()} threads)"


def has_fused_optimisers(device: torch.device) -> bool:
    """Whether torch updates all weights there in one kernel; not on MPS in every release."""
    return device.type in {"cuda", "cpu"}


def send(array: npt.NDArray[Any], device: torch.device) -> Tensor:
    """An array on a device; only CUDA, which copies it first, need not be waited for, whatever becomes of the array."""
    return torch.from_numpy(array).to(device, non_blocking=device.type == "cuda")


def allow_fast_products(device: torch.device) -> None:
    """Lets CUDA round what fp32 matrices are multiplied by to TF32's ten digits, at several times the speed."""
    if device.type == "cuda":
        torch.set_float32_matmul_precision("high")


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123 (a device file, read line by line)
            for line in file:
                if line.startswith("model name"):
                    return f"CPU: {line.partition(':')[2].strip()}, {os.cpu_count()} cores"
    except OSError:
        pass
    return f"CPU: {platform.processor() or platform.machine()}, {os.cpu_count()} cores"


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # not on Windows
        return None
