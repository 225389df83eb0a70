"""dbt reads a project: it is parsed once for each state, and says what a selection covers.

All of dbt runs confined; its start-up is paid once, in the fork server.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from dataops_mesh.errors import DeclarationError, Problem, TransformError
from dataops_mesh.spec.dbt import DbtOptions
from dataops_mesh.spec.model import Product
from dataops_mesh.transform.code import transform_digest
from dataops_mesh.transform.confined import Access, Room, confined, plain_file
from dataops_mesh.transform.dbt.environment import given, require_given
from dataops_mesh.transform.dbt.files import (
    SELECTORS,
    databases,
    installed,
    project_rooms,
    stray_links,
)
from dataops_mesh.transform.dbt.job import DbtJob
from dataops_mesh.transform.dbt.partition import stand_in, with_partition
from dataops_mesh.transform.dbt.project import bounds_of, project_folder
from dataops_mesh.transform.dbt.sources import PARSED
from dataops_mesh.transform.job import CATALOG
from dataops_mesh.transform.place import ASTRAY, place, stray
from dataops_mesh.transform.told import asked_later
from dataops_mesh.transform.walls import Walls

_JOBS = "dataops_mesh.transform.dbt.job"


def parsed_manifest(product: Product, walls: Walls) -> Path:
    """Return the project's `manifest.json`, parsed only when a file of the project changed.

    Args:
        product: a product whose transform is dbt.
        walls: what dbt is confined by, and where manifests are kept, one folder for each state
            of the project.

    Raises:
        DeclarationError: dbt cannot parse the project.
    """
    _require_within(product, walls)
    folder = _kept(product, walls)
    if not all((folder / name).is_file() for name in PARSED):
        building = folder.with_name(f"{folder.name}.{uuid.uuid4().hex[:8]}")
        try:
            run_dbt(product, walls, "parse", job_of(product, building))
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
    # A project may say itself what is built where nobody says anything.
    if not select and not (project_folder(product) / SELECTORS).is_file():
        return frozenset(manifest["nodes"]) | frozenset(manifest.get("unit_tests", {}))
    parsed = parsed_manifest(product, walls).parent
    file = parsed / f"select.{hashlib.sha256(select.encode()).hexdigest()[:16]}.json"
    if not file.is_file():
        # A folder of its own: another process may ask the same at this moment.
        folder = parsed.with_name(f"select.{uuid.uuid4().hex[:8]}")
        try:
            job = replace(job_of(product, folder), parsed=parsed)
            found = _texts(run_dbt(product, walls, "list_nodes", job))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        if not found:
            what = f'the dbt selection "{select or "default"}" matches nothing'
            then = "see `dbt list --select` in the project's folder"
            raise DeclarationError(Problem(what, product.where, next=then))
        temporary = file.with_name(f"{file.name}.{uuid.uuid4().hex[:8]}")
        temporary.write_text(json.dumps(found), "utf-8")
        temporary.replace(file)
    return frozenset(json.loads(file.read_text("utf-8")))


def job_of(product: Product, folder: Path) -> DbtJob:
    """Return what dbt is told of the product's project, in a folder of the process's own."""
    project = project_folder(product)
    where = place(product, project / "dbt_project.yml")
    options, cut = product.transform.dbt, product.partitioning
    return DbtJob(
        project.absolute(),
        where,
        folder.absolute(),
        select=product.transform.select,
        target=options.target or CATALOG,
        vars=with_partition(options.vars, stand_in(cut)) if cut else options.vars,
        environment=given(product),
        sources={name: (at.domain, at.port) for name, at in options.sources},
        refs=_refs(product),
        product=product.qualified_name,
    )


def _refs(product: Product) -> dict[tuple[str, str], tuple[str, str]]:
    """Return what `ref(project, model)` may read: input ports, by their address or as said."""
    names = {at: (at.domain, at.port) for port in product.inputs if (at := port.address)}
    # dbt takes one model for one relation: the name that the product says is the one.
    names |= {
        at: (n.partition(".")[0], n.partition(".")[2]) for n, at in product.transform.dbt.sources
    }
    return {name: (at.domain, at.port) for at, name in names.items()}


def run_dbt(
    product: Product, walls: Walls, name: str, job: DbtJob, access: Access | None = None
) -> Any:
    """Call one of dbt's jobs in a confined process, and return what it told."""
    require_given(product)
    parsed = () if job.parsed is None else (job.parsed,)
    job = job if parsed else replace(job, select="")
    # What is given nothing to read reads no row, and its words are about the project alone.
    walls, may = opened(product, walls, access or Access(plain=asked_later))
    may = replace(may, data=(*may.data, *parsed))
    return confined((_JOBS, name), job, Room(product, walls, job.folder, may, "dbt")).value


def opened(product: Product, walls: Walls, access: Access) -> tuple[Walls, Access]:
    """Return the walls and the access of whoever may open the files of the product's project."""
    project = project_folder(product).absolute()
    _require_within(product, walls)
    rooms = project_rooms(project, bounds_of(product, walls.protected))
    folders = [room for room in rooms if not room.is_file()]
    domains = product.folder.parents[1].resolve()
    if domains.is_relative_to(project.resolve()):  # what the domains hold is not dbt's
        walls = replace(walls, protected=walls.protected | {domains})
    aside = databases(room for room in folders if room != project)
    walls = replace(walls, protected=walls.protected | aside)
    found = replace(
        access,
        # No file of the project is bound by the gate: what is protected stays so, whoever names it.
        code=(*access.code, *rooms),
        listed=tuple(room for room in folders if any(room in file.parents for file in aside)),
    )
    return walls, found


def _require_within(product: Product, walls: Walls) -> None:
    """Make sure that the project's packages and files can be read.

    Raises:
        DeclarationError: one is a link to where the project may not read.
    """
    project = project_folder(product)
    if strays := stray_links(project, bounds_of(product, walls.protected)):
        packages = installed(project)
        raise DeclarationError(
            Problem(
                f'the dbt package "{link.name}" is a link {ASTRAY}',
                place(product, link),
                next="put a copy there, or move the package beside the project",
            )
            if link.parent == packages
            else stray(product, link)
            for link in strays
        )


def _kept(product: Product, walls: Walls) -> Path:
    """Return where what dbt makes of the project, as it is now, is kept."""
    options = product.transform.dbt
    refs = sorted(_refs(product).items())
    said = repr((options.target, options.vars, options.sources, refs))
    cut = product.partitioning
    said += repr(stand_in(cut)) if cut else ""
    plain = options == DbtOptions(env=options.env) and not refs and cut is None
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
