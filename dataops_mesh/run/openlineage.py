"""Tells OpenLineage what a run read and wrote, and how its checks ended. docs/logs.md.

The manifest of a candidate is all there is to tell: it holds no value of the data. Told once, by
whoever put the candidate on record; a receiver that is down keeps nobody waiting.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from dataops_mesh.run.identity import library_version
from dataops_mesh.settings import Settings
from dataops_mesh.store.manifest import PUBLISH, REFUSE

if TYPE_CHECKING:
    from openlineage.client import OpenLineageClient
    from openlineage.client.event_v2 import InputDataset, OutputDataset, RunEvent

LOGGER = logging.getLogger("dataops_mesh.openlineage")
PRODUCER = f"urn:dataops_mesh:{library_version()}"
SECONDS = 3.0  # how long a process waits for the receiver
_DEAF = threading.Event()
_IDS = uuid.UUID("6a1f8f0e-5d0c-4f43-9d57-6d6573680001")


def tell_openlineage(settings: Settings, manifest: Mapping[str, Any]) -> None:
    """Send the events of a candidate, if the setting `openlineage` says so. Never raises."""
    if not settings.openlineage:
        return
    try:
        client = _client()  # first: it says in whose name the events are made
        events = list(events_of(manifest, settings.openlineage))
    except ImportError:
        _say("openlineage-python is not installed: pip install 'dataops-mesh[openlineage]'")
        return
    except Exception as error:  # noqa: BLE001 - whatever it is, the record stands
        _say(f"{type(error).__name__}: check the settings of OpenLineage's client")
        return
    sender = threading.Thread(target=_send, args=(client, events), daemon=True)
    sender.start()
    sender.join(
        0 if _DEAF.is_set() else SECONDS
    )  # a process waits once, however much it catches up
    if sender.is_alive():
        _DEAF.set()
        _say(f"the receiver has not answered within {SECONDS:.0f} seconds")


def events_of(manifest: Mapping[str, Any], namespace: str) -> Iterator[RunEvent]:
    """Yield the start and the end of what built a candidate.

    Args:
        manifest: the plain data of the manifest, as in its JSON.
        namespace: of the jobs and datasets; one for a mesh.
    """
    from openlineage.client import facet_v2 as facets
    from openlineage.client.event_v2 import Job, Run, RunEvent, RunState

    refused = manifest["verdict"] != PUBLISH
    state = RunState.FAIL if refused else RunState.COMPLETE
    said: dict[str, Any] = {"tests": _tests(manifest)}
    if refused:
        why = "refused" if manifest["verdict"] == REFUSE else "failed"
        told = "; ".join([f"{manifest['product']} was {why}", *manifest["reasons"]])
        said["errorMessage"] = facets.error_message_run.ErrorMessageRunFacet(told, "Python")
    number = str(uuid.uuid5(_IDS, manifest["candidate"]))
    job = Job(namespace, manifest["product"])
    for at, event, run in (
        (manifest["started"], RunState.START, Run(number)),
        (manifest["finished"], state, Run(number, facets=said)),
    ):
        ends = event is not RunState.START
        yield RunEvent(
            eventType=event,
            eventTime=at,
            run=run,
            job=job,
            producer=PRODUCER,
            inputs=list(_inputs(manifest, namespace)),
            outputs=list(_outputs(manifest, namespace)) if ends and not refused else [],
        )


def _tests(manifest: Mapping[str, Any]) -> Any:
    """Return how the checks ended: their names, and no number of them."""
    from openlineage.client.facet_v2 import test_run

    return test_run.TestRunFacet(
        [
            test_run.TestExecution(
                name=f"{one['port']}: {one['check']}",
                status="pass" if one["outcome"] == "passed" else "fail",
                severity="error" if one["severity"] == "error" else "warn",
            )
            for one in manifest["results"]
        ]
    )


def _inputs(manifest: Mapping[str, Any], namespace: str) -> Iterator[InputDataset]:
    from openlineage.client import facet_v2 as facets
    from openlineage.client.event_v2 import InputDataset

    for read in manifest["inputs"]:
        name = read["address"] or f"{manifest['product']}/{read['name']}"
        version = read["candidate"] or read["fingerprint"]
        told = facets.dataset_version_dataset.DatasetVersionDatasetFacet(version)
        yield InputDataset(namespace, name, facets={"version": told} if version else {})


def _outputs(manifest: Mapping[str, Any], namespace: str) -> Iterator[OutputDataset]:
    from openlineage.client import facet_v2 as facets
    from openlineage.client.event_v2 import OutputDataset

    for port in manifest["ports"]:
        columns = [
            facets.schema_dataset.SchemaDatasetFacetFields(name, kind)
            for name, kind in port["columns"]
        ]
        counted = facets.output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(
            rowCount=port["rows"], size=port["bytes"]
        )
        version = facets.dataset_version_dataset.DatasetVersionDatasetFacet(manifest["candidate"])
        yield OutputDataset(
            namespace,
            port["address"],
            outputFacets={"outputStatistics": counted},
            facets={
                "schema": facets.schema_dataset.SchemaDatasetFacet(columns),
                "version": version,
            },
        )


@cache
def _client() -> OpenLineageClient:
    """Return the client, as its own environment or its file `openlineage.yml` says."""
    from openlineage.client import OpenLineageClient, set_producer

    set_producer(PRODUCER)
    return OpenLineageClient()


def _send(client: OpenLineageClient, events: list[RunEvent]) -> None:
    try:
        for event in events:
            client.emit(event)
    except Exception as error:  # noqa: BLE001 - whatever it is, the record stands
        _say(type(error).__name__)


@cache
def _say(what: str) -> None:
    LOGGER.warning("OpenLineage was not told: %s; what happened is on record all the same", what)
