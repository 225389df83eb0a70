"""Which partitions of a remote source are worth a look: those that may be built of it by itself."""

from __future__ import annotations

from dataops_mesh.fetch.fetch import Asked
from dataops_mesh.fetch.fetch import is_look_due as is_due
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.inputs.fetching import Fetching, remote_ports
from dataops_mesh.spec.model import InputPort, Product
from dataops_mesh.spec.partition import partitions_until
from dataops_mesh.store.log import latest


def is_look_due(product: Product, environment: Environment) -> bool:
    """Tell whether there is a remote source at which nobody has looked for a while. Asks nobody."""
    store = environment.store
    return any(
        is_due(Asked.of(store, product, port, key)) for port, key in _worth(product, environment)
    )


def look_at_sources(product: Product, environment: Environment) -> tuple[str, ...]:
    """Look at the remote sources of a product; return what went wrong, each once."""
    fetching = Fetching.of(environment)
    found = (fetching.look(product, port, key) for port, key in _worth(product, environment))
    return tuple(dict.fromkeys(trouble for trouble in found if trouble))


def _worth(product: Product, environment: Environment) -> list[tuple[InputPort, str]]:
    ports = remote_ports(product)
    if not ports:
        return []
    keys = _unfinished(product, environment)
    return [
        (port, key)
        for port in ports
        if port.source is not None
        for key in (keys if port.source.is_cut else ("",))
    ]


def _unfinished(product: Product, environment: Environment) -> tuple[str, ...]:
    """Return the partitions that were not published since they were over.

    What is over and published is fetched again by a person alone: thousands of days are not
    looked at every five minutes.
    """
    if product.partitioning is None:
        return ()
    entry = latest(environment.store).ports.get(product.outputs[0].address)
    pieces = partitions_until(product.partitioning, environment.settings.clock())
    keys = [piece.key for piece in pieces]
    done = {part.key for part in entry.parts if not part.open} if entry else set()
    listed = product.partitioning.cadence is None
    return tuple(key for key in keys if listed or key not in done)
