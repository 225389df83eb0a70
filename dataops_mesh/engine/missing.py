"""What to say to somebody who asked a release for a name that it does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataops_mesh.engine import sql
from dataops_mesh.errors import NotPublishedError, Problem, did_you_mean
from dataops_mesh.spec.model import Address
from dataops_mesh.store.log import Release
from dataops_mesh.store.removing.withdrawal import withdrawal_of, withdrawn_problem

if TYPE_CHECKING:
    import duckdb

_TABLE = "Table with name"
_LISTED = 20


def missing_name(
    con: duckdb.DuckDBPyConnection, query: str, error: Exception, release: Release
) -> NotPublishedError | None:
    """Return the error about the first relation that is not published, if that is what is wrong.

    Args:
        con: the session in which the query failed.
        query: what was asked.
        error: what DuckDB said.
        release: what the session shows.
    """
    if _TABLE not in str(error):
        return None
    known = sorted(map(str, release.ports))
    try:
        asked = sorted(con.get_table_names(query, qualified=True))
    except sql.engine_error():
        return None
    unknown = [name for name in asked if name.replace('"', "") not in known]
    if not unknown:
        return None
    gone = {str(a): hold for a in release.withdrawn if (hold := withdrawal_of(release, a))}
    for name in unknown:
        if (hold := gone.get(name.replace('"', ""))) is not None:
            return NotPublishedError(withdrawn_problem(Address.parse(name.replace('"', "")), hold))
    what = f"{unknown[0]} is not published"
    if not release.whole:
        what = f"release {release.number} is an old one, of which {unknown[0]} was not kept"
    return NotPublishedError(
        Problem(
            what + did_you_mean(unknown[0], known),
            choices=(*known[:_LISTED], *(["..."] if len(known) > _LISTED else [])),
            next="`mesh status` lists what can be read",
        )
    )
