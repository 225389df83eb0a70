"""`mesh monitor` and `mesh status --wrong`: what is wrong with what is published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dataops_mesh.cli.near import open_near
from dataops_mesh.cli.output import REFUSED, Format, say, show
from dataops_mesh.cli.workspace import named, open_workspace, say_unreadable

if TYPE_CHECKING:
    from dataops_mesh.ledger.trouble.incidents import Incident
    from dataops_mesh.watch.acknowledged import Acknowledged
    from dataops_mesh.watch.monitor import PublishedAudit

MONITOR = ("product", "outcome", "publication", "checks", "failed", "seconds")
INCIDENTS = (
    *("incident", "opened", "closed", "kind", "product", "subject"),
    *("causes", "acknowledged", "why"),
)
_WHERE_SAID = frozenset({"causes", "acknowledged"})
WATCHED = frozenset({"active", "deprecated", "retired"})
_WHY = 100


def monitor_products(names: Sequence[str], output: Format) -> int:
    """Test what is published again; return 1 if anything breaks its contract."""
    from dataops_mesh.factory.instance import open_instance
    from dataops_mesh.factory.watch import monitor
    from dataops_mesh.run.environment import open_environment
    from dataops_mesh.watch.trouble import look

    settings, mesh, _ = open_near(names)
    say_unreadable(mesh, names)
    products = named(mesh, names, runnable=True)
    rows, broken = [], False
    with open_instance(settings) as instance:
        for product in products:
            audit = monitor(product, instance, settings)
            if audit is None:
                continue
            broken = broken or bool(audit.failures)
            for line in _told(audit):
                say(line)
            if audit.at_publication:
                say(f"judged at publication: {', '.join(audit.at_publication)}")
            rows.append(
                {
                    "product": product.qualified_name,
                    "outcome": audit.word,
                    "publication": audit.publication,
                    "checks": len(audit.results),
                    "failed": len(audit.failures),
                    "seconds": audit.seconds,
                    "partition": audit.partition,
                    "at_publication": list(audit.at_publication),
                }
            )
    look(products, open_environment(settings))
    show(rows, output, columns=MONITOR, empty="nothing is published")
    return REFUSED if broken else 0


def _told(audit: PublishedAudit) -> list[str]:
    """Return what is wrong: of damage the files, for no check could say anything of them."""
    from dataops_mesh.store.sound import mended_by

    if audit.damage:
        return [*audit.damage, f"next: {mended_by(audit.product.qualified_name)}"]
    return [f"{one.port} {one.check}: {one.reason}" for one in audit.failures]


def show_incidents(names: Sequence[str], output: Format, *, closed: bool) -> int:
    """Print open incidents, and the closed ones where asked for; return 1 if any is open."""
    from dataops_mesh.ledger.trouble.incidents import incidents_of
    from dataops_mesh.run.environment import open_environment
    from dataops_mesh.run.record import open_record
    from dataops_mesh.store.log import latest
    from dataops_mesh.watch.acknowledged import acknowledged
    from dataops_mesh.watch.causes import causes_now
    from dataops_mesh.watch.trouble import look

    settings, mesh, _ = open_near(names, looks=True)
    say_unreadable(mesh, names)
    asked = named(mesh, names)
    products = [one for one in asked if one.status in WATCHED or one.qualified_name in names]
    environment = open_environment(settings)
    open_now = look(products, environment)
    found, now = open_now, datetime.now(UTC)
    with open_record(environment) as ledger:
        if closed:
            found = incidents_of(ledger, [product.qualified_name for product in products])
        roots = causes_now(products, ledger, latest(environment.store), now) if found else {}
        seen = acknowledged(ledger, found, now)
    rows = [
        _row(item, [one.incident for one in roots.get(item.incident, ())], seen, output)
        for item in found
    ]
    columns = [
        name
        for name in INCIDENTS
        if (name != "closed" or closed)
        and (name not in _WHERE_SAID or any(row[name] for row in rows))
    ]
    show(rows, output, columns=columns, empty="no incident", wrap="why")
    if rows and output is Format.TABLE:
        say("\nmesh show INCIDENT has all of one")
    return REFUSED if open_now else 0


def _row(
    item: Incident, causes: list[str], seen: Mapping[str, Acknowledged], output: Format
) -> dict[str, Any]:
    from dataops_mesh.watch.acknowledged import as_row, as_text

    trouble, said, is_json = item.trouble, seen.get(item.incident), output is Format.JSON
    return {
        "incident": item.incident,
        "opened": item.opened,
        "closed": item.closed,
        "kind": trouble.kind,
        "product": trouble.product,
        "subject": trouble.subject,
        "causes": causes if is_json else ", ".join(causes),
        "acknowledged": as_row(said) if is_json else as_text(said),
        "why": trouble.why if is_json else _short(trouble.why),
        "run_id": trouble.run_id,
        "publication": trouble.publication,
    }


def _short(why: str) -> str:
    first = why.partition("\n")[0]
    return first if len(first) <= _WHY else f"{first[: _WHY - 3]}..."


def write_production_files() -> int:
    """Write `deploy/`: the files of a production instance."""
    from dataops_mesh.factory.production import write_production

    _, mesh = open_workspace()
    folder = write_production(mesh)
    say(f"{folder.name}/: dagster.yaml, workspace.yaml, processes.txt; see docs/production.md")
    return 0
