"""The parts of pages that run in the browser: JavaScript in modules, put together as Streamlit takes it.

Each is one `.js` file that other files are imported into, with its `.css`, mounted by `st.components.v2`. Visitors'
words reach the page as text nodes only. A component is called again when its data changed, so each call is idempotent
and keeps what it needs by its parent element.
"""

from __future__ import annotations

import json
import pathlib
import re
from typing import TYPE_CHECKING, Any

import streamlit as st

from seqdemo.colours import ABOVE_0, ABOVE_0_NAME, BELOW_0, BELOW_0_NAME
from seqdemo.serve.verdicts import UNSURE_FROM, UNSURE_TO
from seqdemo.ui.shared.address import NOT_THERE

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

FROM_PYTHON = {
    "signed": {theme: [BELOW_0[theme], ABOVE_0[theme]] for theme in ABOVE_0},
    "signed_names": [BELOW_0_NAME, ABOVE_0_NAME],
    "unsure": [UNSURE_FROM, UNSURE_TO],
    "not_there": NOT_THERE,
}
"""What JavaScript knows as `PYTHON`: colours, thresholds and sentences that are said once."""
_UI = pathlib.Path(__file__).parents[1]
_IMPORT = re.compile(r'^import \{[^}]*\} from "([^"]+)"\n', re.M)
_EXPORT = re.compile(r"^export (?!default\b)", re.M)


def component(entry: str, css: str = "") -> ComponentRenderer:
    """Registers what a page mounts.

    Args:
        entry: The JavaScript file below `ui/` whose default export draws it; its stem is the component's name.
        css: CSS files below `ui/`, separated by blanks, in their order.
    """
    styles = "".join((_UI / path).read_text(encoding="utf-8") for path in css.split())
    path = _UI / entry
    return st.components.v2.component(
        path.stem, js=f"const PYTHON = {json.dumps(FROM_PYTHON)}\n{bundle(path)}", css=styles or None
    )


def sent(data: dict[str, Any]) -> list[dict[str, Any]]:
    """Data for a component. Streamlit looks through a dict for tables, and imports pandas to do so; not in a list."""
    return [data]


def bundle(entry: pathlib.Path) -> str:
    """One script of a module and all that it imports, each once, the imported before those that import them.

    A component reaches the browser as a `blob:`, where relative imports lead nowhere. What is put together shares one
    scope, so that no two modules of a bundle may declare the same name, and an import cannot be renamed.

    Args:
        entry: The module whose default export stays.
    """
    parts: dict[pathlib.Path, str] = {}
    seen = set()

    def take(path: pathlib.Path) -> None:
        if path in seen:
            return
        seen.add(path)
        text = path.read_text(encoding="utf-8")
        for found in _IMPORT.finditer(text):
            take((path.parent / found[1]).resolve())
        parts[path] = _EXPORT.sub("", _IMPORT.sub("", text))

    take(entry.resolve())
    return "\n".join(parts.values())
