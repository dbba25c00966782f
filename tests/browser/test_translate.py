"""Dates in a real browser: typing, stepping, links, files. Numbers are compared with the shipped checkpoint's own."""

import csv
import io
import pathlib
import re
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from seqdemo.data import dates
from seqdemo.serve import translate

PRETRAINED = pathlib.Path(__file__).parents[2] / "pretrained"
ANSWER = ".tile"


@pytest.fixture(scope="module")
def model():
    from seqdemo.checkpoints import translator

    return translator.load(PRETRAINED / translate.ATTENTION)


def opened(visit, expect, path="/translate", **settings):
    found = visit(path, **settings)
    expect(found.page.locator(ANSWER).first).to_be_visible()  # a busy machine takes its time
    return found


def written(page):
    return [tile.split("\n")[0] for tile in page.locator(ANSWER).all_inner_texts()]


def number(text):
    return float(text.replace("\u2212", "-").replace("\u00a0%", ""))


def strip(page, name):
    return [number(text) for text in page.locator(f"[data-strip={name}] .cell").all_inner_texts()]


def type_in(page, expect, text):
    """Types a text key by key and waits for its answer."""
    box = page.get_by_label("A date, written in English or in numbers")
    box.fill("")
    box.press_sequentially(text)
    expect(page.locator(".scroller text.read")).to_have_text(list(text.replace(" ", "\u2423")))
    return box


def test_the_answer_appears_as_one_types_and_needs_no_other_machine(visit, expect, model):
    found = opened(visit, expect)
    box = type_in(found.page, expect, "3 mar 87")
    expected = model.translate("3 mar 87", width=translate.DEFAULT_WIDTH)
    assert written(found.page) == [character or "end" for character in expected.characters]
    expect(box).to_be_focused()
    expect(box).to_have_value("3 mar 87")
    assert all(urlsplit(url).hostname == "127.0.0.1" for url in found.requests if url.startswith("http"))
    assert found.complaints == []


def test_an_edit_and_another_beam_cost_no_rerun(visit, said_to_python, expect):
    page = opened(visit, expect).page
    said = said_to_python(page)
    type_in(page, expect, "4 May 99")
    page.get_by_role("combobox", name="Search").select_option("3")
    expect(page.locator(".candidate")).to_have_count(3)
    assert said == []


def test_what_was_typed_stands_there_again_after_another_page(visit, expect):
    page = opened(visit, expect).page
    type_in(page, expect, "4 May 99")
    page.get_by_role("combobox", name="Search").select_option("3")
    page.get_by_role("link", name="Train", exact=True).click()
    expect(page).to_have_url(re.compile("/train"))
    page.get_by_role("link", name="Translate", exact=True).click()
    expect(page.get_by_label("A date, written in English or in numbers")).to_have_value("4 May 99")
    expect(page.locator(".scroller text.read")).to_have_count(8)
    expect(page.locator(".candidate")).to_have_count(3)


def test_every_number_of_a_step_is_the_recorded_one(visit, expect, model):
    text = "Tuesday 3.3.1987"
    page = opened(visit, expect, f"/translate?text={quote(text)}&step=6&beam=1&char=9").page
    expect(page.get_by_role("heading", name=re.compile("^Step 6 of"))).to_be_visible()
    page.get_by_role("button", name="All numbers of each strip").click()
    found = model.translate(text, width=1)
    signals, i, j = found.signals, 5, 8
    products = strip(page, "products")
    assert strip(page, "query") == pytest.approx(signals["query"][i].tolist(), abs=0.00501)
    assert strip(page, "key") == pytest.approx(signals["key"][j].tolist(), abs=0.00501)
    assert strip(page, "context") == pytest.approx(signals["context"][i].tolist(), abs=0.00501)
    assert strip(page, "encoder") == pytest.approx(signals["encoder"][j].tolist(), abs=0.00501)
    assert strip(page, "state") == pytest.approx(signals["state"][i + 1].tolist(), abs=0.00501)
    energy = float(signals["energy"][i, j])
    assert number(page.locator("[data-term=energy]").first.inner_text()) == pytest.approx(energy, abs=0.00501)
    assert sum(products) == pytest.approx(energy, abs=0.005 * len(products))
    weight = 100 * float(signals["attention"][i, j])
    assert number(page.locator("[data-term=weight]").inner_text()) == pytest.approx(weight, abs=0.00501)
    letters = [cell.split("\n") for cell in page.locator(".letter").all_inner_texts()]
    assert [number(parts[-1]) for parts in letters] == pytest.approx(
        (100 * signals["attention"][i]).tolist(), abs=0.00501
    )
    assert [number(parts[-2]) for parts in letters] == pytest.approx(signals["energy"][i].tolist(), abs=0.00501)
    best = page.locator(".chance .value").first.inner_text()
    assert number(best) == pytest.approx(100 * float(signals["probability"][i].max()), abs=0.00501)


def test_stepping_by_key_button_and_click_asks_the_server_nothing(visit, said_to_python, expect):
    page = opened(visit, expect, "/translate?text=3%20mar%2087&step=1").page
    where = page.locator(".where")
    expect(where).to_have_text(re.compile("^step 1 of"))
    page.locator(".formula h3").click()
    page.evaluate("() => document.activeElement.blur()")
    said, asked = said_to_python(page), []
    page.on("request", lambda request: "/api/" in request.url and asked.append(request.url))
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(where).to_have_text(re.compile("^step 3 of"))
    page.keyboard.press("End")
    expect(page.locator(f"{ANSWER}[aria-current]")).to_have_text(re.compile("end|[0-9-]"))
    page.keyboard.press("Home")
    expect(where).to_have_text(re.compile("^step 1 of"))
    page.get_by_role("button", name="Step forward").click()
    expect(where).to_have_text(re.compile("^step 2 of"))
    page.locator(ANSWER).nth(5).click()
    expect(where).to_have_text(re.compile("^step 6 of"))
    page.locator(".letter").nth(2).click()
    expect(page.locator(".letter").nth(2)).to_have_class(re.compile("now"))
    page.get_by_role("button", name="Play").click()
    expect(where).to_have_text(re.compile(r"^step (\d+) of \1$"))
    assert (said, asked) == ([], [])


