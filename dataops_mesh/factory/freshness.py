"""Freshness of runs: the contract's promise as Dagster's freshness policy.

Freshness of data is another thing, and a check (`freshness`): a run an hour ago may have
published last week's data.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import dagster as dg

from dataops_mesh.errors import MeshError
from dataops_mesh.run.environment import Environment, store_of
from dataops_mesh.run.word.held import gone_inputs, hold_on_product
from dataops_mesh.settings import Settings
from dataops_mesh.spec.model import Product
from dataops_mesh.spec.slo import recency_of
from dataops_mesh.store.release import Release, latest
from dataops_mesh.watch.slo import is_complete


def freshness_policy(product: Product) -> dg.FreshnessPolicy | None:
    """Return how old the last materialization may be."""
    recency = recency_of(product)
    if recency is None:
        return None
    # Dagster looks once a minute and takes no shorter window.
    shortest = timedelta(minutes=1)
    fail = max(timedelta(hours=recency.fail), shortest)
    warn = max(timedelta(hours=recency.warn), shortest)
    return dg.FreshnessPolicy.time_window(
        fail_window=fail, warn_window=warn if warn < fail else None
    )


def unexpected(products: Iterable[Product], settings: Settings) -> frozenset[str]:
    """Return the products of which no run is expected: held, withdrawn, or past their end.

    Nor of those that read what was withdrawn. Dagster computes freshness from materializations
    alone, by the definitions as they were loaded: so these have no policy. A hold of one partition
    is none of the product.
    """
    promised = [product for product in products if recency_of(product) is not None]
    if not promised:
        return frozenset()
    try:
        store = store_of(settings, create=False)
        release, environment = latest(store), Environment(store, settings)
        return frozenset(
            product.qualified_name
            for product in promised
            if gone_inputs(product, release)
            or _is_held(product, environment, release)
            or is_complete(product, release, datetime.now(UTC))
        )
    except MeshError:  # nothing was ever published here, or nobody can say
        return frozenset()


def _is_held(product: Product, environment: Environment, release: Release) -> bool:
    if product.partitioning is None:
        return hold_on_product(product, environment, release) is not None
    holds = (hold for port in product.outputs for hold in release.holds.get(port.address, ()))
    return any(not hold.partition for hold in holds)
