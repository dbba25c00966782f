"""Thirty visitors open the stepper at once and then step: what the server pays.

Each visitor is a websocket that speaks Streamlit's own protocol: it opens /stepper with a
text of its own and waits for the message that holds both traces. From then on everything
moves in the browser, and a page that steps sends nothing (a browser test counts the frames),
so the second half only watches what thirty open pages cost. Target: next to nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import statistics
import time
import urllib.parse
from typing import Any

import websockets
from server import ROOT, serve
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from visitors import WORDS, usage

PAGE = "stepper"
N_WORDS = 200
GIVEN_UP_AFTER_S = 60.0


async def first_answer(socket: websockets.ClientConnection, number: int) -> tuple[float, int]:
    """Opens the page with a text of one's own; seconds until the traces came, and their bytes."""
    start = number * 7 % len(WORDS)
    text = " ".join((WORDS[start:] + WORDS[:start])[:N_WORDS])
    message = BackMsg()
    message.rerun_script.page_name = PAGE
    message.rerun_script.query_string = urllib.parse.urlencode({"review": text})
    sent = time.perf_counter()
    await socket.send(message.SerializeToString())
    async for raw in socket:
        answer = ForwardMsg()
        answer.ParseFromString(raw)
        element = answer.delta.new_element
        if element.WhichOneof("type") != "bidi_component" or element.bidi_component.component_name != PAGE:
            continue
        if b'"trace"' in element.bidi_component.bytes[:4096]:
            return time.perf_counter() - sent, len(element.bidi_component.bytes)
    raise ConnectionError("The server closed the connection.")


async def warm(url: str) -> None:
    """Comes back until the models are loaded: a browser would ask again by itself, this client does not."""
    while True:
        async with websockets.connect(url, max_size=None) as socket:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(first_answer(socket, 0), 3)
                return


async def visit(address: str, pid: int, *, n_visitors: int, seconds: float) -> dict[str, Any]:
    """Lets everyone in at once, then watches the server while they step."""
    url = address.replace("http", "ws", 1) + "/_stcore/stream"
    async with contextlib.AsyncExitStack() as stack:
        await asyncio.wait_for(warm(url), GIVEN_UP_AFTER_S)
        sockets = [await stack.enter_async_context(websockets.connect(url, max_size=None)) for _ in range(n_visitors)]
        answers = [first_answer(socket, number) for number, socket in enumerate(sockets, start=1)]
        opened = await asyncio.wait_for(asyncio.gather(*answers), GIVEN_UP_AFTER_S)
        await asyncio.sleep(2)  # what follows the first answer has come
        memory_mb, before_s = usage(pid)
        await asyncio.sleep(seconds)
        cpu_s = usage(pid)[1] - before_s
    latencies_ms = [1000 * latency for latency, _ in opened]
    return {
        "visitors": n_visitors,
        "p50_ms": round(statistics.median(latencies_ms)),
        "slowest_ms": round(max(latencies_ms)),
        "message_mb": round(max(size for _, size in opened) / 1e6, 2),
        "memory_mb": round(memory_mb),
        "seconds_stepping": seconds,
        "cpu_s_while_stepping": round(cpu_s, 2),
    }


def main() -> None:
    """Starts the app, lets visitors in, prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visitors", type=int, default=30, help="sessions at once (30)")
    parser.add_argument("--seconds", type=float, default=20, help="how long they step (20)")
    arguments = parser.parse_args()
    with serve(ROOT / "app.py") as (address, pid):
        found = asyncio.run(visit(address, pid, n_visitors=arguments.visitors, seconds=arguments.seconds))
    for name, value in found.items():
        print(f"{name:<22}{value}")
    print(json.dumps({"benchmark": "steppers", **found}))


if __name__ == "__main__":
    main()
