"""How secret an input is: what was published counts, beside what a folder here says."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from dataops_mesh.errors import MeshError, Problem, StoreError
from dataops_mesh.run.attempt import Attempt
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.guards.flow import policy_problems
from dataops_mesh.run.guards.former import ANY, Building, Former, Said, former_of, readable
from dataops_mesh.run.guards.visible import published_port
from dataops_mesh.settings import Settings
from dataops_mesh.spec.checks.withheld import safe_columns
from dataops_mesh.spec.model import Address, Column, InputPort, OutputPort, Product
from dataops_mesh.store.pins import pinned
from dataops_mesh.store.release import Release
from dataops_mesh.store.store import open_store
from dataops_mesh.transform.told import Plain


def plain_of(attempt: Attempt) -> Plain:
    """Return what tells whether words about the attempt's data may be told; asked on a failure."""
    release = attempt.inputs.release
    return partial(is_plain, attempt.product, attempt.environment, release)


def is_plain(product: Product, environment: Environment, release: Release) -> bool:
    """Tell whether nothing that the product reads or makes is classified, or of unknown class.

    Of what it reads, by what its owner has published.
    """
    try:
        read = [_columns(port, environment, release) for port in product.reads]
    except MeshError:
        return False
    made = [port.contract.columns for port in product.outputs]
    return all(columns and len(safe_columns(columns)) == len(columns) for columns in (*read, *made))


def _columns(port: InputPort, environment: Environment, release: Release) -> tuple[Column, ...]:
    """Return the columns of what is read, as far as a contract says them."""
    if port.address is None:
        return port.contract.columns if port.contract else ()
    if port.role or port.address not in release.ports:
        return ()
    published = published_port(environment.store, release, port.address)
    return published.contract.columns if published else ()


def class_reasons(
    product: Product, environment: Environment, release: Release, building: Building
) -> tuple[str, ...]:
    """Return what policies have against the product by what is published of what it reads.

    The gate judges it by what the workspace says of them, too: so the stricter of both counts, and
    neither a copy of the owner's folder nor an edit that nobody published lowers a class. What the
    product published itself, and reads or leaves as it is, keeps the class of that time.

    Args:
        product: what would read.
        environment: the store and the settings.
        release: what is published.
        building: what is built of it.
    """
    store, own = environment.store, {port.address for port in product.outputs}
    found, published = list[str](), dict[Address, OutputPort]()
    read = dict[Address, tuple[Said, ...]]()
    for address in dict.fromkeys(one.address for one in product.inputs if one.address):
        if address in own or address not in release.ports:
            continue
        try:
            port = published_port(store, release, address)
            said = readable(store, address, release.ports[address])
        except MeshError as error:
            found.append(f"nobody can tell how secret {address} is: {error.problems[0].what}")
            continue
        if port is not None:
            published[address] = port
        read[address] = tuple(one for one in said if one.port != port)
    mine = former_of(store, product, release, building)
    former = Former({**read, **mine.read}, mine.stays)
    if published or former:
        for one in policy_problems(product, environment.settings, published, former):
            what = f"{one.what} ({one.where}), by the published contracts"
            found.append(f"{what}; {one.next}" if one.next else what)
    return tuple(dict.fromkeys(found))


def class_notes(settings: Settings, products: Sequence[Product]) -> tuple[Problem, ...]:
    """Return what the next run of products is refused for by what they published themselves."""
    some = [one for one in products if one.own or one.partitioning is not None]
    try:
        store = open_store(settings.store_folder, create=False) if some else None
    except StoreError:
        return ()  # nothing was ever published here
    if store is None:
        return ()
    found = list[Problem]()
    with pinned(store) as release:
        for product in some:
            if former := former_of(store, product, release, ANY):
                known = policy_problems(product, settings)
                now = policy_problems(product, settings, former=former)
                found += [one for one in now if one not in known]
    return tuple(found)
