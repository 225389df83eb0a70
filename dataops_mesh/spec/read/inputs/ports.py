"""Reads input ports (ODPS `inputPorts`): a published port of the mesh, or a source."""

from __future__ import annotations

import keyword
from pathlib import Path
from typing import Any

from dataops_mesh.errors import Problem, did_you_mean
from dataops_mesh.spec.model import (
    PARTITION_KEY,
    Address,
    Capture,
    InputPort,
    Product,
    Rule,
    Source,
    SourceFormat,
)
from dataops_mesh.spec.names import NAME_RULE, SELF, is_name, is_own, suggestion
from dataops_mesh.spec.paths import source_problem
from dataops_mesh.spec.read.aside import refuse_setting
from dataops_mesh.spec.read.contract import check_version
from dataops_mesh.spec.read.extras import VENDOR, Extras, Settings
from dataops_mesh.spec.read.inputs.remote import read_remote, remote_problems
from dataops_mesh.spec.read.node import Node
from dataops_mesh.spec.read.quality.custom import Target
from dataops_mesh.spec.read.quality.rule_names import by_position, report_duplicates
from dataops_mesh.spec.read.quality.rules import read_rule
from dataops_mesh.spec.standards.schema import expectation_validator, validate
from dataops_mesh.spec.types.physical import normalise
from dataops_mesh.spec.types.systems import suggest

CLOCK = "now"  # the parameter by which a Python transform receives the replay clock
_SUFFIXES = {
    ".csv": SourceFormat.CSV,
    ".tsv": SourceFormat.CSV,
    ".parquet": SourceFormat.PARQUET,
    ".json": SourceFormat.JSON,
    ".jsonl": SourceFormat.JSON,
    ".ndjson": SourceFormat.JSON,
}
PACKED = {".gz": "gzip", ".zst": "zstd"}
_ANY_TEXT = {"compression", "union_by_name"}
OPTIONS = {
    SourceFormat.CSV: _ANY_TEXT | {
        "all_varchar", "allow_quoted_nulls", "auto_detect", "columns", "comment", "dateformat",
        "decimal_separator", "delim", "encoding", "escape", "header", "max_line_size",
        "normalize_names", "null_padding", "nullstr", "quote", "sample_size", "skip",
        "timestampformat", "types",
    },
    SourceFormat.PARQUET: {"binary_as_string", "union_by_name"},
    SourceFormat.JSON: _ANY_TEXT | {
        "auto_detect", "columns", "dateformat", "format", "maximum_depth",
        "maximum_object_size", "records", "sample_size", "timestampformat",
    },
    SourceFormat.FILE: set[str](),
}  # fmt: skip


def read_inputs(
    node: Node, extras: Extras, folder: Path, root: Path, problems: list[Problem]
) -> tuple[InputPort, ...]:
    """Return the input ports of a product."""
    ports: list[InputPort] = []
    for entry in node.items("inputPorts"):
        if is_own(entry.text("name") or ""):
            continue  # no edge of any graph: spec/read/inputs/own.py
        port = _read(entry, extras.get(entry.keys, {}), folder, root, problems)
        if port is None:
            continue
        twin = next((p for p in ports if p.parameter == port.parameter), None)
        if twin is not None:
            what = f'"{port.name}" is read twice, here and at {twin.where}'
            problems.append(entry.problem(what))
        ports.append(port)
    return tuple(ports)


def infer_format(path: str) -> SourceFormat:
    """Return the format that a path's suffix stands for; what is unknown is opaque.

    >>> str(infer_format("data/*.csv.gz")), str(infer_format("flights.csv.zip"))
    ('csv', 'file')
    """
    suffixes = [suffix.lower() for suffix in Path(path).suffixes]
    packed = bool(suffixes) and suffixes[-1] in PACKED
    if packed:
        suffixes.pop()
    found = _SUFFIXES.get(suffixes[-1], SourceFormat.FILE) if suffixes else SourceFormat.FILE
    return SourceFormat.FILE if packed and found is SourceFormat.PARQUET else found


def _read(
    entry: Node, settings: Settings, folder: Path, root: Path, problems: list[Problem]
) -> InputPort | None:
    name, child = entry.text("name"), entry.child("name")
    if name is None or child is None:
        return None  # the schema has reported it
    check_version(entry, problems)
    if None in settings.values():
        return None  # a wrong setting has been reported, and says more than what follows from it
    source, address = settings.get("source"), settings.get("address")
    if source is not None and address is not None:
        problems.append(address.problem("a port has a source or an address, not both"))
        return None
    parsed = None
    if source is not None:
        _check_source_name(child, problems)
    else:
        parsed = _address(child, address, problems)
        if parsed is None:
            return None
    role = settings.get("role")
    if role is not None and source is not None:
        problems.append(role.problem("a source has no role: what it is read by is its own"))
    return InputPort(
        # Transforms know a published port by its address only.
        name=str(parsed) if parsed else name,
        where=entry.where,
        address=parsed,
        source=_source(source, folder, root, problems) if source else None,
        version=entry.text("version"),
        contract_id=entry.text("contractId"),
        expectations=read_expectations(
            settings.get("expectations"), _called(name, parsed), problems
        ),
        role=str(role.value) if role is not None else "",
    )


def _check_source_name(child: Node, problems: list[Problem]) -> None:
    name = child.value
    if not is_name(name):
        problems.append(child.problem(f'"{name}" {NAME_RULE}', then=suggestion(name)))
    elif keyword.iskeyword(name) or name == CLOCK:
        what = f'"{name}" cannot be a parameter of a transform'
        problems.append(child.problem(what, then=f"rename it, for example to {name}_file"))


