"""Do once what every run does, so that its imports and caches are there before the fork."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from dataops_mesh.settings import PREFIX

_MODULES = (
    "dataops_mesh.quality.session",
    "dataops_mesh.quality.translate",
    "dataops_mesh.run.product",
    "dataops_mesh.run.rebuild",
    "dataops_mesh.run.process.ending",
    "dataops_mesh.run.guards.flow",
    "dataops_mesh.run.lineage",
    "dataops_mesh.run.registry.elsewhere",
    "dataops_mesh.transform.validate",
    "dataops_mesh.policy.judge",
    "dataops_mesh.ledger.schema",
    "sqlalchemy.dialects.sqlite",
)
_SESSIONS = 3  # of a run: what is built, what is tested, the catalog
_FILES = {
    "pyproject.toml": "[tool.dataops_mesh]\nmemory_limit = '500MB'\nthreads = 1\nperson = 'warm'\n",
    "domains/warm/up/product.odps.yaml": (
        "apiVersion: v1.1.0\nkind: DataProduct\nid: urn:warm\nversion: 1.0.0\ninputPorts:\n"
        "  - name: rows\n    customProperties:\n"
        "      - {property: source, vendor: dataops_mesh, value: {path: rows.csv}}\n"
    ),
    "domains/warm/up/up.odcs.yaml": (
        "apiVersion: v3.2.0\nkind: DataContract\nid: urn:warm\nversion: 1.0.0\nstatus: active\n"
        "schema:\n  - name: up\n    properties:\n"
        "      - {name: a, logicalType: integer, primaryKey: true,"
        " logicalTypeOptions: {minimum: 0}}\n"
        "      - {name: b, logicalType: string, required: true}\n"
        "    quality:\n      - {id: some, metric: rowCount, mustBeGreaterThan: 0}\n"
    ),
    "domains/warm/up/up.sql": "select a, b from rows\n",
    "domains/warm/up/rows.csv": "a,b\n1,x\n2,y\n",
}


def warm_up(folder: Path | None = None) -> None:
    """Import the modules of a run and publish a product of two rows in a folder that goes again."""
    from tqdm import tqdm

    tqdm.monitor_interval = 0  # of progress bars that nobody sees: a thread
    for name in _MODULES:
        importlib.import_module(name)
    from dataops_mesh.run.environment import open_environment
    from dataops_mesh.run.product import run_product
    from dataops_mesh.settings import Settings
    from dataops_mesh.spec.loader import load_product

    with TemporaryDirectory(dir=folder) as name, _without_settings():
        root = Path(name)
        for file, text in _FILES.items():
            path = root / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        settings = Settings(root=root, store=root / "store")
        product = load_product(root / "domains" / "warm" / "up", root)
        run_product(product, open_environment(settings), run_id="warm")
    import duckdb

    from dataops_mesh.engine.opened import open_ahead

    duckdb.default_connection().close()  # it has threads, and a fork opens one of its own
    open_ahead(_SESSIONS)


@contextmanager
def _without_settings() -> Iterator[None]:
    """Hide the settings of whoever starts the gate: they are of another store."""
    theirs = {name: value for name, value in os.environ.items() if name.startswith(PREFIX)}
    for name in theirs:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(theirs)
