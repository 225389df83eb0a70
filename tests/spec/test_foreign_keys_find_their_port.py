"""A foreign key refers to a port that the product reads or publishes, or it is an error."""

from __future__ import annotations

import pytest
from declared import CONTRACT, PRODUCT, Workspace, with_column

from dataops_mesh.spec.checks.check import checks_of
from dataops_mesh.spec.checks.measures import Unreferenced
from dataops_mesh.spec.loader import load_mesh
from dataops_mesh.spec.mesh import check_mesh
from dataops_mesh.spec.model import Address, Operator, Severity, Threshold, Unit
from dataops_mesh.spec.read.relationships import referenced

READS = PRODUCT + "  - name: network.airports\n  - name: parts.models\n"
AIRPORTS = Address("network", "airports")


def key(to: str, more: str = "") -> str:
    return with_column(f"logicalType: string, relationships: [{{to: {to}{more}}}]")


@pytest.mark.parametrize("to", ["airports.code", "network.airports.code", "[airports.code]"])
def test_a_key_refers_to_an_input_port(workspace: Workspace, to: str):
    product = workspace.load(READS, key(to))
    (check,) = [c for c in checks_of(product) if isinstance(c.measure, Unreferenced)]
    assert check.name == "extra_references_airports"
    assert check.measure == Unreferenced(("extra",), AIRPORTS, ("code",))
    assert (check.threshold, check.severity) == (Threshold(Operator.BE, 0), Severity.ERROR)
    assert referenced(product) == (AIRPORTS,)


def test_a_key_refers_to_its_own_relation(workspace: Workspace):
    product = workspace.load(contract=key("aircraft.tail_number", ", id: Base Model"))
    check = next(c for c in checks_of(product) if c.name == "base_model")
    assert check.measure == Unreferenced(("extra",), Address("fleet", "aircraft"), ("tail_number",))
    assert referenced(product) == ()


def test_a_composite_key_refers_as_a_whole(workspace: Workspace):
    text = CONTRACT + (
        "    relationships:\n"
        "      - from: [aircraft.tail_number, aircraft.seats]\n"
        "        to: [models.code, models.seats]\n"
    )
    (check,) = [
        c for c in checks_of(workspace.load(READS, text)) if isinstance(c.measure, Unreferenced)
    ]
    assert check.name == "tail_number_seats_references_models"
    assert check.measure == Unreferenced(
        ("tail_number", "seats"), Address("parts", "models"), ("code", "seats")
    )


def test_a_tolerance_is_the_threshold(workspace: Workspace):
    more = (
        ", customProperties: [{property: tolerance, vendor: dataops_mesh, "
        "value: {mustBeLessThan: 5, unit: percent, severity: warning}}]"
    )
    product = workspace.load(READS, key("airports.code", more))
    (check,) = [c for c in checks_of(product) if isinstance(c.measure, Unreferenced)]
    assert check.threshold == Threshold(Operator.LESS, 5, Unit.PERCENT)
    assert check.severity is Severity.WARNING


PROBLEMS = {
    "nowhere.code": "declare `- name: <domain>.nowhere` under inputPorts",
    "network.runways.code": "declare `- name: network.runways` under inputPorts",
    "aircraft_csv.tailnum": '"aircraft_csv" is a source',
    "aircraft.tail_numbers": 'no column "tail_numbers" (did you mean "tail_number"?)',
    "aircraft.seats": "extra is string and seats integer",
    "schema/aircraft_id/properties/seats_id": "is no reference to a column of a port",
    "a.b.c.d": "is no reference to a column of a port",
    "[airports.code, airports.name]": "1 columns refer to 2",
    "[airports.code, models.code]": "several relations",
    "code": "has none of the valid forms",
    "airports.code, from: aircraft.seats": "it is the column itself",
}  # fmt: skip


@pytest.mark.parametrize("to", PROBLEMS)
def test_a_key_that_refers_to_nothing_is_an_error(workspace: Workspace, to: str):
    problems = workspace.problems(READS, key(to))
    assert [str(p) for p in problems if PROBLEMS[to] in str(p)], problems
    assert len(problems) == 1 + ("from" in to)
    assert all(
        p.where and p.where.file.endswith(".odcs.yaml") and p.where.line == 11 for p in problems
    )


BROKEN = {
    "{from: aircraft.tail_number}": "is missing",
    "{from: aircraft.sears, to: airports.code}": 'no column "aircraft.sears"',
    "{from: other.seats, to: airports.code}": 'no column "other.seats"',
    "{from: [aircraft.seats, aircraft.seats], to: [airports.a, airports.b]}": "names a column twice",
    "{from: [aircraft.seats, aircraft.tail_number], to: [airports.code]}": "2 columns refer to 1",
    "{from: aircraft.seats, to: airports.code, type: parent}": "not one of the valid values",
    "{from: aircraft.seats, to: airports.code, customProperties: "
    "[{property: tolerance, vendor: dataops_mesh, value: {unit: percent}}]}": "needs exactly one operator",
    "{from: aircraft.seats, to: airports.code, customProperties: "
    "[{property: tolerance, vendor: dataops_mesh, value: {mustBe: 0, severity: bad}}]}": "severity",
    "{from: aircraft.seats, to: airports.code, customProperties: "
    "[{property: tolerances, vendor: dataops_mesh, value: {mustBe: 0}}]}": 'did you mean "tolerance"?',
}


@pytest.mark.parametrize("entry", BROKEN)
def test_a_broken_relationship_is_an_error(workspace: Workspace, entry: str):
    problems = workspace.problems(READS, CONTRACT + f"    relationships: [{entry}]\n")
    assert [str(p) for p in problems if BROKEN[entry] in str(p)], problems


def test_two_domains_with_the_same_port_need_the_domain(workspace: Workspace):
    text = READS + "  - name: other.airports\n"
    assert workspace.problems(text, key("airports.code"))
    assert not workspace.problems(text, key("other.airports.code"))


@pytest.mark.parametrize(
    ("column", "wrong"),
    [("code", ""), ("cod", 'no column "cod" (did you mean "code"?)'), ("size", "code is integer")],
)
def test_the_columns_of_another_product_are_checked(workspace: Workspace, column: str, wrong: str):
    workspace.write(PRODUCT + "  - name: network.airports\n", key(f"airports.{column}"))
    contract = (
        CONTRACT.replace("fleet.aircraft", "network.airports")
        .replace("name: aircraft", "name: airports")
        .replace("tail_number", "code")
        .replace("name: seats", "name: size")
    )
    files = {
        "airports.odcs.yaml": contract,
        "airports.sql": "select 1 as code from aircraft_csv",
        "aircraft.sql": None,
    }
    workspace.write(
        PRODUCT.replace("fleet.aircraft", "network.airports"),
        None,  # type: ignore[arg-type]
        files=files,  # type: ignore[arg-type]
        at=("network", "airports"),
    )
    found = check_mesh(load_mesh(workspace.root))
    assert bool(found) == bool(wrong)
    assert all("extra" in str(p) or wrong in str(p) for p in found)


def test_a_port_in_partitions_is_no_reference_to_itself(workspace: Workspace):
    text = key("aircraft.tail_number").replace(
        "logicalType: integer}", "logicalType: string, partitioned: true}"
    )
    text += (
        "customProperties:\n  - {property: partitions, vendor: dataops_mesh, "
        "value: {values: [a, b]}}\n"
    )
    assert not workspace.problems(READS, text.replace("to: aircraft.", "to: airports."))
    (problem,) = workspace.problems(READS, text)
    assert "is no reference to itself yet" in str(problem)
