"""Tell Dagster that something was withdrawn: an observation without a run."""

import dagster as dg

from dataops_mesh.factory.describe import PUBLICATION, key_of
from dataops_mesh.store.release import Release


def tell_withdrawals(instance: dg.DagsterInstance, release: Release) -> None:
    """Report what a withdrawal took away, with who, when and why."""
    for address in release.changed:
        instance.report_runless_asset_event(
            dg.AssetObservation(
                key_of(address),
                description=f"withdrawn by {release.person}: {release.reason}",
                metadata={
                    PUBLICATION: dg.MetadataValue.int(release.number),
                    "mesh/withdrawn_by": dg.MetadataValue.text(release.person),
                    "mesh/reason": dg.MetadataValue.text(release.reason),
                    "mesh/partition": dg.MetadataValue.text(release.partition),
                },
            )
        )
