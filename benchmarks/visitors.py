"""Thirty visitors on one server, each typing an edit every three seconds.

Each visitor is a websocket that speaks Streamlit's own protocol as the browser does: it
opens /sentiment, sends an edit, a second later the same text as settled (which asks for the
curves), and asks again when it is told to. No browser runs, so nearly all of the machine
belongs to the server. Measured from an edit sent to the verdicts of that edit received.
Targets: 1 s at the 95th percentile, no errors, 1.2 GB.

`--visitors 10 --training 2` trains two models meanwhile, as the page Train does it: child processes at a low priority
with one thread each. Target: 1.5 s at the 95th percentile.

It knows the page's two components by name and the shape of their data, nothing else of it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any

import websockets
from server import ROOT, serve
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

sys.path.insert(0, str(ROOT))

from seqdemo.runs.jobs import Jobs
from seqdemo.runs.limits import Limits
from seqdemo.studies.speed import REVIEW
from seqdemo.training.settings import RunSettings

TARGET_MS, TARGET_MB = 1000, 1200
TARGET_BESIDE_TRAINING_MS = 1500
PAGE = "sentiment"
SETTLED_AFTER_S = 1.0
GIVEN_UP_AFTER_S = 10.0
WORDS = REVIEW.split()


class Visitor:
    """One session: a text that grows, and when which edit was answered."""

    def __init__(self, number: int, socket: websockets.ClientConnection) -> None:
        """Takes a connected socket; every visitor writes another text."""
        self.chance = random.Random(number)
        self.socket = socket
        start = number * 7 % len(WORDS)
        self.words = (WORDS[start:] + WORDS[:start])[:100]
        self.page_hash = ""
        self.ids: dict[str, tuple[str, str]] = {}  # component → widget id, fragment id
        self.states: dict[str, str] = {}
        self.rev, self.n = 0, 0
        self.answered: dict[int, asyncio.Event] = {}
        self.ready = asyncio.Event()
        self.has_curves = asyncio.Event()
        self.errors: list[str] = []
        self.latencies_ms: list[float] = []
        self.tasks: set[asyncio.Task[None]] = set()

    async def listen(self) -> None:
        """Reads what the server sends until the socket closes."""
        async for raw in self.socket:
            message = ForwardMsg()
            message.ParseFromString(raw)
            kind = message.WhichOneof("type")
            if kind == "new_session":
                self.page_hash = message.new_session.page_script_hash
            elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
                self._take(message.delta.new_element, message.delta.fragment_id)

    def _take(self, element: Any, fragment_id: str) -> None:
        if element.WhichOneof("type") == "exception":
            self.errors.append(f"{element.exception.type}: {element.exception.message}")
        if element.WhichOneof("type") != "bidi_component":
            return
        component = element.bidi_component
        name = component.component_name
        self.ids[name] = (component.id, fragment_id)
        (data,) = json.loads(component.json)  # each component of the page gets a list of one
        if name == "review_box":
            self.rev = data["rev"]
        elif name == "verdicts":
            rev, n = data["order"]
            if rev == self.rev and any(card["percent"] is not None for card in data["cards"]):
                self.ready.set()
                for sent in [sent for sent in self.answered if sent <= n]:
                    self.answered.pop(sent).set()
            if data["again"]:
                task = asyncio.create_task(self._ask_again(data["again"]))
                self.tasks.add(task)
                task.add_done_callback(self.tasks.discard)
        elif name == "curves" and data.get("lines") and not data["stale"]:
            self.has_curves.set()

    async def _ask_again(self, again: dict[str, int]) -> None:
        await asyncio.sleep(again["ms"] / 1000)
        if json.dumps({"asked": again["n"]}) != self.states.get("verdicts"):
            self.states["verdicts"] = json.dumps({"asked": again["n"]})
            await self._send("verdicts")

    async def open(self) -> None:
        """Asks for the page and waits until every model answers."""
        message = BackMsg()
        message.rerun_script.page_name = PAGE
        await self.socket.send(message.SerializeToString())
        await asyncio.wait_for(self.ready.wait(), 60)

    async def _send(self, name: str) -> None:
        message = BackMsg()
        rerun = message.rerun_script
        rerun.page_script_hash = self.page_hash
        rerun.fragment_id = self.ids[name][1]
        for component, state in self.states.items():
            rerun.widget_states.widgets.add(id=self.ids[component][0], json_value=state)
        await self.socket.send(message.SerializeToString())

    async def _edit(self, *, settled: bool) -> None:
        self.n += 1
        text = " ".join(self.words)
        edit = {"text": text, "length": len(text), "rev": self.rev, "n": self.n, "settled": settled, "example": False}
        self.states["review_box"] = json.dumps({"edit": edit})
        await self._send("review_box")

    async def type(self, seconds: float, every_s: float) -> None:
        """Sends edits, with pauses around `every_s`, and notes how long each answer took."""
        end = time.perf_counter() + seconds
        await asyncio.sleep(self.chance.uniform(0, every_s))
        while time.perf_counter() < end:
            pause = asyncio.create_task(asyncio.sleep(every_s * self.chance.uniform(0.8, 1.2)))
            self.words.append(self.chance.choice(WORDS))
            event = self.answered[self.n + 1] = asyncio.Event()
            sent = time.perf_counter()
            await self._edit(settled=False)
            try:
                await asyncio.wait_for(event.wait(), GIVEN_UP_AFTER_S)
                self.latencies_ms.append(1000 * (time.perf_counter() - sent))
            except TimeoutError:
                self.errors.append(f"no verdict within {GIVEN_UP_AFTER_S:.0f} s")
            await asyncio.sleep(max(0.0, sent + SETTLED_AFTER_S - time.perf_counter()))
            await self._edit(settled=True)
            await pause


def usage(pid: int) -> tuple[float, float]:
    """Memory of a process in megabytes of 10^6 bytes and its CPU seconds so far, as `ps` says them."""
    done = subprocess.run(
        ["ps", "-o", "rss=", "-o", "time=", "-p", str(pid)], capture_output=True, text=True, check=True
    )
    kilobytes, clock = done.stdout.split()
    seconds = 0.0
    for part in clock.split(":"):  # [hours:]minutes:seconds
        seconds = seconds * 60 + float(part)
    return int(kilobytes) * 1024 / 1e6, seconds


async def visit(address: str, pid: int, *, n_visitors: int, seconds: float, every_s: float) -> dict[str, Any]:
    """Lets everyone in, lets them type, and returns the figures."""
    url = address.replace("http", "ws", 1) + "/_stcore/stream"
    peak_mb = 0.0

    async def watch_memory() -> None:
        nonlocal peak_mb
        while True:
            peak_mb = max(peak_mb, (await asyncio.to_thread(usage, pid))[0])
            await asyncio.sleep(0.5)

    async with contextlib.AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(websockets.connect(url, max_size=None)) for _ in range(n_visitors)]
        visitors = [Visitor(number, socket) for number, socket in enumerate(sockets)]
        background = [asyncio.create_task(visitor.listen()) for visitor in visitors]
        background.append(asyncio.create_task(watch_memory()))
        try:
            started = time.perf_counter()
            await visitors[0].open()  # a cold server loads its models for the first one
            print(f"first visitor answered after {time.perf_counter() - started:.1f} s", file=sys.stderr)
            await asyncio.gather(*(visitor.open() for visitor in visitors[1:]))
            cpu_s, started = usage(pid)[1], time.perf_counter()
            await asyncio.gather(*(visitor.type(seconds, every_s) for visitor in visitors))
            cores = (usage(pid)[1] - cpu_s) / (time.perf_counter() - started)
            lost = sum(task.done() for task in background)
        finally:
            for task in background:
                task.cancel()
    latencies = [latency for visitor in visitors for latency in visitor.latencies_ms]
    errors = [error for visitor in visitors for error in visitor.errors] + ["connection lost"] * lost
    if len(latencies) < 2:
        sys.exit(f"Too few verdicts arrived to say anything; {len(errors)} errors: {errors[:3]}")
    return {
        "visitors": n_visitors,
        "edits": len(latencies),
        "p50_ms": round(statistics.median(latencies)),
        "p95_ms": round(statistics.quantiles(latencies, n=20, method="inclusive")[-1]),
        "slowest_ms": round(max(latencies)),
        "with_curves": sum(visitor.has_curves.is_set() for visitor in visitors),
        "peak_mb": round(peak_mb),
        "cores_used": round(cores, 2),
        "errors": len(errors),
        "first_errors": errors[:3],
    }


@contextlib.contextmanager
def training(n_runs: int) -> Iterator[list[int]]:
    """Trains so many models until the block ends, as the server does it for its visitors.

    Yields:
        A list to which, at the end, the updates that each run made meanwhile are added.
    """
    made: list[int] = []
    with tempfile.TemporaryDirectory() as root:
        jobs = Jobs(root, Limits(max_jobs=max(1, n_runs), max_each=max(1, n_runs)))
        try:
            settings = [
                RunSettings(task="parity", model=model, length=200, d_hidden=128, d_embed=32, batch_size=64, epochs=100)
                for model in (["lstm", "gru", "rnn", "transformer"] * n_runs)[:n_runs]
            ]
            runs = [jobs.start(one) for one in settings]
            views = [jobs.wait(run, lambda view: bool(view.steps), 120) for run in runs]
            before = [view.steps[-1]["update"] for view in views]
            yield made
            views = [view for run in runs if (view := jobs.view(run))]
            if ended := [view.message or view.state for view in views if view.has_ended]:
                sys.exit(f"A training run ended before the visitors did: {ended[0]}")
            made += [view.steps[-1]["update"] - n for view, n in zip(views, before, strict=True)]
        finally:
            jobs.close()


def main() -> None:
    """Starts the app, lets visitors type, prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visitors", type=int, default=30, help="sessions at once (30)")
    parser.add_argument("--seconds", type=float, default=60, help="how long they type (60)")
    parser.add_argument("--every", type=float, default=3, help="seconds between two edits of one visitor (3)")
    parser.add_argument("--training", type=int, default=0, help="models that are trained meanwhile (0)")
    arguments = parser.parse_args()
    with serve(ROOT / "app.py") as (address, pid), training(arguments.training) as updates:
        found = asyncio.run(
            visit(address, pid, n_visitors=arguments.visitors, seconds=arguments.seconds, every_s=arguments.every)
        )
    print(f"{'visitors':>8}{'edits':>8}{'p50 ms':>8}{'p95 ms':>8}{'slowest':>9}{'errors':>8}{'peak MB':>9}{'cores':>7}")
    row = [
        found[key] for key in ("visitors", "edits", "p50_ms", "p95_ms", "slowest_ms", "errors", "peak_mb", "cores_used")
    ]
    print("".join(f"{value:>{width}}" for value, width in zip(row, (8, 8, 8, 8, 9, 8, 9, 7), strict=True)))
    target_ms = TARGET_BESIDE_TRAINING_MS if arguments.training else TARGET_MS
    found["updates_trained"] = updates
    print(json.dumps({"benchmark": "visitors", **found, "target_ms": target_ms, "target_mb": TARGET_MB}))


if __name__ == "__main__":
    main()
