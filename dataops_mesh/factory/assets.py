"""One product is one Dagster step: one asset per port, not subsettable, checks inside.

Any other shape leaks (see ARCHITECTURE.md): selections without checks, checks alone, one port
alone and re-execution from failure are then refused by Dagster or run the whole gate again.
"""

import logging
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

import dagster as dg

from dataops_mesh.errors import DeclarationError, MeshError, Problem, RunError, StoreError
from dataops_mesh.factory.automation import automation_condition
from dataops_mesh.factory.describe import check_specs, key_of, port_spec, tag_value
from dataops_mesh.factory.events import events_of
from dataops_mesh.factory.freshness import freshness_policy
from dataops_mesh.factory.lineage import column_lineage, deprecated_inputs
from dataops_mesh.factory.partitions import of_any_time, partitions_of
from dataops_mesh.factory.reconcile import reconcile
from dataops_mesh.run.checks import all_checks, dbt_nodes
from dataops_mesh.run.environment import Environment, open_environment
from dataops_mesh.run.identity import code_version
from dataops_mesh.run.lineage import Known
from dataops_mesh.run.process.client import gate_run
from dataops_mesh.settings import Settings, load_settings
from dataops_mesh.spec.model import Product
from dataops_mesh.transform.dbt.project import is_dbt
from dataops_mesh.transform.walls import Walls, walls_of

LOGGER = logging.getLogger("dataops_mesh")
MACHINERY = (RunError, StoreError)
RETRY_SECONDS = 5
FULL_TAG = "mesh/full"  # `true`: a run without what the products themselves published last


@dataclass(frozen=True, slots=True)
class Shape:
    """The specs of a product's step.

    Args:
        ports: one asset per output port.
        private: assets that the step builds and consumers cannot read (dbt's inner models).
    """

    ports: tuple[dg.AssetSpec, ...]
    private: tuple[dg.AssetSpec, ...] = ()


def product_asset(
    product: Product,
    settings: Settings,
    known: Known | None = None,
    *,
    walls: Walls | None = None,
    expected: bool = True,
) -> dg.AssetsDefinition:
    """Return the step that builds, checks and publishes a product.

    Args:
        product: what the step builds.
        settings: of the workspace.
        known: products that are loaded already.
        walls: those of the settings, if they were asked for already.
        expected: whether it is to run as often as promised; a person may hold it.

    Raises:
        DeclarationError: the transform does not fit the declaration.
    """
    version = code_version(product)
    known = known or Known()
    walls = walls or walls_of(settings)
    shape = _shape(product, version, settings, known, walls, expected=expected)
    checks = all_checks(product, walls)
    cut = partitions_of(product, settings)
    specs = of_any_time([*shape.private, *shape.ports], product, settings, known)
    keys = _inputs_first(specs)

    @dg.multi_asset(
        name=f"{product.domain}__{product.name}",
        specs=specs,
        check_specs=check_specs(checks, cut),
        can_subset=False,
        pool=f"{product.domain}__{product.name}",
        op_tags={"mesh/product": tag_value(product.qualified_name)},
        partitions_def=cut,
        # One partition is one candidate with its own results, so it is one run.
        backfill_policy=dg.BackfillPolicy.multi_run(1) if cut else None,
    )
    def build(context: dg.AssetExecutionContext) -> Iterator[Any]:
        environment = open_environment(load_settings(settings.root))
        _reconcile(context, environment, product)
        try:
            report = gate_run(
                product,
                environment.settings,
                checks,
                run_id=context.run_id,
                partition=context.partition_key if cut and context.has_partition_key else None,
                full=_is_full(context.run.tags),
                progress=_progress(context, product),
            )
        except MeshError as error:
            raise _again(context, environment.settings, _failure(error)) from None
        lineage = column_lineage(product, settings, known) if report.published else {}
        try:
            yield from events_of(report, keys, lineage)
        except dg.Failure as refusal:
            raise _again(context, environment.settings, refusal) from None

    return build


