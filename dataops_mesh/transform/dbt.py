"""dbt transforms: the project is built in a private database, then its public models leave it.

All of dbt runs confined (its start-up is paid once, in the fork server): it parses, and lists
what a selection covers; one process builds the models; a second, which has met no code of the
project, copies the public ones out; a third runs the tests. So a model in Python cannot say how
its tests ended, nor publish other rows than were tested.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from dataops_mesh.errors import DeclarationError, Problem, TransformError
from dataops_mesh.spec.dbt import DbtOptions
from dataops_mesh.spec.model import Product
from dataops_mesh.transform.code import transform_digest
from dataops_mesh.transform.confined import Access, Room, confined, plain_file
from dataops_mesh.transform.dbt_environment import given, require_given
from dataops_mesh.transform.dbt_job import DbtJob
from dataops_mesh.transform.dbt_project import models, project_folder
from dataops_mesh.transform.dbt_sources import PARSED
from dataops_mesh.transform.job import CATALOG, Export, Job
from dataops_mesh.transform.place import place
from dataops_mesh.transform.walls import Walls

_JOBS = "dataops_mesh.transform.dbt_job"
_STATUS = re.compile(r"[a-z][a-z -]{0,30}", re.ASCII)


@dataclass(frozen=True, slots=True)
class DbtTestRun:
    """How one dbt test ended."""

    unique_id: str
    status: str
    failures: int


def parsed_manifest(product: Product, walls: Walls) -> Path:
    """Return the project's `manifest.json`, parsed only when a file of the project changed.

    Args:
        product: a product whose transform is dbt.
        walls: what dbt is confined by, and where manifests are kept, one folder for each state
            of the project.

    Raises:
        DeclarationError: dbt cannot parse the project.
    """
    folder = _kept(product, walls)
    if not all((folder / name).is_file() for name in PARSED):
        building = folder.with_name(f"{folder.name}.{uuid.uuid4().hex[:8]}")
        try:
            _run(product, walls, "parse", _job(product, building))
            _take(product, building / "target", folder)
        except TransformError as error:
            raise DeclarationError(error.problems) from error
        finally:
            shutil.rmtree(building, ignore_errors=True)
    return folder / PARSED[0]


@lru_cache(maxsize=2)  # the folder says which state of the project it is of
def manifest_of(file: Path) -> Mapping[str, Any]:
    """Return the content of a parsed `manifest.json`."""
    found: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return found


def selected_nodes(product: Product, manifest: Mapping[str, Any], walls: Walls) -> frozenset[str]:
    """Return the unique ids that the product's selection covers, tests included."""
    select = product.transform.select
    if not select:
        return frozenset(manifest["nodes"]) | frozenset(manifest.get("unit_tests", {}))
    parsed = parsed_manifest(product, walls).parent
    file = parsed / f"select.{hashlib.sha256(select.encode()).hexdigest()[:16]}.json"
    if not file.is_file():
        # A folder of its own: another process may ask the same at this moment.
        folder = parsed.with_name(f"select.{uuid.uuid4().hex[:8]}")
        try:
            job = replace(_job(product, folder), parsed=parsed)
            found = _texts(_run(product, walls, "list_nodes", job))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        if not found:
            what = f'the dbt selection "{select}" matches nothing'
            then = "see `dbt list --select` in the project's folder"
            raise DeclarationError(Problem(what, product.where, next=then))
        temporary = file.with_name(f"{file.name}.{uuid.uuid4().hex[:8]}")
        temporary.write_text(json.dumps(found), "utf-8")
        temporary.replace(file)
    return frozenset(json.loads(file.read_text("utf-8")))


def build_project(
    job: Job, walls: Walls, inputs: Path, access: Access, *, tests: bool
) -> list[DbtTestRun]:
    """Build the selection in a private database, write the ports, and run the tests.

    Args:
        job: the product, and a folder that is deleted after the run.
        walls: what dbt is confined by.
        inputs: a DuckDB file with a view per input port.
        access: what the views read, the folders of the ports, and the network.
        tests: there are tests in the selection.

    Returns:
        How every test ended.

    Raises:
        TransformError: a model could not be built.
    """
    made, database, reading = build_database(job, walls, inputs, access)
    _export(job, walls, made, access, database)
    if not tests:
        return []
    folder = job.scratch / "test"
    folder.mkdir()
    for file in database:
        file.rename(folder / file.name)
    made = replace(made, folder=folder)
    return _test_runs(_run(job.product, walls, "test", made, reading))


