"""Python transforms: `transform(<input ports>)` returns its port, or a mapping of its ports.

A parameter receives the input port of its name (dots as underscores) in the form that its
annotation asks for; without one, a DuckDB relation, which is lazy and needs no memory.
"""

from __future__ import annotations

import ast
import hashlib
import uuid
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataops_mesh.errors import Location, Problem, TransformError, did_you_mean
from dataops_mesh.spec.model import InputPort, Product, SourceFormat
from dataops_mesh.spec.parameters import ARGUMENT
from dataops_mesh.spec.read.relationships import referenced
from dataops_mesh.transform.confine.sources import module_of, run_module
from dataops_mesh.transform.place import place, unread
from dataops_mesh.transform.redact import line_in, safe_message

if TYPE_CHECKING:
    import duckdb

FUNCTION = "transform"
CLOCK = "now"
PARTITION = ("partition_key", "partition_start", "partition_end")
FORMS = {
    "": "relation",
    "DuckDBPyRelation": "relation",
    "Table": "table",
    "RecordBatchReader": "reader",
    "DataFrame": "pandas",
    "Path": "path",
}
POLARS = {"DataFrame": "polars", "LazyFrame": "lazy"}
_BATCH = 100_000
_INEXACT = ("DECIMAL", "STRUCT")
ANNOTATIONS = (
    "duckdb.DuckDBPyRelation",
    "pyarrow.Table",
    "pyarrow.RecordBatchReader",
    "pandas.DataFrame",
    "polars.DataFrame",
    "polars.LazyFrame",
    "pathlib.Path (for a source of format `file`)",
)


def python_problems(product: Product) -> tuple[Problem, ...]:
    """Return what is wrong with `transform.py`, without running it."""
    (file,) = product.transform.files
    try:
        function = _function(file)
    except SyntaxError as error:
        return (Problem(f"not Python: {error.msg}", place(product, file, error.lineno or 1)),)
    except (OSError, UnicodeDecodeError) as error:
        return (unread(product, file, error),)
    if function is None:
        what = f"defines no function `{FUNCTION}`"
        return (Problem(what, place(product, file), next=f"def {FUNCTION}(<input ports>): ..."),)
    where = place(product, file, function.lineno)
    inputs = {port.parameter: port for port in product.reads}
    checked = referenced(product)  # foreign keys read these, the function need not
    arguments = {arg.arg: _form(arg) for arg in _arguments(function)}
    offered = {CLOCK, *(PARTITION if product.partitioning else ())}
    offered |= {ARGUMENT} if product.takes else set()
    problems = [
        Problem(
            f'parameter "{name}" is not an input port{did_you_mean(name, inputs)}',
            where,
            choices=(*sorted(inputs), *sorted(offered)),
        )
        for name in arguments
        if name not in inputs and name not in offered
    ]
    problems += [
        Problem(f'input port "{port.name}" is declared and is no parameter of `{FUNCTION}`', where)
        for name, port in inputs.items()
        if name not in arguments and port.address not in checked
    ]
    problems += [
        _wrong_form(name, where)
        for name, form in arguments.items()
        if name in inputs and (form is None or (form == "path") != _opaque(inputs[name]))
    ]
    if {"polars", "lazy"} & set(arguments.values()) and find_spec("polars") is None:
        what = "the transform asks for polars, which is not installed here"
        problems.append(Problem(what, where, next='pip install "dataops-mesh[polars]"'))
    return tuple(problems)


def call_transform(
    product: Product,
    connection: duckdb.DuckDBPyConnection,
    source_files: Mapping[str, tuple[Path, ...]],
    offered: Mapping[str, Any],
) -> dict[str, Any]:
    """Run the transform and return what it returned for each output port.

    Args:
        product: a product whose transform is Python.
        connection: has every input port as a view.
        source_files: the files of each source input port.
        offered: what a parameter may ask for beside the inputs: the clock, the partition.

    Raises:
        TransformError: it raised, or did not return exactly its ports.
    """
    (file,) = product.transform.files
    function = _function(file)
    forms = {arg.arg: _form(arg) for arg in _arguments(function)} if function else {}
    arguments: dict[str, Any] = {
        port.parameter: _give(port, forms[port.parameter] or "relation", connection, source_files)
        for port in product.reads
        if port.parameter in forms
    }
    arguments |= {name: value for name, value in offered.items() if name in forms}
    try:
        returned = _load(file)(**arguments)
    except (Exception, SystemExit) as error:  # a transform's exit() must not end the pipeline
        where = place(product, file, line_in(error, file))
        said = safe_message(error, file.read_text("utf-8-sig", "replace"))
        raise TransformError(Problem(f"the transform raised {said}", where)) from error
    built = _by_port(product, returned, file)
    return {name: _as_ours(connection, value) for name, value in built.items()}


