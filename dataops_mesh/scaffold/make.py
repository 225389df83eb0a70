"""New products and contracts as files: what is written where."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataops_mesh.engine import sql
from dataops_mesh.errors import Location, Problem, SourceError
from dataops_mesh.scaffold.classes import Classes, classes_of_select
from dataops_mesh.scaffold.contract import HEAD, column_names, measured_contract
from dataops_mesh.scaffold.measure import Relation
from dataops_mesh.scaffold.product import (
    NewProduct,
    People,
    python_text,
    require_names,
    select_text,
    source_input,
)
from dataops_mesh.scaffold.rows import DATABASES, Rows, rows_of_file, rows_of_select
from dataops_mesh.scaffold.text import Short, yaml_text
from dataops_mesh.spec.names import slug
from dataops_mesh.spec.sql import parse_select, tables_read

Files = dict[Path, str]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where rows come from: a file (and a table in it), or a SELECT on what is published."""

    file: Path | None = None
    table: str = ""
    select: str = ""

    def rows(self, name: str, store: Path) -> AbstractContextManager[Rows]:
        """Open the rows under a name."""
        if self.select:
            return rows_of_select(self.select, store)
        if self.file is None:
            what = "there is nothing to make a contract of"
            raise SourceError(Problem(what, next="say --from FILE or --select SQL"))
        return rows_of_file(self.file, name, self.table)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a product is: the workspace, the folder of domains in it, the store, and its name."""

    root: Path
    domains: str
    store: Path
    domain: str
    product: str

    @property
    def folder(self) -> Path:
        """Return the product's folder."""
        return self.root / self.domains / self.domain / self.product


def new_contract(place: Place, port: str, origin: Origin, *, source: bool) -> tuple[Path, str]:
    """Return the file of a contract and its text.

    Args:
        place: the product.
        port: the output port, or of a source the input port.
        origin: the rows it is made of.
        source: for what comes in.
    """
    require_names(domain=place.domain, product=place.product, port=port)
    with origin.rows(port, place.store) as rows:
        text, _ = _contract_text(place, port, rows, source=source)
    folder = place.folder / "inputs" if source else place.folder
    return folder / f"{port}.odcs.yaml", text


@dataclass(frozen=True, slots=True)
class Request:
    """A product that publishes rows as they are.

    Args:
        place: where it will be.
        port: its one output port.
        origin: what it reads.
        people: who answers for it.
        python: a `transform.py` instead of SQL.
        source: also a contract for what comes in.
    """

    place: Place
    port: str
    origin: Origin
    people: People
    python: bool = False
    source: bool = False


def new_product(wanted: Request) -> Files:
    """Return the files of a product.

    Raises:
        SourceError: the rows cannot be read, or a product cannot read them from there.
    """
    require_names(domain=wanted.place.domain, product=wanted.place.product, port=wanted.port)
    if wanted.origin.select:
        return _selected(wanted)
    file = wanted.origin.file
    if file is None or wanted.origin.table or file.suffix in DATABASES:
        what = "a product reads files, published ports and dbt projects, and no database yet"
        then = (
            "say --from FILE or --select SQL; of a database export the table to Parquet, or make "
        )
        then += "only its contract: mesh new contract"
        raise SourceError(Problem(what, next=then))
    return _reading(wanted, file)


