"""Time to the first page on a warm server, against a hello-world Streamlit page.

Two servers run side by side and are loaded in turns in fresh Chromium contexts (empty
cache), so that a busy moment of the machine meets both. Measured from the navigation to
the page's own words on screen. Target: a ratio of medians of at most 1.5.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import statistics
import tempfile
import time

from playwright.sync_api import Browser, sync_playwright
from server import ROOT, find_browser, serve

HELLO = 'import streamlit as st\n\nst.title("Hello, world")\n'
TARGET_RATIO = 1.5


def load_seconds(browser: Browser, address: str) -> float:
    """Opens a page in a new context and waits for its title."""
    context = browser.new_context()
    page = context.new_page()
    started = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.locator("[data-testid=stMain] h1").first.wait_for(timeout=60_000)
    seconds = time.perf_counter() - started
    context.close()
    return seconds


def main() -> None:
    """Starts both servers, loads them in turns, prints the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--loads", type=int, default=15, help="loads of each page (15)")
    parser.add_argument("--path", default="/", help="which page of the app (/)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        hello = pathlib.Path(folder) / "hello.py"
        hello.write_text(HELLO, encoding="utf-8")
        with serve(hello) as (hello_at, _), serve(ROOT / "app.py") as (app_at, _), sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find_browser())
            pages = {"hello world": hello_at, "this app": app_at + arguments.path}
            times: dict[str, list[float]] = {name: [] for name in pages}
            for load in range(arguments.loads + 2):
                for name, address in pages.items():
                    seconds = load_seconds(browser, address)
                    if load >= 2:  # the first two warm the server and the browser
                        times[name].append(seconds)
                if load == 0:
                    time.sleep(5)  # the models load behind the first page; a warm server has them
            browser.close()
    medians = {name: statistics.median(found) for name, found in times.items()}
    ratio = medians["this app"] / medians["hello world"]
    print(f"{'':14}{'median':>10}{'fastest':>10}{'slowest':>10}   (seconds to the title on screen)")
    for name, found in times.items():
        print(f"{name:14}{medians[name]:10.2f}{min(found):10.2f}{max(found):10.2f}")
    print(f"ratio of medians: {ratio:.2f} (target: at most {TARGET_RATIO})")
    figures = {"medians_s": medians, "ratio": round(ratio, 3), "target_ratio": TARGET_RATIO}
    print(json.dumps({"benchmark": "first_page", "loads": arguments.loads, **figures}))


if __name__ == "__main__":
    main()
