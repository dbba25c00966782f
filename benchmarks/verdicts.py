"""Compute time of the five verdicts, and of the curves, for one review of about 200 words.

Each model is timed by itself and all five one after the other, as the live page asks
them, with one and with two threads. Target: five verdicts under 150 ms.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

TARGET_MS = 150


def times_ms(work: Callable[[], object], runs: int) -> list[float]:
    """How long a piece of work takes, after one run that does not count."""
    work()
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - started))
    return times


def summary(times: list[float]) -> dict[str, float]:
    """Median and 95th percentile in milliseconds."""
    return {
        "median_ms": round(statistics.median(times), 2),
        "p95_ms": round(statistics.quantiles(times, n=20, method="inclusive")[-1], 2),
    }


def measure(runs: int) -> dict[str, object]:
    """Times every model that is there, in this process."""
    import torch

    import seqdemo
    from seqdemo.bounded import Bounded
    from seqdemo.errors import SeqdemoError
    from seqdemo.explain.prefixes import prefix_curve
    from seqdemo.studies.speed import REVIEW

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    models = {}
    for name in seqdemo.MODELS:
        try:
            models[name] = seqdemo.load(name)
        except SeqdemoError as error:
            print(error, file=sys.stderr)

    def verdicts() -> None:
        for model in models.values():
            model.predict_proba([REVIEW])

    def curves() -> None:
        for model in models.values():
            prefix_curve(model, model.read(REVIEW).ids, Bounded(1_000_000))  # nothing known of the text yet

    return {
        "n_words": len(REVIEW.split()),
        "models": {
            name: summary(times_ms(lambda m=model: m.predict_proba([REVIEW]), runs)) for name, model in models.items()
        },
        "verdicts": summary(times_ms(verdicts, runs)),
        "curves": summary(times_ms(curves, max(runs // 10, 3))),
    }


def main() -> None:
    """Runs the measurement once for each number of threads, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=100, help="repeats of each measurement (100)")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="numbers of threads to try (1 2)")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.here:
        print(json.dumps(measure(arguments.runs)))
        return
    found = {}
    for threads in arguments.threads:
        # torch reads the number of threads once, when it is imported
        command = [sys.executable, __file__, "--here", "--runs", str(arguments.runs)]
        done = subprocess.run(
            command, env={**os.environ, "OMP_NUM_THREADS": str(threads)}, stdout=subprocess.PIPE, text=True, check=True
        )
        found[threads] = json.loads(done.stdout)
    rows = [*next(iter(found.values()))["models"], "verdicts", "curves"]
    print(f"{'milliseconds':16}" + "".join(f"{f'{threads} thread(s)':>14}{'p95':>8}" for threads in found))
    for row in rows:
        line = [{**figures["models"], **figures}[row] for figures in found.values()]
        label = {"verdicts": "five verdicts", "curves": "five curves"}.get(row, row)
        print(f"{label:16}" + "".join(f"{figure['median_ms']:14.1f}{figure['p95_ms']:8.1f}" for figure in line))
    print(json.dumps({"benchmark": "verdicts", "target_ms": TARGET_MS, "threads": found}))


if __name__ == "__main__":
    main()
