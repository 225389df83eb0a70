"""The way of classified values through products, for the policies that judge it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import cache

from dataops_mesh.errors import MeshError, Problem
from dataops_mesh.plan.lineage import clear_lineage
from dataops_mesh.policy.judge import judge
from dataops_mesh.policy.model import Flow, Flows, Origin
from dataops_mesh.run.lineage import Known, dbt_manifest, upstream_ports
from dataops_mesh.run.registry.elsewhere import find_elsewhere, read_by
from dataops_mesh.settings import Settings
from dataops_mesh.spec.classes import OPEN
from dataops_mesh.spec.model import Address, Column, Domain, Mesh, OutputPort, Product
from dataops_mesh.transform.walls import walls_of

# The lowest classes: nothing can be lowered below them, so nobody need read the SQL.
_LOWEST = frozenset({"", "public"})
_UNMASKED = "restricted"


def policy_problems(
    product: Product, settings: Settings, published: Mapping[Address, OutputPort] | None = None
) -> tuple[Problem, ...]:
    """Return why the workspace's policies refuse a product, of which nobody loaded the mesh.

    Args:
        product: as it is declared now.
        settings: of the workspace.
        published: inputs as their owners published them, instead of as they are declared.

    Raises:
        DeclarationError: the policies file or a waivers file is not valid.
        SettingsError: the setting `policies` names a file that does not exist.
    """
    domain = Domain(product.domain, product.folder.parent, (product,))
    mesh = Mesh(domain.folder.parent, (domain,))
    flows = flows_in(mesh, settings, Known((product,)), published=published)
    return judge(mesh, settings, whole=False, only={product.qualified_name}, flows=flows).refusals


def flows_in(
    mesh: Mesh,
    settings: Settings,
    known: Known | None = None,
    *,
    whole: bool = False,
    published: Mapping[Address, OutputPort] | None = None,
) -> Flows:
    """Return a function that tells what the columns of a product of the mesh are made of.

    Args:
        mesh: what is loaded.
        settings: of the workspace.
        known: products that are loaded already, where the mesh is one domain of a workspace.
        whole: also of products that read nothing classified.
        published: ports that are not asked for what the workspace says of them.
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
            (address, column.name): Origin(address, column.name, _class(product, address, column))
            for address, port in {**ports, **mine}.items()
            for column in port.contract.columns
        }
        high = tuple(o for o in origins.values() if o.classification.lower() not in _LOWEST)
        if not high and not (whole and origins):
            return Flow(read=ports)
        names = {port.name: port.address for port in product.reads}
        manifest = dbt_manifest(product, walls_of(settings))
        clear = clear_lineage(product, ports, manifest)
        return Flow(
            high,
            {
                key: tuple(
                    origins[address, column]
                    for name, column in sorted(found)
                    if (address := names[name]) and (address, column) in origins
                )
                for key, found in clear.items()
            },
            ports,
        )

    kept: dict[tuple[str, str], Flow] = {}

    def told(product: Product) -> Flow:
        key = product.qualified_name, product.fingerprint
        if key not in kept:
            kept[key] = flow(product)
        return kept[key]

    return told


def _class(product: Product, address: Address, column: Column) -> str:
    """Return how secret a column is to a product: unmasked, never less than who needs a role."""
    said = column.classification or ""
    by_role = any(port.role and port.address == address for port in product.inputs)
    return _UNMASKED if by_role and column.mask and said.lower() in {*OPEN, ""} else said
