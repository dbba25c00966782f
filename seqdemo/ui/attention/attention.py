"""Attention: where the Transformer looked in a text, in every layer and head, explored in the browser.

One binary message holds all that the browser needs: queries, keys and values, from which it
works out the weights of whatever head is picked, to the digits of the trace, and a small picture
of every head. For 400 words that is 8 MB where the weights themselves would take 15 in half precision.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from seqdemo.charts import attention as charts
from seqdemo.models.registry import MODELS
from seqdemo.serve import word_notes
from seqdemo.serve.message import pack
from seqdemo.serve.verdicts import percent, verdict
from seqdemo.text import Reading
from seqdemo.ui import resources
from seqdemo.ui.shared import address, old_box, own_models, sources
from seqdemo.ui.shared.component import component
from seqdemo.ui.shared.examples import EXAMPLES, Example
from seqdemo.ui.shared.marks import plain

if TYPE_CHECKING:
    from seqdemo.checkpoints.classifier import Classifier
    from seqdemo.explain.rollout import Looks

_attention = component("attention/attention.js", "attention/attention.css")
"""Where the Transformer looked; its data is an `attention_message`."""
NAME = next(name for name, spec in MODELS.items() if spec.has_attention)
"""The model that attends."""
DEFAULT = Example(
    "Turn",
    "I expected nothing and got a wonderful film. The story is simple, the actors are superb, and the ending made me "
    "cry. Not perfect, but I loved every minute of it.",
)
"""What stands on screen first: short enough to be read at a glance, with words that carry an opinion."""
_SESSION = "attention_session"
_ONE_WORD = 0.3
"""From this share on, a head is said to look at one word."""
_AS_SURE = 0.9
"""Of the largest weight: from here on, a word may be the first to be shown."""


class Session:
    """What one visitor reads.

    Attributes:
        box: The text box and what was typed into it.
        text: The text on screen; follows the box when the typist pauses.
    """

    def __init__(self, text: str) -> None:
        """Begins with a text."""
        self.box = old_box.Session(text)
        self.text = self.box.text


def text() -> str:
    """The text that all of the page is about."""
    session: Session = st.session_state[_SESSION]
    return session.text


def render() -> None:
    """Draws the text box, and where the model looked."""
    review = st.session_state.get("review")
    if _SESSION not in st.session_state:
        written = review if review and review != EXAMPLES[0].text else None
        linked = address.text(st.query_params.to_dict(), "review")
        st.session_state[_SESSION] = Session(linked or written or DEFAULT.text)
    session: Session = st.session_state[_SESSION]
    box_is_new = st.session_state.get("attention_box", {}).get("edit") is None
    if review is not None and review not in (session.box.text, EXAMPLES[0].text):  # another page changed it
        session.box.give(review)
        session.text = session.box.text
    elif box_is_new and session.box.n > 0:  # back from another page: the browser has a new box
        session.box.give(session.box.text)
    sources.live(_answer, lambda: not resources.store().settled)


def heads() -> None:
    """How far away and how widely each head looks, as two charts."""
    looks = _looks()
    if looks is None:
        if not resources.store().settled:
            st.skeleton(height=420)
        return
    from seqdemo.explain.rollout import even_distance_words

    n_words = len(looks.tokens)
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


def _looks() -> Looks | None:
    model = own_models.answering().get(NAME)
    if model is None or not model.read(text()).tokens:
        return None
    return resources.looks(model, text())


def _answer() -> None:
    session: Session = st.session_state[_SESSION]
    with st.expander("Change the text", icon=":material/edit:"):
        old_box.ask(session.box, "attention_box", (DEFAULT, *EXAMPLES))
    if session.box.n > 0 and session.box.settled and session.text != session.box.text:
        session.text = st.session_state["review"] = session.box.text
        st.rerun()  # the whole page: what follows is about the same text
    model = own_models.answering().get(NAME)
    reading = model.read(session.text) if model else None
    if model is None or reading is None or not reading.tokens:
        message = _nothing_to_show(reading)
    else:
        message = attention_message(session, reading, model, resources.looks(model, session.text))
    _attention(key="attention", data=message)


def attention_message(session: Session, reading: Reading, model: Classifier, looks: Looks) -> bytes:
    """All that is needed to explore a text's attention, as one binary message.

    Args:
        session: What is read.
        reading: What the model read of the text.
        model: The model.
        looks: Where it looked.
    """
    n_layers, n_heads, _, d_head = looks.query.shape
    title, (layer, head, word) = finding(reading, looks)
    percents = percent(looks.probability)
    is_own = NAME in own_models.views()
    name = own_models.in_sentence(NAME)
    header = {
        "kind": "looks",
        "id": f"{_digest(session.text)}.{model.sha256[:12]}",
        "text_id": _digest(session.text),
        "review": "" if session.text == DEFAULT.text else session.text,
        "link_characters": old_box.LINK_CHARACTERS,
        "title": f"{name}: {title[0].lower()}{title[1:]}" if is_own else title,
        "start": {"layer": layer, "head": head, "word": word},
        "note": f"{word_notes.note({name: reading})} · {name} says {verdict(percents)}, {percents}\u00a0% positive",
        "notices": word_notes.notices({name: reading}, session.box.n_characters),
        **word_notes.shown({name: reading}),
        "n_layers": n_layers,
        "n_heads": n_heads,
        "d_head": d_head,
    }
    return pack(
        header,
        {
            "query": looks.query,
            "key": looks.key,
            "value": looks.value,
            "rollout": np.rint(looks.rollout * (2**16 - 1)).astype(np.uint16),
            "received": looks.received.mean(axis=1),
            "stream": looks.stream,
            "entropy": looks.entropy_bits,
            "thumbnails": looks.thumbnails,
            "peaks": looks.peaks,
        },
    )


def finding(reading: Reading, looks: Looks) -> tuple[str, tuple[int, int, int]]:
    """What the sharpest head looks at, in one sentence, and where to see it.

    Args:
        reading: What the model read.
        looks: Where it looked.

    Returns:
        The sentence; layer, head, and a word that is sure of another one, all from 0.
    """
    n_layers, n_heads, n_words = looks.received.shape
    layer, head = (int(k) for k in np.unravel_index(looks.entropy_bits.argmin(), looks.entropy_bits.shape))
    if n_words == 1:
        return "A single word can look at nothing but itself", (layer, head, 0)
    elsewhere = (looks.weights(layer, head) * (1 - np.eye(n_words))).max(axis=1)
    sure = [word for word in range(n_words) if elsewhere[word] >= _AS_SURE * elsewhere.max()]
    at = layer, head, max(sure, key=lambda word: len(looks.tokens[word]))  # a long word says more to a reader
    shares: dict[str, float] = {}
    for token, share in zip(looks.tokens, looks.received[layer, head].tolist(), strict=True):
        shares[token] = shares.get(token, 0) + share
    favourite = max(shares, key=lambda token: shares[token])
    lead = f"The sharpest of {n_layers * n_heads} heads, head {head + 1} of layer {layer + 1},"
    if shares[favourite] >= _ONE_WORD:
        word = reading.words[looks.tokens.index(favourite)]
        return f"{lead} gives {percent(shares[favourite])}\u00a0% of its attention to “{word[:30]}”", at
    return f"{lead} spreads its attention over {2 ** looks.entropy_bits[layer, head]:.1f} of {n_words} words", at


def _nothing_to_show(reading: Reading | None) -> bytes:
    loading = not resources.store().settled
    if reading is not None:
        said = word_notes.note({own_models.in_sentence(NAME): reading})
    elif loading:
        said = "Loading the models"
    else:
        said = f"The {MODELS[NAME].label} could not be loaded. {sources.why(resources.store().status(NAME))}"
    header: dict[str, Any] = {"kind": "nothing", "said": said, "loading": reading is None and loading}
    return pack(header, {})


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
