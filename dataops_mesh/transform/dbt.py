"""dbt transforms: the project is built in a private database, then its public models leave it.

dbt runs in this process (its start-up costs twenty times its work otherwise), with a profile
made for the run: whatever profile the project carries is for its developers. Models first,
tests second, so that one run brings all the evidence.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dataops_mesh.errors import (
    DeclarationError,
    Location,
    Problem,
    TransformError,
)
from dataops_mesh.spec.model import Product
from dataops_mesh.transform.dbt_project import project_folder
from dataops_mesh.transform.place import place
from dataops_mesh.transform.redact import safe_message

# dbt keeps its connections and events in globals: one invocation at a time.
DBT = threading.RLock()
CATALOG = "candidate"  # the file's stem; a parsed manifest embeds it
INPUTS = "mesh"


@dataclass(frozen=True, slots=True)
class Profile:
    """Where one invocation of dbt works.

    Args:
        folder: holds the profile, the private database and dbt's artefacts.
        inputs: a DuckDB file with a view per input port, attached read-only.
        threads: how many models dbt builds at once.
        settings: DuckDB settings, for example memory_limit.
    """

    folder: Path
    inputs: Path | None = None
    threads: int = 1
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def database(self) -> Path:
        """Return the private database; a parsed manifest embeds its stem."""
        return self.folder / f"{CATALOG}.duckdb"


@dataclass(frozen=True, slots=True)
class DbtTestRun:
    """How one dbt test ended."""

    unique_id: str
    status: str
    failures: int


def parsed_manifest(product: Product, cache_folder: Path) -> Path:
    """Return the project's `manifest.json`, parsed only when a file of the project changed.

    Args:
        product: a product whose transform is dbt.
        cache_folder: where manifests are kept, one folder for each state of the project.

    Raises:
        DeclarationError: dbt cannot parse the project.
    """
    project = project_folder(product)
    digest = project_digest(project)
    folder = cache_folder / project.name / digest
    file = folder / "manifest.json"
    if not file.exists():
        building = folder.with_name(f"{folder.name}.{uuid.uuid4().hex[:8]}")
        _write_profile(project, Profile(building))
        try:
            with DBT:
                result = _invoke(project, building, ["parse"])
            if not result.success:
                raise DeclarationError(
                    Problem(
                        f"dbt cannot parse the project: {result.exception}",
                        place(product, project / "dbt_project.yml"),
                        next=f"dbt parse --project-dir {project.resolve()}",
                    )
                )
            _PARSED[project, digest] = result.result
            folder.mkdir(parents=True, exist_ok=True)
            (building / "target" / "manifest.json").replace(file)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    return file


def project_digest(project: Path) -> str:
    """Return a digest of every file that dbt reads in the project."""
    digest = hashlib.sha256()
    for file in sorted(project.rglob("*")):
        relative = file.relative_to(project)
        skipped = relative.parts[0] in {"target", "logs", "dbt_packages"}
        if file.is_file() and not skipped and not relative.name.startswith("."):
            digest.update(str(relative).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def selected_nodes(
    product: Product, manifest: Mapping[str, Any], cache_folder: Path
) -> frozenset[str]:
    """Return the unique ids that the product's selection covers, tests included."""
    if not product.transform.select:
        return frozenset(manifest["nodes"]) | frozenset(manifest.get("unit_tests", {}))
    project = project_folder(product)
    # A folder of its own: another process may ask the same at this moment.
    folder = cache_folder / project.name / f"select.{uuid.uuid4().hex[:8]}"
    _write_profile(project, Profile(folder))
    arguments = ["list", "--select", product.transform.select, "--output", "json"]
    with DBT:
        result = _invoke(project, folder, [*arguments, "--output-keys", "unique_id"])
    shutil.rmtree(folder, ignore_errors=True)
    if not result.success or not result.result:
        raise DeclarationError(
            Problem(
                f'the dbt selection "{product.transform.select}" matches nothing',
                product.where,
                next="see `dbt list --select` in the project's folder",
            )
        )
    return frozenset(json.loads(line)["unique_id"] for line in result.result)


