"""Training throughput of this program's loop against a plain loop around torch's own modules, of the same size.

    python benchmarks/training.py                    the CPU, one thread
    python benchmarks/training.py --device cuda
    python benchmarks/training.py --clock cpu        on a machine that does other work

Both loops draw the same sequences, use AdamW and clip at 1, and take turns, so that whatever else the machine does
meets both. The plain loop is `nn.Embedding`, `nn.LSTM` (`nn.GRU`, `nn.TransformerEncoder`) and `nn.Linear` in fp32
with torch's default optimiser; this program's loop is the one behind `train --task`, with what it adds: accuracy on
the training sequences, a check for values that are no numbers, and events. Validation is left out of both.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import statistics
import sys
import tempfile
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

import torch
from torch import nn

from seqdemo.training import devices, events, task_run
from seqdemo.training.problem import prepare
from seqdemo.training.settings import RunSettings, architecture

SIZES = {
    "small": {"d_embed": 16, "d_hidden": 32, "length": 60, "batch_size": 32},
    "medium": {"d_embed": 64, "d_hidden": 128, "length": 200, "batch_size": 64},
}


class Plain(nn.Module):
    """What one writes first: embedding, torch's layer, the last state (or the mean), a linear head."""

    def __init__(self, settings: RunSettings, n_rows: int, n_outputs: int) -> None:
        super().__init__()
        shape = architecture(settings)
        if settings.model == "transformer":
            width = shape["d_model"]
            layer = nn.TransformerEncoderLayer(
                width,
                shape["n_heads"],
                shape["d_ff"],
                dropout=0.0,
                activation="gelu",
                batch_first=True,
                norm_first=True,
            )
            self.body: nn.Module = nn.TransformerEncoder(
                layer, shape["n_layers"], nn.LayerNorm(width), enable_nested_tensor=False
            )
            self.positions = nn.Parameter(torch.zeros(settings.length, width))
        else:
            width = settings.d_embed
            kind = {"rnn": nn.RNN, "gru": nn.GRU}.get(settings.model, nn.LSTM)
            self.body = kind(
                width, settings.d_hidden, settings.n_layers, batch_first=True, bidirectional=settings.model == "bilstm"
            )
        self.model = settings.model
        self.embedding = nn.Embedding(n_rows, width, padding_idx=0)
        directions = 2 if settings.model == "bilstm" else 1
        self.head = nn.Linear(settings.d_hidden * directions, n_outputs)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Logits, (B, n_outputs)."""
        x = self.embedding(ids)
        if self.model == "transformer":
            return self.head(self.body(x + self.positions).mean(1))
        return self.head(self.body(x)[0][:, -1])


def plain_epoch(model: Plain, optimiser: torch.optim.Optimizer, batches: list, device: torch.device, clock) -> float:
    """Sequences a second of one pass."""
    started, n = clock(), 0
    model.train()
    for batch in batches:
        ids, targets = torch.from_numpy(batch.inputs).to(device), torch.from_numpy(batch.targets).to(device)
        optimiser.zero_grad()
        loss = nn.functional.cross_entropy(model(ids), targets)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        n += len(ids)
    loss.item()
    return n / (clock() - started)


def main() -> None:
    """Measures and prints one row for each model and size."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--device", default="auto")
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--models", nargs="*", default=["gru", "lstm", "transformer"])
    options = parser.parse_args()
    clock = time.perf_counter if options.clock == "wall" else time.process_time
    where = devices.choose(options.device)
    device = torch.device(where.name)
    torch.set_num_threads(1)
    task_run._REPORTS = 6 * (options.rounds + 1)  # as often as a run of 2,500 updates reports: after every eighth
    print(f"{where.label}; torch {torch.__version__}; sequences a second, median of {options.rounds}")
    print(f"{'':12} {'size':8} {'plain':>9} {'this':>9} {'ratio':>6}")
    ratios: dict[str, float] = {}
    for model in options.models:
        for size, entries in SIZES.items():
            settings = RunSettings(
                task="first_token",
                model=model,
                device=where.name,
                epochs=options.rounds + 1,
                n_layers=2 if model == "transformer" else 1,
                **entries,
            )
            problem = prepare(settings)
            torch.manual_seed(0)
            plain = Plain(settings, problem.n_rows, problem.n_outputs).to(device)
            optimiser = torch.optim.AdamW(plain.parameters(), lr=settings.learning_rate, weight_decay=0.0)
            found: dict[str, list[float]] = {"plain": [], "this": []}
            begun: list[tuple[int, float]] = []

            def listen(event, found=found, begun=begun, settings=settings, problem=problem, plain=plain, opt=optimiser):
                """After each of this program's epochs the plain loop has its turn."""
                if isinstance(event, events.Step):
                    begun.append((event.update, clock()))
                elif isinstance(event, events.Epoch) and event.epoch:
                    (first, since), (last, until) = begun[0], begun[-1]
                    found["this"].append((last - first) * settings.batch_size / (until - since))
                    found["plain"].append(plain_epoch(plain, opt, problem.epoch(event.epoch), device, clock))
                    begun.clear()

            with tempfile.TemporaryDirectory() as out:
                task_run.train(settings, out=pathlib.Path(out) / "result", on_event=listen)
            plain_speed, own_speed = (statistics.median(found[kind][1:]) for kind in ("plain", "this"))
            print(f"{model:12} {size:8} {plain_speed:9.0f} {own_speed:9.0f} {own_speed / plain_speed:6.2f}", flush=True)
            ratios[f"{model} {size}"] = round(own_speed / plain_speed, 3)
    print(json.dumps({"benchmark": "training", "device": where.label, "clock": options.clock, "ratios": ratios}))


if __name__ == "__main__":
    main()
