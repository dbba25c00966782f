"""The colours of signed quantities: one scale centred on 0, in two colours that no model wears.

Safe for the three kinds of colour blindness in both themes, which a test computes. The browser gets them from here.
"""

from __future__ import annotations

ABOVE_0 = {"light": "#963c8c", "dark": "#c86eb4"}
"""Purple, by theme."""
BELOW_0 = {"light": "#8f8200", "dark": "#c4b628"}
"""Olive, by theme."""
ABOVE_0_ON_BOTH, BELOW_0_ON_BOTH = "#b0609f", "#9a8c00"
"""For charts that do not know the theme around them."""
ABOVE_0_NAME, BELOW_0_NAME = "purple", "olive"
"""What to call them in a sentence."""
