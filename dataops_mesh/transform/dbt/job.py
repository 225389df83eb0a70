"""dbt itself, in a confined process: parse, list, build, test; one invocation each.

With a profile made for it: whatever profile the project carries is for its developers.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import chdir
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from dataops_mesh.errors import DeclarationError, Location, Problem, TransformError
from dataops_mesh.transform.dbt.refs import as_sources, offer
from dataops_mesh.transform.dbt.sources import PARSED, bind_sources, read_parsed
from dataops_mesh.transform.dbt.words import not_built, not_parsed, said_of
from dataops_mesh.transform.job import CATALOG, INPUTS
from dataops_mesh.transform.redact import safe_message

_BUILT = frozenset({"model", "seed", "snapshot"})


@dataclass(frozen=True, slots=True)
class DbtJob:
    """One invocation of dbt.

    Args:
        project: the folder of the dbt project.
        where: its dbt_project.yml, as people see it.
        folder: the process's own: holds the profile, the private database, dbt's artefacts.
        parsed: the folder with what a parse left; absent for a parse.
        select: the selection of nodes; empty for all.
        inputs: a DuckDB file with a view per input port, attached read-only.
        threads: how many models dbt builds at once.
        settings: DuckDB settings, for example memory_limit.
        target: the name of the target, as models ask for it.
        vars: dbt's `--vars`, as JSON.
        environment: what `env_var()` sees, and nothing else.
        sources: the relation in the mesh of a source, by `<source>.<table>`.
        refs: the relations of models of other projects, by project and model.
        full: build incremental models from nothing.
        product: whose project it is, as commands call it.
        batches: between which moments microbatch models are built; as dbt decides if empty.
    """

    project: Path
    where: Location
    folder: Path
    parsed: Path | None = None
    select: str = ""
    inputs: Path | None = None
    threads: int = 1
    settings: Mapping[str, Any] = field(default_factory=dict)
    target: str = CATALOG
    vars: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    refs: Mapping[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    full: bool = False
    product: str = ""
    batches: tuple[str, str] | tuple[()] = ()

    @property
    def database(self) -> Path:
        """Return the private database; a parsed manifest embeds its stem."""
        return self.folder / f"{CATALOG}.duckdb"

    @property
    def external(self) -> Path:
        """Return the folder of models that are kept in files."""
        return self.folder / "external"


def parse(job: DbtJob) -> None:
    """Parse the project; `PARSED` stands in `target` below the folder."""
    offer(job.refs, str(_said_in(job.project).get("name")))
    # dbt's static parser leaves threads behind, which the fork server must not have.
    # What a parse leaves is read by us, whatever the project's flags say.
    result = _invoke(job, "parse", "--no-static-parser", "--write-json", "--partial-parse")
    if not result.success:
        node = getattr(result.exception, "node", None)
        raise DeclarationError(not_parsed(str(result.exception), job.project, job.where, node))
    bind_sources(job.folder / "target", job.sources)
    as_sources(job.folder / "target" / PARSED[0])


def list_nodes(job: DbtJob) -> list[str]:
    """Return the unique ids of the selection; none where it matches nothing.

    Without a selection, those of the project's default selector.
    """
    result = _invoke(job, "list", "--output", "json", "--output-keys", "unique_id")
    if result.exception is not None:
        what = f"dbt cannot select: {result.exception}"
        raise DeclarationError(Problem(what, job.where, next="see docs/dbt.md on `select`"))
    return [json.loads(line)["unique_id"] for line in result.result or ()]


def build(job: DbtJob) -> None:
    """Build the models, seeds and snapshots of the selection in the private database."""
    kinds = ["--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"]
    full = ["--full-refresh"] if job.full else []
    between = zip(("--event-time-start", "--event-time-end"), job.batches, strict=False)
    built = _invoke(job, "build", *kinds, *full, *(word for said in between for word in said))
    if built.exception is not None:
        what = f"dbt build: {safe_message(built.exception)}"
        raise TransformError(Problem(what, job.where)) from built.exception
    broken = [row for row in built.result if not _is_done(row)]
    if broken:
        # dbt's message repeats what DuckDB said, which can be a cell; it is kept privately.
        raise TransformError(
            not_built(broken, job.project, job.where, job.product)
        ) from RuntimeError("\n".join(f"{row.node.unique_id}: {row.message}" for row in broken))


def _is_done(row: Any) -> bool:
    """Tell whether a node was built; of exposures and the like there is nothing to build."""
    status, kind = str(row.status), str(row.node.resource_type)
    return status in {"success", "pass"} or (status == "no-op" and kind not in _BUILT)


def test(job: DbtJob) -> list[tuple[str, str, int, str]]:
    """Run the tests of the selection on the private database; return how each ended, and why."""
    # Hooks have run in the build; once more, and what is tested is not what was copied out.
    tested = _invoke(job, "test", testing=True)
    if tested.exception is not None:
        what = f"dbt test: {safe_message(tested.exception)}"
        raise TransformError(Problem(what, job.where)) from tested.exception
    return [
        (str(row.node.unique_id), str(row.status), int(row.failures or 0), _why(row))
        for row in tested.result
    ]


def _why(row: Any) -> str:
    return said_of(str(row.message or "")) if str(row.status) == "error" else ""


def forget() -> None:
    """Let dbt forget the connections and adapters of a project."""
    from dbt.adapters.factory import cleanup_connections, reset_adapters

    cleanup_connections()
    reset_adapters()


def _invoke(job: DbtJob, *arguments: str, testing: bool = False) -> Any:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli import requires
    from dbt.cli.main import dbtRunner

    # `env_var()` asks this, and dbt's own options ask the process, where none of it is.
    requires.get_env = lambda: dict(job.environment)
    _write_profile(job, testing=testing)
    manifest = _manifest(job) if job.parsed else None
    if manifest is not None and testing:
        os.environ["DBT_STORE_FAILURES"] = "0"  # above what the project's flags say
        _only_look(manifest)
    files = ["--no-write-json"] if job.parsed else []  # only a parse is read again
    select = ["--select", job.select] if job.select else []
    select += ["--vars", job.vars] if job.vars else []
    try:
        with chdir(job.project):  # relative paths are as in plain dbt
            return dbtRunner(manifest=manifest).invoke([*arguments, *select, *files, *_common(job)])
    finally:
        DuckDBConnectionManager.close_all_connections()  # the file is whole only then


def _manifest(job: DbtJob) -> Any:
    found = read_parsed((job.parsed or job.folder) / PARSED[1])
    found.build_flat_graph()  # what macros see as `graph`; dbt does it after its own parse only
    return found


def _only_look(manifest: Any) -> None:
    """Let tests leave nothing: no hook runs with them, and no rows that failed are kept."""
    for key in [k for k, node in manifest.nodes.items() if node.resource_type == "operation"]:
        del manifest.nodes[key]
    for node in manifest.nodes.values():
        if node.resource_type == "test":
            node.config.store_failures, node.config.store_failures_as = False, "ephemeral"


def _common(job: DbtJob) -> list[str]:
    return [
        # Every one of these can also be set by an environment variable of dbt.
        *("--project-dir", str(job.project), "--profiles-dir", str(job.folder)),
        *("--profile", _profile_name(job.project), "--target", job.target),
        *("--target-path", str(job.folder / "target"), "--log-path", str(job.folder / "logs")),
        *("--log-level", "none", "--log-level-file", "none", "--no-use-colors"),
        "--no-send-anonymous-usage-stats",
    ]


def _profile_name(project: Path) -> str:
    """Return the name under which the project looks for its profile."""
    known = _said_in(project)
    return str(known.get("profile") or known.get("name") or CATALOG)


@cache
def _said_in(project: Path) -> Mapping[str, Any]:
    import yaml

    try:
        found = yaml.safe_load((project / "dbt_project.yml").read_text("utf-8-sig"))
    except (yaml.YAMLError, UnicodeDecodeError):  # dbt will say what is wrong with it
        return {}
    return found if isinstance(found, dict) else {}


def _write_profile(job: DbtJob, *, testing: bool) -> None:
    """Write the only profile that dbt sees: the run's private database and its inputs.

    Tests cannot write into it: a test that did would be about other rows than were copied out.
    """
    inputs = {"path": str(job.inputs), "alias": INPUTS, "read_only": True}
    output = {
        "type": "duckdb",
        "path": str(job.database),
        "threads": job.threads,
        # Once a database has spilled, its folder for that cannot be said again.
        "config_options": {
            "temp_directory": str(job.folder / "spill"),
            **({"access_mode": "READ_ONLY"} if testing else {}),
        },
        "external_root": str(job.external),
        "settings": {"enable_progress_bar": False, **job.settings},
        "attach": [inputs] if job.inputs else [],
    }
    content = {_profile_name(job.project): {"target": job.target, "outputs": {job.target: output}}}
    (job.folder / "profiles.yml").write_text(json.dumps(content), "utf-8")  # JSON is YAML
