"""Two processes on one machine learn what one process learns from the same batches."""

import json
import os
import pathlib
import re
import socket
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from seqdemo.checkpoints import folder, language_model
from seqdemo.training import ranks

ROOT = pathlib.Path(__file__).parents[2]
SIZES = {
    "lstm": ["--d-embed", "8", "--d-hidden", "8"],
    "gru": ["--d-embed", "8", "--d-hidden", "8"],
    "bilstm": ["--d-embed", "8", "--d-hidden", "8"],
    "transformer": [],
}


@pytest.fixture(scope="module")
def reviews(tmp_path_factory):
    home = tmp_path_factory.mktemp("imdb")
    rng = np.random.default_rng(0)
    words = re.findall(r"\S+", "a film is good bad dull great and the plot was not but very slow story . , !")
    for split, n in (("train", 60), ("test", 10), ("unsupervised", 60)):
        labels = np.full(n, -1) if split == "unsupervised" else np.repeat([0, 1], n // 2)
        texts = [" ".join(rng.choice(words, int(rng.integers(8, 30)))) for _ in range(n)]
        pq.write_table(pa.table({"text": texts, "label": labels}), home / f"{split}-00000-of-00001.parquet")
    return str(home)


def told(n_processes, *words):
    """The events of a run in so many processes."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    start = [sys.executable, "-m"]
    if n_processes > 1:
        start += ["torch.distributed.run", f"--nproc-per-node={n_processes}", f"--master-port={port}", "-m"]
    command = [*start, "seqdemo", *words, "--events", "jsonl", "--device", "cpu", "--precision", "fp32"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def figures(events):
    names = ("loss", "train_loss", "validation_loss", "validation_accuracy", "gradient_norm", "validation_perplexity")
    return [event[name] for event in events for name in names if event.get(name) is not None]


def test_reviews_are_learned_alike_by_one_process_and_by_two(reviews, tmp_path):
    def run(n):
        words = [
            "train",
            "--model",
            "bilstm",
            *SIZES["bilstm"],
            "--dropout",
            "0",
            "--embed-dropout",
            "0",
            "--epochs",
            "3",
        ]
        words += ["--batch-size", "7", "--adversarial", "2", "--average-decay", "0.9", "--no-test"]
        out = tmp_path / str(n)
        events = told(n, *words, "--data", reviews, "--out", str(out))
        return figures(events), folder.load(out).model.state_dict()

    (alone, weights), (together, weights_together) = run(1), run(2)
    assert len(alone) == len(together) > 10, "one process tells"
    assert together == pytest.approx(alone, abs=1e-5, rel=1e-4)
    for name, tensor in weights.items():
        torch.testing.assert_close(weights_together[name], tensor, atol=2e-3, rtol=0)  # as rounded in the file


@pytest.mark.parametrize("model", ["lstm", "transformer"])
def test_a_language_is_learned_alike_by_one_process_and_by_two(model, reviews, tmp_path):
    def run(n):
        words = ["pretrain", "--model", model, *SIZES[model], "--epochs", "1", "--batch-size", "4", "--window", "8"]
        out = tmp_path / str(n)
        events = told(n, *words, "--n-frequent", "8", "--n-sampled", "4", "--data", reviews, "--out", str(out))
        assert language_model.load(out).name == model
        return figures(events)

    alone, together = run(1), run(2)
    assert len(alone) == len(together) > 10
    assert together == pytest.approx(alone, abs=1e-5, rel=1e-4)


def test_an_interrupted_run_of_two_goes_on_with_every_lane_where_it_was(reviews, tmp_path):
    words = ["pretrain", "--model", "lstm", *SIZES["lstm"], "--batch-size", "4", "--window", "8", "--n-frequent", "8"]
    words += ["--n-sampled", "4", "--data", reviews]
    whole = figures(told(2, *words, "--epochs", "1", "--out", str(tmp_path / "whole")))

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    start = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--nproc-per-node=2",
        f"--master-port={port}",
        "-m",
        "seqdemo",
    ]
    out = str(tmp_path / "cut")
    command = [
        *start,
        *words,
        "--epochs",
        "1",
        "--events",
        "jsonl",
        "--device",
        "cpu",
        "--precision",
        "fp32",
        "--out",
        out,
    ]
    run = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    seen = 0
    for line in run.stdout:
        seen += b'"event": "epoch"' in line
        if seen == 3:
            break
    run.terminate()
    run.communicate()
    resumed = figures(told(2, *words, "--epochs", "1", "--resume", "--out", out))
    ends = [value for value in whole[-6:] if value is not None]
    assert resumed[-6:] == pytest.approx(ends, abs=1e-5, rel=1e-4)


def test_a_process_that_is_alone_reads_every_row():
    assert (ranks.world(), ranks.rank()) == (1, 0)
    assert ranks.own_rows(5) == slice(0, 5, 1)
    values = torch.arange(6.0)
    assert torch.equal(ranks.mean(values), values)
    assert torch.equal(ranks.gathered(values, 0), values)
    assert ranks.standard_deviation(values) == values.std()
