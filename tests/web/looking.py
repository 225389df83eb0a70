"""A headless Chromium that looks at pages as a person with a keyboard or a screen reader does.

python -m tests.web.looking WORKSPACE FOLDER      writes pictures of all pages of a mesh
"""

from __future__ import annotations

import base64
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from itertools import count
from pathlib import Path
from typing import Any
from urllib.request import urlopen

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars", "--no-proxy-server", "--remote-debugging-port=0",
)  # fmt: skip
DESKTOP, PHONE = (1280, 900), (390, 844)
_SECONDS = 60
_ASK = """
axe.run(document, {resultTypes: ["violations"]}).then(found => JSON.stringify({
  wide: document.documentElement.scrollWidth,
  dark: matchMedia("(prefers-color-scheme: dark)").matches,
  wrong: found.violations.map(one => ({
    id: one.id, impact: one.impact, nodes: one.nodes.slice(0, 3).map(node => node.html),
  })),
}))
"""


@dataclass
class Chromium:
    """One window, told what to do by the DevTools protocol."""

    talk: Any
    _numbers: Iterator[int] = field(default_factory=count)

    def ask(self, method: str, **given: Any) -> dict[str, Any]:
        """Call a method and wait for its answer."""
        number = next(self._numbers)
        self.talk.send(json.dumps({"id": number, "method": method, "params": given}))
        while True:
            told = json.loads(self.talk.recv(timeout=_SECONDS))
            if told.get("id") == number:
                if "error" in told:
                    raise AssertionError(method, told["error"])
                return dict(told["result"])

    def visit(self, url: str, size: tuple[int, int], *, dark: bool = False) -> None:
        """Open a page without JavaScript, as it is on a screen of a size."""
        width, height = size
        self.ask("Emulation.setScriptExecutionDisabled", value=True)
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height,
                 deviceScaleFactor=1, mobile=size == PHONE)  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[scheme])
        self.ask("Page.enable")
        self.ask("Page.navigate", url=url)
        while json.loads(self.talk.recv(timeout=_SECONDS)).get("method") != "Page.loadEventFired":
            pass

    def picture(self, file: Path, *, whole: bool = True) -> None:
        """Write a picture of the page, or of what a person sees of it at first."""
        told = self.ask("Page.captureScreenshot", captureBeyondViewport=whole)
        file.write_bytes(base64.b64decode(told["data"]))

    def seen(self) -> str:
        """Return the text that stands in the window before anybody scrolls."""
        lines = """[...document.querySelectorAll("main *")].filter(one =>
            one.getBoundingClientRect().bottom < innerHeight && !one.children.length
        ).map(one => one.parentElement.innerText).join("\\n")"""
        told = self.ask("Runtime.evaluate", expression=lines, returnByValue=True)
        return str(told["result"]["value"])

    def examine(self) -> dict[str, Any]:
        """Return what axe finds wrong with the page, and how wide the page is."""
        self.ask("Emulation.setScriptExecutionDisabled", value=False)
        axe = files("axe_core_python").joinpath("axe.min.js").read_text("utf-8")
        self.ask("Runtime.evaluate", expression=axe)
        told = self.ask("Runtime.evaluate", expression=_ASK, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in told:
            raise AssertionError(told["exceptionDetails"])
        found: dict[str, Any] = json.loads(told["result"]["value"])
        return found


@contextmanager
def chromium() -> Iterator[Chromium]:
    """Start Chromium, and end it with all that it started."""
    from websockets.sync.client import connect

    program = shutil.which("chromium") or shutil.which("chromium-browser") or "chromium"
    with tempfile.TemporaryDirectory(prefix="mesh-look-", ignore_cleanup_errors=True) as folder:
        process = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={folder}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            with urlopen(f"http://127.0.0.1:{_port(Path(folder), process)}/json/list") as answer:
                pages = [one for one in json.load(answer) if one["type"] == "page"]
            with connect(
                pages[0]["webSocketDebuggerUrl"], max_size=None, proxy=None, compression=None
            ) as talk:
                yield Chromium(talk)
        finally:
            process.terminate()
            process.wait(_SECONDS)


def _port(folder: Path, process: subprocess.Popen[bytes]) -> str:
    file, until = folder / "DevToolsActivePort", time.monotonic() + _SECONDS
    while time.monotonic() < until and process.poll() is None:
        if file.is_file() and (said := file.read_text("utf-8").split()):
            return said[0]
        time.sleep(0.05)
    raise AssertionError("Chromium did not start")


@contextmanager
def answering(app: Any) -> Iterator[str]:
    """Let an application answer on a port of this machine."""
    import uvicorn

    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(_SECONDS)


def file_of(path: str) -> str:
    """Return what the picture of a page is called."""
    name = path.strip("/").translate(str.maketrans("/?=", "---"))
    return name or "mesh"


def main(workspace: str, folder: str) -> None:
    """Write pictures of all pages, for people and for docs/pages.md."""
    sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]
    from eventful import browser

    from dataops_mesh.settings import load_settings

    pages = browser(load_settings(Path(workspace)))
    with answering(pages.app) as url, chromium() as window:
        for path, _ in pages.crawl():
            window.visit(url + path, DESKTOP)
            window.picture(Path(folder, f"{file_of(path)}.png"))
            window.visit(url + path, PHONE, dark=True)
            window.picture(Path(folder, f"{file_of(path)}-phone.png"))


if __name__ == "__main__":
    main(*sys.argv[1:])
