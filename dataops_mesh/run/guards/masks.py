"""Masks: the gate judges a candidate as it is, then nothing but its masked form is left in it.

That holds for a candidate that is refused, too, and for the rows that were set aside. What roles
read unmasked of a candidate that may be published is kept in the restricted folder first.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from dataops_mesh.engine.clear import Keep
from dataops_mesh.engine.limit import time_limit
from dataops_mesh.engine.mask import Masked, mask_port
from dataops_mesh.engine.session import seal
from dataops_mesh.engine.write import describe_port
from dataops_mesh.gate import Refuse, decide
from dataops_mesh.run.attempt import Attempt
from dataops_mesh.run.guards.forms import Home, with_forms
from dataops_mesh.run.session import attempt_session
from dataops_mesh.settings import Settings
from dataops_mesh.spec.checks.check import Check
from dataops_mesh.spec.checks.masked import is_masked, masked_columns
from dataops_mesh.spec.model import Address, Contract, OutputPort, Product
from dataops_mesh.spec.names import WHY
from dataops_mesh.spec.roles import opened_columns, reads_unmasked
from dataops_mesh.store import files
from dataops_mesh.store import restricted as clear
from dataops_mesh.store.described import MaskApplied, PortData, Quarantine
from dataops_mesh.store.line.subset import is_subset
from dataops_mesh.store.manifest import quarantine_folder
from dataops_mesh.transform.blame import blamed

PREFIX = "MESH_SECRET_"
_SHORTEST = 16  # bytes
_USERS = "_for"  # after a secret's name: whose products may name it


def secret_reasons(product: Product, settings: Settings) -> tuple[str, ...]:
    """Return why the columns of a product cannot be masked here, one sentence for each secret."""
    return tuple(
        f"{product.qualified_name} is masked with the secret {name}, and {wrong} "
        f"({port.contract.where.file})"
        for port in product.outputs
        for name in sorted({c.mask.secret for c in port.contract.columns if c.mask} - {""})
        if (wrong := _wrong(name, product, settings))
    )


def mask_candidate(attempt: Attempt, checks: Sequence[Check]) -> Attempt:
    """Return the attempt with the masked form in the place of the clear one, if it has masks.

    Args:
        attempt: what was built and checked.
        checks: those that have a result by now.

    Raises:
        RunError: the masked form is not what it should be.
    """
    product, environment, store = attempt.product, attempt.environment, attempt.environment.store
    if not attempt.ports or not is_masked(product):
        return attempt
    settings = environment.settings
    addresses = [port.address for port in product.outputs]
    refused = isinstance(decide(attempt.ref, addresses, checks, attempt.results), Refuse)
    ports, asides = {one.address: one for one in attempt.ports}, list(attempt.quarantines)
    applied, kept = [], []
    home = Home(store.line, product.qualified_name, attempt.key)
    opened = {} if refused else _places(attempt)
    with attempt_session(attempt) as connection:
        if opened:
            connection.execute("SET preserve_insertion_order = true")
        apart = [place for keep in opened.values() for place in keep.places.values()]
        seal(connection, [attempt.folder, *apart])
        for port in product.outputs:
            masks = _masks(port.contract, settings)
            if not masks:
                continue
            keys, known = _keys(port.contract), _known(port.contract) if refused else None
            with blamed(product, port), time_limit(connection, settings.transform_limit):
                folder, keep = attempt.folder, opened.get(port.address)
                address = port.address
                mask_port(connection, folder, address, masks, keys=keys, known=known, keep=keep)
                data = describe_port(connection, folder, address)
                if keep is not None:
                    kept.append(clear.keep(store, attempt.ref, address, tuple(keep.places)))
                    as_built = ports[address].fingerprint
                    facts = store, home, port.contract, folder, data, as_built, keep
                    data = with_forms(connection, *facts)
                ports[address] = data
                for index, one in enumerate(asides):
                    if one.address == port.address and one.files:
                        inside = _inside(port)
                        known = _known(port.contract) | {WHY}
                        mask_port(connection, folder, inside, masks, known=known)
                        asides[index] = _told(one, describe_port(connection, folder, inside))
            applied += [MaskApplied(port.address, m.column, m.mask.kind.value) for m in masks]
    if not reads_unmasked(product):  # then the verdict decides
        files.reopen(attempt.folder)
    told = tuple(ports[address] for address in addresses)
    found = replace(attempt, ports=told, quarantines=tuple(asides), masks=tuple(applied))
    return replace(found, clear=tuple(kept))


def _places(attempt: Attempt) -> dict[Address, Keep]:
    """Return what roles read unmasked of each port, and the folder where it is kept."""
    store = attempt.environment.store
    if is_subset(store):
        return {}
    return {
        port.address: Keep(clear.make_places(store, attempt.ref, port.address, columns))
        for port in attempt.product.outputs
        if (columns := opened_columns(port.contract))
    }


def _masks(contract: Contract, settings: Settings) -> list[Masked]:
    return [
        Masked(one.name, one.mask, _secret(one.mask.secret, settings) or b"")
        for one in contract.columns
        if one.mask is not None
    ]


def _keys(contract: Contract) -> list[Sequence[str]]:
    """Return the columns that are a key, and those that are unique, where a mask is on them."""
    masked = masked_columns(contract)
    found: list[Sequence[str]] = [contract.key] if contract.key else []
    found += [(one.name,) for one in contract.columns if one.unique]
    return [key for key in found if masked & {*key}]


def _known(contract: Contract) -> frozenset[str]:
    return frozenset(column.name.lower() for column in contract.columns)


def _inside(port: OutputPort) -> Address:
    """Return the address that the rows that were set aside have within the candidate."""
    return port.address._replace(port=quarantine_folder(port.name))


def _told(one: Quarantine, data: PortData) -> Quarantine:
    return replace(
        one,
        bytes=data.bytes,
        files=data.files,
        columns=data.columns,
        fingerprint=data.fingerprint,
    )


def _secret(name: str, settings: Settings) -> bytes | None:
    """Return a key: of the folder of secrets, else of the environment; None if there is none."""
    if not name:
        return None
    if settings.secrets is not None:
        file = settings.root / settings.secrets / name
        return file.read_bytes().strip() if file.is_file() else None
    found = os.environ.get(PREFIX + name.upper())
    return None if found is None else os.fsencode(found).strip()


def is_reserved(name: str, settings: Settings) -> bool:
    """Tell whether a secret is said to be for some products alone."""
    return _secret(f"{name}{_USERS}", settings) is not None


def _wrong(name: str, product: Product, settings: Settings) -> str:
    key, users = _secret(name, settings), _secret(f"{name}{_USERS}", settings)
    if key is None:
        return f"the gate has it neither as {PREFIX}{name.upper()} nor in the folder `secrets`"
    if len(key) < _SHORTEST:
        return f"it has fewer than {_SHORTEST} bytes"
    if users is not None and not {product.domain, product.qualified_name} & _words(users):
        return f"it is not for {product.domain}: who keeps it says so in {PREFIX}{name.upper()}_FOR"
    return ""


def _words(users: bytes) -> set[str]:
    return set(users.decode("utf-8", "replace").replace(",", " ").split())