def _as_ours(connection: duckdb.DuckDBPyConnection, value: Any) -> Any:
    """Return a relation of another connection as a stream of its rows.

    A relation is written by its SQL, and what that names can mean something else to us.
    """
    if not hasattr(value, "sql_query"):
        return value
    import pyarrow as pa

    mark = uuid.uuid4().hex
    connection.execute(f"SET VARIABLE mesh_session = '{mark}'")
    probe = value.limit(0).aggregate("count(*), getvariable('mesh_session')")
    ours = pa.table(probe).column(1)[0].as_py() == mark
    return value if ours else pa.RecordBatchReader.from_stream(value)


def _by_port(product: Product, returned: Any, file: Path) -> dict[str, Any]:
    names = [port.name for port in product.outputs]
    if not isinstance(returned, Mapping):
        returned = {names[0]: returned} if len(names) == 1 else {}
    if set(returned) != set(names) or any(value is None for value in returned.values()):
        raise TransformError(
            Problem(
                f"`{FUNCTION}` must return its output port, or a mapping with exactly its ports",
                place(product, file),
                choices=tuple(names),
            )
        )
    return dict(returned)


def _give(
    port: InputPort,
    form: str,
    connection: duckdb.DuckDBPyConnection,
    source_files: Mapping[str, tuple[Path, ...]],
) -> Any:
    """Return an input port in the form that the parameter's annotation asks for."""
    if form == "path":
        return source_files[port.name][0]
    name = ".".join(f'"{part}"' for part in port.name.split("."))
    query = f"SELECT * FROM {name}"
    if form == "relation":
        return connection.sql(query)
    if form == "lazy":  # reads only what the transform asks for, a batch at a time
        return connection.cursor().sql(query).pl(batch_size=_BATCH, lazy=True)
    # A cursor of its own: the next query on a connection would end a reader that streams.
    cursor = connection.cursor().execute(query)
    fetch: dict[str, Callable[[], Any]] = {
        "table": cursor.to_arrow_table,
        "reader": cursor.to_arrow_reader,
        "pandas": lambda: _frame(cursor),
        "polars": cursor.pl,
    }
    return fetch[form]()


def _frame(cursor: duckdb.DuckDBPyConnection) -> Any:
    """Return the rows as a pandas frame, in which decimals and nested values are exact.

    DuckDB gives pandas floats for decimals, and zeros for nulls inside arrays.
    """
    described = [(name, str(kind)) for name, kind, *_ in cursor.description or ()]
    inexact = [name for name, kind in described if kind.startswith(_INEXACT) or kind.endswith("]")]
    if not inexact:
        return cursor.df()
    import duckdb
    import pandas as pd

    table = cursor.to_arrow_table()
    with duckdb.connect() as plain:  # which keeps the order of the rows
        frame = plain.from_arrow(table).df()
    for name in inexact:
        values = table.column(name).to_pylist()
        frame[name] = pd.Series(values, index=frame.index, dtype=object)
    return frame


def import_transform(file: Path) -> None:
    """Import a transform without calling it; called in a confined process."""
    _load(file)


def _load(file: Path) -> Callable[..., Any]:
    """Import the file under a name of its own; two products may both have a transform.py."""
    digest = hashlib.sha256(str(file).encode()).hexdigest()[:12]
    name = f"dataops_mesh_transform_{digest}"
    module = module_of(name, file)
    run_module(module)
    function: Callable[..., Any] = getattr(module, FUNCTION)
    return function


def _function(file: Path) -> ast.FunctionDef | None:
    tree = ast.parse(file.read_text("utf-8-sig"), str(file))
    found = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == FUNCTION]
    return found[-1] if found else None


def _arguments(function: ast.FunctionDef) -> list[ast.arg]:
    return [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]


def _form(argument: ast.arg) -> str | None:
    """Return the form that an annotation asks for; None when nobody knows it."""
    text = ast.unparse(argument.annotation).strip("'\"") if argument.annotation else ""
    module, _, name = text.rpartition(".")
    if module in {"polars", "pl"} or name == "LazyFrame":
        return POLARS.get(name)
    return FORMS.get(name)


def _opaque(port: InputPort) -> bool:
    return port.source is not None and port.source.format is SourceFormat.FILE


def _wrong_form(name: str, where: Location) -> Problem:
    return Problem(
        f'parameter "{name}" has an annotation that its input port cannot be given as',
        where,
        choices=ANNOTATIONS,
    )
