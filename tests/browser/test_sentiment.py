import contextlib
import pathlib
import re
import urllib.parse

import pytest

from seqdemo import ui
from seqdemo.models.registry import MODELS
from seqdemo.ui.shared.component import bundle
from seqdemo.ui.shared.examples import EXAMPLES

DESKTOP = {"viewport": {"width": 1280, "height": 800}}
PATH = "/sentiment"
UI = pathlib.Path(ui.__file__).parent
HOSTILE = "<img src=x onerror=alert(1)> <script>alert(2)</script> good"


def linked(text):
    return f"{PATH}?review={urllib.parse.quote(text)}"


def percents(page):
    """What the cards say, from the first model to the last."""
    return [page.locator(f"[data-model={name}] .percent").text_content() for name in MODELS]


@pytest.fixture(scope="module")
def server(cold_server):
    """One of this file's own: its first test is about one that has not loaded a model."""
    return cold_server


@pytest.fixture(scope="module")
def wait(expect):
    """Waits until five verdicts and the curves of a page are there, in letters of their own size."""

    def wait(page):
        for name in MODELS:
            expect(page.locator(f"[data-model={name}] .percent")).to_have_text(re.compile(r"^\d+\s%$"))
        expect(page.locator(".where")).to_contain_text("After word")
        page.evaluate("document.fonts.ready.then(() => true)")  # or what is measured may still move

    return wait


def test_a_deep_link_to_a_cold_server_answers_by_itself_and_only_asks_this_machine(ready, expect):
    visited = ready()
    expect(visited.page.get_by_label("Review", exact=True)).to_have_value(EXAMPLES[0].text)
    expect(visited.page.locator(".title")).not_to_be_empty()
    hosts = {urllib.parse.urlsplit(url).hostname for url in visited.requests if not url.startswith(("data:", "blob:"))}
    assert hosts == {"127.0.0.1"}
    assert visited.complaints == []


def test_a_negation_typed_letter_by_letter_changes_five_answers_without_a_click(ready, expect):
    visited = ready(linked("This film is good"))
    page = visited.page
    box = page.get_by_label("Review", exact=True)
    box.focus()
    page.keyboard.press("Control+End")
    for _ in "good":
        page.keyboard.press("ArrowLeft")
    seen = [percents(page)]
    for n_words, word in enumerate(("not ", "even ", "remotely "), start=5):
        page.keyboard.type(word, delay=60)
        expect(page.locator(".note")).to_contain_text(f"{n_words} words")
        seen.append(percents(page))
    for name, answers in zip(MODELS, zip(*seen, strict=True), strict=True):
        assert len(set(answers)) > 1, f"{name} stayed at {answers[0]}"
        expect(page.locator(f"[data-model={name}] .delta")).to_contain_text("since the last edit")
    expect(box).to_be_focused()
    expect(box).to_have_value("This film is not even remotely good")
    assert box.evaluate("box => [box.selectionStart, box.selectionEnd]") == [31, 31]
    expect(page.locator(".where")).to_contain_text("of 7:")
    assert box.evaluate("box => box.selectionStart") == 31
    page.keyboard.press("Control+z")
    expect(box).not_to_have_value("This film is not even remotely good")
    assert visited.complaints == []


def test_the_last_letters_of_fast_typing_are_the_ones_that_count(ready, expect):
    page = ready().page
    page.get_by_label("Review", exact=True).fill("")
    page.get_by_label("Review", exact=True).press_sequentially(
        "one two three four five six seven eight nine ten eleven", delay=15
    )
    expect(page.locator(".note")).to_contain_text("11 words")
    expect(page.locator(".where")).to_contain_text("of 11:")


def test_letters_of_an_unfinished_composition_are_not_sent(ready, expect):
    page = ready(linked("good")).page
    page.get_by_label("Review", exact=True).focus()
    page.keyboard.press("Control+End")
    keyboard = page.context.new_cdp_session(page)
    keyboard.send("Input.imeSetComposition", {"text": " very", "selectionStart": 5, "selectionEnd": 5})
    expect(page.get_by_label("Review", exact=True)).to_have_value("good very")
    page.evaluate("new Promise(done => setTimeout(done, 600))")
    assert page.locator(".note").text_content().startswith("1 word")
    keyboard.send("Input.insertText", {"text": " very"})
    expect(page.locator(".note")).to_contain_text("2 words")
    expect(page.get_by_label("Review", exact=True)).to_have_value("good very")


def test_an_example_replaces_the_review_at_once(ready, expect):
    page = ready().page
    for example in EXAMPLES[1:]:
        page.get_by_role("button", name=example.kind, exact=True).click()
        expect(page.get_by_label("Review", exact=True)).to_have_value(example.text)
    expect(page.locator(".note")).to_contain_text("words")
    expect(page.locator(".frame.stale")).to_have_count(0)
    expect(page.locator(".where")).to_contain_text("After word")