def _reading(wanted: Request, file: Path) -> Files:
    """Return the files of a product that reads a file."""
    place, name = wanted.place, _input_name(file)
    files: Files = {}
    with wanted.origin.rows(name, place.store) as rows:
        described = rows.con.execute(f"DESCRIBE FROM {rows.relation}").fetchall()
        names = column_names([str(row[0]) for row in described])
        if wanted.source:
            incoming, _ = _contract_text(place, name, rows, source=True)
            files[place.folder / "inputs" / f"{name}.odcs.yaml"] = incoming
        listed = [f"{sql.identifier(old)} AS {sql.identifier(new)}" for old, new in names.items()]
        rows.con.execute(f"CREATE VIEW made AS SELECT {', '.join(listed)} FROM {rows.relation}")
        shaped = Rows(rows.con, "made", rows.origin)
        text, found = _contract_text(place, wanted.port, shaped, source=False)
        options = _options(rows, typed=not wanted.source)
    entry = source_input(name, file, place.folder, place.root, options)
    purpose = _purpose(found, wanted.port)
    product = NewProduct(place.domain, place.product, (entry,), wanted.people, purpose)
    files[place.folder / "product.odps.yaml"] = product.document()
    files[place.folder / f"{wanted.port}.odcs.yaml"] = text
    read = {new if wanted.source else old: new for old, new in names.items()}
    if wanted.python:
        renamed = read if any(old != new for old, new in read.items()) else {}
        files[place.folder / "transform.py"] = python_text(name, renamed)
    else:
        files[place.folder / f"{wanted.port}.sql"] = select_text(read, name) + "\n"
    return files


def source_files(
    place: Place, port: str, file: Path, columns: Sequence[str]
) -> tuple[Sequence[dict[str, Any]], Files]:
    """Return the input port that reads a file, and the SQL that selects a contract's columns.

    Args:
        place: where the product will be.
        port: its output port.
        file: the file.
        columns: the names of the contract.
    """
    name = _input_name(file)
    with rows_of_file(file, name) as rows:
        described = rows.con.execute(f"DESCRIBE FROM {rows.relation}").fetchall()
        options = _options(rows, typed=True)
    there = {new: old for old, new in column_names([str(row[0]) for row in described]).items()}
    there |= {old: old for old in there.values()}
    query = select_text({there.get(column, column): column for column in columns}, name)
    entry = source_input(name, file, place.folder, place.root, options)
    return (entry,), {place.folder / f"{port}.sql": query + "\n"}


def _input_name(file: Path) -> str:
    plain = re.sub(r"[^A-Za-z0-9]+", " ", file.stem).strip() or file.absolute().parent.name
    return f"{slug(plain)}_{slug(file.suffix.strip('.'))}"


def _selected(wanted: Request) -> Files:
    """Return the files of a product whose transform is a SELECT on published ports."""
    place, port, select = wanted.place, wanted.port, wanted.origin.select
    read = sorted(tables_read(parse_select(select, Location("--select", 1))))
    with wanted.origin.rows(port, place.store) as rows:
        text, found = _contract_text(place, port, rows, source=False)
    inputs = [{"name": name} for name in read]
    purpose = _purpose(found, port)
    product = NewProduct(place.domain, place.product, inputs, wanted.people, purpose)
    return {
        place.folder / "product.odps.yaml": product.document(),
        place.folder / f"{port}.odcs.yaml": text,
        place.folder / f"{port}.sql": select.strip().rstrip(";") + "\n",
    }


def _contract_text(place: Place, port: str, rows: Rows, *, source: bool) -> tuple[str, Relation]:
    classes = Classes()
    if rows.select:
        described = rows.con.execute(f"DESCRIBE FROM {rows.relation}").fetchall()
        names = [str(row[0]) for row in described]
        classes = classes_of_select(rows.select, place.store, names)
    made, found = measured_contract(
        rows.con, rows.relation, place.domain, port, source=source, classes=classes
    )
    return yaml_text(made, HEAD.format(rows=found.rows, origin=rows.origin)), found


def _purpose(found: Relation, port: str) -> str:
    key = f", one for each {', '.join(found.key)}" if found.key else ""
    return f"Say here what {port} is for. {len(found.columns)} columns{key}."


def _options(rows: Rows, *, typed: bool) -> dict[str, Any]:
    """Return how the file is read; a contract of the source says the types itself."""
    found = {key: value for key, value in rows.options.items() if typed or key != "types"}
    return {k: Short(v) if isinstance(v, dict) else v for k, v in found.items()}
