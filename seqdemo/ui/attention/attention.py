"""Attention: where the Transformer looked in a text, in every layer and head, explored in the browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from seqdemo.charts import attention as charts
from seqdemo.errors import BusyError
from seqdemo.models.registry import MODELS
from seqdemo.serve.attention import LOOKS, NAME
from seqdemo.serve.http import well_formed
from seqdemo.text import MAX_CHARACTERS
from seqdemo.ui import resources
from seqdemo.ui.shared import own_models, review_box, sources
from seqdemo.ui.shared.component import component, sent
from seqdemo.ui.shared.examples import EXAMPLES, Example
from seqdemo.ui.shared.marks import plain

if TYPE_CHECKING:
    from seqdemo.explain.rollout import Looks

_attention = component("attention/attention.js", "attention/attention.css")
"""Where the Transformer looked; asks for it when an edit rests. Its state `text` is the text on screen."""
DEFAULT = Example(
    "Turn",
    "I expected nothing and got a wonderful film. The story is simple, the actors are superb, and the ending made me "
    "cry. Not perfect, but I loved every minute of it.",
)
"""What stands on screen first: short enough to be read at a glance, with words that carry an opinion."""


def render() -> str:
    """Draws the text box, and where the model looked.

    Returns:
        The text that all of the page is about.
    """
    review = review_box.text(DEFAULT.text)
    with st.expander("Change the text", icon=":material/edit:"):
        review_box.draw(review, (DEFAULT, *EXAMPLES))
    # What follows on the page is drawn here in Python: the component says once of each edit that rests what the text
    # is now, which draws the page anew.
    found = _attention(
        key="attention",
        data=sent({**review_box.asked(review), "usual": DEFAULT.text, "link_characters": review_box.LINK_CHARACTERS}),
        on_text_change=_nothing,
    )
    return well_formed(found.text)[:MAX_CHARACTERS] if isinstance(found.text, str) else review


def heads(text: str) -> None:
    """How far away and how widely each head looks, as two charts.

    Args:
        text: The visitor's review; may hold no word.
    """
    sources.live(lambda: _heads(text), lambda: not resources.store().settled)


def _heads(text: str) -> None:
    try:
        looks = _looks(text)
    except BusyError as error:
        st.info(str(error))
        return
    if looks is None:
        if not resources.store().settled:
            st.skeleton(height=420)
        return
    from seqdemo.explain.rollout import even_distance_words

    n_words = looks.received.shape[-1]
    if n_words == 1:
        st.markdown("A single word can look at nothing but itself: every head looks 0 words away, at 1 word.")
        return
    table = charts.heads_table(looks.distance_words, looks.entropy_bits)
    colour = MODELS[NAME].colour
    even = even_distance_words(n_words)
    kinds = (
        ("distance_words", "words away", charts.distance_finding(table, even), even),
        ("words", "words, as if alike", charts.width_finding(table, n_words), float(n_words)),
    )
    for column, (figure, title, finding, rule) in zip(st.columns(2, vertical_alignment="bottom"), kinds, strict=True):
        with column:
            st.markdown(f"**{finding}**")
            st.altair_chart(
                charts.heads_chart(table, figure, title, rule, colour),
                width="stretch",
                alt=charts.heads_alt(table, figure, title, rule),
                key=f"attention_{figure}",
            )
    st.caption(
        "How to read this: a dot is a head, its number inside. Left, how many words lie between a word and what it "
        "looks at, weighted by attention. Right, over how many words the attention would spread evenly (2 to the power "
        "of the entropy). The dashed line is a head that looks at all words alike (chance). Both are means over the "
        f"words of this one text{_whose()}."
    )
    with st.expander("The data as a table"):
        st.dataframe(table, hide_index=True)


def about() -> None:
    """What kind of Transformer this is, and what its attention does not say."""
    model = own_models.answering().get(NAME)
    sizes = model.config["architecture"] if model else None
    size = f" Here{_whose()}: {sizes['n_layers']} layers with {sizes['n_heads']} heads each." if sizes else ""
    st.markdown(
        f"- **An encoder.** Every word looks at every other one, before and after it: there is no causal mask, as "
        f"there is in a model that writes text.{size}\n"
        "- **A padding mask.** Where several texts are read at once, shorter ones are filled up; the filling is never "
        "looked at. A single text has none.\n"
        "- **A mean readout.** The verdict is read from the mean of the last vectors of all words (masked mean). No "
        "special token collects it, so every word's view counts alike.\n"
        "- **Pre-norm.** Each part of a layer reads a normalised copy of the words' vectors and adds its result to "
        "them (Xiong et al. 2020); attention is the scaled dot product of Vaswani et al. (2017).\n"
        "- **Where it looked, not why it decided.** A weight says how much of a value is taken, not what the value "
        "holds or what later layers make of it. Weights often disagree with gradients, and quite different weights can "
        "give the same verdict (Jain and Wallace 2019); how much that takes away from them is disputed (Wiegreffe and "
        "Pinter 2019). So it is measured below."
    )


def _whose() -> str:
    """`, read by …` where the visitor's own model has looked, for Markdown."""
    return f", read by {plain(own_models.label(NAME))}" if NAME in own_models.views() else ""


def _looks(text: str) -> Looks | None:
    """Where the model looked, as the worker has answered the component; None where there is nothing to look at."""
    model = own_models.answering().get(NAME)
    reading = model.read(text) if model else None
    if model is None or reading is None or not reading.tokens:
        return None
    looks: Looks = resources.service().worker.submit(LOOKS, model, reading.ids).result()
    return looks


def _nothing() -> None:
    """A component's state is only declared where it has a callback."""
