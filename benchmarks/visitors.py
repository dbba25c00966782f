"""Thirty visitors on one server, each typing an edit every three seconds, a quarter of them in the middle of the text.

Each visitor keeps a websocket of the page /sentiment open, as a browser does, and asks the routes that its components
ask: verdicts at each edit; a second later the text as it rests, kept for the next page, its verdicts and its curves. No
browser runs, so nearly all of the machine belongs to the server. Measured from an edit sent to the verdicts of that
edit received, and the same for curves, which count where they come before the next edit replaces them.
Targets: 30 visitors: verdicts within 400 ms at the 95th percentile, no errors, 40 % of the curves, 1.2 GB. 10 visitors:
every curve, half of them within 0.3 s, 95 % within 2.5 s. One visitor: 150 ms from question to answer.

`--visitors 10 --training 2` trains two models meanwhile, as the page Train does it: child processes at a low priority
with one thread each.

It knows one component of the page by name and that its data holds the session's token, nothing else of it.
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
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import websockets
from server import ROOT, serve
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

sys.path.insert(0, str(ROOT))

from seqdemo.runs.jobs import Jobs
from seqdemo.runs.limits import Limits
from seqdemo.serve.http import TOKEN
from seqdemo.studies.speed import REVIEW
from seqdemo.training.settings import RunSettings

TARGET_MS, TARGET_MB = 400, 1200
PAGE = "sentiment"
RESTS_AFTER_S = 1.0
GIVEN_UP_AFTER_S = 10.0
WORDS = REVIEW.split()


class Visitor:
    """One session: a text that is edited, and how long each answer took."""

    def __init__(self, number: int, address: str, socket: websockets.ClientConnection) -> None:
        """Takes a connected socket; every visitor writes another text, of 100 to 200 words."""
        self.chance = random.Random(number)
        self.address = address
        self.socket = socket
        start = number * 7 % len(WORDS)
        self.words = [*WORDS[start:], *WORDS, *WORDS][: self.chance.randint(100, 180)]
        self.token = ""
        self.opened = asyncio.Event()
        self.errors: list[str] = []
        self.verdicts_ms: list[float] = []
        self.curves_ms: list[float] = []
        self.n_rested = 0

    async def listen(self) -> None:
        """Reads what the server sends until the socket closes."""
        async for raw in self.socket:
            message = ForwardMsg()
            message.ParseFromString(raw)
            if message.WhichOneof("type") != "delta" or message.delta.WhichOneof("type") != "new_element":
                continue
            element = message.delta.new_element
            if element.WhichOneof("type") == "exception":
                self.errors.append(f"{element.exception.type}: {element.exception.message}")
            elif element.WhichOneof("type") == "bidi_component" and element.bidi_component.component_name == "verdicts":
                (data,) = json.loads(element.bidi_component.json)  # each component of the page gets a list of one
                self.token = data["token"]
                self.opened.set()

    async def open(self) -> None:
        """Asks for the page, and waits until every model answers."""
        message = BackMsg()
        message.rerun_script.page_name = PAGE
        await self.socket.send(message.SerializeToString())
        await asyncio.wait_for(self.opened.wait(), 60)
        end = time.perf_counter() + 60
        while time.perf_counter() < end:
            _, answer = await self._ask("verdicts")
            if answer and not answer["loading"]:
                return
            await asyncio.sleep(1)
        self.errors.append("the models did not come within a minute")

    async def _ask(self, kind: str) -> tuple[float, dict[str, Any] | None]:
        """Milliseconds, and the answer; None where a newer question took its place."""
        text = " ".join(self.words)
        began = time.perf_counter()
        status, found = await asyncio.get_running_loop().run_in_executor(
            ASKING, post, f"{self.address}/api/v1/{kind}", {"text": text, "length": len(text), "models": {}}, self.token
        )
        if status not in (200, 204, 409):
            self.errors.append(f"{kind}: {status} {found}")
        return 1000 * (time.perf_counter() - began), found if status == 200 else None

    def _edit(self) -> None:
        at = self.chance.randrange(len(self.words)) if self.chance.random() < 0.25 else len(self.words)
        self.words.insert(at, self.chance.choice(WORDS))

    async def type(self, seconds: float, every_s: float) -> None:
        """Sends edits, with pauses around `every_s`, and notes how long each answer took."""
        end = time.perf_counter() + seconds
        waiting: list[asyncio.Task[None]] = []
        await asyncio.sleep(self.chance.uniform(0, every_s))
        while time.perf_counter() < end:
            pause = every_s * self.chance.uniform(0.8, 1.2)
            sent = time.perf_counter()
            self._edit()
            took, answer = await self._ask("verdicts")
            if answer:
                self.verdicts_ms.append(took)
            await asyncio.sleep(max(0.0, sent + RESTS_AFTER_S - time.perf_counter()))
            self.n_rested += 1
            waiting = [asyncio.create_task(self._rest(sent + pause)), *waiting]
            await asyncio.sleep(max(0.0, sent + pause - time.perf_counter()))
        await asyncio.gather(*waiting)

    async def _rest(self, until: float) -> None:
        """Asks what is asked of a text that rests; the next edit waits for none of it."""
        _, _, (took, answer) = await asyncio.gather(self._ask("text"), self._ask("verdicts"), self._ask("curves"))
        if answer and time.perf_counter() < until:
            self.curves_ms.append(took)


ASKING = ThreadPoolExecutor(max_workers=512)


def post(url: str, body: dict[str, Any], token: str) -> tuple[int, dict[str, Any] | None]:
    """Status and JSON of an answer."""
    headers = {"content-type": "application/json", TOKEN: token}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=GIVEN_UP_AFTER_S) as answer:
            text = answer.read()
            return answer.status, json.loads(text) if text else None
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())
    except OSError as error:
        return 0, {"detail": str(error)}


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
        visitors = [Visitor(number, address, socket) for number, socket in enumerate(sockets)]
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
    verdicts = [took for visitor in visitors for took in visitor.verdicts_ms]
    curves = [took for visitor in visitors for took in visitor.curves_ms]
    errors = [error for visitor in visitors for error in visitor.errors] + ["connection lost"] * lost
    if len(verdicts) < 2 or len(curves) < 2:
        sys.exit(f"Too few answers arrived to say anything; {len(errors)} errors: {errors[:3]}")
    return {
        "visitors": n_visitors,
        "edits": len(verdicts),
        "p50_ms": round(statistics.median(verdicts)),
        "p95_ms": percentile_95(verdicts),
        "slowest_ms": round(max(verdicts)),
        "curves_share": round(len(curves) / sum(visitor.n_rested for visitor in visitors), 2),
        "curves_p50_ms": round(statistics.median(curves)),
        "curves_p95_ms": percentile_95(curves),
        "peak_mb": round(peak_mb),
        "cores_used": round(cores, 2),
        "errors": len(errors),
        "first_errors": errors[:3],
    }


def percentile_95(values: list[float]) -> int:
    """Of milliseconds."""
    return round(statistics.quantiles(values, n=20, method="inclusive")[-1])


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
    columns = {
        "visitors": "visitors",
        "edits": "edits",
        "p50 ms": "p50_ms",
        "p95 ms": "p95_ms",
        "slowest": "slowest_ms",
        "curves": "curves_share",
        "p50 ms ": "curves_p50_ms",
        "p95 ms ": "curves_p95_ms",
        "errors": "errors",
        "peak MB": "peak_mb",
        "cores": "cores_used",
    }
    print("".join(f"{name:>10}" for name in columns))
    print("".join(f"{found[key]:>10}" for key in columns.values()))
    found["updates_trained"] = updates
    print(json.dumps({"benchmark": "visitors", **found, "target_ms": TARGET_MS, "target_mb": TARGET_MB}))


if __name__ == "__main__":
    main()
