"""One percent more rows, for a product that has its rows already: ours and plain dbt."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

COLUMNS = {
    "id": ("BIGINT", "integer"),
    "customer": ("BIGINT", "integer"),
    "amount": ("DOUBLE", "number"),
    "sold": ("TIMESTAMP", "timestamp"),
    "status": ("VARCHAR", "string"),
    "note": ("VARCHAR", "string"),
}
ROWS = """\
SELECT i AS id, (hash(i)::UBIGINT % 100000)::BIGINT AS customer,
  (hash(i + 1)::UBIGINT % 1000000) / 100 AS amount,
  TIMESTAMP '2026-01-01' + to_seconds(i) AS sold,
  ['new', 'paid', 'sent', 'gone'][(1 + hash(i + 2)::UBIGINT % 4)::BIGINT] AS status,
  'note ' || hash(i + 3)::VARCHAR AS note
FROM range({first}, {last}) AS r(i)"""
PRODUCT = """\
apiVersion: v1.1.0
kind: DataProduct
id: urn:dataproduct:shop:{name}
version: 1.0.0
status: active
inputPorts:
{inputs}"""
SOURCE = """\
  - name: incoming
    customProperties:
      - {property: source, vendor: dataops_mesh, value: {path: "data/*.parquet"}}
"""
DBT = """\
customProperties:
  - {property: transform, vendor: dataops_mesh, value: {dbt: {project: ../../../project}}}
"""
NAMES = ", ".join(COLUMNS)
PYTHON = f"""\
def transform(self, incoming):
    return self.union(incoming.project("{NAMES}"))
