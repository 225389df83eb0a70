"""What Dagster has on record of a publication."""

from __future__ import annotations

from locations import ORDERS


def plain(metadata):
    return {key: value.value for key, value in metadata.items()}


def materializations(instance, key=ORDERS):
    records = instance.fetch_materializations(key, limit=50).records
    return [record.asset_materialization for record in reversed(records)]


def publications(instance, key=ORDERS):
    return [plain(event.metadata)["mesh/publication"] for event in materializations(instance, key)]
