"""Next words and writing: compute time of the three language models, and thirty visitors who begin texts.

Compute, one thread: the bars of all three models after a text of 200 words that is new, after one more word (the state
is carried on), and 80 words written by each. Then thirty visitors on one server add a word every three seconds, and ask
for the bars at each; a second later, as the page does, how surprising the text is; no browser runs. At last one visitor
types in Chromium at human speed: from the last key to the bars on screen, of which 120 ms are waited for another key.
Targets: bars 150 ms, 80 words by three models 1.5 s; 30 visitors 600 ms at the 95th percentile, no errors; on screen
500 ms at the 95th percentile.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import sys
import time
from collections.abc import Generator
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from playwright.sync_api import Page, sync_playwright
from server import ROOT, find_browser, serve
from verdicts import summary, times_ms
from visitors import ASKING, RESTS_AFTER_S, percentile_95, post

sys.path.insert(0, str(ROOT))

from seqdemo.studies.speed import REVIEW

TARGETS_MS = {"bars": 150, "written": 1500, "visitors": 600, "on_screen": 500}
SETTINGS = {"temperature": 0.8, "top_k": 0, "top_p": 1.0}
WORDS = REVIEW.split()


def compute(runs: int) -> dict[str, Any]:
    """Times the work of the routes, in this process."""
    import torch

    import seqdemo
    from seqdemo.bounded import Bounded
    from seqdemo.checkpoints import find
    from seqdemo.serve import write

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    models = [seqdemo.load_language_model(name) for name in find.writers()]
    how = tuple(SETTINGS.values())
    rng = np.random.default_rng(0)
    texts = [rng.integers(2, 10_000, 200) for _ in range(runs + 1)]
    known: Any = Bounded(10**8)

    def all_of(pieces: Generator[None, None, Any]) -> None:
        for _ in pieces:
            pass

    def bars(ids: Any) -> None:
        for model in models:
            all_of(write.next_pieces(model, (ids, *how), known))

    new, longer = iter(texts), iter(texts)
    return {
        "bars": summary(times_ms(lambda: bars(next(new)), runs)),
        "one_more_word": summary(times_ms(lambda: bars(np.append(next(longer), 7)), runs)),
        "written": summary(
            times_ms(
                lambda: [all_of(write.writing_pieces(model, (texts[0], 80, *how, 1), known)) for model in models],
                max(runs // 4, 3),
            )
        ),
    }


class Writer:
    """One visitor: a text that grows, and how long each answer took."""

    def __init__(self, number: int, address: str) -> None:
        """Every visitor begins another text, of 20 to 100 words."""
        self.chance = random.Random(number)
        self.address, self.token = address, f"writer-{number}"
        self.words = WORDS[number : number + self.chance.randint(20, 100)]
        self.bars_ms: list[float] = []
        self.errors: list[str] = []

    async def ask(self, kind: str, **more: Any) -> tuple[float, dict[str, Any] | None]:
        """Milliseconds, and the answer; None where a newer question took its place."""
        body = {"text": " ".join(self.words), **more}
        began = time.perf_counter()
        status, found = await asyncio.get_running_loop().run_in_executor(
            ASKING, post, f"{self.address}/api/v1/{kind}", body, self.token
        )
        if status not in (200, 204, 409):
            self.errors.append(f"{kind}: {status} {found}")
        return 1000 * (time.perf_counter() - began), found if status == 200 else None

    async def type(self, seconds: float, every_s: float) -> None:
        """Adds words, with pauses around `every_s`."""
        end = time.perf_counter() + seconds
        resting: list[asyncio.Task[Any]] = []
        await asyncio.sleep(self.chance.uniform(0, every_s))
        while time.perf_counter() < end:
            sent = time.perf_counter()
            self.words.append(self.chance.choice(WORDS))
            took, answer = await self.ask("next", **SETTINGS)
            if answer:
                self.bars_ms.append(took)
            await asyncio.sleep(max(0.0, sent + RESTS_AFTER_S - time.perf_counter()))
            resting.append(asyncio.create_task(self.ask("surprise")))
            await asyncio.sleep(max(0.0, sent + every_s * self.chance.uniform(0.8, 1.2) - time.perf_counter()))
        await asyncio.gather(*resting)


async def visit(address: str, n_visitors: int, seconds: float, every_s: float) -> dict[str, Any]:
    """Lets them type, and returns the figures."""
    writers = [Writer(number, address) for number in range(n_visitors)]
    while not (answer := (await writers[0].ask("next"))[1]) or answer["loading"]:
        await asyncio.sleep(1)
    writers[0].errors.clear()
    await asyncio.gather(*(writer.type(seconds, every_s) for writer in writers))
    took = [ms for writer in writers for ms in writer.bars_ms]
    errors = [error for writer in writers for error in writer.errors]
    if len(took) < 2:
        sys.exit(f"Too few answers arrived to say anything; {len(errors)} errors: {errors[:3]}")
    return {
        "visitors": n_visitors,
        "edits": len(took),
        "p50_ms": round(statistics.median(took)),
        "p95_ms": percentile_95(took),
        "errors": len(errors),
        "first_errors": errors[:3],
    }


# The bars live in a shadow root. They are on screen once no question is under way and they were drawn after the key.
WATCH = """
() => {
  const ask = window.fetch
  window.asked = 0
  window.fetch = async (url, ...more) => {
    const isNext = String(url).endsWith("/next")
    window.asked += isNext
    try { return await ask(url, ...more) } finally { window.asked -= isNext }
  }
  document.addEventListener("keydown", () => { window.lastKey = performance.now(); window.drawn = null }, true)
  const roots = () => [...document.querySelectorAll("*")].map((node) => node.shadowRoot).filter(Boolean)
  const find = () => roots().map((root) => root.querySelector(".bars")).find(Boolean)
  const wait = setInterval(() => {
    const bars = find()
    if (!bars?.children.length) return
    clearInterval(wait)
    new MutationObserver(() => { window.drawn = performance.now() }).observe(bars, { childList: true })
    window.watched = true
  }, 50)
}
"""


def on_screen(page: Page, address: str, bursts: int) -> dict[str, float]:
    """From the last key of a burst of words to the bars on screen, in milliseconds."""
    chance = random.Random(0)
    page.add_init_script(f"({WATCH.strip()})()")
    page.goto(f"{address}/write")
    page.wait_for_function("() => window.watched", timeout=120_000)
    page.get_by_label("Beginning", exact=True).click()
    page.keyboard.press("Control+End")
    found = []
    for _ in range(bursts):
        for letter in " " + " ".join(chance.choice(WORDS) for _ in range(3)):
            page.wait_for_timeout(chance.uniform(80, 260))  # 60 to 70 words a minute
            page.keyboard.type(letter)
        page.wait_for_timeout(200)  # the question is asked 120 ms after the last key
        page.wait_for_function("() => window.asked === 0 && window.drawn", timeout=20_000, polling="raf")
        found.append(page.evaluate("window.drawn - window.lastKey"))
    return {"n": bursts, "median_ms": round(statistics.median(found)), "p95_ms": percentile_95(found)}


def main() -> None:
    """Times the models, starts the app, lets visitors write, prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20, help="repetitions of each timing (20)")
    parser.add_argument("--visitors", type=int, default=30, help="visitors at once (30)")
    parser.add_argument("--seconds", type=float, default=60, help="how long they type (60)")
    parser.add_argument("--every", type=float, default=3, help="seconds between two words of one visitor (3)")
    parser.add_argument("--bursts", type=int, default=30, help="bursts of words typed in Chromium (30)")
    arguments = parser.parse_args()
    times = compute(arguments.runs)
    for name, found in times.items():
        print(f"{name:16}{found['median_ms']:9.1f} ms median{found['p95_ms']:9.1f} ms at the 95th percentile")
    with serve(ROOT / "app.py") as (address, _):
        visited = asyncio.run(visit(address, arguments.visitors, arguments.seconds, arguments.every))
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find_browser())
            screen = on_screen(browser.new_page(viewport={"width": 1280, "height": 900}), address, arguments.bursts)
            browser.close()
    print(f"{visited['visitors']} visitors: {visited['p95_ms']} ms at the 95th percentile, {visited['errors']} errors")
    print(f"on screen: {screen['median_ms']} ms median, {screen['p95_ms']} ms at the 95th percentile")
    print(json.dumps({"benchmark": "writing", **times, **visited, "on_screen": screen, "targets_ms": TARGETS_MS}))


if __name__ == "__main__":
    main()
