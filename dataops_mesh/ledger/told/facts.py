"""What has just come on record, as one flat event each: a name, a time, an id and numbers.

Pure functions from rows of the ledger. An event has the fields of `EVENTS` that have a value, and
those of `COMMON`. The same fact has the same id whenever it is told, so a receiver that has it
already can tell. No value of the data, no sample and no measured number but counts is in one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

Row = Mapping[str, Any]
Fact = dict[str, Any]

COMMON = ("time", "event", "id", "repository", "sandbox", "domain", "product")
_BUILT = (
    *("candidate", "partition", "run", "person", "version", "git_commit", "base"),
    *("rows", "bytes", "seconds", "checks", "passed", "failed", "errored"),
)
_SWITCHED = ("publication", "candidate", "port", "run", "person", "rows", "reason")
_DECIDED = ("publication", "ports", "partition", "run", "person", "reason")
_INCIDENT = ("incident", "kind", "subject", "why", "run", "publication")
EVENTS: dict[str, tuple[str, ...]] = {
    "checked": ("candidate", "port", "check", "outcome", "severity", "rows", "seconds"),
    "built": _BUILT,
    "refused": (*_BUILT, "reasons"),
    "failed": (*_BUILT, "reasons", "started", "publication"),
    "cancelled": ("partition", "run", "person", "reasons", "started", "publication"),
    "published": _SWITCHED,
    "promoted": _SWITCHED,
    "rolled_back": _SWITCHED,
    "refreshed": _SWITCHED,
    "withdrawn": _DECIDED,
    "erased": _DECIDED,
    "held": _DECIDED,
    "lifted": _DECIDED,
    "audited": ("publication", "candidate", "outcome", "checks", "failed", "seconds"),
    "incident_opened": _INCIDENT,
    "incident_closed": _INCIDENT,
    "delivered": ("about", "channel", "what", "publication"),
    "asked": ("operation", "subjects", "person", "reason", "publication"),
}
_VERDICTS = {"publish": "built", "refuse": "refused", "error": "failed"}
_KINDS = {
    "publication": "published",
    "rollback": "rolled_back",
    "withdrawal": "withdrawn",
    "hold": "held",
    "lift": "lifted",
}
_BY_WORD = frozenset({"withdrawn", "held", "lifted"})


def of_candidate(row: Row, partition: str, results: Sequence[Row]) -> Iterator[Fact]:
    """Yield how each check ended, and then what became of the candidate."""
    ref, product, time = row["candidate"], row["product"], row["finished"]
    for one in results:
        port, check = one["port"], one["check"]
        same = {name: one[name] for name in ("port", "check", "outcome", "severity", "rows")}
        more = same | {"candidate": ref, "seconds": one["seconds"]}
        yield _fact("checked", time, f"{ref}/{port}/{check}", product, more)
    ended = [one["outcome"] for one in results]
    same = {
        name: row[name] for name in ("person", "git_commit", "base", "rows", "bytes", "seconds")
    }
    yield _fact(
        _VERDICTS[row["verdict"]],
        time,
        ref,
        product,
        same
        | {name: ended.count(name) for name in ("passed", "failed", "errored")}
        | {
            "candidate": ref,
            "partition": partition,
            "run": row["run_id"],
            "version": row["product_version"],
            "checks": row["checks_declared"],
            "reasons": json.loads(row["reasons"]),
        },
    )


def of_release(release: Row, switched: Sequence[Row], decision: Row | None) -> Iterator[Fact]:
    """Yield what a release did: a fact for each port it switched, or one for what it decided."""
    known: str = _KINDS.get(release["kind"], "refreshed")
    kind = "promoted" if release.get("promoted") else known
    if kind in _BY_WORD and decision is not None:
        yield _of_word(kind, release["number"], switched, decision)
        return
    for row in switched:
        same = {
            name: row[name] for name in ("publication", "candidate", "person", "rows", "reason")
        }
        more = same | {"port": row["address"], "run": row["run_id"]}
        name = f"{release['number']}/{row['address']}"
        yield _fact(kind, row["published"], name, row["product"], more)


def _of_word(kind: str, number: int, switched: Sequence[Row], decision: Row) -> Fact:
    """Return what a person decided, of all ports that it is about."""
    product = decision["product"] or next((row["product"] for row in switched), "")
    ports = {*json.loads(decision["addresses"]), *(row["address"] for row in switched)}
    same = {name: decision[name] for name in ("partition", "person", "reason")}
    new = [one for one in _standing(decision) if one.get("release") == number]
    return _fact(
        "erased" if any(one.get("erased") for one in new) else kind,
        decision["at"],
        str(number),
        product,
        same | {"publication": number, "run": decision["run_id"], "ports": sorted(ports)},
    )


def of_end(row: Row) -> Fact:
    """Return how a run ended that left no candidate."""
    ref = "/".join((row["run_id"], row["product"], row["partition"], row["ended"]))
    more = {name: row[name] for name in ("partition", "person", "started", "publication")}
    more |= {"run": row["run_id"], "reasons": [row["why"]]}
    return _fact(row["outcome"], row["ended"], ref, row["product"], more)


def of_incident(row: Row, event: str, time: str) -> Fact:
    """Return the beginning or the end of an incident."""
    more = {name: row[name] for name in ("incident", "kind", "subject", "why", "publication")}
    more["run"] = row["run_id"]
    return _fact(event, time, f"{row['incident']}/{event}", row["product"], more)


def of_audit(row: Row) -> Fact:
    """Return how a look at published data ended."""
    same = ("publication", "candidate", "outcome", "checks", "seconds")
    more = {name: row[name] for name in same} | {"failed": len(json.loads(row["failed"]))}
    ref = f"{row['candidate']}/audit/{row['at']}"
    return _fact("audited", row["at"], ref, row["product"], more)


def of_delivery(row: Row) -> Fact:
    """Return what a channel was told: of an incident, or of a publication."""
    more = {name: row[name] for name in ("about", "channel", "what", "publication")}
    ref = "/".join(("told", row["about"], row["channel"], row["what"]))
    return _fact("delivered", row["at"], ref, "", more)


def of_operation(row: Row) -> Fact:
    """Return what a person asked for."""
    more = {name: row[name] for name in ("operation", "person", "reason")}
    more |= {"subjects": json.loads(row["subjects"]), "publication": row["release"]}
    return _fact("asked", row["at"], f"asked/{row['at']}/{row['operation']}", "", more)


def _fact(event: str, time: str, ref: str, product: str, more: Row) -> Fact:
    """Return an event; what has no value is left out."""
    given = {
        "time": datetime.fromisoformat(time).astimezone(UTC).isoformat(),
        "event": event,
        "id": ref,
        "domain": product.partition(".")[0],
        "product": product,
        **{name: more.get(name) for name in EVENTS[event]},
    }
    return {name: value for name, value in given.items() if value not in (None, "", [])}


def _standing(decision: Row) -> Iterable[Row]:
    """Return what was held or withdrawn when a release was made."""
    found = json.loads(decision["standing"])
    for kept in (found["holds"], found["withdrawn"]):
        values = kept.values() if isinstance(kept, dict) else kept
        for one in values:
            yield from one if isinstance(one, list) else [one]
