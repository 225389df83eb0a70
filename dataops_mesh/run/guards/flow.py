"""The way of classified values through products, for the policies that judge it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import cache

from dataops_mesh.errors import MeshError, Problem
from dataops_mesh.plan.lineage.product import clear_lineage
from dataops_mesh.policy.judge import judge
from dataops_mesh.policy.model import Flow, Flows, Origin
from dataops_mesh.run.guards.former import NOTHING, Former, Said
from dataops_mesh.run.lineage import Known, dbt_manifest, upstream_ports
from dataops_mesh.run.registry.elsewhere import find_elsewhere, read_by
from dataops_mesh.settings import Settings
from dataops_mesh.spec.classes import OPEN
from dataops_mesh.spec.model import Address, Column, Domain, Mesh, OutputPort, Product
from dataops_mesh.transform.walls import walls_of

# The lowest classes: nothing can be lowered below them, so nobody need read the SQL.
_LOWEST = frozenset({"", "public"})
_UNMASKED = "restricted"
Held = dict[tuple[str, str], tuple[Origin, ...]]


def policy_problems(
    product: Product,
    settings: Settings,
    published: Mapping[Address, OutputPort] | None = None,
    former: Former = NOTHING,
) -> tuple[Problem, ...]:
    """Return why the workspace's policies refuse a product, of which nobody loaded the mesh.

    Args:
        product: as it is declared now.
        settings: of the workspace.
        published: inputs as their owners published them, instead of as they are declared.
        former: what it reads, or leaves as it is, that was published under other contracts.

    Raises:
        DeclarationError: the policies file or a waivers file is not valid.
        SettingsError: the setting `policies` names a file that does not exist.
    """
    domain = Domain(product.domain, product.folder.parent, (product,))
    mesh = Mesh(domain.folder.parent, (domain,))
    flows = flows_in(mesh, settings, Known((product,)), published=published, former=former)
    return judge(mesh, settings, whole=False, only={product.qualified_name}, flows=flows).refusals


def flows_in(  # noqa: PLR0913 - keywords, each asked by somebody else
    mesh: Mesh,
    settings: Settings,
    known: Known | None = None,
    *,
    whole: bool = False,
    published: Mapping[Address, OutputPort] | None = None,
    former: Former = NOTHING,
) -> Flows:
    """Return a function that tells what the columns of a product of the mesh are made of.

    Args:
        mesh: what is loaded.
        settings: of the workspace.
        known: products that are loaded already, where the mesh is one domain of a workspace.
        whole: also of products that read nothing classified.
        published: ports that are not asked for what the workspace says of them.
        former: what was published under other contracts, and these: the stricter word counts.
    """
    declared = {o.address: o for product in mesh.products for o in product.outputs}
    declared |= published or {}

    @cache
    def others() -> Mapping[Address, OutputPort]:
        """Return the ports of other repositories; only asked where an input is not here."""
        with suppress(MeshError):
            found = read_by(mesh, find_elsewhere(settings, mesh))
            return {port.address: port for product in found for port in product.outputs}
        return {}

    def ports_of(product: Product) -> dict[Address, OutputPort]:
        wanted = {port.address for port in product.inputs if port.address}
        found = {address: declared[address] for address in wanted & declared.keys()}
        if wanted - found.keys() and known is not None:
            near = upstream_ports(product, settings.domains_folder, settings.root, known)
            found |= {address: port for address, (_, port) in near.items() if address in wanted}
        if wanted - found.keys():
            far = others()
            found |= {a: far[a] for a in wanted - found.keys() if a in far}
        return found

    def flow(product: Product) -> Flow:
        ports, own = ports_of(product), {port.address for port in product.own}
        mine = {port.address: port for port in product.outputs if port.address in own}
        origins = {
            (address, column.name): (
                Origin(address, column.name, _class(product, address, column)),
                *(
                    origin
                    for said in former.read.get(address, ())
                    for origin in _said_then(product, address, column.name, said)
                ),
            )
            for address, port in {**ports, **mine}.items()
            for column in port.contract.columns
        }
        stays = {
            (port.name, column.name): tuple(
                origin
                for said in former.stays.get(port.address, ())
                for origin in _said_then(product, port.address, column.name, said)
            )
            for port in product.outputs
            for column in port.contract.columns
        }
        every = (origin for found in origins.values() for origin in found)
        high = tuple(o for o in every if o.classification.lower() not in _LOWEST)
        if not high and not (whole and origins):
            return Flow(read=ports, stays=stays)
        names = {port.name: port.address for port in product.reads}
        manifest = dbt_manifest(product, walls_of(settings))

        def is_secret(origin: tuple[str, str]) -> bool:
            """Tell whether a column is classified, or of a port whose columns nobody knows."""
            address = names.get(origin[0])
            if address is None:
                return origin[0] not in names  # a source of its own has no class
            return (address, origin[1]) not in origins or any(
                one in high for one in origins[address, origin[1]]
            )

        clear = clear_lineage(product, ports, manifest, is_secret)

        def of(held: Mapping[tuple[str, str], frozenset[tuple[str, str]]]) -> Held:
            return {
                key: tuple(
                    origin
                    for name, column in sorted(found)
                    if (address := names[name])
                    for origin in origins.get((address, column), ())
                )
                for key, found in held.items()
            }

        return Flow(high, of(clear.columns), ports, stays, of(clear.partly), clear.as_is)

    kept: dict[tuple[str, str], Flow] = {}

    def told(product: Product) -> Flow:
        key = product.qualified_name, product.fingerprint
        if key not in kept:
            kept[key] = flow(product)
        return kept[key]

    return told


def _said_then(product: Product, address: Address, name: str, said: Said) -> tuple[Origin, ...]:
    """Return how secret a column was said to be when it was published; nothing if it was not."""
    of = f" in {said.which}" if said.which else ""
    if said.port is None:
        what = f"counts as {_UNMASKED}{of}, for nobody can tell as what it was published"
        return (Origin(address, name, _UNMASKED, what, said.fix),)
    column = next((one for one in said.port.contract.columns if one.name == name), None)
    if column is None:
        return ()  # null there
    if said.own and column.mask is not None and column.mask.breaks:
        return ()  # what is kept of it is the masked form
    kind = _class(product, address, column)
    return (Origin(address, name, kind, f"was published as {kind}{of}", said.fix),)


def _class(product: Product, address: Address, column: Column) -> str:
    """Return how secret a column is to a product: unmasked, never less than who needs a role."""
    said = column.classification or ""
    by_role = any(port.role and port.address == address for port in product.inputs)
    return _UNMASKED if by_role and column.mask and said.lower() in {*OPEN, ""} else said