def _shape(  # noqa: PLR0913 - what a product is, and where
    product: Product,
    version: str,
    settings: Settings,
    known: Known,
    walls: Walls,
    *,
    expected: bool,
) -> Shape:
    notices = deprecated_inputs(product, settings, known)
    ports = tuple(
        port_spec(
            product,
            port,
            version,
            metadata={"mesh/deprecated_inputs": notices} if notices else {},
            automation_condition=automation_condition(product, settings),
            freshness_policy=freshness_policy(product) if expected else None,
        )
        for port in product.outputs
    )
    if not is_dbt(product):
        return Shape(ports)
    from dataops_mesh.factory.dbt import dbt_shape

    manifest, nodes = dbt_nodes(product, walls)
    private, deps = dbt_shape(product, manifest, nodes)
    return Shape(_with_deps(ports, deps), private)


def _inputs_first(specs: list[dg.AssetSpec]) -> list[dg.AssetKey]:
    """Return the step's assets so that each comes after those it reads, as Dagster demands."""
    own = {spec.key for spec in specs}
    graph = {spec.key: {dep.asset_key for dep in spec.deps} & own for spec in specs}
    return list(TopologicalSorter(graph).static_order())


def _with_deps(
    ports: tuple[dg.AssetSpec, ...], deps: Mapping[dg.AssetKey, list[dg.AssetDep]]
) -> tuple[dg.AssetSpec, ...]:
    """Let each public model depend on what dbt says it reads, not on all inputs."""
    return tuple(spec.replace_attributes(deps=deps[spec.key]) for spec in ports)


def _reconcile(
    context: dg.AssetExecutionContext, environment: Environment, product: Product
) -> None:
    for address, publication in reconcile(context.instance, environment.store, product):
        context.log.warning(
            "%s: publication %s was committed and not reported; reported now", address, publication
        )


def _progress(context: dg.AssetExecutionContext, product: Product) -> Callable[[str], None]:
    """Tell each stage to the run's log in the UI, and to the console of `mesh run`."""
    piece = f" {context.partition_key}" if context.has_partition_key else ""

    def tell(stage: str) -> None:
        context.log.info(stage)
        LOGGER.info("%s: %s", product.qualified_name + piece, stage)

    return tell


def _again(
    context: dg.AssetExecutionContext, settings: Settings, failure: dg.Failure
) -> dg.Failure | dg.RetryRequested:
    """Return a request to try again after a fault of the machinery, while there are tries left.

    Asked for here and not by a policy of the step: Dagster would also retry what a person stopped.
    """
    tried = context.retry_number
    if not failure.allow_retries or tried >= settings.retries:
        return dg.Failure(failure.description, failure.metadata, allow_retries=False)
    context.log.warning("%s", failure.description)
    pause = RETRY_SECONDS * 2**tried * random.uniform(0.5, 1.5)  # noqa: S311 - spreads load
    return dg.RetryRequested(max_retries=settings.retries, seconds_to_wait=pause)


def _is_full(tags: Mapping[str, str]) -> bool:
    """Tell whether a run begins again.

    Raises:
        DeclarationError: its tag says neither: a run that was meant to would be another one.
    """
    said = tags.get(FULL_TAG, "false").lower()
    if said not in {"true", "false"}:
        what = f"the run's tag {FULL_TAG} is neither true nor false"
        raise DeclarationError(Problem(what, choices=("true", "false"), next="launch it again"))
    return said == "true"


def _failure(error: MeshError) -> dg.Failure:
    """Return a Failure that may be retried only where another try can end otherwise."""
    return dg.Failure(description=str(error), allow_retries=isinstance(error, MACHINERY))


def output_keys(product: Product) -> list[dg.AssetKey]:
    """Return the asset keys of the product's output ports."""
    return [key_of(port.address) for port in product.outputs]
