"""Everything that is known of one publication, candidate or incident, as plain data."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from dataops_mesh.errors import MeshError, Problem, UnknownNameError
from dataops_mesh.ledger import Ledger, pieces_of, standing_of
from dataops_mesh.ledger.look import built_from, candidate_rows, candidates_named
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.record import open_record
from dataops_mesh.spec.checks.check import CheckResult, DeclaredCheck
from dataops_mesh.store.declarations import read_declaration
from dataops_mesh.store.log import Entry
from dataops_mesh.store.manifest import Manifest, read_manifest
from dataops_mesh.store.record import plain
from dataops_mesh.store.removing.removal import removals_of
from dataops_mesh.store.store import Store

Facts = dict[str, Any]


def look_command(address: object, candidate: str, rows: int) -> str:
    """Return the command that shows a refused candidate: its rows, or why there are none."""
    short = candidate.rpartition("/")[2]
    return f'mesh query "from {address}" --candidate {short}' if rows else f"mesh show {short}"


def publication_facts(environment: Environment, number: int) -> Facts:
    """Return what is on record of a publication: what it switched, and the evidence of that.

    Of a release that only decides something (a hold, a lift, a withdrawal), who, what and why.

    Raises:
        UnknownNameError: there is none of that number.
    """
    with open_record(environment) as ledger:
        rows = pieces_of(ledger, number)
        said = standing_of(ledger, number)
        if said.get("product"):
            told = ("release", "kind", "at", "person", "reason", "product", "partition")
            return {name: said[name] for name in (*told, "addresses", "run_id")}
        if not rows:
            what = f"there is no publication {number} on record"
            raise UnknownNameError(Problem(what, next="mesh show PRODUCT --history"))
        first = rows[0]
        refs = dict.fromkeys(row["candidate"] for row in rows)
        same = ("kind", "published", "person", "run_id", "reason")
        return {
            "publication": number,
            **{name: first[name] for name in same},
            "ports": [
                {name: row[name] for name in ("address", "rows", "fingerprint", "candidate")}
                for row in rows
            ],
            "candidates": [_candidate(environment, ledger, ref) for ref in refs],
        }


def candidate_facts(environment: Environment, ref: str) -> Facts:
    """Return what is on record of a candidate, published or not.

    Args:
        environment: the store and the settings.
        ref: `domain/product/id`, or the id alone.

    Raises:
        UnknownNameError: there is no such candidate.
    """
    with open_record(environment) as ledger:
        named = (ref,) if "/" in ref else candidates_named(ledger, ref)
        if len(named) != 1 or not candidate_rows(ledger, named[0])["candidates"]:
            what = f'there is no candidate "{ref}" on record'
            raise UnknownNameError(Problem(what, choices=named, next="mesh show PRODUCT --history"))
        return _candidate(environment, ledger, named[0])


def down(environment: Environment, number: int) -> list[Facts]:
    """Return what was built from a publication, and from that in turn."""
    with open_record(environment) as ledger:
        return built_from(ledger, number)


def captures_told(manifest: Manifest) -> list[Facts]:
    """Return of each source how many files and bytes were read, and where they are kept."""
    return [
        {
            "name": read.name,
            "files": len(read.files),
            "bytes": sum(file.bytes for file in read.files),
            "kept": read.kept,
            "why": read.why,
        }
        for read in manifest.inputs
        if read.files or read.why
    ]


def captures_now(store: Store, entries: Iterable[Entry | None]) -> list[Facts]:
    """Return what was captured of the sources of what is published; of partitions, in all."""
    found: dict[tuple[str, str, str], Facts] = {}
    for ref in sorted({ref for entry in entries if entry for ref in entry.refs}):
        with suppress(MeshError):
            for row in captures_told(read_manifest(store, ref)):
                key = (row["name"], row["kept"], row["why"])
                known = found.setdefault(key, {**row, "files": 0, "bytes": 0})
                known["files"] += row["files"]
                known["bytes"] += row["bytes"]
    return list(found.values())


def _candidate(environment: Environment, ledger: Ledger, ref: str) -> Facts:
    """Tell from the ledger what it has, and from the manifest the rest while it is there."""
    rows = candidate_rows(ledger, ref)
    known = rows["candidates"][0] if rows["candidates"] else {"candidate": ref}
    evidence = rows["evidence"][0] if rows["evidence"] else {}
    manifest: Manifest | None = None
    with suppress(MeshError):
        manifest = read_manifest(environment.store, ref)
    code = {
        "commit": known.get("git_commit", ""),
        "version": known.get("code_version", ""),
        "transform": known.get("transform_fingerprint", ""),
        "files": _kept(environment, evidence.get("code", "")),
    }
    return {
        **known,
        "partition": evidence.get("partition", ""),
        "publications": sorted({row["publication"] for row in rows["publications"]}),
        "inputs": [_input(row) for row in rows["reads"]],
        "captures": captures_told(manifest) if manifest else [],
        "ports": [
            {key: row[key] for key in ("address", "rows", "fingerprint", "columns")}
            for row in rows["ports"]
        ],
        "quarantine": _quarantine(manifest) if manifest else [],
        "contracts": plain(manifest.contracts) if manifest else [],
        "code": code,
        "judged": {
            "digest": evidence.get("judged", ""),
            "texts": sorted(_kept(environment, evidence.get("judged", ""))),
        },
        "declaration": evidence.get("declaration", ""),
        "checks": _checks(manifest) if manifest else [_of_record(row) for row in rows["results"]],
        "not_executed": list(manifest.unexecuted) if manifest else [],
        "confined": manifest.confined if manifest else "",
        "full": manifest.full if manifest else False,
        "complete": manifest is not None,
        "erased": [str(one) for one in removals_of(environment.store, manifest)],
    }


def _quarantine(manifest: Manifest) -> list[Facts]:
    """Return how many rows each rule has set aside of each port, by rule and in all."""
    return [
        {
            "port": str(one.address),
            "set_aside": one.rows,
            "rules": [{"rule": rule, "rows": rows} for rule, rows in one.rules],
        }
        for one in manifest.quarantines
    ]


def _kept(environment: Environment, digest: str) -> dict[str, str]:
    if digest:
        with suppress(MeshError):
            return read_declaration(environment.store, digest)
    return {}


def _input(row: Facts) -> Facts:
    return {
        "name": row["name"],
        "address": row["address"],
        "publication": row["publication"],
        "candidate": row["input_candidate"],
        "fingerprint": row["fingerprint"],
    }


def _checks(manifest: Manifest) -> list[Facts]:
    declared = {(one.port, one.name): one for one in manifest.checks}
    done = [_result(one, declared.get((one.port, one.check))) for one in manifest.results]
    had = {(one.port, one.check) for one in manifest.results}
    never = [one for key, one in declared.items() if key not in had]
    return done + [
        {
            "port": str(one.port),
            "check": one.name,
            "outcome": "not run",
            "severity": one.severity.value,
            "expected": str(one.threshold),
        }
        for one in never
    ]


def _result(result: CheckResult, declared: DeclaredCheck | None) -> Facts:
    return {
        "port": str(result.port),
        "check": result.check,
        "outcome": result.outcome.value,
        "severity": result.severity.value,
        "observed": result.told if result.withheld else plain(result.observed),
        "expected": str(declared.threshold) if declared else "",
        "rows": result.rows,
        "reason": result.reason,
        "seconds": result.seconds,
    }


def _of_record(row: Facts) -> Facts:
    same = ("port", "check", "outcome", "severity", "observed", "rows", "reason", "seconds")
    return {name: row[name] for name in same} | {"expected": ""}
