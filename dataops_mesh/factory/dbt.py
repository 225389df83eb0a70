"""dbt models as Dagster assets, with the lineage that dbt knows."""

from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, build_dbt_asset_specs

from dataops_mesh.factory.describe import key_of, owners
from dataops_mesh.run.checks import dbt_nodes
from dataops_mesh.settings import Settings
from dataops_mesh.spec.model import Address, Product
from dataops_mesh.transform.dbt.exposures import exposures_of
from dataops_mesh.transform.dbt.project import called_names
from dataops_mesh.transform.walls import walls_of


class DomainTranslator(DagsterDbtTranslator):
    """Keys models by what they are called in their domain, sources by their address.

    Args:
        domain: the product's.
        called: what each model is called, by unique id: a port, or `<product>/<model>`.
    """

    def __init__(self, domain: str, called: Mapping[str, str]) -> None:
        super().__init__()
        self.domain, self.called = domain, called

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """Return the key under which the node is drawn."""
        if dbt_resource_props["resource_type"] == "source":
            props = dbt_resource_props
            return dg.AssetKey([props["schema"], props["identifier"]])
        unique_id = str(dbt_resource_props["unique_id"])
        return key_of(Address(self.domain, self.called.get(unique_id, unique_id)))

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """Return the domain: its models stand together."""
        del dbt_resource_props
        return self.domain


def dbt_shape(
    product: Product, manifest: Mapping[str, Any], nodes: frozenset[str]
) -> tuple[tuple[dg.AssetSpec, ...], dict[dg.AssetKey, list[dg.AssetDep]]]:
    """Return the specs of the inner models, and what each public model depends on."""
    called = called_names(product, manifest, nodes)
    translator = DomainTranslator(product.domain, called)
    specs = build_dbt_asset_specs(manifest=manifest, dagster_dbt_translator=translator)
    keys = {key_of(Address(product.domain, name)) for name in called.values()}
    selected = [spec for spec in specs if spec.key in keys]
    ports = {key_of(port.address) for port in product.outputs}
    private = tuple(
        spec.replace_attributes(
            skippable=False,
            owners=owners(product),
            kinds={"dbt", "private"},
            tags={"mesh/product": product.name},
            automation_condition=None,
        )
        for spec in selected
        if spec.key not in ports
    )
    deps = {spec.key: list(spec.deps) for spec in selected if spec.key in ports}
    return private, deps


def exposure_specs(product: Product, settings: Settings) -> list[dg.AssetSpec]:
    """Return external assets for what reads the product outside the mesh, as dbt says it."""
    manifest, nodes = dbt_nodes(product, walls_of(settings))
    return [
        dg.AssetSpec(
            key=dg.AssetKey([product.domain, "exposure", one.name]),
            deps=[key_of(address) for address in one.reads],
            group_name=product.domain,
            description=one.description or f"A {one.kind} outside the mesh.",
            kinds={"exposure", one.kind},
            metadata={
                **({"mesh/owner": one.owner} if one.owner else {}),
                **({"mesh/url": dg.MetadataValue.url(one.url)} if one.url else {}),
            },
        )
        for one in exposures_of(product, manifest, nodes)
        if one.reads
    ]
