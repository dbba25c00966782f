"""A checkpoint as a folder of files that anyone can read, and nothing that runs.

```
config.json         which model, its shape, how its tensors are stored
model.safetensors   weights: fp16; large tables int8 with one fp16 scale a row
vocab.txt           one word a line, the line number its index
metrics.json        what was measured of it, on which rows, at what cost
history.json        one entry for each epoch
README.md           the model card
```

Loading is strict: every tensor that the model has and no other, of the right shape
and type, with finite values. Pickles are neither written nor read.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import pathlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from seqdemo.checkpoints.classifier import Classifier
from seqdemo.errors import CheckpointCorruptError, CheckpointMissingError, ConfigError, UnknownModelError
from seqdemo.models import registry
from seqdemo.text import MAX_TOKENS, TOKENS_VERSION, Vocabulary

if TYPE_CHECKING:
    from seqdemo.models.registry import SequenceModel

FORMAT = 1
CONFIG, WEIGHTS, VOCABULARY, METRICS, HISTORY, CARD = FILES = (
    "config.json",
    "model.safetensors",
    "vocab.txt",
    "metrics.json",
    "history.json",
    "README.md",
)
NEEDED = (CONFIG, WEIGHTS, VOCABULARY, METRICS, HISTORY)
INT8_FROM_ENTRIES = 1_000_000
"""Tables of at least this many entries are stored as int8 with a scale a row."""
_SCALE = ".scale"


def save(
    folder: pathlib.Path,
    *,
    name: str,
    model: SequenceModel,
    vocabulary: Vocabulary,
    metrics: Mapping[str, Any],
    history: Sequence[Mapping[str, float]],
    training: Mapping[str, Any],
    card: str = "",
) -> None:
    """Writes a checkpoint; a previous one stays whole until the new one is.

    Args:
        folder: Where it goes; replaced if it is there.
        name: The model's name in the registry.
        model: The trained model.
        vocabulary: Its words.
        metrics: What `metrics.json` holds.
        history: What `history.json` holds.
        training: The settings it was trained with, for `config.json`.
        card: The text of `README.md`.
    """
    with replacing(folder) as new:
        tensors, int8_tables = pack(model.state_dict())
        config = {
            "format": FORMAT,
            "model": name,
            "architecture": dataclasses.asdict(model.config),
            "max_tokens": MAX_TOKENS,
            "tokens": TOKENS_VERSION,
            "labels": ["negative", "positive"],
            "int8_tables": int8_tables,
            "training": dict(training),
        }
        safetensors.torch.save_file(tensors, new / WEIGHTS, {"format": "pt"})
        (new / WEIGHTS).chmod(0o644)  # safetensors writes for the owner alone; a server may run as another user
        vocabulary.save(new / VOCABULARY)
        write_json(new / CONFIG, config)
        write_json(new / METRICS, metrics)
        write_json(new / HISTORY, list(history))
        (new / CARD).write_text(card, encoding="utf-8", newline="\n")


def load(folder: str | os.PathLike[str]) -> Classifier:
    """Reads and checks a checkpoint.

    Args:
        folder: A folder that `save` wrote.

    Returns:
        The classifier, on the CPU, in fp32, its weights frozen.

    Raises:
        CheckpointMissingError: The folder or a file in it is not there.
        CheckpointCorruptError: A file's contents are not what they should be.
    """
    folder = pathlib.Path(folder)
    absent = [name for name in NEEDED if not (folder / name).is_file()]
    if absent:
        raise CheckpointMissingError(f"{folder} is no checkpoint: {', '.join(absent)} not found in it.")
    config = read_json(folder / CONFIG, dict)
    metrics = read_json(folder / METRICS, dict)
    history = read_json(folder / HISTORY, list)
    if config.get("format") != FORMAT:
        raise CheckpointCorruptError(
            f"{folder / CONFIG} has format {config.get('format')!r}; this program reads {FORMAT}."
        )
    check_tokens(config, folder / CONFIG)
    try:
        vocabulary = Vocabulary.load(folder / VOCABULARY)
    except UnicodeDecodeError as error:
        raise CheckpointCorruptError(f"{folder / VOCABULARY} is not UTF-8 text: {error}.") from error
    name, entries = config.get("model"), config.get("architecture")
    if not isinstance(name, str) or not isinstance(entries, dict):
        raise CheckpointCorruptError(f"{folder / CONFIG} names no model or no architecture.")
    try:
        shape = registry.config_from_dict(name, entries)
    except (ConfigError, UnknownModelError) as error:
        raise CheckpointCorruptError(f"{folder / CONFIG}: {error}") from error
    if shape.vocab_size != len(vocabulary):
        raise CheckpointCorruptError(
            f"{folder / VOCABULARY} has {len(vocabulary)} words; {CONFIG} says {shape.vocab_size}."
        )
    if getattr(shape, "max_tokens", MAX_TOKENS) < MAX_TOKENS:
        raise CheckpointCorruptError(
            f"{folder / CONFIG}: the model reads {shape.max_tokens} tokens; {MAX_TOKENS} are needed."  # type: ignore[union-attr]
        )
    with torch.random.fork_rng(devices=[]):  # starting weights are drawn, and replaced at once
        model = registry.build(name, shape)
    int8_tables = config.get("int8_tables", [])
    if not isinstance(int8_tables, list) or not all(isinstance(table, str) for table in int8_tables):
        raise CheckpointCorruptError(f"{folder / CONFIG}: int8_tables is a list of names; got {int8_tables!r}.")
    tensors = unpack(read_tensors(folder / WEIGHTS), int8_tables, folder / WEIGHTS)
    check(tensors, model.state_dict(), folder / WEIGHTS)
    model.load_state_dict(tensors, strict=True, assign=True)
    model.requires_grad_(False).eval()
    return Classifier(
        name=name,
        model=model,
        vocabulary=vocabulary,
        config=config,
        metrics=metrics,
        history=history,
        sha256=sha256(folder / WEIGHTS),
        folder=folder,
    )


def check_tokens(config: Mapping[str, Any], path: pathlib.Path) -> None:
    """Holds the rules by which a model's text was cut into tokens against those of this program.

    Raises:
        CheckpointCorruptError: They are others.
    """
    version = config.get("tokens", 1)
    if version != TOKENS_VERSION or isinstance(version, bool):
        raise CheckpointCorruptError(
            f"{path}: the model was trained on tokens of version {version!r}; this program makes version "
            f"{TOKENS_VERSION}. A newer seqdemo may read it."
        )


def pack(state: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
    """Makes tensors small: fp16, and int8 with a scale a row for large tables.

    Returns:
        The tensors to store, and the names of the tables in int8.
    """
    packed: dict[str, Tensor] = {}
    int8_tables = []
    for name, tensor in state.items():
        tensor = tensor.detach().float().cpu()
        if tensor.ndim == 2 and tensor.numel() >= INT8_FROM_ENTRIES:
            scale = (tensor.abs().amax(1, keepdim=True) / 127).clamp(min=1e-7).half()
            packed[name] = (tensor / scale.float()).round().clamp(-127, 127).to(torch.int8).contiguous()
            packed[name + _SCALE] = scale
            int8_tables.append(name)
        else:
            packed[name] = tensor.half().contiguous()
    return packed, int8_tables


def unpack(packed: Mapping[str, Tensor], int8_tables: Sequence[str], path: pathlib.Path) -> dict[str, Tensor]:
    """The inverse of `pack`: every tensor in fp32.

    Raises:
        CheckpointCorruptError: A table in int8 lacks its scales, or a tensor's type is another.
    """
    tensors = dict(packed)
    for name in int8_tables:
        table, scale = tensors.get(name), tensors.pop(name + _SCALE, None)
        if table is None or scale is None or table.dtype != torch.int8 or scale.shape != (len(table), 1):
            raise CheckpointCorruptError(f"{path}: {name} is not an int8 table with one scale a row.")
        tensors[name] = table.float() * scale.float()
    for name, tensor in tensors.items():
        if tensor.dtype not in {torch.float16, torch.float32}:
            raise CheckpointCorruptError(f"{path}: {name} is stored as {tensor.dtype}; float16 is expected.")
    return {name: tensor.float() for name, tensor in tensors.items()}


def sha256(path: pathlib.Path) -> str:
    """The SHA-256 of a file, as 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(path: pathlib.Path, value: Any) -> None:
    """Writes readable JSON with a newline at its end."""
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")


