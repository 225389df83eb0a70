"""Finding the resource that a declaration names in a file that was imported; called confined."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataops_mesh.errors import Location, Problem, SourceError

if TYPE_CHECKING:
    from dlt.extract import DltSource

    from dataops_mesh.transform.dlt.job import Job


def resource_of(module: Any, job: Job) -> DltSource:
    """Return the one resource, in a source: with nested values as they are, and texts as texts.

    Raises:
        SourceError: there is none of this name, or it is something else.
    """
    import dlt
    from dlt.extract import DltResource, DltSource

    found = getattr(module, job.name, None)
    if job.argument or (callable(found) and not isinstance(found, (DltResource, DltSource))):
        found = found(*([job.argument] if job.argument else [])) if callable(found) else None
    if isinstance(found, DltResource):
        found = DltSource(dlt.Schema(job.file.stem), found.section or job.file.stem, [found])
    if not isinstance(found, DltSource):
        what = f'"{job.name}" is no resource of dlt, and does not return one'
        then = "write @dlt.resource above a function that yields rows"
        raise SourceError(Problem(what, Location(job.shown, 1), next=then))
    chosen = tuple(found.resources.selected)
    if len(chosen) != 1:
        what = f'"{job.name}" is a source of {len(chosen)} resources, and an input port reads one'
        then = f"return {job.name}().with_resources(...) from a function, and name that"
        raise SourceError(Problem(what, Location(job.shown, 1), choices=chosen, next=then))
    for resource in found.resources.extracted:
        resource.max_table_nesting = 0
    # A text that looks like a moment is a text, unless the resource's columns say otherwise.
    found.schema.remove_type_detection("iso_timestamp")
    return found
