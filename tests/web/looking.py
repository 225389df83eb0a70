"""A headless Chromium that looks at a page as a person with a keyboard or a screen reader meets it.

python -m tests.web.looking WORKSPACE FOLDER      writes pictures of a mesh's pages
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from html import unescape
from importlib.resources import files
from pathlib import Path
from typing import Any

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars",
)  # fmt: skip
DARK = ("--force-dark-mode", "--blink-settings=preferredColorScheme=0")
DESKTOP, PHONE = (1280, 1400), (500, 1000)
_ASK = """
axe.run(document, {resultTypes: ["violations"]}).then(found => {
  const told = document.createElement("pre");
  told.id = "told";
  told.textContent = JSON.stringify({
    wide: document.documentElement.scrollWidth - window.innerWidth,
    dark: matchMedia("(prefers-color-scheme: dark)").matches,
    wrong: found.violations.map(one => ({
      id: one.id, impact: one.impact, nodes: one.nodes.slice(0, 3).map(node => node.html),
    })),
  });
  document.body.append(told);
});
"""


def examine(text: str, style: str, size: tuple[int, int], *, dark: bool = False) -> dict[str, Any]:
    """Return what axe finds wrong with a page, and how much wider than the window it is."""
    axe = files("axe_core_python").joinpath("axe.min.js").read_text("utf-8")
    axe = axe.replace("</script", "<\\/script")
    script = f"<script>{axe}</script><script>{_ASK}</script>"
    whole = _alone(text, style).replace("</body>", f"{script}</body>")
    page = _run(whole, size, "--dump-dom", "--virtual-time-budget=20000", dark=dark)
    told = re.search(r'<pre id="told">(.*?)</pre>', page, re.DOTALL)
    if told is None:
        raise AssertionError(page[-2000:])
    found: dict[str, Any] = json.loads(unescape(told[1]))
    return found


def picture(
    text: str, style: str, file: Path, size: tuple[int, int], *, dark: bool = False
) -> None:
    """Write a picture of a page."""
    _run(_alone(text, style), size, f"--screenshot={file}", dark=dark)


def _alone(text: str, style: str) -> str:
    return re.sub(r'<link rel="stylesheet"[^>]*>', lambda _: f"<style>{style}</style>", text)


def _run(text: str, size: tuple[int, int], *what: str, dark: bool) -> str:
    with tempfile.TemporaryDirectory(prefix="mesh-look-", ignore_cleanup_errors=True) as folder:
        page = Path(folder, "page.html")
        page.write_text(text, "utf-8")
        program = shutil.which("chromium") or shutil.which("chromium-browser") or "chromium"
        window = f"--window-size={size[0]},{size[1]}"
        own = (f"--user-data-dir={folder}/profile", window, *(DARK if dark else ()))
        command = [program, *FLAGS, *own, *what, page.as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    return done.stdout


def main(workspace: str, folder: str) -> None:
    """Write pictures of the first page and of each product's, for people and for docs/pages.md."""
    from dataops_mesh.cli.workspace import load_workspace
    from dataops_mesh.run.environment import open_environment
    from dataops_mesh.settings import load_settings
    from dataops_mesh.web.catalogue import catalogue_of
    from dataops_mesh.web.links import served
    from dataops_mesh.web.pages import PAGES, html_of
    from dataops_mesh.web.render import STYLE
    from dataops_mesh.web.view import view_of

    settings = load_settings(Path(workspace))
    catalogue = catalogue_of(load_workspace(settings), settings)
    style = STYLE.read_text("utf-8")
    by_kind = {page.kind: page for page in PAGES}
    with view_of(open_environment(settings), catalogue) as view:
        wanted = [("mesh", ""), *(("product", name) for name in catalogue.products)]
        for kind, name in wanted:
            facts = by_kind[kind].facts(view, {"name": name})
            text = html_of(by_kind[kind], facts, view, served)
            picture(text, style, Path(folder, f"{name or kind}.png"), DESKTOP)
            picture(text, style, Path(folder, f"{name or kind}-phone.png"), PHONE, dark=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
