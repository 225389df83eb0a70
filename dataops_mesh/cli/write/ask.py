"""Ask for what no flag said, if somebody is there to answer."""

from __future__ import annotations

import sys

import typer

from dataops_mesh.errors import Problem, SettingsError


def asked(given: str | None, question: str, flag: str, default: str | None = None) -> str:
    """Return what was given, else the answer at the terminal, else the default.

    Raises:
        SettingsError: nobody is there to answer, and there is no default.
    """
    if given is not None:
        return given
    if sys.stdin.isatty():
        return str(typer.prompt(question, default=default, err=True))
    if default is None:
        raise SettingsError(Problem(f"nobody said: {question}", key=flag, next=f"add {flag}"))
    return default
