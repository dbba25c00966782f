"""The sign of each model wherever words name it: a short line in its colour and dash."""

from __future__ import annotations

import re
import urllib.parse

from seqdemo.models.registry import MODELS


def mark_address(name: str) -> str:
    """A model's line and dot as the address of an image, `data:image/svg+xml,…`."""
    spec = MODELS[name]
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="34" height="12" viewBox="0 0 34 12">'
        f'<line x1="1" y1="6" x2="33" y2="6" stroke="{spec.colour}" stroke-width="3" stroke-dasharray="{spec.dash}"/>'
        f'<circle cx="17" cy="6" r="5" fill="{spec.colour}"/></svg>'
    )
    return f"data:image/svg+xml,{urllib.parse.quote(svg)}"


def mark(name: str) -> str:
    """The same as a Markdown image."""
    return f"![]({mark_address(name)})"


def favicon() -> str:
    """The models' colours as three lines; an icon of Streamlit's own would be fetched from a CDN."""
    colours = [MODELS[name].colour for name in ("rnn", "lstm", "transformer")]
    lines = "".join(
        f'<path d="M2 {y} C 12 {y}, 20 {y - 12}, 30 {y - 12}" stroke="{colour}" stroke-width="4" fill="none"/>'
        for colour, y in zip(colours, (18, 24, 30), strict=True)
    )
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="32" height="32" viewBox="0 0 32 32">{lines}</svg>'


def plain(text: str) -> str:
    """Text that Markdown shows as it is: messages may hold paths, or what a server said."""
    return re.sub(r"([\\`*_{}\[\]()<>#+\-.!|~$:&])", r"\\\1", " ".join(text.split()))
