"""The window around every page: its menu, its drawer, its keyboard focus, and what it leaves in the address."""

import urllib.parse

import pytest

from seqdemo.ui.pages import PAGES
from tests.own_run import write_run

PATHS = [f"/{page.path}" for page in PAGES]
SLID = "() => [...document.querySelectorAll('*')].filter(node => node.scrollLeft).map(node => node.dataset.testid)"


@pytest.fixture(scope="module")
def own_run(runs, build_small, vocabulary):
    """The id of a visitor's own LSTM, written where the server keeps its runs."""
    return write_run(runs, build_small("lstm"), "lstm", vocabulary)


@pytest.fixture
def opened(visit, expect):
    """Opens a page and waits for its title."""

    def open_(path, width=1280, **settings):
        visited = visit(path, viewport={"width": width, "height": 844}, **settings)
        expect(visited.page.get_by_test_id("stMainMenu")).to_be_visible()
        expect(visited.page.locator("h1, h2").first).to_be_visible()
        return visited

    return open_


# What has the focus, and whether it or one of the elements around it looks otherwise without.
FOCUSED = """async () => {
  let node = document.activeElement
  while (node.shadowRoot?.activeElement) node = node.shadowRoot.activeElement
  const around = []
  for (let at = node; at instanceof Element && around.length < 4; at = at.parentElement) around.push(at)
  const drawn = async () => {
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 30)))
    // A busy machine draws few frames, and until the next one a transition stands still: what counts is where it leads.
    for (const each of around.flatMap((at) => at.getAnimations())) if (each instanceof CSSTransition) each.finish()
  }
  const looks = () => {
    const found = []
    for (const at of around) {
      const { outline, outlineStyle, boxShadow, borderColor, backgroundColor } = getComputedStyle(at)
      found.push(`${outlineStyle === "none" ? "" : outline} ${boxShadow} ${borderColor} ${backgroundColor}`)
    }
    return found.join("|")
  }
  await drawn()
  const focused = looks()
  const name = `${node.tagName} ${node.getAttribute("aria-label") ?? node.textContent.slice(0, 30)}`
  const whole = node.matches("body, [data-testid=stMain], canvas") // a table's canvas draws the mark of its cell itself
  node.blur()
  await drawn()
  const ringed = whole || looks() !== focused
  node.focus({ preventScroll: true, focusVisible: true })
  return [name, ringed]
}"""


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "light"), (1920, "dark")])
def test_the_menu_lies_in_the_window_and_opening_it_moves_nothing(opened, expect, width, scheme):
    page = opened("/memory", width, color_scheme=scheme).page
    button = page.get_by_test_id("stMainMenuButton")
    box = button.bounding_box()
    assert 0 <= box["x"] <= width - box["width"]
    button.click()
    expect(page.get_by_text("Print", exact=True)).to_be_in_viewport(ratio=1)
    assert page.evaluate(SLID) == []


def test_what_lies_under_the_header_can_be_reached_by_the_mouse(opened):
    page = opened("/memory").page
    reached = page.wait_for_function(  # the page may still be taking its place
        """() => {
          const box = document.querySelector("[data-testid=stHeader]").getBoundingClientRect()
          const hit = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)
          return Boolean(hit?.closest("[data-testid=stMain]")) && !hit.closest("[data-testid=stHeader]")
        }"""
    )
    assert reached.json_value() is True


@pytest.mark.parametrize("path", PATHS)
def test_tab_goes_round_the_page_with_its_focus_visible_and_slides_nothing(opened, expect, busy, path):
    page = opened(path).page
    expect(busy(page)).to_have_count(0)  # what is drawn anew loses the focus
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        where, ringed = page.evaluate(FOCUSED)
        assert ringed, f"no focus ring on {where}"
        reached.add(where)
    assert page.evaluate(SLID) == []
    assert len(reached) > 8


def test_on_a_phone_the_drawer_closes_after_a_choice_in_it(opened, expect):
    page = opened("/", 390).page
    drawer = page.get_by_test_id("stSidebar")
    expect(drawer).to_have_attribute("data-collapsed", "true")
    page.get_by_test_id("stExpandSidebarButton").click()
    expect(drawer).to_have_attribute("data-collapsed", "false")
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Memory").click()
    expect(drawer).to_have_attribute("data-collapsed", "true")
    page.wait_for_url("**/memory")
    expect(page.get_by_role("heading", level=1)).to_be_in_viewport()
    page.get_by_test_id("stExpandSidebarButton").click()
    expect(drawer).to_have_attribute("data-collapsed", "false")
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Memory").click()  # the page that is there already
    expect(drawer).to_have_attribute("data-collapsed", "true")


def test_on_a_desktop_the_sidebar_stays_after_a_choice_in_it(opened, expect):
    page = opened("/").page
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Memory").click()
    page.wait_for_url("**/memory")
    expect(page.get_by_role("heading", level=1)).to_contain_text("200 words back")
    expect(page.get_by_test_id("stSidebar")).to_have_attribute("data-collapsed", "false")


def entries(address):
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(address).query))


def test_own_models_and_the_frame_around_the_app_stay_in_the_address_from_page_to_page(visit, expect, own_run):
    page = visit(f"/?own={own_run}&embed=true", viewport={"width": 1280, "height": 844}).page
    wanted = {"own": own_run, "embed": "true"}
    page.get_by_role("link", name="Type a review yourself").click()
    page.wait_for_url(lambda address: "/sentiment" in address and wanted.items() <= entries(address).items())
    expect(page.get_by_text("First try (LSTM)").first).to_be_visible()
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Stepper").click()
    page.wait_for_url(lambda address: "/stepper" in address and wanted.items() <= entries(address).items())
    expect(page.get_by_text("First try (LSTM)").first).to_be_visible()
    with page.context.expect_page() as opened_beside:
        page.get_by_test_id("stSidebarNav").get_by_role("link", name="Memory").click(button="middle")
    opened_beside.value.wait_for_url(lambda address: entries(address).get("own") == own_run)
    assert "/stepper" in page.url
