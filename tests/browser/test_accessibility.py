"""Every page is held to WCAG 2.2, levels A and AA, by axe: on desktop and phone, in the light and in the dark."""

import os
import pathlib

import pytest

from seqdemo.ui.pages import PAGES

AXE = pathlib.Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
SIZES = {"desktop": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}
FAULTS = """async () => {
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
  const { violations } = await axe.run(document, { runOnly: { type: "tag", values: tags } })
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => {
    const [first] = [...node.any, ...node.all, ...node.none]
    return `${id}: ${node.target.flat().at(-1)}: ${first?.message ?? ""}`
  }))
}"""


@pytest.fixture(autouse=True)
def axe():
    """Skips where axe is not installed, but where node is required."""
    if not AXE.is_file():
        if os.environ.get("SEQDEMO_REQUIRE_NODE"):
            pytest.fail("SEQDEMO_REQUIRE_NODE is set, but `npm ci` was not run.")
        pytest.skip("Run `npm ci` once to hold the pages to WCAG by axe.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_no_page_shuts_anyone_out(visit, expect, busy, size, scheme):
    faults = {}
    page = visit("/", viewport=SIZES[size], color_scheme=scheme).page
    for shown in PAGES:
        page.goto(f"{page.evaluate('location.origin')}/{shown.path}")
        expect(page.locator("h1")).to_be_visible()
        expect(busy(page)).to_have_count(0)  # what waits for an answer is pale
        page.evaluate(AXE.read_text(encoding="utf-8"))
        if found := page.evaluate(FAULTS):
            faults[shown.path] = found
    assert faults == {}
