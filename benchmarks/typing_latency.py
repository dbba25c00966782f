"""From the last key to the answers on screen, in Chromium, typed at human speed.

A review of about 100 words is opened by its link and written on in bursts of a few words.
Each burst ends in a word of one letter, so that the count of words on screen says by
itself whether the verdicts belong to the text as it now stands; the same holds for the
curves and the number of words on their axis. The curves are asked for after a second
without a key, and that second counts. Targets at the 95th percentile: verdicts 300 ms,
curves 2 s.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import statistics
import sys
import urllib.parse

from playwright.sync_api import Page, sync_playwright
from server import ROOT, find_browser, serve

sys.path.insert(0, str(ROOT))

from seqdemo.studies.speed import REVIEW

TARGETS_MS = {"verdicts": 300, "curves": 2000}
START = " ".join(REVIEW.split()[:100])
BURSTS = (
    " and yet it is a",
    " film that I",
    " liked more than a",
    " friend of mine whom I",
    " asked for a",
    " second opinion because I",
    " thought it was a",
    " bore but now I",
)

# The page's parts live in shadow roots; what is looked for is what a visitor reads.
WATCH = """
() => {
  const find = (root, selector) => {
    const found = root.querySelector(selector)
    if (found) return found
    for (const element of root.querySelectorAll("*")) {
      const inner = element.shadowRoot && find(element.shadowRoot, selector)
      if (inner) return inner
    }
    return null
  }
  const parts = {}
  const part = (name, selector) => parts[name]?.isConnected ? parts[name] : (parts[name] = find(document, selector))
  window.screenWords = () => parseInt((part("note", ".note")?.textContent ?? "").replace(",", "")) || 0
  window.curveWords = () => {
    const slider = part("slider", "[role=slider][aria-valuetext]")
    return slider && !slider.closest(".stale") ? Number(slider.getAttribute("aria-valuemax")) : 0
  }
  document.addEventListener("keydown", () => { window.lastKey = performance.now() }, true)
  window.expectWords = (words, axis) => {
    window.seen = {}
    const look = () => {
      const now = performance.now() - window.lastKey
      if (window.seen.verdicts === undefined && window.screenWords() === words) window.seen.verdicts = now
      if (window.seen.curves === undefined && window.curveWords() === axis) window.seen.curves = now
      if (window.seen.curves === undefined || window.seen.verdicts === undefined) requestAnimationFrame(look)
    }
    look()
  }
}
"""


def type_bursts(page: Page, n_bursts: int, seed: int) -> dict[str, list[float]]:
    """Types and waits; every fourth time until the curves are there.

    Returns:
        Milliseconds from the last key to verdicts and to curves.
    """
    chance = random.Random(seed)
    found: dict[str, list[float]] = {"verdicts": [], "curves": []}
    page.wait_for_function("() => curveWords() > 0 && screenWords() > 0", timeout=60_000)
    words, axis = page.evaluate("[screenWords(), curveWords()]")
    page.get_by_label("Review", exact=True).click()
    page.keyboard.press("Control+End")
    for turn, burst in enumerate(itertools.islice(itertools.cycle(BURSTS), n_bursts)):
        words += len(burst.split())
        axis += len(burst.split())
        page.evaluate("([words, axis]) => expectWords(words, axis)", [words, axis])
        for letter in burst:
            page.wait_for_timeout(chance.uniform(80, 260))  # 60 to 70 words a minute
            page.keyboard.type(letter)
        what = "curves" if turn % 4 == 3 else "verdicts"
        page.wait_for_function(f"() => seen.{what} !== undefined", timeout=20_000, polling="raf")
        found["verdicts"].append(page.evaluate("seen.verdicts"))
        if what == "curves":
            found["curves"].append(page.evaluate("seen.curves"))
    return found


def main() -> None:
    """Starts the app, or takes one that runs, types, prints percentiles."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bursts", type=int, default=40, help="bursts of a few words (40)")
    parser.add_argument("--url", help="a server that runs already; one is started otherwise")
    parser.add_argument("--seed", type=int, default=0, help="of the pauses between keys (0)")
    arguments = parser.parse_args()
    link = f"/sentiment?review={urllib.parse.quote(START)}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser())
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.add_init_script(f"({WATCH.strip()})()")
        if arguments.url:
            page.goto(arguments.url.rstrip("/") + link)
            found = type_bursts(page, arguments.bursts, arguments.seed)
        else:
            with serve(ROOT / "app.py") as (address, _):
                page.goto(address + link)
                found = type_bursts(page, arguments.bursts, arguments.seed)
        browser.close()
    figures = {}
    print(f"{'milliseconds from the last key':32}{'n':>5}{'p50':>8}{'p95':>8}{'target':>8}")
    for name, times in found.items():
        p50, p95 = statistics.median(times), statistics.quantiles(times, n=20, method="inclusive")[-1]
        figures[name] = {"n": len(times), "p50_ms": round(p50), "p95_ms": round(p95), "target_ms": TARGETS_MS[name]}
        print(f"{name:32}{len(times):5}{p50:8.0f}{p95:8.0f}{TARGETS_MS[name]:8}")
    print(json.dumps({"benchmark": "typing_latency", **figures}))


if __name__ == "__main__":
    main()
