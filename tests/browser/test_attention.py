import csv
import functools
import pathlib
import re
import urllib.parse

import numpy as np
import pytest

from seqdemo.checkpoints import folder
from seqdemo.explain import rollout
from seqdemo.ui.attention.attention import DEFAULT, NAME

DESKTOP = {"viewport": {"width": 1280, "height": 800}}
PATH = "/attention"
PRETRAINED = pathlib.Path(__file__).parents[2] / "pretrained"
MINUS = "\u2212"
LONG = " ".join(f"the film was good and the plot was dull , part {k} ." for k in range(1, 9))  # over 50 words


def link(**query):
    return f"{PATH}?{urllib.parse.urlencode(query)}"


@functools.cache
def model():
    return folder.load(PRETRAINED / NAME)


@functools.cache
def traced(text=DEFAULT.text):
    return model().trace(text)


def weights(layer, head, text=DEFAULT.text):
    """Attention of one head, counted from 1, (query, key)."""
    return traced(text).signals["attention"][layer - 1, head - 1]


def numbers(texts):
    """What is printed, as numbers; per cents as shares."""
    return [
        float(text.replace(MINUS, "-").replace("\u00a0%", "").replace("+ ", "")) / (100 if "%" in text else 1)
        for text in texts
    ]


def thumb(page, layer, head):
    return page.get_by_role("button", name=re.compile(f"^Layer {layer}, head {head}:"))


def place(page):
    return page.locator(".views h3")


@pytest.fixture(scope="module")
def wait(expect):
    """Waits until the formula of a page has its numbers."""

    def wait(page):
        expect(page.locator(".scores tbody tr").first).to_be_visible()

    return wait


def settle(page, ms=800):
    """Longer than the page waits before it writes the address: what is sent late would be sent by then."""
    page.evaluate(f"new Promise(done => setTimeout(done, {ms}))")


def test_it_opens_on_a_finding_with_every_head_and_asks_only_this_machine(ready, expect):
    visited = ready()
    page = visited.page
    attention = traced().signals["attention"]
    expect(page.locator(".wall .thumb")).to_have_count(attention.shape[0] * attention.shape[1])
    bits = rollout.entropy_bits(attention)
    layer, head = np.unravel_index(bits.argmin(), bits.shape)
    expect(page.locator("h2.title")).to_contain_text(f"head {head + 1} of layer {layer + 1}")
    expect(page.locator(".thumb.chosen")).to_have_accessible_name(
        re.compile(f"^Layer {layer + 1}, head {head + 1}: entropy {bits.min():.1f} bits")
    )
    expect(page.locator(".sentence .word")).to_have_count(len(traced().tokens))
    assert numbers(page.locator(".bits").all_text_contents()) == pytest.approx(bits.ravel(), abs=0.0501)
    expect(page.get_by_text("Where it looked, not why it decided")).to_be_visible()
    hosts = {urllib.parse.urlsplit(url).hostname for url in visited.requests if not url.startswith(("data:", "blob:"))}
    assert hosts == {"127.0.0.1"}
    assert visited.complaints == []


def test_printed_numbers_equal_the_trace(ready, expect):
    layer, head, word, key = 3, 2, 8, 5
    page = ready(link(layer=layer, head=head, word=word, key=key)).page
    signals = {name: traced().signals[name][layer - 1, head - 1] for name in ("query", "key", "value")}
    q, k, v = signals["query"][word - 1], signals["key"], signals["value"]
    row = weights(layer, head)[word - 1]
    products = k @ q

    def cells(symbol):
        return numbers(page.locator(f'.cells[data-strip="{symbol}"] .cell').all_text_contents())

    near = functools.partial(pytest.approx, abs=0.0051)
    assert cells("q") == near(q)
    assert cells("k") == near(k[key - 1])
    assert cells("q \u00d7 k") == near(q * k[key - 1])
    assert cells("v") == near(v[key - 1])
    assert cells("weight \u00d7 v") == near(row[key - 1] * v[key - 1])
    assert cells("Σ weight \u00d7 v") == near(row @ v)
    page.get_by_role("button", name="All words", exact=True).click()
    rows = page.locator(".scores tbody tr")
    expect(rows).to_have_count(len(row))
    shown = {}
    for line in rows.all():
        cells_of = numbers(line.locator("td").all_text_contents())
        shown[int(line.get_attribute("data-index"))] = cells_of
    assert list(shown) == sorted(shown, key=lambda j: -row[j])
    for j, (product, scaled, mask, weight) in shown.items():
        assert product == near(products[j])
        assert scaled == near(products[j] / np.sqrt(len(q)))
        assert mask == 0
        assert weight == pytest.approx(row[j], abs=0.000051)
    terms = dict.fromkeys(("products", "scaled", "weights"))
    for name in terms:
        terms[name] = set(page.locator(f'.equation [data-term="{name}"]').all_text_contents())
    assert [numbers(found) for found in terms.values()] == [
        near([products[key - 1]]),
        near([products[key - 1] / np.sqrt(len(q))]),
        pytest.approx([row[key - 1]], abs=0.000051),
    ]


