"""Thirty visitors open the stepper at once and then step: what the server pays.

Each visitor is a websocket that speaks Streamlit's own protocol: it opens /stepper, and with the token that the page
was given asks the route for both traces of a text of its own, as the browser does. From then on everything moves in
the browser, and a page that steps sends nothing (a browser test counts the frames), so the second half only watches
what thirty open pages cost. Target: next to nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import statistics
import time
import urllib.request
from typing import Any

import websockets
from server import ROOT, serve
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from visitors import ASKING, TOKEN, WORDS, usage

PAGE = "stepper"
N_WORDS = 200
GIVEN_UP_AFTER_S = 60.0


async def first_answer(address: str, socket: websockets.ClientConnection, number: int) -> tuple[float, int]:
    """Opens the page and asks for the traces of a text of one's own; seconds until they came, and their bytes."""
    start = number * 7 % len(WORDS)
    text = " ".join((WORDS[start:] + WORDS[:start])[:N_WORDS])
    message = BackMsg()
    message.rerun_script.page_name = PAGE
    opened = time.perf_counter()
    await socket.send(message.SerializeToString())
    async for raw in socket:
        answer = ForwardMsg()
        answer.ParseFromString(raw)
        element = answer.delta.new_element
        if element.WhichOneof("type") == "bidi_component" and element.bidi_component.component_name == PAGE:
            (data,) = json.loads(element.bidi_component.json)
            traces = await asyncio.get_running_loop().run_in_executor(ASKING, traces_of, address, text, data["token"])
            return time.perf_counter() - opened, len(traces)
    raise ConnectionError("The server closed the connection.")


def traces_of(address: str, text: str, token: str) -> bytes:
    """The message with both models' traces, asked for again while the models load."""
    headers = {"content-type": "application/json", TOKEN: token}
    question = urllib.request.Request(f"{address}/api/v1/steps", json.dumps({"text": text}).encode(), headers)
    while True:
        with urllib.request.urlopen(question, timeout=GIVEN_UP_AFTER_S) as answer:
            found: bytes = answer.read()
        length = int.from_bytes(found[:4], "little")
        if json.loads(found[4 : 4 + length])["kind"] == "trace":
            return found
        time.sleep(1)


async def visit(address: str, pid: int, *, n_visitors: int, seconds: float) -> dict[str, Any]:
    """Lets everyone in at once, then watches the server while they step."""
    url = address.replace("http", "ws", 1) + "/_stcore/stream"
    async with contextlib.AsyncExitStack() as stack:
        first = await stack.enter_async_context(websockets.connect(url, max_size=None))
        await asyncio.wait_for(first_answer(address, first, 0), GIVEN_UP_AFTER_S)  # the models are loaded
        sockets = [await stack.enter_async_context(websockets.connect(url, max_size=None)) for _ in range(n_visitors)]
        answers = [first_answer(address, socket, number) for number, socket in enumerate(sockets, start=1)]
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
