"""The declaration that is published: kept with each publication, and compared with the next."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from dataops_mesh.errors import DeclarationError, MeshError, StoreError
from dataops_mesh.plan.approval import approvers_of, read_approvals
from dataops_mesh.plan.change import digest
from dataops_mesh.plan.publication import approval_used, change_reasons
from dataops_mesh.plan.table import TABLE, change
from dataops_mesh.run.account import APPROVAL, approvals_spent, record_operation
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.guards.links import require_own_files
from dataops_mesh.run.registry.declared import still_read
from dataops_mesh.settings import Settings
from dataops_mesh.spec.loader import load_product
from dataops_mesh.spec.macros import macro_files
from dataops_mesh.spec.model import Product, TransformKind
from dataops_mesh.spec.read.inputs import sources
from dataops_mesh.spec.read.pact import FOLDER, SUFFIX
from dataops_mesh.store.declarations import read_declaration, write_declaration
from dataops_mesh.store.manifest import Declared, Manifest, read_manifest
from dataops_mesh.store.release import Release
from dataops_mesh.store.store import Store
from dataops_mesh.store.tree.ports import lights_in
from dataops_mesh.transform.dbt.project import is_dbt, project_folder

_CONTRACTS = "*.odcs.yaml"
_PACTS = f"{FOLDER}/*{SUFFIX}"
_DBT = frozenset({".sql", ".yml", ".yaml"})
_DBT_SKIPPED = frozenset({"target", "logs", "dbt_packages"})
_LARGEST = 1_000_000


def keep_declaration(
    product: Product, environment: Environment, release: Release, texts: dict[str, str]
) -> str:
    """Keep the declaration's files in the store and return their digest.

    When they were no longer those that the product was loaded from, the one published before
    stays the reference: what nobody compared may not become what others are compared to.

    Args:
        product: as it was judged.
        environment: the store and the settings.
        release: what is published.
        texts: of its files, read before anything was built.
    """
    store = environment.store
    try:
        same = load_texts(texts, product.domain, product.name)
    except DeclarationError:
        same = None
    if same is None or same.fingerprint != product.fingerprint:
        before = published_manifest(store, release, product)
        return before.declaration if before else ""
    return write_declaration(store, texts)


def declaration_texts(
    product: Product, settings: Settings, root: Path | None = None
) -> dict[str, str]:
    """Return the text of every file of a declaration, by its path in the workspace.

    Args:
        product: whose.
        settings: they say what is hidden.
        root: the workspace of the product, if it is not that of the settings.

    Raises:
        DeclarationError: a file is a link to where the product may not read.
    """
    home = root or settings.root
    found = (Path(os.path.abspath(file)) for file in declared_files(product))  # noqa: PTH100 # keeps links
    files = [file for file in found if file.is_file() and file.is_relative_to(home)]
    require_own_files(files, product, settings, home)
    return {file.relative_to(home).as_posix(): file.read_text("utf-8", "replace") for file in files}


def load_texts(texts: dict[str, str], domain: str, product: str) -> Product:
    """Return the product that the texts declare; its folder is gone when this returns.

    A run asks twice for what is published already, so the answers are kept.
    """
    return _load_texts(tuple(sorted(texts.items())), domain, product)


@lru_cache(maxsize=32)
def _load_texts(texts: tuple[tuple[str, str], ...], domain: str, product: str) -> Product:
    with TemporaryDirectory() as folder:
        root = Path(folder)
        found = root
        for name, text in texts:
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
            if path.parent.name == product and path.parent.parent.name == domain:
                found = path.parent
        return load_product(found, root)


def published_manifest(store: Store, release: Release, product: Product) -> Manifest | None:
    """Return the evidence of what consumers read of the product now, if anything."""
    for address in (port.address for port in product.outputs):
        entry = release.ports.get(address)
        if entry is not None:
            return read_manifest(store, entry.candidate)
    return next(_by_name(store, release, product.qualified_name), None)


def _by_name(store: Store, release: Release, name: str) -> Iterator[Manifest]:
    """Find the product by its name: all its ports may have been renamed."""
    for _, light in lights_in(release.ports, name.partition(".")[0]):
        if light.product == name:
            yield read_manifest(store, light.candidate)


def published_product(store: Store, manifest: Manifest | Declared | None) -> Product | None:
    """Return the declaration of a publication; None if it was made before they were kept.

    Raises:
        MeshError: it was kept and cannot be read.
    """
    if manifest is None or not manifest.declaration:
        return None
    domain, _, name = manifest.product.partition(".")
    return load_texts(read_declaration(store, manifest.declaration), domain, name)


def mentions(store: Store, manifest: Declared, word: str) -> bool:
    """Tell whether the declaration of a publication may have a word in it; parses nothing.

    Raises:
        StoreError: it was kept and cannot be read.
    """
    if not manifest.declaration:
        return False
    texts = read_declaration(store, manifest.declaration).values()
    return any(word in text or "\\" in text for text in texts)  # YAML may spell it by escapes


def publication_reasons(
    product: Product, environment: Environment, release: Release
) -> tuple[str, ...]:
    """Return why the product's declaration may not follow the one that is published.

    In a sandbox it may: what others must agree to is asked when it is promoted.
    """
    store = environment.store
    if store.sandbox:
        return ()
    try:
        approvals = read_approvals(product)
    except DeclarationError as error:
        return tuple(f"{one.where}: {one.what}" for one in error.problems)
    try:
        manifest = published_manifest(store, release, product)
        before = published_product(store, manifest)
    except (StoreError, DeclarationError) as error:
        # Nobody can say what it takes away: so of what is published, and by what it is followed.
        refs = sorted(
            release.ports[port.address].candidate
            for port in product.outputs
            if port.address in release.ports
        )
        exact = [refs, product.fingerprint]
        unknown = change("unknown", TABLE["unknown"].title, product.where, extent=exact)
        may = approvers_of(product)
        if any(one.digest == digest([unknown]) and one.approver in may for one in approvals):
            return ()
        reason = (
            f"{product.qualified_name}: {unknown.what} ({error.problems[0].what}); "
            f"it needs approvals/{digest([unknown])}.yaml"
        )
        return (reason,)
    spent = approvals_spent(environment, product.qualified_name)
    reasons = change_reasons(before, product, approvals, spent)
    return (*reasons, *still_read(before, product, environment))


def spend_approval(
    product: Product, environment: Environment, release: Release, candidate: str
) -> None:
    """Put on record by whose approval a candidate is published; that one serves no other.

    Args:
        product: as it is declared now.
        environment: the store and the settings.
        release: what consumers read now.
        candidate: what is about to be published.
    """
    if environment.store.sandbox:
        return
    try:
        before = published_product(
            environment.store, published_manifest(environment.store, release, product)
        )
    except (StoreError, DeclarationError):
        return
    spent = approvals_spent(environment, product.qualified_name)
    used = approval_used(before, product, read_approvals(product), spent)
    if used is None:
        return
    same, approval = used
    record_operation(
        environment,
        APPROVAL,
        [product.qualified_name],
        reason=approval.reason,
        approver=approval.approver,
        changes=same,
        digest=approval.digest,
        file=str(approval.where),
        candidate=candidate,
    )


def published_versions(store: Store, release: Release) -> tuple[dict[str, Product], dict[str, str]]:
    """Return every published declaration and the fingerprint of its transform, by product."""
    products: dict[str, Product] = {}
    transforms: dict[str, str] = {}
    for ref in dict.fromkeys(light.candidate for _, light in lights_in(release.ports)):
        manifest = read_manifest(store, ref)
        try:
            found = published_product(store, manifest)
        except MeshError:
            continue  # `publication_reasons` says so
        if found is not None:
            products[manifest.product] = found
            transforms[manifest.product] = manifest.transform_fingerprint
    return products, transforms


def declared_files(product: Product) -> Iterator[Path]:
    """Yield the files of a product's declaration; some need not be there."""
    yield product.folder / "product.odps.yaml"
    yield from sorted(product.folder.glob(_CONTRACTS))
    yield from sorted((product.folder / sources.FOLDER).glob(_CONTRACTS))
    yield from sorted(product.folder.glob(_PACTS))
    yield from product.included
    yield from product.transform.files
    if product.transform.kind is TransformKind.SQL:
        yield from macro_files(product)
    if is_dbt(product):
        project = project_folder(product)
        for file in sorted(project.rglob("*")):
            parts = file.relative_to(project).parts
            hidden = parts[0] in _DBT_SKIPPED or file.name.startswith(".")
            if file.suffix in _DBT and not hidden and file.stat().st_size < _LARGEST:
                yield file