def test_a_click_on_a_small_picture_enlarges_it(ready, expect):
    page = ready().page
    thumb(page, 2, 3).click()
    expect(place(page)).to_have_text("Layer 2, head 3")
    expect(page.get_by_label("Layer", exact=True)).to_have_value("1")
    expect(page.get_by_label("Head", exact=True)).to_have_value("2")
    expect(page.locator(".views canvas.map")).to_have_accessible_name(re.compile("^Layer 2, head 3: map of weights"))
    expect(page.locator(".formula h3")).to_contain_text("layer 2, head 3")
    assert page.locator(".views canvas.map").bounding_box()["width"] > 5 * thumb(page, 2, 3).bounding_box()["width"]


def test_heads_words_and_views_change_without_the_server(ready, said_to_python, expect):
    visited = ready()
    page = visited.page
    said = said_to_python(page)
    thumb(page, 5, 1).click()
    page.get_by_label("Layer", exact=True).select_option("7")
    page.get_by_label("Head", exact=True).select_option("all (mean)")
    expect(place(page)).to_have_text("Layer 7, mean of its heads")
    page.get_by_role("button", name="Two columns").click()
    page.locator(".sentence .word").nth(3).click()
    page.locator(".sentence .word").nth(9).hover()
    page.get_by_label("Layer", exact=True).select_option("all (rollout)")
    expect(place(page)).to_have_text("Rollout over all layers")
    settle(page)
    assert said == []
    assert visited.complaints == []


def test_the_chosen_word_is_marked_in_every_view(ready, expect):
    page = ready(link(layer=1, head=1, word=4, view="columns")).page
    page.locator(".sentence .word").nth(7).click()
    word = traced().tokens[7]
    expect(page.locator(".sentence .word.now")).to_have_attribute("data-index", "7")
    expect(page.locator(".columns .back.now")).to_have_attribute("data-index", "7")
    expect(page.locator(".columns text.now")).to_have_count(2)  # once in each column
    assert page.locator(".heads").evaluate("node => node.style.getPropertyValue('--row')") == "7"
    expect(page.locator(".layers .readout")).to_contain_text(f"“{word}” (word 8)")
    expect(page.locator(".formula h3")).to_contain_text(f"How “{word}” comes to look at")
    page.get_by_role("button", name="Map", exact=True).click()
    expect(page.locator(".views canvas.map")).to_have_accessible_name(re.compile(f"“{word}” looks most at"))


def test_pointing_at_a_word_isolates_it_in_every_view(ready, expect):
    page = ready(link(layer=1, head=1, word=2, view="columns")).page
    row = weights(1, 1)[9]
    page.locator(".columns text[data-side=query]").nth(9).hover()
    expect(page.locator(".columns .back.now")).to_have_attribute("data-index", "9")
    seen = "paths => paths.filter((path) => Number(path.getAttribute('opacity')) > 0).length"
    assert page.locator(".columns path").evaluate_all(seen) == (row > 1 / len(row)).sum()
    expect(page.locator(".sentence .word.now")).to_have_attribute("data-index", "9")
    expect(page.locator(".sentence .word.picked")).to_have_attribute("data-index", "1")
    expect(page.locator(".readout").first).to_contain_text("(word 10) gives")
    page.locator(".formula h3").hover()
    expect(page.locator(".sentence .word.now")).to_have_attribute("data-index", "1")
    into = weights(1, 1)[:, 3]
    page.locator(".columns text[data-side=key]").nth(3).hover()
    expect(page.locator(".columns .back.now")).to_have_attribute("data-index", "3")
    assert page.locator(".columns path").evaluate_all(seen) == (into > 1 / len(row)).sum()


