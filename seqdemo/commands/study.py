"""`python -m seqdemo study`: reruns a measurement over many reviews and stores its result."""

from __future__ import annotations

import argparse
import os
import pathlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from seqdemo.commands.options import add_data, count, file_to_write
from seqdemo.models.registry import MODELS

if TYPE_CHECKING:
    from seqdemo.studies.study import Study

HELP = "rerun a measurement over many reviews and store its result"


def add_options(parser: argparse.ArgumentParser) -> None:
    """What may be said to it."""
    parser.add_argument("name", nargs="?", help="of the study; --list shows them")
    parser.add_argument("--list", action="store_true", help="list the studies")
    parser.add_argument(
        "--model", action="append", help="a name, a folder or owner/repository@revision; may be given more than once"
    )
    parser.add_argument("--limit", type=count, help="use only so many reviews or tasks")
    parser.add_argument(
        "--out", type=pathlib.Path, help="the file; beside the checkpoints by default, in runs/ where part is left out"
    )
    add_data(parser)


def run(options: argparse.Namespace) -> None:
    """Measures, or lists what can be measured."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # batches are small: more threads only wait for each other
    from seqdemo.studies import registry, study

    if options.list or options.name is None:
        for known in registry.STUDIES.values():
            print(f"{known.name:<22} {known.question}")
        return
    chosen = registry.study(options.name)
    in_part = options.model is not None or options.limit is not None
    usual = study.path_of(chosen.name, pathlib.Path("runs") / "studies" if in_part else None)
    options.out = path = file_to_write(options.out or usual)
    models = _models(chosen, options.model)
    inputs = study.Inputs(
        models=models, data=options.data, limit=options.limit, say=lambda line: print(line, flush=True)
    )
    measurement = chosen.measure(inputs)
    study.write(path, chosen, measurement, models)
    print(f"n={measurement.n:,}, stored in {path}")


def _models(chosen: Study, asked: Sequence[str] | None) -> dict[str, Any]:
    """What a study measures, by the name in the registry: the checkpoints that were asked for, else those shipped."""
    from seqdemo.checkpoints import find, folder, language_model

    if chosen.of is None:
        return {}
    if chosen.of == "language model":
        found = [language_model.load(find.find(name, chosen.of)) for name in asked or find.writers()]
        return {model.name: model for model in found}
    return {model.name: model for model in (folder.load(find.find(name, None)) for name in asked or MODELS)}
