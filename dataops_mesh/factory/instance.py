"""The Dagster instance of a workspace, made on first use."""

import errno
import os
import socket
from pathlib import Path

import dagster as dg

from dataops_mesh.disk import rights_of
from dataops_mesh.errors import Problem, SettingsError
from dataops_mesh.settings import Settings

OLD_YAML = """\
# Written once by `mesh`; yours to edit.
telemetry:
  enabled: false
nux:
  enabled: false     # no newsletter dialog over the lineage
# Every product is a pool. Without a limit two runs of a product may build at the same time: the
# store's commit keeps them apart, and a run that is killed leaves no slot behind that nobody frees.
# In production, with run monitoring to free slots: docs/production.md.
"""
# Dagster's words for an interpreter without the library: "Couldn't import module dataops_mesh...".
EVENT_LOG = """\
# Dagster's SQLite files with kept connections. Every process that opens this instance needs
# dataops_mesh in its interpreter; for one that has not, delete this: files and rows are the same.
instance_class:
  module: dataops_mesh.factory.eventlog.instance
  class: WorkspaceInstance
"""
DAGSTER_YAML = OLD_YAML + EVENT_LOG
_DATABASES = ("history/runs.db", "history/runs/index.db", "schedules/schedules.db")
PROCESS_TAG = "mesh/process"


def dagster_home(settings: Settings) -> Path:
    """Return Dagster's home for the workspace, made with a `dagster.yaml` if it is new.

    A `dagster.yaml` that an earlier version wrote and nobody edited gets the event log; any
    other is left as it is.
    """
    home = settings.dagster_folder.absolute()
    config = home / "dagster.yaml"
    try:
        home.mkdir(parents=True, exist_ok=True)
        if not config.exists():
            _make_databases(home)
        if not config.exists() or config.read_text("utf-8") == OLD_YAML:
            _write(config, DAGSTER_YAML)
    except PermissionError as error:
        raise _not_ours(home, error.strerror) from None
    os.environ["DAGSTER_HOME"] = str(home)
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "1")
    return home


def _make_databases(home: Path) -> None:
    """Make Dagster's files with the rights that the umask gives: SQLite lets no group write."""
    for name in _DATABASES:
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).touch()


def _write(file: Path, text: str) -> None:
    """Write a file whole: another process may be reading it."""
    new = file.with_name(f".{file.name}.{os.getpid()}")
    new.write_text(text, "utf-8")
    new.replace(file)


def open_instance(settings: Settings) -> dg.DagsterInstance:
    """Return the instance in Dagster's home.

    Raises:
        SettingsError: it may not be written.
    """
    from sqlalchemy.exc import OperationalError

    home = dagster_home(settings)
    for file in (home / name for name in _DATABASES):
        if file.exists() and not os.access(file, os.W_OK):
            raise _not_ours(file, os.strerror(errno.EACCES))
    try:
        return dg.DagsterInstance.get()
    except PermissionError as error:
        raise _not_ours(home, error.strerror) from None
    except OperationalError as error:
        if os.access(home, os.W_OK) and "readonly" not in str(error.orig):
            raise
        raise _not_ours(home, str(error.orig)) from None


def _not_ours(place: Path, why: str | None) -> SettingsError:
    what = f"Dagster's home {place} may not be written: {why}{rights_of(place)}"
    then = "name another folder (DAGSTER_HOME wins), or have whoever it belongs to let you: "
    then += "`chmod -R g+rwX`, and one group"
    return SettingsError(Problem(what, key="tool.dataops_mesh.dagster_home", next=then))


def process_tag() -> dict[str, str]:
    """Return the tag by which a later process can tell that this one died."""
    return {PROCESS_TAG: f"{socket.gethostname()}:{os.getpid()}"}


def bury_dead_runs(instance: dg.DagsterInstance) -> int:
    """Mark the runs of processes that were killed as failed; return how many there were.

    Nobody else would: a run in the process of `mesh run` has no daemon that watches it.
    """
    started = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])
    dead = [run for run in instance.get_runs(started) if _is_dead(run.tags.get(PROCESS_TAG, ""))]
    for run in dead:
        instance.report_run_failed(run, "the process that ran this was killed")
    return len(dead)


def _is_dead(tag: str) -> bool:
    host, _, process = tag.rpartition(":")
    if host != socket.gethostname() or not process.isdigit():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
