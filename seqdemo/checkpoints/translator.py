"""A translator of dates: its checkpoint folder (`package`), and its answers.

`config.json` also holds its characters; `history.json` one entry for each epoch, of both ways of
training where both were run.
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
import torch

from seqdemo.checkpoints import package
from seqdemo.checkpoints.schema import CONFIG
from seqdemo.data import dates
from seqdemo.errors import CheckpointCorruptError, TextError
from seqdemo.models.seq2seq import Seq2Seq, Seq2SeqConfig

KIND = "dates"


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
    config = {
        "kind": KIND,
        "architecture": dataclasses.asdict(model.config),
        "input_characters": dates.INPUTS.characters,
        "output_characters": dates.OUTPUTS.characters,
    }
    package.write(folder, model=model, config=config, metrics=metrics, history=history, training=training)


def load(folder: str | os.PathLike[str], *, max_parameters: int = package.MAX_PARAMETERS) -> Translator:
    """Reads and checks a checkpoint.

    Args:
        folder: A folder that `save` wrote.
        max_parameters: Numbers of the largest model that is wanted.

    Returns:
        The translator, on the CPU, in fp32, its weights frozen.

    Raises:
        CheckpointMissingError: The folder or a file in it is not there.
        CheckpointCorruptError: A file's contents are not what they should be.
    """
    found = package.read(pathlib.Path(folder), kind=KIND)
    characters = found.config.get("input_characters"), found.config.get("output_characters")
    if characters != (dates.INPUTS.characters, dates.OUTPUTS.characters):
        raise CheckpointCorruptError(f"{CONFIG}: the characters are others than this program's.")
    shape = found.architecture(Seq2SeqConfig)
    if (shape.n_inputs, shape.n_outputs) != (len(dates.INPUTS), len(dates.OUTPUTS)):
        raise CheckpointCorruptError(f"{CONFIG}: the numbers of characters do not fit the characters.")
    return Translator(
        model=found.module(shape, lambda: Seq2Seq(shape), max_parameters=max_parameters),
        config=found.config,
        metrics=found.metrics,
        history=found.history,
        sha256=found.sha256,
        folder=found.folder,
    )
