"""What the confined process is told of a resource, and what it does: extract, normalise, write.

Nothing is loaded anywhere: dlt says what the rows, their names and their types are, and its state.
The secret comes with the job and stays in memory. What dlt would take for another value without a
word (NaN becomes null, a number that grows a second column) is refused with the column's name.
"""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataops_mesh.errors import FULL, Location, Problem, SourceError
from dataops_mesh.transform.confine.sources import module_of, run_module
from dataops_mesh.transform.dlt.found import resource_of
from dataops_mesh.transform.dlt.rows import (
    columns_of,
    copy_rows,
    hinted_columns,
    table_of,
    typed,
    written,
)
from dataops_mesh.transform.dlt.values import refusing
from dataops_mesh.transform.redact import all_links, line_in, safe_message, text_of

if TYPE_CHECKING:
    import dlt
    import pyarrow as pa

STATE = "state.json"
_NAME = "source"
_SETTINGS = {
    "DATA_WRITER__BUFFER_MAX_ITEMS": "1000",  # rows that are held, however wide they are
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "RUNTIME__LOG_LEVEL": "CRITICAL",
    "RUNTIME__INTERCEPT_SIGNALS": "false",
}
_MISSING = "ConfigFieldMissingException"


@dataclass(frozen=True, slots=True)
class Job:
    """A resource to run.

    Args:
        resource: as it is declared.
        file: which holds it.
        shown: this file, as people see it.
        name: of the resource.
        argument: what it is called with; empty for nothing.
        folder: the process's own.
        secrets: what its connection says, as dlt's `secrets.toml` would.
        connection: the connection's name.
        before: the state that it goes on from; empty for none.
        private: no word of an error is told, for it may be a value that is masked.
    """

    resource: str
    file: Path
    shown: str
    name: str
    argument: str
    folder: Path
    secrets: dict[str, Any] = field(default_factory=dict, repr=False)
    connection: str = ""
    before: bytes = b""
    private: bool = False


def run_resource(job: Job) -> bool:
    """Write the rows of a resource, and its state; tell whether it keeps any."""
    os.environ.update(_SETTINGS)
    try:
        import dlt
    except ImportError:
        what = "a resource needs dlt, which is not installed here"
        where = Location(job.shown, 1)
        raise SourceError(Problem(what, where, next='pip install "dataops-mesh[dlt]"')) from None
    try:
        return _run(job, dlt.pipeline(_NAME, str(job.folder / "dlt"), destination="filesystem"))
    except SourceError:
        raise
    except Exception as error:
        raise _told(job, error) from error


def _run(job: Job, pipeline: dlt.Pipeline) -> bool:
    from dlt.common.json import json

    before = json.typed_loads(job.before.decode()) if job.before else {}
    if before.get("resource") != job.resource:  # the state of another one means nothing here
        before = {}
    _offer(job)
    source = resource_of(_module(job), job)
    seen = refusing(source, job)
    hinted = hinted_columns(source)
    with pipeline.managed_state() as state:
        state["sources"] = before.get("sources", {})
    pipeline.extract(source, loader_file_format="parquet")
    files = written(pipeline, pipeline.normalize())
    said = {name: {} for name in seen} | table_of(pipeline, source, job)
    columns = columns_of(said, files, _columns(before), hinted, job)
    copy_rows(files, columns, job)
    sources = pipeline.state.get("sources", {})
    kept = {
        "resource": job.resource,
        "sources": sources,
        "columns": base64.b64encode(typed(columns).serialize()).decode(),
    }
    (job.folder / STATE).write_text(json.typed_dumps(kept), "utf-8")
    return any(sources.values())


def _columns(before: dict[str, Any]) -> pa.Schema | None:
    """Return the columns and types of the last publication's rows."""
    import pyarrow as pa

    said = before.get("columns")
    return pa.ipc.read_schema(pa.py_buffer(base64.b64decode(said))) if said else None


def _offer(job: Job) -> None:
    """Let dlt find the secrets of the connection, in memory."""
    import dlt
    from dlt.common.configuration.providers import CustomLoaderDocProvider

    dlt.config.register_provider(
        CustomLoaderDocProvider("connection", lambda: job.secrets, locations=["the connection"])
    )


def _module(job: Job) -> Any:
    """Import the file under a name of its own; dlt calls its section of the secrets by its stem."""
    name = "dataops_mesh_resource"
    module = module_of(name, job.file)
    vars(module)["__source_name__"] = job.file.stem
    run_module(module)
    return module


def _told(job: Job, error: Exception) -> Exception:
    """Return what went wrong as it may be told: its class, its line, and no value or secret."""
    links = list(all_links(error))
    for link in links:
        if isinstance(link, SourceError) or (isinstance(link, OSError) and link.errno in FULL):
            return link
    where = Location(job.shown, line_in(error, job.file))
    for link in links:
        if type(link).__name__ == _MISSING:
            fields = ", ".join(getattr(link, "fields", ()))
            what = f"the resource needs {fields}, which nobody gives it"
            then = f'write it into the connection "{job.connection}", as in secrets.toml of dlt'
            return SourceError(Problem(what, where, next=then if job.connection else _NAMED))
    if any(_RESCALED in text_of(link) for link in links):
        what = "a decimal number has more digits than its column, 38 of which 9 behind the point"
        return SourceError(Problem(what, where, next=_DIGITS))
    said = safe_message(_own(links)) + _status(links)
    said = said.partition(":")[0] if job.private else said
    return SourceError(Problem(f"the resource raised {said}", where, next=TRY))


_RESCALED = "Rescaling Decimal value"
_DIGITS = '@dlt.resource(columns={"price": {"data_type": "decimal", "precision": 38, "scale": 18}})'
_NAMED = "name a connection that does: `connection: shop_api` (docs/sources.md)"
TRY = "try the file by itself with dlt; what was published stays"


def _own(links: list[BaseException]) -> BaseException:
    """Return what was raised, without what dlt wraps around it."""
    found = (link for link in links if not type(link).__module__.startswith("dlt."))
    return next(found, links[-1])


def _status(links: list[BaseException]) -> str:
    """Return what a server has answered, if that was the reason."""
    for link in links:
        status = getattr(getattr(link, "response", None), "status_code", None)
        if isinstance(status, int):
            return f", the server answered {status}"
    return ""
