"""A checkpoint folder of any kind: written, read and checked.

```
config.json         which kind of model, its shape, how its tensors are stored
model.safetensors   weights: fp16; large tables int8 with one fp16 scale a row; above 500 MB in `shards`
vocab.txt           one word a line, the line number its index; of models of texts
metrics.json        what was measured of it, on which rows, at what cost
history.json        one entry for each epoch
README.md           the model card, where there is one
```

A folder may come from a stranger, so that nothing of it is believed before it was checked, and the cheap questions
come first: is it of the kind that is wanted, are the files there and not too large, is the JSON what it should be
(`read`), are the words those that it says (`Package.vocabulary`), is the model of a size that is built here, do the
names, shapes and types in the header of its weights fit the model, which until then takes no memory
(`Package.module`)? Only then are tensors read, and each value must be finite. Pickles are neither written nor read.
Messages name files without their folders, since visitors read them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import itertools
import math
import pathlib
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from seqdemo import environment, paths
from seqdemo.checkpoints import manifest, schema, shards
from seqdemo.checkpoints.schema import CARD, CONFIG, FORMAT, HISTORY, INDEX, METRICS, VOCABULARY, WEIGHTS
from seqdemo.errors import CheckpointCorruptError, CheckpointMissingError, ConfigError, listed
from seqdemo.models import registry
from seqdemo.text import TOKENS_VERSIONS, Vocabulary

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from seqdemo.models.registry import Config

C = TypeVar("C", bound="DataclassInstance")
M = TypeVar("M", bound=nn.Module)
Header = dict[str, tuple[str, tuple[int, ...]]]
"""Type and shape of each tensor by its name."""

INT8_FROM_ENTRIES = 1_000_000
"""Tables of at least this many entries are stored as int8 with a scale a row."""
MAX_PARAMETERS = 300_000_000
"""Numbers of the largest model that is read."""
SHARD_BYTES = 500_000_000
"""Weights above this size are written in several files, each at most so large if no tensor is larger."""
_MAX_HEADER_BYTES = 1_000_000
_MAX_WIDTH = 4_096
_MAX_SIZES: Mapping[str, int] = {"vocab_size": 500_000, "n_layers": 64, "n_heads": 64, "max_tokens": 2_000}
_SCALE = ".scale"
_FLOATS = ("F16", "F32")


@dataclass(frozen=True, kw_only=True)
class Package:
    """A checkpoint folder whose JSON has been checked; nothing of its weights has been read.

    Attributes:
        folder: Where it lies.
        config: What `config.json` holds.
        metrics: What `metrics.json` holds.
        history: What `history.json` holds.
        index: Which file holds which tensor; None where all are in one.
    """

    folder: pathlib.Path
    config: Mapping[str, Any]
    metrics: Mapping[str, Any]
    history: Sequence[Mapping[str, Any]]
    index: shards.Index | None

    @property
    def sha256(self) -> str:
        """Names this checkpoint in caches and studies: of the weights; of several files, of their own SHA-256."""
        if self.index is None:
            return schema.sha256(self.folder / WEIGHTS)
        lines = (f"{schema.sha256(self.folder / file)}  {file}\n" for file in self.index.files)
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    def architecture(self, of: type[C]) -> C:
        """The shape of a model that is not in the registry.

        Args:
            of: Its config, a dataclass that checks its own values.

        Raises:
            CheckpointCorruptError: An entry is not known, missing, or one that nothing can be built with.
        """
        try:
            return registry.config_of(of, self.config.get("architecture", {}), "this model")
        except ConfigError as error:
            raise CheckpointCorruptError(f"{CONFIG}: {error}") from error

    def shape(self) -> tuple[str, Config]:
        """Which model of the registry it is, and its shape.

        Raises:
            CheckpointCorruptError: It is none of them.
        """
        name = self.config.get("model")
        if name not in registry.MODELS or "architecture" not in self.config:
            known = ", ".join(registry.MODELS)
            raise CheckpointCorruptError(f"{CONFIG} names no model ({known}) or no architecture; got {name!r}.")
        try:
            return name, registry.config_from_dict(name, {**_unsaid(self.config), **self.config["architecture"]})
        except ConfigError as error:
            raise CheckpointCorruptError(f"{CONFIG}: {error}") from error

    def vocabulary(self, n_words: int) -> Vocabulary:
        """The words.

        Args:
            n_words: How many there must be.

        Raises:
            CheckpointMissingError: The file is not there.
            CheckpointCorruptError: They are others, the file is no vocabulary, or texts were cut into tokens by other
                rules than this program's.
        """
        version = self.config.get("tokens", 1)
        if version not in TOKENS_VERSIONS or isinstance(version, bool):
            raise CheckpointCorruptError(
                f"{CONFIG}: the model was trained on tokens of version {version!r}; this program makes version "
                f"{' and '.join(map(str, TOKENS_VERSIONS))}. A newer seqdemo may read it."
            )
        path = self.folder / VOCABULARY
        if not path.is_file():
            raise CheckpointMissingError(f"{self.folder.name} is no checkpoint: {VOCABULARY} not found in it.")
        schema.check_bytes(VOCABULARY, path.stat().st_size)
        found = path.read_bytes().removesuffix(b"\n").count(b"\n") + 1
        if found != n_words:
            raise CheckpointCorruptError(f"{VOCABULARY} has {found} words; {CONFIG} says {n_words}.")
        try:
            return Vocabulary.load(path, version=int(version))
        except UnicodeDecodeError as error:
            raise CheckpointCorruptError(f"{VOCABULARY} is not UTF-8 text: {error}.") from error

    def module(self, shape: Any, build: Callable[[], M], *, max_parameters: int = MAX_PARAMETERS) -> M:
        """The model with its weights: CPU, fp32, evaluation mode, frozen.

        Args:
            shape: Its config, whose sizes are held against what is built here.
            build: Makes the model; called where tensors take no memory. Buffers that are not stored must be
                computed on the CPU in there.
            max_parameters: Numbers of the largest model that is wanted.

        Raises:
            CheckpointCorruptError: The weights are not this model's, or it is too large.
        """
        _check_sizes(shape)
        header = self._header()
        n_numbers = sum(math.prod(size) for name, (_, size) in header.items() if not name.endswith(_SCALE))
        if n_numbers > max_parameters:
            raise CheckpointCorruptError(
                f"{self._whole} holds {n_numbers:,} numbers; at most {max_parameters:,} are read."
            )
        try:
            with torch.device("meta"):
                model = build()
        except ConfigError as error:
            raise CheckpointCorruptError(f"{CONFIG}: {error}") from error
        int8_tables = self.config.get("int8_tables", [])
        self._check_header(header, model.state_dict(), int8_tables)
        # Of a model that reads numbers the word vectors do not learn, and are not counted.
        n_parameters = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
        said = self.metrics.get("parameters", n_parameters)
        if said != n_parameters:
            raise CheckpointCorruptError(f"{METRICS} says {said:,} parameters; the model has {n_parameters:,}.")
        tensors = self.tensors()
        for name, tensor in tensors.items():
            if not torch.isfinite(tensor).all():
                raise CheckpointCorruptError(f"{self._file_of(name)}: {name} holds values that are not finite.")
        model.load_state_dict(tensors, strict=True, assign=True)
        if any(tensor.is_meta for tensor in itertools.chain(model.parameters(), model.buffers())):
            raise TypeError(f"{type(model).__name__} has a buffer that is neither stored nor computed on the CPU.")
        return model.requires_grad_(False).eval()

    def tensors(self) -> dict[str, Tensor]:
        """Every tensor in fp32, by its name; held against no model.

        Raises:
            CheckpointCorruptError: A file is no safetensors file.
        """
        packed: dict[str, Tensor] = {}
        for file in (WEIGHTS,) if self.index is None else self.index.files:
            try:
                packed |= safetensors.torch.load_file(self.folder / file)
            except (safetensors.SafetensorError, OSError) as error:
                raise CheckpointCorruptError(f"{file} is not a safetensors file: {_why(error)}.") from error
        return unpack(packed, self.config.get("int8_tables", []))

    def _header(self) -> Header:
        """Name → type and shape of each tensor; several files hold what the index says, and each tensor once."""
        if self.index is None:
            return _header(self.folder / WEIGHTS)[0]
        whole: Header = {}
        n_bytes = 0
        for file in self.index.files:
            header, n_bytes_here = _header(self.folder / file)
            wanted = self.index.tensors(file)
            missing, extra = sorted(wanted - set(header)), sorted(set(header) - wanted)
            if missing or extra:
                raise CheckpointCorruptError(
                    f"{file} does not hold what {INDEX} says; missing: {listed(missing)}; "
                    f"not named there: {listed(extra)}."
                )
            whole |= header
            n_bytes += n_bytes_here
        if n_bytes != self.index.n_bytes:
            raise CheckpointCorruptError(f"{INDEX} says {self.index.n_bytes:,} bytes of tensors; found: {n_bytes:,}.")
        return whole

    @property
    def _whole(self) -> str:
        """The file that stands for all weights."""
        return WEIGHTS if self.index is None else INDEX

    def _file_of(self, name: str) -> str:
        """The file with a tensor in it."""
        return WEIGHTS if self.index is None else self.index.weight_map[name]

    def _check_header(
        self,
        header: Header,
        wanted: Mapping[str, Tensor],
        int8_tables: Sequence[str],
    ) -> None:
        """Holds the header of the weights against a model: the same names, shapes and types."""
        tables = {name: wanted[name].shape for name in int8_tables if name in wanted and wanted[name].ndim == 2}
        if strange := sorted(set(int8_tables) - set(tables)):
            raise CheckpointCorruptError(
                f"{CONFIG}: int8_tables names {strange[0][:60]!r}, which is no table of this model."
            )
        if len(tables) != len(int8_tables):
            raise CheckpointCorruptError(f"{CONFIG}: int8_tables names a table twice.")
        shapes = {name: tuple(tensor.shape) for name, tensor in wanted.items()}
        shapes |= {name + _SCALE: (shape[0], 1) for name, shape in tables.items()}
        missing, extra = sorted(set(shapes) - set(header)), sorted(set(header) - set(shapes))
        if missing or extra:
            raise CheckpointCorruptError(
                f"{self._whole} does not fit its model; missing: {listed(missing)}; not known: {listed(extra)}."
            )
        for name, (kind, shape) in header.items():
            file = self._file_of(name)
            if shape != shapes[name]:
                raise CheckpointCorruptError(f"{file}: {name} has the shape {shape}; its model has {shapes[name]}.")
            expected = ("I8",) if name in tables else _FLOATS
            if kind not in expected:
                raise CheckpointCorruptError(f"{file}: {name} is stored as {kind}; {expected[0]} is expected.")


def _unsaid(config: Mapping[str, Any]) -> dict[str, Any]:
    """Settings that were fixed when a checkpoint was written, with what they were."""
    return {"update_bias": 0.0} if "forget_bias" in config["architecture"] else {}


def write(
    folder: pathlib.Path,
    *,
    model: nn.Module,
    config: Mapping[str, Any],
    metrics: Mapping[str, Any],
    history: Sequence[Mapping[str, Any]],
    training: Mapping[str, Any],
    vocabulary: Vocabulary | None = None,
    card: str | None = None,
    shard_bytes: int = SHARD_BYTES,
) -> None:
    """Writes a checkpoint; a previous one stays whole until the new one is.

    Args:
        folder: Where it goes; replaced if it is there.
        model: The trained model.
        config: What `config.json` holds of its kind and shape.
        metrics: What `metrics.json` holds.
        history: What `history.json` holds.
        training: The settings it was trained with, for `config.json`.
        vocabulary: Its words, if it has any.
        card: The text of `README.md`.
        shard_bytes: Weights above this size go into several files.
    """
    with _replacing(folder) as new:
        tensors, int8_tables = pack(model.state_dict())
        write_weights(new, tensors, shard_bytes)
        tokens = {} if vocabulary is None else {"tokens": vocabulary.version}
        whole = {"format": FORMAT, **config, **tokens, "int8_tables": int8_tables, "training": dict(training)}
        schema.write_json(new / CONFIG, whole)
        schema.write_json(new / METRICS, metrics)
        schema.write_json(new / HISTORY, list(history))
        if vocabulary is not None:
            vocabulary.save(new / VOCABULARY)
        if card is not None:
            (new / CARD).write_text(card, encoding="utf-8", newline="\n")
    manifest.follow(folder)


def write_weights(folder: pathlib.Path, tensors: Mapping[str, Tensor], shard_bytes: int = SHARD_BYTES) -> None:
    """Writes tensors into one file, or into several and their index where that would be too large.

    Args:
        folder: Where they go.
        tensors: As `pack` gives them.
        shard_bytes: The most that one file may hold; a larger tensor has a file of its own.

    Raises:
        ConfigError: There would be more files than are read.
    """
    parts: list[dict[str, Tensor]] = [{}]
    held = 0
    for name, tensor in tensors.items():
        if parts[-1] and held + tensor.nbytes > shard_bytes:
            parts.append({})
            held = 0
        parts[-1][name] = tensor
        held += tensor.nbytes
    if len(parts) > shards.MAX_SHARDS:
        raise ConfigError(
            f"Files of {shard_bytes:,} bytes would be {len(parts)}; at most {shards.MAX_SHARDS} are read."
        )
    files = [WEIGHTS] if len(parts) == 1 else [shards.shard_name(at, len(parts)) for at in range(1, len(parts) + 1)]
    for file, part in zip(files, parts, strict=True):
        # Not by safetensors' own writer, whose files nobody but their owner may read: a server may run as another user.
        (folder / file).write_bytes(safetensors.torch.save(part, {"format": "pt"}))
    if len(parts) > 1:
        weight_map = {name: file for file, part in zip(files, parts, strict=True) for name in part}
        n_bytes = sum(tensor.nbytes for tensor in tensors.values())
        shards.write(folder / INDEX, shards.Index(n_bytes=n_bytes, weight_map=weight_map))


def read(folder: pathlib.Path, *, kind: str | None) -> Package:
    """Reads and checks everything of a checkpoint but its weights and words.

    Args:
        folder: A folder that `write` wrote.
        kind: The entry `kind` of its config; None for a classifier, which has none.

    Raises:
        CheckpointMissingError: The folder or a file in it is not there.
        CheckpointCorruptError: A file's contents are not what they should be, or it is of another kind.
    """
    files = schema.KINDS[kind].files
    try:
        config = None
        if (folder / CONFIG).is_file():  # first, so that another kind is called what it is and not incomplete
            manifest.verify(folder, (CONFIG, INDEX))
            config = schema.read_config(folder / CONFIG, kind)
        index = shards.index_of(folder)
        files = shards.with_shards(files, index)
        absent = [name for name in files if not (folder / name).is_file()]
        if folder.parent == paths.PRETRAINED and not folder.exists():
            hub = f", or {environment.HUB_OWNER.name} to who has published them on the Hub" if kind is None else ""
            raise CheckpointMissingError(
                f"There are no weights of {folder.name} in {folder.parent.name}; set {environment.PRETRAINED.name} "
                f"to a folder that holds them, such as pretrained/ of a checkout{hub}."
            )
        if config is None or absent:
            raise CheckpointMissingError(f"{folder.name} is no checkpoint: {', '.join(absent)} not found in it.")
        for name in files:
            schema.check_bytes(name, (folder / name).stat().st_size)
        if index is not None:
            schema.check_bytes(WEIGHTS, sum((folder / name).stat().st_size for name in index.files))
        manifest.verify(folder)
        metrics = schema.read_metrics(folder / METRICS)
        history = schema.read_history(folder / HISTORY)
    except OSError as error:
        raise CheckpointCorruptError(f"{folder.name} cannot be read: {_why(error)}.") from error
    for place, entries in ((METRICS, metrics), (f"the training in {CONFIG}", config.get("training", {}))):
        if entries.get("model", config.get("model")) != config.get("model"):
            raise CheckpointCorruptError(
                f"{CONFIG} says that the model is {config.get('model')!r}, {place} that it is {entries['model']!r}."
            )
    return Package(folder=folder, config=config, metrics=metrics, history=history, index=index)


def restore(folder: pathlib.Path, tensors: Mapping[str, Tensor], files: Mapping[str, Any], vocabulary: str) -> None:
    """Writes a checkpoint again whose parts went another way.

    Args:
        folder: Where it goes; replaced if it is there.
        tensors: As they are stored.
        files: Name of a JSON file → what it holds.
        vocabulary: The contents of `vocab.txt`.
    """
    with _replacing(folder) as new:
        write_weights(new, tensors)
        for name, content in files.items():
            schema.write_json(new / name, content)
        (new / VOCABULARY).write_text(vocabulary, encoding="utf-8", newline="\n")
    manifest.follow(folder)


def pack(state: Mapping[str, Tensor], int8_from: int = INT8_FROM_ENTRIES) -> tuple[dict[str, Tensor], list[str]]:
    """Makes tensors small: fp16, and int8 with a scale a row for large tables.

    Args:
        state: Name → tensor.
        int8_from: Entries from which a table is large.

    Returns:
        The tensors to store, and the names of the tables in int8.
    """
    packed: dict[str, Tensor] = {}
    int8_tables = []
    for name, tensor in state.items():
        tensor = tensor.detach().float().cpu()
        if tensor.ndim == 2 and tensor.numel() >= int8_from:
            scale = (tensor.abs().amax(1, keepdim=True) / 127).clamp(min=1e-7).half()
            packed[name] = (tensor / scale.float()).round().clamp(-127, 127).to(torch.int8).contiguous()
            packed[name + _SCALE] = scale
            int8_tables.append(name)
        else:
            packed[name] = tensor.half().contiguous()
    return packed, int8_tables


def unpack(packed: Mapping[str, Tensor], int8_tables: Sequence[str]) -> dict[str, Tensor]:
    """The inverse of `pack`: every tensor in fp32, in memory of its own."""
    tensors = dict(packed)
    for name in int8_tables:
        tensors[name] = tensors[name].float() * tensors.pop(name + _SCALE).float()
    return {name: tensor.to(torch.float32, copy=True) for name, tensor in tensors.items()}


def _check_sizes(shape: Any) -> None:
    """Refuses what would be large before anything is built; a layer or a position costs time also without memory."""
    for field in dataclasses.fields(shape):
        value, most = getattr(shape, field.name), _MAX_SIZES.get(field.name, _MAX_WIDTH)
        if isinstance(value, int) and value > most:
            raise CheckpointCorruptError(f"{CONFIG}: {field.name} is at most {most:,}; got {value:,}.")


def _header(path: pathlib.Path) -> tuple[Header, int]:
    """Name → type and shape of each tensor in a safetensors file, and their bytes in all; reads no tensor."""
    try:
        with path.open("rb") as file:
            n_bytes = int.from_bytes(file.read(8), "little")
        if n_bytes > _MAX_HEADER_BYTES:
            raise CheckpointCorruptError(
                f"{path.name} is not a safetensors file: its header would have {n_bytes:,} bytes; "
                f"at most {_MAX_HEADER_BYTES:,} are read."
            )
        with safetensors.safe_open(path, "pt") as opened:
            slices = {name: opened.get_slice(name) for name in opened.keys()}  # noqa: SIM118 (not a dict)
            header = {name: (found.get_dtype(), tuple(found.get_shape())) for name, found in slices.items()}
        return header, path.stat().st_size - 8 - n_bytes  # such a file has no gaps
    except (safetensors.SafetensorError, OSError) as error:
        raise CheckpointCorruptError(f"{path.name} is not a safetensors file: {_why(error)}.") from error


@contextlib.contextmanager
def _replacing(folder: pathlib.Path) -> Iterator[pathlib.Path]:
    """Gives an empty folder to fill, which takes the place of `folder` once it is full.

    Where filling fails, `folder` stays as it was.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    new = folder.with_name(f".{folder.name}-{secrets.token_hex(4)}")
    old = new.with_name(new.name + "-old")
    try:
        new.mkdir()  # with the rights that the system gives; those of `tempfile` are the owner's alone
        yield new
        if folder.exists():
            folder.rename(old)
        new.rename(folder)
    finally:
        if old.exists() and not folder.exists():
            old.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
        shutil.rmtree(new, ignore_errors=True)


def _why(error: Exception) -> str:
    """What the system says, without the path that it names."""
    return (error.strerror or type(error).__name__) if isinstance(error, OSError) else str(error)
