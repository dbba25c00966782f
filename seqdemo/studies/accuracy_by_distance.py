"""How far back small models can reach, each trained afresh on made-up tasks of a given length.

Every model has about as many parameters as the others and the same number of updates at most.
Finished runs and the state of unfinished ones are kept in `runs/studies/`, so that a study that was stopped goes on
where it was.
"""

from __future__ import annotations

import hashlib
import json
import pathlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from typing import Any

import numpy as np
import pandas as pd

from seqdemo.data.tasks import ADDING_BASELINE_MSE, CORRECT_WITHIN, TASKS
from seqdemo.models.registry import MODELS
from seqdemo.studies.study import Inputs, Measurement, Stored, Study, listed, rounded

UPDATES = 1000
BATCH_SIZE = 32
CLIP_NORM = 1.0
LEARNING_RATE = 3e-3
SEEDS = (0, 1, 2)
N_TEST = 1000
N_VALIDATION = 256
CHECK_EVERY = 50
"""Updates between two looks at the validation sequences; two with all of them right end a run early."""
GROWING = 800
"""Updates of the parity task over which the longest sequence grows from 2 steps to the full training length. In
trials without growing, RNN and LSTM stayed at chance; growing over 500 updates, the LSTM learned it and the RNN did
not."""
PARITY_LENGTH = 40
LENGTHS: dict[str, tuple[int, ...]] = {
    "first_token": (10, 20, 40, 80, 160, 320),
    "adding": (20, 80, 200),
    "temporal_order": (20, 80, 200),
    "parity": (20, 40, 80, 120, 160, 200),
}
"""Lengths that are tested; all but parity are trained on the length they are tested on."""
SOLVED = 0.9
"""A task counts as solved at a length where the median accuracy over seeds is at least this."""
SHAPES: dict[str, dict[str, Any]] = {
    "rnn": {"d_embed": 16, "d_hidden": 62},
    "gru": {"d_embed": 16, "d_hidden": 33},
    "lstm": {"d_embed": 16, "d_hidden": 28},
    "bilstm": {"d_embed": 16, "d_hidden": 18},
    "transformer": {"d_model": 16, "n_heads": 2, "n_layers": 2, "d_ff": 40, "max_tokens": 320},
}
"""About 5,200 parameters each."""


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A model with one choice made about its start.

    Attributes:
        name: Its name in results.
        label: Its name in a chart.
        spoken: Its name in a sentence.
        model: Name of the model in the registry.
        overrides: Config entries that differ from the model's own.
    """

    name: str
    label: str
    spoken: str
    model: str
    overrides: Mapping[str, Any]


VARIANTS: dict[str, Variant] = {
    name: Variant(name=name, label=label, spoken=spoken, model=model, overrides=overrides)
    for name, label, spoken, model, overrides in (
        ("rnn_uniform", "RNN uniform", "RNN with uniform start", "rnn", {"recurrent_init": "default"}),
        ("rnn", "RNN orthogonal", "RNN with orthogonal start", "rnn", {}),
        ("gru", "GRU", "GRU", "gru", {"update_bias": 0.0}),
        ("lstm_bias_0", "LSTM bias 0", "LSTM with forget bias 0", "lstm", {"forget_bias": 0.0}),
        ("lstm", "LSTM bias 1", "LSTM with forget bias 1", "lstm", {}),
        ("bilstm", "BiLSTM", "BiLSTM", "bilstm", {}),
        ("transformer", "Transformer", "Transformer", "transformer", {}),
    )
}
ON_TASK: dict[str, tuple[str, ...]] = {
    "first_token": tuple(VARIANTS),
    "adding": ("rnn", "lstm"),
    "temporal_order": ("rnn", "lstm"),
    "parity": tuple(MODELS),
}
"""Which variants are trained on which task."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One model to train once.

    Attributes:
        task: Name of the task.
        variant: Name of the variant.
        length: Steps of its training sequences; of the longest ones for parity.
        seed: Start of its weights and, with task and length, of its sequences.
    """

    task: str
    variant: str
    length: int
    seed: int


def runs() -> list[Run]:
    """All runs of the study, the default view's first, short ones before long ones."""
    lengths = {**LENGTHS, "parity": (PARITY_LENGTH,)}
    return [
        Run(task=task, variant=variant, length=length, seed=seed)
        for task in TASKS
        for length in lengths[task]
        for variant in ON_TASK[task]
        for seed in SEEDS
    ]


