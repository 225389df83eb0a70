"""What to do instead of a change that cannot be taken back."""

from __future__ import annotations

from dataops_mesh.plan.change import Change


def rewrite(change: Change) -> str:
    """Return how to make a one-way change in steps that can each be taken back."""
    what = change.what
    match change.kind:
        case "retention_cut":
            return (
                f"{what}: keep the publications (pin them or copy them) before they are collected"
            )
        case "classified_lower" | "pii_removed" | "masking_removed":
            return (
                f"{what}: publish a second port for those who may see it; leave this one as it is"
            )
        case "column_removed" | "type_narrower" | "key_changed" | "partitions_fewer":
            return (
                f"{what}: expand, then contract: publish {change.port}_v2 beside {change.port}, "
                f"deprecate {change.port} with an endOfLife, remove it when nobody reads it"
            )
        case _ if change.port is None:
            return (
                f"{what}: deprecate the product with an endOfLife, retire it when nobody reads it"
            )
        case _:
            return (
                f"{what}: keep {change.port} beside the new port, deprecate it with an endOfLife, "
                "remove it when nobody reads it"
            )
