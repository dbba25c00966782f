"""`python -m seqdemo app`: the pages in a browser, as `streamlit run app.py` in a checkout."""

from __future__ import annotations

import argparse
import runpy
import sys

from seqdemo import paths

HELP = "the pages in a browser; options of `streamlit run` may follow"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options of Streamlit are not declared, but handed on: `streamlit` holds them."""
    parser.set_defaults(streamlit=[])


def run(options: argparse.Namespace) -> None:
    """Becomes the server, until it is stopped."""
    sys.argv = ["streamlit", "run", str(paths.HOME / "app.py"), *options.streamlit]
    runpy.run_module("streamlit", run_name="__main__")
