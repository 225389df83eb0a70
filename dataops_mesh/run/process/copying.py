"""Ask the gate, which alone knows the connections, to bring copies to what the log says."""

from __future__ import annotations

from dataops_mesh.run.exporting import Exported
from dataops_mesh.run.process.client import Progress, ask_gate, request_for
from dataops_mesh.run.process.wire import EXPORT
from dataops_mesh.settings import Settings
from dataops_mesh.spec.model import Product


def gate_export(
    product: Product, settings: Settings, progress: Progress = lambda _: None
) -> tuple[Exported, ...]:
    """Have the gate bring every copy of a product to what the newest release says.

    Raises:
        MeshError: as `export_product`.
    """
    request = request_for(EXPORT, product=product, settings=settings, checks=(), run_id="")
    lines = ask_gate(request, settings, progress, code=False)
    return tuple(Exported(**{**line, "ports": tuple(line["ports"])}) for line in lines)