def build_project(product: Product, profile: Profile) -> tuple[dict[str, str], list[DbtTestRun]]:
    """Build and test the selection in a private database.

    Args:
        product: a product whose transform is dbt.
        profile: where; a folder of this run's own.

    Returns:
        The relation of every built model by its name, and how every test ended.

    Raises:
        TransformError: a model could not be built.
    """
    project, folder = project_folder(product), profile.folder
    where = place(product, project / "dbt_project.yml")
    _write_profile(project, profile)
    select = ["--select", product.transform.select] if product.transform.select else []
    without_tests = ["--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"]
    with DBT:
        try:
            built = _invoke(project, folder, ["build", *without_tests, *select])
            _raise_if_failed(where, built)
            tested = _invoke(project, folder, ["test", *select])
        finally:
            _close_connections()
    if tested.exception is not None:
        raise _failure(where, f"dbt test: {safe_message(tested.exception)}") from tested.exception
    runs = [
        DbtTestRun(row.node.unique_id, str(row.status), int(row.failures or 0))
        for row in tested.result
    ]
    relations = {row.node.name: str(row.node.relation_name) for row in built.result}
    return relations, runs


def _raise_if_failed(where: Location, result: Any) -> None:
    if result.exception is not None:
        raise _failure(where, f"dbt build: {safe_message(result.exception)}") from result.exception
    broken = [row for row in result.result if str(row.status) not in {"success", "pass"}]
    if broken:
        names = ", ".join(f"{row.node.name} ({row.status})" for row in broken)
        # dbt's message repeats what DuckDB said, which can be a cell; it is kept privately.
        raise _failure(where, f"dbt could not build {names}") from RuntimeError(
            "\n".join(f"{row.node.unique_id}: {row.message}" for row in broken)
        )


def _failure(where: Location, what: str) -> TransformError:
    return TransformError(Problem(what, where))


def _invoke(project: Path, folder: Path, arguments: list[str]) -> Any:
    from dbt.cli.main import dbtRunner

    manifest = None if arguments[0] == "parse" else _manifest_object(project, folder)
    return dbtRunner(manifest=manifest).invoke([*arguments, *_common(project, folder)])


def _common(project: Path, folder: Path) -> list[str]:
    return [
        # Every one of these can also be set by an environment variable of dbt.
        *("--project-dir", str(project), "--profiles-dir", str(folder)),
        *("--profile", _profile_name(project), "--target", CATALOG),
        *("--target-path", str(folder / "target"), "--log-path", str(folder / "logs")),
        *("--log-level", "none", "--log-level-file", "none", "--no-use-colors"),
        *("--no-send-anonymous-usage-stats", "--no-version-check"),
    ]


_PARSED: dict[tuple[Path, str], Any] = {}


def _manifest_object(project: Path, folder: Path) -> Any:
    """Return dbt's manifest object, parsed once per process and state of the project."""
    from dbt.cli.main import dbtRunner

    key = (project, project_digest(project))
    if key not in _PARSED:
        result = dbtRunner().invoke(["parse", *_common(project, folder)])
        if not result.success:  # it could be parsed a moment ago
            raise result.exception or RuntimeError("dbt cannot parse the project")
        _PARSED[key] = result.result
    return _PARSED[key]


def _profile_name(project: Path) -> str:
    """Return the name under which the project looks for its profile."""
    import yaml

    try:
        found = yaml.safe_load((project / "dbt_project.yml").read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError):  # dbt will say what is wrong with it
        return CATALOG
    known = found if isinstance(found, dict) else {}
    return str(known.get("profile") or known.get("name") or CATALOG)


def _write_profile(project: Path, profile: Profile) -> None:
    """Write the only profile that dbt sees: the run's private database and its inputs."""
    profile.folder.mkdir(parents=True, exist_ok=True)
    inputs = {"path": str(profile.inputs), "alias": INPUTS, "read_only": True}
    output = {
        "type": "duckdb",
        "path": str(profile.database),
        "threads": profile.threads,
        "settings": {"enable_progress_bar": False, **profile.settings},
        "attach": [inputs] if profile.inputs else [],
    }
    content = {_profile_name(project): {"target": CATALOG, "outputs": {CATALOG: output}}}
    (profile.folder / "profiles.yml").write_text(json.dumps(content), "utf-8")  # JSON is YAML


def _close_connections() -> None:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    DuckDBConnectionManager.close_all_connections()
