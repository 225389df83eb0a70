"""Remote sources of a run: who fetches them, and what anybody may know of them without asking."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from dataops_mesh.connections import Connections
from dataops_mesh.fetch.fetch import Asked, Delivered, fetch, known, look
from dataops_mesh.fetch.note import SPARE, forget, of_product
from dataops_mesh.run.environment import Environment
from dataops_mesh.spec.checks.masked import is_private
from dataops_mesh.spec.model import InputPort, Product
from dataops_mesh.store.store import Store
from dataops_mesh.transform.dlt.driver import Resource
from dataops_mesh.transform.walls import Walls, walls_of


@dataclass(frozen=True, slots=True)
class Fetching:
    """The network, and the connections; only the gate makes one.

    Args:
        store: where what is fetched is kept.
        connections: where this process finds them.
        walls: what confines a source that is code.
        say: told how far it is.
    """

    store: Store
    connections: Connections
    walls: Walls
    say: Callable[[str], None] = lambda _: None

    @classmethod
    def of(cls, environment: Environment, say: Callable[[str], None] = lambda _: None) -> Fetching:
        """Return how this process fetches."""
        settings = environment.settings
        return cls(environment.store, Connections.of(settings), walls_of(settings), say)

    def fetch(self, product: Product, port: InputPort, key: str, state: bytes = b"") -> Delivered:
        """Return the files of a remote source.

        Args:
            product: whose.
            port: the input port.
            key: of the partition.
            state: what a resource goes on from.

        Raises:
            SourceError: it cannot be fetched.
        """
        asked = Asked.of(self.store, product, port, key)
        driver = None
        if asked.remote.resource:
            driver = Resource(self.store, product, self.walls, state)
        return fetch(self.store, asked, self.connections, self.say, driver)

    def look(self, product: Product, port: InputPort, key: str) -> str:
        """Ask whether there is anything new; return why that failed, if it did."""
        return look(Asked.of(self.store, product, port, key), self.connections)

    def look_all(self, product: Product, key: str) -> tuple[str, ...]:
        """Look at every remote source of a partition; return what went wrong."""
        found = (self.look(product, port, key) for port in remote_ports(product))
        return tuple(trouble for trouble in found if trouble)


@contextmanager
def leaving_nothing(product: Product, store: Store, keys: Iterable[str]) -> Iterator[None]:
    """Delete what a product with masks has fetched once its run is over: these are clear values.

    What a killed run has left goes when the next one begins; of a partitioned product, of which
    another run may be reading, once nobody can be.
    """
    if not is_private(product):
        yield
        return
    forget(of_product(store, product.qualified_name), SPARE if product.partitioning else 0.0)
    try:
        yield
    finally:
        for port in remote_ports(product):
            for key in keys:
                forget(Asked.of(store, product, port, key).folder)


def is_remote(port: InputPort) -> bool:
    """Tell whether an input is fetched before it is read."""
    return port.remote is not None


def seen(store: Store, product: Product, port: InputPort, key: str) -> str:
    """Return a digest of what a remote source is known to hold; empty if nobody has seen it."""
    return known(Asked.of(store, product, port, key))


def remote_ports(product: Product) -> tuple[InputPort, ...]:
    """Return the inputs of a product that are fetched."""
    return tuple(port for port in product.inputs if is_remote(port))
