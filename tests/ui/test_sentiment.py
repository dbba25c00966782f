"""The live page as Python sees it: what is sent to the browser for what came from it."""

import json

import pytest

from seqdemo.models.registry import MODELS
from seqdemo.ui.shared.examples import EXAMPLES

PAGE = "../../pages/sentiment.py"


def parts(app):
    """The data of the page's three browser components, by the state they are drawn from."""
    found = {}
    for element in app.get("bidi_component"):
        proto = element.proto
        (found[proto.component_name],) = json.loads(proto.json)
    return found


def cards(app):
    return {card["name"]: card for card in parts(app)["verdicts"]["cards"]}


def type_in(app, text, *, n, settled=True):
    """What the box would report for this text."""
    rev = parts(app)["review_box"]["rev"]
    edit = {"text": text, "length": len(text), "rev": rev, "n": n, "settled": settled, "example": False}
    app.session_state["review_box"] = {"edit": edit}
    return app.run()


def until_curves(app):
    """Asks again as the browser does; each time waits for the work that goes on."""
    while parts(app)["verdicts"]["again"]:
        app.session_state["live"].job.exception(timeout=60)
        app.run()
    return parts(app)["curves"]


@pytest.fixture
def page(app, loaded):
    """The page with every model loaded."""
    app.run()
    loaded()
    app.switch_page(PAGE).run()
    assert not app.exception
    return app


def test_a_worked_out_example_stands_there_before_anything_is_typed(page):
    assert parts(page)["review_box"]["text"] == EXAMPLES[0].text
    assert list(cards(page)) == list(MODELS)
    assert all(0 <= card["percent"] <= 100 and card["verdict"] for card in cards(page).values())
    curves = until_curves(page)
    assert len(curves["lines"]) == len(MODELS)
    assert curves["title"]


def test_the_cards_hold_their_places_while_models_load(app, gate):
    app.run().switch_page(PAGE).run()
    assert not app.exception
    assert all(card["loading"] for card in cards(app).values())
    assert parts(app)["verdicts"]["again"]["ms"] > 0
    assert [card["percent"] for card in cards(app).values()] == [None] * len(MODELS)


def test_an_edit_changes_the_verdicts_and_later_the_curves(page):
    first = until_curves(page)
    type_in(page, "not good", n=1, settled=False)
    assert page.session_state["review"] == "not good"
    assert parts(page)["verdicts"]["note"] == "2 words"
    assert parts(page)["curves"] == {**first, "stale": True}
    assert all(card["delta"] is not None for card in cards(page).values())
    type_in(page, "not good", n=2)
    curves = until_curves(page)
    assert curves["words"] == ["not", "good"]
    assert not curves["stale"]
    ends = {line["label"]: line["permille"][-1] for line in curves["lines"]}
    for card in cards(page).values():
        assert abs(ends[card["label"]] / 10 - card["percent"]) <= 1


def test_the_text_under_the_cursor_is_never_sent_back(page):
    before = parts(page)["review_box"]
    type_in(page, "not good", n=1)
    assert parts(page)["review_box"] == before


def test_a_late_edit_changes_nothing(page):
    type_in(page, "a good film", n=5)
    type_in(page, "a good fil", n=4)
    assert page.session_state["review"] == "a good film"


@pytest.mark.parametrize("text", ["", "()"])
def test_without_a_word_there_is_an_invitation_and_no_verdict(page, text):
    type_in(page, text, n=1)
    assert not page.exception
    assert "try an example" in parts(page)["verdicts"]["note"]
    assert [card["percent"] for card in cards(page).values()] == [None] * len(MODELS)
    assert parts(page)["curves"]["words"] == []
    assert parts(page)["curves"]["invitation"]


@pytest.mark.parametrize(
    "text", ["\u0641\u064a\u0644\u0645 \u062c\u064a\u062f \U0001f600", "good " * 12_000, "\0<b>x</b>\n"]
)
def test_any_text_gets_five_answers(page, text):
    type_in(page, text, n=1)
    assert not page.exception
    assert all(card["percent"] is not None for card in cards(page).values())
    assert len(until_curves(page)["words"]) <= 400


def test_words_are_unknown_to_the_models_that_do_not_know_them(page):
    type_in(page, "a dull zyzzx", n=1)
    assert parts(page)["verdicts"]["note"] == "3 words · unknown to all: zyzzx · unknown to the RNN: dull"
    curves = until_curves(page)
    assert (curves["unknown"], curves["partly"]) == ([2], {"1": "unknown to the RNN"})


def test_a_text_in_another_language_is_said_to_be_probably_not_english(page):
    type_in(page, "Ce film est vraiment nul", n=1)
    (notice,) = parts(page)["verdicts"]["notices"]
    assert notice.startswith("This is probably not English: most of these words are unknown to every model")


def test_a_link_opens_its_review(app, loaded):
    app.run()
    loaded()
    app.query_params["review"] = "a <b>good</b> film"
    app.switch_page(PAGE).run()
    assert parts(app)["review_box"]["text"] == "a <b>good</b> film"
    assert app.session_state["review"] == "a <b>good</b> film"


def test_a_model_that_could_not_be_loaded_keeps_its_card_and_says_why(app, pretrained, loaded):
    (pretrained / "gru" / "model.safetensors").write_bytes(b"nothing")
    app.run()
    loaded()
    app.switch_page(PAGE).run()
    assert not app.exception
    assert list(cards(app)) == list(MODELS)
    assert "model.safetensors" in cards(app)["gru"]["problem"]
    assert [name for name, card in cards(app).items() if card["percent"] is None] == ["gru"]
    assert len(until_curves(app)["lines"]) == len(MODELS) - 1


def test_another_page_may_change_the_review(page):
    rev = parts(page)["review_box"]["rev"]
    page.session_state["review"] = "a dull plot"
    page.run()
    assert parts(page)["review_box"]["text"] == "a dull plot"
    assert parts(page)["review_box"]["rev"] > rev
