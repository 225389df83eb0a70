"""A consumer's domain, whose automation is looked at tick by tick."""

from __future__ import annotations

import dagster as dg
from helpers import write_product, write_workspace
from locations import execute, location, orders

TOTALS = dg.AssetKey(["desk", "totals"])
DAILY = "slaProperties:\n  - {property: frequency, value: 1, unit: d, scheduler: cron, schedule: '0 5 * * *'}\n"


class Desk:
    """The automation of a consumer's domain, tick by tick."""

    def __init__(self, root, instance, products) -> None:
        self.settings = write_workspace(root, products)
        self.root, self.instance, self.cursor = root, instance, None

    def deliver(self, csv):
        """Let the producer's domain publish, or be refused."""
        write_product(self.root, "shop", "orders", orders(csv))
        return execute(self.settings, "shop", self.instance)

    def tick(self, domain="desk", at=None):
        """Return what the domain's automation asks for at one tick."""
        result = dg.evaluate_automation_conditions(
            location(self.settings, domain),
            self.instance,
            asset_selection=dg.AssetSelection.all(),
            cursor=self.cursor,
            evaluation_time=at,
        )
        self.cursor = result.cursor
        return set(result._requested_partitions_by_asset_key)

    def build(self, domain="desk"):
        """Run the consumer, as the daemon would after a tick."""
        assert execute(self.settings, domain, self.instance).success
