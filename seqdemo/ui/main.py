"""The script that runs for every visitor: navigation, sidebar, page."""

from __future__ import annotations

import streamlit as st

from seqdemo.ui import resources
from seqdemo.ui.pages import PAGES
from seqdemo.ui.shared import own_models, sources
from seqdemo.ui.shared.component import component
from seqdemo.ui.shared.marks import favicon

# Shows nothing: keeps `own` in addresses, a heading of the address in view, and a phone's drawer out of the way.
_shell = component("shared/js/shell.js")
_SIDEBAR_PX = 250
# Streamlit has no setting for the empty margins around a page. Here they end where a projector's
# 1280 pixels would lose the chart below the fold; the header keeps its bar only where it holds
# the button that opens the sidebar. Elsewhere it lies over the page, and what is under it can be reached.
_MARGINS = """
<style>
[data-testid="stMainBlockContainer"] { padding: 0.25rem 1rem 4rem; }
[data-testid="stMainBlockContainer"] h1 { padding: 0.75rem 0 0.5rem; }
[data-testid="stSidebarHeader"] { height: 2.5rem; }
[data-testid="stSidebarUserContent"] { padding: 1rem 0 2rem; }
.stApp:has([data-testid="stExpandSidebarButton"]) [data-testid="stMainBlockContainer"] { padding-top: 3.25rem; }
@media (max-width: 767px) { [data-testid="stMainBlockContainer"] { padding-top: 3.25rem; } }
@media (max-width: 640px) { [data-testid="stMainBlockContainer"] h1 { font-size: 1.3rem; } }
@media (min-width: 768px) {
  [data-testid="stMainBlockContainer"] { padding-left: 2.5rem; padding-right: 3.25rem; }
  .stApp:not(:has([data-testid="stExpandSidebarButton"])) [data-testid="stHeader"] {
    background: transparent; pointer-events: none;
  }
  .stApp:not(:has([data-testid="stExpandSidebarButton"])) [data-testid="stHeader"] :not(button, a) {
    pointer-events: none;
  }
  [data-testid="stHeader"] :is(button, a) { pointer-events: auto; }
}
:is([data-testid="stSidebarNavLink"], [data-testid="stPageLink-NavLink"]):focus-visible,
[data-testid="stHeader"] button:focus-visible {
  outline: 3px solid;
}
@media (min-width: 1600px) { [data-testid="stCaptionContainer"] { font-size: 1rem; } }
</style>
"""

st.set_page_config(
    page_title="Five sequence models", page_icon=favicon(), layout="wide", initial_sidebar_state=_SIDEBAR_PX
)

st.html(_MARGINS)
resources.store()  # begins to load where `app.py` has not
page = st.navigation([page.st_page() for page in PAGES])
sources.sidebar()
own_models.sidebar()
with st.sidebar:
    _shell(key="shell", data=[{"own": ",".join(own_models.ids()), "page": page.url_path}], height=1)
own_models.say_missing(page.url_path)
page.run()
