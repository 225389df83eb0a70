"""A Dagster run of every kind on a real instance, and what two event logs hold afterwards."""

from __future__ import annotations

import sqlite3
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
RECORDED: list[Any] = []
RECORDING = (
    "telemetry: {{enabled: false}}\nevent_log_storage: "
    "{{module: event_logs, class: Recording, config: {{base_dir: '{}'}}}}\n"
)
# Written by SQLite's clock when a row is inserted, and read by nobody.
CLOCKS = {"create_timestamp", "migration_completed"}
DAYS = dg.StaticPartitionsDefinition(["monday", "tuesday", "wednesday"])


class Recording(SqliteEventLogStorage):
    """Dagster's own event log, which remembers in which order events came."""

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> Recording:
        return cls(inst_data=inst_data, **config_value)

    def store_event(self, event: Any) -> None:
        RECORDED.append(event)
        super().store_event(event)


def definitions() -> dg.Definitions:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)
        of_days = [
            dg.AssetCheckSpec("each_day", asset="days", partitions_def=DAYS),
            dg.AssetCheckSpec("all_days", asset="days"),
        ]
    tries: list[int] = []

    @dg.multi_asset(
        specs=[dg.AssetSpec("whole"), dg.AssetSpec("half", skippable=True)],
        check_specs=[dg.AssetCheckSpec(name, asset="whole") for name in ("good", "bad")],
    )
    def whole(context):
        context.log_event(dg.AssetObservation("elsewhere", metadata={"n": 1}))
        yield dg.MaterializeResult(
            asset_key="whole",
            data_version=dg.DataVersion("1"),
            check_results=[
                dg.AssetCheckResult(passed=name == "good", check_name=name, metadata={"rows": 3})
                for name in ("good", "bad")
            ],
        )

    @dg.multi_asset(
        specs=[dg.AssetSpec("days")],
        check_specs=of_days,
        partitions_def=DAYS,
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def days(context):
        for day in context.partition_keys:
            yield dg.AssetMaterialization("days", partition=day, tags={"dagster/data_version": day})
        if len(context.partition_keys) > 1:
            for day in context.partition_keys:
                yield dg.AssetCheckEvaluation(
                    asset_key=dg.AssetKey("days"), check_name="each_day", passed=True, partition=day
                )
            return
        for spec in of_days:
            yield dg.AssetCheckResult(
                asset_key=dg.AssetKey("days"), check_name=spec.name, passed=day != "tuesday"
            )
        if day == "tuesday":
            raise dg.Failure("refused")

    @dg.asset(retry_policy=dg.RetryPolicy(max_retries=1, delay=0))
    def tried_again() -> None:
        tries.append(1)
        if len(tries) == 1:
            raise dg.RetryRequested(max_retries=1, seconds_to_wait=0)
        if len(tries) > 2:
            raise ValueError("broken")

    return dg.Definitions(assets=[whole, days, tried_again])


def everything(instance: dg.DagsterInstance) -> None:
    """Let everything happen that can: runs, retries, failures, checks, observations, wipes."""
    job = definitions().resolve_implicit_global_asset_job_def()

    def run(*keys: str, **more: Any) -> dg.ExecuteInProcessResult:
        return job.execute_in_process(
            instance=instance, asset_selection=[dg.AssetKey(key) for key in keys],
            run_config=QUIET, raise_on_error=False, **more,
        )  # fmt: skip

    whole = run("whole", "half")
    run("days", partition_key="monday")
    run("days", partition_key="monday")
    run("days", partition_key="tuesday")
    ranged = {
        "dagster/asset_partition_range_start": "monday",
        "dagster/asset_partition_range_end": "wednesday",
    }
    run("days", tags=ranged)
    run("tried_again")
    run("tried_again")
    key = dg.AssetKey("days")
    instance.report_runless_asset_event(
        dg.AssetMaterialization(key, partition="monday", metadata={"n": 1})
    )
    instance.report_runless_asset_event(dg.AssetObservation(key, partition="monday"))
    for day in (None, "monday"):
        instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(
                asset_key=key, check_name="all_days", passed=False, partition=day
            )
        )
    run_again = instance.get_run_by_id(whole.run_id)
    assert run_again
    instance.report_engine_event("somebody looked", run_again)
    instance.report_run_canceling(run_again)
    instance.report_run_canceled(run_again)


def contents(folder: Path) -> dict[str, Any]:
    """Return every row of every file, and its schema, without what SQLite's clock wrote."""
    found = {}
    for file in sorted(folder.glob("*.db")) + sorted(folder.glob(".db")):
        with sqlite3.connect(file) as con:
            con.row_factory = sqlite3.Row
            tables = con.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
            for name, sql in map(tuple, tables):
                found[file.name, name, "schema"] = sql
                if not sql or not sql.startswith("CREATE TABLE"):
                    continue
                rows = con.execute(f'SELECT rowid AS at, * FROM "{name}" ORDER BY rowid').fetchall()
                found[file.name, name, "rows"] = [
                    {k: v for k, v in zip(row.keys(), row, strict=True) if k not in CLOCKS}
                    for row in rows
                ]
        con.close()
    return found


def sound(folder: Path) -> bool:
    """Tell whether SQLite finds nothing wrong with any file."""
    for file in folder.glob("*.db"):
        con = sqlite3.connect(file)
        answer = con.execute("PRAGMA integrity_check").fetchall()
        con.close()
        if answer != [("ok",)]:
            return False
    return True


def kinds(events: Sequence[Any]) -> set[str]:
    return {event.dagster_event_type.value for event in events if event.is_dagster_event}
