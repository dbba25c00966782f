"""Updates a second of every trainer, of this checkout against another one, in turns in the same run.

    git worktree add /tmp/before COMMIT
    python benchmarks/trainers.py /tmp/before
    python benchmarks/trainers.py /tmp/before --clock cpu      on a machine that does other work

Each checkout has a process of its own. A trainer runs the same settings on the same made-up texts in both, one after
the other, and the order changes with every round, so that whatever else the machine does meets both. What is timed
lies between the first and the last word that a run gives of its updates, validation included; reading and writing are
left out. A checkout needs `pretrain`, `dates.fit`, `task_run.train` and one of `sentiment.fit` and `loop.fit`.
"""

from __future__ import annotations

import argparse
import contextlib
import inspect
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

HERE = pathlib.Path(__file__).resolve().parents[1]
SERVE = "--serve"


def reviews(_folder: pathlib.Path, listen: Callable[[Any], None], device: str) -> None:
    """A GRU on whole and cut texts, with the adversarial step and an average of weights."""
    import numpy as np
    import torch

    from seqdemo.data.examples import Examples
    from seqdemo.models import registry
    from seqdemo.training.config import TrainingConfig

    try:
        from seqdemo.training.sentiment import fit
    except ImportError:  # before there was one engine
        from seqdemo.training.loop import fit
    rng = np.random.default_rng(0)
    ids = [rng.integers(2, 1_000, int(n)) for n in rng.integers(20, 200, 640)]
    examples = Examples(ids, rng.integers(0, 2, 640), [np.arange(9, len(text), 10) for text in ids])
    shape = registry.make_config("gru", vocab_size=1_000, d_embed=64, d_hidden=96)
    config = TrainingConfig(epochs=3, batch_size=16, adversarial=1.0, average_decay=0.9, precision="fp32")
    few = examples.pick(np.arange(16))
    fit(registry.build("gru", shape), examples, few, config, device=torch.device(device), on_event=listen)


def language(name: str) -> Callable[[pathlib.Path, Callable[[Any], None], str], None]:
    """A language model of that classifier."""

    def run(folder: pathlib.Path, listen: Callable[[Any], None], device: str) -> None:
        import numpy as np
        import pyarrow as pa
        import pyarrow.parquet as pq
        import torch

        from seqdemo.training.config import PretrainingConfig
        from seqdemo.training.pretrain import pretrain

        rng = np.random.default_rng(0)
        words = np.array([f"{one}{other}ord" for one in "bcdfghklmnprst" for other in "bcdfghklmnprst"])
        for split in ("train", "unsupervised"):
            texts = [" ".join(rng.choice(words, 200)) for _ in range(200)]
            labels = np.full(200, -1) if split == "unsupervised" else np.repeat([0, 1], 100)
            pq.write_table(pa.table({"text": texts, "label": labels}), folder / f"{split}-00000-of-00001.parquet")
        recurrent = {"d_embed": 64, "d_hidden": 96}
        sizes = {"d_model": 64, "n_heads": 4, "n_layers": 3, "d_ff": 128} if name == "transformer" else recurrent
        config = PretrainingConfig(epochs=1, batch_size=16, window=48, precision="fp32")
        options: dict[str, Any] = {"data": str(folder), "device": torch.device(device), "on_event": listen}
        if "tokens" in inspect.signature(pretrain).parameters:
            options["tokens"] = 1  # the only rules of older checkouts
        pretrain(name, out=folder / "out", config=config, overrides=sizes, **options)

    return run


def dates(_folder: pathlib.Path, listen: Callable[[Any], None], device: str) -> None:
    """A translator with attention."""
    import torch

    from seqdemo.data import dates as written
    from seqdemo.models.seq2seq import Seq2SeqConfig
    from seqdemo.training.dates import DatesConfig, fit

    shape = Seq2SeqConfig(n_inputs=len(written.INPUTS), n_outputs=len(written.OUTPUTS), attention=True)
    config = DatesConfig(epochs=1, texts=3_200, precision="fp32")
    fit(shape, config, device=torch.device(device), on_event=listen)


