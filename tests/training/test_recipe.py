"""The recipe goes its whole way in seconds with very small models; a process is killed as a machine is taken away."""

import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from seqdemo.__main__ import main
from seqdemo.checkpoints import folder, language_model
from seqdemo.data import packed
from seqdemo.errors import ConfigError
from seqdemo.training import recipe
from tests.conftest import PATIENCE_S

ROOT = pathlib.Path(__file__).parents[2]
# What a machine has that is lent: torch, NumPy, safetensors, and no network.
BARE = """
import socket, sys
names = ("pandas", "pyarrow", "streamlit", "altair", "huggingface_hub", "requests", "httpx")
sys.modules.update(dict.fromkeys(names))  # as if they were not installed
socket.socket.connect = None
import torch._dynamo  # which comes with the first update
from seqdemo.training import recipe
from seqdemo.__main__ import main  # whose minutes begin here
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def reviews(tmp_path_factory):
    home = tmp_path_factory.mktemp("imdb")
    rng = np.random.default_rng(0)
    for split, n in (("train", 120), ("test", 40), ("unsupervised", 60)):
        labels = np.full(n, -1) if split == "unsupervised" else np.repeat([0, 1], n // 2)
        texts = [
            f"A {'fine' if rng.random() < label else 'dull'} film on day {k}. The end."
            for k, label in enumerate(labels)
        ]
        pq.write_table(pa.table({"text": texts, "label": labels}), home / f"{split}-00000-of-00001.parquet")
    return home


@pytest.fixture(scope="module")
def pack(reviews, tmp_path_factory):
    out = tmp_path_factory.mktemp("packs") / "pack"
    assert main(["pack", "--data", str(reviews), "--no-opinions", "--out", str(out)]) == 0
    return out


def start(pack, out, *words, minutes=0.5):
    command = ["recipe", str(pack), "--minutes", str(minutes), "--tiny", "--device", "cpu", "--threads", "1"]
    return subprocess.Popen(
        [sys.executable, "-c", BARE, *command, "--out", str(out), *words],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finished(out):
    return {part.name for part in recipe.parts() if (out / part.name / "config.json").is_file()}


def test_everything_is_trained_in_its_order_within_its_minutes_and_comes_back_from_a_bundle(
    pack, reviews, tmp_path, capsys
):
    out = tmp_path / "out"
    began = time.monotonic()
    run = start(pack, out)
    said = run.communicate()[0]
    assert run.returncode == 0, said
    assert time.monotonic() - began < PATIENCE_S, said
    names = [part.name for part in recipe.parts()]
    ended = re.findall(r"^([\w-]+): (?:finished|out of time|left out)", said, re.MULTILINE)
    assert ended == names
    assert [line.split()[0] for line in said.splitlines() if "  finished. " in line] == [
        name for name in names if name in finished(out)
    ]
    for _ in range(4):  # the minutes were planned by the machine's first seconds: where it slows down, one goes on
        if {"full-masked", "full"} <= finished(out):
            break
        run = start(pack, out)
        said += run.communicate()[0]
        assert run.returncode == 0, said
    assert {"full-masked", "full"} <= finished(out), said
    assert main(["unpack", str(out / "bundle"), "--into", str(tmp_path / "back")]) == 0
    told = capsys.readouterr().out
    for part in recipe.parts():
        if part.name in finished(out):
            kind = language_model if part.learns == "language" else folder
            assert kind.load(tmp_path / "back" / part.name).name == part.model
        else:
            assert part.name in told.splitlines()[-1]
    if "compact" in finished(out):
        one, two, mean = (folder.load(out / name).model.state_dict() for name in ("compact-1", "compact-2", "compact"))
        assert all(np.allclose(mean[name], (one[name] + two[name]) / 2, atol=2e-2) for name in mean)
    assert main(["ship", str(tmp_path / "back" / "full"), "--data", str(reviews)]) == 0
    shipped = folder.load(tmp_path / "back" / "full")
    assert shipped.metrics["test_n"] == 40
    assert (tmp_path / "back" / "full" / "README.md").is_file()
    assert main(["ship", str(tmp_path / "back" / "full"), "--data", str(reviews)]) == 2
    assert "is finished already" in capsys.readouterr().err


def test_a_machine_that_is_taken_away_at_any_second_loses_nothing_finished(pack, tmp_path):
    out, seconds = tmp_path / "out", random.uniform(3, 10)
    run = start(pack, out)
    time.sleep(seconds)
    run.send_signal(signal.SIGKILL)
    said = run.communicate()[0]
    before = {name: (out / name / "model.safetensors").read_bytes() for name in finished(out)}
    states = {path.name for path in out.glob(".*.state.safetensors")}
    again = start(pack, tmp_path / "again", "--from", str(out), "--only", "full-masked,full", minutes=0.45)
    resumed = again.communicate()[0]
    assert again.returncode == 0, (seconds, said, resumed)
    for name, weights in before.items():
        if name in ("full-masked", "full"):
            assert f"{name}: taken over" in resumed
            assert (tmp_path / "again" / name / "model.safetensors").read_bytes() == weights
    if ".full-masked.state.safetensors" in states and "full-masked" not in before:
        assert "full-masked: The run goes on in fp32" in resumed
    if "full-masked: out of time" in resumed:  # as where the machine slows down after its first seconds
        assert (tmp_path / "again" / ".full-masked.state.safetensors").is_file(), resumed
    else:
        assert "full-masked" in finished(tmp_path / "again"), resumed


def test_what_was_made_from_another_pack_is_refused(pack, tmp_path):
    (part,) = recipe.chosen(["compact-masked"])
    refusal = "was made from another pack; go on with that one, or into another folder"

    def fresh(out):
        out.mkdir(exist_ok=True)
        ends = time.monotonic() + 60
        return recipe.Recipe(pack=packed.read(pack), out=out, ends=ends, device=torch.device("cpu"), is_tiny=True)

    unfinished = tmp_path / "unfinished"
    unfinished.mkdir()
    (unfinished / ".compact-masked.state.safetensors").write_bytes(b"")
    (unfinished / ".compact-masked.plan.json").write_text('{"pack": "another"}')
    finished = tmp_path / "finished"
    (finished / "compact-masked").mkdir(parents=True)
    (finished / "compact-masked" / "config.json").write_text('{"training": {"pack": "another"}}')
    for source in (unfinished, finished):
        with pytest.raises(ConfigError, match=refusal):
            fresh(tmp_path / "out").take_over(source, [part])
        with pytest.raises(ConfigError, match=refusal):
            fresh(source).go([part])


def test_the_recipe_names_what_can_be_built_and_starts_from_what_comes_before():
    seen = set()
    for part in recipe.parts():
        assert set(part.start) <= seen
        seen.add(part.name)
        if part.learns != "mean":
            kind = recipe.PretrainingConfig if part.learns == "language" else recipe.TrainingConfig
            kind(**part.settings)
    assert sum(part.share for part in recipe.parts()) == pytest.approx(1)
    half = sum(part.share for part in recipe.parts() if part.name in {"full-masked", "full"})
    assert half >= 0.5 - 1e-9, "half of the time is for what the product is known by"
    with pytest.raises(ConfigError, match="has no part 'perceptron'; it has full-masked, full, "):
        recipe.chosen(["perceptron"])


def test_a_table_tells_what_became_of_each_part():
    rows = [recipe.Row(name="full", state="finished", updates=1200, tokens_per_s=2e6, peak_share=0.2, seconds=61.24)]
    assert recipe.table(rows)[1].split() == ["full", "1,200", "2,000,000", "20.0%", "61.2", "finished."]
