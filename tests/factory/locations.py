"""Code locations made of tiny meshes, and Dagster runs on real instances."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
from helpers import a_contract, a_product, a_source, an_input, write_product

from dataops_mesh import connect, load_domain
from dataops_mesh.errors import NotPublishedError, StoreError
from dataops_mesh.settings import Settings, load_settings

GOOD = "id,kind\n1,a\n2,b\n"
MORE = "id,kind\n1,a\n2,b\n3,c\n"
BAD = "id,kind\n1,a\n1,b\n"
COLUMNS = (
    "{name: id, logicalType: integer, primaryKey: true, classification: public}",
    "{name: kind, logicalType: string, required: true, classification: public}",
)
SELECT = "select id::bigint as id, kind from orders_csv"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
ORDERS = dg.AssetKey(["shop", "orders"])


def orders(csv: str = GOOD, *, columns: Sequence[str] = COLUMNS, select: str = SELECT):
    """Return a product of one port; duplicate ids refuse it."""
    return a_product(
        ports={"orders": columns},
        inputs=[a_source("orders_csv", "orders.csv")],
        files={"orders.sql": select, "orders.csv": csv},
    )


def pair(csv: str = GOOD):
    """Return a product of two ports: `left` is always good, `right` has the ids as they come."""
    return a_product(
        ports={
            "left": ["{name: n, logicalType: integer, required: true}"],
            "right": [COLUMNS[0]],
        },
        inputs=[a_source("pair_csv", "pair.csv")],
        files={
            "left.sql": "select count(*) as n from pair_csv",
            "right.sql": "select id::bigint as id from pair_csv",
            "pair.csv": csv,
        },
    )


def totals(source: str = "shop.orders"):
    """Return a product that reads a published port."""
    return a_product(
        ports={"totals": ["{name: n, logicalType: integer, required: true}"]},
        inputs=[an_input(source)],
        files={"totals.sql": f"select count(*) as n from {source}"},
    )


DBT_MODELS = {
    "dbt_project.yml": "name: dots\nversion: 1.0.0\nprofile: dots\nmodel-paths: [models]\n"
    "models:\n  dots:\n    +materialized: table\n",
    "models/sources.yml": "sources:\n  - name: shop\n    database: mesh\n    schema: shop\n"
    "    tables:\n      - name: orders\n        config:\n          meta: {dagster: {asset_key: [shop, orders]}}\n",
    "models/stg_orders.sql": "select id, kind from {{ source('shop', 'orders') }}",
    "models/kinds.sql": "select kind, count(*) as n from {{ ref('stg_orders') }} group by kind",
    "models/kinds.yml": "models:\n  - name: kinds\n    access: public\n    columns:\n"
    "      - name: kind\n        data_tests: [not_null]\n",
}


def write_dbt_product(root: Path, *, kinds: int) -> None:
    """Write `dots.dots`: a dbt project of an inner and a public model, and its contract.

    Args:
        root: the workspace.
        kinds: how many rows the contract demands, so that a test decides whether it is refused.
    """
    for name, text in DBT_MODELS.items():
        file = root / "dbt_projects" / "dots" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    content = a_product(
        ports={
            "kinds": a_contract(
                "kinds",
                [
                    "{name: kind, logicalType: string, primaryKey: true}",
                    "{name: n, logicalType: integer}",
                ],
                f"{{name: as_many_kinds, metric: rowCount, mustBe: {kinds}}}",
            )
        },
        inputs=[an_input("shop.orders")],
        files={},
        settings="- {property: transform, vendor: dataops_mesh, value: {dbt: {project: ../../../dbt_projects/dots}}}\n",
    )
    write_product(root, "dots", "dots", content)


def location(settings: Settings, domain: str) -> dg.Definitions:
    """Load a domain as Dagster would."""
    return load_domain(settings.domains_folder / domain)


def job_of(settings: Settings, domain: str) -> dg.JobDefinition:
    """Return the job over everything in the location; what `mesh run` and the UI use."""
    return location(settings, domain).resolve_implicit_global_asset_job_def()


def rebuilt_job(root: str, domain: str) -> dg.JobDefinition:
    """Make the job of a domain again from its location, as a run worker does."""
    return location(load_settings(Path(root)), domain).resolve_job_def(domain)


def reconstructable(settings: Settings, domain: str):
    """Return a job that `execute_job` can make again."""
    here = str(Path(__file__).parent)
    return dg.build_reconstructable_job(
        "locations", "rebuilt_job", (str(settings.root), domain), {}, here
    )


def execute(
    settings: Settings,
    domain: str,
    instance: dg.DagsterInstance,
    keys: Sequence[dg.AssetKey] | None = None,
) -> dg.ExecuteInProcessResult:
    """Run assets of a location (all of them if none are named) and record it in the instance."""
    return in_process(job_of(settings, domain), instance, asset_selection=keys)


def in_process(
    job: dg.JobDefinition, instance: dg.DagsterInstance, **arguments: Any
) -> dg.ExecuteInProcessResult:
    """Run a job here, without repeating its log on the console."""
    return job.execute_in_process(
        instance=instance, raise_on_error=False, run_config=QUIET, **arguments
    )


def rows(settings: Settings, query: str) -> list[tuple] | None:
    """Return what a consumer reads, or None where nothing is published."""
    try:
        with connect(store=settings.store_folder) as published:
            known = [str(address) for address in published.release.ports]
            if not any(address in query for address in known):
                return None
            return published.execute(query).fetchall()
    except (NotPublishedError, StoreError):
        return None


@contextmanager
def local_instance(folder: Path) -> Iterator[dg.DagsterInstance]:
    """Open an instance that keeps its runs in a folder."""
    quiet = {"telemetry": {"enabled": False}}
    with dg.DagsterInstance.local_temp(str(folder), quiet) as instance:
        yield instance


def everything_said(instance: dg.DagsterInstance, run_id: str) -> str:
    """Return every event and log line of a run as one text."""
    return "\n".join(
        json.dumps(dg.serialize_value(entry)) + str(entry) for entry in instance.all_logs(run_id)
    )