def measure(inputs: Inputs) -> Measurement:
    """Trains and tests every model of `runs`, two at a time; those found in `runs/studies/` are not run again."""
    wanted = runs()[: inputs.limit]
    settings = _settings()
    path = pathlib.Path("runs") / "studies" / f"{STUDY.name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    done = {run: found for run, found in _kept(path, settings) if run in wanted}
    rest = [run for run in wanted if run not in done]
    # A fresh interpreter for each worker: torch must not be forked after it has started threads.
    with ProcessPoolExecutor(max_workers=2, mp_context=get_context("spawn")) as pool:
        futures = {pool.submit(train_and_test, run, _state_file(path.parent, run, settings)): run for run in rest}
        for future in as_completed(futures):
            run, found = futures[future], future.result()
            done[run] = found
            with path.open("a", encoding="utf-8", newline="\n") as file:
                file.write(json.dumps({"settings": settings, "run": asdict(run), "found": found}) + "\n")
            tested = ", ".join(f"{entry['length']} {entry['accuracy']:.1%}" for entry in found)
            inputs.say(
                f"{len(done)}/{len(wanted)} {run.task} {VARIANTS[run.variant].label} seed {run.seed}: length {tested}, "
                f"{found[0]['updates']} updates"
            )
    return Measurement(
        n=len(wanted),
        seed=SEEDS[0],
        settings=settings,
        results={"runs": [entry for run in wanted for entry in done[run]]},
    )


STUDY = Study(
    name="accuracy_by_distance",
    question="At which length does each model, trained afresh, stop learning a task?",
    measure=measure,
    of=None,
)


def train_and_test(run: Run, state_file: pathlib.Path | None = None) -> list[dict[str, Any]]:
    """Trains one model and measures it on fresh sequences.

    Args:
        run: What to train.
        state_file: Where the state of an unfinished run is kept and gone on from.

    Returns:
        One entry for each tested length: `task`, `variant`, `seed`, `trained_length`, `length`, `updates`,
        `parameters`, `accuracy` (0 to 1), and `mse` where the answer is a number.
    """
    import torch

    from seqdemo.studies.reach import Reach
    from seqdemo.training import engine
    from seqdemo.training.task_run import evaluate

    torch.set_num_threads(1)
    task, learner = TASKS[run.task], Reach(run)
    training = engine.Run(learner, state_file=state_file)
    training.go(resume=True)
    found = []
    for length in LENGTHS["parity"] if task.name == "parity" else (run.length,):
        measured = evaluate(learner.model, [task.draw(chance(run, 2, length), N_TEST, length)])
        entry = {
            "task": run.task,
            "variant": run.variant,
            "seed": run.seed,
            "trained_length": run.length,
            "length": length,
            "updates": training.progress.update,
            "parameters": learner.n_parameters,
            "accuracy": rounded(measured["accuracy"]),
        }
        found.append(entry | ({"mse": rounded(measured["loss"])} if task.answer == "number" else {}))
    if state_file is not None:
        state_file.unlink(missing_ok=True)
    return found


def _state_file(folder: pathlib.Path, run: Run, settings: Mapping[str, Any]) -> pathlib.Path:
    """A file for each run and each way to train it: a state is of no use to another."""
    key = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:8]
    return folder / f".{run.task}-{run.variant}-{run.length}-{run.seed}-{key}.state.safetensors"


def chance(run: Run, purpose: int, length: int) -> np.random.Generator:
    """Draws the same sequences for every variant; training (0), validation (1) and test (2) share no chance."""
    return np.random.default_rng([list(TASKS).index(run.task), run.seed, purpose, length])


def _settings() -> dict[str, Any]:
    return {
        "updates_at_most": UPDATES,
        "batch_size": BATCH_SIZE,
        "optimiser": "AdamW",
        "learning_rate": LEARNING_RATE,
        "clip_norm": CLIP_NORM,
        "seeds": list(SEEDS),
        "test_sequences": N_TEST,
        "stops_early": f"all of {N_VALIDATION} validation sequences right twice, {CHECK_EVERY} updates apart",
        "readout": "last state; Transformer: mean",
        "recurrent_init": "orthogonal; RNN uniform: torch's uniform",
        "shapes": {name: dict(shape) for name, shape in SHAPES.items()},
        "adding_correct_within": CORRECT_WITHIN,
        "parity_trained_to": PARITY_LENGTH,
        "parity_length_grows_over": GROWING,
    }


def _kept(path: pathlib.Path, settings: Mapping[str, Any]) -> Iterator[tuple[Run, list[dict[str, Any]]]]:
    """Finished runs of an earlier call with the same settings."""
    if not path.is_file():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:  # a line cut off when the study was stopped
            continue
        if entry["settings"] == settings:
            yield Run(**entry["run"]), entry["found"]