def task(folder: pathlib.Path, listen: Callable[[Any], None], device: str) -> None:
    """An LSTM on a task of the page Train."""
    from seqdemo.training.settings import RunSettings
    from seqdemo.training.task_run import train

    settings = RunSettings(task="copy", model="lstm", length=60, d_hidden=64, epochs=3, device=device, precision="fp32")
    train(settings, out=folder / "result", on_event=listen)


TRAINERS = {
    "reviews": reviews,
    "next word": language("lstm"),
    "hidden words": language("transformer"),
    "dates": dates,
    "task": task,
}


def serve(device: str, clock: str) -> None:
    """In the process of a checkout: answers each trainer's name with its updates a second."""
    import torch

    torch.set_num_threads(1)
    now = time.process_time if clock == "cpu" else time.perf_counter
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        marks: list[tuple[int, float]] = []

        def listen(event: Any, marks: list[tuple[int, float]] = marks) -> None:
            """Older checkouts tell plain values."""
            told = event if isinstance(event, dict) else event.plain()
            if "steps" in told:
                told["update"] = (told["epoch"] - 1) * told["steps"] + told["step"]
            if "update" in told:
                marks.append((told["update"], now()))

        with tempfile.TemporaryDirectory() as folder:
            TRAINERS[line.strip()](pathlib.Path(folder), listen, device)
        (first, since), (last, until) = marks[0], marks[-1]
        print((last - first) / (until - since), file=answers, flush=True)


@contextlib.contextmanager
def process(checkout: pathlib.Path, options: argparse.Namespace):
    """Asks a checkout's process for a trainer's updates a second."""
    command = [sys.executable, str(pathlib.Path(__file__).resolve()), SERVE]
    command += ["--device", options.device, "--clock", options.clock]
    environment = {**os.environ, "PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=checkout, env=environment, **pipes) as child:

        def ask(trainer: str) -> float:
            child.stdin.write(f"{trainer}\n")
            child.stdin.flush()
            answer = child.stdout.readline()
            if not answer:
                sys.exit(f"The trainer {trainer!r} failed in {checkout}.")
            return float(answer)

        try:
            yield ask
        finally:
            child.stdin.close()


def main() -> None:
    """Measures and prints one row for each trainer."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("other", nargs="?", type=pathlib.Path, help="the checkout to compare with")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--trainers", nargs="*", default=[*TRAINERS], choices=[*TRAINERS])
    parser.add_argument(SERVE, action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.device, options.clock)
        return
    if options.other is None or not (options.other / "seqdemo").is_dir():
        parser.error("Name the folder of another checkout of this program.")
    print(f"updates a second, median of {options.rounds}; ratio: the median over rounds")
    print(f"{'':14} {'other':>9} {'this':>9} {'ratio':>6}")
    ratios: dict[str, float] = {}
    with process(options.other.resolve(), options) as other, process(HERE, options) as this:
        for trainer in options.trainers:
            found: dict[Any, list[float]] = {other: [], this: []}
            for k in range(options.rounds + 1):
                for ask in (other, this) if k % 2 else (this, other):
                    found[ask].append(ask(trainer))
            speeds = {ask: each[1:] for ask, each in found.items()}  # the first round warms up
            ratio = statistics.median(own / its for own, its in zip(speeds[this], speeds[other], strict=True))
            medians = [statistics.median(speeds[ask]) for ask in (other, this)]
            print(f"{trainer:14} {medians[0]:9.1f} {medians[1]:9.1f} {ratio:6.2f}", flush=True)
            ratios[trainer] = round(ratio, 3)
    print(json.dumps({"benchmark": "trainers", "device": options.device, "clock": options.clock, "ratios": ratios}))


if __name__ == "__main__":
    main()
