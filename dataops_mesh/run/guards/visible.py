"""The gate lets nobody read a port that its published contract does not show to them."""

from __future__ import annotations

from dataops_mesh.errors import MeshError, Problem, StoreError
from dataops_mesh.run.declaration import load_texts
from dataops_mesh.run.environment import Environment
from dataops_mesh.spec.model import Address, OutputPort, Product
from dataops_mesh.spec.read.protection import VISIBILITY
from dataops_mesh.spec.visible import invisible, reads
from dataops_mesh.store.declarations import read_declaration
from dataops_mesh.store.history import last_published
from dataops_mesh.store.log import latest
from dataops_mesh.store.manifest import is_written, read_manifest
from dataops_mesh.store.release import Release
from dataops_mesh.store.store import Store


def invisible_reasons(
    product: Product, environment: Environment, release: Release
) -> tuple[str, ...]:
    """Return why the product may not read what it reads, one sentence each.

    What the owner has published counts, and not what stands in its folder: so a run answers the
    same wherever it runs, and an owner who hides a port hides it with its next publication.

    Args:
        product: what would read.
        environment: the store.
        release: what is published.
    """
    found = []
    for address, where, key in reads(product):
        if address.domain == product.domain or address not in release.ports:
            continue
        try:
            ports = published_ports(environment.store, release, address, VISIBILITY)
        except MeshError as error:
            why = error.problems[0]
            more = f"; {why.next}" if why.next else ""
            found.append(f"nobody can tell who may read {address}: {why.what}{more}")
            continue
        for port in ports:
            problems = invisible(address, port, product, where, key)
            found += [f"{one.what} ({one.where}); {one.next}" for one in problems]
    return tuple(dict.fromkeys(found))


def published_ports(
    store: Store, release: Release, address: Address, word: str
) -> tuple[OutputPort, ...]:
    """Return a port as it was published here and in production, where it says a word at all.

    Whoever builds a product in a sandbox could write there what production does not say.

    Raises:
        MeshError: nobody can tell what one of them says.
    """
    found = [published_port(store, release, address, word)]
    if store.sandbox:
        there = latest(store.production)
        if address in there.ports:
            found.append(published_port(store.production, there, address, word))
    return tuple(port for port in found if port is not None)


def published_port(
    store: Store, release: Release, address: Address, word: str = ""
) -> OutputPort | None:
    """Return a port as it was published last, if its declaration says a word at all.

    What a rollback brings back are rows, and not what its owner said of them then.

    Raises:
        StoreError: a collection took what was published last, or it cannot be read: an earlier
            publication does not say what the owner said last.
    """
    last = last_published(store, address)
    if last is None or not is_written(store, last):
        what = f"what was published last of {address} is not kept, and only it said who may read it"
        then = f"publish it again: mesh run {release.ports[address].product}"
        raise StoreError(Problem(what, next=then))
    manifest = read_manifest(store, last)
    if not manifest.declaration:  # made before they were kept
        return None
    texts = read_declaration(store, manifest.declaration)
    if not any(word in text for text in texts.values()):
        return None
    domain, _, name = manifest.product.partition(".")
    owner = load_texts(texts, domain, name)
    return next((port for port in owner.outputs if port.address == address), None)
