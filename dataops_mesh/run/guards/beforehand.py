"""What no data can change is asked before anything is read, built or bound."""

from __future__ import annotations

from dataops_mesh.run.declaration import publication_reasons
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.guards.capture import capture_reasons
from dataops_mesh.run.guards.classes import class_reasons
from dataops_mesh.run.guards.former import Building
from dataops_mesh.run.guards.masks import secret_reasons
from dataops_mesh.run.guards.remasked import mask_reasons
from dataops_mesh.run.guards.roles import restricted_reasons, role_reasons
from dataops_mesh.run.guards.stranger import stranger_reasons
from dataops_mesh.run.guards.visible import invisible_reasons
from dataops_mesh.spec.model import Product
from dataops_mesh.store.release import Release


def reasons_beforehand(
    product: Product, environment: Environment, release: Release, building: Building
) -> tuple[str, ...]:
    """Return why the product is not published whatever is built, one sentence each.

    Args:
        product: as it is declared now.
        environment: the store and the settings.
        release: what consumers read now.
        building: what is built of it.
    """
    return (
        *publication_reasons(product, environment, release),
        *stranger_reasons(product, environment, release),
        *invisible_reasons(product, environment, release),
        *class_reasons(product, environment, release, building),
        *mask_reasons(product, environment, release, building),
        *secret_reasons(product, environment.settings),
        *restricted_reasons(product, environment),
        *capture_reasons(product, environment),
        *role_reasons(product, environment, release),
    )
