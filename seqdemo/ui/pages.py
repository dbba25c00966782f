"""The pages of the app, one line each: for the navigation, and for the ways into them."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from seqdemo import paths
from seqdemo.runs.limits import is_allowed


@dataclass(frozen=True)
class Page:
    """One page.

    Attributes:
        file: Its file in `pages/`.
        title: Its title in the navigation.
        icon: Its Material icon.
        path: Its address below the app's; empty for the first page.
        invitation: What one sees there, in one sentence.
    """

    file: str
    title: str
    icon: str
    path: str
    invitation: str

    def st_page(self) -> StreamlitPage:
        """The page as Streamlit takes it."""
        return st.Page(
            paths.HOME / "pages" / self.file,
            title=self.title,
            icon=f":material/{self.icon}:",
            url_path=self.path or None,
            default=not self.path,
        )


PAGES = (
    Page("overview.py", "Overview", "home", "", "The five models, what they reach, and how they learned."),
    Page("sentiment.py", "Live sentiment", "keyboard", "sentiment", "Type a review. Five models read it as you write."),
    Page(
        "stepper.py", "Stepper", "step", "stepper", "Step two models through a text, word by word, with every number."
    ),
    Page(
        "attention.py",
        "Attention",
        "visibility",
        "attention",
        "Where the Transformer looks in a text, in every layer and head, and whether it matters.",
    ),
    Page(
        "translate.py",
        "Translate",
        "translate",
        "translate",
        "Type a date; a model with attention writes it as year-month-day and shows where it looks.",
    ),
    Page("memory.py", "Memory", "history", "memory", "How many words until a model has forgotten, measured, and why."),
    Page("write.py", "Write", "edit", "write", "Begin a text; three models say what comes next, and write on."),
    Page("train.py", "Train", "model_training", "train", "Train small models yourself and watch them learn, or not."),
)
_RECORDED = "Watch small models learn, or not, as it was recorded."
"""What one sees on the page Train where nobody may train."""


def ways_in() -> None:
    """A link to every page but the first."""
    for page in PAGES[1:]:
        with st.container(gap="xxsmall"):
            st.page_link(page.st_page(), label=f"**{page.title}**")
            st.markdown(page.invitation if page.path != "train" or is_allowed() else _RECORDED)
