"""A text written on by three cells, answered by routes; here it is placed."""

from __future__ import annotations

import streamlit as st

from seqdemo.checkpoints import find
from seqdemo.models.registry import MODELS
from seqdemo.serve.hidden_words import readers
from seqdemo.serve.write import MAX_SEED, MAX_WORDS
from seqdemo.text import MAX_CHARACTERS
from seqdemo.ui import resources
from seqdemo.ui.shared import address
from seqdemo.ui.shared.component import component, sent
from seqdemo.ui.write import measured

_write = component("write/write.js", "shared/js/desk.css write/write.css")
"""A box for the beginning, the likeliest next words of each model, and what they write; asks for them at each edit."""
EXAMPLES = (
    ("opinion", "I expected to be bored, but this film is"),
    ("story", "A young woman moves to a small town and"),
    ("negation", "It is not that the acting was bad, it was just"),
    ("opening quote", 'The first thing that she said was "'),
    ("rating", "All in all I would give it"),
    ("nothing", ""),
)
TEMPERATURES = tuple(f"{tenths / 10:g}" for tenths in range(21))
TOP_K = ("0", "1", "2", "5", "10", "20", "50", "100", "1000")
TOP_P = ("1", "0.99", "0.95", "0.9", "0.8", "0.7", "0.5", "0.3")
_LINK_CHARACTERS = 2_000


def render() -> None:
    """Draws the box with everything that answers to it; the browser itself reads `step` of the address."""
    query = st.query_params.to_dict()
    asked = address.Asked(query)
    settings = {
        "temperature": asked.choice("temperature", TEMPERATURES, "0.8"),
        "top_k": asked.choice("top_k", TOP_K, "0"),
        "top_p": asked.choice("top_p", TOP_P, "1"),
        "words": str(asked.integer("words", 1, MAX_WORDS, 40)),
        "seed": str(asked.integer("seed", 0, MAX_SEED, 1)),
    }
    _write(
        key="write",
        data=sent(
            {
                "text": address.text(query, "text", EXAMPLES[0][1], most=_LINK_CHARACTERS),
                "settings": settings,
                "choices": {"temperature": TEMPERATURES, "top_k": TOP_K, "top_p": TOP_P},
                "most": {"words": MAX_WORDS, "seed": MAX_SEED, "characters": MAX_CHARACTERS, "link": _LINK_CHARACTERS},
                "written": asked.choice("written", ["yes"], "") == "yes",
                "refused": asked.refused,
                "writers": [_looks(name) for name in find.writers()],
                "readers": [{**_looks(name), "both": not MODELS[name].has_states} for name in readers()],
                "counting": measured.bits_of_counting(),
                "examples": [{"kind": kind, "text": text} for kind, text in EXAMPLES],
                "token": resources.visitor(),
            }
        ),
    )


def _looks(name: str) -> dict[str, str]:
    spec = MODELS[name]
    return {"name": name, "label": spec.label, "colour": spec.colour, "dash": spec.dash}