def test_a_cell_of_the_map_picks_its_word_and_what_it_looks_at(ready, expect):
    page = ready(link(layer=4, head=1, word=1)).page
    canvas = page.locator(".views canvas.map")
    box = canvas.bounding_box()
    canvas.click(position={"x": box["width"] - 20, "y": box["height"] / 2})
    expect(page.locator(".scores tr.now")).to_have_count(1)
    readout = page.locator(".views .readout").text_content()
    word, key = (int(number) - 1 for number in re.findall(r"\(word (\d+)\)", readout))
    expect(page.locator(".sentence .word.now")).to_have_attribute("data-index", str(word))
    expect(page.locator(".scores tr.now")).to_have_attribute("data-index", str(key))
    assert f"{100 * weights(4, 1)[word, key]:.2f}" in readout


def test_keys_move_words_and_heads(ready, expect):
    page = ready(link(layer=3, head=2, word=5)).page
    now = page.locator(".sentence .word.now")
    for key, index in (("ArrowRight", 5), ("ArrowLeft", 4), ("ArrowLeft", 3)):
        page.keyboard.press(key)
        expect(now).to_have_attribute("data-index", str(index))
    page.get_by_role("listbox").focus()
    page.keyboard.press("End")
    expect(now).to_have_attribute("data-index", str(len(traced().tokens) - 1))
    page.keyboard.press("Home")
    expect(now).to_have_attribute("data-index", "0")
    thumb(page, 3, 2).focus()
    for key, name in (
        ("ArrowDown", "Layer 4, head 2"),
        ("ArrowRight", "Layer 4, head 3"),
        ("ArrowUp", "Layer 3, head 3"),
    ):
        page.keyboard.press(key)
        expect(place(page)).to_have_text(name)
        expect(page.locator(".thumb:focus")).to_have_accessible_name(re.compile(f"^{name}:"))
    expect(now).to_have_attribute("data-index", "0")


def test_a_link_opens_its_view_and_a_choice_writes_one(ready, wait, expect):
    page = ready(link(layer=6, head=3, word=11, view="columns")).page
    expect(place(page)).to_have_text("Layer 6, head 3")
    expect(page.locator(".sentence .word.now")).to_have_attribute("data-index", "10")
    expect(page.locator("svg.columns")).to_be_visible()
    thumb(page, 7, 1).click()
    page.wait_for_url("**/attention?*layer=7*")
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(page.url).query)
    assert query == {"layer": ["7"], "head": ["1"], "word": ["11"], "view": ["columns"]}
    page.get_by_label("Layer", exact=True).select_option("all (rollout)")
    page.wait_for_url("**what=rollout**")
    page.reload()
    wait(page)
    expect(place(page)).to_have_text("Rollout over all layers")


@pytest.mark.parametrize("query", [{"layer": 999, "head": 0, "word": "x"}, {"what": "<b>", "view": "none", "word": 0}])
def test_a_broken_link_opens_what_it_can(ready, expect, query):
    visited = ready(link(**query))
    expect(visited.page.locator(".thumb.chosen")).to_have_count(1)
    assert visited.complaints == []


def test_a_text_of_ones_own_is_looked_at_and_stays_a_text(ready, wait, expect):
    visited = ready()
    page = visited.page
    page.get_by_text("Change the text").click()
    page.get_by_label("Review", exact=True).fill("")
    expect(page.locator("h2.title")).to_have_text("Write a sentence about a film, or try an example.")
    page.get_by_label("Review", exact=True).fill("<img src=x onerror=alert(1)> good \U0001f600")
    expect(page.locator(".sentence .word").last).to_have_text("\U0001f600")
    expect(page.locator("img[src=x]")).to_have_count(0)
    thumb(page, 1, 1).click()
    page.wait_for_url("**review=*")
    page.reload()
    wait(page)
    expect(page.locator(".sentence .word").last).to_have_text("\U0001f600")
    assert visited.complaints == []


