"""Compares two declarations of a product from the point of view of those who read it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, replace

from dataops_mesh.errors import Location
from dataops_mesh.plan.change import Bump, Change
from dataops_mesh.plan.columns import compare_columns
from dataops_mesh.plan.partitions import compare_partitions
from dataops_mesh.plan.rules import compare_references, compare_rules, compare_slas
from dataops_mesh.plan.table import change, gone
from dataops_mesh.plan.version import bump_of
from dataops_mesh.spec.model import Address, Contract, Export, InputPort, OutputPort, Product, Role

# Judged by name below; a field of a later version is judged as "a setting not known".
_JUDGED = frozenset({
    "id", "version", "where", "fingerprint", "columns", "rules", "slas", "status", "description",
    "allow_empty", "relationships", "partitioning", "approvers", "roles",
    "timezone", "unexecuted", "system", "visibility", "exports",
})  # fmt: skip
_PAIR = 2
_UNPROMISED = frozenset({"proposed", "draft"})


def compare(
    before: Product | None,
    after: Product | None,
    transforms: tuple[str, str] = ("", ""),
) -> tuple[Change, ...]:
    """Return what differs, in the order of the ports.

    Args:
        before: the declaration that consumers know; None for a new product.
        after: the new one; None for one that is gone.
        transforms: fingerprints of the two transforms, where they are known.
    """
    if before is None:
        return _added(after) if after else ()
    if after is None:
        return tuple(
            gone("port_removed", f"{port.address} removed", port.where, port.address)
            for port in before.outputs
        )
    found = [*_compare_ports(before, after), *_compare_product(before, after, transforms)]
    if not found and before.fingerprint != after.fingerprint:
        found = [change("documentation", "documented otherwise", after.where)]
    return tuple(dict.fromkeys(found))


def _added(product: Product) -> tuple[Change, ...]:
    name = product.qualified_name
    ports = (
        change("port_added", f"{port.address} added", port.where, port.address)
        for port in product.outputs
    )
    return (change("product_added", f"product {name} added", product.where), *ports)


def _compare_ports(before: Product, after: Product) -> Iterator[Change]:
    old = {port.address: port for port in before.outputs}
    new = {port.address: port for port in after.outputs}
    # An id that several ports share, because one file declares them, does not tell which is which.
    count = Counter(port.contract.id for port in (*before.outputs, *after.outputs))
    ids = {
        port.contract.id: port
        for port in after.outputs
        if port.address not in old and count[port.contract.id] <= _PAIR
    }
    renamed: list[OutputPort] = []
    for address, port in old.items():
        if address in new:
            yield from compare_port(port, new[address])
            continue
        moved = ids.pop(port.contract.id, None) if count[port.contract.id] == _PAIR else None
        if moved is None:
            yield gone("port_removed", f"{address} removed", port.where, address)
        else:
            renamed.append(moved)
            what = f"{address} renamed to {moved.address}"
            yield change("port_renamed", what, moved.where, address)
            yield from compare_port(port, moved)
    for address, port in new.items():
        if address not in old and port not in renamed:
            yield change("port_added", f"{address} added", port.where, address)


def compare_port(before: OutputPort, after: OutputPort) -> Iterator[Change]:
    """Yield what differs between two versions of one port."""
    old, new, port = before.contract, after.contract, after.address
    for kind, what in _states(old.status, new.status):
        yield change(kind, f"contract status {what}", new.where, port)
    if after.deprecated and not before.deprecated and new.status != "deprecated":
        yield change("port_deprecated", "deprecated", after.where, port)
    if before.deprecated and not after.deprecated and old.status != "deprecated":
        yield change("documentation", "no longer deprecated", after.where, port)
    if old.id != new.id:
        yield change("contract_id", f"contract id {old.id} to {new.id}", new.where, port)
    yield from _versions(old.version, new.version, new.where, port)
    if old.allow_empty != new.allow_empty:
        kind = "empty_allowed" if new.allow_empty else "empty_forbidden"
        yield change(
            kind, "allowEmpty set" if new.allow_empty else "allowEmpty removed", new.where, port
        )
    if old.timezone != new.timezone:
        yield change("sla_note", f"timezone {old.timezone} to {new.timezone}", new.where, port)
    seen = [list(old.visibility), list(new.visibility)]
    for kind, what in _visibility(old.visibility, new.visibility):
        yield change(kind, what, new.where, port, extent=_if_unclear(seen))
    for kind, what, who in _roles(old.roles, new.roles):
        yield change(kind, what, new.where, port, extent=who)
    for kind, what in _exports(old.exports, new.exports):
        yield change(kind, what, new.where, port)
    for kind, what, extent in compare_partitions(old.partitioning, new.partitioning):
        yield change(kind, what, new.where, port, extent=extent)
    yield from compare_columns(old, new, port)
    yield from compare_rules(old, new, port)
    yield from compare_references(old, new, port)
    yield from compare_slas(old, new, port)
    for what in sorted({one.what for one in new.unexecuted} - {o.what for o in old.unexecuted}):
        yield change("rule_note", f"not executed: {what}", new.where, port)
    if _words(old) != _words(new):
        yield change("documentation", "described otherwise", new.where, port)
    for one in fields(Contract):
        known = one.name in _JUDGED or not one.compare
        if not known and getattr(old, one.name) != getattr(new, one.name):
            yield change("setting_other", f"{one.name} changed", new.where, port)


def _versions(old: str, new: str, where: Location, port: Address | None) -> Iterator[Change]:
    if old != new:
        kind = "version" if bump_of(old, new) is not Bump.NONE else "version_back"
        if bump_of(new, old) is Bump.NONE:  # the same numbers, spelled otherwise
            kind = "version"
        yield change(kind, f"version {old} to {new}", where, port)


def _states(old: str, new: str) -> Iterator[tuple[str, str]]:
    if old == new:
        return
    what = f"{old} to {new}"
    if new == "retired":
        yield "port_retired", what
    elif new == "deprecated":
        yield "port_deprecated", what
    elif new in _UNPROMISED:
        yield ("documentation" if old in _UNPROMISED else "port_withdrawn"), what
    else:
        yield "port_activated", what


def _visibility(old: tuple[str, ...], new: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if old == new:
        return
    said = f"visibility {', '.join(old) or 'organisation'} to {', '.join(new) or 'organisation'}"
    if new and (not old or set(old) - set(new)):
        yield "visibility_narrower", said
    if old and (not new or set(new) - set(old)):
        yield "visibility_wider", said


def _exports(old: tuple[Export, ...], new: tuple[Export, ...]) -> Iterator[tuple[str, str]]:
    before, after = (dict.fromkeys(_copy(one) for one in exports) for exports in (old, new))
    for one in before.keys() - after.keys():
        yield "export_removed", f"no longer exported to {one}"
    for one in after.keys() - before.keys():
        yield "export_added", f"exported to {one}"


def _copy(export: Export) -> str:
    how = f"schema {export.schema}" if export.connection else f"as {export.format}"
    return f"{export.target}, {how}"


def _words(contract: Contract) -> tuple[object, ...]:
    """Return what a contract says to people alone."""
    roles = tuple(replace(one, unmasked=(), members=()) for one in contract.roles)
    return contract.description, contract.approvers, roles


def _if_unclear(names: list[list[str]]) -> object:
    """Return lists of names where a sentence that joins them by commas could mean others."""
    return names if any("," in name for some in names for name in some) else None


def _roles(old: tuple[Role, ...], new: tuple[Role, ...]) -> Iterator[tuple[str, str, object]]:
    """Yield who reads more or less as it is, by which role, and exactly who reads what."""
    before, after = _unmasked(old), _unmasked(new)
    for kind, found in (("narrower", before - after), ("wider", after - before)):
        for role in sorted({role for role, _, _ in found}):
            columns = ", ".join(sorted({column for one, column, _ in found if one == role}))
            members = ", ".join(sorted({member for one, _, member in found if one == role}))
            which = "for" if kind == "wider" else "no longer for"
            who = sorted((column, member) for one, column, member in found if one == role)
            yield f"unmasked_{kind}", f"role {role}: {columns} unmasked {which} {members}", who


def _unmasked(roles: tuple[Role, ...]) -> set[tuple[str, str, str]]:
    return {(one.role, column, m) for one in roles for column in one.unmasked for m in one.members}


def _compare_product(
    before: Product, after: Product, transforms: tuple[str, str]
) -> Iterator[Change]:
    for kind, what in _states(before.status, after.status):
        ports = [str(port.address) for port in before.outputs] if kind == "port_retired" else None
        yield change(kind, f"product status {what}", after.where, extent=ports)
    yield from _versions(before.version, after.version, after.where, None)
    old = {port.name: port for port in before.reads}
    new = {port.name: port for port in after.reads}
    for name, port in old.items():
        if name not in new:
            yield gone("input_removed", f'input "{name}" removed', port.where)
        elif _bare(port) != _bare(new[name]):
            yield change("input_changed", f'input "{name}" changed', new[name].where)
    for name, port in new.items():
        if name not in old:
            yield change("input_added", f'input "{name}" added', port.where)
    yield from _pacts(before, after)
    if all(transforms) and transforms[0] != transforms[1]:
        yield change("transform", "the transform changed", after.where)


def _pacts(before: Product, after: Product) -> Iterator[Change]:
    """Yield what differs in what consumers may count on beyond the contract."""
    old = {(pact.consumer, pact.port): pact for pact in before.pacts}
    new = {(pact.consumer, pact.port): pact for pact in after.pacts}
    for (consumer, port), pact in old.items():
        now = new.get((consumer, port))
        if now is None:
            yield gone("pact", f"pact with {consumer} ended", pact.where, port)
        elif now.fingerprint != pact.fingerprint:
            yield change("pact", f"pact with {consumer} changed", now.where, port)
    for (consumer, port), pact in new.items():
        if (consumer, port) not in old:
            yield change("pact", f"pact with {consumer} made", pact.where, port)


def _bare(port: InputPort) -> InputPort:
    """Return an input port without its places in the file."""
    nowhere = Location("", 0)
    return replace(
        port,
        where=nowhere,
        source=replace(port.source, where=nowhere) if port.source else None,
        expectations=tuple(replace(rule, where=nowhere) for rule in port.expectations),
    )
