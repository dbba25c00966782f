"""Where what comes with the program lies.

In a checkout it lies beside this package. A wheel carries it in `seqdemo/site`: the app, its pages and settings, and
what was measured, but no weights; those are in a folder that `SEQDEMO_PRETRAINED` names, or come from the Hub.
"""

from __future__ import annotations

import pathlib

from seqdemo import environment

PACKAGE = pathlib.Path(__file__).parent
_CARRIED = PACKAGE / "site"
HOME = _CARRIED if _CARRIED.is_dir() else PACKAGE.parent
"""Where `app.py`, `pages/`, `.streamlit/` and `pretrained/` are."""
PRETRAINED = (environment.PRETRAINED.read() or HOME / "pretrained").absolute()
"""The embedded checkpoints, one folder a model; stored studies and recorded runs beside them."""
RUNS = pathlib.Path("runs") if HOME == _CARRIED else HOME / "runs"
"""Where training runs of visitors go by default; of an installed copy, in the folder in which it is started."""
