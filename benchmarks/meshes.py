"""Generated meshes: workspaces of any number of products."""

from __future__ import annotations

from pathlib import Path

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


DAY = (
    "      - {name: day, logicalType: date, partitioned: true, required: true, primaryKey: true, "
    "classification: public, description: D}\n"
)
CUT = """\
customProperties:
  - {{property: partitions, vendor: dataops_mesh, value: {{cadence: daily, {days}}}}}
"""


def write_mesh(
    root: Path,
    products: int,
    *,
    domains: int | None = None,
    columns: int = 11,
    days: str = "",
) -> None:
    """Write a workspace of that many products, each reading a source and up to two others.

    Args:
        root: an empty folder.
        products: how many.
        domains: how many; 50, or fewer for a small mesh, if absent.
        columns: of each contract, beside its key; each column stands for three checks.
        days: how each product is cut by days, as `start` and `end`; published whole if empty.
    """
    (root / "pyproject.toml").write_text("[tool.dataops_mesh]\n", "utf-8")
    (root / "policies.yaml").write_text(POLICIES, "utf-8")
    count = domains or min(DOMAINS, max(1, products // 2))
    names = [(f"domain_{n % count}", f"product_{n}") for n in range(products)]
    for index, (domain, name) in enumerate(names):
        folder = root / "domains" / domain / name
        folder.mkdir(parents=True)
        read = [names[before] for before in reads(index)]
        inputs = "".join(f"  - {{name: {d}.{n}, version: 1.0.0}}\n" for d, n in read)
        declared = "".join(COLUMN.format(n=n) for n in range(columns))
        joins = "".join(f" join {d}.{n} as r{i} using (id)" for i, (d, n) in enumerate(read))
        chosen = "".join(f", s.c{n}" for n in range(columns))
        if days:
            declared += DAY
            on = " join (select distinct id from {d}.{n}) as r{i} using (id)"
            joins = "".join(on.format(d=d, n=n, i=i) for i, (d, n) in enumerate(read))
            chosen += ", partition_start() as day"
        texts = {
            "product.odps.yaml": PRODUCT.format(domain=domain, name=name, inputs=inputs),
            f"{name}.odcs.yaml": CONTRACT.format(domain=domain, name=name, columns=declared)
            + (CUT.format(days=days) if days else ""),
            f"{name}.sql": f"select s.id{chosen} from source_csv as s{joins}\n",
        }
        for file, text in texts.items():
            (folder / file).write_text(text, "utf-8")


def reads(index: int) -> list[int]:
    """Return the products that the product of that number reads.

    >>> reads(0), reads(7)
    ([], [2, 3])
    """
    return sorted(before for before in {index // 2, index // 3} if before < index)
