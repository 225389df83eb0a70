"""Components of Dagster's `dg`: a `defs.yaml` that names a folder of declarations, and no more."""

from pathlib import Path

import dagster as dg

from dataops_mesh.errors import DeclarationError, Problem
from dataops_mesh.factory.domain import load_domain, load_product


class DataProductComponent(dg.Component, dg.Model, dg.Resolvable):
    """A data product of the mesh, gated: contract, checks and publication as it declares them.

    Args:
        product: its folder; relative to the `defs.yaml`, or to the project.
    """

    product: str

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Return the product's definitions."""
        return load_product(_folder(self.product, context))


class DomainComponent(dg.Component, dg.Model, dg.Resolvable):
    """All data products of a domain, with its job, sensors and schedules.

    Args:
        domain: its folder; relative to the `defs.yaml`, or to the project.
    """

    domain: str

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Return the domain's definitions."""
        return load_domain(_folder(self.domain, context))


def _folder(given: str, context: dg.ComponentLoadContext) -> Path:
    bases = (Path(context.path), Path(context.project_root))
    found = next((base / given for base in bases if (base / given).is_dir()), None)
    if found is None:
        what = f"there is no folder {given} beside defs.yaml or in the project"
        raise DeclarationError(Problem(what, next="name domains/<domain>/<product>"))
    return found
