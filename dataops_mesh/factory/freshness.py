"""Freshness of runs: the contract's promise as Dagster's freshness policy.

Freshness of data is another thing, and a check (`freshness`): a run an hour ago may have
published last week's data.
"""

from datetime import timedelta

import dagster as dg

from dataops_mesh.spec.model import Product
from dataops_mesh.spec.slo import recency_of


def freshness_policy(product: Product) -> dg.FreshnessPolicy | None:
    """Return how old the last materialization may be."""
    recency = recency_of(product)
    if recency is None:
        return None
    # Dagster looks once a minute and takes no shorter window.
    fail = max(timedelta(hours=recency.fail), timedelta(minutes=1))
    warn = timedelta(hours=recency.warn)
    return dg.FreshnessPolicy.time_window(
        fail_window=fail, warn_window=warn if warn < fail else None
    )
