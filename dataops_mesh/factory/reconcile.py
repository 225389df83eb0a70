"""Tell Dagster of publications it never heard of: a crash came between, or a rollback."""

import dagster as dg

from dataops_mesh.factory.describe import CANDIDATE, PUBLICATION, key_of
from dataops_mesh.factory.events import runless_materialization
from dataops_mesh.spec.model import Address, Product
from dataops_mesh.store.log import Part
from dataops_mesh.store.release import Entry, Release, latest
from dataops_mesh.store.store import Store


def reconcile(
    instance: dg.DagsterInstance, store: Store, product: Product
) -> tuple[tuple[Address, int], ...]:
    """Report each port's current publication to Dagster where its last event is an older one.

    Runless materializations wake automation like any other, which is what a rollback needs.

    Returns:
        The ports and publications that were reported.
    """
    release = latest(store)
    reported = []
    for port in product.outputs:
        entry = release.ports.get(port.address)
        last = _last_reported(instance, port.address)
        for built in sorted(_pieces(entry), key=lambda piece: piece.publication):
            if built.publication <= last:
                continue
            key = built.key if isinstance(built, Part) else None
            event = runless_materialization(
                port.address, _facts(release, built), built.fingerprint, key
            )
            instance.report_runless_asset_event(event)
            reported.append((port.address, built.publication))
    return tuple(reported)


def _pieces(entry: Entry | None) -> tuple[Entry | Part, ...]:
    """Return what was published: the whole port, or each of its partitions."""
    if entry is None:
        return ()
    return entry.parts or (entry,)


def _last_reported(instance: dg.DagsterInstance, address: Address) -> int:
    event = instance.get_latest_materialization_event(key_of(address))
    materialization = event.asset_materialization if event else None
    if materialization is None:
        return -1
    value = materialization.metadata.get(PUBLICATION)
    number = getattr(value, "value", None)
    return number if isinstance(number, int) else -1


def _facts(release: Release, entry: Entry | Part) -> dict[str, dg.MetadataValue]:
    return {
        PUBLICATION: dg.MetadataValue.int(entry.publication),
        CANDIDATE: dg.MetadataValue.text(entry.candidate),
        "dagster/row_count": dg.MetadataValue.int(entry.rows),
        "mesh/reported": dg.MetadataValue.text(
            "after the fact: the publication was a rollback, or its run ended before reporting"
        ),
        "mesh/release": dg.MetadataValue.int(release.number),
    }
