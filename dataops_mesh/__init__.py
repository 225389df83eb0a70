"""A data product is a contract plus a transform; a missing check result is a refusal.

    from dataops_mesh import load_domain   # a folder of declarations -> Dagster definitions
    from dataops_mesh import load_product  # one product, to stand beside assets of your own
    from dataops_mesh import connect       # a read-only connection to published data

Everything is loaded on first use: importing the package costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataops_mesh.errors import MeshError as MeshError
    from dataops_mesh.factory.component import DataProductComponent as DataProductComponent
    from dataops_mesh.factory.component import DomainComponent as DomainComponent
    from dataops_mesh.factory.domain import load_domain as load_domain
    from dataops_mesh.factory.domain import load_product as load_product
    from dataops_mesh.serving import connect as connect

__version__ = "0.1.0"
__all__ = [
    "DataProductComponent",
    "DomainComponent",
    "MeshError",
    "__version__",
    "connect",
    "load_domain",
    "load_product",
]

_LAZY = {
    "DataProductComponent": "dataops_mesh.factory.component",
    "DomainComponent": "dataops_mesh.factory.component",
    "MeshError": "dataops_mesh.errors",
    "connect": "dataops_mesh.serving",
    "load_domain": "dataops_mesh.factory.domain",
    "load_product": "dataops_mesh.factory.domain",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