def _address(child: Node, setting: Node | None, problems: list[Problem]) -> Address | None:
    node = setting or child
    domain, dot, port = node.value.partition(".")
    if dot and is_name(domain) and is_name(port) and domain != SELF:
        return Address(domain, port)
    then = "name it <domain>.<port>, or add the setting `source` or `address`"
    what = f'"{node.value}" is no address of a port, and the port has no source'
    problems.append(node.problem(what, then=then))
    return None


def _source(node: Node, folder: Path, root: Path, problems: list[Problem]) -> Source:
    remote = read_remote(node, problems)
    path, package = node.text("path") or "", node.text("package")
    if remote is not None:
        path = remote.shown
    elif path and (what := source_problem(path, folder, root, package=package is not None)):
        problems.append((node.child("path") or node).problem(f'"{path}" {what}'))
    given = node.text("format")
    kind = SourceFormat(given) if given else infer_format(path)
    kind = SourceFormat.PARQUET if remote and not remote.url else kind
    options = _options(node, kind, problems)
    column, asset = node.text("column") or "", node.text("asset") or ""
    said = node.text("capture")
    capture = Capture(said) if said and said in {*Capture} else None  # another was reported
    return Source(path, kind, node.where, package, options, column, asset, remote, capture)


def _options(
    node: Node, kind: SourceFormat, problems: list[Problem]
) -> tuple[tuple[str, Any], ...]:
    options = node.child("options")
    if options is None or not isinstance(options.value, dict):
        return ()
    allowed = sorted(OPTIONS[kind])
    for key in options.value:
        child = options.child(key) or options
        if key not in allowed:
            what = f'the format "{kind}" has no option {key}{did_you_mean(key, allowed)}'
            problems.append(child.problem(what, allowed))
        elif key in {"types", "columns"}:
            _check_types(child, problems)
    return tuple(sorted((key, _hashable(key, value)) for key, value in options.value.items()))


def _check_types(node: Node, problems: list[Problem]) -> None:
    for column in node.value:
        child = node.child(column) or node
        if normalise(child.value) is None:
            what = f'"{child.value}" is not a type of DuckDB{suggest(child.value)}'
            problems.append(child.problem(what))


def _hashable(key: str, value: Any) -> Any:
    if isinstance(value, dict):  # `columns` goes by the order of the columns
        return tuple(value.items() if key == "columns" else sorted(value.items()))
    return tuple(value) if isinstance(value, list) else value


def cut_problems(product: Product, root: Path) -> list[Problem]:
    """Return what is wrong with sources of which each partition has files of its own."""
    problems = remote_problems(product)
    cut = [port for port in product.inputs if port.source is not None and port.source.is_cut]
    if product.partitioning is not None and product.partitioning.lookback and not cut:
        what = f"`lookback` means nothing: no source says `{PARTITION_KEY}` in its path"
        where = product.outputs[0].contract.where
        problems.append(Problem(what, where, "partitions", next="leave it out"))
    for port in product.inputs:
        if port.source is None or not port.source.is_cut:
            continue
        if product.partitioning is None:
            what = f"{PARTITION_KEY} means nothing: the product is published whole"
            then = "cut its contract by the setting `partitions`"
            problems.append(Problem(what, port.source.where, "path", next=then))
            continue
        if port.source.remote is not None:
            continue
        if product.partitioning.lookback:
            problems += _late_problems(port, port.source, product.partitioning.column)
        for value in product.partitioning.values:
            path, package = port.source.path.replace(PARTITION_KEY, value), port.source.package
            wrong = source_problem(path, product.folder, root, package=package is not None)
            if wrong:
                problems.append(Problem(f'"{path}" {wrong}', port.source.where, "path"))
    return problems


def _late_problems(port: InputPort, source: Source, column: str) -> list[Problem]:
    """Return why nobody could tell the late rows of a source."""
    if source.format is SourceFormat.FILE:
        what = "`lookback` needs rows, and nobody can look into an opaque file"
        return [Problem(what, source.where, "format", choices=("csv", "parquet", "json"))]
    asked = source.column or column
    names = tuple(one.name for one in port.contract.columns) if port.contract else (asked,)
    if asked in names:
        return []
    what = f'`lookback` asks which partition a row is of, and there is no column "{asked}"'
    return [Problem(what, source.where, "column", choices=names)]


def _called(name: str, address: Address | None) -> frozenset[str]:
    """Return the names by which an expectation may call what it is about."""
    return names_of(address) if address else frozenset({name})


def names_of(address: Address) -> frozenset[str]:
    """Return the names by which a rule may call a published port."""
    return frozenset({str(address), address.port})


def read_expectations(
    setting: Node | None, relations: frozenset[str], problems: list[Problem]
) -> tuple[Rule, ...]:
    """Return the rules of a list of expectations; each may name a column.

    Args:
        setting: the list.
        relations: the names by which a rule may call what it is about.
        problems: receives what is wrong.
    """
    if setting is None:
        return ()
    rules: list[Rule] = []
    taken: set[str] = set()
    for index, value in enumerate(setting.value):
        entry = Node(setting.document, value, (*setting.keys, index))
        found = validate(expectation_validator(), entry)
        problems += found
        for own in entry.items("customProperties"):
            if own.text("vendor") == VENDOR:
                refuse_setting(own, "an expectation", problems)
        target = Target(entry.text("column"), relations=relations)
        rule = None if found else read_rule(entry, target, problems, ours=True)
        if rule is not None:
            rules.append(by_position(rule, entry, index + 1, taken))
    report_duplicates(tuple(rules), problems)
    return tuple(rules)
