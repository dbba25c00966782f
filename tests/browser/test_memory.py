"""What hangs on one word, in a real browser: answered without a rerun, drawn, linked to."""

import re
from urllib.parse import parse_qs, quote, urlsplit

import pytest

TEXT = "A wonderful film with a good end."
SLOPES = "section.frame .plot svg"


@pytest.fixture
def opened(visit, expect):
    """Opens the page, its first answer drawn."""

    def open_(query="", **settings):
        visited = visit(f"/memory{query}", **settings)
        expect(visited.page.locator(SLOPES)).to_be_visible()  # a busy machine takes its time
        return visited

    return open_


def test_a_word_and_what_happens_to_it_are_chosen_without_a_rerun(opened, said_to_python, expect):
    visited = opened(f"?review={quote(TEXT)}")
    page = visited.page
    expect(page.get_by_text("Still there at the end")).to_be_visible()
    said = said_to_python(page)
    page.get_by_label("Word", exact=True).select_option("1")
    expect(page.locator(".part").nth(1)).to_have_text("After: A not wonderful film with a good end.")
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator(".part").nth(1)).to_have_text("After: A film with a good end.")
    expect(page.get_by_label("Put there")).to_be_hidden()
    page.get_by_role("button", name="Replace", exact=True).click()
    page.get_by_label("Put there").fill("dreadful")
    expect(page.locator(".part").nth(1)).to_have_text("After: A dreadful film with a good end.")
    expect(page.locator("section.frame .title")).to_have_text(re.compile("moves most, \u2212"))
    assert said == []
    assert visited.complaints == []


def test_the_address_opens_the_same_edit_again(opened, expect):
    page = opened(f"?review={quote(TEXT)}").page
    page.get_by_label("Word", exact=True).select_option("5")
    page.get_by_role("button", name="Replace", exact=True).click()
    page.get_by_label("Put there").fill("boring")
    expect(page.locator(".part").nth(1)).to_have_text("After: A wonderful film with a boring end.")
    query = urlsplit(page.url).query
    assert parse_qs(query) == {"review": [TEXT], "word": ["6"], "edit": ["replace"], "put": ["boring"]}
    again = opened(f"?{query}").page
    expect(again.locator(".part").nth(1)).to_have_text("After: A wonderful film with a boring end.")
    expect(again.get_by_label("Word", exact=True)).to_have_value("5")
    expect(again.locator(SLOPES)).to_have_attribute("aria-label", page.locator(SLOPES).get_attribute("aria-label"))


def test_what_is_chosen_of_stored_figures_is_in_the_address_beside_what_others_put_there(opened, expect):
    page = opened(f"?review={quote(TEXT)}").page
    page.get_by_role("radio", name="GRU", exact=True).first.click()
    page.wait_for_url("**matrix=GRU*")
    page.get_by_role("button", name="Delete", exact=True).click()
    page.wait_for_url("**edit=delete*")
    again = opened(f"?{urlsplit(page.url).query}").page
    expect(again.get_by_text(re.compile("longest eigenvalue of the GRU"))).to_be_visible()
    expect(again.get_by_role("button", name="Delete", exact=True)).to_have_attribute("aria-pressed", "true")
    assert parse_qs(urlsplit(again.url).query) == parse_qs(urlsplit(page.url).query)
    assert set(parse_qs(urlsplit(page.url).query)) == {"review", "matrix", "edit"}


def test_a_choice_that_is_called_by_a_whole_sentence_opens_again_and_nothing_is_missed(opened, expect):
    page = opened().page
    page.get_by_role("radio", name=re.compile("wonderful film")).click()
    page.wait_for_url("**opinion=*")
    again = opened(f"?{urlsplit(page.url).query}").page
    expect(again.get_by_role("radio", name=re.compile("wonderful film"))).to_be_checked()
    expect(again.get_by_text("The address asks for")).to_have_count(0)


def test_a_word_that_the_text_does_not_have_is_said_and_another_one_shown(opened, expect):
    page = opened(f"?review={quote(TEXT)}&word=99").page
    expect(page.locator(".trouble")).to_have_text("The text has no word 99. Another one is shown.")


def test_another_text_is_what_all_of_the_page_is_about(opened, expect):
    visited = opened()
    page = visited.page
    page.get_by_text("The review behind the thin lines").click()
    page.get_by_label("Review", exact=True).fill("Qqzxvk wwkqjx")
    expect(page.locator(".part").first).to_have_text("Before: Qqzxvk wwkqjx")
    expect(page.get_by_text("know none of these words")).to_be_visible()
    page.get_by_role("link", name="Live sentiment", exact=True).click()
    expect(page.get_by_label("Review", exact=True)).to_have_value("Qqzxvk wwkqjx")
    assert visited.complaints == []


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark"), (1920, "light")])
def test_charts_and_the_drawing_keep_inside_of_the_window(opened, draws_charts, width, scheme):
    visited = opened(viewport={"width": width, "height": 900}, color_scheme=scheme)
    draws_charts(visited, width)
    page = visited.page
    box = page.locator(SLOPES).bounding_box()
    assert box["x"] >= 0
    places = page.locator(f"{SLOPES} text").evaluate_all(  # at once, since a part that grows draws it anew
        "labels => labels.map(label => label.getBoundingClientRect()).map(({ left, right }) => [left, right])"
    )
    assert places
    for left, right in places:
        assert left >= 0
        assert right <= width
