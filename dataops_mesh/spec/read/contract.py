"""Reads a contract (ODCS): `<port>.odcs.yaml` -> Contract."""

from __future__ import annotations

from dataclasses import replace

from dataops_mesh.errors import Problem
from dataops_mesh.spec.model import Column, Contract
from dataops_mesh.spec.names import STATUSES, VERSION, port_name, slug
from dataops_mesh.spec.read.aside import SETTING, refuse_setting
from dataops_mesh.spec.read.bound import with_foreign
from dataops_mesh.spec.read.column.columns import read_columns
from dataops_mesh.spec.read.exports import read_exports, refuse_exports
from dataops_mesh.spec.read.extras import Extras, Settings, read_extras
from dataops_mesh.spec.read.node import Node
from dataops_mesh.spec.read.objects import called
from dataops_mesh.spec.read.partition_setting import read_partitioning, read_zone
from dataops_mesh.spec.read.protection import VISIBILITY, approvers, visibility
from dataops_mesh.spec.read.quality.custom import Target
from dataops_mesh.spec.read.quality.rule_names import report_duplicates
from dataops_mesh.spec.read.quality.rules import read_rules
from dataops_mesh.spec.read.relationships import read_relationships
from dataops_mesh.spec.read.roles import read_roles
from dataops_mesh.spec.read.servers import system_of
from dataops_mesh.spec.read.sla import Scope, read_slas
from dataops_mesh.spec.read.yaml import Document
from dataops_mesh.spec.sql import spelled_name
from dataops_mesh.spec.standards.schema import odcs_validator, validate


def read_contract(
    document: Document, domain: str, port: str, *, source: bool = False
) -> tuple[Contract, list[Problem]]:
    """Return the contract of an output port, or of a source, and everything that is wrong with it.

    Args:
        document: the parsed file.
        domain: the domain's name, which the file must not contradict.
        port: the port's name, which the schema object must have.
        source: it is the contract of a source, which may be another domain's.
    """
    node = Node(document, document.data)
    schema_problems = validate(odcs_validator(), node)
    problems: list[Problem] = []
    extras = read_extras(document, "DataContract", problems)
    own = extras.get(node.keys, {})
    if not source:
        _check_domain(node, domain, problems)
    check_version(node, problems)
    check_status(node, problems)
    table = _table(node, port, problems)
    own_names = _called(table, port, "" if source else domain)
    target = Target(relations=own_names, system=system_of(node))
    columns = read_columns(table, extras, problems, target, source=source) if table else ()
    _refuse_settings(own, problems, source=source)
    if source:
        _refuse_aside(extras, problems)
        refuse_exports(extras, problems)
    target = replace(target, columns=tuple(column.name for column in columns))
    rules = read_rules(table.items("quality"), target, problems, extras) if table else ()
    rules, columns = with_foreign(rules, columns, target.system)
    report_duplicates((*rules, *(rule for c in columns for rule in c.rules)), problems)
    zone = read_zone(own.get("timezone"), own.get("partitions"), problems)
    slas, left = read_slas(node, _scope(node, table, port, columns), problems)
    contract = Contract(
        id=node.text("id") or "",
        version=node.text("version") or "",
        where=node.where,
        fingerprint=document.digest(),
        columns=columns,
        rules=rules,
        slas=slas,
        status=node.text("status") or "active",
        description=_description(node, table),
        allow_empty=_is_true(own, "allowEmpty"),
        closed=_is_true(own, "closed"),
        relationships=read_relationships(table, columns, extras, problems) if table else (),
        partitioning=read_partitioning(own.get("partitions"), columns, problems, zone),
        timezone=zone,
        approvers=approvers(node),
        roles=read_roles(node, columns, extras, problems),
        visibility=visibility(own.get(VISIBILITY), domain),
        unexecuted=left,
        system=target.system,
        exports=() if source else read_exports(node, port, columns, extras, problems),
        document=document,
    )
    return contract, merged(schema_problems, problems)


