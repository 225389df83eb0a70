"""SQL transforms: one SELECT per output port; the inputs it reads are the inputs declared."""

from __future__ import annotations

from pathlib import Path

from dataops_mesh.errors import DeclarationError, Location, Problem, did_you_mean
from dataops_mesh.spec.macros import written_out
from dataops_mesh.spec.model import InputPort, Product, SourceFormat
from dataops_mesh.spec.read.relationships import referenced
from dataops_mesh.spec.sql import parse_select, tables_read
from dataops_mesh.transform.place import place, unread


def sql_problems(product: Product) -> tuple[Problem, ...]:
    """Return what is wrong with the product's SQL files, all at once.

    Every relation a file reads must be an input port, and every input port must be read by
    some file: lineage that is declared is then lineage that is true.
    """
    problems: list[Problem] = []
    names = {port.name: port for port in product.reads}
    used = {str(address) for address in referenced(product)}  # the checks read these
    for file in product.transform.files:
        where = place(product, file)
        try:
            text = written_out(_text(product, file), product, where)
            read = tables_read(parse_select(text, where))
        except DeclarationError as error:
            problems += error.problems
            continue
        used |= read
        problems += [
            _undeclared(name, place(product, file, _line_of(name, text)), names)
            for name in sorted(read - names.keys())
        ]
        problems += [
            Problem(
                f'source "{name}" is an opaque file; only a Python transform can open it',
                where,
                next="write transform.py, or give the source a format that DuckDB reads",
            )
            for name in sorted(read & names.keys())
            if _opaque(names[name])
        ]
    problems += [
        Problem(
            f'input port "{name}" is declared and no SQL file reads it',
            port.where,
            next="remove it, or read it",
        )
        for name, port in names.items()
        if name not in used and not problems
    ]
    return tuple(problems)


def sql_queries(product: Product) -> dict[str, str]:
    """Return the query of each output port.

    Raises:
        DeclarationError: a file is not one SELECT, or reads what is not declared.
    """
    problems = sql_problems(product)
    if problems:
        raise DeclarationError(problems)
    files = zip(product.transform.ports, product.transform.files, strict=True)
    return {
        port: _query(written_out(_text(product, file), product, place(product, file)))
        for port, file in files
    }


def _query(text: str) -> str:
    """Return the text without its last semicolon and what stands behind; it becomes a subquery."""
    from sqlglot.dialects.dialect import Dialect

    tokens = Dialect.get_or_raise("duckdb").tokenize(text)
    while tokens[-1].token_type.name == "SEMICOLON":
        text = text[: tokens.pop().start]
    return f"{text.strip()}\n"  # the last line may be a comment


def _text(product: Product, file: Path) -> str:
    try:
        return file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DeclarationError(unread(product, file, error)) from None


def _opaque(port: InputPort) -> bool:
    return port.source is not None and port.source.format is SourceFormat.FILE


def _undeclared(name: str, where: Location, names: dict[str, InputPort]) -> Problem:
    if name.endswith(("()", '"')):  # read_csv(...), 'a.csv': a file, not a relation
        return Problem(
            f"opens {name}, and a query reads declared inputs only",
            where,
            choices=tuple(sorted(names)),
            next="declare the file as an input port with a `source`, and read that by its name",
        )
    return Problem(
        f'reads "{name}", which is not an input port{did_you_mean(name, names)}',
        where,
        choices=tuple(sorted(names)),
        next=f"declare `- name: {name}` under inputPorts of product.odps.yaml",
    )


def _line_of(name: str, text: str) -> int:
    wanted = name.removesuffix("()").strip('"')
    lines = enumerate(text.lower().splitlines(), 1)
    return next((number for number, line in lines if wanted in line), 1)
