"""Finished checkpoints as a few small files, and back.

What comes back from a machine that is lent must fit through a narrow door: so many files, each so large. Matrices are
stored in int8 with a scale for each row, other tensors in fp16; a tensor stands whole in one file, a checkpoint comes
whole or not at all, and those that are worth most come first.
"""

from __future__ import annotations

import hashlib
import json
import pathlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import safetensors.torch
from torch import Tensor

from seqdemo.checkpoints import package, schema
from seqdemo.checkpoints.schema import CONFIG, HISTORY, METRICS, VOCABULARY
from seqdemo.errors import CheckpointCorruptError, CheckpointMissingError

FORMAT = 1
MAX_FILES = 8
MAX_FILE_BYTES = 15 * 2**20
MAX_BYTES = 60 * 2**20
_MANIFEST = "bundle.json"
_HEADER_BYTES = 150
"""More than a tensor's entry in the header of a safetensors file takes."""


@dataclass
class _File:
    tensors: dict[str, Tensor] = field(default_factory=dict)
    n_bytes: int = 0


def write(out: pathlib.Path, folders: Mapping[str, pathlib.Path], into: pathlib.Path) -> list[str]:
    """Writes a bundle of the checkpoints for which there is room.

    Args:
        out: Only for messages: where the checkpoints were looked for.
        folders: Name → checkpoint folder, worth most first; those that are not there are left out.
        into: The bundle's folder; a previous bundle in it is replaced.

    Returns:
        The names that did not fit.

    Raises:
        CheckpointMissingError: None of the folders is there, or a file in one is not.
        CheckpointCorruptError: A file's contents are not what they should be.
    """
    found = {name: folder for name, folder in folders.items() if (folder / CONFIG).is_file()}
    if not found:
        raise CheckpointMissingError(f"{out} holds no finished checkpoint of {', '.join(folders)}.")
    files: list[_File] = []
    checkpoints: dict[str, Any] = {}
    vocabularies: dict[str, str] = {}
    left_out = []
    for name, folder in found.items():
        checkpoint = package.read(folder, kind=schema.kind_of(folder))
        tensors, int8_tables = package.pack(checkpoint.tensors(), 1)
        config = {**checkpoint.config, "int8_tables": int8_tables}
        told = {CONFIG: config, METRICS: checkpoint.metrics, HISTORY: checkpoint.history}
        placed = _placed(files, {f"{name}/{key}": tensor for key, tensor in tensors.items()})
        if placed is None:
            left_out.append(name)
            continue
        files = placed
        words = (folder / VOCABULARY).read_text(encoding="utf-8")
        key = hashlib.sha256(words.encode()).hexdigest()
        vocabularies[key] = words
        checkpoints[name] = {"files": told, "vocabulary": key, "tensors": sorted(tensors)}
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    sums = {}
    for k, file in enumerate(files):
        content = safetensors.torch.save(file.tensors)
        (into / f"weights-{k + 1}.safetensors").write_bytes(content)
        sums[f"weights-{k + 1}.safetensors"] = hashlib.sha256(content).hexdigest()
    manifest = {"format": FORMAT, "weights": sums, "vocabularies": vocabularies, "checkpoints": checkpoints}
    content = json.dumps(manifest, ensure_ascii=False).encode()
    (into / _MANIFEST).write_bytes(hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
    return left_out


def _placed(files: Sequence[_File], tensors: Mapping[str, Tensor]) -> list[_File] | None:
    """The files with these tensors in the first that has room for each; None where they do not fit."""
    new = [_File(dict(file.tensors), file.n_bytes) for file in files]
    for name, tensor in sorted(tensors.items(), key=lambda entry: -entry[1].nbytes):
        n_bytes = tensor.nbytes + len(name) + _HEADER_BYTES
        place = next((file for file in new if file.n_bytes + n_bytes <= MAX_FILE_BYTES), None)
        if place is None:
            if len(new) == MAX_FILES - 1 or n_bytes > MAX_FILE_BYTES:
                return None
            place = _File()
            new.append(place)
        place.tensors[name] = tensor
        place.n_bytes += n_bytes
    return new if sum(file.n_bytes for file in new) <= MAX_BYTES - MAX_FILE_BYTES // 4 else None


def unpack(bundle: pathlib.Path, into: pathlib.Path) -> list[str]:
    """Restores the checkpoints of a bundle as ordinary folders.

    Args:
        bundle: A folder that `write` wrote.
        into: Where the folders go.

    Returns:
        Their names. Each can be read by the module of its kind, which checks it once more.

    Raises:
        CheckpointMissingError: A file of the bundle is not there.
        CheckpointCorruptError: A file is not what was written.
    """
    manifest = _manifest(bundle)
    tensors: dict[str, Tensor] = {}
    if missing := [name for name in manifest["weights"] if not (bundle / name).is_file()]:
        raise CheckpointMissingError(f"{bundle} lacks {', '.join(missing)}.")
    for name, wanted in manifest["weights"].items():
        content = (bundle / name).read_bytes()
        if hashlib.sha256(content).hexdigest() != wanted:
            raise CheckpointCorruptError(f"{bundle / name} is not what was written; its checksum differs.")
        tensors |= safetensors.torch.load(content)
    for name, told in manifest["checkpoints"].items():
        parts = {key: tensors[f"{name}/{key}"] for key in told["tensors"]}
        package.restore(into / name, parts, told["files"], manifest["vocabularies"][told["vocabulary"]])
    return list(manifest["checkpoints"])


def _manifest(bundle: pathlib.Path) -> dict[str, Any]:
    try:
        wanted, _, content = (bundle / _MANIFEST).read_bytes().partition(b"\n")
    except OSError as error:
        raise CheckpointMissingError(
            f"{bundle} is no bundle: {_MANIFEST} cannot be read ({error.strerror})."
        ) from error
    if hashlib.sha256(content).hexdigest().encode() != wanted:
        raise CheckpointCorruptError(f"{bundle / _MANIFEST} is not what was written; its checksum differs.")
    manifest: dict[str, Any] = json.loads(content)
    if manifest["format"] != FORMAT:
        raise CheckpointCorruptError(f"{bundle} is of format {manifest['format']!r}; format {FORMAT} is read.")
    return manifest
