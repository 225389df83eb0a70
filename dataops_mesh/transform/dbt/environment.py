"""The variables of the environment that a dbt project may read: those that its product declares.

They are a part of what builds the product: another value is another version of the code. A value
is never shown.
"""

from __future__ import annotations

import os

from dataops_mesh.errors import DeclarationError, Problem
from dataops_mesh.spec.model import Product


def given(product: Product) -> dict[str, str]:
    """Return the declared variables that are set."""
    names = product.transform.dbt.env
    return {name: os.environ[name] for name in names if name in os.environ}


def spoken(product: Product) -> str:
    """Return a text that differs when a variable does; to be hashed, never to be shown."""
    values = given(product)
    return "".join(f"{n}={values.get(n, '')}\0{n in values}\0" for n in product.transform.dbt.env)


def require_given(product: Product) -> None:
    """Make sure that what the product declares is set.

    Raises:
        DeclarationError: with the names of those that are not.
    """
    missing = [name for name in product.transform.dbt.env if name not in os.environ]
    if missing:
        what = f"the environment has no {', '.join(missing)}, which the dbt project may read"
        then = "set it where the gate runs, or remove it from `env` of the transform"
        raise DeclarationError(Problem(what, product.where, "transform.dbt.env", next=then))
