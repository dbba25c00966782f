"""What `streamlit run app.py` starts: the server, and the models loading behind it; ends what it trains.

An ASGI app rather than a script: a `pages/` folder beside the main script would answer
the first deep link without the navigation of `seqdemo/ui/main.py`.
"""

from __future__ import annotations

import contextlib
import pathlib
from collections.abc import AsyncIterator

import streamlit as st
from starlette.middleware import Middleware

from seqdemo import environment, paths
from seqdemo.errors import ConfigError
from seqdemo.serve.headers import DEFAULT_ANCESTORS, SecurityHeaders
from seqdemo.serve.routes import routes
from seqdemo.serve.service import Service

try:
    environment.check()
except ConfigError as error:
    raise SystemExit(f"seqdemo does not start: {error}") from None


@contextlib.asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """Begins to load the models with the server; neither waits for the other. No training outlives the server."""
    from seqdemo.ui import resources  # here, since Streamlit's caches want a running server

    resources.store()
    resources.service()
    resources.jobs()  # deletes old runs from now on, whether anyone comes or not
    try:
        yield
    finally:
        resources.jobs().close()


def service() -> Service:
    """What answers the routes, as the pages know it."""
    from seqdemo.ui import resources

    return resources.service()


headers = Middleware(
    SecurityHeaders,
    page=(pathlib.Path(st.__file__).parent / "static" / "index.html").read_text(encoding="utf-8"),
    frame_ancestors=environment.FRAME_ANCESTORS.read() or DEFAULT_ANCESTORS,
)
app = st.App(
    paths.PACKAGE / "ui" / "main.py",
    lifespan=lifespan,
    middleware=[headers],
    routes=routes(service, str(st.get_option("server.baseUrlPath") or "")),
)
