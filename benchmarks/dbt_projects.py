"""dbt projects of other people: `mesh import dbt`, `mesh run`, and plain dbt beside them.

    python -m benchmarks.dbt_projects --packages PACKAGES PROJECT...
    python -m benchmarks.dbt_projects --made 300 --again

Each PROJECT is a checkout; PACKAGES holds checkouts of the packages that they need (dbt-utils,
dbt-date, dbt-audit-helper). Nothing is written into either. For each project it says what had to
be changed, whether every published port has the very rows of plain `dbt build` (EXCEPT ALL, both
ways), how many of dbt's tests are checks, and what it costs against plain dbt: cold, each command a
process of its own; and with `--again` the n-th run in one process against dbt's `dbtRunner`, from
the run on that nothing is done for the first time.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from benchmarks.dbt_known import KNOWN, Known
from benchmarks.dbt_made import make_project

_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER: what a command leaves behind is waited for here
_FEW, _MANY = 5, 9  # runs in one process: what one more costs is the difference
DBT = """
import sys
from dbt.cli.main import dbtRunner
for _ in range(int(sys.argv[1])):
    assert dbtRunner().invoke(sys.argv[2:]).success
"""
_MESH = """
import sys
from dataops_mesh.run.environment import open_environment
from dataops_mesh.run.product import run_product
from dataops_mesh.settings import load_settings
from dataops_mesh.spec.loader import load_product
settings = load_settings()
environment = open_environment(settings)
product = load_product(settings.domains_folder / sys.argv[2] / sys.argv[3], settings.root)
for number in range(int(sys.argv[1])):
    assert run_product(product, environment, run_id=f"again-{number}").published
"""


@dataclass
class Cost:
    """Seconds on the wall, CPU seconds of all processes, and the largest process in MiB."""

    wall: float
    cpu: float
    peak: float


@dataclass
class Outcome:
    """What came of one project."""

    project: str
    changed: list[str]
    ports: dict[str, str] = field(default_factory=dict)
    rows: int = 0
    tests: int = 0
    checks: int = 0
    costs: dict[str, Cost] = field(default_factory=dict)
    failed: str = ""


def main() -> int:
    """Measure the projects and print what came of them; 1 if one differs or fails."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("projects", nargs="*", type=Path)
    parser.add_argument("--made", type=int, default=0, metavar="MODELS", help="a made-up project")
    parser.add_argument("--packages", type=Path, default=None)
    parser.add_argument("--again", action="store_true", help="also what one more run costs")
    given = parser.parse_args()
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    with tempfile.TemporaryDirectory(prefix="dbt-made-") as name:
        made = [make_project(Path(name), given.made)] if given.made else []
        outcomes = [
            _project(one.resolve(), given.packages, again=given.again)
            for one in (*given.projects, *made)
        ]
    print(json.dumps([_facts(one) for one in outcomes], indent=1))
    fine = all(not o.failed and set(o.ports.values()) == {"identical"} for o in outcomes)
    return 0 if fine else 1


def _project(source: Path, packages: Path | None, *, again: bool) -> Outcome:
    known = KNOWN.get(source.name, Known())
    with tempfile.TemporaryDirectory(prefix="dbt-project-") as name:
        root = Path(name).resolve()
        plain, ours = root / "plain", root / "mesh"
        changed = [*prepare(source, plain, packages, known), *known.changed]
        shutil.copytree(plain, ours)
        (ours / "pyproject.toml").write_text("[tool.dataops_mesh]\nthreads = 1\n", "utf-8")
        made = Outcome(source.name, changed)
        try:
            _measure(made, plain / known.inside, ours, known, again=again)
        except subprocess.CalledProcessError as error:
            made.failed = f"{' '.join(map(str, error.cmd[:4]))}: {(error.output or '')[-2000:]}"
        return made


def _measure(made: Outcome, plain: Path, ours: Path, known: Known, *, again: bool) -> None:
    said = ["--profiles-dir", ".", *(["--vars", known.variables] if known.variables else [])]
    if known.seed_first:
        cost(plain, ["-c", DBT, "1", "seed", *said])
    build = ["build", *said, *known.build]
    made.costs["dbt build"] = cost(plain, ["-c", DBT, "1", *build])
    mesh = ["-m", "dataops_mesh.cli.main"]
    told = [*(["--vars", known.variables] if known.variables else []), *known.imported]
    made.costs["mesh import"] = cost(ours, [*mesh, "import", "dbt", known.inside, *told])
    cost(ours, [*mesh, "check"])
    made.costs["mesh run"] = cost(ours, [*mesh, "run"])
    compare(made, plain, ours, known)
    if again:
        domain, product = dbt_product(ours)
        for name, folder, words in (
            ("one more dbt build", plain, ["-c", DBT, "{}", *build]),
            ("one more run", ours, ["-c", _MESH, "{}", domain, product]),
        ):
            few, many = (
                cost(folder, [word.replace("{}", str(count)) for word in words])
                for count in (_FEW, _MANY)
            )
            more = _MANY - _FEW
            made.costs[name] = Cost(
                (many.wall - few.wall) / more, (many.cpu - few.cpu) / more, many.peak
            )


