"""The tutorial and the page on testing, word for word: every line that starts with $ is typed, and what it shows is said."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "start.md").read_text("utf-8")
TESTING = (DOCS / "testing.md").read_text("utf-8")
NOT_TYPED = ("pip install", "mesh ui")  # a test has it installed, and the UI never ends
SECONDS = re.compile(r"\d+\.\d+$")


def typed_lines() -> list[tuple[str, list[str]]]:
    """Return each command and what the page shows of its answer."""
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(r"```console\n(.*?)```", PAGE + TESTING, re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            else:
                found[-1][1].append(line)
    return found


def plain(text: str) -> str:
    """Return a line without its seconds and without runs of spaces."""
    return " ".join(SECONDS.sub("", text.strip()).split())


def test_every_command_of_the_tutorial_does_what_it_says(tmp_path):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("DATAOPS_MESH_", "DAGSTER_"))}
    programs = str(Path(sys.executable).parent)
    env |= {"PATH": f"{programs}:{env['PATH']}", "HOME": str(tmp_path)}
    folder = tmp_path
    lines = typed_lines()
    assert len(lines) > 10
    for command, shown in lines:
        if command.startswith("cd "):
            folder = (folder / command[3:]).resolve()
            continue
        if command.startswith(NOT_TYPED):
            continue
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=folder,
            env=env,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=240,
            check=False,
        )
        said = done.stdout + done.stderr
        assert "bug in mesh" not in said, said
        refused = any("refused" in line for line in shown)
        assert done.returncode == (1 if refused else 0), f"{command}\n{said}"
        there = {plain(line) for line in said.splitlines()}
        for line in shown:
            assert plain(line) in there, f"{command}\n{line}\n{said}"
    written = folder / "tests" / "test_revenue.py"
    written.write_text(re.findall(r"```python\n(.*?)```", TESTING, re.DOTALL)[0], "utf-8")
    pytest_ = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    done = subprocess.run(
        pytest_, cwd=folder, env=env, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


@pytest.mark.parametrize("name", sorted(set(re.findall(r"\]\((\w+\.md)\)", PAGE))))
def test_the_pages_it_names_are_there(name):
    assert (DOCS / name).is_file()
