"""What Dagster shows of a product's inputs: column lineage, and notices of their end."""

from collections.abc import Mapping

import dagster as dg

from dataops_mesh.factory.describe import key_of, source_key
from dataops_mesh.plan.readers import deprecation
from dataops_mesh.run.lineage import Known, product_lineage, upstream_ports
from dataops_mesh.settings import Settings
from dataops_mesh.spec.model import Product
from dataops_mesh.transform.walls import walls_of


def deprecated_inputs(product: Product, settings: Settings, known: Known) -> list[str]:
    """Return a notice for each input port that will end."""
    upstream = upstream_ports(product, settings.domains_folder, settings.root, known)
    return [
        f"{port.address}: {notice}"
        for port in product.inputs
        if port.address in upstream
        and (notice := deprecation(upstream[port.address][0].status, upstream[port.address][1]))
    ]


def column_lineage(
    product: Product, settings: Settings, known: Known
) -> Mapping[dg.AssetKey, dg.TableColumnLineage]:
    """Return what each port's columns are made of; what cannot be computed is left out.

    To read SQL takes milliseconds, so this belongs to a publication and not to loading.
    """
    upstream = upstream_ports(product, settings.domains_folder, settings.root, known)
    ports = {address: port for address, (_, port) in upstream.items()}
    lineage = product_lineage(product, ports, walls_of(settings))
    keys = {
        port.name: key_of(port.address) if port.address else source_key(product, port)
        for port in product.inputs
    }
    found = {}
    for output in product.outputs:
        deps = {
            column.name: [
                dg.TableColumnDep(asset_key=keys[name], column_name=from_column)
                for name, from_column in sorted(lineage.columns[output.name, column.name])
            ]
            for column in output.contract.columns
            if lineage.columns.get((output.name, column.name))
        }
        if deps:
            found[key_of(output.address)] = dg.TableColumnLineage(deps_by_column=deps)
    return found
