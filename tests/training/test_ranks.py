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
from tests.training import learn

ROOT = pathlib.Path(__file__).parents[2]


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


def started(*words, **environment):
    """A Python program as a process."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), **environment}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, *words], cwd=ROOT, env=environment, text=True, **pipes)


def of_two(*words):
    """A Python program as two processes that know of each other what torchrun would tell them."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        place = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(probe.getsockname()[1])}
    return [started(*words, RANK=rank, LOCAL_RANK=rank, **place) for rank in "01"]


def finished(process):
    """What it wrote."""
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return out


def figures(events):
    """What was measured, in its order."""
    names = ("loss", "train_loss", "validation_loss", "validation_accuracy", "gradient_norm", "validation_perplexity")
    return [event[name] for event in events for name in names if event.get(name) is not None]


@pytest.fixture(scope="module")
def learned(reviews, tmp_path_factory):
    """The folder of what two processes learned, that of what one did, and what the one told."""
    two, one = tmp_path_factory.mktemp("two"), tmp_path_factory.mktemp("one")
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
    process = started(*torchrun, learn.__file__, reviews, str(two))
    told = {name: learn.learn(name, reviews, one, torch.device("cpu")) for name in learn.SIZES}
    finished(process)
    return two, one, told


@pytest.mark.parametrize("name", learn.SIZES)
def test_two_processes_learn_what_one_does(learned, name):
    two, one, told = learned
    together, silent = (json.loads((two / f"{name} of rank {rank}.json").read_text()) for rank in (0, 1))
    assert silent == [], "one process tells"
    assert len(figures(together)) == len(figures(told[name])) > 10
    assert figures(together) == pytest.approx(figures(told[name]), abs=1e-5, rel=1e-4)
    load = folder.load if name == "bilstm" else language_model.load
    weights, weights_together = (load(out / name).model.state_dict() for out in (one, two))
    for key, tensor in weights.items():
        found = weights_together[key]
        if key.endswith("qkv.bias"):
            # A bias of the keys adds the same to all scores of a query and cancels in softmax: its gradient is what
            # rounding leaves, which AdamW makes into steps of full length.
            tensor, found = (torch.cat((bias.chunk(3)[0], bias.chunk(3)[2])) for bias in (tensor, found))
        torch.testing.assert_close(found, tensor, atol=2e-3, rtol=0)  # as rounded in the file


def test_an_interrupted_run_of_two_goes_on_with_every_lane_where_it_was(learned, reviews, tmp_path):
    words = ["-m", "seqdemo", "pretrain", "--model", "lstm", "--d-embed", "8", "--d-hidden", "8", "--epochs", "1"]
    words += ["--batch-size", "4", "--window", "8", "--n-frequent", "8", "--n-sampled", "4", "--precision", "fp32"]
    words += ["--device", "cpu", "--events", "jsonl", "--data", reviews, "--out", str(tmp_path / "cut")]
    processes, seen = of_two(*words), 0
    for line in processes[0].stdout:
        seen += '"event": "epoch"' in line
        if seen == 3:
            break
    for process in processes:
        process.terminate()
        process.communicate(timeout=120)
    assert not (tmp_path / "cut").exists()
    told, silent = map(finished, of_two(*words, "--resume"))
    assert silent == "", "one process tells"
    resumed = figures(map(json.loads, told.splitlines()))
    whole = figures(learned[2]["lstm"])
    assert 6 < len(resumed) < len(whole), "it did not begin again"
    assert resumed[-6:] == pytest.approx(whole[-6:], abs=1e-5, rel=1e-4)


def test_a_process_that_is_alone_reads_every_row():
    assert (ranks.world(), ranks.rank()) == (1, 0)
    assert ranks.own_rows(5) == slice(0, 5, 1)
    values = torch.arange(6.0)
    assert torch.equal(ranks.mean(values), values)
    assert torch.equal(ranks.gathered(values, 0), values)
    assert ranks.standard_deviation(values) == values.std()
