"""A real server, one for all files but those that need their own, and a real Chromium."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import namedtuple

import pytest

from seqdemo import environment

ROOT = pathlib.Path(__file__).parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

Visit = namedtuple("Visit", "page requests complaints")
BUSY_S = 120
"""What may take this long on a busy machine is waited for; what takes longer does not come."""
TELL_WHAT_THE_POLICY_REFUSES = """
addEventListener("securitypolicyviolation", event =>
    console.error(`The policy refuses ${event.blockedURI} by ${event.violatedDirective}.`));
"""


def _missing(sentence):
    if environment.REQUIRE_BROWSER.read():
        pytest.fail(sentence)
    pytest.skip(sentence)


@pytest.fixture(scope="module")  # not for the session: while it lives, no other test can start an event loop
def chromium():
    """The browser; tests that need it are skipped, with a sentence, where there is none."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _missing("Browser tests need playwright: pip install -r requirements-dev.txt.")
    found = next((path for path in map(shutil.which, BROWSERS) if path), None)
    if found is None:
        _missing(f"Browser tests need one of these programs: {', '.join(BROWSERS)}.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def expect(chromium):
    """Playwright's assertions, which wait until they hold."""
    from playwright.sync_api import expect

    expect.set_options(timeout=1000 * BUSY_S)
    return expect


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    """Where the server keeps visitors' runs."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="session")
def server(runs, tmp_path_factory):
    """The address of a server whose models are loaded; it lets itself be framed by sites at `localhost` alone."""
    with serving(tmp_path_factory.mktemp("server"), runs, SEQDEMO_FRAME_ANCESTORS="self http://localhost:*") as address:
        _wait_until_loaded(address)
        yield address


@pytest.fixture(scope="module")
def cold_runs(tmp_path_factory):
    """Where `cold_server` keeps visitors' runs."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def cold_server(cold_runs, tmp_path_factory):
    """The address of a server that nobody has visited yet; a file takes it by a fixture `server` of its own."""
    with serving(tmp_path_factory.mktemp("server"), cold_runs) as address:
        yield address


@contextlib.contextmanager
def serving(folder, runs, **settings):
    """Runs a server with these settings; gives its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log_path = folder / "log.txt"
    with log_path.open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}", "--server.headless=true"],
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1", "SEQDEMO_RUNS": str(runs), **settings},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_healthy(process, address, log_path)
        yield address
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_healthy(process, address, log_path):
    deadline = time.monotonic() + BUSY_S
    while True:
        assert process.poll() is None, log_path.read_text(encoding="utf-8")
        assert time.monotonic() < deadline, log_path.read_text(encoding="utf-8")
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=5) as answer:
                answer.read()
                return
        except OSError:
            time.sleep(0.1)  # the port says nothing about when it will be open


def _wait_until_loaded(address):
    # While models load, pages ask again each second and draw anew what a test may be looking at.
    question = urllib.request.Request(
        f"{address}/api/v1/verdicts", data=b'{"text": "good"}', headers={"content-type": "application/json"}
    )
    deadline = time.monotonic() + BUSY_S
    while True:
        with (
            contextlib.suppress(urllib.error.HTTPError),  # it may be too busy to answer
            urllib.request.urlopen(question, timeout=BUSY_S) as answer,
        ):
            if not json.load(answer)["loading"]:
                return
        assert time.monotonic() < deadline, "The models do not come."
        time.sleep(0.1)


@pytest.fixture
def visit(chromium, server):
    """Opens a path in a new window and notes what it asks for and complains of."""
    with visiting(chromium, server) as open_:
        yield open_


@pytest.fixture(scope="module")
def visit_once(chromium, server):
    """The same for a window that tests of a file share, since they change nothing that another one looks at."""
    with visiting(chromium, server) as open_:
        yield open_


@contextlib.contextmanager
def visiting(chromium, server):
    """Gives what opens windows, and closes them at the end."""
    contexts = []

    def open_(path, **settings):
        context = chromium.new_context(**settings)
        contexts.append(context)
        context.set_default_timeout(1000 * BUSY_S)
        context.add_init_script(TELL_WHAT_THE_POLICY_REFUSES)
        page = context.new_page()
        visit = Visit(page, [], [])
        page.on("request", lambda request: visit.requests.append(request.url))
        page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        page.on("console", lambda message: _is_complaint(message) and visit.complaints.append(message.text))
        page.goto(server + path)
        return visit

    yield open_
    for context in contexts:
        context.close()


def _opening(visit, wait, module):
    def open_(path=module.PATH, **settings):
        visited = visit(path, **(settings or module.DESKTOP))
        wait(visited.page)
        return visited

    return open_


@pytest.fixture
def ready(request, visit, wait):
    """Opens the page of a file, at its `PATH` or another, and waits as the file's own fixture `wait` does."""
    return _opening(visit, wait, request.module)


@pytest.fixture(scope="module")
def opened_once(request, visit_once, wait):
    """The page of a file as `ready` opens it, in the window that its tests share."""
    return _opening(visit_once, wait, request.module)().page


@pytest.fixture(scope="session")
def busy():
    """Gives whatever of a page says that Python still draws it, or that a part of it has no answer yet."""
    drawn = "[data-testid=stApp]:not([data-test-script-state=notRunning]), [data-testid=stSkeleton]"
    return lambda page: page.locator(f"{drawn}, .loading, .waiting, .stale")


@pytest.fixture(scope="session")
def said_to_python():
    """Gives what a page says to Python from now on: it first waits until the page says nothing of its own accord.

    Parts of a page ask again each second as long as something loads or is computed.
    """

    def listen(page):
        said = []
        cdp = page.context.new_cdp_session(page)
        cdp.send("Network.enable")
        cdp.on("Network.webSocketFrameSent", lambda frame: said.append(frame))
        for _ in range(60):
            said.clear()
            page.evaluate("new Promise(done => setTimeout(done, 2500))")  # the page's own clock, which may run late
            if not said:
                return said
        raise AssertionError("The page does not come to rest.")

    return listen


@pytest.fixture
def draws_charts(expect):
    """Holds that a page draws its charts within a window of this width, complains of nothing and asks nobody else."""

    def check(visited, width):
        page = visited.page
        charts = page.locator("[data-testid=stVegaLiteChart] :is(canvas, svg)")
        expect(charts.first).to_be_visible()  # their code is fetched when the first one comes
        expect(page.locator("[data-testid=stSkeleton]")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.locator("[data-testid=stMain]").evaluate("main => main.scrollWidth <= main.clientWidth")
        assert visited.complaints == []
        assert {
            urllib.parse.urlsplit(url).hostname for url in visited.requests if not url.startswith(("data:", "blob:"))
        } == {"127.0.0.1"}

    return check


def _is_complaint(message):
    url = message.location["url"]
    # Under a deep link Streamlit looks for its base path by asking for these two once.
    known = url.endswith(("/_stcore/host-config", "/_stcore/health"))
    # What a busy server puts off, or a newer question has overtaken, the page asks for again, and says so itself.
    put_off = "/api/v1/" in url and re.search(r"status of (409|503)\b", message.text)
    return message.type == "error" and not known and not put_off
