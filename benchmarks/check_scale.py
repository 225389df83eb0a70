"""How `mesh check` grows: seconds and peak memory of a process, for generated meshes.

    python benchmarks/check_scale.py [100 300 1000]

Each product has a contract of twelve columns and eight rules and a SQL transform that reads a
source and up to two other products; 50 domains (fewer below 100 products). Every built-in policy
and one CEL rule hold. The numbers are of a whole process, its start included.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

REPOSITORY = Path(__file__).parents[1]
DOMAINS = 50
POLICIES = """\
default: error
organisation:
  - id: keyed
    expression: product.outputPorts.all(p, p.contract.schema[0].properties.exists(c, c.primaryKey))
    message: a port has no key
"""
PRODUCT = """\
apiVersion: v1.1.0
kind: DataProduct
id: {domain}.{name}
version: 1.0.0
description: {{purpose: Made by a benchmark., limitations: It means nothing.}}
inputPorts:
  - name: source_csv
    customProperties:
      - {{property: source, vendor: dataops_mesh, value: {{path: source.csv}}}}
{inputs}team: {{name: {domain}, members: [{{username: ana@mesh.example, role: owner}}]}}
support: [{{channel: {domain}, url: "mailto:{domain}@mesh.example"}}]
"""
CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: {domain}.{name}.contract
version: 1.0.0
description: {{purpose: One row per thing.}}
schema:
  - name: {name}
    properties:
      - {{name: id, logicalType: integer, primaryKey: true, classification: public, description: N}}
{columns}    quality:
      - {{id: enough, metric: rowCount, mustBeGreaterThan: 0}}
      - {{id: sums_up, type: sql, query: "SELECT count(*) FROM {{object}} WHERE c0 < 0", mustBe: 0}}
slaProperties:
  - {{property: freshness, value: 1, unit: d}}
  - {{property: retention, value: 1, unit: y}}
"""
COLUMN = (
    "      - {{name: c{n}, logicalType: integer, required: true, classification: public, "
    "description: Number {n}., logicalTypeOptions: {{minimum: 0, maximum: 100}}}}\n"
)


def write_mesh(root: Path, products: int) -> None:
    """Write a workspace of that many products."""
    (root / "pyproject.toml").write_text("[tool.dataops_mesh]\n", "utf-8")
    (root / "policies.yaml").write_text(POLICIES, "utf-8")
    domains = min(DOMAINS, products // 2)
    names = [(f"domain_{n % domains}", f"product_{n}") for n in range(products)]
    for index, (domain, name) in enumerate(names):
        folder = root / "domains" / domain / name
        folder.mkdir(parents=True)
        read = [names[before] for before in {index // 2, index // 3} if before < index]
        inputs = "".join(f"  - {{name: {d}.{n}, version: 1.0.0}}\n" for d, n in read)
        columns = "".join(COLUMN.format(n=n) for n in range(11))
        joins = "".join(f" join {d}.{n} as r{i} using (id)" for i, (d, n) in enumerate(read))
        chosen = ", ".join(f"s.c{n}" for n in range(11))
        texts = {
            "product.odps.yaml": PRODUCT.format(domain=domain, name=name, inputs=inputs),
            f"{name}.odcs.yaml": CONTRACT.format(domain=domain, name=name, columns=columns),
            f"{name}.sql": f"select s.id, {chosen} from source_csv as s{joins}\n",
        }
        for file, text in texts.items():
            (folder / file).write_text(text, "utf-8")


def measure(products: int) -> None:
    """Print what one `mesh check` costs."""
    with TemporaryDirectory() as folder:
        write_mesh(Path(folder), products)
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
        started = time.perf_counter()
        command = [sys.executable, "-m", "dataops_mesh.cli.main", "check"]
        done = subprocess.Popen(
            command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True
        )
        said = (done.stderr.read() if done.stderr else "").strip().splitlines()
        _, status, usage = os.wait4(done.pid, 0)
        wall = time.perf_counter() - started
        cpu = usage.ru_utime + usage.ru_stime
        memory = usage.ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)
        print(
            f"{products:>6} products  {wall:7.1f} s  {cpu:7.1f} s CPU  {memory:6.0f} MB  "
            f"exit {os.waitstatus_to_exitcode(status)}  {said[-1] if said else ''}"
        )


if __name__ == "__main__":
    for count in [int(text) for text in sys.argv[1:]] or [100, 300, 1000]:
        measure(count)
