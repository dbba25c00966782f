"""Pages that hold no component of their own: what AppTest cannot see of them."""

import urllib.parse

import pytest

PAGES = ("/", "/memory")


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark"), (1920, "light")])
def test_a_page_draws_its_charts_without_a_complaint_and_asks_only_this_machine(visit, expect, path, width, scheme):
    visited = visit(path, viewport={"width": width, "height": 844}, color_scheme=scheme)
    page = visited.page
    charts = page.locator("[data-testid=stVegaLiteChart] :is(canvas, svg)")
    expect(charts.first).to_be_visible(timeout=90_000)  # their code is fetched when the first one comes
    expect(page.locator("[data-testid=stSkeleton]")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.locator("[data-testid=stMain]").evaluate("main => main.scrollWidth <= main.clientWidth")
    assert visited.complaints == []
    assert {
        urllib.parse.urlsplit(url).hostname for url in visited.requests if not url.startswith(("data:", "blob:"))
    } == {"127.0.0.1"}
