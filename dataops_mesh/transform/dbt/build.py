"""dbt builds a project in a private database, then its public models leave it.

One process builds the models; a second, which has met no code of the project, settles the public
ones and copies them out; a third runs the tests, and can write nothing. So a model in Python
cannot say how its tests ended, nor publish other rows than were tested.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dataops_mesh.errors import Problem, TransformError
from dataops_mesh.quality.redact import shown
from dataops_mesh.spec.types.telling import Known, said_by_dbt
from dataops_mesh.transform.confined import Access, Room, confined, plain_file
from dataops_mesh.transform.dbt.job import DbtJob
from dataops_mesh.transform.dbt.partition import batches, with_partition
from dataops_mesh.transform.dbt.project import models, project_folder
from dataops_mesh.transform.dbt.reading import (
    job_of,
    manifest_of,
    opened,
    parsed_manifest,
    run_dbt,
    selected_nodes,
)
from dataops_mesh.transform.dbt.state import keeps_state, state_file, state_relations
from dataops_mesh.transform.dbt.words import LONGEST
from dataops_mesh.transform.job import Export, Job
from dataops_mesh.transform.told import known_of
from dataops_mesh.transform.walls import Walls

_STATUS = re.compile(r"[a-z][a-z -]{0,30}", re.ASCII)


@dataclass(frozen=True, slots=True)
class State:
    """What a build goes on from.

    Args:
        copy: puts it where the database is to be.
        full: dbt's `--full-refresh`.
    """

    copy: Callable[[Path], None]
    full: bool = False


@dataclass(frozen=True, slots=True)
class DbtTestRun:
    """How one dbt test ended."""

    unique_id: str
    status: str
    failures: int
    why: str = ""


def build_project(  # noqa: PLR0913 - what is built, from what and by whom
    job: Job,
    walls: Walls,
    inputs: Path,
    access: Access,
    *,
    tests: bool,
    state: State | None = None,
) -> list[DbtTestRun]:
    """Build the selection in a private database, write the ports, and run the tests.

    Args:
        job: the product, and a folder that is deleted after the run.
        walls: what dbt is confined by.
        inputs: a DuckDB file with a view per input port.
        access: what the views read, the folders of the ports, and the network.
        tests: there are tests in the selection.
        state: what the build goes on from.

    Returns:
        How every test ended.

    Raises:
        TransformError: a model could not be built.
    """
    made, database, reading = build_database(job, walls, inputs, access, state)
    folder = job.scratch / "export"
    database = _moved(database, folder)
    _export(job, walls, inputs, replace(access, data=reading.data), database)
    if not tests:
        return []
    made = replace(made, folder=job.scratch / "test")
    _moved([file for file in (database[0], _log(database[0])) if file.exists()], made.folder)
    runs = _test_runs(run_dbt(job.product, walls, "test", made, reading))
    known = known_of(job.product)
    return runs if reading.plain() else [replace(r, why=_why(r.why, known)) for r in runs]


def build_database(
    job: Job, walls: Walls, inputs: Path, access: Access, state: State | None = None
) -> tuple[DbtJob, tuple[Path, ...], Access]:
    """Build the selection in a private database; return the job, the database, and what it read.

    Raises:
        TransformError: a model could not be built.
    """
    product = job.product
    parsed = parsed_manifest(product, walls)
    settings = {"memory_limit": job.memory_limit, "TimeZone": "UTC"}
    made = replace(
        job_of(product, job.scratch / "build"),
        parsed=parsed.parent,
        inputs=inputs,
        threads=job.threads,
        settings=settings,
        full=state is not None and state.full,
    )
    if (piece := job.partition) is not None:
        told = with_partition(product.transform.dbt.vars, piece)
        made = replace(made, vars=told, batches=batches(piece) or ())
    reading = replace(access, files=(*access.files, inputs), written=())
    made.external.mkdir(parents=True)
    if state is not None:
        state.copy(made.database)
    run_dbt(product, walls, "build", made, reading)
    kept = [made.external] if made.external.is_dir() and not made.external.is_symlink() else []
    return made, _database(made), replace(reading, data=(*reading.data, *kept))


def _export(
    job: Job, walls: Walls, inputs: Path, access: Access, database: tuple[Path, ...]
) -> None:
    product, folder = job.product, database[0].parent
    manifest = manifest_of(parsed_manifest(product, walls))
    nodes = selected_nodes(product, manifest, walls)
    built, state = models(manifest, nodes), state_relations(manifest, nodes)
    state = state if keeps_state(product, manifest, nodes) else ()
    if state:
        kept = state_file(job.candidate).parent
        kept.mkdir()
        access = replace(access, written=(*access.written, kept))
    relations = {port.name: str(built[port.name]["relation_name"]) for port in product.outputs}
    project = project_folder(product).absolute()
    export = Export(replace(job, scratch=folder), inputs, database[0], project, relations, state)
    walls, access = opened(product, walls, access)
    access = replace(access, files=(*access.files, inputs), network=False)
    room = Room(product, walls, folder, access)
    confined(("dataops_mesh.transform.job", "run_export"), export, room)


def _moved(files: Sequence[Path], folder: Path) -> tuple[Path, ...]:
    """Move files into a new folder; return them there."""
    folder.mkdir()
    return tuple(file.rename(folder / file.name) for file in files)


def _log(database: Path) -> Path:
    return database.with_name(f"{database.name}.wal")


def _database(made: DbtJob) -> tuple[Path, ...]:
    """Return the file that dbt left, and its log if there is one: plain files and nothing else."""
    log = _log(made.database)
    found = (made.database, log) if log.exists() or log.is_symlink() else (made.database,)
    if not all(plain_file(file) for file in found):
        raise TransformError(Problem("dbt left no database that is a plain file", made.where))
    return found


def _why(text: str, known: Known) -> str:
    return said_by_dbt(text, known) if text else ""


def _is_status(text: str) -> bool:
    return _STATUS.fullmatch(text) is not None


def _test_runs(value: Any) -> list[DbtTestRun]:
    """Return what a confined process told of dbt's tests; what is no such thing did not run."""
    runs = []
    for row in value if isinstance(value, list) else []:
        match row:
            case [str(unique_id), str(status), int(failures), str(why)] if _is_status(status):
                runs.append(DbtTestRun(unique_id, status, failures, shown(why, LONGEST) or ""))
    return runs
