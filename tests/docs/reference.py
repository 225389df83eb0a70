"""The reference pages, made of the code: `make reference` writes them, a test compares them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from dataops_mesh import errors
from dataops_mesh.cli.main import app
from dataops_mesh.policy.builtin import ALWAYS, BUILT_IN
from dataops_mesh.policy.model import Policy
from dataops_mesh.settings import PREFIX, Settings

DOCS = Path(__file__).parents[2] / "docs"
MADE = "Made of the code by `make reference`.\n"
PANELS = ("Write", "Run", "Look", "Decide", "Try", "Keep")


def commands_page() -> str:
    """Return the page of commands, by panel."""
    whole = typer.main.get_command(app)
    listed = {name: one for name, one in whole.commands.items() if not one.hidden}
    lines = ["# Commands", "", MADE]
    lines += ["Exit codes: 0 all is well; 1 a gate closed or a check found problems; 2 the call, a"]
    lines += ["declaration or a setting is not valid; 3 a bug in mesh itself; 130 interrupted.", ""]
    for panel in PANELS:
        lines += [f"## {panel}", ""]
        for name, command in listed.items():
            if command.rich_help_panel == panel:
                lines += [line for one in leaves(name, command) for line in of_command(*one)]
    return "\n".join(lines).rstrip() + "\n"


def leaves(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    """Return a command, or those inside a family."""
    inner = getattr(command, "commands", None)
    if not inner:
        yield name, command
        return
    for below, one in inner.items():
        if not one.hidden:
            yield f"{name} {below}", one


def of_command(name: str, command: Any) -> list[str]:
    """Return what a command takes."""
    lines = [f"### mesh {name}", "", (command.help or "").strip(), ""]
    rows = []
    for parameter in command.params:
        if parameter.name == "help":
            continue
        is_option = isinstance(parameter.opts, list) and parameter.opts[0].startswith("-")
        shown = (
            ", ".join(parameter.opts)
            if is_option
            else (parameter.metavar or str(parameter.name).upper())
        )
        rows.append(f"| `{cell(shown)}` | {cell(parameter.help or '')} |")
    if rows:
        lines += ["| | |", "|---|---|", *rows, ""]
    return lines


def cell(text: str) -> str:
    """Return a text as a cell of a table has it."""
    return text.replace("|", "\\|")


def settings_page() -> str:
    """Return the page of settings: what each means, its default and its variable."""
    said = inspect.getdoc(Settings) or ""
    meanings = dict(re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", said, re.MULTILINE))
    lines = ["# Settings", "", MADE]
    lines += [
        "In `[tool.dataops_mesh]` of the workspace's `pyproject.toml`, or as a variable of the"
    ]
    lines += [f"environment, `{PREFIX}<NAME>`, which wins. An unknown name is an error.", ""]
    lines += ["| setting | default | means |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        if name == "root":
            continue
        default = field.get_default(call_default_factory=True)
        shown = "" if default in (None, "", {}, ()) else f"`{default}`"
        meaning = " ".join(meanings[name].split())
        lines.append(f"| `{name}` | {shown} | {meaning} |")
    return "\n".join(lines) + "\n"


def rules_page() -> str:
    """Return the page of policies and of errors."""
    lines = ["# Policies and errors", "", MADE]
    lines += ["## Policies", "", "What each asks for stands in [policies](policies.md).", ""]
    lines += ["| policy | because | options |", "|---|---|---|"]
    lines += [f"| `{p.id}` | {p.rationale} | {options(p)} |" for p in BUILT_IN]
    lines += ["", "## What always holds", "", "| | |", "|---|---|"]
    lines += [f"| `{name}` | {what} |" for name, what in ALWAYS.items()]
    lines += ["", "## Errors", "", "All are a `dataops_mesh.MeshError`; a refusal is none.", ""]
    lines += ["| class | raised when |", "|---|---|"]
    kinds = [
        one
        for _, one in inspect.getmembers(errors, inspect.isclass)
        if issubclass(one, errors.MeshError)
    ]
    for kind in sorted(kinds, key=lambda one: (len(one.__mro__), one.__name__)):
        first = (inspect.getdoc(kind) or "").partition("\n\n")[0]
        lines.append(f"| `{kind.__name__}` | {' '.join(first.split())} |")
    return "\n".join(lines) + "\n"


def options(policy: Policy) -> str:
    """Return the options of a policy with their defaults."""
    return ", ".join(f"`{name}`" for name in policy.options)


PAGES = {"commands.md": commands_page, "settings.md": settings_page, "rules.md": rules_page}

if __name__ == "__main__":
    for page, make in PAGES.items():
        (DOCS / page).write_text(make(), "utf-8")
