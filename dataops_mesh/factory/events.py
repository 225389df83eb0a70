"""What a run's report becomes in Dagster: materializations and check results, or a Failure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import dagster as dg

from dataops_mesh.factory.describe import CANDIDATE, PUBLICATION, SEVERITIES, key_of
from dataops_mesh.gate import Refuse
from dataops_mesh.run.report import Report
from dataops_mesh.spec.checks.check import Check, CheckResult, Outcome
from dataops_mesh.spec.model import Address
from dataops_mesh.store.described import PortData
from dataops_mesh.store.forms import MASKED, form_of

SHOWN_REASONS = 8
SAMPLE = "sample"


def events_of(
    report: Report,
    keys: Iterable[dg.AssetKey],
    lineage: Mapping[dg.AssetKey, dg.TableColumnLineage],
) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    """Yield what Dagster stores of a run.

    Args:
        report: what the run said.
        keys: every asset of the step, inputs first: the ports, and what nobody can read
            (dbt's inner models).
        lineage: what the columns of the ports are made of, where it is known.

    Raises:
        dagster.Failure: the gate refused; the check results were yielded before, and no
            materialization is, so nothing downstream is woken.
    """
    checks = {(check.port, check.name): check for check in report.checks}
    by_asset: dict[dg.AssetKey, list[dg.AssetCheckResult]] = {key: [] for key in keys}
    for result in report.results:
        check = checks[result.port, result.check]
        by_asset[key_of(check.port)].append(check_result(report, check, result))
    if isinstance(report.decision, Refuse):
        for found in by_asset.values():
            yield from found
        raise refusal(report)
    ports = {key_of(port.address): port for port in report.ports}
    for key, found in by_asset.items():
        port = ports.get(key)
        yield dg.MaterializeResult(
            asset_key=key,
            metadata={
                **(port_facts(report, port) if port else _private_facts(report)),
                **({"dagster/column_lineage": lineage[key]} if key in lineage else {}),
            },
            check_results=found,
            data_version=dg.DataVersion(_shown(port)) if port else None,
        )


def port_facts(report: Report, port: PortData) -> dict[str, Any]:
    """Return the metadata of one published port."""
    return {
        PUBLICATION: report.publication,
        CANDIDATE: report.candidate,
        **_row_count(report, port),
        **_set_aside(report, port),
        "mesh/bytes": port.bytes,
        "mesh/changed": port.address in report.changed,
        "mesh/coverage": _coverage(report),
        "mesh/warnings": list(report.decision.warnings) or "none",
        "mesh/inputs": {read.name: _read(read) for read in report.reads},
        "mesh/code_version": report.code_version,
        "mesh/git_commit": report.git_commit or "not in git",
        "mesh/seconds": report.seconds,
        **({"mesh/notes": list(report.notes)} if report.notes else {}),
    }


def check_result(report: Report, check: Check, result: CheckResult) -> dg.AssetCheckResult:
    """Return one check's result; its sample holds no classified column."""
    metadata: dict[str, Any] = {
        "severity": check.severity.value,
        "threshold": str(check.threshold),
        "observed": result.told,
        CANDIDATE: report.candidate,
        PUBLICATION: report.publication if report.publication is not None else "refused",
        "declared at": str(check.where),
    }
    if result.rows is not None:
        metadata["rows"] = result.rows
    if result.reason:
        metadata["reason"] = result.reason
    if result.sample:
        metadata[SAMPLE] = sample_table(result)
    return dg.AssetCheckResult(
        check_name=check.name,
        asset_key=key_of(check.port),
        passed=result.outcome is Outcome.PASSED,
        severity=SEVERITIES[check.severity],
        description=result.reason or None,
        metadata=metadata,
    )


def sample_table(result: CheckResult) -> dg.TableMetadataValue:
    """Return a few offending rows as a table."""
    columns = [name for name, _ in result.sample[0]]
    return dg.MetadataValue.table(
        records=[
            dg.TableRecord({name: "" if v is None else str(v) for name, v in row})
            for row in result.sample
        ],
        schema=dg.TableSchema(columns=[dg.TableColumn(name) for name in columns]),
    )


def refusal(report: Report) -> dg.Failure:
    """Return the Failure of a refused run.

    Retries are for faults of the machinery; running the same data again cannot change a verdict.
    """
    reasons = report.decision.reasons if isinstance(report.decision, Refuse) else ()
    shown = "\n".join(f"- {reason}" for reason in reasons[:SHOWN_REASONS])
    more = len(reasons) - SHOWN_REASONS
    tail = f"\n- and {more} more" if more > 0 else ""
    return dg.Failure(
        description=(
            f"The gate refused {report.product.qualified_name}; consumers read what they "
            f"read before.\n{shown}{tail}"
        ),
        metadata={CANDIDATE: report.candidate, "mesh/reasons": list(reasons)},
        allow_retries=report.retryable,
    )


def runless_materialization(
    address: Address, facts: Mapping[str, Any], fingerprint: str, partition: str | None = None
) -> dg.AssetMaterialization:
    """Return the event for a publication that no step reported (a crash, a rollback)."""
    return dg.AssetMaterialization(
        asset_key=key_of(address),
        metadata=dict(facts),
        partition=partition,
        tags={"dagster/data_version": fingerprint},
    )


def _shown(port: PortData) -> str:
    """Return the fingerprint of what stands at the port's address: Dagster reads no other form."""
    return form_of(port.forms, MASKED, port.fingerprint)


def _row_count(report: Report, port: PortData) -> dict[str, Any]:
    """Return the rows under the name that Dagster plots: of the table, or of the partition."""
    of_partition = report.partition is not None
    return {"dagster/partition_row_count" if of_partition else "dagster/row_count": port.rows}


def _set_aside(report: Report, port: PortData) -> dict[str, Any]:
    """Return how many rows each rule has set aside, where the contract lets rules do so."""
    found = next((one for one in report.quarantines if one.address == port.address), None)
    if found is None:
        return {}
    return {"mesh/rows_set_aside": found.rows, "mesh/set_aside_by": dict(found.rules)}


def _private_facts(report: Report) -> dict[str, Any]:
    return {CANDIDATE: report.candidate, "mesh/readable": "no: private to the run"}


def _coverage(report: Report) -> str:
    rules = report.coverage
    return (
        f"{rules.executable} of {rules.declared} declared rules are executed; "
        f"{report.executed} of {len(report.checks)} checks ran"
        + "".join(f"; not executed: {one}" for one in rules.unexecuted)
    )


def _read(read: Any) -> str:
    if read.publication is not None:
        return f"publication {read.publication}"
    return f"fingerprint {read.fingerprint}"
