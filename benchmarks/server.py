"""A Streamlit server of its own for a benchmark: started on a free port, ended afterwards."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator

ROOT = pathlib.Path(__file__).resolve().parent.parent


@contextlib.contextmanager
def serve(script: pathlib.Path, *, port: int = 0, patience_s: float = 60) -> Iterator[tuple[str, int]]:
    """Runs `streamlit run script` until the block ends.

    Args:
        script: What to run.
        port: Where; 0 for any free port.
        patience_s: How long the server may take to answer.

    Yields:
        Its address and its process id.
    """
    port = port or free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(script), f"--server.port={port}"]
    command += ["--server.address=127.0.0.1", "--server.headless=true", "--server.fileWatcherType=none"]
    command += ["--browser.gatherUsageStats=false", "--logger.level=error"]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"}, stdout=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{address}/_stcore/health", process, patience_s)
        yield address, process.pid
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def find_browser() -> str | None:
    """Chromium or Chrome on this machine; None leaves the choice to Playwright."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


def _wait_for(url: str, process: subprocess.Popen[bytes], patience_s: float) -> None:
    end = time.monotonic() + patience_s
    while True:
        if process.poll() is not None:
            sys.exit(f"The server ended with code {process.returncode} before it answered.")
        with contextlib.suppress(OSError):  # refused, or too busy to answer
            urllib.request.urlopen(url, timeout=1).close()
            return
        if time.monotonic() > end:
            sys.exit(f"The server did not answer within {patience_s:.0f} s.")
        time.sleep(0.05)
