"""Run products across domains from one process, as real Dagster runs on the given instance.

No Dagster run spans code locations. So the products are ordered across domains, and each batch
of products of one domain is one run; a product whose input was refused waits.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import dagster as dg

from dataops_mesh.factory.assets import FULL_TAG, output_keys
from dataops_mesh.factory.domain import definitions_of
from dataops_mesh.factory.instance import process_tag
from dataops_mesh.settings import load_settings
from dataops_mesh.spec.model import Address, Domain, Mesh, Product

RUN_TAG = "mesh/run"
INTERRUPTIONS = frozenset({"DagsterExecutionInterruptedError", "KeyboardInterrupt"})
_LOADED: dict[Path, tuple[Domain, dg.Definitions]] = {}  # one for each domain that ran here


Pieces = Callable[[Product], Sequence[str]]


class Ending(StrEnum):
    """How a product's part of a run ended."""

    PUBLISHED = "published"
    REFUSED = "refused"
    FAILED = "failed"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Ended:
    """A product's part of a run.

    Args:
        dagster_run: the Dagster run, empty for a product that had to wait.
        partition: the partition that was built; empty for a whole product.
        why: what the Failure said, or what the product waits for.
    """

    product: Product
    ending: Ending
    dagster_run: str = ""
    why: str = ""
    partition: str = ""


def run_in_order(
    mesh: Mesh,
    products: Sequence[Product],
    run: Callable[[Domain, Sequence[Product]], Iterator[Ended]],
) -> Iterator[Ended]:
    """Run the products in order and yield how each ended.

    Args:
        mesh: all domains; tells where each product's definitions are.
        products: what to run, in an order in which inputs come first.
        run: runs a batch of products of one domain, wherever that is.
    """
    not_published: dict[Address, str] = {}
    folders = {domain.name: domain for domain in mesh.domains}
    for batch in batches(products):
        ready = []
        for product in batch:
            blocker = next((a for a in _reads(product) if a in not_published), None)
            if blocker is None:
                ready.append(product)
                continue
            _mark(product, not_published)
            yield Ended(product, Ending.WAITING, why=f"its input {blocker} was not published")
        if not ready:
            continue
        published, tried = set[str](), set[str]()
        for ended in run(folders[ready[0].domain], ready):
            tried.add(ended.product.qualified_name)
            if ended.ending is Ending.PUBLISHED:
                published.add(ended.product.qualified_name)
            yield ended
        for product in ready:  # of a partitioned product, one new partition is news
            if product.qualified_name in tried - published:  # and that none is due is none
                _mark(product, not_published)


def batches(products: Sequence[Product]) -> list[list[Product]]:
    """Group ordered products into runs: of one domain each, inputs always in an earlier one.

    Products of the domain that is ready join its batch even when others stand between them.
    """
    waiting = list(products)
    made_by = {port.address: p.qualified_name for p in products for port in p.outputs}
    done: set[str] = set()
    result: list[list[Product]] = []
    while waiting:
        domain = waiting[0].domain
        batch: list[Product] = []
        for product in waiting:
            needs = {made_by[a] for a in _reads(product) if a in made_by}
            if product.domain == domain and needs <= done | {p.qualified_name for p in batch}:
                batch.append(product)
        done |= {product.qualified_name for product in batch}
        waiting = [product for product in waiting if product not in batch]
        result.append(batch)
    return result


def domain_definitions(domain: Domain) -> dg.Definitions:
    """Return the definitions of a domain's declarations, made again if these have changed.

    Its `definitions.py` is for Dagster's own processes and may hold code of the domain; this
    process has the rights of the store, so it never runs it.

    Raises:
        DeclarationError: the declarations are not valid.
    """
    known = _LOADED.get(domain.folder)
    if known is not None and known[0] == domain:
        return known[1]
    definitions = definitions_of(domain, load_settings(domain.folder))
    _LOADED[domain.folder] = domain, definitions
    return definitions


def run_batch(
    domain: Domain,
    products: Sequence[Product],
    instance: dg.DagsterInstance,
    pieces: Pieces,
    *,
    full: bool = False,
) -> Iterator[Ended]:
    """Run the whole products of a domain in one run, and each partition in one of its own.

    Args:
        domain: the domain.
        products: of it, in order.
        instance: Dagster's.
        pieces: returns the partitions to build of a product.
        full: build them without what they themselves published last.
    """
    whole = [product for product in products if product.partitioning is None]
    cut = [product for product in products if product.partitioning is not None]
    # Whole products may read partitioned ones of the same domain, and the other way round.
    for group in _in_order(products, whole, cut):
        if group[0].partitioning is None:
            yield from _run(domain, group, instance, full=full)
            continue
        for key in pieces(group[0]):
            yield from _run(domain, group, instance, key, full=full)


def _in_order(
    products: Sequence[Product], whole: list[Product], cut: list[Product]
) -> list[list[Product]]:
    if not cut:
        return [whole]
    groups: list[list[Product]] = []
    for product in products:
        joins = product in whole and groups and groups[-1][0] in whole
        if joins:
            groups[-1].append(product)
        else:
            groups.append([product])
    return groups


def _run(
    domain: Domain,
    products: Sequence[Product],
    instance: dg.DagsterInstance,
    partition: str | None = None,
    *,
    full: bool,
) -> Iterator[Ended]:
    definitions = domain_definitions(domain)
    job = definitions.resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(
        instance=instance,
        asset_selection=[key for product in products for key in _keys(definitions, product)],
        partition_key=partition,
        raise_on_error=False,
        tags={RUN_TAG: "mesh run", **process_tag(), **({FULL_TAG: "true"} if full else {})},
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )
    if any(map(_interrupted, result.all_events)):  # Dagster catches it and calls it a failure
        instance.report_run_canceled(result.dagster_run)
        raise KeyboardInterrupt
    for product in products:
        yield replace(_ended(product, result), partition=partition or "")


def _interrupted(event: dg.DagsterEvent) -> bool:
    error = event.step_failure_data.error if event.is_step_failure else None
    return error is not None and error.cls_name in {
        "DagsterExecutionInterruptedError",
        "KeyboardInterrupt",
    }


def _keys(definitions: dg.Definitions, product: Product) -> list[dg.AssetKey]:
    """Return every asset of the product's step: its ports, and what dbt builds on the way."""
    return sorted(definitions.resolve_assets_def(output_keys(product)[0]).keys)


def _ended(product: Product, result: dg.ExecuteInProcessResult) -> Ended:
    step = f"{product.domain}__{product.name}"
    run = result.run_id
    events = [event for event in result.all_events if event.step_key == step]
    failed = next((event for event in events if event.is_step_failure), None)
    if failed is not None:
        user = failed.step_failure_data.user_failure_data
        error = failed.step_failure_data.error
        why = (user.description if user else None) or (error.message if error else "") or ""
        refused = bool(user and "mesh/reasons" in user.metadata)
        return Ended(product, Ending.REFUSED if refused else Ending.FAILED, run, why.strip())
    if any(event.is_step_success for event in events):
        return Ended(product, Ending.PUBLISHED, run)
    return Ended(product, Ending.WAITING, run, "an input of the same run was not published")


def _reads(product: Product) -> list[Address]:
    return [port.address for port in product.inputs if port.address is not None]


def _mark(product: Product, not_published: dict[Address, str]) -> None:
    not_published.update({port.address: product.qualified_name for port in product.outputs})
