"""Which values of parameters a line builds with: those of its environment."""

from __future__ import annotations

from dataops_mesh.errors import Problem, UnknownNameError, did_you_mean
from dataops_mesh.run.environment import Environment
from dataops_mesh.settings import Settings
from dataops_mesh.spec.model import Product
from dataops_mesh.spec.parameters import sets_of, with_values
from dataops_mesh.store.log import latest


def of_line(product: Product, environment: Environment) -> Product:
    """Return a product with the values that the line of the environment builds it with."""
    if not product.takes or not environment.store.sandbox:
        return product
    base = latest(environment.store).base
    if base is None or not base.parameters:
        return product
    return with_values(product, sets_of(environment.settings.root), base.parameters)


def require_set(settings: Settings, name: str) -> str:
    """Return the name of a set of parameters that the workspace has, or none.

    Raises:
        UnknownNameError: the workspace has no such set.
    """
    if name and name not in settings.parameters:
        known = tuple(sorted(settings.parameters))
        what = f'there is no set of parameters "{name}"{did_you_mean(name, known)}'
        then = f"write [tool.dataops_mesh.parameters.{name}] in pyproject.toml"
        raise UnknownNameError(Problem(what, choices=known, next=then))
    return name