def test_what_is_typed_is_looked_at_and_the_rest_of_the_page_follows_also_after_a_visit_elsewhere(ready, expect):
    visited = ready()
    page = visited.page
    board = page.get_by_role("slider", name="Word marked in all rows")

    def shown(text, n_words):
        expect(page.locator(".sentence .word")).to_have_count(n_words)
        expect(page.locator(".sentence .word").last).to_have_text(text.split()[-1])
        expect(board).to_have_attribute("aria-valuemax", str(n_words))
        expect(page.locator("strong", has_text=re.compile(rf" of {n_words}$"))).to_be_visible()

    page.get_by_text("Change the text").click()
    page.get_by_role("textbox", name="Review").fill("what a dull and boring film")
    shown("what a dull and boring film", 6)
    page.get_by_role("textbox", name="Review").fill("good and bad")
    shown("good and bad", 3)
    page.get_by_role("link", name="Live sentiment").click()
    expect(page.get_by_role("textbox", name="Review")).to_have_value("good and bad")
    page.route("**/api/v1/text", lambda route: route.abort())  # the server may hear of a text after the next page
    page.get_by_role("textbox", name="Review").fill("a film of seven words , no more")
    page.get_by_role("link", name="Attention").click()
    shown("a film of seven words , no more", 8)
    page.get_by_text("Change the text").click()
    expect(page.get_by_role("textbox", name="Review")).to_have_value("a film of seven words , no more")
    assert [said for said in visited.complaints if "ERR_FAILED" not in said] == []


def test_above_fifty_words_the_map_is_windowed_and_follows_the_word(ready, expect):
    visited = ready(link(review=LONG, layer=2, head=1, word=1))
    page = visited.page
    n = len(traced(LONG).tokens)
    assert n > 50
    window = page.locator(".windows .shown").first
    expect(window).to_have_text(re.compile(rf"^1 to (\d+) of {n}$"))
    assert int(re.search(r"to (\d+)", window.text_content())[1]) <= 50
    page.get_by_role("listbox").focus()
    page.keyboard.press("End")
    expect(window).to_have_text(re.compile(rf"to {n} of {n}$"))
    page.get_by_label(re.compile("^Words that look, from word")).fill("1")
    expect(window).to_have_text(re.compile(r"^1 to"))
    page.get_by_role("button", name="Two columns").click()
    expect(page.locator(".columns text")).to_have_count(100)
    expect(page.get_by_role("button", name="The 50 largest")).to_be_visible()
    assert visited.complaints == []


def test_a_single_word_looks_at_itself(ready, expect):
    visited = ready(link(review="good"))
    expect(visited.page.locator("h2.title")).to_have_text("A single word can look at nothing but itself")
    expect(visited.page.locator(".says")).to_contain_text("looks most at itself, 100\u00a0%")
    assert visited.complaints == []


def test_pictures_and_numbers_can_be_saved(ready):
    page = ready(link(layer=2, head=4, word=3)).page

    def saved(name):
        with page.expect_download() as download:
            page.get_by_role("button", name=name).click()
        return pathlib.Path(download.value.path())

    for svg in (saved("Save the sentence (SVG)").read_text(encoding="utf-8"),):
        assert svg.startswith("<svg")
        assert "var(" not in svg
        assert traced().tokens[5] in svg
    assert saved("Save the map (PNG)").read_bytes().startswith(b"\x89PNG")
    assert saved("Save the layers (PNG)").read_bytes().startswith(b"\x89PNG")
    n = len(traced().tokens)
    with saved("All weights shown as CSV").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    found = np.array([float(row["weight"]) for row in rows]).reshape(n, n)
    np.testing.assert_allclose(found, weights(2, 4), atol=1e-6)
    with saved("This word's numbers as CSV").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    np.testing.assert_allclose([float(row["weight"]) for row in rows], weights(2, 4)[2], atol=1e-6)
    page.get_by_role("button", name="Two columns").click()
    assert saved("Save the columns (SVG)").read_text(encoding="utf-8").startswith("<svg")


def test_rollout_and_the_mean_of_a_layer_are_maps_like_any_other(ready, expect):
    page = ready(link(what="rollout")).page
    attention = traced().signals["attention"]
    n = len(traced().tokens)

    def shown():
        with page.expect_download() as download:
            page.get_by_role("button", name="All weights shown as CSV").click()
        with pathlib.Path(download.value.path()).open(encoding="utf-8-sig", newline="") as file:
            return np.array([float(row["weight"]) for row in csv.DictReader(file)]).reshape(n, n)

    np.testing.assert_allclose(shown(), rollout.rollout(attention), atol=1e-5)
    page.get_by_label("Layer", exact=True).select_option("5")
    page.get_by_label("Head", exact=True).select_option("all (mean)")
    expect(place(page)).to_have_text("Layer 5, mean of its heads")
    np.testing.assert_allclose(shown(), attention[4].mean(axis=0), atol=1e-6)
