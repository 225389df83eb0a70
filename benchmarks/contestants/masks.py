"""A product about people, masked or not."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

ROWS = """\
SELECT i AS id, 'p' || hash(i)::VARCHAR || '@example.org' AS mail,
  '+49 170 ' || (1000000 + hash(i + 1)::UBIGINT % 9000000)::VARCHAR AS phone,
  DATE '1940-01-01' + (hash(i + 2)::UBIGINT % 25000)::INTEGER AS born,
  'town ' || (hash(i + 3)::UBIGINT % 5000)::VARCHAR AS town,
  (hash(i + 4)::UBIGINT % 1000000) / 100 AS amount
FROM range({rows}) AS r(i)"""
COLUMNS = """\
      - {name: id, logicalType: integer, primaryKey: true, classification: internal}
      - {name: mail, logicalType: string, required: true, unique: true, classification: restricted,
         logicalTypeOptions: {pattern: "@"}%(mail)s}
      - {name: phone, logicalType: string, required: true, classification: restricted%(phone)s}
      - {name: born, logicalType: date, required: true, classification: restricted%(born)s}
      - {name: town, logicalType: string, classification: internal}
      - {name: amount, logicalType: number, classification: internal}
"""
MASKS = {
    "mail": "{method: hash, secret: people}",
    "phone": "{method: partial, keepFirst: 3, keepLast: 2}",
    "born": "{method: bucket, unit: year}",
}
PRODUCT = """\
apiVersion: v1.1.0
kind: DataProduct
id: urn:dataproduct:shop:people
version: 1.0.0
status: active
inputPorts:
  - name: delivered
    customProperties:
      - {property: source, vendor: dataops_mesh, value: {path: people.parquet}}
"""
CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: urn:datacontract:shop:people
version: 1.0.0
schema:
  - name: people
    properties:
"""


def people(rows: int, *, looked: bool = False, masked: bool = False) -> Callable[[], Any]:
    """Prepare the product, run on a thousand rows; the work runs it on all.

    Args:
        rows: how many.
        looked: the policy `personal_data` is on.
        masked: the contract has masks.
    """
    root = Path(mkdtemp())
    folder = root / "domains" / "shop" / "people"
    folder.mkdir(parents=True)
    (root / "pyproject.toml").write_text('[tool.dataops_mesh]\nsecrets = "secrets"\n', "utf-8")
    (root / "secrets").mkdir(mode=0o700)
    (root / "secrets" / "people").write_text("a text that nobody guesses, not even here", "utf-8")
    severity = "warning" if looked else '{severity: "off", reason: to compare}'
    (root / "policies.yaml").write_text(f"rules:\n  personal_data: {severity}\n", "utf-8")
    (folder / "product.odps.yaml").write_text(PRODUCT, "utf-8")
    (folder / "people.sql").write_text("select * from delivered\n", "utf-8")
    said = {name: _masking(mask) if masked else "" for name, mask in MASKS.items()}
    (folder / "people.odcs.yaml").write_text(CONTRACT + COLUMNS % said, "utf-8")
    _deliver(folder, 1_000)
    _run(root)
    _deliver(folder, rows)
    return lambda: _run(root)


def _masking(mask: str) -> str:
    told = f"{{property: masking, vendor: dataops_mesh, value: {mask}}}"
    return f", customProperties: [{told}]"


def _deliver(folder: Path, rows: int) -> None:
    import duckdb

    with duckdb.connect() as con:
        file = folder / "people.parquet"
        con.execute(f"COPY ({ROWS.format(rows=rows)}) TO '{file}' (FORMAT parquet)")


def _run(root: Path) -> Any:
    from dataops_mesh.run.environment import open_environment
    from dataops_mesh.run.product import run_product
    from dataops_mesh.settings import load_settings
    from dataops_mesh.spec.loader import load_product

    settings = load_settings(root)
    product = load_product(root / "domains" / "shop" / "people", root)
    report = run_product(product, open_environment(settings), run_id=uuid.uuid4().hex)
    if not report.published:
        raise RuntimeError(report.decision)
    return {"rows": report.ports[0].rows}