def merged(schema_problems: list[Problem], problems: list[Problem]) -> list[Problem]:
    """Return the problems of both passes in the order of the file, each key reported once."""
    reported = {(problem.where, problem.key) for problem in schema_problems}
    rest = [p for p in problems if (p.where, p.key) not in reported or not p.key]
    every = dict.fromkeys([*schema_problems, *rest])
    return sorted(every, key=lambda p: (p.where.file, p.where.line) if p.where else ("", 0))


def check_same(node: Node, key: str, expected: str, source: str, problems: list[Problem]) -> None:
    """Report a value that contradicts what the folder or file name says."""
    child = node.child(key)
    if child is not None and isinstance(child.value, str) and child.value != expected:
        what = f'"{child.value}" contradicts {source}, which says "{expected}"'
        problems.append(child.problem(what, [expected]))


def _check_domain(node: Node, domain: str, problems: list[Problem]) -> None:
    """Report another domain than that of the folder, whose name is made of the contract's."""
    if slug(node.text("domain") or domain, "domain") != domain:
        check_same(node, "domain", domain, "the domain's folder", problems)


def check_version(node: Node, problems: list[Problem]) -> None:
    """Report a version that is not a semantic version."""
    child = node.child("version")
    if child is not None and isinstance(child.value, str) and not VERSION.fullmatch(child.value):
        what = f'"{child.value}" is not a version'
        problems.append(child.problem(what, then="write it as 1.2.0"))


def check_status(node: Node, problems: list[Problem]) -> None:
    """Report an unknown status."""
    child = node.child("status")
    problem = child.choose(STATUSES) if child else None
    if problem:
        problems.append(problem)


def _table(node: Node, port: str, problems: list[Problem]) -> Node | None:
    objects = node.items("schema")
    if len(objects) != 1:
        child = node.child("schema") or node
        what = f"must have exactly one schema object, not {len(objects)}"
        problems.append(child.problem(what, then="write one contract per output port"))
    if not objects:
        return None
    table = objects[0]
    if port_name(table.text("name") or port) != port:
        check_same(table, "name", port, "the file's name", problems)
    return table


def _scope(node: Node, table: Node | None, port: str, columns: tuple[Column, ...]) -> Scope:
    """Return what the service levels are about."""
    entries = table.items("properties") if table is not None else []
    return Scope(
        port,
        columns,
        frozenset({port, *called(table.value if table is not None else None)}),
        {name: e.text("name") or "" for e in entries for name in called(e.value)},
        system_of(node),
        node.child("slaDefaultElement"),
    )


def _called(table: Node | None, port: str, domain: str) -> frozenset[str]:
    """Return the names by which SQL rules may call their own relation, as they are spelled."""
    own = {port, f"{domain}.{port}" if domain else port}
    if table is not None:
        own |= {table.text(key) or port for key in ("name", "physicalName")}
    return frozenset(spelled_name(name) for name in own)


def _description(node: Node, table: Node | None) -> str:
    document = node.child("description")
    purpose = document.text("purpose") if document else None
    return purpose or (table.text("description") if table else None) or ""


def _is_true(settings: Settings, name: str) -> bool:
    setting = settings.get(name)
    return setting is not None and setting.value is True


def _refuse_settings(settings: Settings, problems: list[Problem], *, source: bool) -> None:
    """Report a setting of the other kind of contract."""
    whose = "an output port" if source else "a source"
    for name in ("partitions", "timezone", VISIBILITY) if source else ("closed",):
        setting = settings.get(name)
        if setting is not None:
            problems.append(setting.problem(f"{name} is a setting of {whose}'s contract"))


def _refuse_aside(extras: Extras, problems: list[Problem]) -> None:
    """Report rows that would be set aside from what comes in."""
    for found in extras.values():
        refuse_setting(found.get(SETTING), "a source's contract", problems)
