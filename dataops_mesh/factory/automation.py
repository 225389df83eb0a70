"""Declarative automation: a publication of an input wakes its consumers, across code locations.

The condition is our own. Dagster's `eager` forgets an update that comes while the consumer runs,
and wakes for content that has not changed; this one compares records and cannot miss any.
It needs `use_user_code_server`, because the daemon only knows Dagster's own conditions.
"""

import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from dataops_mesh.factory.describe import source_key
from dataops_mesh.factory.quiet import QuietAutomation
from dataops_mesh.run.due import due_partitions, woken_partitions
from dataops_mesh.run.environment import open_environment
from dataops_mesh.run.process.looking import have_looked
from dataops_mesh.run.word.held import gone_inputs, hold_on_product
from dataops_mesh.settings import Settings, load_settings
from dataops_mesh.spec.model import Domain, Product
from dataops_mesh.spec.read.automation import automation_of
from dataops_mesh.store.release import latest
from dataops_mesh.watch.news import Question, about
from dataops_mesh.watch.wake import unseen

LOGGER = logging.getLogger("dataops_mesh")
WOKEN = "mesh/woken_by"


def _pieces(context: dg.AutomationContext[dg.AssetKey], keys: Iterable[str]) -> Any:
    """Return those of the partitions that Dagster knows and that are asked about."""
    wanted = set(keys)
    asked = context.candidate_subset.expensively_compute_asset_partitions()
    found = {piece for piece in asked if piece.partition_key in wanted}
    return context.asset_graph_view.get_asset_subset_from_asset_partitions(
        key=context.key, asset_partitions=found
    )


@dataclass(frozen=True, eq=False)
class DuePartitions(dg.AutomationCondition[dg.AssetKey]):
    """The partitions that `mesh run` would build; asked only where something else has come true."""

    product: Product
    root: Path

    @property
    def name(self) -> str:
        """Return what the UI shows."""
        return "due_partitions"

    @property
    def description(self) -> str:
        """Return what is meant."""
        return "the current partition, those never published, and those whose own input changed"

    def evaluate(
        self, context: dg.AutomationContext[dg.AssetKey]
    ) -> dg.AutomationResult[dg.AssetKey]:
        """Return the partitions that are due; none of a product whose input was withdrawn."""
        found = context.get_empty_subset()
        if not context.candidate_subset.is_empty:
            environment = open_environment(load_settings(self.root))
            have_looked(self.product, environment)
            if not gone_inputs(self.product, latest(environment.store)):
                found = _pieces(context, due_partitions(self.product, environment))
        return dg.AutomationResult(context, found)


@dataclass(frozen=True, eq=False)
class NotHeld(dg.AutomationCondition[dg.AssetKey]):
    """True unless somebody holds the product, or withdrew what it reads; its cron's tick waits."""

    product: Product
    root: Path

    @property
    def name(self) -> str:
        """Return what the UI shows."""
        return "not_held"

    @property
    def description(self) -> str:
        """Return what is meant."""
        return "nobody holds the product or withdrew an input; `mesh hold list` says who holds what"

    def evaluate(
        self, context: dg.AutomationContext[dg.AssetKey]
    ) -> dg.AutomationResult[dg.AssetKey]:
        """Return the asset unless it is held; asked only where something else has come true."""
        found = context.candidate_subset
        if not found.is_empty:
            environment = open_environment(load_settings(self.root))
            gone = gone_inputs(self.product, latest(environment.store))
            if hold := next(iter(gone), None) or hold_on_product(self.product, environment):
                LOGGER.info("%s is not launched: %s", self.product.qualified_name, hold)
                found = context.get_empty_subset()
        return dg.AutomationResult(context, found)


@dataclass(frozen=True, eq=False)
class NewPartitions(dg.AutomationCondition[dg.AssetKey]):
    """The partitions that have not seen what they would read now; each asked once for that."""

    product: Product
    root: Path

    @property
    def name(self) -> str:
        """Return what the UI shows."""
        return "new_content_of_a_partition"

    @property
    def description(self) -> str:
        """Return what is compared."""
        return "what a partition would read now differs from what it was built from"

    def evaluate(
        self, context: dg.AutomationContext[dg.AssetKey]
    ) -> dg.AutomationResult[dg.AssetKey]:
        """Return the partitions that have something new to read."""
        environment = open_environment(load_settings(self.root))
        have_looked(self.product, environment)
        now = woken_partitions(self.product, environment)
        cursor = json.loads(context.cursor or "{}")
        asked, before = cursor.get("asked", {}), cursor.get("now", {})
        requested = context.get_previous_requested_subset(context.key)
        if requested is not None:
            for piece in requested.expensively_compute_asset_partitions():
                key = piece.partition_key or ""
                asked[key] = before.get(key, "")
        asked = {key: digest for key, digest in asked.items() if key in now}
        wakes = [key for key, digest in now.items() if asked.get(key) != digest]
        made = json.dumps({"asked": asked, "now": now})
        return dg.AutomationResult(context, _pieces(context, wakes), cursor=made)


