"""A translator of dates: its checkpoint as a folder, and its answers.

```
config.json         its shape, its characters, the settings of its training
model.safetensors   weights in fp16
metrics.json        what was measured of it, on which texts, at what cost
history.json        one entry for each epoch, of both ways of training where both were run
```

Loading is strict, as in `folder`: every tensor that the model has and no other, of the right
shape and type, with finite values.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors
import safetensors.torch
import torch

from seqdemo.checkpoints.folder import check, pack, read_json, read_tensors, replacing, sha256, unpack, write_json
from seqdemo.data import dates
from seqdemo.errors import CheckpointCorruptError, CheckpointMissingError, ConfigError, TextError
from seqdemo.models.seq2seq import Seq2Seq, Seq2SeqConfig

FORMAT = 1
KIND = "dates"
CONFIG, WEIGHTS, METRICS, HISTORY = FILES = ("config.json", "model.safetensors", "metrics.json", "history.json")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One answer that was found.

    Attributes:
        text: The characters written.
        probability: The product of its characters' probabilities, the end's included, from 0 to 1.
        ended: Whether the model said itself that this is the end.
    """

    text: str
    probability: float
    ended: bool


@dataclass(frozen=True, kw_only=True)
class Translation:
    """An answer with every number on the way to it.

    Attributes:
        text: What was read: at most `dates.MAX_CHARACTERS` characters.
        n_characters: Characters given.
        unknown: Which characters the model does not know, bool (T,).
        answers: The answers found, the likeliest first; the first is the one recorded.
        characters: What it wrote, one a step; the end is an empty string.
        signals: Name → float32 array; see `Seq2Seq.record`, and `probability` (L, n_outputs)
            instead of its logits.
    """

    text: str
    n_characters: int
    unknown: npt.NDArray[np.bool_]
    answers: tuple[Answer, ...]
    characters: tuple[str, ...]
    signals: Mapping[str, npt.NDArray[np.float32]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Translator:
    """A trained translator. It is never written to, so any number may share it.

    Attributes:
        model: The module: CPU, fp32, evaluation mode, weights frozen.
        config: What `config.json` holds.
        metrics: What `metrics.json` holds.
        history: What `history.json` holds.
        sha256: Of `model.safetensors`; names this checkpoint in caches.
        folder: Where it was loaded from.
    """

    model: Seq2Seq
    config: Mapping[str, Any]
    metrics: Mapping[str, Any]
    history: Sequence[Mapping[str, Any]]
    sha256: str
    folder: pathlib.Path

    def translate(self, text: str, *, width: int = 1) -> Translation:
        """Writes a date as YYYY-MM-DD and records every step of the likeliest answer.

        Args:
            text: Any text with at least one character that is no space.
            width: Beginnings that beam search keeps; 1 is greedy.

        Raises:
            TextError: There is nothing to read.
        """
        read = text[: dates.MAX_CHARACTERS]
        if not read.strip():
            raise TextError("There is nothing to read. Give a date, for example 3 March 1987.")
        ids = torch.from_numpy(dates.INPUTS.encode(read))
        candidates = self.model.beam(ids, width, dates.MAX_STEPS)
        recorded = self.model.record(ids, torch.tensor(candidates[0].ids))
        recorded["probability"] = torch.softmax(recorded.pop("logits"), dim=-1)
        answers = tuple(
            Answer(
                text=dates.OUTPUTS.decode(found.ids),
                probability=float(np.exp(found.log_probability)),
                ended=found.ids[-1] == dates.END_ID,
            )
            for found in candidates
        )
        return Translation(
            text=read,
            n_characters=len(text),
            unknown=(ids == 1).numpy(),
            answers=answers,
            characters=tuple(dates.OUTPUTS.decode([index]) for index in candidates[0].ids),
            signals={name: signal.float().contiguous().numpy() for name, signal in recorded.items()},
        )


def save(
    folder: pathlib.Path,
    *,
    model: Seq2Seq,
    metrics: Mapping[str, Any],
    history: Sequence[Mapping[str, Any]],
    training: Mapping[str, Any],
) -> None:
    """Writes a checkpoint; a previous one stays whole until the new one is.

    Args:
        folder: Where it goes; replaced if it is there.
        model: The trained model.
        metrics: What `metrics.json` holds.
        history: What `history.json` holds.
        training: The settings it was trained with, for `config.json`.
    """
    with replacing(folder) as new:
        tensors, _ = pack(model.state_dict())
        safetensors.torch.save_file(tensors, new / WEIGHTS, {"format": "pt"})
        (new / WEIGHTS).chmod(0o644)  # safetensors writes for the owner alone; a server may run as another user
        config = {
            "format": FORMAT,
            "kind": KIND,
            "architecture": dataclasses.asdict(model.config),
            "input_characters": dates.INPUTS.characters,
            "output_characters": dates.OUTPUTS.characters,
            "training": dict(training),
        }
        write_json(new / CONFIG, config)
        write_json(new / METRICS, metrics)
        write_json(new / HISTORY, list(history))


def load(folder: str | os.PathLike[str]) -> Translator:
    """Reads and checks a checkpoint.

    Args:
        folder: A folder that `save` wrote.

    Returns:
        The translator, on the CPU, in fp32, its weights frozen.

    Raises:
        CheckpointMissingError: The folder or a file in it is not there.
        CheckpointCorruptError: A file's contents are not what they should be.
    """
    folder = pathlib.Path(folder)
    absent = [name for name in FILES if not (folder / name).is_file()]
    if absent:
        raise CheckpointMissingError(f"{folder} is no checkpoint: {', '.join(absent)} not found in it.")
    config = read_json(folder / CONFIG, dict)
    found = config.get("format"), config.get("kind")
    if found != (FORMAT, KIND):
        raise CheckpointCorruptError(
            f"{folder / CONFIG} has format and kind {found}; this program reads {FORMAT, KIND}."
        )
    characters = config.get("input_characters"), config.get("output_characters")
    if characters != (dates.INPUTS.characters, dates.OUTPUTS.characters):
        raise CheckpointCorruptError(f"{folder / CONFIG}: the characters are others than this program's.")
    try:
        shape = Seq2SeqConfig(**config.get("architecture", {}))
    except (ConfigError, TypeError) as error:
        raise CheckpointCorruptError(f"{folder / CONFIG}: {error}") from error
    if (shape.n_inputs, shape.n_outputs) != (len(dates.INPUTS), len(dates.OUTPUTS)):
        raise CheckpointCorruptError(f"{folder / CONFIG}: the numbers of characters do not fit the characters.")
    with torch.random.fork_rng(devices=[]):  # starting weights are drawn, and replaced at once
        model = Seq2Seq(shape)
    path = folder / WEIGHTS
    tensors = unpack(read_tensors(path), [], path)
    check(tensors, model.state_dict(), path)
    model.load_state_dict(tensors)  # copied into place: fused layers keep their flat memory
    model.requires_grad_(False).eval()
    return Translator(
        model=model,
        config=config,
        metrics=read_json(folder / METRICS, dict),
        history=read_json(folder / HISTORY, list),
        sha256=sha256(path),
        folder=folder,
    )
