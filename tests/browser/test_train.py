"""The train page in a real Chromium: curves that grow without a click, other pages meanwhile, a result in use."""

import re
import urllib.parse
import zipfile

import pytest

from seqdemo.data import grammar
from seqdemo.runs.limits import Limits

DESKTOP = {"viewport": {"width": 1280, "height": 800}}
PATH = "/train"
SMALL = {"samples": 600, "distance": 6, "d_hidden": 8, "d_embed": 8, "models": "rnn,lstm"}
LONG = {"samples": 10_000, "batch_size": 8, "models": "lstm", "vary": "epochs"}
"""A hundred epochs take minutes: such a run goes on while a busy machine gets to what is tried of it."""


@pytest.fixture(scope="module")
def server(cold_server):
    """One of this file's own: its runs are the only ones, and those that go on end with it."""
    return cold_server


def link(**settings):
    return f"{PATH}?{urllib.parse.urlencode({**SMALL, **settings})}"


@pytest.fixture
def opened(visit, expect):
    """Opens the page and waits until the form stands there."""

    def open_(path=PATH, **settings):
        visited = visit(path, **(settings or DESKTOP))
        expect(visited.page.get_by_label("1 · What to learn")).to_be_visible()
        return visited

    return open_


def epoch(page):
    found = re.search(r"poch ([\d.]+) of", page.locator(".bar .where").text_content())
    return float(found[1])


def wait_for_epoch(page, least):
    page.wait_for_function(
        """(least) => [...document.querySelectorAll("*")].some((node) => {
          const words = node.shadowRoot?.querySelector(".bar .where")?.textContent.match(/poch ([\\d.]+) of/)
          return words && Number(words[1]) >= least
        })""",
        arg=least,
        timeout=240_000,
    )


def test_two_runs_grow_survive_a_change_of_page_and_one_is_used(opened, expect):
    visited = opened(link(**LONG, values="100,4"))  # one is long, one ends soon
    page = visited.page
    page.get_by_role("button", name="Start 2 runs").click()
    wait_for_epoch(page, 1)
    expect(page.locator(".bar .where")).to_be_in_viewport()  # although the button stands far below
    seen = epoch(page)
    wait_for_epoch(page, seen + 1)  # without a click

    page.get_by_role("link", name="Memory", exact=True).click()
    expect(page.get_by_role("heading", name="Why")).to_be_visible()
    page.get_by_role("link", name="Train", exact=True).click()
    wait_for_epoch(page, seen)
    expect(page.get_by_label("Compare these values")).to_have_value("100, 4")

    page.wait_for_url(re.compile("runs="))
    runs = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(page.url).query))["runs"].split(",")
    assert len(runs) == 2
    page.locator(f".st-key-train_stop_{runs[0]} button").first.click()
    expect(page.locator(f".st-key-train_again_{runs[0]} button").first).to_be_visible(timeout=240_000)
    expect(page.locator(f".st-key-train_again_{runs[1]} button").first).to_be_visible(timeout=240_000)
    expect(page.locator(".bar .where")).to_have_text(re.compile("^Epoch"))

    page.get_by_label("Name", exact=True).fill("Small one")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved as Small one")).to_be_visible()
    page.get_by_role("button", name="Use on Live sentiment").click()
    expect(page.get_by_text("Small one (").first).to_be_visible()
    expect(page).to_have_url(re.compile("/sentiment"))
    assert visited.complaints == []


def test_the_link_finds_a_run_again_and_another_visitor_sees_it_by_link_only(opened, expect):
    page = opened(link(epochs=2, models="gru")).page
    page.get_by_role("button", name="Start training").click()
    page.wait_for_url(re.compile("runs="))
    wait_for_epoch(page, 2)
    address = page.url
    page.reload()
    wait_for_epoch(page, 2)
    expect(page.get_by_label("Name", exact=True)).to_be_visible()  # still theirs
    page.goto(urllib.parse.urlsplit(address)._replace(query="embed=true&review=good").geturl())
    wait_for_epoch(page, 2)  # also without its link
    page.wait_for_url(re.compile("runs="))
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(page.url).query))
    assert (query["embed"], query["review"]) == ("true", "good"), "what is not this page's stays in the address"
    other = opened(urllib.parse.urlsplit(address)._replace(scheme="", netloc="").geturl()).page
    wait_for_epoch(other, 2)
    expect(other.get_by_text("you can use and download it, but not name it")).to_be_visible()
    expect(other.get_by_label("Name", exact=True)).to_have_count(0)
    stranger = opened(link(epochs=3)).page
    expect(stranger.get_by_role("button", name="Again")).to_have_count(0)


