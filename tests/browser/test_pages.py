"""The page that holds no component of its own: what AppTest cannot see of it."""

import pytest


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark"), (1920, "light")])
def test_it_draws_its_charts_without_a_complaint_and_asks_only_this_machine(visit, draws_charts, width, scheme):
    draws_charts(visit("/", viewport={"width": width, "height": 844}, color_scheme=scheme), width)
