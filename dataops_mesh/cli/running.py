"""`mesh run`, `mesh rollback` and `mesh ui`: commands that change or start something."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dataops_mesh.cli.declarations import problems_of
from dataops_mesh.cli.output import REFUSED, WRONG, Format, lines, say, show
from dataops_mesh.cli.workspace import named, one, open_workspace
from dataops_mesh.errors import DeclarationError, Problem, SettingsError
from dataops_mesh.spec.mesh import order
from dataops_mesh.spec.model import Product

if TYPE_CHECKING:
    from dataops_mesh.factory.runner import Ended
    from dataops_mesh.run.environment import Environment

COLUMNS = ("product", "ended", "publication", "rows", "checks", "warnings", "seconds")
WHY_LINES = 12


def run_products(names: Sequence[str], output: Format) -> int:
    """Run the named products, show a table, return 1 if any was not published."""
    settings, mesh = open_workspace()
    products = order(tuple(named(mesh, names, runnable=True)))
    if problems := problems_of(mesh, products, settings):
        raise DeclarationError(problems)
    from dataops_mesh.factory.instance import open_instance
    from dataops_mesh.factory.runner import Ending, run_in_process
    from dataops_mesh.run.environment import open_environment

    environment = open_environment(settings)
    _tell_progress()
    rows = []
    refused = False
    with open_instance(settings) as instance:
        for ended in run_in_process(mesh, products, instance, _say_batch):
            _say_end(ended)
            refused = refused or ended.ending is not Ending.PUBLISHED
            rows.append(_row(ended, environment))
    say("")
    show(rows, output, columns=COLUMNS)
    if refused:
        say("\nNot everything was published. Consumers still read the publications before.")
    return REFUSED if refused else 0


def roll_back(name: str, to: int | None, reason: str, output: Format) -> int:
    """Publish an earlier publication again, and tell Dagster."""
    from dataops_mesh.factory.instance import open_instance
    from dataops_mesh.factory.reconcile import reconcile
    from dataops_mesh.run.environment import open_environment
    from dataops_mesh.run.rollback import rollback_product

    settings, mesh = open_workspace()
    product = one(mesh, name)
    environment = open_environment(settings)
    release = rollback_product(product, environment, to, reason)
    with open_instance(settings) as instance:
        reconcile(instance, environment.store, product)
    rows = [
        {
            "port": str(port.address),
            "publication": release.number,
            "candidate": release.ports[port.address].candidate,
            "rows": release.ports[port.address].rows,
        }
        for port in product.outputs
    ]
    show(rows, output, columns=("port", "publication", "rows", "candidate"))
    return 0


def start_ui(arguments: Sequence[str]) -> int:
    """Start `dagster dev` on the workspace and wait for it."""
    from dataops_mesh.factory.instance import dagster_home

    settings, _ = open_workspace()
    file = settings.root / "workspace.yaml"
    if not file.is_file():
        raise SettingsError(Problem(f"{file} is missing", next="mesh workspace"))
    environment = {**os.environ, "DAGSTER_HOME": str(dagster_home(settings))}
    command = [sys.executable, "-m", "dagster", "dev", "-w", str(file), *arguments]
    try:
        return subprocess.run(command, cwd=settings.root, env=environment, check=False).returncode  # noqa: S603 - our own interpreter
    except KeyboardInterrupt:
        return 0
    except OSError as error:
        say(f"error: dagster dev could not be started: {error}")
        return WRONG


def _row(ended: Ended, environment: Environment) -> dict[str, Any]:
    """Return the facts of a product's run: the record's, where there is one."""
    from dataops_mesh.run.record import last_run

    facts = last_run(environment, ended.product.qualified_name, ended.dagster_run)
    return {
        "product": ended.product.qualified_name,
        "ended": ended.ending.value,
        "dagster_run": ended.dagster_run,
        "why": ended.why,
        **facts,
    }


def _say_batch(products: Sequence[Product]) -> None:
    names = ", ".join(product.name for product in products)
    say(f"{products[0].domain}: {names}")


def _say_end(ended: Ended) -> None:
    say(f"  {ended.product.qualified_name}: {ended.ending.value}")
    for line in lines(ended.why, WHY_LINES):
        say(f"    {line}")


def _tell_progress() -> None:
    """Show the stages of a run as they come; the library logs them."""
    import logging

    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("  %(message)s"))
    logger = logging.getLogger("dataops_mesh")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
