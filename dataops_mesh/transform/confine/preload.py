"""What the fork server imports and does once, so that no worker pays for it.

Nothing here may leave a thread: a fork copies one thread, and the locks of the others for ever.
`import duckdb` opens a connection with threads of its own; pyarrow's allocator starts one unless
the environment says no; scanning anything of Arrow starts a pool; polars starts three and may
not be used before a fork at all.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
import tempfile
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from dataops_mesh.transform.confine import preload_dbt
from dataops_mesh.transform.confine.processes import threads
from dataops_mesh.transform.confine.rules import interpreter_folders

# Read by pyarrow when it is imported.
ENVIRONMENT = {"JE_ARROW_MALLOC_CONF": "background_thread:false"}
_PYTHON = (
    *("multiprocessing.heap", "multiprocessing.synchronize"),
    *("duckdb", "numpy", "pandas", "pyarrow", "pyarrow.parquet", "pyarrow.compute"),
    *("pyarrow.dataset", "dataops_mesh.transform.job"),
)
_DBT = (
    *("dbt.cli.main", "dbt.task.build", "dbt.task.test", "dbt.task.list", "dbt.parser.manifest"),
    *("dbt.adapters.duckdb", "dbt.adapters.duckdb.connections", "dbt_common.clients.agate_helper"),
    *("dbt.adapters.duckdb.environments.local", "multiprocessing.dummy", "babel.dates"),
)
_DLT = (
    *("dlt", "dlt.common.configuration.providers", "dlt.common.libs.pyarrow", "dlt.normalize"),
    *("dlt.destinations.impl.filesystem.filesystem", "dlt.sources.helpers.requests"),
    *("dlt.pipeline.pipeline", "dlt.extract.extract", "dlt.normalize.normalize"),
)
_MANY = 30  # jobs: two or three for each product
_PROJECT = {
    "dbt_project.yml": "name: warm\nprofile: warm\nversion: 1.0.0\nmodel-paths: [models]\n",
    "models/a.sql": "{{ config(materialized='table') }} select 1 as a",
    "models/b.sql": "{{ config(materialized='view') }} select * from {{ ref('a') }}",
    "models/schema.yml": (
        "models: [{name: a, columns: [{name: a, data_tests: [not_null, unique]}]}]"
    ),
}


def python() -> None:
    """Import what Python transforms use, and do once what each of them does."""
    _import(_PYTHON)
    _write_one_table()
    interpreter_folders()
    _settle()


def dbt(jobs: int) -> None:
    """Import dbt for the first job; for many, also do once what each of them does.

    Building a project costs as much CPU as ten products save by it.

    Args:
        jobs: how many jobs of dbt there have been.
    """
    if jobs not in {0, _MANY}:
        return
    gc.unfreeze()
    if jobs == 0:
        _lock_with_threads()
        _import(_DBT)
        preload_dbt.compile_classes()
        preload_dbt.name_no_callers()
    else:
        _build_one_project()
    _settle()


def dlt() -> None:
    """Import dlt for the first job that needs it; it looks for its configuration only when used."""
    if "dlt" in sys.modules:
        return
    gc.unfreeze()
    _import(_DLT)
    _settle()


def _lock_with_threads() -> None:
    """Give dbt locks of threads, before it makes one: it starts no process here.

    A lock of processes costs a semaphore with a name, and a process that cleans it up.
    """
    try:
        import dbt.mp_context as contexts
    except ImportError:
        return

    class _Threads:
        Lock = staticmethod(threading.Lock)
        RLock = staticmethod(threading.RLock)

    contexts._MP_CONTEXT = _Threads()  # noqa: SLF001 - dbt offers no other way


def _build_one_project() -> None:
    """Have dbt build and test a project, so that no worker makes what it keeps for the next."""
    from dataops_mesh.errors import Location
    from dataops_mesh.transform.dbt import job as dbt_job

    with tempfile.TemporaryDirectory() as name:
        project = Path(name)
        (project / "models").mkdir()
        for file, text in _PROJECT.items():
            (project / file).write_text(text, "utf-8")
        job = dbt_job.DbtJob(project, Location("", 1), project)
        with suppress(Exception):  # a worker that fails for the same reason says why
            dbt_job.parse(job)
            job = replace(job, parsed=project / "target")
            dbt_job.build(job)
            dbt_job.test(job)
        dbt_job.forget()


def _import(names: tuple[str, ...]) -> None:
    for name in names:
        with suppress(ImportError):  # whoever needs it is told
            importlib.import_module(name)


def _write_one_table() -> None:
    """Let DuckDB, pandas and pyarrow do their lazy imports; no scan of Arrow, it starts threads.

    On the instance that a worker will have: what DuckDB makes at its first reading is made.
    """
    import pyarrow as pa

    from dataops_mesh.engine.opened import open_ahead
    from dataops_mesh.engine.write import copy_port
    from dataops_mesh.spec.model import Address

    (instance,) = open_ahead(1)
    with tempfile.TemporaryDirectory() as name, instance.cursor() as connection:
        folder, address = Path(name), Address("warm", "up")
        (folder / "up").mkdir()
        (folder / "rows.csv").write_text("a,b,c,d\n1,x,1.5,2020-01-01\n", "utf-8")
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("CREATE MACRO mesh_now() AS '2020-01-01T00:00:00+00:00'::TIMESTAMPTZ")
        connection.execute(f"CREATE VIEW v AS FROM read_csv('{folder}/rows.csv')")
        frame = connection.cursor().execute("SELECT * FROM v").df()
        pa.Table.from_pandas(frame.assign(a=frame["a"] * 2), preserve_index=False)
        copy_port(connection, connection.sql("SELECT * FROM v"), folder, address, aside=folder)
        connection.execute("DROP VIEW v; DROP MACRO mesh_now")


def _settle() -> None:
    """Make sure that this process has one thread, and that forks share its memory."""
    if "duckdb" in sys.modules:
        sys.modules["duckdb"].default_connection().close()
    child = os.fork()  # BLAS ends its threads when a fork comes, and starts none again before use
    if not child:
        os._exit(0)
    os.waitpid(child, 0)
    if len(found := threads()) > 1:
        what = f"the fork server must have one thread and has {', '.join(found)}"
        raise RuntimeError(what)
    gc.collect()
    gc.freeze()
