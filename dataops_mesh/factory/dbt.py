"""dbt models as Dagster assets, with the lineage that dbt knows."""

from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, build_dbt_asset_specs

from dataops_mesh.factory.describe import key_of, owners
from dataops_mesh.spec.model import Product


class DomainTranslator(DagsterDbtTranslator):
    """Keys models `[domain, model]`; sources carry their key in `meta.dagster.asset_key`."""

    def __init__(self, domain: str) -> None:
        super().__init__()
        self.domain = domain

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """Return the key under which the node is drawn."""
        if dbt_resource_props["resource_type"] == "source":
            props = dbt_resource_props
            return dg.AssetKey([props["schema"], props["identifier"]])
        return dg.AssetKey([self.domain, dbt_resource_props["name"]])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """Return the domain: its models stand together."""
        del dbt_resource_props
        return self.domain


def dbt_shape(
    product: Product, manifest: Mapping[str, Any], nodes: frozenset[str]
) -> tuple[tuple[dg.AssetSpec, ...], dict[dg.AssetKey, list[dg.AssetDep]]]:
    """Return the specs of the inner models, and what each public model depends on."""
    specs = build_dbt_asset_specs(
        manifest=manifest, dagster_dbt_translator=DomainTranslator(product.domain)
    )
    names = {manifest["nodes"][key]["name"] for key in nodes if key in manifest["nodes"]}
    selected = [spec for spec in specs if spec.key.path[-1] in names]
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