def prepare(source: Path, folder: Path, packages: Path | None, known: Known) -> list[str]:
    """Copy a project, give it a profile of DuckDB, and put its packages where dbt installs them."""
    skipped = shutil.ignore_patterns(".git", "target", "logs", "dbt_packages", "*.duckdb")
    shutil.copytree(source / known.folder, folder, ignore=skipped)
    inside = folder / known.inside
    project = yaml.safe_load((inside / "dbt_project.yml").read_text("utf-8"))
    output = {"type": "duckdb", "path": "plain.duckdb", "threads": 1}
    profile = {project["profile"]: {"target": "dev", "outputs": {"dev": output}}}
    (inside / "profiles.yml").write_text(json.dumps(profile), "utf-8")
    installed = inside / project.get("packages-install-path", "dbt_packages")
    changed = ["a profile of DuckDB"]
    found = [*(source / own for own in known.own_packages)]
    found += [packages / name for name in known.packages if packages is not None]
    for package in found:
        name = yaml.safe_load((package / "dbt_project.yml").read_text("utf-8"))["name"]
        skip = shutil.ignore_patterns(".git", "integration_tests", "dbt_packages")
        shutil.copytree(package, installed / name, ignore=skip)
        changed.append(f"package {name} from a checkout")
    known.make(folder)
    return changed


def cost(folder: Path, arguments: Sequence[str]) -> Cost:
    """Run Python in a folder, and wait for all that it leaves."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    environment = {**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
    command = [sys.executable, *arguments]
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        peak = _wait(process)
        wall = time.monotonic() - start
        output.seek(0)
        text = output.read().decode("utf-8", "replace")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, text)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall, cpu, peak)


def _wait(process: subprocess.Popen[bytes]) -> float:
    """Wait for a process and its orphans; return the largest in MiB."""
    peak = 0
    while True:
        try:
            found, status, used = os.wait4(-1, 0)
        except ChildProcessError:
            return peak / 1024
        peak = max(peak, used.ru_maxrss)
        if found == process.pid:
            process.returncode = os.waitstatus_to_exitcode(status)


def dbt_product(ours: Path) -> tuple[str, str]:
    """Return the domain and the name of the product that dbt builds."""
    for file in sorted(ours.glob("domains/*/*/product.odps.yaml")):
        if "dbt:" in file.read_text("utf-8"):
            return file.parents[1].name, file.parent.name
    raise LookupError(ours)


def compare(made: Outcome, plain: Path, ours: Path, known: Known) -> None:
    import duckdb

    from dataops_mesh import connect
    from dataops_mesh.run.environment import open_environment
    from dataops_mesh.settings import load_settings
    from dataops_mesh.store.manifest import read_manifest
    from dataops_mesh.store.release import latest

    domain, product = dbt_product(ours)
    target = plain / yaml.safe_load((plain / "dbt_project.yml").read_text("utf-8")).get(
        "target-path", "target"
    )
    manifest = json.loads((target / "manifest.json").read_text("utf-8"))
    nodes = {n["name"]: n for n in manifest["nodes"].values() if n["resource_type"] != "test"}
    folder = ours / "domains" / domain / product
    store = open_environment(load_settings(ours)).store
    release = latest(store)
    with (
        duckdb.connect(str(plain / "plain.duckdb"), read_only=True) as theirs,
        connect(ours) as own,
    ):
        for port in sorted(f.name.removesuffix(".odcs.yaml") for f in folder.glob("*.odcs.yaml")):
            relation = nodes[port]["relation_name"]
            columns = theirs.execute(f"SELECT * FROM {relation} LIMIT 0").description
            asked = [column[0] for column in columns if column[0] not in known.apart]
            names = ", ".join(f'"{name}"' for name in asked)
            rows = own.execute(f"SELECT {names} FROM {domain}.{port}").arrow()
            theirs.register("published", rows)
            one = f"SELECT {names} FROM {relation}"
            sides = (f"{one} EXCEPT ALL FROM published", f"FROM published EXCEPT ALL {one}")
            counts = [theirs.execute(f"SELECT count(*) FROM ({s})").fetchall() for s in sides]
            differ = [int(found[0][0]) for found in counts]
            same = f"differs: {differ[0]} rows gone, {differ[1]} new"
            made.ports[port] = same if any(differ) else "identical"
            made.rows += len(rows)
    refs = {
        p.candidate
        for a, p in release.ports.items()
        if f"{a.domain}.{a.port}" in _own(made, domain)
    }
    (ref,) = refs
    results = read_manifest(store, ref).results
    made.checks = sum(result.check.startswith("dbt_") for result in results)
    ran = json.loads((target / "run_results.json").read_text("utf-8"))["results"]
    made.tests = sum(row["unique_id"].startswith(("test.", "unit_test.")) for row in ran)


def _own(made: Outcome, domain: str) -> set[str]:
    return {f"{domain}.{port}" for port in made.ports}


def _facts(made: Outcome) -> dict[str, Any]:
    costs = {name: vars(cost) for name, cost in made.costs.items()}
    rounded = {n: {k: round(v, 2) for k, v in one.items()} for n, one in costs.items()}
    return {**vars(made), "costs": rounded}


if __name__ == "__main__":
    sys.exit(main())
