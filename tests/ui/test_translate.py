"""The page that turns dates into ISO: where the box is placed, and what was measured below it."""

import json

import pandas as pd
import pytest

from seqdemo.data import dates
from seqdemo.serve.translate import DEFAULT_WIDTH, PLAIN
from seqdemo.ui import resources
from seqdemo.ui.translate import measured, translate
from tests.small_translators import write_translators

PAGE = "../../pages/translate.py"


@pytest.fixture
def page(pretrained, ready):
    """The page with every model loaded."""
    write_translators(pretrained)
    resources.service.clear()  # its translators are of another folder
    ready.switch_page(PAGE).run()
    assert not ready.exception
    return ready


def given(app):
    """What the component is given."""
    (proto,) = [part.proto for part in app.get("bidi_component") if part.proto.component_name == "translate"]
    return json.loads(proto.json)[0]


def test_a_link_opens_its_text_and_beam(page):
    assert (given(page)["text"], given(page)["width"]) == (translate.EXAMPLES[0][1], DEFAULT_WIDTH)
    page.query_params["text"], page.query_params["beam"] = "4 May 1999", "10"
    page.run()
    assert (given(page)["text"], given(page)["width"]) == ("4 May 1999", 10)


@pytest.mark.parametrize("beam", ["", "0", "7", "-1", "x", "²", "9" * 5_000])
def test_a_wrong_beam_in_a_link_is_left_out(page, beam):
    page.query_params["beam"] = beam
    page.run()
    assert given(page)["width"] == DEFAULT_WIDTH


def test_without_the_plain_model_the_page_tells_what_was_measured_of_the_other(page, pretrained):
    (pretrained / PLAIN / "config.json").unlink()
    resources.service.clear()
    page.run()
    assert not page.exception
    assert "90.0\u00a0% right on days it never saw; 50.0\u00a0% where the way of writing is new as well" in [
        header.value for header in page.header
    ]


def test_everything_measured_is_on_the_page_with_its_n_and_seed(page):
    headers = [header.value for header in page.header]
    assert "What is teacher forcing?" in headers  # free running never gets 9 of 10
    assert any("90.0" in header and "50.0" in header for header in headers)
    assert len(page.get("vega_lite_chart")) == 3
    words = " ".join(part.value for part in [*page.markdown, *page.caption])
    assert "seed 1" in words
    assert "below 40\u00a0%" in words
    for rule in dates.RULES:
        assert rule in words


def test_the_finding_about_both_ways_of_training_follows_the_curves():
    def table(teacher, own):
        return pd.DataFrame(
            [
                {"series": series, "epoch": epoch, "validation_accuracy": accuracy}
                for series, accuracies in (("teacher forcing", teacher), ("free running", own))
                for epoch, accuracy in enumerate(accuracies, start=1)
            ]
        )

    said = measured.ways_finding(table([0.1, 0.95], [0.1, 0.2, 0.92]))
    assert said == "Teacher forcing gets 9 dates of 10 right after 2 epochs, free running after 3"
    said = measured.ways_finding(table([0.1, 0.2, 0.91], [0.95]))
    assert said == "Free running gets 9 dates of 10 right after 1 epoch, teacher forcing after 3"
    assert measured.ways_finding(table([0.95], [0.95])) == "Both ways of training get 9 dates of 10 right after 1 epoch"
    assert measured.ways_finding(table([0.1], [0.95])) == "What is teacher forcing?"
