"""docs/who-did-what.md: what it shows is what the commands say."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from cli_cases import orders
from helpers import write_product

PAGE = Path(__file__).parents[3] / "docs" / "who-did-what.md"


def shown(command: str) -> list[str]:
    """Return what the page shows below a command, with what differs each time made the same."""
    block = PAGE.read_text("utf-8").partition(f"$ {command}\n")[2].partition("```")[0]
    return plain(block)


def plain(text: str) -> list[str]:
    for pattern in (r"\d{8}T\d{6}Z-\w{8}", r"\d{4}-\d\d-\d\dT[\d:.+]+", r"\b[0-9a-f-]{12,40}\b"):
        text = re.sub(pattern, "#", text)
    return [" ".join(line.split()) for line in text.strip().splitlines()]


def test_the_page_shows_what_the_commands_say(mesh, workspace):
    root = workspace.root
    (root / ".gitignore").write_text(".mesh\n__pycache__\n", "utf-8")
    git = ["git", "-C", str(root), "-c", "user.name=Ana", "-c", "user.email=ana@mesh.example"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-qm", "x"], check=True)
    assert mesh("run").code == 0
    assert plain(mesh("show", "2").out) == shown("mesh show 2")
    assert plain(mesh("show", "1", "--down").out) == shown("mesh show 1 --down")
    write_product(root, "shop", "orders", orders("id\n1\n1\n"))
    assert mesh("run", "shop.orders").code == 1
    refused = mesh("show", "shop.orders", "--history", "--format", "json").json[0]["candidate"]
    said = mesh("query", "from shop.orders", "--candidate", refused.rpartition("/")[2])
    (command,) = re.findall(r"\$ (mesh query .*)", PAGE.read_text("utf-8"))
    assert plain(said.out) == shown(command)
    assert "files that differ from it" in mesh("show", refused).out
    evidence = mesh("report", "evidence", "--from", "2026-10-01", "--to", "2026-12-31")
    assert evidence.code == 0, evidence.err
    folder = root / "evidence-2026-10-01-2026-12-31"
    named = set(re.findall(r"^\| `(\w+\.(?:csv|html))` \|", PAGE.read_text("utf-8"), re.MULTILINE))
    assert named == {file.name for file in folder.iterdir() if file.is_file()}