def read_json(path: pathlib.Path, kind: type[Any]) -> Any:
    """Reads JSON and checks what stands at its top.

    Raises:
        CheckpointCorruptError: It is no JSON, or another kind of value.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CheckpointCorruptError(f"{path} is not JSON: {error}.") from error
    if not isinstance(value, kind):
        raise CheckpointCorruptError(f"{path} holds a {type(value).__name__}; a {kind.__name__} is expected.")
    return value


@contextlib.contextmanager
def replacing(folder: pathlib.Path) -> Iterator[pathlib.Path]:
    """Gives an empty folder to fill, which takes the place of `folder` once it is full.

    Where filling fails, `folder` stays as it was.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    new = pathlib.Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    old = new.with_name(new.name + "-old")
    try:
        new.chmod(0o755)
        yield new
        if folder.exists():
            folder.rename(old)
        new.rename(folder)
    finally:
        if old.exists() and not folder.exists():
            old.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
        shutil.rmtree(new, ignore_errors=True)


def read_tensors(path: pathlib.Path) -> dict[str, Tensor]:
    """Reads a safetensors file; anything else is a `CheckpointCorruptError`."""
    try:
        return safetensors.torch.load_file(path)
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise CheckpointCorruptError(f"{path} is not a safetensors file: {error}.") from error


def check(tensors: Mapping[str, Tensor], wanted: Mapping[str, Tensor], path: pathlib.Path) -> None:
    """Holds tensors against those of a model: the same names and shapes, and finite values.

    Raises:
        CheckpointCorruptError: They differ; the message says where.
    """
    missing, extra = sorted(set(wanted) - set(tensors)), sorted(set(tensors) - set(wanted))
    if missing or extra:
        raise CheckpointCorruptError(
            f"{path} does not fit its model; missing: {', '.join(missing) or 'none'}; "
            f"not known: {', '.join(extra) or 'none'}."
        )
    for name, tensor in tensors.items():
        if tensor.shape != wanted[name].shape:
            raise CheckpointCorruptError(
                f"{path}: {name} has the shape {tuple(tensor.shape)}; its model has {tuple(wanted[name].shape)}."
            )
        if not torch.isfinite(tensor).all():
            raise CheckpointCorruptError(f"{path}: {name} holds values that are not finite.")
