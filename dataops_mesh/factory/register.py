"""In production a code location that loads is a deployment: its declarations go on record."""

import logging

from dataops_mesh.errors import MeshError
from dataops_mesh.run.environment import open_environment
from dataops_mesh.run.lineage import Known, upstream_ports
from dataops_mesh.run.registry.register import register
from dataops_mesh.settings import Settings
from dataops_mesh.spec.model import Domain

_log = logging.getLogger(__name__)


def register_at_load(domain: Domain, settings: Settings, known: Known) -> None:
    """Put what is new of the domain on record; what is on record already costs one query.

    A registry that cannot be written must not keep a domain from loading.
    """
    try:
        found = [
            upstream_ports(product, settings.domains_folder, settings.root, known)
            for product in domain.products
        ]
        ports = {address: port for one in found for address, (_, port) in one.items()}
        register(domain, open_environment(settings), ports)
    except (MeshError, OSError) as error:
        _log.warning("%s is not registered: %s", domain.name, error)
