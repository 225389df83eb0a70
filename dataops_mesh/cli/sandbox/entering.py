"""Working in a sandbox: said first, on stderr, and not by every command."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from dataops_mesh.cli.output import say
from dataops_mesh.errors import Problem, SettingsError
from dataops_mesh.settings import PREFIX, load_settings
from dataops_mesh.store.store import PRODUCTION, SANDBOXES

VARIABLE = f"{PREFIX}SANDBOX"
# What looks at a line, or builds in it. Every other command is about the whole store, about what
# consumers read, or about what others agreed to: none is half done in a sandbox.
_INSIDE = frozenset(
    {
        *("run", "test", "plan", "check", "monitor", "status", "query", "show", "ui", "serve"),
        *("history", "incidents", "rollback", "new", "init", "import", "examine"),
    }
)


def enter_asked(command: str) -> None:
    """Enter the sandbox that the environment names, before any command.

    Raises:
        SettingsError: the command is not for sandboxes.
    """
    name = os.environ.get(VARIABLE, "")
    if not name:
        return
    if command == "sandbox":  # they name theirs
        del os.environ[VARIABLE]
        return
    if command not in _INSIDE:
        what = f"`mesh {command}` is not for a sandbox, and {VARIABLE} names one: {name}"
        raise SettingsError(Problem(what, next=f"unset {VARIABLE}"))
    enter(name)


def enter(name: str | None) -> None:
    """Let everything from here on, other processes included, work in a sandbox.

    Args:
        name: of the sandbox; `production` leaves the one that the environment names; or nothing.

    Raises:
        UnknownNameError: there is no such sandbox.
    """
    if not name:
        return
    os.environ.pop(VARIABLE, None)
    if name == PRODUCTION:
        return
    from dataops_mesh.run.environment import store_of
    from dataops_mesh.sandbox.known import told
    from dataops_mesh.store.log import latest

    settings = load_settings(sandbox=name)
    store = store_of(settings, create=False)
    os.environ[VARIABLE] = store.line.removeprefix(f"{SANDBOXES}/")
    say(told(store, latest(store), datetime.now(UTC)))
