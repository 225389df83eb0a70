"""`mesh monitor` and `mesh status --wrong`: what is wrong with what is published."""

from __future__ import annotations

from collections.abc import Sequence

from dataops_mesh.cli.near import open_near
from dataops_mesh.cli.output import REFUSED, Format, say, show
from dataops_mesh.cli.workspace import named, open_workspace, say_unreadable

MONITOR = ("product", "outcome", "publication", "checks", "failed", "seconds")
INCIDENTS = ("incident", "opened", "closed", "kind", "product", "subject", "why")
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
            for result in audit.failures:
                say(f"{result.port} {result.check}: {result.reason}")
            rows.append(
                {
                    "product": product.qualified_name,
                    "outcome": audit.outcome.value,
                    "publication": audit.publication,
                    "checks": len(audit.results),
                    "failed": len(audit.failures),
                    "seconds": audit.seconds,
                    "partition": audit.partition,
                }
            )
    look(products, open_environment(settings))
    show(rows, output, columns=MONITOR, empty="nothing is published")
    return REFUSED if broken else 0


def show_incidents(names: Sequence[str], output: Format, *, closed: bool) -> int:
    """Print open incidents, and the closed ones where asked for; return 1 if any is open."""
    from dataops_mesh.ledger.incidents import incidents_of
    from dataops_mesh.run.environment import open_environment
    from dataops_mesh.run.record import open_record
    from dataops_mesh.watch.trouble import look

    settings, mesh, _ = open_near(names, looks=True)
    say_unreadable(mesh, names)
    asked = named(mesh, names)
    products = [one for one in asked if one.status in WATCHED or one.qualified_name in names]
    environment = open_environment(settings)
    open_now = look(products, environment)
    found = open_now
    if closed:
        with open_record(environment) as ledger:
            found = incidents_of(ledger, [product.qualified_name for product in products])
    rows = [
        {
            "incident": item.incident,
            "opened": item.opened,
            "closed": item.closed,
            "kind": item.trouble.kind,
            "product": item.trouble.product,
            "subject": item.trouble.subject,
            "why": item.trouble.why if output is Format.JSON else _short(item.trouble.why),
            "run_id": item.trouble.run_id,
            "publication": item.trouble.publication,
        }
        for item in found
    ]
    columns = [name for name in INCIDENTS if name != "closed" or closed]
    show(rows, output, columns=columns, empty="no incident", wrap="why")
    if rows and output is Format.TABLE:
        say("\nmesh show INCIDENT has all of one")
    return REFUSED if open_now else 0


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
