"""dbt projects of other people, run after run with other data: the rows of plain dbt each time?

    python -m benchmarks.dbt_histories --packages PACKAGES PROJECT...

As `dbt_projects`, with three runs of each project, between which its data change. Plain dbt keeps
its database from run to run; here the next build goes on from what was published.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

from benchmarks.dbt_known import KNOWN, Known
from benchmarks.dbt_projects import DBT, Outcome, compare, dbt_product, prepare
from dataops_mesh.errors import MeshError

_RUNS = 3


def main() -> int:
    """Run the projects and print what each run held; 1 if one differs or fails."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("projects", nargs="+", type=Path)
    parser.add_argument("--packages", type=Path, default=None)
    given = parser.parse_args()
    os.environ["DBT_SEND_ANONYMOUS_USAGE_STATS"] = "false"
    print("| project | run | ports | rows | tests = checks | rows against plain dbt |")
    print("|---|---:|---:|---:|---:|---|")
    outcomes = [one for path in given.projects for one in _history(path.resolve(), given.packages)]
    fine = all(not one.failed and set(one.ports.values()) == {"identical"} for one in outcomes)
    return 0 if fine else 1


def _history(source: Path, packages: Path | None) -> list[Outcome]:
    known = KNOWN.get(source.name, Known())
    found = []
    with tempfile.TemporaryDirectory(prefix="dbt-history-") as name:
        root = Path(name).resolve()
        plain, ours = root / "plain", root / "mesh"
        changed = prepare(source, plain, packages, known)
        shutil.copytree(plain, ours)
        (ours / "pyproject.toml").write_text("[tool.dataops_mesh]\nthreads = 1\n", "utf-8")
        for number in range(_RUNS):
            made = Outcome(source.name, changed)
            try:
                _run(made, plain, ours, known, number)
            except subprocess.CalledProcessError as error:
                made.failed = f"{' '.join(map(str, error.cmd[:4]))}: {(error.output or '')[-800:]}"
            except (MeshError, RuntimeError) as error:
                made.failed = str(error)
            _say(made, number)
            found.append(made)
    return found


def _run(made: Outcome, plain: Path, ours: Path, known: Known, number: int) -> None:
    variables = ["--vars", known.variables] if known.variables else []
    for folder in (plain, ours):
        known.deliver(folder, number)
    said = ["--profiles-dir", ".", *variables]
    if known.seed_first:
        _call(plain / known.inside, "-c", DBT, "1", "seed", *said)
    _call(plain / known.inside, "-c", DBT, "1", "build", *said, *known.build)
    if not number:
        words = ("import", "dbt", known.inside, *variables, *known.imported)
        _call(ours, "-m", "dataops_mesh.cli.main", *words)
    _publish(ours)
    compare(made, plain / known.inside, ours, known)


def _call(folder: Path, *arguments: str) -> None:
    subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        check=True,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def _publish(ours: Path) -> None:
    """Run what is delivered, then the project."""
    from dataops_mesh.run.environment import open_environment
    from dataops_mesh.run.product import run_product
    from dataops_mesh.settings import load_settings
    from dataops_mesh.spec.loader import load_product

    settings = load_settings(ours)
    environment = open_environment(settings)
    last = dbt_product(ours)
    folders = [file.parent for file in ours.glob("domains/*/*/product.odps.yaml")]
    for folder in sorted(folders, key=lambda one: (one.parent.name, one.name) == last):
        product = load_product(folder, ours)
        report = run_product(product, environment, run_id=uuid.uuid4().hex)
        if not report.published:
            raise RuntimeError(f"{product.qualified_name}: {report.decision}"[:800])


def _say(made: Outcome, number: int) -> None:
    same = sum(how == "identical" for how in made.ports.values())
    told = f"{same} of {len(made.ports)} identical" if not made.failed else made.failed
    told += "".join(f"; {name} {how}" for name, how in made.ports.items() if how != "identical")
    facts = (len(made.ports), f"{made.rows:,}", f"{made.tests} = {made.checks}", told)
    print("|", " | ".join(map(str, (made.project, number + 1, *facts))), "|", flush=True)


if __name__ == "__main__":
    sys.exit(main())
