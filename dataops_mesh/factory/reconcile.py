"""Tell Dagster of publications it never heard of: a crash came between, or a rollback."""

import dagster as dg

from dataops_mesh.errors import MeshError
from dataops_mesh.factory.describe import CANDIDATE, PUBLICATION, key_of
from dataops_mesh.factory.events import runless_materialization
from dataops_mesh.spec.model import Address, Product
from dataops_mesh.store.forms import MASKED
from dataops_mesh.store.log import Part, as_it_was
from dataops_mesh.store.release import Entry, Release, latest
from dataops_mesh.store.store import Store

_LOOKED_AT = 100  # of the events on one asset


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
        last = _last_reported(instance, store, release, port.address)
        for built in sorted(_newer(entry, last), key=lambda piece: piece.publication):
            key = built.key if isinstance(built, Part) else None
            facts, content = _facts(release, built), built.form(MASKED)
            event = runless_materialization(port.address, facts, content, key)
            instance.report_runless_asset_event(event)
            reported.append((port.address, built.publication))
    return tuple(reported)


def _newer(entry: Entry | None, number: int) -> tuple[Entry | Part, ...]:
    """Return what was published since a release: the whole port, or some of its partitions."""
    if entry is None:
        return ()
    if entry.parts:
        return tuple(entry.newer_than(number))
    return (entry,) if entry.publication > number else ()


def _last_reported(
    instance: dg.DagsterInstance, store: Store, release: Release, address: Address
) -> int:
    """Return the newest publication that Dagster was told of, by events that the log confirms.

    Anybody may report an event; what it claims counts only where the log says the same.
    """
    key, cursor = key_of(address), None
    for count in (1, _LOOKED_AT):
        found = instance.fetch_materializations(key, limit=count, cursor=cursor)
        for record in found.records:
            number = _confirmed(store, release, address, record.asset_materialization)
            if number is not None:
                return number
        cursor = found.cursor
    return -1


def _confirmed(
    store: Store, release: Release, address: Address, event: dg.AssetMaterialization | None
) -> int | None:
    """Return the publication that an event names, if the log has it of that very candidate."""
    values = event.metadata if event else {}
    number = getattr(values.get(PUBLICATION), "value", None)
    candidate = getattr(values.get(CANDIDATE), "value", None)
    if not isinstance(number, int) or not 0 < number <= release.number:
        return None
    try:
        switches = as_it_was(store, number).switches
    except MeshError:  # damaged: nobody can say; it is older than what is there
        return number
    told = {switch.candidate for switch in switches if switch.address == address}
    told |= {part[1] for s in switches if s.address == address for part in s.parts}
    return number if candidate in told else None


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
