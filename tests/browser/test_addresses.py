"""What was changed on a page stands in its address, and opens again from it, on a server that nobody has visited."""

import re
import time
from urllib.parse import parse_qs, urlsplit

import pytest

DESKTOP = {"viewport": {"width": 1280, "height": 900}}
WAIT_S = 120
CONTROLS = """() => {
    const found = []
    const valueOf = node => {
        if (node.matches("input[type=radio], input[type=checkbox]")) return String(node.checked)
        if (node.matches("input:not([type=file]), select, textarea")) return node.value
        if (node.matches("h2, h3")) return node.textContent
        for (const name of ["aria-pressed", "aria-checked", "aria-valuenow", "aria-current"]) {
            if (node.hasAttribute(name)) return node.getAttribute(name)
        }
        return null
    }
    const nameOf = node => (node.getAttribute("aria-label") ?? node.labels?.[0]?.textContent ?? node.textContent).trim()
    const visit = node => {
        if (node.shadowRoot) visit(node.shadowRoot)
        for (const child of node.children ?? []) {
            const value = valueOf(child)
            const isShown = child.checkVisibility({ visibilityProperty: true })
            if (value !== null && isShown) found.push([nameOf(child), value])
            visit(child)
        }
    }
    visit(document.querySelector("[data-testid=stMain]"))
    return found
}"""
"""Name and value of every control and heading of the page that is visible; headings say what was found."""


def change_sentiment(page, expect):
    page.get_by_role("textbox", name="Review").fill("I expected to be bored. I was not, not for one minute.")
    cursor = page.get_by_role("slider", name="Word at the cursor")
    expect(cursor).to_have_attribute("aria-valuemax", "15")
    cursor.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")


def change_stepper(page, expect):
    page.get_by_text("Change the text").click()
    page.get_by_role("textbox", name="Review").fill("I liked the first half, not the second.")
    expect(page.locator(".transport .where")).to_have_text(re.compile("of 10$"))
    page.get_by_text("Change the text").click()  # what is folded is in no address
    page.get_by_label("Left model").select_option("gru")
    page.get_by_label("Right model").select_option("bilstm")
    expect(page.get_by_label(re.compile("^Unit of the BiLSTM"))).to_have_count(2)
    for unit, field in zip("357", page.get_by_label(re.compile("^Unit of the ")).all(), strict=True):
        field.fill(unit)
        field.press("Tab")
    page.get_by_role("button", name="To start", exact=True).click()
    page.get_by_role("button", name="Step forward", exact=True).click()
    page.get_by_label("Cell", exact=True).select_option("gru")
    page.get_by_label("Unit drawn").select_option("2")
    page.get_by_role("button", name="Next", exact=True).click()
    page.get_by_label("Input of step 2").fill("-1.25")
    page.get_by_label("n2 bh", exact=True).fill("0.3")


def change_attention(page, expect):
    page.get_by_label("Layer", exact=True).select_option("2")
    page.get_by_label("Head", exact=True).select_option("all (mean)")
    page.get_by_role("button", name="Two columns").click()
    page.get_by_role("listbox").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.get_by_label("Each row on its own scale").check()
    page.get_by_role("radio", name="All five").click()
    page.wait_for_url("**explained=*")
    page.get_by_role("radio", name="Leave one word out").click()
    page.wait_for_url("**explained_by=*")


def change_memory(page, expect):
    page.get_by_role("radio", name="Yours").click()
    page.get_by_label("Your opinion, in one sentence").fill("I liked the plot very much")
    page.get_by_role("button", name="Measure it").click()
    page.wait_for_url("**sentence=*")
    page.get_by_role("radio", name="GRU", exact=True).first.click()
    page.wait_for_url("**matrix=*")
    page.get_by_role("radio", name="Parity").click()
    page.wait_for_url("**reach=*")
    page.get_by_label("Word", exact=True).select_option("5")
    page.get_by_role("button", name="Replace", exact=True).click()
    page.get_by_label("Put there").fill("boring")


def change_translate(page, expect):
    page.get_by_label("A date, written in English or in numbers").fill("21 Febuary 2024")
    page.locator("select.model").select_option("3")
    expect(page.locator(".scroller text.read")).to_have_count(15)
    expect(page.locator(".candidate")).to_have_count(3)
    page.get_by_role("button", name=re.compile("^Step 3: ")).click()


def change_write(page, expect):
    page.get_by_role("textbox", name="Beginning").fill("The plot is thin, but")
    expect(page.get_by_role("button", name=re.compile("^Take “the”.*LSTM")).first).to_be_visible()
    for name, value in (("Temperature", "0.5"), ("Top-k", "20"), ("Top-p", "0.9")):
        page.get_by_label(name, exact=True).select_option(value)
    for name, value in (("Words", "12"), ("Seed", "7")):
        page.get_by_label(name, exact=True).fill(value)
        page.get_by_label(name, exact=True).press("Tab")
    page.get_by_role("button", name="Write on").click()
    expect(page.locator(".where")).to_have_text("word 12 of 12")
    page.get_by_role("button", name="Step back").click()