def test_the_address_follows_the_review_and_opens_it_again(ready, expect):
    page = ready().page
    text = "Gr\u00f6\u00dfer & better? 100% + #1 \U0001f600\nsecond line"
    page.get_by_label("Review", exact=True).fill(text)
    page.wait_for_url("**/sentiment?review=*")
    link = page.url.removeprefix(page.evaluate("location.origin"))
    page.reload()
    expect(page.get_by_label("Review", exact=True)).to_have_value(text)
    other = ready(link).page
    expect(other.get_by_label("Review", exact=True)).to_have_value(text)


def test_an_example_that_was_chosen_is_in_the_address_also_where_it_stood_there_already(ready, expect):
    page = ready().page
    expect(page.get_by_label("Review", exact=True)).to_have_value(EXAMPLES[0].text)
    page.get_by_role("button", name=EXAMPLES[0].kind, exact=True).click()
    page.wait_for_url("**/sentiment?review=*")


def test_copy_link_copies_the_address_of_this_review(ready, expect):
    page = ready(permissions=["clipboard-read", "clipboard-write"]).page
    page.get_by_label("Review", exact=True).fill("Copied, not lost")
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_text("Link copied.")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert urllib.parse.parse_qs(urllib.parse.urlsplit(copied).query)["review"] == ["Copied, not lost"]


def test_without_a_clipboard_the_link_stands_selected_in_a_field(ready, expect):
    page = ready(linked("by hand")).page
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    before = page.locator(".cards").bounding_box()
    page.get_by_role("button", name="Copy link").click()
    field = page.get_by_label("Link to copy")
    expect(field).to_be_focused()
    assert page.locator(".cards").bounding_box() == before
    assert field.evaluate("field => field.value.slice(field.selectionStart, field.selectionEnd)").endswith(
        "/sentiment?review=by+hand"
    )


def test_a_review_too_long_for_a_link_gets_a_sentence(ready, expect):
    page = ready().page
    page.get_by_label("Review", exact=True).fill("good " * 401)
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_text("This review has 2,005 characters; a link holds up to 2,000.")).to_be_visible()
    expect(page.locator(".notice")).to_contain_text("The models read the first 128 and the last 272 of 401 words")


def test_markup_in_a_review_stays_text(ready, expect):
    visited = ready(linked(HOSTILE))
    page = visited.page
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    expect(page.get_by_label("Review", exact=True)).to_have_value(HOSTILE)
    page.get_by_text("Data as a table").click()
    expect(page.locator("tbody tr")).not_to_have_count(0)
    page.get_by_label("Review", exact=True).press_sequentially("!")
    expect(page.locator("img[src=x]")).to_have_count(0)
    assert dialogs == []
    assert visited.complaints == []


def test_an_empty_box_invites_and_is_no_error(ready, expect):
    page = ready().page
    height = page.locator(".cards").bounding_box()["height"]
    page.get_by_label("Review", exact=True).fill("")
    expect(page.locator(".note")).to_have_text("Write a sentence about a film, or try an example.")
    expect(page.locator("[data-model=lstm] .percent")).to_have_text("\u2013")
    assert page.locator(".cards").bounding_box()["height"] == height
    page.get_by_label("Review", exact=True).fill("good")
    expect(page.locator("[data-model=lstm] .percent")).to_contain_text("%")
    assert page.locator(".cards").bounding_box()["height"] == height


def test_the_cursor_of_the_curves_goes_by_keyboard(ready, expect):
    page = ready(linked("one two three four")).page
    cursor = page.get_by_role("slider", name="Word at the cursor")
    cursor.focus()
    for key, word in (("Home", "one"), ("ArrowRight", "two"), ("End", "four"), ("ArrowLeft", "three")):
        page.keyboard.press(key)
        expect(page.locator(".where strong")).to_have_text(word)
    expect(cursor).to_have_attribute("aria-valuetext", re.compile(rf"^three([^%]+%){{{len(MODELS)}}}$"))


def test_the_review_is_still_there_after_a_visit_to_another_page(ready, expect):
    page = ready().page
    page.get_by_label("Review", exact=True).fill("Kept while away")
    expect(page.locator(".note")).to_contain_text("3 words")
    page.get_by_role("link", name="Overview").first.click()
    expect(page.get_by_label("Review", exact=True)).to_have_count(0)
    page.get_by_role("link", name="Live sentiment").first.click()
    expect(page.get_by_label("Review", exact=True)).to_have_value("Kept while away")
    page.get_by_label("Review", exact=True).press_sequentially(" x")
    expect(page.locator(".note")).to_contain_text("4 words")


# As Streamlit does: what newer data overtook while the file was loading is ended after it was drawn.
OVERTAKEN = """async ([source, data]) => {
  const draw = (await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })))).default
  const call = () => draw({ data: [data], parentElement: document.body })
  const end = call()
  end()
  call()
  end()
  call()
}"""
ASKED = {"text": "good", "token": "", "models": {}}
DRAWN = {
    "shared/js/review_box": ASKED | {"examples": [{"kind": "Plain", "text": "good"}]},
    "sentiment/verdicts": ASKED
    | {"lead": "", "cards": [{"name": "lstm", "label": "LSTM", "colour": "#000", "dash": ""}]},
    "sentiment/curves": ASKED | {"title": "After each word"},
}


