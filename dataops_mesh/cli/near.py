"""What a command reads for products that were named: their declarations, and those they rest on.

What a mesh refuses for is not weakened by that: where anything could depend on a declaration that
was not read, or anything is wrong, everything is read after all, and the messages are the same.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from dataops_mesh.cli.workspace import load_workspace
from dataops_mesh.errors import DeclarationError
from dataops_mesh.policy.plugin import brought
from dataops_mesh.run.kept import kept_in
from dataops_mesh.run.lineage import Known
from dataops_mesh.settings import Settings, load_settings
from dataops_mesh.spec.loader import load_product
from dataops_mesh.spec.mesh import check_mesh
from dataops_mesh.spec.model import Address, Domain, Mesh, Product
from dataops_mesh.spec.names import is_name
from dataops_mesh.spec.read.product import CONTRACT_SUFFIX, PRODUCT_FILE
from dataops_mesh.spec.visible import reads

# What YAML can spell in another way than by itself: escapes, references, blocks.
_SPELLED = re.compile(rb"""id["']?\s*:\s*(?:[*&|>!]|"[^"\n]*\\)""")


def open_near(names: Sequence[str], *, looks: bool = False) -> tuple[Settings, Mesh, bool]:
    """Return the settings, and the mesh as far as it matters to the products that were named.

    Args:
        names: products; a domain, and nothing, mean that everything is read.
        looks: nothing is built or judged, so files that have not changed are not parsed again,
            and whether another domain has the id of a product is left to `mesh check`.

    Returns:
        the settings, the mesh, and whether that is all of it.

    Raises:
        DeclarationError: there is no folder of domains.
        SettingsError: a setting or a location is not valid.
    """
    settings = load_settings()
    near = _near(settings, names, looks=looks)
    load = kept_in(settings, settings.domains_folder).load if looks else load_product
    return settings, near or load_workspace(settings, load), near is None


def _near(settings: Settings, names: Sequence[str], *, looks: bool) -> Mesh | None:
    """Return what matters to some products; None where only all of the mesh can tell."""
    parent, root = settings.domains_folder, settings.root
    # A policy of another package may look at anything; so may whoever joined the workspace.
    if not names or settings.locations or brought() or not parent.is_dir() or parent == root:
        return None
    folders = [parent.joinpath(*name.split(".")) for name in names]
    if not all(name.count(".") == 1 and all(map(is_name, name.split("."))) for name in names):
        return None
    if not all((folder / PRODUCT_FILE).is_file() for folder in folders):
        return None
    try:
        asked = [load_product(folder, root) for folder in dict.fromkeys(folders)]
    except DeclarationError:
        return None
    if any(port.contract.visibility for product in asked for port in product.outputs):
        return None  # it may name products, which must be known
    found = _rests_on(asked, parent, root)
    looked_at = {product.domain for product in asked} if looks else None
    if found is None or not _are_alone(asked, parent, looked_at):
        return None
    mesh = _mesh(found, parent, root)
    wrong = check_mesh(mesh, (), frozenset(one.qualified_name for one in asked))
    return None if wrong else mesh


def _rests_on(asked: Sequence[Product], parent: Path, root: Path) -> list[Product] | None:
    """Return products with all that they read, and what these read; None if one cannot be told."""
    known, found, waiting = Known(asked), dict[str, Product](), list(asked)
    while waiting:
        product = waiting.pop()
        if product.qualified_name in found:
            continue
        found[product.qualified_name] = product
        named: list[Address] = [address for address, _, _ in reads(product)]
        named += [port.address for port in product.inputs if port.address is not None]
        for address in named:
            owner = known.owner(address, parent, root)
            if owner is None:
                return None
            waiting.append(owner)
    return list(found.values())


def _are_alone(
    asked: Sequence[Product], parent: Path, domains: Collection[str] | None = None
) -> bool:
    """Tell whether nobody else may have a port or an id of theirs; reads texts, parses none.

    Args:
        asked: the products.
        parent: the folder of domains.
        domains: look in these alone; in all if None.
    """
    own = {str(product.folder) for product in asked}
    ids = {product.id for product in asked}
    ids |= {port.contract.id for product in asked for port in product.outputs}
    taken = _Says(b"id", ids)
    ports: dict[str, set[str]] = {}
    for product in asked:
        ports.setdefault(product.domain, set()).update(port.name for port in product.outputs)
    named = {domain: _Says(b"name", mine) for domain, mine in ports.items()}
    for domain, folder, file in _declarations(parent, domains):
        if folder in own:
            continue
        with open(file.path, "rb", buffering=0) as opened:  # noqa: PTH123 - thousands of them
            data = opened.read()
        if b"\0" in data or data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return False
        if taken.anywhere(data) or _SPELLED.search(data):
            return False
        if domain in ports and file.name.endswith(CONTRACT_SUFFIX):
            if file.name.removesuffix(CONTRACT_SUFFIX) in ports[domain]:
                return False
            if named[domain].anywhere(data):
                return False
    return True


class _Says:
    """Finds a key with one of some values in a text, however they are quoted."""

    def __init__(self, key: bytes, values: set[str]) -> None:
        self._values = sorted(value.encode() for value in values)
        some = b"|".join(map(re.escape, self._values))
        self._pattern = re.compile(
            rb"""(?<![\w])""" + key + rb"""["']?\s*:\s*["']?(?:""" + some + rb""")(?![\w.-])"""
        )

    def anywhere(self, data: bytes) -> bool:
        """Tell whether the text has it; a pattern is only tried where a value is there at all."""
        return any(one in data for one in self._values) and bool(self._pattern.search(data))


def _declarations(
    parent: Path, domains: Collection[str] | None
) -> Iterator[tuple[str, str, os.DirEntry[str]]]:
    """Yield the domain, the folder and the file of each declaration that a mesh is read from."""
    for domain in _folders(parent):
        if domains is not None and domain.name not in domains:
            continue
        for folder in _folders(domain.path):
            with os.scandir(folder.path) as files:
                for file in files:
                    if file.name == PRODUCT_FILE or file.name.endswith(CONTRACT_SUFFIX):
                        yield domain.name, folder.path, file


def _folders(parent: str | Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(parent) as found:
        yield from (one for one in found if one.name[0] not in "._" and one.is_dir())


def _mesh(products: Sequence[Product], parent: Path, root: Path) -> Mesh:
    """Return a mesh that knows all domains, and of these the products that were read."""
    names = sorted(f.name for f in parent.iterdir() if f.is_dir() and f.name[0] not in "._")
    own = {name: [one for one in products if one.domain == name] for name in names}
    by_name = {name: tuple(sorted(found, key=lambda one: one.name)) for name, found in own.items()}
    return Mesh(root, tuple(Domain(name, parent / name, by_name[name]) for name in names), {})
