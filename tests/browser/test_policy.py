"""The content policy: everything works under it, and what it forbids does not happen.

Every browser test hears of what the policy refuses, since `visit` counts it among the complaints.
"""

import http.server
import pathlib
import threading
import urllib.request

import pytest

from seqdemo.ui.pages import PAGES

CHARTS = "[data-testid=stVegaLiteChart] :is(canvas, svg)"
ALIVE = {
    "": CHARTS,
    "sentiment": "[data-model=lstm] .percent:has-text('%')",
    "stepper": ".panel.equations .term:not(:empty)",
    "attention": CHARTS,
    "translate": CHARTS,
    "memory": CHARTS,
    "write": ".bar-button",
    "train": CHARTS,
}
INJECTED = """() => {
    const script = document.createElement("script");
    script.textContent = "window.ran = true";
    document.body.append(script);
    const image = document.createElement("img");
    image.setAttribute("onerror", "window.ran = true");
    image.src = "data:,";
    document.body.append(image);
    return new Promise(done => image.addEventListener("error", () => done()));
}"""


@pytest.mark.parametrize("path", [page.path for page in PAGES])
def test_every_page_works_under_the_policy(visit, expect, path):
    visited = visit(f"/{path}")
    expect(visited.page.locator(ALIVE[path]).first).to_be_visible()
    expect(visited.page.locator("[data-testid=stSkeleton]")).to_have_count(0)
    assert visited.complaints == []


def test_a_table_can_be_taken_as_a_csv_file_under_the_policy(visit, expect):
    visited = visit("/")
    page = visited.page
    expect(page.locator(CHARTS).first).to_be_visible()
    data = page.locator("[data-testid=stExpander]").filter(has_text="The data as a table").first
    data.locator("summary").click()
    data.locator("[data-testid=stDataFrame]").hover()
    page.evaluate("delete window.showSaveFilePicker")  # it would open a window of the system
    with page.expect_download() as download:
        data.get_by_role("button", name="Download as CSV").click()
    assert "RNN" in pathlib.Path(download.value.path()).read_text(encoding="utf-8-sig")
    assert visited.complaints == []


def test_a_script_that_someone_puts_into_a_page_does_not_run(visit, expect):
    visited = visit("/")
    expect(visited.page.locator("h1")).to_be_visible()
    with visited.page.expect_event("console", lambda message: "script-src" in message.text):
        visited.page.evaluate(INJECTED)
    assert visited.page.evaluate("window.ran") is None
    assert any("script-src" in complaint for complaint in visited.complaints)


def test_streamlits_own_files_carry_the_headers_too(server):
    for path in ("/", "/train", "/favicon.png", "/_stcore/health"):
        with urllib.request.urlopen(server + path, timeout=30) as answer:
            assert answer.headers["X-Content-Type-Options"] == "nosniff", path
            assert "script-src 'self'" in answer.headers["Content-Security-Policy"], path


@pytest.fixture
def site_port(server):
    """The port of a site on this machine that shows the app in a frame."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(f'<iframe src="{server}/?embed=true"></iframe>'.encode())

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as site:
        threading.Thread(target=site.serve_forever, args=(0.02,), daemon=True).start()
        yield site.server_port
        site.shutdown()


def test_a_site_that_the_setting_names_can_frame_the_app_and_no_other(visit, expect, site_port):
    page = visit("/").page
    page.goto(f"http://localhost:{site_port}")
    expect(page.frame_locator("iframe").locator("h1")).to_be_visible()
    with page.expect_event("console", lambda message: "frame-ancestors" in message.text):
        page.goto(f"http://127.0.0.1:{site_port}")
