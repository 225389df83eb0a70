"""The columns and types of what a dbt project builds: built once, in a database thrown away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from dataops_mesh.transform.confined import Access, Room, confined
from dataops_mesh.transform.dbt.build import build_database
from dataops_mesh.transform.dbt.project import project_folder
from dataops_mesh.transform.dbt.reading import opened
from dataops_mesh.transform.job import Export, Job
from dataops_mesh.transform.walls import Walls

Columns = Mapping[str, list[tuple[str, str]]]


def built_columns(
    job: Job, walls: Walls, inputs: Path, access: Access, relations: Mapping[str, str]
) -> Columns:
    """Build the selection and return the columns of relations: names and DuckDB's types.

    Args:
        job: the product, and a folder that is deleted afterwards.
        walls: what dbt is confined by.
        inputs: a DuckDB file with a relation per input port.
        access: what its views read.
        relations: the relation of each port, by the port's name.

    Raises:
        TransformError: a model could not be built.
    """
    _, database, reading = build_database(job, walls, inputs, access)
    folder = job.scratch / "describe"
    project = project_folder(job.product).absolute()
    export = Export(replace(job, scratch=folder), inputs, database[0], project, relations)
    walls, may = opened(job.product, walls, reading)
    may = replace(may, files=(*may.files, *database), network=False)
    room = Room(job.product, walls, folder, may)
    told = confined(("dataops_mesh.transform.job", "run_describe"), export, room).value
    return {str(port): [(str(n), str(t)) for n, t in found] for port, found in told.items()}