def build_database(
    job: Job, walls: Walls, inputs: Path, access: Access
) -> tuple[DbtJob, tuple[Path, ...], Access]:
    """Build the selection in a private database; return the job, the database, and what it read.

    Raises:
        TransformError: a model could not be built.
    """
    product = job.product
    parsed = parsed_manifest(product, walls)
    settings = {"memory_limit": job.memory_limit, "TimeZone": "UTC"}
    made = replace(
        _job(product, job.scratch / "build"),
        parsed=parsed.parent,
        inputs=inputs,
        threads=job.threads,
        settings=settings,
    )
    reading = replace(access, files=(*access.files, inputs), written=())
    _run(product, walls, "build", made, reading)
    return made, _database(made), reading


def _export(
    job: Job, walls: Walls, made: DbtJob, access: Access, database: tuple[Path, ...]
) -> None:
    product, folder = job.product, job.scratch / "export"
    manifest = manifest_of(parsed_manifest(product, walls))
    built = models(manifest, selected_nodes(product, manifest, walls))
    relations = {port.name: str(built[port.name]["relation_name"]) for port in product.outputs}
    inputs = made.inputs or made.database
    export = Export(replace(job, scratch=folder), inputs, database[0], relations)
    access = replace(access, files=(*access.files, inputs, *database), network=False)
    room = Room(product, walls, folder, access)
    confined(("dataops_mesh.transform.job", "run_export"), export, room)


def _database(made: DbtJob) -> tuple[Path, ...]:
    """Return the file that dbt left, and its log if there is one: plain files and nothing else."""
    log = made.database.with_name(f"{made.database.name}.wal")
    found = (made.database, log) if log.exists() or log.is_symlink() else (made.database,)
    if not all(plain_file(file) for file in found):
        raise TransformError(Problem("dbt left no database that is a plain file", made.where))
    return found


def _job(product: Product, folder: Path) -> DbtJob:
    project = project_folder(product)
    where = place(product, project / "dbt_project.yml")
    options = product.transform.dbt
    return DbtJob(
        project.absolute(),
        where,
        folder.absolute(),
        select=product.transform.select,
        target=options.target or CATALOG,
        vars=options.vars,
        environment=given(product),
        sources={name: (at.domain, at.port) for name, at in options.sources},
        refs=_refs(product),
    )


def _refs(product: Product) -> dict[tuple[str, str], tuple[str, str]]:
    """Return what `ref(project, model)` may read: input ports, by their address or as said."""
    names = {at: (at.domain, at.port) for port in product.inputs if (at := port.address)}
    # dbt takes one model for one relation: the name that the product says is the one.
    names |= {
        at: (n.partition(".")[0], n.partition(".")[2]) for n, at in product.transform.dbt.sources
    }
    return {name: (at.domain, at.port) for at, name in names.items()}


def _run(
    product: Product, walls: Walls, name: str, job: DbtJob, access: Access | None = None
) -> Any:
    require_given(product)
    may = access or Access()
    parsed = () if job.parsed is None else (job.parsed,)
    job = job if parsed else replace(job, select="")
    may = replace(may, code=(*may.code, job.project), data=(*may.data, *parsed))
    domains = product.folder.parents[1].resolve()
    if domains.is_relative_to(job.project.resolve()):  # what the domains hold is not dbt's
        walls = replace(walls, protected=walls.protected | {domains})
    return confined((_JOBS, name), job, Room(product, walls, job.folder, may, "dbt")).value


def _kept(product: Product, walls: Walls) -> Path:
    """Return where what dbt makes of the project, as it is now, is kept."""
    options = product.transform.dbt
    refs = sorted(_refs(product).items())
    said = repr((options.target, options.vars, options.sources, refs))
    plain = options == DbtOptions(env=options.env) and not refs
    digest = transform_digest(product, "" if plain else said)
    return walls.cache / project_folder(product).resolve().name / f"{digest}-{_dbt_version()}"


@cache
def _dbt_version() -> str:
    from importlib.metadata import version

    return version("dbt-core")


def _take(product: Product, left: Path, folder: Path) -> None:
    """Keep what a parse left, if it is plain files."""
    if left.is_symlink() or not all(plain_file(left / name) for name in PARSED):
        where = place(product, project_folder(product) / "dbt_project.yml")
        raise DeclarationError(Problem("dbt's parse left no manifest", where))
    folder.mkdir(parents=True, exist_ok=True)
    for name in reversed(PARSED):
        (left / name).replace(folder / name)


def _texts(value: Any) -> list[str]:
    """Return texts that a confined process told."""
    known = value if isinstance(value, list) else []
    return [text for text in known if isinstance(text, str)]


def _test_runs(value: Any) -> list[DbtTestRun]:
    """Return what a confined process told of dbt's tests; what is no such thing did not run."""
    runs = []
    for row in value if isinstance(value, list) else []:
        match row:
            case [str(unique_id), str(status), int(failures)] if _STATUS.fullmatch(status):
                runs.append(DbtTestRun(unique_id, status, failures))
    return runs
