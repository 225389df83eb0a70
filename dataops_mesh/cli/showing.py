"""`mesh show`: what is known of a publication, a candidate, an incident or a product."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from dataops_mesh.cli.near import open_near
from dataops_mesh.cli.output import Format, plain_facts, say, show
from dataops_mesh.cli.workspace import open_readable
from dataops_mesh.errors import Problem, UnknownNameError
from dataops_mesh.run.environment import Environment, open_environment
from dataops_mesh.spec.checks.coverage import coverage
from dataops_mesh.spec.model import Mesh, Product
from dataops_mesh.spec.names import quarantine_schema

INPUTS = ("name", "publication", "candidate", "fingerprint")
CAPTURES = ("name", "files", "bytes", "kept", "why")
CHECKS = ("port", "check", "outcome", "severity", "observed", "rows", "expected")
PORTS = ("address", "rows", "fingerprint")
QUARANTINE = ("port", "rule", "rows", "set aside")
CANDIDATE = (
    *("candidate", "product", "product_version", "partition", "verdict", "reasons"),
    *("publications", "person", "run_id", "started", "finished", "now", "base"),
    *("erased", "full", "commit", "code", "confined", "judged by"),
)
DOWN = ("step", "read", "product", "verdict", "publications", "candidate")
_SHORT = 12
_DIGITS = 15  # of a publication, as a ledger can hold it
_SHOWN = 60
_INCIDENT_LENGTH = 12


def show_thing(name: str, output: Format, *, history: bool, below: bool) -> int:
    """Print what is on record of whatever the name means."""
    from dataops_mesh.run.look import candidate_facts, down, publication_facts
    from dataops_mesh.settings import load_settings

    settings = load_settings()
    environment = open_environment(settings)
    known_as(name)
    if name.isdecimal():
        if below:
            return _show_down(down(environment, int(name)), name, output)
        return _print(publication_facts(environment, int(name)), output)
    if "/" not in name and "." in name:
        return _show_product(name, environment, output, history=history, below=below)
    incident = _incident(environment, name)
    if incident is not None:
        return _print(incident, output)
    facts = candidate_facts(environment, name)
    if below:
        found = [row for number in facts["publications"] for row in down(environment, number)]
        return _show_down(found, name, output)
    return _print(facts, output)


def known_as(name: str) -> None:
    """Make sure that a name may be one of a product, publication, candidate or incident.

    Raises:
        UnknownNameError: nothing is called that.
    """
    # A number that no ledger can hold, bytes that are no text, a path that leads elsewhere.
    plain = name.isprintable() and name.isascii() and not name.startswith(("/", "."))
    if not plain or not name or ".." in name or (name.isdecimal() and len(name) > _DIGITS):
        shown = ascii(name) if len(name) <= _SHOWN else f"{ascii(name)[:_SHOWN]}..."
        what = f"nothing is called {shown}"
        then = "mesh status for products, mesh show PRODUCT --history for their publications"
        raise UnknownNameError(Problem(what, next=then))


def _show_product(
    name: str, environment: Environment, output: Format, *, history: bool, below: bool
) -> int:
    from dataops_mesh.cli.looking import history_rows, show_history
    from dataops_mesh.run.look import captures_now, down
    from dataops_mesh.run.quarantine import set_aside_now
    from dataops_mesh.store.log import latest

    if history:
        return show_history(name, output)
    _, mesh, _ = open_near([name], looks=True)
    product = _product(mesh, name)
    entries = {p.address: latest(environment.store).ports.get(p.address) for p in product.outputs}
    if below:
        numbers = sorted({entry.publication for entry in entries.values() if entry})
        found = [row for number in numbers for row in down(environment, number)]
        return _show_down(found, name, output)
    members = product.team.members if product.team else ()
    aside = set_aside_now(environment.store, (product,), latest(environment.store))
    facts: dict[str, Any] = {
        "product": name,
        "version": product.version,
        "status": product.status,
        "folder": str(product.folder.relative_to(environment.settings.root)),
        "team": product.team.name if product.team else "",
        "owners": [one.username for one in members if (one.role or "").lower() == "owner"],
        "ports": [
            {
                "address": str(address),
                "publication": entry.publication if entry else None,
                "rows": entry.rows if entry else None,
                "set_aside": aside.get(address, 0),
                "candidate": entry.candidate if entry else None,
                "fingerprint": entry.fingerprint if entry else "",
            }
            for address, entry in entries.items()
        ],
        "inputs": [{"name": port.name, "source": port.address is None} for port in product.reads],
        "captures": captures_now(environment.store, entries.values()),
        "not_executed": list(coverage(product).unexecuted),
        "read_by": sorted(
            reader.qualified_name
            for reader in mesh.products
            if any(port.address in entries for port in reader.inputs)
        ),
        "history": history_rows(product, environment)[:5],
    }
    if output is Format.JSON:
        return _json(facts)
    _head(facts, ("product", "version", "status", "folder", "team", "owners", "read_by"))
    shown = ("address", "publication", "rows", "set_aside", "candidate")
    _table("ports", facts["ports"], [c for c in shown if c != "set_aside" or aside])
    _table("inputs", facts["inputs"], ("name", "source"))
    _table("captures", facts["captures"], CAPTURES)
    _table("rules that nobody executes here", [{"": one} for one in facts["not_executed"]], ("",))
    _table("last", facts["history"], ("at", "what", "publication", "rows", "person", "note"))
    say("\nmesh show PRODUCT --history has all of it")
    return 0


def _product(mesh: Mesh, name: str) -> Product:
    from dataops_mesh.cli.workspace import one

    return one(mesh, name)


def _incident(environment: Environment, name: str) -> dict[str, Any] | None:
    from dataops_mesh.ledger.trouble.incidents import incident_of
    from dataops_mesh.run.record import open_record
    from dataops_mesh.watch.acknowledged import acknowledged, as_row

    with open_record(environment) as ledger:
        found = incident_of(ledger, name) if len(name) == _INCIDENT_LENGTH else None
        if found is None:
            return None
        trouble = found.trouble
        seen = acknowledged(ledger, [found], datetime.now(UTC)).get(found.incident)
        return {
            "incident": found.incident,
            "kind": trouble.kind,
            "product": trouble.product,
            "subject": trouble.subject,
            "opened": found.opened,
            "closed": found.closed,
            "publication": trouble.publication,
            "run_id": trouble.run_id,
            "acknowledged": as_row(seen),
            "why": trouble.why,
        }


def _show_down(found: Sequence[Mapping[str, Any]], name: str, output: Format) -> int:
    rows = list({row["candidate"]: row for row in found}.values())
    show(rows, output, columns=DOWN, empty=f"nothing was built from {name}")
    return 0


def _print(facts: dict[str, Any], output: Format) -> int:
    if output is Format.JSON:
        return _json(facts)
    if "candidates" in facts:
        _head(facts, ("publication", "kind", "published", "person", "reason", "run_id"))
        for one in facts["candidates"]:
            _print_candidate(one)
        return 0
    if "incident" in facts and facts["acknowledged"]:
        said = facts["acknowledged"]
        facts |= {
            "acknowledged": f"{said['person']}, until {said['until']:%Y-%m-%d %H:%M} UTC: "
            f"{said['reason']}"
        }
    if "incident" in facts or "release" in facts:
        _head(facts, tuple(facts))
        return 0
    _print_candidate(facts)
    return 0


def _print_candidate(facts: dict[str, Any]) -> None:
    code, judged = facts["code"], facts["judged"]
    commit = code["commit"] or "not in git"
    if commit.endswith("+"):
        commit = f"{commit[:-1]}, and files that differ from it"
    files = ", ".join(sorted(code["files"])) or "its files are not kept"
    texts = ", ".join(judged["texts"])
    told = facts | {
        "commit": commit,
        "full": "what the product itself had published was left out" if facts["full"] else "",
        "code": f"{code['version']}: {files}",
        "judged by": f"{judged['digest'][:_SHORT]}: {texts}" if texts else "not kept",
    }
    _head(told, CANDIDATE)
    inputs = [
        {**row, "candidate": row["candidate"] or "", "fingerprint": row["fingerprint"][:_SHORT]}
        for row in facts["inputs"]
    ]
    _table("inputs", inputs, INPUTS)
    _table("captures", facts["captures"], CAPTURES)
    ports = [{**row, "fingerprint": row["fingerprint"][:_SHORT]} for row in facts["ports"]]
    _table("ports", ports, PORTS)
    aside = [
        {**rule, "port": one["port"], "set aside": one["set_aside"]}
        for one in facts["quarantine"]
        for rule in one["rules"]
    ]
    _table("quarantine", aside, QUARANTINE)
    _table("checks", facts["checks"], CHECKS)
    _table("rules that nobody executes here", [{"": one} for one in facts["not_executed"]], ("",))
    why = [
        {"check": f"{one['port']} {one['check']}", "why": one["reason"]}
        for one in facts["checks"]
        if one["outcome"] != "passed" and one.get("reason")
    ]
    _table("why", why, ("check", "why"))


def _head(facts: Mapping[str, Any], names: Sequence[str]) -> None:
    """Print facts one below the other; what is empty is left out."""
    rows = [
        {"": name.replace("_", " "), "is": facts[name]}
        for name in names
        if facts.get(name) not in (None, "", [], ())
    ]
    show(rows, Format.TABLE, columns=("", "is"), wrap="is", head=False)


def _table(title: str, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    if rows:
        used = [c for c in columns if any(row.get(c) not in (None, "") for row in rows)]
        print(f"\n{title}")  # noqa: T201 - the CLI's output
        show(rows, Format.TABLE, columns=used, wrap=used[-1])


def _json(facts: Mapping[str, Any]) -> int:
    print(json.dumps(plain_facts(facts), default=str, indent=1))  # noqa: T201 - the CLI's output
    return 0


def query_candidate(ref: str, sql: str, output: Format) -> int:
    """Run one SELECT on a candidate of one's own product; classified columns are masked."""
    from dataops_mesh.cli.looking import distinct, say_engine
    from dataops_mesh.cli.output import value_of_data
    from dataops_mesh.engine.sql import require_select
    from dataops_mesh.run.look import candidate_facts
    from dataops_mesh.run.peek import open_candidate
    from dataops_mesh.store.manifest import read_manifest

    settings, mesh = open_readable()
    environment = open_environment(settings)
    known_as(ref)
    manifest = read_manifest(environment.store, candidate_facts(environment, ref)["candidate"])
    product = next((p for p in mesh.products if p.qualified_name == manifest.product), None)
    if product is None:
        what = f"{manifest.product} is no product of this workspace: its owner looks at it"
        raise UnknownNameError(Problem(what, next="look from the repository that declares it"))
    with open_candidate(product, manifest, environment) as connection:
        try:
            found = connection.execute(require_select(connection, sql))
            columns = distinct([str(one[0]) for one in found.description or ()])
            rows = [dict(zip(columns, row, strict=True)) for row in found.fetchall()]
        except Exception as error:
            if not (code := say_engine(error)):
                raise
            return code
    show(rows, output, columns=columns, empty="no rows", cell=value_of_data)
    say(f"{manifest.candidate}: {manifest.verdict}; columns that are not public or internal: ***")
    for one in manifest.quarantines:
        domain, port = one.address
        say(f"rows set aside: {one.rows}, in {quarantine_schema(domain)}.{port}")
    return 0
