"""Column lineage of a product: what each port's columns are made of, and which are used at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dataops_mesh.errors import DeclarationError, Location
from dataops_mesh.plan.lineage.breakers import held_columns
from dataops_mesh.plan.lineage.dbtlineage import dbt_queries
from dataops_mesh.plan.lineage.dbtrows import clear_queries
from dataops_mesh.plan.lineage.holding import Held, Origin, Stands
from dataops_mesh.plan.lineage.sqllineage import QueryLineage, query_lineage
from dataops_mesh.spec.macros import written_out
from dataops_mesh.spec.model import Address, OutputPort, Product, TransformKind

Ports = Mapping[Address, OutputPort]
DbtQueries = Callable[[Iterable[str], Mapping[str, Any]], Mapping[str, tuple[frozenset[str], str]]]


@dataclass(frozen=True, slots=True)
class Lineage:
    """What is known of a product's columns.

    Args:
        columns: for (port, column), the (input port, column) pairs its values are made of;
            absent where it is unknown.
        used: for (port, input port), the columns that decide what is in the port; None where
            every column may; absent where the port does not read the input.
        checked: for each input port, the columns that its expectations and foreign keys name.
    """

    columns: Mapping[tuple[str, str], frozenset[Origin]] = field(default_factory=dict)
    used: Mapping[tuple[str, str], frozenset[str] | None] = field(default_factory=dict)
    checked: Mapping[str, frozenset[str]] = field(default_factory=dict)


def lineage_of(
    product: Product, ports: Ports, manifest: Mapping[str, Any] | None = None
) -> Lineage:
    """Return what is known of a product's columns; never raises for a transform it cannot read.

    Args:
        product: the product.
        ports: the ports of the mesh by address, for the columns that the inputs promise.
        manifest: dbt's manifest, for a product that dbt builds.
    """
    inputs = {port.name: port for port in product.inputs}  # `self` is no edge
    readable = {port.name: port for port in product.reads}
    schemas = _schemas(product, ports)
    queries = _queries(product, manifest)
    columns: dict[tuple[str, str], frozenset[Origin]] = {}
    used: dict[tuple[str, str], frozenset[str] | None] = {}
    for port in product.outputs:
        reads, text = queries.get(port.name, (frozenset(inputs), ""))
        found = _declared(port, readable) or (query_lineage(text, schemas) if text else None)
        if found is None:
            used.update({(port.name, name): None for name in reads & inputs.keys()})
            continue
        used.update({(port.name, n): cols for n, cols in found.used.items() if n in inputs})
        columns.update(
            {
                (port.name, column): frozenset(origin for origin in origins if origin[0] in inputs)
                for column, origins in found.columns.items()
            }
        )
    return Lineage(columns, used, _checked(product))


def column_lineage(
    product: Product, ports: Ports, manifest: Mapping[str, Any] | None = None
) -> Mapping[tuple[str, str], frozenset[Origin]]:
    """Return what each (port, column) is made of: (input port, column) pairs."""
    return lineage_of(product, ports, manifest).columns


@dataclass(frozen=True, slots=True)
class Clear:
    """Whose values are still in a product's columns: a hash or an average is not.

    Args:
        columns: for (port, column), all of them; absent where nobody can tell of some.
        partly: those that are known, where nobody can tell of others.
        as_is: the (port, column) that are a column of an input as it stands.
    """

    columns: Mapping[tuple[str, str], frozenset[Origin]] = field(default_factory=dict)
    partly: Mapping[tuple[str, str], frozenset[Origin]] = field(default_factory=dict)
    as_is: frozenset[tuple[str, str]] = frozenset()


def clear_lineage(
    product: Product,
    ports: Ports,
    manifest: Mapping[str, Any] | None = None,
    is_secret: Callable[[Origin], bool] = lambda _: True,
) -> Clear:
    """Return whose values are still in the columns of a product.

    What the query says comes first; `transformSourceObjects` counts where nobody can read one.
    A value that comes from the product's own last publication (`self`) is still in it too.
    Of a relation that is no input nobody can tell: a dbt model may name one without `ref`.

    Args:
        product: the product.
        ports: the ports of the mesh by address.
        manifest: dbt's manifest, for a product that dbt builds.
        is_secret: tells of an input's column whether anybody minds that it is seen.
    """
    inputs = {port.name: port for port in product.reads}
    schemas = _schemas(product, ports)
    queries = _queries(product, manifest, clear_queries)
    columns: dict[tuple[str, str], frozenset[Origin]] = {}
    partly: dict[tuple[str, str], frozenset[Origin]] = {}
    as_is: set[tuple[str, str]] = set()
    for port in product.outputs:
        _, text = queries.get(port.name, (frozenset(), ""))
        held = held_columns(text, schemas, is_secret) if text else None
        if held is None and (declared := _declared(port, inputs)):
            held = {
                name: Held(one, stands=Stands.COMPUTED) for name, one in declared.columns.items()
            }
        for column, one in (held or {}).items():
            known = frozenset(
                (n, c) for n, c in one.clear if n in inputs and c in schemas.get(n, (c,))
            )
            (columns if known == one.clear else partly)[port.name, column] = known
            if one.stands > Stands.COMPUTED and known == one.both:
                as_is.add((port.name, column))
    return Clear(columns, partly, frozenset(as_is))


def _schemas(product: Product, ports: Ports) -> dict[str, list[str]]:
    known = {**ports, **{port.address: port for port in product.outputs}}
    promised = {
        port.name: known[port.address].contract if port.address in known else port.contract
        for port in product.reads
    }
    return {
        name: [column.name for column in contract.columns]
        for name, contract in promised.items()
        if contract is not None
    }


def columns_used(lineage: Lineage, input_port: str) -> frozenset[str] | None:
    """Return the columns of an input port that the product needs; None if it may need any.

    >>> columns_used(Lineage(used={("p", "d.q"): frozenset({"a"})}), "d.q")
    frozenset({'a'})
    """
    found = set(lineage.checked.get(input_port, ()))
    for (_, name), columns in lineage.used.items():
        if name == input_port:
            if columns is None:
                return None
            found |= columns
    return frozenset(found)


def _queries(
    product: Product, manifest: Mapping[str, Any] | None, of_dbt: DbtQueries = dbt_queries
) -> Mapping[str, tuple[frozenset[str], str]]:
    """Return what each port reads and its query; an empty query is one that nobody can read."""
    inputs = frozenset(port.name for port in product.inputs)
    transform = product.transform
    if transform.kind is TransformKind.DBT and manifest is not None:
        return of_dbt([port.name for port in product.outputs], manifest)
    if transform.kind is not TransformKind.SQL:
        return {}
    found = {}
    for name, file in zip(transform.ports, transform.files, strict=False):
        try:
            text = file.read_text("utf-8-sig")
            found[name] = (inputs, written_out(text, product, Location(file.name, 1)))
        except (OSError, UnicodeDecodeError, DeclarationError):
            continue
    return found


def _declared(port: OutputPort, inputs: Mapping[str, Any]) -> QueryLineage | None:
    """Return what ODCS `transformSourceObjects` says, if every column says it.

    An entry is an input port's name, or that and a column: `fleet.aircraft.tail_number`.
    """
    used: dict[str, set[str] | None] = {}
    columns = {}
    for column in port.contract.columns:
        if not column.transform_sources:
            return None
        origins = set()
        for text in column.transform_sources:
            name, _, from_column = text.rpartition(".")
            if text in inputs:
                used[text] = None
            elif name in inputs:
                origins.add((name, from_column))
                known = used.setdefault(name, set())
                if known is not None:
                    known.add(from_column)
            else:
                return None
        columns[column.name] = frozenset(origins)
    decided = {name: None if found is None else frozenset(found) for name, found in used.items()}
    return QueryLineage(decided, columns)


def _checked(product: Product) -> dict[str, frozenset[str]]:
    names = {port.address: port.name for port in product.inputs}
    found: dict[str, set[str]] = {}
    for port in product.inputs:
        for rule in port.expectations:
            about = {rule.column} if rule.column else set(rule.properties)
            found.setdefault(port.name, set()).update(name for name in about if name)
    for output in product.outputs:
        for one in output.contract.relationships:
            if one.address in names:
                found.setdefault(names[one.address], set()).update(one.to)
    return {name: frozenset(columns) for name, columns in found.items()}
