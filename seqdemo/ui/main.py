"""The script that runs for every visitor: navigation, sidebar, page."""

from __future__ import annotations

import streamlit as st

from seqdemo.ui import resources, sources
from seqdemo.ui.marks import favicon
from seqdemo.ui.pages import PAGES

_SIDEBAR_PX = 270

st.set_page_config(
    page_title="Five sequence models", page_icon=favicon(), layout="wide", initial_sidebar_state=_SIDEBAR_PX
)

resources.store()  # begins to load where `app.py` has not
page = st.navigation([page.st_page() for page in PAGES])
sources.sidebar()
page.run()
