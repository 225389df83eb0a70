"""Definitions of a domain: ours from declarations; the same graph by hand."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from benchmarks.meshes import reads, write_mesh

COLUMNS = 2  # the key and two columns: ten checks and a few


def ours(products: int, *, again: bool = False) -> Callable[[], Any]:
    """Prepare the declarations; the work loads them.

    Args:
        products: how many.
        again: another process has loaded the same files before.
    """
    import dataops_mesh.factory.domain  # noqa: F401 - imports are not measured
    from dataops_mesh.run.environment import open_environment
    from dataops_mesh.settings import load_settings

    _import_dagster()
    root = Path(mkdtemp())
    write_mesh(root, products, domains=1, columns=COLUMNS)
    if again:
        open_environment(load_settings(root))  # loading makes no store
        code = f"from dataops_mesh import load_domain; load_domain({str(_domain(root))!r})"
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    return lambda: _ours(root)


def by_hand(products: int) -> Callable[[], Any]:
    """Prepare nothing; the work makes the same assets, dependencies and checks."""
    import dagster as dg

    checks = _checks_of_a_product()
    _import_dagster()

    def key(number: int) -> dg.AssetKey:
        return dg.AssetKey(["domain_0", f"product_{number}"])

    def asset(number: int) -> dg.AssetsDefinition:
        source = dg.AssetKey(["domain_0", f"product_{number}", "source_csv"])
        deps = [source, *map(key, reads(number))]

        @dg.multi_asset(
            name=f"product_{number}",
            specs=[dg.AssetSpec(key(number), deps=deps, group_name="domain_0")],
            check_specs=[dg.AssetCheckSpec(f"check_{n}", asset=key(number)) for n in range(checks)],
        )
        def build() -> Iterator[Any]:
            yield dg.MaterializeResult(key(number))

        return build

    def work() -> Any:
        assets = [asset(number) for number in range(products)]
        job = dg.define_asset_job("domain_0", selection=dg.AssetSelection.assets(*assets))
        return _size(dg.Definitions(assets=assets, jobs=[job]))

    return work


def _import_dagster() -> None:
    """Import all of Dagster that building a repository needs; parts of it come with the first."""
    import dagster as dg

    @dg.asset
    def first() -> None: ...

    dg.Definitions(assets=[first]).get_repository_def()


def _ours(root: Path) -> Any:
    from dataops_mesh import load_domain

    return _size(load_domain(_domain(root)))


def _domain(root: Path) -> Path:
    return root / "domains" / "domain_0"


def _size(definitions: Any) -> Any:
    """Build the repository, as a code location does, and return the size of the graph."""
    graph = definitions.get_repository_def().asset_graph
    return {
        "assets": len(graph.materializable_asset_keys),
        "checks": len(graph.asset_check_keys),
        "edges": sum(
            len(graph.get(key).parent_keys & graph.materializable_asset_keys)
            for key in graph.materializable_asset_keys
        ),
    }


def _checks_of_a_product() -> int:
    from dataops_mesh.spec.checks.derive import derive_checks
    from dataops_mesh.spec.loader import load_mesh

    root = Path(mkdtemp())
    write_mesh(root, 1, domains=1, columns=COLUMNS)
    return len(derive_checks(load_mesh(root).products[0]))
