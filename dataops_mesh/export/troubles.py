"""What PostgreSQL says, without what it repeats: a URL, or a value of the data."""

from __future__ import annotations

import re
from typing import Any

from dataops_mesh.errors import ExportError, Location, Problem

_AT = re.compile(r"COPY [^\n]*?, line (\d+)(?:, column ([^:\n]+))?")
_WORD = re.compile(r"([A-Z]+)")
_REASONS = {
    "password authentication failed": "it does not know this user with this password",
    "no password supplied": "it asks for a password, and the URL has none",
    "Connection refused": "nothing listens there",
    "could not translate host name": "nobody knows the host",
    "does not exist": "it has no such database or role",
    "timeout": "it does not answer",
    "no pg_hba.conf entry": "it lets nobody in from here",
    "too many": "it has too many connections",
}
_NEXT = {
    "42501": "grant its role usage and create on the schema, or let it create the schema",
    "55P03": "a transaction has read the view for long; the next try may find it ended",
    "2BP01": "drop what is made of it, then mesh export",
    "53100": "make room on the database's disk, then mesh export",
}


def unreachable(error: Any, name: str, where: Location | None) -> ExportError:
    """Return why a connection cannot be opened."""
    said = str(error)
    why = next((told for word, told in _REASONS.items() if word in said), "it is no good URL")
    what = f'the connection "{name}" cannot be opened: {why}'
    then = f"look at MESH_CONNECTION_{name.upper()}, then mesh export"
    return ExportError(Problem(what, where, next=then))


def told(error: Any, name: str, where: Location | None) -> ExportError:
    """Return what went wrong in a database, by the name of the error and the place in the data."""
    code = error.pgcode or ""
    kind = type(error).__name__ if code else "ConnectionWasLost"
    words = _WORD.sub(r" \1", kind).strip().lower()
    what = f'the connection "{name}": {words}'
    diagnosed = getattr(error, "diag", None)
    if found := _AT.search((diagnosed and diagnosed.context) or ""):
        column = f', column "{found[2]}"' if found[2] else ""
        what += f" in row {found[1]}{column}"
    if code == "2BP01" and diagnosed is not None and diagnosed.message_detail:
        what += f": {diagnosed.message_detail}"
    return ExportError(Problem(what, where, next=_NEXT.get(code, "mesh export tries again")))
