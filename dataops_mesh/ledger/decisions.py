"""What was decided without anything being built: holds, lifts, and what has stood ever since."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from dataops_mesh.ledger.database import Ledger, transaction


def decision_of(release: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the row of a release that decides something, or in which something is held.

    Args:
        release: the plain data of the release, as in its JSON.
    """
    holds = release.get("holds") or {}
    withdrawn = release.get("withdrawn") or {}
    decided = release.get("decided") or []
    if not holds and not decided and not withdrawn:
        return None
    return {
        "release": release["number"],
        "kind": release["kind"],
        "product": release.get("about", "") if decided else "",
        "partition": release.get("partition", ""),
        "addresses": json.dumps(decided),
        "at": datetime.fromisoformat(release["at"]).astimezone(UTC).isoformat(),
        "run_id": release["run_id"],
        "person": release["person"],
        "reason": release["reason"],
        "standing": json.dumps({"holds": holds, "withdrawn": withdrawn}),
    }


def standing_of(ledger: Ledger, number: int) -> dict[str, Any]:
    """Return what is on record of one release: its row, with what stood then as plain data."""
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import decisions

    query = select(decisions).where(decisions.c.release == number)
    with transaction(ledger) as connection:
        row = connection.execute(query).mappings().first()
    if row is None:
        return {}
    return {
        **row,
        "addresses": json.loads(row["addresses"]),
        "standing": json.loads(row["standing"]),
    }


def is_decided(ledger: Ledger, run_id: str) -> bool:
    """Tell whether what somebody asked for came to be a release."""
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import decisions

    query = select(decisions.c.release).where(decisions.c.run_id == run_id).limit(1)
    with transaction(ledger) as connection:
        return connection.execute(query).first() is not None