@pytest.mark.parametrize("name", DRAWN)
def test_a_call_that_was_overtaken_ends_nothing_of_what_is_on_screen(chromium, expect, name):
    page = chromium.new_page()
    page.evaluate(OVERTAKEN, [bundle(UI / f"{name}.js"), DRAWN[name]])
    expect(page.locator(".frame")).to_have_count(1)
    assert page.locator(".card").count() == (1 if name.endswith("verdicts") else 0)
    page.close()


def test_typing_costs_no_rerun(ready, said_to_python, expect):
    page = ready().page
    said = said_to_python(page)
    page.get_by_label("Review", exact=True).fill("A film that nobody needs")
    expect(page.locator(".note")).to_contain_text("5 words")
    expect(page.locator(".where")).to_contain_text("of 5:")
    assert said == []


def test_a_server_that_is_busy_says_so_and_is_asked_again(ready, expect):
    page = ready().page
    busy = {"status": 503, "headers": {"retry-after": "1"}, "json": {"detail": "Too many texts wait. Next in 1 s."}}
    page.route("**/api/v1/verdicts", lambda route: route.fulfill(**busy))
    page.get_by_label("Review", exact=True).fill("nothing but good")
    expect(page.locator(".note")).to_have_text("Too many texts wait. Next in 1 s.")
    expect(page.locator(".frame.stale .cards")).to_be_visible()
    page.unroute("**/api/v1/verdicts")  # it is busy until that was seen, however long that takes
    expect(page.locator(".note")).to_contain_text("3 words")
    expect(page.locator(".frame.stale .cards")).to_have_count(0)


def test_a_late_answer_to_an_earlier_text_is_never_shown(ready, expect):
    page = ready().page
    held = []

    def late(route):
        if route.request.post_data_json["text"] == "one":
            held.append(route)
        else:
            route.continue_()

    page.route("**/api/v1/verdicts", late)
    with page.expect_request(lambda asked: "/verdicts" in asked.url and asked.post_data_json["text"] == "one"):
        page.get_by_label("Review", exact=True).fill("one")
    page.get_by_label("Review", exact=True).fill("one two")
    expect(page.locator(".note")).to_contain_text("2 words")
    assert held
    for route in held:
        with contextlib.suppress(Exception):  # given up by the page
            route.continue_()
    expect(page.locator(".note")).to_contain_text("2 words")


def test_what_was_typed_a_moment_ago_is_there_on_the_next_page(ready, expect):
    page = ready().page
    page.get_by_label("Review", exact=True).fill("Typed and gone at once")
    page.get_by_role("link", name="Overview").first.click()
    page.get_by_role("link", name="Live sentiment").first.click()
    expect(page.get_by_label("Review", exact=True)).to_have_value("Typed and gone at once")


def test_the_cards_stay_where_they_are_when_a_review_is_cut(ready, expect):
    page = ready().page
    before = page.locator(".cards").bounding_box()
    page.get_by_label("Review", exact=True).fill("good " * 12_000)
    expect(page.locator(".notice")).to_have_count(2)
    page.get_by_label("Review", exact=True).fill("good film " * 2_000)
    expect(page.locator(".notice")).to_have_count(1)
    assert page.locator(".cards").bounding_box() == before


def test_review_verdicts_and_the_beginning_of_the_chart_are_seen_together(ready):
    page = ready().page
    assert page.locator(".plot").bounding_box()["y"] < DESKTOP["viewport"]["height"] - 80


def test_nothing_scrolls_sideways_on_a_phone(ready):
    page = ready(viewport={"width": 390, "height": 844}, has_touch=True).page
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    inside = page.locator("[data-testid=stMain]").evaluate("main => main.scrollWidth <= main.clientWidth")
    assert inside


def test_a_scored_table_and_what_is_typed_meanwhile_both_stay_in_the_address(ready, expect, tmp_path):
    table = tmp_path / "reviews.csv"
    table.write_text("text\nGood.\nBad.\n", encoding="utf-8")
    page = ready(linked("This film is good")).page
    page.get_by_text("Score a table of reviews").click()
    page.locator("input[type=file]").set_input_files(table)
    start = page.get_by_role("button", name="Score 2 reviews")
    expect(start).to_be_visible()
    page.get_by_label("Review", exact=True).fill("This film is bad")
    page.wait_for_url(re.compile(r"review=This\+film\+is\+bad"))
    start.click()
    expect(page.get_by_role("button", name="Download reviews_scored.csv")).to_be_visible()
    page.wait_for_url(re.compile(r"table="))
    assert "This film is bad" in urllib.parse.unquote_plus(page.url)
    page.reload()
    expect(page.get_by_role("button", name="Download reviews_scored.csv")).to_be_visible()
    expect(page.get_by_label("Review", exact=True)).to_have_value("This film is bad")
    page.locator("input[type=file]").set_input_files(table)  # another upload: the table's link goes, the rest stays
    page.wait_for_url(re.compile(r"sentiment\?review=This\+film\+is\+bad$"))
