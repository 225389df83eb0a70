"""Reads a product (ODPS): a folder with `product.odps.yaml` and its contracts -> Product."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dataops_mesh.errors import DeclarationError, Location, Problem, did_you_mean
from dataops_mesh.spec.checks.aside import aside_problems
from dataops_mesh.spec.checks.check import checks_of
from dataops_mesh.spec.model import Address, Contract, Member, OutputPort, Product, Support, Team
from dataops_mesh.spec.names import NAME_RULE, SHARED, is_name, major, suggestion, taken
from dataops_mesh.spec.paths import is_inside, shown
from dataops_mesh.spec.read.automation import automation_problems
from dataops_mesh.spec.read.conditions import read_conditions
from dataops_mesh.spec.read.contract import (
    check_same,
    check_status,
    check_version,
    merged,
    read_contract,
)
from dataops_mesh.spec.read.extras import read_extras
from dataops_mesh.spec.read.include import read_contract_file
from dataops_mesh.spec.read.inputs.own import read_own
from dataops_mesh.spec.read.inputs.ports import cut_problems, read_inputs
from dataops_mesh.spec.read.inputs.sources import with_contracts
from dataops_mesh.spec.read.node import Node
from dataops_mesh.spec.read.objects import objects_in
from dataops_mesh.spec.read.pact import read_pacts
from dataops_mesh.spec.read.relationships import resolve
from dataops_mesh.spec.read.transform import read_transform
from dataops_mesh.spec.read.yaml import Document, digest, read_document
from dataops_mesh.spec.standards.schema import odps_validator, validate

PRODUCT_FILE = "product.odps.yaml"
CONTRACT_SUFFIX = ".odcs.yaml"


def read_product(folder: Path, root: Path) -> Product:
    """Read one product; raises every problem of all its files at once.

    Raises:
        DeclarationError: something in the folder is not valid.
    """
    problems: list[Problem] = []
    domain = folder.parent.name
    file = folder / PRODUCT_FILE
    contracts = _contracts(folder, root, problems)
    try:
        document = read_document(file, shown(file, root))
    except DeclarationError as error:
        raise DeclarationError([*error.problems, *problems]) from None
    product, own = _product(document, folder, root, contracts)
    for name, what in ((domain, "domain"), (folder.name, "product")):
        if not is_name(name):
            text = f'the {what} "{name}" {NAME_RULE}'
            own.append(Problem(text, Location(document.file, 1), next=suggestion(name)))
    if text := taken(domain):
        own.append(Problem(text, Location(document.file, 1), next="give it another name"))
    problems = [*own, *problems]
    if not problems:
        problems = [*_same_name(product), *cut_problems(product, root)]
        checks = checks_of(product)
        problems += [one for port in product.outputs for one in aside_problems(port, checks)]
    if problems:
        raise DeclarationError(problems)
    return product


def _contracts(folder: Path, root: Path, problems: list[Problem]) -> dict[str, Contract]:
    found: dict[str, Contract] = {}
    for file in sorted(folder.glob(f"*{CONTRACT_SUFFIX}")):
        port, name = file.name.removesuffix(CONTRACT_SUFFIX), shown(file, root)
        try:
            parts = objects_in(read_contract_file(file, root, problems))
        except DeclarationError as error:
            problems += error.problems
            found[port] = Contract("", "", Location(name, 1), "", ())
            continue
        if len(parts) == 1:
            parts = [(port, parts[0][1])]
            if not is_name(port):
                what = f'the port "{port}" {NAME_RULE}'
                problems.append(Problem(what, Location(name, 1), next=suggestion(port)))
        for own, part in parts:
            contract, wrong = read_contract(part, folder.parent.name, own)
            # What the objects of a file share is said once.
            problems += (one for one in wrong if one not in problems)
            if own in found:
                what = f'"{own}" has two contracts, here and at {found[own].where}'
                where = part.at(("schema", 0, "name"))
                problems.append(Problem(what, where, next="give the schema object another name"))
            found.setdefault(own, contract)
    return found


def _product(
    document: Document, folder: Path, root: Path, contracts: dict[str, Contract]
) -> tuple[Product, list[Problem]]:
    node = Node(document, document.data)
    schema_problems = validate(odps_validator(), node)
    problems: list[Problem] = []
    domain = folder.parent.name
    extras = read_extras(document, "DataProduct", problems)
    check_same(node, "domain", domain, "the folder", problems)
    check_version(node, problems)
    check_status(node, problems)
    outputs = _outputs(node, domain, contracts, problems)
    ports = tuple(port.name for port in outputs)
    inputs = read_inputs(node, extras, folder, root, problems)
    elsewhere: list[Problem] = []  # they stand in other files: the contracts, the pacts
    sound = not schema_problems and not problems
    own = read_own(node, extras, outputs, problems)
    inputs = with_contracts(inputs, folder, root, elsewhere, sound=sound)
    outputs = resolve(domain, outputs, inputs, elsewhere)
    pacts = read_pacts(folder, root, outputs, elsewhere)
    settings = extras.get((), {})
    description = node.child("description") or node
    status = "deprecated" if node.flag("deprecated") else "active"
    product = Product(
        domain=domain,
        name=folder.name,
        id=node.text("id") or "",
        version=node.text("version") or "0.0.0",
        folder=folder,
        where=node.where,
        fingerprint=digest(
            [
                document.digest(),
                *(contract.fingerprint for contract in contracts.values()),
                *(pact.fingerprint for pact in pacts),
                *(port.contract.fingerprint for port in inputs if port.contract),
            ]
        ),
        outputs=outputs,
        transform=read_transform(node, settings, ports, (folder, root), problems),
        inputs=inputs,
        own=own,
        status=node.text("status") or status,
        title=node.text("name") or "",
        description=description.text("purpose") or "",
        usage=description.text("usage") or "",
        limitations=description.text("limitations") or "",
        team=_team(node),
        support=_support(node),
        tags=node.texts("tags"),
        automation=_value(settings.get("automation"), ""),
        events=tuple(_value(settings.get("events"), ())),
        conditions=read_conditions(settings.get("conditions"), problems),
        keep_publications=_value(settings.get("keepPublications"), 0),
        network=_value(settings.get("network"), False),
        takes=tuple(_value(settings.get("parameters"), ())),
        pacts=pacts,
        shared=_shared(folder, root),
        document=document,
    )
    problems += automation_problems(product, settings.get("automation"))
    return product, [*merged(schema_problems, problems), *elsewhere]


def _shared(folder: Path, root: Path) -> tuple[Path, ...]:
    """Return the folders of what products share that there are."""
    found = dict.fromkeys((folder.parent / SHARED, root.absolute() / SHARED))
    return tuple(
        one
        for one in found
        if one.is_dir() and is_inside(one, root) and not (one / PRODUCT_FILE).is_file()
    )


def _value(setting: Node | None, default: Any) -> Any:
    return default if setting is None else setting.value


def _outputs(
    node: Node, domain: str, contracts: dict[str, Contract], problems: list[Problem]
) -> tuple[OutputPort, ...]:
    listed = _listed(node, contracts, problems)
    ports = []
    for name, contract in contracts.items():
        entry = listed.get(name)
        if entry is None and node.child("outputPorts") is not None:
            what = f'the contract of "{name}" exists, and outputPorts does not list it'
            outputs = node.child("outputPorts") or node
            problems.append(outputs.problem(what, then=f"add `- name: {name}`"))
        if entry is not None:
            check_version(entry, problems)
            _check_contract(entry, contract, problems)
        version = entry.text("version") if entry else None
        ports.append(
            OutputPort(
                address=Address(domain, name),
                contract=contract,
                where=entry.where if entry else contract.where,
                version=version or contract.version,
                description=(entry.text("description") if entry else "") or contract.description,
                deprecated=bool(entry and entry.flag("deprecated"))
                or contract.status == "deprecated",
            )
        )
    if not ports:
        what = "has no output port: there is no <port>.odcs.yaml in the folder"
        problems.append(Problem(what, node.where, next=f"add <port>{CONTRACT_SUFFIX}"))
    order = {name: index for index, name in enumerate(listed)}
    return tuple(sorted(ports, key=lambda port: order.get(port.name, len(order))))


def _listed(node: Node, contracts: dict[str, Contract], problems: list[Problem]) -> dict[str, Node]:
    listed: dict[str, Node] = {}
    for entry in node.items("outputPorts"):
        name, child = entry.text("name"), entry.child("name")
        if name is None or child is None:
            continue
        if not is_name(name):
            problems.append(child.problem(f'"{name}" {NAME_RULE}', then=suggestion(name)))
        elif name in listed:
            what = f'"{name}" is listed twice; a port in two versions is not supported yet'
            problems.append(child.problem(what))
        elif name not in contracts:
            what = f"there is no {name}{CONTRACT_SUFFIX}{did_you_mean(name, contracts)}"
            problems.append(child.problem(what))
        listed.setdefault(name, entry)
    return listed


def _check_contract(entry: Node, contract: Contract, problems: list[Problem]) -> None:
    if contract.id:
        check_same(entry, "contractId", contract.id, str(contract.where), problems)
    version, child = entry.text("version"), entry.child("version")
    ours, theirs = major(version or contract.version), major(contract.version)
    if child is not None and None not in {ours, theirs} and ours != theirs:
        what = f"the port is version {version} and its contract {contract.version}"
        problems.append(child.problem(what, then="give both the same major version"))


def _team(node: Node) -> Team | None:
    team = node.child("team")
    if team is None or not isinstance(team.value, dict):
        return None
    members = tuple(
        Member(entry.text("username") or "", entry.text("role")) for entry in team.items("members")
    )
    return Team(team.text("name") or "", members)


def _support(node: Node) -> tuple[Support, ...]:
    return tuple(
        Support(entry.text("channel") or "", entry.text("url") or "", entry.text("tool"))
        for entry in node.items("support")
    )


def _same_name(product: Product) -> list[Problem]:
    """Report checks of one port that would have the same name."""
    seen: dict[tuple[Address, str], Location] = {}
    problems = []
    for check in checks_of(product):
        first = seen.setdefault((check.port, check.name), check.where)
        if first is not check.where:
            what = f'two checks would be named "{check.name}", this one and that of {first}'
            problems.append(Problem(what, check.where, next="give the rule another `id`"))
    return problems