def change_train(page, expect):
    page.get_by_role("slider", name="Epoch", exact=True).fill("2.5")
    page.get_by_role("button", name="GRU", exact=True).click()
    closely = page.get_by_role("radiogroup", name="Run", exact=True).get_by_role("radio")
    closely.and_(page.locator("[aria-checked=false]")).first.click()


PAGES = {
    "sentiment": (change_sentiment, set()),
    "stepper": (change_stepper, set()),
    "attention": (change_attention, {"Word marked in all rows"}),
    "memory": (change_memory, set()),
    "translate": (change_translate, set()),
    "write": (change_write, {"Word of the text"}),
    "train": (change_train, set()),
}
"""Page → how all of it is changed, and the controls that follow the pointer, which no link holds."""


def controls(page, but):
    return [(name, value) for name, value in page.evaluate(CONTROLS) if name not in but]


@pytest.fixture
def opened(visit, settled):
    """Opens a page and waits until it stands still: (page, its controls)."""

    def open_(path, but):
        visited = visit(path, **DESKTOP)
        return visited.page, settled(visited.page, but)

    return open_


@pytest.fixture
def settled(busy):
    """Gives the controls of a page once they stay as they are."""

    def wait(page, but):
        deadline, before, since = time.monotonic() + WAIT_S, None, time.monotonic()
        while time.monotonic() < deadline:
            page.wait_for_timeout(250)
            now = controls(page, but)
            if now != before or busy(page).count() or not now:
                before, since = now, time.monotonic()
            elif time.monotonic() - since > 2:
                return now
        raise AssertionError(f"The page does not come to rest: {before}")

    return wait


def test_a_heading_in_the_address_is_scrolled_to_on_a_server_that_nobody_has_visited(visit, cold_server, expect):
    page = visit("/", **DESKTOP).page
    page.goto(f"{cold_server}/stepper#hand")
    expect(page.locator(".transport .where")).to_have_text(re.compile("^word "))  # all above has come
    expect(page.get_by_role("heading", name="Work it out by hand")).to_be_in_viewport()


@pytest.mark.parametrize("name", PAGES)
def test_every_control_opens_again_from_the_address_on_a_server_that_nobody_has_visited(
    name, opened, settled, cold_server, expect
):
    change, but = PAGES[name]
    page, usual = opened(f"/{name}", but)
    change(page, expect)
    wanted = settled(page, but)
    assert wanted != usual
    query = urlsplit(page.url).query
    again = page.context.new_page()
    again.goto(f"{cold_server}/{name}?{query}")
    deadline = time.monotonic() + WAIT_S
    while (found := settled(again, but)) != wanted and time.monotonic() < deadline:
        wanted = settled(page, but)  # a finding may have come late to either
    assert found == wanted
    assert parse_qs(urlsplit(again.url).query) == parse_qs(query)
    expect(again.get_by_text("The address asks for")).to_have_count(0)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("sentiment?word=99", "The address asks for word “99”; it can be 1 to 42."),
        ("sentiment?own=none", "A model of one's own that this link names is not here any more"),
        ("sentiment?table=none", "That table is not kept any more."),
        ("stepper?left=bert", "The address asks for left “bert”; it can be one of rnn, gru, lstm, bilstm, lm-rnn, "),
        ("stepper?right_unit=5000", "The address asks for right_unit “5000”; it can be 1 to 384."),
        ("stepper?token=0", "The address asks for token “0”; it can be 1 to "),
        ("stepper?hand=lstm-3-1", "The address asks for hand “lstm-3-1”; it can be a cell, a unit and a step"),
        ("stepper?hand_numbers=1,2", "The address asks for hand_numbers “1,2”; it can be 37 numbers for the LSTM."),
        ("attention?layer=99", "The address asks for layer “99”; it can be 1 to "),
        ("attention?view=<b>", "The address asks for view “<b>”; it can be one of map, columns."),
        ("attention?scale=large", "The address asks for scale “large”; it can be one of own."),
        ("memory?edit=shout", "The address asks for edit “shout”; it can be one of delete, negate, replace."),
        ("memory?reach=far", "The address asks for reach “far”; it can be one of "),
        ("translate?text=3+mar+87&step=99", "The address asks for step “99”; it can be 1 to 11."),
        ("translate?text=3+mar+87&beam=7", "The address asks for beam “7”; it can be one of 1, 3, 5, 10."),
        ("write?temperature=3", "The address asks for temperature “3”; it can be one of 0, 0.1, "),
        ("write?words=81", "The address asks for words “81”; it can be 1 to 80."),
        (
            "write?written=yes&words=3&branches=lstm-2-3-1-9",
            "asks for branches “lstm-2-3-1-9”; it can be a model",
        ),
        ("write?written=yes&words=3&step=9", "The address asks for step “9”; it can be 1 to 3."),
        ("train?preset=none", "The address asks for preset “none”; it can be one of "),
        ("train?epoch=99", "The address asks for epoch “99”; it can be 0 to "),
    ],
)
def test_what_an_address_asks_for_and_cannot_be_is_said(visit, expect, path, said):
    visited = visit(f"/{path}", **DESKTOP)
    expect(visited.page.get_by_text(said).first).to_be_visible()
    assert visited.complaints == []
