"""Try a product on a few rows, in pytest or wherever: its transform and its contract, for real.

    from dataops_mesh.testing import try_product

    def test_returned_orders_do_not_count():
        rows = [{"id": 1, "status": "returned"}]
        tried = try_product("domains/sales/revenue", {"shop.orders": rows})
        assert tried.rows("revenue") == []

The product is built in a store of its own that is deleted at the end, with the same walls, types
and checks as in production. Nothing of the mesh is read or written but its declarations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from dataops_mesh.errors import Problem, TransformError, UnknownNameError, did_you_mean
from dataops_mesh.testing.given import Given, as_source, publish, require_own

if TYPE_CHECKING:
    from dataops_mesh.run.environment import Environment
    from dataops_mesh.settings import Settings
    from dataops_mesh.spec.model import Mesh, OutputPort, Product


@dataclass(frozen=True, slots=True)
class Tried:
    """How a product was built from the rows that were given.

    Args:
        ports: the rows of each output port, in no order.
        failed: the names of the checks that these rows do not pass, `<port>.<check>`; those of
            what comes in are `<input>.<check>`.
        published: the gate would have published them.
        types: DuckDB's type of each column of each port.
    """

    ports: Mapping[str, tuple[dict[str, Any], ...]]
    failed: tuple[str, ...]
    published: bool
    types: Mapping[str, dict[str, str]]

    def rows(self, port: str) -> list[dict[str, Any]]:
        """Return the rows of a port, sorted, so that they can be compared.

        Raises:
            UnknownNameError: the product has no such port, or nothing was built.
        """
        if port not in self.ports:
            what = f'no rows of "{port}"{did_you_mean(port, self.ports)}: {", ".join(self.failed)}'
            raise UnknownNameError(Problem(what, choices=tuple(self.ports)))
        return sorted(self.ports[port], key=lambda row: [(v is None, str(v)) for v in row.values()])


def try_product(
    folder: str | Path,
    inputs: Mapping[str, Given],
    *,
    partition: str = "",
    now: datetime | None = None,
) -> Tried:
    """Build a product from rows and check what comes out.

    Args:
        folder: the product's folder.
        inputs: for each input port its rows, as mappings, or a file with them (CSV, JSON, Parquet).
            An input that is not named has no rows, with the columns of its contract; `self` is
            what the product published before.
        partition: of a partitioned product, which one.
        now: what the clock shows; that of the settings if absent.

    Raises:
        DeclarationError: the product is not valid.
        UnknownNameError: it has no such input port.
        SourceError: a file is nothing that the product may read.
        TransformError: the transform raised.
    """
    from dataops_mesh.settings import load_settings
    from dataops_mesh.spec.loader import load_product, read_mesh

    path = Path(folder).resolve()
    settings = load_settings(path, **({"now": now} if now else {}))
    product = load_product(path, settings.root)
    unknown = [name for name in inputs if name not in {port.name for port in product.reads}]
    if unknown:
        known = tuple(port.name for port in product.reads)
        what = f'{product.qualified_name} has no input port "{unknown[0]}"'
        raise UnknownNameError(Problem(what + did_you_mean(unknown[0], known), choices=known))
    given = [Path(one) for one in inputs.values() if isinstance(one, str | Path)]
    require_own(given, path, settings)
    with TemporaryDirectory(prefix="mesh-test-") as made:
        own = settings.trying(Path(made) / "store")
        return _tried(product, inputs, own, read_mesh(settings.root, settings.domains), partition)


def _tried(
    product: Product, inputs: Mapping[str, Given], settings: Settings, mesh: Mesh, partition: str
) -> Tried:
    from dataops_mesh.run.environment import open_environment
    from dataops_mesh.run.product import run_product
    from dataops_mesh.spec.checks.check import Outcome

    environment = open_environment(settings)
    work = settings.store_folder.parent
    ports = []
    for port in product.inputs:
        given = inputs.get(port.name, ())
        if port.address is None:
            ports.append(as_source(port, given, work))
        else:
            publish(port.address, given, environment, mesh, work)
            ports.append(replace(port, role=""))
    for port in product.own:
        if port.name in inputs and port.address is not None:
            publish(port.address, inputs[port.name], environment, mesh, work)
    outputs = tuple(map(_unmasked, product.outputs))
    given_to = replace(product, inputs=tuple(ports), outputs=outputs)
    try:
        report = run_product(given_to, environment, run_id="try", partition=partition or None)
    except TransformError as error:
        raise _whole(error, settings.store_folder) from None
    failed = tuple(
        f"{result.port.port}.{result.check}"
        for result in report.results
        if result.outcome is not Outcome.PASSED
    )
    found = {port.address.port: _rows(environment, report.candidate, port) for port in report.ports}
    types = {port.address.port: dict(port.columns) for port in report.ports}
    return Tried(found, failed, report.published, types)


def _unmasked(port: OutputPort) -> OutputPort:
    """Return a port whose rows are seen as the transform makes them: those of a test are nobody's.

    So a test needs no secret.
    """
    columns = tuple(replace(column, mask=None) for column in port.contract.columns)
    return replace(port, contract=replace(port.contract, columns=columns, roles=()))


def _whole(error: TransformError, store: Path) -> TransformError:
    """Say all that a transform said: the rows that it may repeat are those of the test."""
    kept = [
        file.read_text("utf-8").partition("\n\nTraceback")[0] for file in store.rglob("error.txt")
    ]
    first = error.problems[0]
    what = "\n".join([first.what, *(text.strip() for text in kept)])
    return TransformError([replace(first, what=what, next=""), *error.problems[1:]])


def _rows(environment: Environment, ref: str, port: Any) -> tuple[dict[str, Any], ...]:
    import duckdb

    from dataops_mesh.engine import sql
    from dataops_mesh.store.manifest import folder

    files = [folder(environment.store, ref) / file.path for file in port.files]
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        found = con.execute(f"FROM {sql.scan('read_parquet', files)}")
        names = [str(column[0]) for column in found.description or ()]
        return tuple(dict(zip(names, row, strict=True)) for row in found.fetchall())
