"""Watching a domain: its published data, its incidents, and who is told of them."""

from collections.abc import Callable, Sequence
from typing import Any

import dagster as dg

from dataops_mesh.errors import MeshError, NotPublishedError, StoreError
from dataops_mesh.factory.automation import status_of
from dataops_mesh.factory.describe import (
    CHECKS_HAVE_PARTITIONS,
    PUBLICATION,
    SEVERITIES,
    key_of,
)
from dataops_mesh.factory.freshness import unexpected
from dataops_mesh.factory.quiet import answer, instance_of
from dataops_mesh.factory.standing import Standing
from dataops_mesh.factory.withdrawals import tell_withdrawals
from dataops_mesh.run.environment import open_environment
from dataops_mesh.run.word.ended import end_by_itself
from dataops_mesh.settings import Settings, load_settings
from dataops_mesh.spec.checks.check import Check, CheckResult, Outcome
from dataops_mesh.spec.model import Product
from dataops_mesh.watch.alerts import deliver
from dataops_mesh.watch.deadlines import next_alert
from dataops_mesh.watch.former import former_products
from dataops_mesh.watch.health import verify_published
from dataops_mesh.watch.monitor import PublishedAudit, audit_published
from dataops_mesh.watch.news import Looked, Question, about, looked, now
from dataops_mesh.watch.trouble import LostRun, look, recorded_runs

ENDED_BADLY = (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)


def monitor_schedule(
    domain: str, products: Sequence[Product], settings: Settings
) -> dg.ScheduleDefinition:
    """Return the schedule that tests what the domain has published again."""

    def audit(context: dg.OpExecutionContext) -> None:
        faults = []
        for product in products:
            try:
                found = monitor(product, context.instance, settings)
            except MeshError as error:
                faults.append(f"{product.qualified_name}: {error}")
                continue
            if found is not None:
                context.log.info("%s: %s", product.qualified_name, found.outcome)
        if faults:
            raise dg.Failure("\n".join(faults), allow_retries=False)

    what = f"Runs the checks of {domain} again on what is published; builds nothing."
    return _schedule(f"{domain}_monitor", audit, what, settings.monitor, settings)


def verify_schedule(
    domain: str, products: Sequence[Product], settings: Settings
) -> dg.ScheduleDefinition:
    """Return the schedule that compares the domain's published files with their checksums."""
    ports = [port.address for product in products for port in product.outputs]

    def compare(context: dg.OpExecutionContext) -> None:
        store = open_environment(load_settings(settings.root)).store
        try:
            size = verify_published(store, ports)
        except StoreError as error:
            raise dg.Failure(str(error), allow_retries=False) from error
        context.log.info("%d bytes are what their manifests say", size)

    what = f"Compares the published files of {domain} with their checksums."
    return _schedule(f"{domain}_verify", compare, what, settings.verify, settings)


def _schedule(
    name: str,
    work: Callable[[dg.OpExecutionContext], None],
    what: str,
    cron: str,
    settings: Settings,
) -> dg.ScheduleDefinition:
    """Return a schedule of a job that does one thing and builds nothing."""
    step = dg.op(name=f"{name}_step")(work)
    graph = dg.GraphDefinition(name=name, node_defs=[step])
    return dg.ScheduleDefinition(
        name=f"{name}_schedule",
        job=graph.to_job(description=what, executor_def=dg.in_process_executor),
        cron_schedule=cron,
        execution_timezone="UTC",
        default_status=status_of(settings)[1],
    )


def monitor(
    product: Product, instance: dg.DagsterInstance, settings: Settings
) -> PublishedAudit | None:
    """Audit what a product has published, and report it under the names of its checks.

    Returns:
        None for a product that has published nothing yet.
    """
    environment = open_environment(load_settings(settings.root))
    try:
        audit = audit_published(product, environment)
    except NotPublishedError:
        return None
    checks = {(check.port, check.name): check for check in audit.checks}
    for result in audit.results:
        check = checks[result.port, result.check]
        instance.report_runless_asset_event(evaluation(audit, check, result))
    return audit


