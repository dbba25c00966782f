"""Live sentiment: the box, the five verdicts, the curves. All of it answers in the browser; here it is only placed."""

from __future__ import annotations

from seqdemo.models.registry import MODELS
from seqdemo.serve.sentiment import LEAD, WAITING
from seqdemo.ui.shared import own_models, review_box
from seqdemo.ui.shared.component import component, sent
from seqdemo.ui.shared.examples import EXAMPLES

_verdicts = component("sentiment/verdicts.js", "sentiment/verdicts.css")
"""A card for each model; asks for verdicts at each edit."""
_curves = component("sentiment/curves.js", "sentiment/curves.css")
"""P(positive) after each word, one line for each model, one cursor; asks for curves when an edit rests."""


def render() -> None:
    """Draws the box with everything that answers to it."""
    review = review_box.text(EXAMPLES[0].text)
    asked = review_box.asked(review)
    review_box.draw(review, EXAMPLES)
    cards = [
        {"name": name, "label": own_models.label(name), "colour": spec.colour, "dash": spec.dash}
        for name, spec in MODELS.items()
    ]
    _verdicts(key="verdicts", data=sent({**asked, "lead": LEAD, "cards": cards}))
    _curves(key="curves", data=sent({**asked, "title": WAITING}))