def test_arrows_in_the_box_move_its_caret_and_not_the_decoder(visit, expect):
    page = opened(visit, expect, "/translate?step=4").page
    box = page.get_by_label("A date, written in English or in numbers")
    box.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Home")
    expect(page.locator(".where")).to_have_text(re.compile("^step 4 of"))


def test_the_address_opens_the_same_text_step_character_and_beam_again(visit, expect):
    page = opened(visit, expect).page
    type_in(page, expect, "1987, March the 3rd")
    page.get_by_role("combobox", name="Search").select_option("3")
    expect(page.locator(".candidate")).to_have_count(3)
    page.locator(ANSWER).nth(8).click()
    page.locator(".letter").nth(4).click()
    page.wait_for_url(re.compile("char=5"))
    query = parse_qs(urlsplit(page.url).query)
    assert query == {"text": ["1987, March the 3rd"], "beam": ["3"], "step": ["9"], "char": ["5"]}
    again = opened(visit, expect, f"{urlsplit(page.url).path}?{urlsplit(page.url).query}").page
    expect(again.get_by_label("A date, written in English or in numbers")).to_have_value("1987, March the 3rd")
    expect(again.locator(".where")).to_have_text(re.compile("^step 9 of"))
    expect(again.locator(".letter").nth(4)).to_have_class(re.compile("now"))
    assert written(again) == written(page)


def test_what_is_no_date_is_doubtful_and_nothing_breaks(visit, expect):
    found = opened(visit, expect)
    page = found.page
    for name in ("no date", "no such day"):
        page.get_by_role("button", name=name, exact=True).click()
        expect(page.locator(".verdict-line")).to_have_text(re.compile("^Doubtful"))
    box = page.get_by_label("A date, written in English or in numbers")
    box.fill("")
    expect(page.get_by_role("heading", name=re.compile("^Type a date, for example"))).to_be_visible()
    box.fill("\U0001f600 三月 <b>3</b>")
    expect(page.locator(".notice").first).to_contain_text("\U0001f600")
    box.fill("3 March 1987 " * 40)
    expect(page.locator(".notice").first).to_have_text(
        f"Only the first {dates.MAX_CHARACTERS} of 520 characters are read."
    )
    box.fill("3 March 1987")
    expect(page.locator(".verdict-line")).not_to_have_text(re.compile("^Doubtful"))
    assert found.complaints == []


def test_all_weights_can_be_saved_as_a_table_and_the_map_as_pictures(visit, expect, model):
    page = opened(visit, expect, "/translate?text=3%20mar%2087&beam=1").page
    with page.expect_download() as download:
        page.get_by_role("button", name="All weights as CSV").click()
    rows = list(csv.DictReader(io.StringIO(pathlib.Path(download.value.path()).read_text(encoding="utf-8-sig"))))
    found = model.translate("3 mar 87", width=1)
    assert [float(row["weight"]) for row in rows] == pytest.approx(found.signals["attention"].ravel().tolist())
    with page.expect_download() as download:
        page.get_by_role("button", name="Save picture (SVG)").click()
    assert b"<svg" in pathlib.Path(download.value.path()).read_bytes()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save picture (PNG)").click()
    assert pathlib.Path(download.value.path()).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280, 1920])
def test_nothing_scrolls_sideways_and_nothing_complains(visit, expect, width, theme):
    found = opened(visit, expect, viewport={"width": width, "height": 900}, color_scheme=theme)
    expect(found.page.get_by_role("heading", name="What it was taught, and when it doubts")).to_be_visible()
    widths = found.page.evaluate("() => [document.documentElement.scrollWidth, window.innerWidth]")
    assert widths[0] <= widths[1]
    frame = found.page.locator(ANSWER).last.bounding_box()
    assert frame["x"] + frame["width"] <= width
    assert found.complaints == []


def test_a_character_of_the_text_is_picked_from_the_keyboard(visit, expect):
    page = opened(visit, expect, f"/translate?text={quote('3 Mar 87')}&step=6&char=3").page
    letters = page.get_by_role("listbox", name="Character of your text whose numbers are shown").get_by_role("option")
    letters.nth(2).focus()
    page.keyboard.press("ArrowRight")
    expect(letters.nth(3)).to_be_focused()
    expect(letters.nth(3)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("heading", name=re.compile("^Step 7 of"))).to_be_visible()
    page.wait_for_url(lambda url: parse_qs(urlsplit(url).query).get("char") == ["4"])


def test_the_tiles_of_an_answer_keep_apart_on_a_phone(visit, expect):
    page = opened(visit, expect, viewport={"width": 390, "height": 844}).page
    boxes = page.locator(ANSWER).evaluate_all("tiles => tiles.map(tile => tile.getBoundingClientRect().toJSON())")
    assert len(boxes) > 10
    for k, one in enumerate(boxes):
        assert one["x"] >= 0
        assert one["x"] + one["width"] <= 390
        for other in boxes[k + 1 :]:
            beside = one["x"] + one["width"] <= other["x"] + 0.5 or other["x"] + other["width"] <= one["x"] + 0.5
            below = one["y"] + one["height"] <= other["y"] + 0.5 or other["y"] + other["height"] <= one["y"] + 0.5
            assert beside or below
