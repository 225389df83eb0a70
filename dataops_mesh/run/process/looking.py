"""Having the gate look at sources that are elsewhere: it alone has network and passwords."""

from __future__ import annotations

import logging

from dataops_mesh.errors import MeshError
from dataops_mesh.run.checks import all_checks
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.inputs.looking import is_look_due
from dataops_mesh.run.process.client import ask_gate, request_for
from dataops_mesh.run.process.wire import LOOK
from dataops_mesh.spec.model import Product
from dataops_mesh.transform.walls import walls_of

LOGGER = logging.getLogger("dataops_mesh")


def have_looked(product: Product, environment: Environment) -> tuple[str, ...]:
    """Have the gate look at a product's sources, unless it did a moment ago; say what went wrong.

    Nothing is raised: a source that does not answer is no fault of whoever wants to know, and what
    was seen before still counts. The note of the source keeps what went wrong.
    """
    if not is_look_due(product, environment):
        return ()
    settings, told = environment.settings, list[str]()
    try:
        checks = all_checks(product, walls_of(settings))
        request = request_for(LOOK, product=product, settings=settings, checks=checks, run_id=LOOK)
        ask_gate(request, settings, told.append, code=False)
    except MeshError as error:
        told.append(error.problems[0].what)
    for trouble in told:
        LOGGER.warning("%s: %s", product.qualified_name, trouble)
    return tuple(told)
