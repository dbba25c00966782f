"""Several processes that train one model together, one a device, as `torchrun` starts them.

Each holds all weights and reads its own rows of every batch; gradients are averaged by torch's
DistributedDataParallel. The first process, rank 0, decides, tells and writes.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import TypeVar

import torch
from torch import Tensor, distributed

from seqdemo.errors import ConfigError
from seqdemo.training import devices

T = TypeVar("T")


@contextlib.contextmanager
def together(name: str | None) -> Iterator[torch.device]:
    """Joins the other processes, if `torchrun` started any.

    Args:
        name: Of the device; found by itself.

    Yields:
        The device of this process.

    Raises:
        ConfigError: There are fewer devices of that kind than processes.
    """
    device = devices.find(name)
    n = int(os.environ.get("WORLD_SIZE", "1"))
    if n == 1:
        yield device
        return
    if device.type == "cuda":
        own = int(os.environ["LOCAL_RANK"])
        if own >= torch.cuda.device_count():
            raise ConfigError(f"There are {torch.cuda.device_count()} CUDA devices here; process {own} has none.")
        device = torch.device("cuda", own)
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield device
    finally:
        distributed.destroy_process_group()


def world() -> int:
    """How many processes train together; 1 where this one is alone."""
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def rank() -> int:
    """Which of them this is, from 0."""
    return distributed.get_rank() if world() > 1 else 0


def own_rows(n: int) -> slice:
    """Which of n rows this process reads: every `world()`-th; the first, at no weight, where there is none left."""
    return slice(rank(), n, world()) if rank() < n else slice(0, 1)


def weight(n_own: int, n: int) -> float:
    """What the mean over own rows (or words) counts for, so that the mean over processes is that over all of them."""
    return 1.0 if world() == 1 else n_own * world() / max(1, n)


def share(n: int) -> tuple[slice, float]:
    """Which of n rows this process reads, and what the mean over them counts for."""
    return own_rows(n), weight(len(range(rank(), n, world())), n)


def agreed(value: T) -> T:
    """What rank 0 says."""
    if world() == 1:
        return value
    said = [value]
    distributed.broadcast_object_list(said, src=0)
    return said[0]


def mean(tensor: Tensor) -> Tensor:
    """The mean over the processes."""
    if world() == 1:
        return tensor
    total = tensor.clone()
    distributed.all_reduce(total)
    return total / world()


def standard_deviation(tensor: Tensor) -> Tensor:
    """That of the entries of all processes."""
    if world() == 1:
        return tensor.std()
    sums = torch.stack([tensor.sum(), tensor.square().sum(), tensor.new_tensor(tensor.numel())])
    distributed.all_reduce(sums)
    total, squares, n = sums.unbind()
    return ((squares - total.square() / n) / (n - 1)).sqrt()


def gathered(tensor: Tensor, dim: int) -> Tensor:
    """The rows of all processes in their order, where each has those of `own_rows`, of equal number."""
    if world() == 1:
        return tensor
    parts = [torch.empty_like(tensor) for _ in range(world())]
    distributed.all_gather(parts, tensor.contiguous())
    return torch.stack(parts, dim + 1).flatten(dim, dim + 1)
