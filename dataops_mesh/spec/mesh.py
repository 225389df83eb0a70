"""Checks what must hold between products, and puts them in order. Reads no files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from graphlib import CycleError, TopologicalSorter

from dataops_mesh.errors import DeclarationError, Location, Problem, did_you_mean
from dataops_mesh.spec.model import Address, InputPort, Mesh, OutputPort, Product
from dataops_mesh.spec.names import major
from dataops_mesh.spec.read.pact import unknown_columns
from dataops_mesh.spec.read.protection import VISIBILITY
from dataops_mesh.spec.read.relationships import reference_problems
from dataops_mesh.spec.roles import unopened
from dataops_mesh.spec.visible import invisible, reads

Ports = dict[Address, tuple[Product, OutputPort]]


def check_mesh(
    mesh: Mesh, others: Iterable[Product] = (), only: frozenset[str] | None = None
) -> tuple[Problem, ...]:
    """Return what is wrong between the products of a mesh, in the order of the products.

    An input of a domain whose declarations cannot all be read may be one of those that cannot.

    Args:
        mesh: the products to check.
        others: products that are declared elsewhere; what is wrong among them is not told here.
        only: the qualified names of those to tell of; all of the mesh if absent.
    """
    others = tuple(others)
    ports: Ports = {port.address: (one, port) for one in others for port in one.outputs}
    told = [one for one in mesh.products if only is None or one.qualified_name in only]
    unread = frozenset(name.partition(".")[0] for name in mesh.broken)
    problems = _report_twice(mesh.products, told)
    for product in mesh.products:
        for port in product.outputs:
            if port.address not in ports:
                ports[port.address] = (product, port)
            elif product in told or ports[port.address][0] in told:
                first = ports[port.address][0]
                what = f"{port.address} is also a port of {first.qualified_name}"
                then = f"rename one of them ({first.where})"
                problems.append(Problem(what, port.where, next=then))
    for product in told:
        for wanted in product.inputs if product.status != "retired" else ():
            if wanted.address and (wanted.address in ports or wanted.address.domain not in unread):
                problems += _check_input(wanted, wanted.address, ports)
        problems += _check_relationships(product, ports)
        problems += _check_visibility(product, ports, mesh)
        problems += _check_roles(product, ports)
    own = set(map(id, told))
    rest = [one for one in mesh.products if id(one) not in own]
    problems += _cycles((*told, *rest, *others), len(told))
    return tuple(problems)


def order(products: Iterable[Product]) -> tuple[Product, ...]:
    """Return products so that each comes after those it reads; otherwise as given.

    Inputs that none of the given products publish do not matter.

    Raises:
        DeclarationError: there is a cycle.
    """
    given = tuple(products)
    sorter = TopologicalSorter(_graph(given))
    try:
        sorter.prepare()
    except CycleError:
        raise DeclarationError(_cycles(given, len(given))) from None
    ordered: list[Product] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        ordered += [given[index] for index in ready]
        sorter.done(*ready)
    return tuple(ordered)


def _graph(products: tuple[Product, ...]) -> dict[int, set[int]]:
    makers: dict[Address, int] = {}
    for index, product in enumerate(products):
        for port in product.outputs:
            makers.setdefault(port.address, index)
    return {
        index: {makers[p.address] for p in product.inputs if p.address in makers}
        for index, product in enumerate(products)
    }


def _cycles(products: tuple[Product, ...], own: int) -> list[Problem]:
    """Return one problem per cycle; each found cycle is cut, so that the next one shows.

    Args:
        products: those to look at.
        own: how many of them, from the first, can be mended here.
    """
    graph = _graph(products)
    problems = []
    while True:
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            # graphlib names each node before the one that depends on it.
            cycle = list(error.args[1])
            start = cycle.index(min(cycle[:-1]))
            around = [*cycle[start:-1], *cycle[:start], cycle[start]]
            names = " -> ".join(products[index].qualified_name for index in around)
            reader, read = around[1] if len(around) > 1 else around[0], around[0]
            what = f"products read each other in a circle: {names}"
            then = "remove one input port"
            if reader == read:
                what = f"{products[reader].qualified_name} reads its own port by its address"
                then = "name the input port `self`: it is what the product published last"
            if min(around) < own:
                where = products[reader].where
                problems.append(Problem(what, where, next=then))
            graph[reader].discard(read)
        else:
            return problems


def _report_twice(products: Iterable[Product], told: Sequence[Product]) -> list[Problem]:
    """Report identifiers that were copied along with a file."""
    seen: dict[str, tuple[Product, Product | OutputPort]] = {}
    problems = []
    for product in products:
        parts: list[tuple[str, Product | OutputPort]] = [(product.id, product)]
        parts += [(port.contract.id, port) for port in product.outputs]
        for id_, part in parts:
            kind = "product" if isinstance(part, Product) else "contract"
            owner, first = seen.setdefault(f"{kind} {id_}", (product, part))
            shared = kind == "contract" and _where(first).file == _where(part).file
            if first is not part and not shared and (owner in told or product in told):
                what = f'the {kind} id "{id_}" is also used at {_where(first)}'
                problems.append(Problem(what, _where(part), "id"))
    return problems


def _where(part: Product | OutputPort) -> Location:
    return part.where if isinstance(part, Product) else part.contract.where


def _check_input(wanted: InputPort, address: Address, ports: Ports) -> list[Problem]:
    found = ports.get(address)
    if found is None:
        known = [str(one) for one in ports]
        hint = did_you_mean(str(address), known)
        what = f"no product publishes {address}{hint}"
        return [Problem(what, wanted.where, wanted.name, tuple(sorted(known)))]
    product, port = found
    problems = []
    if "retired" in {product.status, port.contract.status}:
        what = f"{port.address} is retired ({product.where})"
        problems.append(Problem(what, wanted.where, wanted.name))
    asked, given = major(wanted.version or ""), major(port.version)
    if asked is not None and given is not None and asked != given:
        what = f"asks for version {wanted.version}, and {port.address} is version {port.version}"
        problems.append(Problem(what, wanted.where, wanted.name))
    if wanted.contract_id is not None and wanted.contract_id != port.contract.id:
        what = f'contractId "{wanted.contract_id}" is not the contract of {port.address}'
        problems.append(Problem(what, wanted.where, wanted.name, (port.contract.id,)))
    return problems + unknown_columns(wanted.expectations, port, wanted.name)


def _check_relationships(product: Product, ports: Ports) -> list[Problem]:
    """Check the columns that foreign keys refer to in the ports of other products."""
    problems: list[Problem] = []
    for port in product.outputs:
        for one in port.contract.relationships:
            found = ports.get(one.address) if one.address else None
            if found is not None and one.address is not None and found[0] is not product:
                problems += reference_problems(one, port.contract, found[1].contract, one.address)
    return problems


def _check_visibility(product: Product, ports: Ports, mesh: Mesh) -> list[Problem]:
    """Check that the product reads what is shown to it, and that it shows ports to known ones."""
    problems: list[Problem] = []
    if product.status != "retired":
        for address, where, key in reads(product):
            if address in ports:
                problems += invisible(address, ports[address][1], product, where, key)
    for port in product.outputs:
        if not port.contract.visibility:
            continue
        domains = {domain.name for domain in mesh.domains}
        known = sorted(one.qualified_name for one in mesh.products)
        for name in port.contract.visibility:
            if name.partition(".")[0] in domains and name not in {*domains, *known, *mesh.broken}:
                hint = did_you_mean(name, known)
                what = f'{port.address} is for "{name}", which is no product{hint}'
                problems.append(Problem(what, port.contract.where, VISIBILITY, tuple(known)))
    return problems


def _check_roles(product: Product, ports: Ports) -> list[Problem]:
    """Check that the roles that the product reads by are there, and that it is a member."""
    return [
        problem
        for wanted in product.inputs
        if wanted.role and wanted.address in ports and product.status != "retired"
        for problem in unopened(
            ports[wanted.address][1], wanted.role, product.qualified_name, wanted.where
        )
    ]
