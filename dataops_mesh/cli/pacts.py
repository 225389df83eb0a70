"""`mesh accept`: a producer takes a consumer's expectations into its own gate."""

from __future__ import annotations

from typing import Any

from dataops_mesh.cli.output import say
from dataops_mesh.cli.workspace import one, open_workspace
from dataops_mesh.errors import DeclarationError, Problem
from dataops_mesh.policy.notes import Note
from dataops_mesh.spec.loader import load_product
from dataops_mesh.spec.model import Mesh, Product
from dataops_mesh.spec.read.extras import VENDOR
from dataops_mesh.spec.read.pact import FOLDER, SUFFIX, declared, moved_on

_HEAD = """\
# Written by `mesh accept {consumer} --for {product}`: what {consumer} expects, in its own
# words. The gate of {product} checks it before publishing; see docs/pacts.md.
"""


def accept(consumer: str, product: str, *, warn: bool) -> int:
    """Copy the consumer's expectations into a file of the producer, and validate it."""
    from dataops_mesh.run.account import record_operation
    from dataops_mesh.run.environment import open_environment

    settings, mesh = open_workspace()
    reader, maker = one(mesh, consumer), one(mesh, product)
    file = maker.folder / FOLDER / f"{consumer}{SUFFIX}"
    before = file.read_text("utf-8") if file.is_file() else None
    text = pact_text(reader, maker, warn=warn)
    shown = file.relative_to(settings.root)
    record_operation(
        open_environment(settings), "accept", [consumer, product], file=str(shown), warn=warn
    )
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, "utf-8")
    try:
        accepted = load_product(maker.folder, settings.root)
    except DeclarationError:
        if before is None:
            file.unlink()
        else:
            file.write_text(before, "utf-8")
        raise
    rules = sum(len(pact.rules) for pact in accepted.pacts if pact.consumer == consumer)
    means = "a failure is a warning" if warn else "a failure refuses"
    say(f"{shown}: {rules} expectations of {consumer}; {means} from the next run on")
    return 0


def pact_text(consumer: Product, maker: Product, *, warn: bool) -> str:
    """Return the file of a pact: the consumer's expectations as they stand in its declaration."""
    import yaml

    addresses = [port.address for port in maker.outputs if port.address in declared(consumer)]
    if not addresses:
        ports = [str(port.address) for port in maker.outputs]
        what = f"{consumer.qualified_name} expects nothing of {' or '.join(ports)}"
        then = "add the setting `expectations` to its input port"
        raise DeclarationError(Problem(what, consumer.where, next=then))
    words = {
        "consumer": consumer.qualified_name,
        "severity": "warning" if warn else "error",
        "expectations": {str(address): _written(consumer, str(address)) for address in addresses},
    }
    head = _HEAD.format(consumer=consumer.qualified_name, product=maker.qualified_name)
    return head + yaml.safe_dump(words, sort_keys=False, allow_unicode=True, width=100)


def pact_notes(mesh: Mesh, products: list[Product]) -> tuple[Note, ...]:
    """Return a warning for each pact that its consumer has moved on from."""
    return tuple(("warning", problem) for problem in moved_on(mesh, products))


def _written(consumer: Product, address: str) -> list[dict[str, Any]]:
    """Return the expectations on a port as the consumer wrote them."""
    document = consumer.document
    ports = document.data.get("inputPorts", []) if document else []
    for port in ports:
        settings = {
            entry["property"]: entry.get("value")
            for entry in port.get("customProperties", [])
            if entry.get("vendor") == VENDOR
        }
        if settings.get("address", port["name"]) == address:
            return list(settings.get("expectations") or [])
    return []
