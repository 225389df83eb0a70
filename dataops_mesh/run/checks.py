"""All checks of a product: those of its contracts and inputs, and those that dbt runs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from dataops_mesh.errors import DeclarationError
from dataops_mesh.run.partition import partition_checks
from dataops_mesh.spec.checks.check import Check, CheckResult, Outcome, Stage, checks_of
from dataops_mesh.spec.checks.measures import DbtTest
from dataops_mesh.spec.dbt_names import KINDS, names
from dataops_mesh.spec.model import ZERO, Address, Product, Severity
from dataops_mesh.spec.partition import Partition
from dataops_mesh.transform.dbt import reading as dbt
from dataops_mesh.transform.dbt.build import DbtTestRun
from dataops_mesh.transform.dbt.problems import dbt_problems
from dataops_mesh.transform.dbt.project import (
    below,
    called_names,
    file_of,
    idle_tests,
    is_dbt,
)
from dataops_mesh.transform.place import place
from dataops_mesh.transform.walls import Walls

_COUNTING = frozenset(
    f"macro.dbt.test_{name}" for name in ("not_null", "unique", "accepted_values", "relationships")
)


def all_checks(
    product: Product, walls: Walls, partition: Partition | None = None
) -> tuple[Check, ...]:
    """Return every check that a candidate of the product must have a result for."""
    checks = checks_of(product) + partition_checks(product, partition)
    if is_dbt(product):
        manifest, nodes = dbt_nodes(product, walls)
        checks += dbt_checks(product, manifest, nodes)
    return checks


def dbt_nodes(product: Product, walls: Walls) -> tuple[Mapping[str, Any], frozenset[str]]:
    """Return the project's manifest and the nodes that the product selects.

    Raises:
        DeclarationError: the dbt project and the declaration disagree.
    """
    file = dbt.parsed_manifest(product, walls)
    manifest = dbt.manifest_of(file)
    nodes = dbt.selected_nodes(product, manifest, walls)
    if problems := dbt_problems(product, manifest, nodes):
        raise DeclarationError(problems)
    return manifest, nodes - idle_tests(manifest, nodes).keys()


def dbt_checks(
    product: Product, manifest: Mapping[str, Any], nodes: Iterable[str]
) -> tuple[Check, ...]:
    """Return one check per dbt test in the selection, bound to the model it tests."""
    known = {**manifest["nodes"], **manifest.get("unit_tests", {})}
    first = product.outputs[0].address
    called = called_names(product, manifest, nodes)
    tests = [known[key] for key in sorted(nodes) if key in known]
    tests = [node for node in tests if node["resource_type"] in {"test", "unit_test"}]
    check_names = _check_names(tests)
    checks = []
    for node in tests:
        tested = _tested(node, manifest, called)
        severity = str(node["config"].get("severity") or "error").lower()
        checks.append(
            Check(
                name=check_names[node["unique_id"]],
                port=Address(product.domain, tested) if tested else first,
                relation=tested or str(first),
                measure=DbtTest(node["unique_id"]),
                threshold=ZERO,
                severity=Severity.WARNING if severity == "warn" else Severity.ERROR,
                stage=Stage.OUTPUT,
                where=place(product, file_of(product, node, manifest)),
                fingerprint=node["unique_id"],
                description=node.get("description") or f"dbt test {node['name']}",
                withheld=_may_tell_a_value(node),
            )
        )
    return tuple(checks)


def _check_names(tests: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return what the check of each test is called, by the test's unique id: no two alike.

    Projects and their packages may test models of the same name, and of a name not every letter
    can stand in that of a check.
    """
    named = {str(node["unique_id"]): str(node["name"]) for node in tests}
    twice = Counter(named.values())
    plain = {
        key: "dbt_" + re.sub(r"[^A-Za-z0-9_]", "_", name if twice[name] == 1 else key)
        for key, name in named.items()
    }
    again = Counter(plain.values())
    return {
        key: name if again[name] == 1 else f"{name}_{sha256(key.encode()).hexdigest()[:8]}"
        for key, name in plain.items()
    }


def dbt_results(
    candidate: str, checks: Iterable[Check], runs: Iterable[DbtTestRun]
) -> tuple[CheckResult, ...]:
    """Turn what dbt said of its tests into check results; what it did not run has none."""
    by_id = {run.unique_id: run for run in runs}
    results = []
    for check in checks:
        measure = check.measure
        if not isinstance(measure, DbtTest) or measure.unique_id not in by_id:
            continue
        run = by_id[measure.unique_id]
        outcome, reason = _read_status(check, run)
        number = None if outcome is Outcome.ERRORED else float(outcome is Outcome.FAILED)
        withheld = check.withheld and number is not None
        results.append(
            CheckResult(
                check=check.name,
                port=check.port,
                candidate=candidate,
                fingerprint=check.fingerprint,
                outcome=outcome,
                severity=check.severity,
                observed=None if withheld else number,
                reason=reason,
                withheld=withheld,
            )
        )
    return tuple(results)


def _read_status(check: Check, run: DbtTestRun) -> tuple[Outcome, str]:
    match run.status:
        case "pass":
            return Outcome.PASSED, ""
        case "warn" if check.severity is Severity.ERROR:
            # Between dbt's warn_if and error_if: the project decided that this may pass.
            return Outcome.PASSED, f"dbt warned: {_rows(check, run)}"
        case "warn" | "fail":
            return Outcome.FAILED, f"the dbt test found {_rows(check, run)}"
        case _:
            said = f": {run.why}" if run.why else ""
            return Outcome.ERRORED, f'dbt reports the status "{run.status}"{said}'


def _rows(check: Check, run: DbtTestRun) -> str:
    if check.withheld:
        return "failing rows (not counted here: the test may read values of classified columns)"
    return f"{run.failures} failing rows"


def _may_tell_a_value(node: Mapping[str, Any]) -> bool:
    """Tell whether the number of a dbt test may be a value of a classified column.

    `fail_calc` can be any aggregate, and a test's SQL can turn a value into a number of rows.
    dbt's own four tests count rows; a unit test knows only made-up data.
    """
    if node["resource_type"] != "test":
        return False
    config, macros = node["config"], node["depends_on"].get("macros", ())
    counts = str(config.get("fail_calc") or "count(*)").replace(" ", "") == "count(*)"
    return not (counts and not config.get("where") and any(m in _COUNTING for m in macros))


def _tested(node: Mapping[str, Any], manifest: Mapping[str, Any], called: Mapping[str, str]) -> str:
    """Return what a test belongs to, by its port's name; nothing for a source's test."""
    attached = node.get("attached_node") or node.get("tested_node_unique_id")
    for key in [attached] if attached else below(node):
        tested = manifest["nodes"].get(key)
        if tested is not None and tested["resource_type"] in KINDS:
            return called.get(key) or names(tested)[0]
    return ""
