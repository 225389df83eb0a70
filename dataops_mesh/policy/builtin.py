"""The policies that come with the library, and those that nothing can soften."""

from __future__ import annotations

from dataops_mesh.policy.columns import COLUMNS
from dataops_mesh.policy.decisions import DECISIONS
from dataops_mesh.policy.expectations import EXPECTATIONS
from dataops_mesh.policy.flow import FLOW
from dataops_mesh.policy.inputs import INPUTS
from dataops_mesh.policy.model import Policy
from dataops_mesh.policy.people import PEOPLE
from dataops_mesh.policy.personal import PERSONAL_DATA
from dataops_mesh.policy.promises import PROMISES

BUILT_IN: tuple[Policy, ...] = (
    *PEOPLE,
    *COLUMNS,
    *PERSONAL_DATA,
    *FLOW,
    *EXPECTATIONS,
    *PROMISES,
    *INPUTS,
    *DECISIONS,
)

# Checked by the loader, `spec.mesh` and the dbt manifest, always as errors: without them a
# declaration has no meaning. A waiver that names one is told so.
ALWAYS: dict[str, str] = {
    "known_inputs": "every input port is published by a product of the mesh",
    "retired_inputs": "nobody reads a retired port",
    "compatible_inputs": "the major version and contract asked for are those of the port",
    "cycles": "products do not read each other in a circle",
    "unique_addresses": "a port's address and the ids are unique",
    "port_names": "domains, products and ports have names that work as identifiers",
    "dbt_contracts": "a public dbt model has a contract, and a contract a public model",
}
