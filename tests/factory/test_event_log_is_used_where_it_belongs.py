"""The kept event log is in instances that mesh wrote, and nowhere else."""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys

import dagster as dg
import pytest
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from event_logs import QUIET, definitions

from dataops_mesh.factory.eventlog import known
from dataops_mesh.factory.eventlog.storage import KeptEventLogStorage
from dataops_mesh.factory.instance import DAGSTER_YAML, OLD_YAML, dagster_home, open_instance
from dataops_mesh.settings import Settings

WHOLE = [dg.AssetKey("whole"), dg.AssetKey("half")]


@pytest.fixture
def settings(tmp_path, monkeypatch):
    # What mesh sets for its own processes ends with the test.
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / ".mesh/dagster"))
    return Settings(root=tmp_path)


def test_an_instance_of_mesh_has_dagsters_slower_log(settings):
    with open_instance(settings) as instance:
        assert isinstance(instance.event_log_storage, KeptEventLogStorage)
        assert known.unknown() == ""


def test_an_instance_of_an_earlier_mesh_stays_slow(settings):
    settings.dagster_folder.mkdir(parents=True)
    config = settings.dagster_folder / "dagster.yaml"
    config.write_text(OLD_YAML, "utf-8")
    with dg.DagsterInstance.from_config(str(settings.dagster_folder)) as before:
        job = definitions().resolve_implicit_global_asset_job_def()
        done = job.execute_in_process(instance=before, asset_selection=WHOLE, run_config=QUIET)
        events = len(before.all_logs(done.run_id))
    with open_instance(settings) as instance:
        assert isinstance(instance.event_log_storage, KeptEventLogStorage)
        assert len(instance.all_logs(done.run_id)) == events > 10
    assert config.read_text("utf-8") == DAGSTER_YAML


@pytest.mark.parametrize("text", ["", OLD_YAML + "# mine\n", "telemetry: {enabled: false}\n"])
def test_a_dagster_yaml_that_somebody_wrote_is_changed(settings, text):
    settings.dagster_folder.mkdir(parents=True)
    config = settings.dagster_folder / "dagster.yaml"
    config.write_text(text, "utf-8")
    dagster_home(settings)
    assert config.read_text("utf-8") == text


def test_a_copied_workspace_writes_into_the_first(settings, tmp_path):
    home = dagster_home(settings)
    copy = tmp_path / "copy"
    shutil.copytree(home, copy)
    with dg.DagsterInstance.from_config(str(copy)) as instance:
        instance.report_runless_asset_event(dg.AssetMaterialization("of_the_copy"))
        assert instance.all_asset_keys()
    with open_instance(settings) as instance:
        assert not instance.all_asset_keys()


def test_an_unknown_dagster_is_used_as_if_it_were_known(settings, monkeypatch, caplog):
    monkeypatch.setitem(known.PARAMETERS, "store_event", ("self", "event", "something_new"))
    known.unknown.cache_clear()
    try:
        with caplog.at_level(logging.WARNING, "dataops_mesh"), open_instance(settings) as instance:
            assert type(instance.event_log_storage) is SqliteEventLogStorage
            instance.report_runless_asset_event(dg.AssetMaterialization("one"))
    finally:
        known.unknown.cache_clear()
    said = [record.getMessage() for record in caplog.records if record.name == "dataops_mesh"]
    (line,) = said
    assert line.startswith("events are stored by Dagster's own, slower class: SqliteEventLog")
    assert line.endswith("store_event takes other parameters")


def test_an_interpreter_without_the_library_fails_without_saying_why(settings):
    home = dagster_home(settings)
    code = (
        "import sys; sys.modules['dataops_mesh'] = None\n"
        f"import dagster as dg; dg.DagsterInstance.from_config({str(home)!r})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=home
    )
    assert done.returncode
    assert "Couldn't import module dataops_mesh.factory.eventlog.instance" in done.stderr
    assert "needs\n# dataops_mesh in its interpreter" in (home / "dagster.yaml").read_text("utf-8")
