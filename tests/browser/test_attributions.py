"""The rows of shaded words in a real browser: marking, keys, scales, files, links, a phone."""

import csv
import re

import pytest

from seqdemo.explain.methods import METHODS, SIGNED
from seqdemo.models.registry import MODELS

PATH = "/attention"
DESKTOP = {"viewport": {"width": 1280, "height": 900}}


@pytest.fixture(scope="module")
def wait(expect):
    """Waits until every row of a page has its figures."""

    def wait(page):
        expect(board(page).locator(".word").first).to_be_visible()
        expect(board(page).locator(".word.waiting")).to_have_count(0)

    return wait


@pytest.fixture
def page(opened_once):
    """The page as it opens, in one window for all tests that change at most the mark, which each of them sets."""
    opened_once.mouse.move(0, 0)
    return opened_once


def board(page):
    return page.get_by_role("slider", name="Word marked in all rows")


def rows(page):
    """The names of the rows in the first line."""
    return board(page).locator(".block").first.locator(".name")


def marked(page):
    return board(page).locator(".word.now").all_text_contents()


def labels(names, table):
    return [table[name].label for name in names]


def test_a_word_pointed_at_in_one_row_is_marked_in_all(page, expect):
    expect(rows(page)).to_have_text(labels(METHODS, METHODS))
    word = board(page).locator(".block").first.locator(".word[data-index='3']").nth(2)
    word.hover()
    expect(board(page).locator(".word.now")).to_have_count(len(METHODS))
    assert marked(page) == [word.text_content()] * len(METHODS)
    expect(board(page)).to_have_attribute("aria-valuenow", "4")
    expect(page.locator(".readout .where").filter(has_text="Word 4 of")).to_contain_text(word.text_content())


def test_the_arrow_keys_move_the_mark_and_nothing_else(page, expect):
    board(page).focus()
    page.keyboard.press("Home")
    expect(board(page)).to_have_attribute("aria-valuenow", "1")
    before = page.url
    page.keyboard.press("ArrowRight")
    page.keyboard.press("PageUp")  # as every slider: upwards is more
    expect(board(page)).to_have_attribute("aria-valuenow", "12")
    page.keyboard.press("End")
    last = board(page).get_attribute("aria-valuemax")
    expect(board(page)).to_have_attribute("aria-valuenow", last)
    assert page.url == before  # the heads above have not moved with it


def test_a_word_picked_in_the_views_above_is_marked_here_too(page, expect):
    page.evaluate("document.dispatchEvent(new CustomEvent('seqdemo-word', { detail: 4 }))")
    expect(board(page)).to_have_attribute("aria-valuenow", "5")
    expect(board(page).locator(".word.now").first).to_have_attribute("data-index", "4")


def test_words_stand_in_columns(page):
    places = (
        board(page)
        .locator(".word")
        .evaluate_all("words => words.map(word => [word.dataset.index, Math.round(word.getBoundingClientRect().left)])")
    )
    by_word = {}
    for index, left in places:
        by_word.setdefault(index, set()).add(left)
    assert all(len(lefts) == 1 for lefts in by_word.values())


def test_purple_is_above_and_olive_below_zero_and_attention_has_neither(page):
    shades = (
        board(page)
        .locator(".word")
        .evaluate_all(
            """words => words.map(word => [word.style.background.match(/\\d+/g).map(Number), word.style.boxShadow])"""
        )
    )
    n_words = int(board(page).get_attribute("aria-valuemax"))
    assert len(shades) == len(METHODS) * n_words
    above = [rgb for rgb, line in shades if "inset 0px 3px" in line or "0px 3px 0px" in line]
    below = [rgb for rgb, line in shades if "0px -3px 0px" in line]
    assert above
    assert all(green <= blue for _, green, blue in above)
    assert all(blue <= green for _, green, blue in below)
    assert max(blue - green for _, green, blue in above) > 20
    assert max(green - blue for _, green, blue in below) > 20


def test_each_row_on_its_own_scale_makes_every_rows_largest_word_as_strong(ready, expect):
    page = ready().page
    legend = page.locator(".legend").filter(has_text="positive")
    expect(legend).to_contain_text(re.compile("negative \u2212[\\d.]+\u00a0%.*\\+[\\d.]+\u00a0% positive"))
    darkest = """(slider) => {
      const found = {}
      for (const block of slider.querySelectorAll(".block")) {
        let name = ""
        for (const cell of block.children) {
          if (cell.className === "name") name = cell.textContent
          else found[name] = Math.min(found[name] ?? 999, ...cell.style.background.match(/\\d+/g).map(Number))
        }
      }
      return found
    }"""
    together = board(page).evaluate(darkest)
    page.get_by_label("Each row on its own scale").check()
    expect(legend).to_contain_text("the row\u2019s largest")
    apart = board(page).evaluate(darkest)
    rollout, mean = METHODS["rollout"].label, METHODS["mean_attention"].label
    assert apart[rollout] == apart[mean]
    assert min(apart[rollout], apart[mean]) <= min(together[rollout], together[mean])


def test_another_model_has_its_own_rows_and_a_link(ready, wait, expect):
    page = ready().page
    page.get_by_role("radio", name="LSTM", exact=True).click()
    expect(rows(page)).to_have_text(labels(SIGNED, METHODS))
    expect(page).to_have_url(re.compile("explained=LSTM"))
    page.reload()
    wait(page)
    expect(rows(page)).to_have_text(labels(SIGNED, METHODS))


def test_all_five_models_by_one_method(ready, wait, expect):
    page = ready().page
    page.get_by_role("radio", name="All five").click()
    expect(rows(page)).to_have_text(labels(MODELS, MODELS))
    page.get_by_role("radio", name="Leave one word out").click()
    expect(page.get_by_text("This review, by leave one word out")).to_be_visible()
    wait(page)
    expect(rows(page)).to_have_text(labels(MODELS, MODELS))


