"""The kept event log writes the rows that Dagster's own writes, and answers what it answers."""

from __future__ import annotations

import os

import dagster as dg
import event_logs
import pytest
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from event_logs import RECORDED, RECORDING, contents, everything, kinds
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataops_mesh.factory.eventlog.storage import KeptEventLogStorage
from dataops_mesh.factory.instance import DAGSTER_YAML

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
COVERED = {
    "ASSET_MATERIALIZATION", "ASSET_MATERIALIZATION_PLANNED", "ASSET_OBSERVATION",
    "ASSET_CHECK_EVALUATION", "ASSET_CHECK_EVALUATION_PLANNED",
    "PIPELINE_START", "PIPELINE_SUCCESS", "PIPELINE_FAILURE", "PIPELINE_CANCELING",
    "PIPELINE_CANCELED", "STEP_START", "STEP_UP_FOR_RETRY", "STEP_RESTARTED", "STEP_FAILURE",
    "STEP_SUCCESS", "ENGINE_EVENT",
}  # fmt: skip


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """The events of everything, in order, and what Dagster's own class made of them."""
    home = tmp_path_factory.mktemp("default")
    (home / "dagster.yaml").write_text(RECORDING.format(home / "events"), "utf-8")
    RECORDED.clear()
    with dg.DagsterInstance.from_config(str(home)) as instance:
        everything(instance)
    events = tuple(RECORDED)
    missing = COVERED - kinds(events)
    assert not missing
    return events, contents(home / "events")


@settings(
    max_examples=60 if LONG else 3, suppress_health_check=[HealthCheck.too_slow], deadline=None
)
@given(sizes=st.lists(st.integers(1, 60), min_size=1, max_size=9))
def test_a_row_differs_from_dagsters_own(recorded, tmp_path_factory, sizes):
    events, expected = recorded
    folder = tmp_path_factory.mktemp("kept")
    log = KeptEventLogStorage(str(folder))
    at = turn = 0
    while at < len(events):
        size = sizes[turn % len(sizes)]
        if size == 1:
            log.store_event(events[at])
        else:
            log.store_event_batch(events[at : at + size])
        at, turn = at + size, turn + 1
    log.dispose()
    assert contents(folder) == expected


class Compared(KeptEventLogStorage):
    """The kept event log; what it says of materializations is compared with Dagster's own."""

    asked = 0

    @classmethod
    def from_config_value(cls, inst_data, config_value):
        return cls(inst_data=inst_data, **config_value)

    def fetch_materializations(self, *arguments, **named):
        found = super().fetch_materializations(*arguments, **named)
        other = SqliteEventLogStorage(self._base_dir)
        assert found == other.fetch_materializations(*arguments, **named)
        Compared.asked += 1
        return found


def test_an_answer_is_kept_longer_than_it_is_true(tmp_path):
    event_logs.Compared = Compared
    text = RECORDING.replace("Recording", "Compared").format(tmp_path / "events")
    (tmp_path / "dagster.yaml").write_text(text, "utf-8")
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        everything(instance)
        key = dg.AssetKey("days")
        log = instance.event_log_storage
        other = SqliteEventLogStorage(str(tmp_path / "events"))
        for change in (
            lambda: instance.report_runless_asset_event(
                dg.AssetMaterialization(key, partition="monday")
            ),
            lambda: other.wipe_asset(key),
            lambda: instance.report_runless_asset_event(
                dg.AssetMaterialization(key, partition="monday")
            ),
            lambda: instance.wipe_assets([key]),
        ):
            log.fetch_materializations(key, limit=1)
            change()
            log.fetch_materializations(key, limit=1)
    assert Compared.asked > 8


def test_nothing_says_planned_after_runs_on_an_instance_of_mesh(tmp_path):
    (tmp_path / "dagster.yaml").write_text(DAGSTER_YAML, "utf-8")
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert isinstance(instance.event_log_storage, KeptEventLogStorage)
        everything(instance)
    rows = contents(tmp_path / "history/runs")["index.db", "asset_check_executions", "rows"]
    planned = [row for row in rows if row["execution_status"] == "PLANNED"]
    assert {(row["check_name"], row["partition"]) for row in planned} == {("all_days", None)}
    assert len(planned) == 1  # of the run of three days, which says nothing of it
