"""Weights in several files, and their index, in the form that the Hub's own libraries write and read.

```
model.safetensors.index.json        {"metadata": {"total_size": …}, "weight_map": {tensor: file}}
model-00001-of-00002.safetensors    some of the tensors
model-00002-of-00002.safetensors    the others
```

An index may come from a stranger: it names no file but these, and all of them. Imports no torch.
"""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from dataclasses import dataclass

from seqdemo.checkpoints import schema
from seqdemo.checkpoints.schema import INDEX, SHARD, WEIGHTS
from seqdemo.errors import CheckpointCorruptError

MAX_SHARDS = 64


@dataclass(frozen=True, kw_only=True)
class Index:
    """Which file holds which tensor.

    Attributes:
        n_bytes: Of all tensors as they are stored.
        weight_map: The file of each tensor.
    """

    n_bytes: int
    weight_map: Mapping[str, str]

    @property
    def files(self) -> tuple[str, ...]:
        """The files, in their order."""
        return tuple(sorted(set(self.weight_map.values())))

    def tensors(self, file: str) -> set[str]:
        """The names of the tensors that belong into a file."""
        return {tensor for tensor, holder in self.weight_map.items() if holder == file}


def shard_name(number: int, of: int) -> str:
    """What a file is called; numbers begin at 1."""
    return f"model-{number:05}-of-{of:05}.safetensors"


def write(path: pathlib.Path, index: Index) -> None:
    """Writes an index."""
    weight_map = dict(sorted(index.weight_map.items()))
    schema.write_json(path, {"metadata": {"total_size": index.n_bytes}, "weight_map": weight_map})


def read(path: pathlib.Path) -> Index:
    """Reads and checks an index; looks at none of the files that it names.

    Raises:
        CheckpointCorruptError: It is no index, or names other files than it may.
        OSError: It cannot be read.
    """
    value = schema.read_json(path, dict)
    metadata, weight_map = value.get("metadata"), value.get("weight_map")
    n_bytes = metadata.get("total_size") if isinstance(metadata, dict) else None
    if type(n_bytes) is not int or n_bytes < 0:
        raise CheckpointCorruptError(f"{path.name}: its metadata has no whole number as total_size.")
    if n_bytes > schema.MAX_BYTES[WEIGHTS]:
        most = schema.MAX_BYTES[WEIGHTS] / 1e6
        raise CheckpointCorruptError(
            f"{path.name} announces {n_bytes / 1e6:,.1f} MB of weights; at most {most:,.0f} MB are read."
        )
    if not isinstance(weight_map, dict) or not weight_map:
        raise CheckpointCorruptError(f"{path.name} has no weight_map, which names the file of each tensor.")
    for file in weight_map.values():
        if not isinstance(file, str) or not SHARD.fullmatch(file):
            raise CheckpointCorruptError(
                f"{path.name} names the file {repr(file)[:60]}; its files are called {shard_name(1, 2)} and so on."
            )
    index = Index(n_bytes=n_bytes, weight_map=weight_map)
    n_files = len(index.files)
    if n_files > MAX_SHARDS:
        raise CheckpointCorruptError(f"{path.name} names {n_files} files; at most {MAX_SHARDS} are read.")
    expected = tuple(shard_name(number, n_files) for number in range(1, n_files + 1))
    if index.files != expected:
        raise CheckpointCorruptError(
            f"{path.name} names {n_files} files, which are to be called {expected[0]} to {expected[-1]}; "
            f"one is called {min(set(index.files) - set(expected))}."
        )
    return index


def index_of(folder: pathlib.Path) -> Index | None:
    """The index of a checkpoint; None where its weights are in one file, or missing.

    Raises:
        CheckpointCorruptError: It is no index, or there is one file of all weights beside it.
        OSError: It cannot be read.
    """
    if not (folder / INDEX).is_file():
        return None
    if (folder / WEIGHTS).exists():
        raise CheckpointCorruptError(
            f"{folder.name} holds both {WEIGHTS} and {INDEX}; weights are in one file or in several, not in both."
        )
    return read(folder / INDEX)


def with_shards(files: tuple[str, ...], index: Index | None) -> tuple[str, ...]:
    """Names of files of a checkpoint, with index and shards in the place of the one file of weights."""
    if index is None:
        return files
    return tuple(name for file in files for name in ((INDEX, *index.files) if file == WEIGHTS else (file,)))