"""
MODEL = (
    "{{ config(materialized='incremental', incremental_strategy='append') }}\n"
    f"select {NAMES} from {{{{ source('shop', 'lines') }}}}\n"
)
PROJECT = {
    "dbt_project.yml": "name: books\nversion: 1.0.0\nprofile: bench\nmodel-paths: [models]\n"
    "flags: {send_anonymous_usage_stats: false}\n",
    "models/all.sql": MODEL,
    "models/sources.yml": (
        "version: 2\nsources:\n"
        "  - {name: shop, database: mesh, schema: shop, tables: [{name: lines}]}\n"
    ),
}


def sql(rows: int, *, whole: bool = False) -> Callable[[], Any]:
    """Prepare a SQL product with its rows; the work adds to them, or builds all of them again."""
    own = f"select {NAMES} from self union all " if not whole else ""
    return _product(rows, {"lines.sql": f"{own}select {NAMES} from incoming\n"}, whole=whole)


def python(rows: int) -> Callable[[], Any]:
    """Prepare a Python product with its rows; the work adds to them."""
    return _product(rows, {"transform.py": PYTHON}, whole=False)


def dbt(rows: int) -> Callable[[], Any]:
    """Prepare a dbt product whose incremental model has its rows; the work adds to them."""
    root = _workspace({"lines.sql": f"select {NAMES} from incoming\n"}, own=False)
    _write(root, "books", "all", PRODUCT.format(name="all", inputs="  - name: shop.lines\n") + DBT)
    _project(root / "project")
    _deliver(root, 0, rows)
    _run(root, "shop", "lines")
    _run(root, "books", "all")
    _deliver(root, rows, rows + rows // 100, only=True)
    _run(root, "shop", "lines")
    return lambda: _answer(root, "books", "all")


def plain_dbt(rows: int, *, full: bool = False) -> Callable[[], Any]:
    """Prepare plain dbt with its rows; the work adds to them, or builds all of them again."""
    import duckdb
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    root = Path(mkdtemp())
    _project(root / "project")
    inputs, database = root / "mesh.duckdb", root / "plain.duckdb"
    output = {
        "type": "duckdb",
        "path": str(database),
        "threads": 1,
        "attach": [{"path": str(inputs), "alias": "mesh", "read_only": True}],
    }
    profile = {"bench": {"target": "dev", "outputs": {"dev": output}}}
    (root / "profiles.yml").write_text(json.dumps(profile), "utf-8")
    said = ["--project-dir", str(root / "project"), "--profiles-dir", str(root)]

    def offer(first: int, last: int) -> None:
        inputs.unlink(missing_ok=True)
        with duckdb.connect(str(inputs)) as con:
            con.execute("CREATE SCHEMA shop")
            con.execute("CREATE TABLE shop.lines AS " + ROWS.format(first=first, last=last))

    def build(*more: str) -> None:
        done = dbtRunner().invoke(["build", *said, "--log-level", "none", *more])
        DuckDBConnectionManager.close_all_connections()
        if not done.success:
            raise RuntimeError(done.exception)

    def work() -> Any:
        build(*["--full-refresh"] * full)
        with duckdb.connect(str(database), read_only=True) as con:
            return {"content": _content(con, '"all"'), "mb": database.stat().st_size / 1024**2}

    offer(0, rows)
    build()
    offer(0 if full else rows, rows + rows // 100)
    return work


def _product(rows: int, files: dict[str, str], *, whole: bool) -> Callable[[], Any]:
    root = _workspace(files, own=not whole)
    _deliver(root, 0, rows)
    _run(root, "shop", "lines")
    _deliver(root, rows, rows + rows // 100, only=not whole)
    return lambda: _answer(root, "shop", "lines")


def _workspace(files: dict[str, str], *, own: bool) -> Path:
    root = Path(mkdtemp())
    (root / "pyproject.toml").write_text("[tool.dataops_mesh]\nthreads = 1\n", "utf-8")
    inputs = SOURCE + ("  - name: self\n" if own else "")
    folder = _write(root, "shop", "lines", PRODUCT.format(name="lines", inputs=inputs))
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    return root


def _write(root: Path, domain: str, name: str, product: str) -> Path:
    folder = root / "domains" / domain / name
    (folder / "data").mkdir(parents=True)
    (folder / "product.odps.yaml").write_text(product, "utf-8")
    columns = "".join(
        f"      - {{name: {column}, logicalType: {kind}, physicalType: {stored}}}\n"
        for column, (stored, kind) in COLUMNS.items()
    )
    (folder / f"{name}.odcs.yaml").write_text(
        f"apiVersion: v3.2.0\nkind: DataContract\nid: urn:datacontract:{domain}:{name}\n"
        f"version: 1.0.0\nschema:\n  - name: {name}\n    properties:\n{columns}",
        "utf-8",
    )
    return folder


def _project(folder: Path) -> None:
    for name, text in PROJECT.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")


def _deliver(root: Path, first: int, last: int, *, only: bool = False) -> None:
    import duckdb

    data = root / "domains" / "shop" / "lines" / "data"
    if only:
        shutil.rmtree(data)
        data.mkdir()
    with duckdb.connect() as con:
        rows = ROWS.format(first=first, last=last)
        con.execute(f"COPY ({rows}) TO '{data}/{first:012}.parquet' (FORMAT parquet)")


def _run(root: Path, domain: str, name: str) -> Any:
    from dataops_mesh.run.environment import open_environment
    from dataops_mesh.run.product import run_product
    from dataops_mesh.settings import load_settings
    from dataops_mesh.spec.loader import load_product

    settings = load_settings(root)
    product = load_product(root / "domains" / domain / name, root)
    report = run_product(product, open_environment(settings), run_id=uuid.uuid4().hex)
    if not report.published:
        raise RuntimeError(report.decision)
    return report


def _answer(root: Path, domain: str, name: str) -> Any:
    import duckdb

    report = _run(root, domain, name)
    files = root / ".mesh" / "store" / "candidates" / report.candidate
    size = sum(file.stat().st_size for file in files.rglob("*") if file.is_file())
    with duckdb.connect() as con:
        content = _content(con, f"'{files}/{name}/*.parquet'")
    return {"content": content, "mb": size / 1024**2}


def _content(connection: Any, relation: str) -> list[Any]:
    query = f"SELECT count(*), sum(hash({NAMES})::HUGEINT)::VARCHAR FROM {relation}"
    return list(connection.execute(query).fetchall()[0])
