"""What else `mesh check` can know without data: SQL rules, sources that are not there, imports."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from dataops_mesh.engine import sql
from dataops_mesh.engine.source import resolve
from dataops_mesh.errors import MeshError, Problem, SourceError
from dataops_mesh.quality.loan import AUDITED
from dataops_mesh.quality.query import render
from dataops_mesh.quality.redact import AuditError
from dataops_mesh.quality.values import base, is_number
from dataops_mesh.spec.checks.check import Check, Stage
from dataops_mesh.spec.checks.derive import derive_checks
from dataops_mesh.spec.checks.measures import Query
from dataops_mesh.spec.model import Product, TransformKind
from dataops_mesh.spec.names import new_columns
from dataops_mesh.spec.shape import Shape
from dataops_mesh.spec.stored import wanted_types
from dataops_mesh.transform.confined import Access, Room, confined
from dataops_mesh.transform.dry import declare, empty_session, unbound

if TYPE_CHECKING:
    import duckdb

    from dataops_mesh.transform.walls import Walls


def rule_problems(product: Product) -> tuple[Problem, ...]:
    """Return which SQL rules DuckDB cannot bind to the columns that are declared."""
    contracts = {str(port.address): port.contract for port in product.outputs}
    contracts |= {port.name: port.contract for port in product.inputs if port.contract}
    rules = [
        (check, check.measure)
        for check in derive_checks(product)
        if isinstance(check.measure, Query)
        and check.relation in contracts
        and new_columns(check.relation) not in check.measure.sql
    ]
    if not rules:
        return ()
    problems: list[Problem | None] = []
    with empty_session() as con:
        for relation, group in groupby(rules, lambda rule: rule[0].relation):
            types = wanted_types(contracts[relation])
            if declare(con, AUDITED, types):
                problems += [_rule_problem(con, check, query, types) for check, query in group]
    return tuple(problem for problem in problems if problem is not None)


def source_notes(product: Product) -> tuple[Problem, ...]:
    """Return which sources are not there: no mistake of the declaration, and a run would fail."""
    found: list[Problem] = []
    for port in product.inputs:
        if port.source is not None and not port.source.is_cut:
            try:
                resolve(port.source, product.folder)
            except SourceError as error:
                found += error.problems
            except OSError:
                continue
    return tuple(found)


def import_problems(product: Product, walls: Walls) -> tuple[Problem, ...]:
    """Return why a Python transform cannot be imported; tried in a confined process."""
    if product.transform.kind is not TransformKind.PYTHON:
        return ()
    note = _imported_before(product, walls)
    if note.exists():
        return ()
    with TemporaryDirectory(prefix="mesh-") as folder:
        room = Room(product, walls, Path(folder) / "own", Access(code=(product.folder.absolute(),)))
        try:
            confined(("dataops_mesh.transform.python", "import_transform"), _file(product), room)
        except MeshError as error:
            return tuple(
                Problem(problem.what.replace("raised", "cannot be imported:", 1), problem.where)
                for problem in error.problems
            )
    with suppress(OSError):  # a folder that may only be read: imported again next time
        note.parent.mkdir(parents=True, exist_ok=True)
        note.touch()
    return ()


def _file(product: Product) -> Path:
    (file,) = product.transform.files
    return file.absolute()


def _rule_problem(
    con: duckdb.DuckDBPyConnection, check: Check, query: Query, types: Mapping[str, Shape]
) -> Problem | None:
    try:
        told = con.execute(f"DESCRIBE SELECT * FROM (\n{render(query)}\n)").fetchall()
    except AuditError as error:
        return Problem(str(error), check.where)
    except sql.engine_error() as error:
        found = unbound(error, check.where)
        whose = "source" if check.stage is Stage.INPUT else "port"
        then = f"the columns of the {whose}: {', '.join(types)}"
        return Problem(f"the rule cannot run: {found.what}", check.where, next=then)
    if len(told) != 1:
        return Problem(f"the query must return one column, not {len(told)}", check.where)
    kind = base(str(told[0][1]))
    if not (is_number(kind) or kind == "BOOLEAN"):
        what = f"the query returns {kind}, and a rule is about a number"
        return Problem(what, check.where, next="select a count, a sum or another number")
    return None


def _imported_before(product: Product, walls: Walls) -> Path:
    """Return the note that this code was imported by this interpreter, with these packages."""
    files = sorted(product.folder.rglob("*.py"))
    packages = [Path(entry) for entry in sys.path if Path(entry).is_dir()]
    known = [
        [sys.version, str(walls.python), product.network],
        [(str(file), hashlib.sha256(file.read_bytes()).hexdigest()) for file in files],
        [(str(folder), folder.stat().st_mtime_ns) for folder in packages],
    ]
    return walls.cache / "imported" / hashlib.sha256(json.dumps(known).encode()).hexdigest()