def evaluation(audit: PublishedAudit, check: Check, result: CheckResult) -> dg.AssetCheckEvaluation:
    """Return the event for one check on published data."""
    of_partition = audit.partition and CHECKS_HAVE_PARTITIONS
    part: dict[str, Any] = {"partition": audit.partition} if of_partition else {}
    return dg.AssetCheckEvaluation(
        asset_key=key_of(check.port),
        check_name=check.name,
        passed=result.outcome is Outcome.PASSED,
        severity=SEVERITIES[check.severity],
        description=result.reason or None,
        **part,
        metadata={
            PUBLICATION: audit.publication,
            "mesh/monitor": "on what is published; nothing was built",
            "observed": result.told,
            "threshold": str(check.threshold),
            **({"mesh/partition": audit.partition} if audit.partition else {}),
        },
    )


def alert_sensor(
    stands: Standing, products: Sequence[Product], settings: Settings, name: str = ""
) -> dg.SensorDefinition:
    """Return the sensor that keeps the domain's incidents, tells people, and ends what has ended.

    It also says when Dagster's freshness, which is as of the load, is behind what people decided.

    Args:
        stands: the domain as it was loaded; what it declares no more may have to end, unless
            some of it could not be read.
        products: those of it that run, and those that were retired.
        settings: of the workspace.
        name: of the sensor, where it is not the domain's.
    """
    rested, domain = unexpected(products, settings), stands.domain
    question = Question(
        settings.root, domain.folder, tuple(products), about(domain.products, stands.faults)
    )

    @dg.sensor(
        name=f"{name or domain.name}_alerts",
        minimum_interval_seconds=settings.tick,
        default_status=status_of(settings)[0],
        description=f"Opens and closes incidents of {domain.name}, tells the products' channels, "
        "and withdraws what has ended and nobody reads.",
    )
    def alerts(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        mark, at = answer(question, context), now()
        before = Looked.read(context.cursor)
        if before is not None and before.holds(mark, at):
            return dg.SkipReason(before.said)
        instance, calm = instance_of(context), True
        environment = open_environment(load_settings(settings.root))
        until = next_alert(products, environment, at)
        try:
            gone = end_by_itself(domain, environment) if stands.whole else ()
        except MeshError as error:  # people are told of incidents all the same
            context.log.warning("nothing is withdrawn: %s", error)
            gone, calm = (), False
        for release in gone:
            tell_withdrawals(instance, release)
            context.log.info("%s was withdrawn: %s", release.about, release.reason)
        lost = {
            product.qualified_name: run
            for product in products
            if (run := lost_run(product, instance, settings)) is not None
        }
        watched = (*products, *former_products(domain, environment))
        incidents = look(watched, environment, lost)
        sent = deliver(watched, environment)
        for delivery in sent:
            if delivery.fault:
                context.log.warning("channel %s: %s", delivery.channel, delivery.fault)
        for missing in stands.faults:
            context.log.warning("%s is not loaded, and nothing ends by itself", missing)
        # What was sent may not be all: it has a time limit, and others come after a fault.
        calm = calm and not sent
        told = sum(not delivery.fault for delivery in sent)
        said = f"{len(incidents)} open incidents; {told} deliveries"
        if changed := rested ^ unexpected(products, settings):
            said += f"; reload {domain.name}: the freshness of {', '.join(sorted(changed))} is old"
        seen = looked(before, mark, at=at, until=until, calm=calm, said=said)
        context.update_cursor(seen.text())
        return dg.SkipReason(said)

    return alerts


def lost_run(product: Product, instance: dg.DagsterInstance, settings: Settings) -> LostRun | None:
    """Return the newest Dagster run of a product if it failed and left no record of its own."""
    records = instance.get_asset_records([key_of(product.outputs[0].address)])
    run_id = records[0].asset_entry.last_run_id if records else None
    run = instance.get_run_by_id(run_id) if run_id else None
    if run is None or run.status not in ENDED_BADLY:
        return None
    environment = open_environment(load_settings(settings.root))
    if run.run_id in recorded_runs(environment, product):
        return None
    return LostRun(run.run_id, _why(product, instance, run))


def _why(product: Product, instance: dg.DagsterInstance, run: dg.DagsterRun) -> str:
    """Return what the step's failure said, or how the run ended."""
    step = f"{product.domain}__{product.name}"
    for entry in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE):
        event = entry.dagster_event
        if event is None or event.step_key != step:
            continue
        data = event.step_failure_data
        if data.user_failure_data and data.user_failure_data.description:
            return data.user_failure_data.description
        return "the step failed; its error is in the run"
    return f"the run ended as {run.status.value.lower()} and left no record"
