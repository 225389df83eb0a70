"""What the processes do that are killed, or work beside each other: all of it the commands' own."""

from __future__ import annotations

import importlib
import itertools
import time
from pathlib import Path

from helpers import run

from dataops_mesh.engine.read import connect
from dataops_mesh.run.environment import Environment, open_environment
from dataops_mesh.sandbox.asked import asked_by
from dataops_mesh.sandbox.promotion import promote
from dataops_mesh.settings import Settings, load_settings
from dataops_mesh.spec.loader import load_mesh
from dataops_mesh.spec.model import Product
from dataops_mesh.store import files
from dataops_mesh.store.line.known import find
from dataops_mesh.store.line.opening import end_leases
from dataops_mesh.store.line.refresh import refresh
from dataops_mesh.watch.collection import collect_store

for _lazy in ("duckdb", "pyarrow", "sqlalchemy", "great_expectations"):
    importlib.import_module(_lazy)


def inside(root: Path | str, sandbox: str = "") -> Environment:
    """Return the environment of a workspace, on the line of a sandbox."""
    return open_environment(settings_in(root, sandbox))


def settings_in(root: Path | str, sandbox: str = "") -> Settings:
    """Return the settings of a workspace, for a sandbox."""
    return load_settings(Path(root), sandbox=sandbox)


def declared(root: Path | str) -> dict[str, Product]:
    """Return the products of a workspace, by qualified name."""
    settings = settings_in(root)
    mesh = load_mesh(settings.root, settings.domains)
    return {product.qualified_name: product for product in mesh.products}


def promoting(root: str, sandbox: str) -> None:
    """Promote all that was built in a sandbox."""
    environment = inside(root)
    store = find(environment.store, sandbox)
    promote(store, environment, declared(root), (), "agreed")


def refreshing(root: str, sandbox: str) -> None:
    """Read in a sandbox what production shows now."""
    environment = inside(root)
    refresh(find(environment.store, sandbox), asked_by(environment))


def collecting(root: str, sandbox: str) -> None:
    """End leases and delete what nobody reads, as `mesh store gc --yes` does."""
    from datetime import UTC, datetime

    del sandbox
    environment = inside(root)
    end_leases(environment.store, "ana", datetime.now(UTC))
    collect_store(environment, declared(root).values(), dry_run=False)


def counted(root: str, act: str, sandbox: str, effects) -> None:
    """Do one of these, counting the effects on the disk."""

    def before(effect, path) -> None:
        effects.value += 1

    files.before = before
    globals()[act](root, sandbox)


def building(root: str, sandbox: str, names: tuple[str, ...], times: int, answers) -> None:
    """Build products in a sandbox, or in production, several times; say how each run ended."""
    ended = []
    for number in range(times):
        for name in names:
            report = run(settings_in(root, sandbox), name, f"{sandbox or 'production'}-{number}")
            ended.append(report.published)
    answers.put((sandbox, ended))


def reading(root: str, sandboxes: tuple[str, ...], sql: str, stop, answers) -> None:
    """Read in sandboxes again and again; say which answers were seen, and what went wrong."""
    seen: dict[str, set] = {name: set() for name in sandboxes}
    wrong, store = [], settings_in(root).store_folder
    for name in itertools.cycle(sandboxes):
        if stop.is_set():
            break
        try:
            with connect(store, sandbox=name) as mesh:
                seen[name].add(tuple(mesh.execute(sql).fetchall()))
        except Exception as error:  # noqa: BLE001 - every failure of a reader is told
            wrong.append(f"{name}: {type(error).__name__}: {error}")
        time.sleep(0.05)
    answers.put((seen, wrong))


def collecting_for_ever(root: str, stop, answers) -> None:
    """Collect again and again; say how often."""
    times = 0
    while not stop.is_set():
        collecting(root, "")
        times += 1
        time.sleep(0.1)
    answers.put(times)
