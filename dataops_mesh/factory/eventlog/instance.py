"""The instance that `mesh` writes into `dagster.yaml`: Dagster's, with our event log."""

from collections.abc import Collection, Mapping
from typing import Any

import dagster as dg
import yaml
from dagster._core.events import DagsterEventType
from dagster._core.instance.ref import InstanceRef
from dagster._serdes import ConfigurableClassData

from dataops_mesh.factory.eventlog.compute_logs import KeptComputeLogManager
from dataops_mesh.factory.eventlog.forget import forget_samples
from dataops_mesh.factory.eventlog.storage import KeptEventLogStorage

PLANNED = {
    DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
    DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED,
}
BATCH = 1000
PARTS = ("run_storage", "event_log_storage", "schedule_storage")


class WorkspaceInstance(dg.DagsterInstance):
    """Dagster's instance with the workspace's event log, unless `dagster.yaml` names a storage.

    A class of its own because only it is told where `dagster.yaml` is: a path in the file would
    lead a copied workspace to the events of the first.
    """

    @classmethod
    def config_schema(cls) -> Mapping[str, Any]:
        """Return what `dagster.yaml` may say beside what Dagster knows: nothing."""
        return {}

    @classmethod
    def config_defaults(cls, base_dir: str) -> Mapping[str, ConfigurableClassData | None]:
        """Return Dagster's defaults with our event log in the same folder."""
        defaults = dict(InstanceRef.config_defaults(base_dir))
        if (logs := defaults["compute_logs"]) is not None:
            defaults["compute_logs"] = ConfigurableClassData(
                KeptComputeLogManager.__module__, KeptComputeLogManager.__name__, logs.config_yaml
            )
        theirs = defaults["event_log_storage"]
        if theirs is None:
            return defaults
        defaults["event_log_storage"] = ConfigurableClassData(
            KeptEventLogStorage.__module__, KeptEventLogStorage.__name__, theirs.config_yaml
        )
        parts = {name: part._asdict() for name in PARTS if (part := defaults[name])}
        defaults["storage"] = ConfigurableClassData(
            "dagster._core.storage.legacy_storage", "CompositeStorage", yaml.safe_dump(parts)
        )
        return defaults

    def handle_new_event(
        self, event: dg.EventLogEntry, *, batch_metadata: Any | None = None
    ) -> None:
        """Store an event; what a run plans is stored in one batch, before it begins.

        Nothing else waits for a batch, whoever sends it: a result is stored when it is there.
        """
        if not self._batches_all and event.dagster_event_type not in PLANNED:
            batch_metadata = None
        super().handle_new_event(event, batch_metadata=batch_metadata)

    def forget_samples(
        self, name: str, about: str, candidates: Collection[str], runs: Collection[str]
    ) -> tuple[str, bool]:
        """Delete the samples of candidates; say what is left, and whether to try again.

        Args:
            name: of the metadata that is the sample.
            about: of the metadata that is the candidate.
            candidates: whose samples go.
            runs: that stored them.
        """
        return forget_samples(self.event_log_storage, (name, about), candidates, runs)

    @property
    def _batches_all(self) -> bool:
        """Tell whether the environment or another storage decides."""
        ours = isinstance(self._event_storage, KeptEventLogStorage)
        return not ours or super()._get_event_batch_size() > 0

    def _get_event_batch_size(self) -> int:
        return super()._get_event_batch_size() if self._batches_all else BATCH
