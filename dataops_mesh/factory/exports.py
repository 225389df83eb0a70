"""What keeps the copies of a domain's ports up to date where nobody types."""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from dataops_mesh.errors import MeshError
from dataops_mesh.factory.automation import status_of
from dataops_mesh.run.environment import open_environment
from dataops_mesh.run.exporting import known_exports
from dataops_mesh.run.process.copying import gate_export
from dataops_mesh.settings import Settings, load_settings
from dataops_mesh.spec.model import Product
from dataops_mesh.store.log import latest_number
from dataops_mesh.watch.copies import exports_due
from dataops_mesh.watch.news import now

_SLOT = 300  # seconds: what was asked for and left no record is asked for again


def exports_sensor(
    name: str, products: Sequence[Product], settings: Settings
) -> dg.SensorDefinition:
    """Return the sensor that has copies brought to what the log says, and tries again.

    The copying is a run of its own: it may take longer than a sensor has.
    """
    by_name = {product.qualified_name: product for product in products}

    def copy(context: dg.OpExecutionContext) -> None:
        named = load_settings(settings.root)
        environment = open_environment(named)
        faults = []
        for product in exports_due([*by_name.values()], environment, now()):
            try:
                found = gate_export(product, named, context.log.info)
            except MeshError as error:
                faults.append(f"{product.qualified_name}: {error}")
                continue
            faults += [f"{one.product} to {one.target}: {one.why}" for one in found if one.why]
        if faults:
            raise dg.Failure("\n".join(faults), allow_retries=False)

    step = dg.op(name=f"{name}_exports_step")(copy)
    graph = dg.GraphDefinition(name=f"{name}_exports", node_defs=[step])
    what = f"Brings the copies of ports of {name} to what is published; builds nothing."

    @dg.sensor(
        name=f"{name}_exports",
        job=graph.to_job(description=what, executor_def=dg.in_process_executor),
        minimum_interval_seconds=settings.tick,
        default_status=status_of(settings)[0],
        description=what,
    )
    def exports(context: dg.SensorEvaluationContext) -> Any:
        del context
        environment = open_environment(load_settings(settings.root))
        at = now()
        due = exports_due([*by_name.values()], environment, at)
        if not due:
            return dg.SkipReason("every copy is what the log says, or waits for its next try")
        names = [product.qualified_name for product in due]
        tries = sum(one.failures for one in known_exports(names, environment).values())
        slot, number = int(at.timestamp()) // _SLOT, latest_number(environment.store)
        return dg.RunRequest(run_key=f"{','.join(names)}/{number}/{tries}/{slot}")

    return exports
