"""A workspace of any size whose products are published in many partitions, as years leave it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from shutil import copytree
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from benchmarks.meshes import write_mesh

if TYPE_CHECKING:
    from dataops_mesh.run.environment import Environment
    from dataops_mesh.spec.model import Address
    from dataops_mesh.store.log import Entry
    from dataops_mesh.store.manifest import Manifest

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
    from dataops_mesh.run.record import record_run
    from dataops_mesh.settings import load_settings
    from dataops_mesh.spec.loader import load_product
    from dataops_mesh.store import sound
    from dataops_mesh.store.log import latest
    from dataops_mesh.store.manifest import read_manifest

    domains = max(1, products // A_DOMAIN)
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
    with patch.object(sound, "read_manifest", lru_cache(read_manifest)):
        record_run(environment)  # each day is looked at, and they are all alike
    for name in ("domain_0.product_0", asked(products)):
        again = load_product(root / "domains" / name.replace(".", "/"), root)
        run_product(again, environment, run_id="again", partition=str(day(0)))
    return environment


def asked(products: int) -> str:
    """Return the product that is asked for: it reads one other."""
    return f"domain_{1 % max(1, products // A_DOMAIN)}.product_1"


def day(number: int) -> date:
    """Return a day of the products."""
    return START + timedelta(days=number)


def _publish_all(environment: Environment, entry: Entry, products: int, partitions: int) -> None:
    from datetime import UTC, datetime

    from dataops_mesh.spec.model import Address
    from dataops_mesh.store.log import Release, append, latest_number
    from dataops_mesh.store.manifest import read_manifest
    from dataops_mesh.store.tree import blobs
    from dataops_mesh.store.tree.growth import published
    from dataops_mesh.store.tree.ports import Ports

    store, domains = environment.store, max(1, products // A_DOMAIN)
    made = read_manifest(store, entry.candidate)
    number, nodes = latest_number(store) + 1, dict[str, str]()
    for domain in (f"domain_{n}" for n in range(domains)):
        found: dict[Address, Any] = {}
        for n in range(products):
            if f"domain_{n % domains}" == domain:
                address = Address(domain, f"product_{n}")
                ref = _candidate(environment, made, address)
                part = replace(
                    entry.parts[0],
                    candidate=ref,
                    files=(f"{address.port}/part-0.parquet",),
                    publication=0,
                )
                parts = tuple(replace(part, key=str(day(one))) for one in range(partitions))
                found[address] = replace(
                    entry, product=str(address), candidate=ref, parts=parts, publication=0
                )
        grown = published(Ports(store.root), found, number, "publication").ports
        blobs.write(store, grown.pending)
        nodes |= grown.nodes
    if not append(
        store, Release(number, "publication", datetime.now(UTC), ports=Ports(store.root, nodes))
    ):
        raise RuntimeError("the release is there already")


def _candidate(environment: Environment, made: Manifest, address: Address) -> str:
    """Write evidence and a file of their own for a product, like what was made of the first."""
    from dataops_mesh.store.manifest import describe, folder, new_ref, write_manifest

    store = environment.store
    ref = new_ref(address.domain, address.port, made.started)
    source, target = folder(store, made.candidate), folder(store, ref)
    (port,) = made.ports
    copytree(source / port.address.port, target / address.port)
    file = describe(target, next((target / address.port).glob("*.parquet")))
    write_manifest(
        store,
        replace(
            made,
            candidate=ref,
            product=str(address),
            inputs=(),
            declaration="",
            ports=(replace(port, address=address, files=(file,)),),
            checks=tuple(replace(one, port=address) for one in made.checks),
            results=tuple(replace(one, port=address, candidate=ref) for one in made.results),
        ),
    )
    return ref
