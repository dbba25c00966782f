"""The box of pages that are answered by reruns; goes with the last of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from seqdemo.text import MAX_CHARACTERS
from seqdemo.ui.shared.component import component, sent
from seqdemo.ui.shared.examples import Example

if TYPE_CHECKING:
    from seqdemo.explain.prefixes import Curve

_old_box = component("shared/js/old_box.js", "shared/js/review_box.css")
"""The box one types in; its state `edit` holds {text, length, rev, n, settled, example}."""
LINK_CHARACTERS = 2_000
"""A longer review does not fit into a link that every browser and server takes."""


@dataclass
class Session:
    """One visitor's review and what was answered to it.

    Attributes:
        given: The text that Python last put into the box.
        rev: Counts how often it did; edits that carry another one came too late.
        text: What stands in the box, at most `MAX_CHARACTERS` of it.
        n_characters: How many characters stand in the box.
        n: The number of the last edit, counted by the box.
        settled: Whether the last edit lies a second back, so that curves are wanted.
        before: Per cents before the edit that is going on, by model; an edit ends with a
            second without a key, so that it is a word or a phrase rather than a letter.
        now: Per cents of `text`, by model.
        job: The curves that are being computed, of `job_key`.
        job_key: (text, checkpoint sha256 of each model).
        curves_key: The same for the curves on screen.
        curves: What the chart shows.
        asked: How often the browser was told to ask again for the same curves.
    """

    given: str
    rev: int = 1
    text: str = ""
    n_characters: int = 0
    n: int = 0
    settled: bool = True
    before: dict[str, int] = field(default_factory=dict)
    now: dict[str, int] = field(default_factory=dict)
    job: Future[Mapping[str, Curve]] | None = None
    job_key: tuple[str, ...] = ()
    curves_key: tuple[str, ...] = ()
    curves: dict[str, Any] = field(default_factory=dict)
    asked: int = 0

    def __post_init__(self) -> None:
        """Begins with the given text."""
        self.give(self.given)

    def give(self, text: str) -> None:
        """Puts a text into the box; edits of an earlier one count no more."""
        self.given = self.text = _well_formed(text)[:MAX_CHARACTERS]
        self.n_characters = len(text)
        self.rev += 1
        self.n = 0
        self.settled = True
        self.before, self.now = {}, {}

    def take(self, edit: object) -> None:
        """Takes what the box reported, unless it belongs to an earlier text or was seen."""
        if not isinstance(edit, Mapping):
            return
        match edit:
            case {"text": str(text), "length": int(length), "rev": self.rev, "n": int(n), "settled": bool(settled)}:
                if n <= self.n:
                    return
            case _:
                return
        self.n = n
        text = _well_formed(text)[:MAX_CHARACTERS]
        if edit.get("example") is True:
            self.before, self.now = {}, {}
        elif text != self.text and self.settled:
            self.before = self.now
        self.text, self.n_characters, self.settled = text, max(length, len(text)), settled


def ask(box: Session, key: str, examples: Sequence[Example]) -> None:
    """Draws the box that every page about a text has, and takes what was typed in it.

    Args:
        box: What this visitor has typed on that page.
        key: The component's key.
        examples: Texts to try.
    """
    found = _old_box(
        key=key,
        data=sent(
            {
                "text": box.given,
                "rev": box.rev,
                "examples": [{"kind": example.kind, "text": example.text} for example in examples],
                "max_characters": MAX_CHARACTERS,
                "link_characters": LINK_CHARACTERS,
            }
        ),
        on_edit_change=_nothing,
    )
    box.take(found.edit)


def _well_formed(text: str) -> str:
    """Half a surrogate pair, as a cut in JavaScript leaves it, cannot be encoded: it becomes U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _nothing() -> None:
    """A component's state is only declared where it has a callback."""
