"""Policies in Python, brought by installed packages: entry points of `dataops_mesh.policies`.

An entry point is a `Policy` or a list of them. A package that cannot be imported is a problem:
a rule that silently does not run protects nobody.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from functools import lru_cache
from importlib.metadata import EntryPoint, distributions, entry_points

from dataops_mesh.errors import Problem
from dataops_mesh.policy.builtin import ALWAYS, BUILT_IN
from dataops_mesh.policy.model import Policy

GROUP = "dataops_mesh.policies"


def plugged_in(problems: list[Problem]) -> tuple[Policy, ...]:
    """Return the policies of installed packages; `problems` receives what is wrong with them."""
    taken = {policy.id for policy in BUILT_IN} | set(ALWAYS)
    found: list[Policy] = []
    for entry in sorted(brought(), key=lambda point: point.name):
        for policy in _policies(entry, problems):
            if policy.id in taken:
                problems.append(_problem(entry, f'there is a policy "{policy.id}" already'))
            else:
                found.append(policy)
            taken.add(policy.id)
    return tuple(found)


def brought() -> tuple[EntryPoint, ...]:
    """Return the entry points of installed packages; they are asked again when one is installed.

    Of every package one small file is read for it: 5 to 10 ms of each run.
    """
    return _brought(tuple((entry, _changed(entry)) for entry in sys.path))


@lru_cache(maxsize=1)
def _brought(_: tuple[tuple[str, int], ...]) -> tuple[EntryPoint, ...]:
    # To ask for a group parses the names of all packages: only where one has it.
    if not any(GROUP in (one.read_text("entry_points.txt") or "") for one in distributions()):
        return ()
    return tuple(entry_points(group=GROUP))


def _changed(folder: str) -> int:
    try:
        return os.stat(folder or ".").st_mtime_ns  # noqa: PTH116 - a text as it stands in the path
    except OSError:
        return 0


def _policies(entry: EntryPoint, problems: list[Problem]) -> list[Policy]:
    try:
        loaded = entry.load()
    except Exception as error:  # noqa: BLE001 - another package's import may raise anything
        problems.append(_problem(entry, f"cannot be imported: {type(error).__name__}: {error}"))
        return []
    given = list(loaded) if isinstance(loaded, Iterable) else [loaded]
    if not all(isinstance(policy, Policy) for policy in given):
        problems.append(_problem(entry, "must be a Policy or a list of them"))
        return []
    return given


def _problem(entry: EntryPoint, what: str) -> Problem:
    return Problem(f"the entry point {entry.name} of {GROUP} ({entry.value}) {what}")
