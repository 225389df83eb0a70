"""A headless Chromium that reads one page: its text, or a picture of it."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--window-size=1600,1100", "--hide-scrollbars",
)  # fmt: skip
_SILENT = re.compile(r"<(script|style)\b.*?</\1>", re.DOTALL)
_TAG = re.compile(r"<[^>]+>")


def program() -> str | None:
    """Return Chromium's program, where it is installed."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


def text_of(url: str, picture: Path, wait: int = 15_000) -> str:
    """Return what a person would read on a page, once it has loaded; keep a picture of it.

    Args:
        url: the page.
        picture: where the screenshot goes.
        wait: milliseconds of the page's own time.
    """
    page = _run(url, wait, "--dump-dom", f"--screenshot={picture}")
    words = html.unescape(_TAG.sub(" ", _SILENT.sub(" ", page)))
    return " ".join(words.split())


def _run(url: str, wait: int, *what: str) -> str:
    with tempfile.TemporaryDirectory(prefix="mesh-chromium-", ignore_cleanup_errors=True) as folder:
        own = (f"--user-data-dir={folder}", f"--virtual-time-budget={wait}")
        command = [program() or "chromium", *FLAGS, *own, *what, url]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    return done.stdout
