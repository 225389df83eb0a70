"""Where a delivered text is read as a value and written as text again, in another spelling."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dataops_mesh.errors import DeclarationError, Problem
from dataops_mesh.spec.macros import written_out
from dataops_mesh.spec.model import InputPort, Product, SourceFormat, TransformKind
from dataops_mesh.spec.sql import parse_select
from dataops_mesh.spec.types.shape import Kind, Shape
from dataops_mesh.spec.types.stored import wanted_types
from dataops_mesh.transform.dry.session import Known
from dataops_mesh.transform.place import place

if TYPE_CHECKING:
    from sqlglot import exp

_OTHERWISE = {
    "DOUBLE": "2 becomes 2.0",
    "TIME": "10:00:00.50 becomes 10:00:00.5",
    "TIMESTAMP": "2026-01-02T10:00:00 becomes 2026-01-02 10:00:00",
    "TIMESTAMP WITH TIME ZONE": "2026-01-02T10:00:00Z becomes 2026-01-02 10:00:00+00",
}
_WHOLE = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"})
_CSV = SourceFormat.CSV


def spelling_notes(product: Product, known: Known) -> tuple[Problem, ...]:
    """Return where SQL makes text of a value that a CSV file may have spelled otherwise.

    Of a type that nobody said: today's delivery has it. And of a whole number of the source's
    contract that a port promises as text under the same name.
    """
    if product.transform.kind is not TransformKind.SQL:
        return ()
    files = [port for port in product.inputs if port.source and port.source.format is _CSV]
    found = {port.name: _scalars(known(port) or {}) for port in files}
    guessed = {
        port.name: {c: kind for c, kind in found[port.name].items() if not _is_said(port, c)}
        for port in files
    }
    said = {port.name: found[port.name] for port in files if port.contract}
    return (*_promised_twice(product, said), *_cast(product, guessed))


def _scalars(types: Mapping[str, Shape]) -> dict[str, str]:
    shapes = types.items()
    return {name.lower(): shape.accepted[0] for name, shape in shapes if shape.kind is Kind.SCALAR}


def _is_said(port: InputPort, column: str) -> bool:
    if port.contract is not None or port.source is None:
        return True
    options = dict(port.source.options)
    given = [one for key in ("types", "columns") for one in _pairs(options.get(key))]
    return any(isinstance(one, tuple) and str(one[0]).lower() == column for one in given)


def _pairs(option: object) -> tuple[object, ...]:
    return option if isinstance(option, tuple) else ()


def _promised_twice(product: Product, said: Mapping[str, Mapping[str, str]]) -> Iterator[Problem]:
    for output in product.outputs:
        for name, want in wanted_types(output.contract).items():
            if want.accepted[:1] != ("VARCHAR",) or want.kind is not Kind.SCALAR:
                continue
            for source, kinds in said.items():
                if kinds.get(name.lower()) in _WHOLE:
                    what = f'{output.address}: column "{name}" is text, and a whole number in the '
                    what += f"contract of {source}: 007 becomes 7"
                    then = "promise a string there, too, to keep the text as delivered"
                    yield Problem(what, output.contract.where, next=then)


def _cast(product: Product, guessed: Mapping[str, Mapping[str, str]]) -> Iterator[Problem]:
    if not any(kind in _OTHERWISE for kinds in guessed.values() for kind in kinds.values()):
        return
    for file in product.transform.files:
        text = _text(file)
        whole = written_out(text, product, place(product, file))
        try:
            query = parse_select(whole, place(product, file))
        except DeclarationError:  # said beside this
            continue
        for line, table, column in dict.fromkeys(_made_text(query)):
            for source, kinds in guessed.items():
                kind = kinds.get(column.lower(), "")
                if kind in _OTHERWISE and table in {"", source}:
                    what = f'"{column}" of {source} is a {kind} today, and made text of it, '
                    what += f"{_OTHERWISE[kind]}"
                    then = f"say `options: {{types: {{{column}: VARCHAR}}}}` of {source} to keep "
                    then += "the text as delivered"
                    at = place(product, file, line if text == whole else 1)
                    yield Problem(what, at, next=then)


def _made_text(query: exp.Query) -> Iterator[tuple[int, str, str]]:
    """Yield each column that is made text as it stands: its line, its table and its name."""
    from sqlglot import exp

    called = {table.alias_or_name: table.name for table in query.find_all(exp.Table)}
    for one in query.find_all(exp.Cast, exp.DPipe, exp.Concat):
        if isinstance(one, exp.Cast):
            if not one.to.is_type(*exp.DataType.TEXT_TYPES):
                continue
            parts = [one.this]
        else:
            parts = [one.left, one.right] if isinstance(one, exp.DPipe) else one.expressions
        for part in parts:
            column = part.unnest()
            if isinstance(column, exp.Column):
                line = int(column.this.meta.get("line", 1))
                yield line, called.get(column.table, column.table), column.name


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return ""
