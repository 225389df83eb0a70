"""Put manifests and releases on record; again makes no difference."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dataops_mesh.ledger.database import Ledger, insert_of, transaction
from dataops_mesh.ledger.decisions import decision_of
from dataops_mesh.ledger.told.facts import of_candidate, of_release

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

Row = dict[str, Any]


def record_candidate(ledger: Ledger, manifest: Mapping[str, Any]) -> bool:
    """Record a candidate, published or refused, with its results and reads.

    Args:
        ledger: the ledger.
        manifest: the plain data of the manifest, as in its JSON.

    Returns:
        Whether it was not on record before.
    """
    from dataops_mesh.ledger import schema

    row, results = _candidate(manifest), [_result(manifest, one) for one in manifest["results"]]
    with transaction(ledger) as connection:
        new = add(connection, schema.candidates, [row])
        add(connection, schema.evidence, [_evidence(manifest)])
        add(connection, schema.results, results)
        add(connection, schema.ports, [_port(manifest, port) for port in manifest["ports"]])
        add(connection, schema.profiles, _profiles(manifest))
        add(connection, schema.distinct_counts, _distinct_counts(manifest))
        add(connection, schema.reads, [_read(manifest, item) for item in manifest["inputs"]])
    if new:
        ledger.tell(of_candidate(row, manifest.get("partition", ""), results))
    return new


def record_release(ledger: Ledger, release: Mapping[str, Any]) -> None:
    """Record what a release switched, and what was held in it.

    Args:
        ledger: the ledger.
        release: the plain data of the release, as in its JSON.
    """
    from dataops_mesh.ledger import schema

    rows = [_publication(release, switch) for switch in release["switches"]]
    decision = decision_of(release)
    with transaction(ledger) as connection:
        new = add(connection, schema.publications, rows)
        add(connection, schema.parts, _parts(release))
        new |= add(connection, schema.decisions, [decision] if decision else [])
    if new:
        ledger.tell(of_release(release, rows, decision))


def add(connection: Connection, table: Table, rows: list[Row]) -> bool:
    """Insert rows that are not there, and tell whether any was not; none ever changes."""
    if not rows:
        return False
    done = connection.execute(insert_of(connection)(table).on_conflict_do_nothing(), rows)
    return done.rowcount != 0


def _candidate(manifest: Mapping[str, Any]) -> Row:
    started, finished = _moment(manifest["started"]), _moment(manifest["finished"])
    same = (
        "candidate",
        "product",
        "product_version",
        "verdict",
        "checks_declared",
        "coverage",
        "transform_fingerprint",
        "code_version",
        "git_commit",
        "base",
        "run_id",
        "person",
    )
    return {name: manifest[name] for name in same} | {
        "reasons": json.dumps(manifest["reasons"]),
        "rows": sum(port["rows"] for port in manifest["ports"]),
        "bytes": sum(port["bytes"] for port in manifest["ports"]),
        "seconds": (finished - started).total_seconds(),
        "started": started.isoformat(),
        "finished": finished.isoformat(),
        "now": _moment(manifest["now"]).isoformat(),
    }


def _evidence(manifest: Mapping[str, Any]) -> Row:
    same = ("partition", "declaration", "code", "judged")
    found = {name: manifest.get(name, "") for name in same}
    events = json.dumps(manifest.get("events", []))
    return found | {"candidate": manifest["candidate"], "events": events}


def _result(manifest: Mapping[str, Any], result: Mapping[str, Any]) -> Row:
    same = (
        "port",
        "check",
        "fingerprint",
        "outcome",
        "severity",
        "observed",
        "rows",
        "reason",
        "seconds",
    )
    # Samples stay in the manifest: the ledger may live where the data may not.
    row = {name: result[name] for name in same} | {"candidate": manifest["candidate"]}
    observed = result["observed"]  # an integer of any size, or the text of a decimal
    return row | {"observed": None if observed is None else float(observed)}


def _port(manifest: Mapping[str, Any], port: Mapping[str, Any]) -> Row:
    return {
        "candidate": manifest["candidate"],
        "address": port["address"],
        "partition": manifest.get("partition", ""),
        "rows": port["rows"],
        "fingerprint": port.get("fingerprint", ""),
        "columns": json.dumps(port.get("columns", [])),
    }


def _profiles(manifest: Mapping[str, Any]) -> list[Row]:
    return [
        {
            "candidate": manifest["candidate"],
            "address": one["port"],
            **{name: one[name] for name in ("column", "nulls", "mean")},
        }
        for one in manifest.get("profile", ())
    ]


def _distinct_counts(manifest: Mapping[str, Any]) -> list[Row]:
    return [
        {
            "candidate": manifest["candidate"],
            "address": one["port"],
            "column": one["column"],
            "count": one["distinct"],
        }
        for one in manifest.get("profile", ())
        if one.get("distinct") is not None
    ]


def _read(manifest: Mapping[str, Any], read: Mapping[str, Any]) -> Row:
    return {
        "candidate": manifest["candidate"],
        "name": read["name"],
        "address": read["address"],
        "publication": read["publication"],
        "input_candidate": read["candidate"],
        "fingerprint": read["fingerprint"],
    }


def _publication(release: Mapping[str, Any], switch: Mapping[str, Any]) -> Row:
    same = ("address", "product", "candidate", "rows", "fingerprint")
    return {name: switch[name] for name in same} | {
        "publication": release["number"],
        "kind": release["kind"],
        "published": _moment(release["at"]).isoformat(),
        "run_id": release["run_id"],
        "person": release["person"],
        "reason": release["reason"],
    }


def _parts(release: Mapping[str, Any]) -> list[Row]:
    """Return a row for each partition that was switched, of ports of which several were."""
    names = ("partition", "candidate", "rows", "fingerprint")
    return [
        {
            "publication": release["number"],
            "address": switch["address"],
            **dict(zip(names, part, strict=True)),
        }
        for switch in release["switches"]
        for part in switch["parts"]
    ]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