@dataclass(frozen=True, eq=False)
class NewContent(dg.AutomationCondition[dg.AssetKey]):
    """True while an input holds content that the product's last run has not read.

    Asks once for the same content: a run that died without a record is for the instance's run
    retries, and must not be asked for at every tick.
    """

    product: Product
    root: Path

    @property
    def name(self) -> str:
        """Return what the UI shows."""
        return "new_content_of_an_input"

    @property
    def description(self) -> str:
        """Return what is compared."""
        return "a published input differs from what the last run of the product read"

    def evaluate(
        self, context: dg.AutomationContext[dg.AssetKey]
    ) -> dg.AutomationResult[dg.AssetKey]:
        """Return the asset where there is something new to read."""
        environment = open_environment(load_settings(self.root))
        have_looked(self.product, environment)
        now = unseen([self.product], environment).get(self.product.qualified_name, "")
        before, _, asked = (context.cursor or " ").partition(" ")
        requested = context.get_previous_requested_subset(context.key)
        if requested is not None and not requested.is_empty:
            asked = before
        wakes = bool(now) and now != asked
        subset = context.candidate_subset if wakes else context.get_empty_subset()
        return dg.AutomationResult(context, subset, cursor=f"{now} {asked}")


def automation_condition(
    product: Product, settings: Settings
) -> dg.AutomationCondition[Any] | None:
    """Return when Dagster runs the product by itself; None for a product only people run."""
    wakes, cut = automation_of(product), product.partitioning is not None
    conditions: list[dg.AutomationCondition[Any]] = []
    if wakes.upstream:
        # While an input is being built its consumers wait: they would build twice.
        idle = ~dg.AutomationCondition.any_deps_in_progress()
        new = NewPartitions if cut else NewContent
        conditions.append((new(product, settings.root) & idle).with_label("onUpstream"))
    written = [source_key(product, p) for p in product.inputs if p.source and p.source.asset]
    if written and wakes.assets:
        updated = dg.AutomationCondition.any_deps_match(
            dg.AutomationCondition.newly_updated()
        ).allow(dg.AssetSelection.assets(*written))
        written_anew = updated.since(dg.AutomationCondition.newly_requested())
        guard = DuePartitions if cut else NotHeld
        wake_up = (written_anew & guard(product, settings.root)).with_label("onAsset")
        conditions.append(wake_up)
    for cron in wakes.crons:
        tick = dg.AutomationCondition.cron_tick_passed(cron.line, cron.zone)
        due = tick.since(dg.AutomationCondition.newly_requested())
        label = f"onSchedule {cron}"
        narrowing = DuePartitions if cut else NotHeld
        conditions.append((due & narrowing(product, settings.root)).with_label(label))
    if not conditions:
        return None
    wake = conditions[0]
    for other in conditions[1:]:
        wake |= other
    return wake & ~dg.AutomationCondition.in_progress()


def status_of(settings: Settings) -> tuple[dg.DefaultSensorStatus, dg.DefaultScheduleStatus]:
    """Return whether sensors and schedules start running: in production, not in a sandbox."""
    if settings.automation and not settings.sandbox:
        return dg.DefaultSensorStatus.RUNNING, dg.DefaultScheduleStatus.RUNNING
    return dg.DefaultSensorStatus.STOPPED, dg.DefaultScheduleStatus.STOPPED


def automation_sensor(
    name: str,
    domain: Domain,
    products: Sequence[Product],
    assets: Sequence[dg.AssetsDefinition],
    settings: Settings,
) -> dg.AutomationConditionSensorDefinition:
    """Return the one automation sensor of a domain.

    Args:
        name: what its name begins with.
        domain: as it was loaded.
        products: those of it that run.
        assets: theirs.
        settings: of the workspace.
    """
    made_of = about(products, {})
    question = Question(settings.root, domain.folder, tuple(products), made_of, deliveries=True)
    return QuietAutomation(
        question,
        name=f"{name}_automation",
        target=dg.AssetSelection.assets(*assets),
        default_status=status_of(settings)[0],
        minimum_interval_seconds=settings.tick,
        run_tags={WOKEN: "automation"},
        description=f"Runs products of {name} when their inputs change or their cron ticks.",
    )
