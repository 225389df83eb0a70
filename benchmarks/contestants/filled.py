"""A workspace of any size whose products are published in many partitions, as years leave it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from shutil import copytree
from typing import TYPE_CHECKING
from unittest.mock import patch

from benchmarks.meshes import write_mesh

if TYPE_CHECKING:
    from dataops_mesh.run.environment import Environment
    from dataops_mesh.spec.model import Address
    from dataops_mesh.store.log import Entry
    from dataops_mesh.store.manifest import Manifest
    from dataops_mesh.store.store import Store

A_DOMAIN = 20  # products
START = date(2025, 1, 1)
_CLOCK = "2035-01-01T00:00:00Z"


def fill(root: Path, products: int, partitions: int) -> Environment:
    """Write a workspace and a store in which every product has that many days.

    Two products are run for one day; what they left is what all others are made of, so that each
    has evidence and files of its own. The days of a product share their file.

    Args:
        root: an empty folder.
        products: how many, in domains of twenty.
        partitions: of each.
    """
    from dataops_mesh.run.environment import open_environment
    from dataops_mesh.run.product import run_product
    from dataops_mesh.settings import load_settings
    from dataops_mesh.spec.loader import load_product
    from dataops_mesh.store.log import latest

    domains = _domains(products)
    days = f'start: "{START}", end: "{day(partitions)}"'
    write_mesh(root, products, domains=domains, days=days)
    (root / "pyproject.toml").write_text(f'[tool.dataops_mesh]\nnow = "{_CLOCK}"\n', "utf-8")
    environment = open_environment(load_settings(root))
    for folder in (root / "domains").glob("*/*"):
        header = ",".join(["id", *(f"c{n}" for n in range(11))])
        rows = "\n".join(",".join(map(str, [n, *range(1, 12)])) for n in range(10))
        (folder / "source.csv").write_text(f"{header}\n{rows}\n", "utf-8")
    first = load_product(root / "domains" / "domain_0" / "product_0", root)
    run_product(first, environment, run_id="first", partition=str(day(0)))
    _publish_all(
        environment, latest(environment.store).ports[first.outputs[0].address], products, partitions
    )
    for name in ("domain_0.product_0", asked(products)):
        again = load_product(root / "domains" / name.replace(".", "/"), root)
        run_product(again, environment, run_id="again", partition=str(day(0)))
    return environment


def asked(products: int) -> str:
    """Return the product that is asked for: it reads one other."""
    return f"domain_{1 % _domains(products)}.product_1"


def _domains(products: int) -> int:
    return max(1, products // A_DOMAIN)


def day(number: int) -> date:
    """Return a day of the products."""
    return START + timedelta(days=number)


def _publish_all(environment: Environment, entry: Entry, products: int, partitions: int) -> None:
    """Publish domain by domain, as domains do: nothing holds what is published of all of them."""
    from dataops_mesh.run.record import record_run
    from dataops_mesh.spec.model import Address
    from dataops_mesh.store import sound
    from dataops_mesh.store.manifest import read_manifest

    made, domains = read_manifest(environment.store, entry.candidate), _domains(products)
    with patch.object(sound, "read_manifest", lru_cache(read_manifest)):
        for domain in range(domains):
            names = (f"product_{n}" for n in range(domain, products, domains))
            found: dict[Address, Entry] = {}
            for name in names:
                address = Address(f"domain_{domain}", name)
                found[address] = _in_days(environment, made, entry, address, partitions)
            _publish(environment.store, found)
            record_run(environment)  # each day is looked at, and they are all alike


def _in_days(
    environment: Environment, made: Manifest, entry: Entry, address: Address, partitions: int
) -> Entry:
    ref = _candidate(environment, made, address)
    files = (f"{address.port}/part-0.parquet",)
    part = replace(entry.parts[0], candidate=ref, files=files, publication=0)
    parts = tuple(replace(part, key=str(day(one))) for one in range(partitions))
    return replace(entry, product=str(address), candidate=ref, parts=parts, publication=0)


def _publish(store: Store, found: dict[Address, Entry]) -> None:
    from dataops_mesh.store.log import Release, append, latest, latest_number, ports_of
    from dataops_mesh.store.tree import blobs
    from dataops_mesh.store.tree.growth import published
    from dataops_mesh.store.tree.ports import Ports

    number, nodes = latest_number(store) + 1, dict(ports_of(latest(store)).nodes)
    (domain,) = {address.domain for address in found}
    nodes.pop(domain, None)  # what the first run left of it
    grown = published(Ports(store.root), found, number, "publication").ports
    blobs.write(store, grown.pending)
    ports = Ports(store.root, nodes | dict(grown.nodes))
    if not append(store, Release(number, "publication", datetime.now(UTC), ports=ports)):
        raise RuntimeError("the release is there already")


def _candidate(environment: Environment, made: Manifest, address: Address) -> str:
    """Write evidence and a file of their own for a product, like what was made of the first."""
    from dataops_mesh.run.declaration import declaration_texts
    from dataops_mesh.spec.loader import load_product
    from dataops_mesh.store.declarations import write_declaration
    from dataops_mesh.store.manifest import describe, folder, new_ref, write_manifest

    root = environment.settings.root
    product = load_product(root / "domains" / address.domain / address.port, root)
    store = environment.store
    ref = new_ref(address.domain, address.port, made.started)
    source, target = folder(store, made.candidate), folder(store, ref)
    (port,), (used,), (output,) = made.ports, made.contracts, product.outputs
    judged_by = (output.contract.id, output.contract.version, output.contract.fingerprint)
    copytree(source / port.address.port, target / address.port)
    file = describe(target, next((target / address.port).glob("*.parquet")))
    write_manifest(
        store,
        replace(
            made,
            candidate=ref,
            product=str(address),
            inputs=(),
            declaration=write_declaration(store, declaration_texts(product, environment.settings)),
            contracts=(type(used)(address, *judged_by),),
            ports=(replace(port, address=address, files=(file,)),),
            checks=tuple(replace(one, port=address) for one in made.checks),
            results=tuple(replace(one, port=address, candidate=ref) for one in made.results),
        ),
    )
    return ref