def test_playing_and_scrubbing_ask_the_server_nothing(opened, expect):
    visited = opened(link(epochs=4, models="lstm", seed=3))
    page = visited.page
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_role("button", name="New seed")).to_be_visible(timeout=240_000)
    expect(page.locator(".bar .where")).to_have_text("Epoch 4.0 of 4")
    page.get_by_label("Epoch", exact=True).fill("2")
    expect(page.locator(".bar .where")).to_have_text("Epoch 2.0 of 4")
    expect(page.get_by_text("after epoch 2")).to_be_visible()
    page.get_by_role("button", name="Play", exact=True).click()
    expect(page.locator(".bar .where")).to_have_text("Epoch 4.0 of 4")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    taken = {}
    for button, file_name in (("PNG", "training.png"), ("Curves as CSV", "curves.csv"), ("Table as CSV", "runs.csv")):
        with page.expect_download() as download:
            page.get_by_role("button", name=re.compile(f"(^|\\s){button}$")).click()
        assert download.value.suggested_filename == file_name
        taken[button] = download.value.path().read_bytes()
    assert taken["PNG"].startswith(b"\x89PNG")
    assert b"validation_accuracy" in taken["Curves as CSV"]
    assert b"test_accuracy" in taken["Table as CSV"]
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as ZIP").click()
    assert zipfile.is_zipfile(download.value.path())
    assert visited.complaints == []


def test_what_a_model_writes_is_seen_after_every_epoch(opened, expect):
    visited = opened(link(task="next_word", models="gru", length=12, epochs=2, learning_rate=0.01))
    page = visited.page
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_role("button", name="New seed")).to_be_visible(timeout=240_000)
    expect(page.get_by_role("heading", name="What they write after epoch 2")).to_be_visible()
    about = page.locator(".sample .about")
    expect(about).to_have_text(re.compile(r"^perplexity [\d.]+, \d+ of \d+ verbs agree$"))
    written = page.locator(".sample .text").text_content()
    assert set(written.replace(".", "").rstrip(" …").split()) <= set(grammar.WORDS)
    expect(page.locator(".plot .note").get_by_text("the grammar itself")).to_be_visible()
    page.get_by_label("Epoch", exact=True).fill("0")
    expect(page.get_by_role("heading", name="What they write before training")).to_be_visible()
    expect(page.locator(".sample .text")).not_to_have_text(written)
    expect(page.get_by_text("what was learned shows in what it writes")).to_be_visible()
    assert visited.complaints == []


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 800), (1920, 1080)])
def test_nothing_scrolls_sideways(opened, expect, width, height):
    page = opened(link(epochs=2), viewport={"width": width, "height": height}).page
    expect(page.get_by_role("button", name="Start 2 runs")).to_be_visible()
    widths = page.evaluate(
        "[document.documentElement.scrollWidth, document.querySelector('[data-testid=stMain]').scrollWidth]"
    )
    assert max(widths) <= width


def test_twenty_clicks_in_a_second_start_no_more_runs_than_one_visitor_may_have(cold_runs, opened, expect):
    # The last test of this module: what it starts ends with the server.
    visited = opened(link(**LONG, values="100,99,98"))
    page = visited.page
    root = cold_runs
    before = len(list(root.iterdir()))

    def click_often(label):
        expect(page.get_by_role("button", name=label)).to_be_enabled()
        page.evaluate(
            """async (label) => {
              for (let n = 0; n < 20; n += 1) {
                const buttons = [...document.querySelectorAll("button")]
                buttons.find((button) => button.textContent.includes(label)).click()
                await new Promise((resolve) => setTimeout(resolve, 40))
              }
            }""",
            label,
        )

    stops = page.locator("[class*=st-key-train_stop_]")
    click_often("Start 3 runs")
    expect(stops).to_have_count(3)
    page.get_by_role("button", name="Start 3 runs").click()  # a busy server may have taken all twenty for one
    expect(page.get_by_text("These runs are under way already; stop them first")).to_be_visible()
    assert len(list(root.iterdir())) == before + 3

    page.get_by_label("Compare these values").fill("97, 96")
    page.get_by_label("Compare these values").press("Enter")
    click_often("Start 2 runs")  # room for one of the two
    refused = re.compile("You have 4 runs that have not ended; stop one of them first|These runs are under way already")
    expect(page.get_by_text(refused)).to_be_visible()
    expect(stops).to_have_count(1)
    assert len(list(root.iterdir())) == before + Limits().max_each

    stops.locator("button").click()
    expect(page.get_by_role("button", name="New seed")).to_be_visible()
    assert visited.complaints == []