def test_the_figures_can_be_saved(page):
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as CSV").click()
    with open(download.value.path(), encoding="utf-8-sig", newline="") as file:  # noqa: PTH123
        table = list(csv.reader(file))
    assert table[0][2:] == [f"{m.label} ({'logits' if m.signed else 'share'})" for m in METHODS.values()]
    assert len(table) == 1 + int(board(page).get_attribute("aria-valuemax"))
    assert all(float(value) == float(value) for row in table[1:] for value in row[2:])


def test_the_verdict_without_words_is_drawn_and_stands_in_a_table(page, expect):
    chart = page.get_by_role("img", name=re.compile("^P\\(verdict\\) is .* chosen by: Integrated gradients")).first
    expect(chart.locator("path.line")).to_have_count(len(METHODS) + 1)
    expect(chart.locator("path.band")).to_have_count(1)
    page.get_by_text("This review's numbers as a table").click()
    numbers = page.locator("table.numbers tbody tr")
    expect(numbers).to_have_count(len(METHODS) + 1)
    starts = {row.locator("td").first.text_content() for row in numbers.all()}
    assert len(starts) == 1, "all begin at the verdict"


def test_the_agreement_of_every_two_is_a_table_of_numbers_with_a_sentence(page, expect):
    matrix = page.get_by_role("table", name="Rank correlation")
    expect(matrix.locator("td.square")).to_have_count(len(METHODS) * (len(METHODS) - 1) // 2)
    found = [float(text.replace("\u2212", "-")) for text in matrix.locator("td.square").all_text_contents()]
    assert all(-1 <= rho <= 1 for rho in found)
    sentence = page.locator(".below .how")
    expect(sentence).to_contain_text(f"agree most ({max(found):.2f})")
    fits = matrix.evaluate("table => [...table.querySelectorAll('th')].every(th => th.scrollWidth <= th.clientWidth)")
    assert fits, "no label is cut"


def test_another_text_is_asked_for_part_by_part_and_all_of_the_section_follows(ready, wait, expect):
    visited = ready()
    page = visited.page
    expect(page.locator(".plot.waiting")).to_have_count(0)  # the last part of the text before has come too
    before = page.locator(".below .how").text_content()
    asked = []
    page.on("request", lambda request: "/attributions" in request.url and asked.append(request.post_data_json))
    page.get_by_text("Change the text").click()
    page.get_by_role("textbox", name="Review").fill("A dull story, and a poor plot.")
    expect(board(page)).to_have_attribute("aria-valuemax", "9")
    wait(page)
    expect(page.locator(".below .how")).not_to_have_text(before)
    expect(page.locator(".stale")).to_have_count(0)
    assert [question["parts"] for question in asked] == [1, 2, 3, 4]
    assert {question["text"] for question in asked} == {"A dull story, and a poor plot."}
    assert visited.complaints == []


def test_a_text_without_a_word_gets_a_sentence_and_the_next_one_its_rows(ready, expect):
    page = ready().page
    page.get_by_text("Change the text").click()
    box = page.get_by_role("textbox", name="Review")
    box.fill("@#%")
    said = page.get_by_role("status").get_by_text("There is no word to read yet")
    expect(said.first).to_be_visible()
    expect(board(page)).to_be_hidden()
    expect(page.get_by_text("There is no verdict to take words from.")).to_be_visible()
    box.fill("A good film.")
    expect(board(page)).to_have_attribute("aria-valuemax", "4")


def test_while_the_server_cannot_be_reached_the_old_rows_are_pale_and_it_says_so(ready, expect):
    page = ready().page
    page.route("**/api/v1/attributions", lambda route: route.abort())
    page.get_by_text("Change the text").click()
    page.get_by_role("textbox", name="Review").fill("A good film.")
    expect(page.get_by_text("The server cannot be reached. This page asks again.").first).to_be_visible()
    expect(page.locator(".frame.stale").filter(has=board(page))).to_have_count(1)
    page.unroute("**/api/v1/attributions")
    expect(board(page)).to_have_attribute("aria-valuemax", "4")
    expect(page.locator(".frame.stale")).to_have_count(0)


@pytest.mark.parametrize("width", [390, 1280, 1920])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_of_the_page_fits_in_either_theme_and_it_complains_of_nothing(ready, busy, expect, width, scheme):
    visited = ready(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = visited.page
    expect(page.locator("[data-testid=stVegaLiteChart] :is(canvas, svg)").first).to_be_visible()
    expect(page.locator(".scores tbody tr").first).to_be_visible()
    expect(busy(page)).to_have_count(0)
    assert page.locator("[data-testid=stMain]").evaluate("main => main.scrollWidth <= main.clientWidth")
    assert page.locator(".scores").evaluate("node => node.scrollWidth <= node.clientWidth")
    board(page).scroll_into_view_if_needed()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert board(page).evaluate("rows => rows.scrollWidth <= rows.clientWidth")
    ratio = board(page).evaluate(
        """rows => {
          const light = rgb => rgb.map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
            .reduce((sum, c, k) => sum + c * [0.2126, 0.7152, 0.0722][k], 0)
          const numbers = css => css.match(/\\d+/g).slice(0, 3).map(Number)
          return Math.min(...[...rows.querySelectorAll(".word")].map(word => {
            const [a, b] = [numbers(getComputedStyle(word).color), numbers(word.style.background)].map(light)
            return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
          }))
        }"""
    )
    assert ratio >= 4.5
    assert visited.complaints == []