def frame(stored: Stored, task: str) -> pd.DataFrame:
    """The results on one task as a table.

    Args:
        stored: The study's result.
        task: Name of the task.

    Returns:
        One row for each variant, length and seed, in that order, with `variant`, `name` (the model's), `model` (the
        label), `length`, `seed`, `accuracy` (0 to 1), `mse` (missing where the answer is a class), `updates` and
        `parameters`.
    """
    columns = ["variant", "name", "model", "length", "seed", "accuracy", "mse", "updates", "parameters"]
    found = [entry for entry in stored.results["runs"] if entry["task"] == task]
    rows = [
        {**entry, "name": variant.model, "model": variant.label}
        for variant in VARIANTS.values()
        for entry in sorted(found, key=lambda entry: (entry["length"], entry["seed"]))
        if entry["variant"] == variant.name
    ]
    return pd.DataFrame(rows, columns=columns)


def medians(table: pd.DataFrame) -> pd.DataFrame:
    """The median over seeds: one row for each variant and length, in the order of the table."""
    grouped = table.groupby(["variant", "name", "model", "length"], sort=False, as_index=False)
    return grouped[["accuracy", "mse"]].median()


def finding(table: pd.DataFrame, task: str) -> str:
    """At which length which model first fails, as a sentence.

    Args:
        table: As `frame` returns it.
        task: Name of the task.
    """
    if table.empty:
        return STUDY.question
    fails: dict[int, list[str]] = {}
    solves: list[str] = []
    for variant, part in medians(table).groupby("variant", sort=False):
        spoken = f"the {VARIANTS[str(variant)].spoken}"
        lengths = part.loc[part["accuracy"] < SOLVED, "length"]
        if lengths.empty:
            solves.append(spoken)
        else:
            fails.setdefault(int(lengths.min()), []).append(spoken)
    parts = []
    for n, (length, who) in enumerate(sorted(fails.items())):
        verb = f"first fail{'s' if len(who) == 1 else ''} at {length} steps" if n == 0 else f"at {length}"
        parts.append(f"{listed(who)} {verb}")
    clauses = [", ".join(parts)] if parts else []
    if solves:
        clauses.append(f"{listed(solves)} {'solves' if len(solves) == 1 else 'solve'} it up to {table['length'].max()}")
    sentence = "; ".join(clauses)
    if task == "parity":
        return f"Trained on at most {PARITY_LENGTH} steps, {sentence}"
    return f"{sentence[0].upper()}{sentence[1:]}"


def luck_words(table: pd.DataFrame) -> str:
    """Which models fail at a length and solve a longer one, as a sentence; empty where none does."""
    found = []
    for variant, part in medians(table).groupby("variant", sort=False):
        fails, solves = (part.loc[(part["accuracy"] < SOLVED) == failed, "length"] for failed in (True, False))
        if len(fails) and len(solves) and fails.min() < solves.max():
            found.append(f"The {VARIANTS[str(variant)].spoken} fails at {fails.min()} steps, yet solves {solves.max()}")
    return f"{'; '.join(found)}: with so few seeds, luck has its part." if found else ""


def mse_words(table: pd.DataFrame) -> str:
    """Mean squared errors beside that of always answering 1, as a sentence; empty where the answers are classes."""
    if table["mse"].isna().all():
        return ""
    parts = []
    for model, part in medians(table).groupby("model", sort=False):
        at = ", ".join(f"{row['mse']:.4f} at {row['length']}" for row in part.to_dict("records"))
        parts.append(f"{model} {at}")
    return (
        f"Mean squared error, median over seeds: {'; '.join(parts)}. Always answering 1 has {ADDING_BASELINE_MSE:.4f}."
    )


def settings_words(stored: Stored, table: pd.DataFrame) -> str:
    """How the models of a table were trained and tested, in one paragraph."""
    settings = stored.settings
    low, high = int(table["parameters"].min()), int(table["parameters"].max())
    seeds = listed([str(seed) for seed in settings["seeds"]])
    return (
        f"{low:,} to {high:,} parameters each; at most {settings['updates_at_most']:,} updates of "
        f"{settings['batch_size']} fresh sequences, fewer where {settings['stops_early']}. {settings['optimiser']}, "
        f"learning rate {settings['learning_rate']}, gradients clipped at {settings['clip_norm']:g}, no dropout, seeds "
        f"{seeds}. Tested on {settings['test_sequences']:,} fresh sequences. Readout: {settings['readout']}. torch "
        f"{stored.versions.get('torch', 'unknown')}."
    )
