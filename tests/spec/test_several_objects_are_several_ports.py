"""One contract with several schema objects: each is a port, with what is its own and what is shared."""

from __future__ import annotations

import pytest
from declared import PRODUCT, Workspace

from dataops_mesh.errors import DeclarationError
from dataops_mesh.plan.compare import compare
from dataops_mesh.spec.checks.check import checks_of
from dataops_mesh.spec.loader import load_mesh, load_product
from dataops_mesh.spec.mesh import check_mesh
from dataops_mesh.spec.model import Product

BOTH = """\
apiVersion: v3.2.0
kind: DataContract
id: fleet.both
version: 1.2.0
status: active
schema:
  - name: aircraft
    physicalName: planes_v1
    properties:
      - {name: tail_number, logicalType: string, primaryKey: true}
      - {name: seats, logicalType: integer}
      - {name: seen_at, logicalType: timestamp}
  - name: Maintenance Visits
    properties:
      - {name: id, logicalType: integer, primaryKey: true}
      - name: tail_number
        logicalType: string
        relationships: [{to: aircraft.tail_number}]
      - {name: done_at, physicalName: done, logicalType: timestamp}
    quality: [{type: sql, query: select count(*) from "maintenance visits", mustBeGreaterThan: 0}]
slaProperties:
  - {property: frequency, value: 1, unit: d}
  - {property: freshness, value: 2, unit: d, element: planes_v1.seen_at}
  - {property: freshness, value: 3, unit: d, element: Maintenance Visits.done}
  - {property: retention, value: 1, unit: y, element: done_at}
"""
VISITS = "select 1 as id, tailnum as tail_number, seen_at as done_at from aircraft_csv\n"
FILES = {"fleet.odcs.yaml": BOTH, "maintenance_visits.sql": VISITS, "aircraft.odcs.yaml": None}


def load(workspace: Workspace, both: str = BOTH, product: str = PRODUCT) -> Product:
    return workspace.load(product, files={**FILES, "fleet.odcs.yaml": both})


def names(product: Product, port: str) -> set[str]:
    return {c.name for c in checks_of(product) if c.port.port == port}


def test_each_object_is_a_port_with_its_own_checks_and_levels(workspace: Workspace):
    product = load(workspace)
    assert [p.name for p in product.outputs] == ["aircraft", "maintenance_visits"]
    assert {(p.version, p.contract.id) for p in product.outputs} == {("1.2.0", "fleet.both")}
    first, second = (port.contract for port in product.outputs)
    assert [(s.property, s.value) for s in first.slas] == [("frequency", 1), ("freshness", 2)]
    assert [(s.property, s.element) for s in second.slas] == [
        ("frequency", None), ("freshness", "done_at"), ("retention", "done_at"),
    ]  # fmt: skip
    assert {"freshness", "primary_key", "tail_number_required"} <= names(product, "aircraft")
    assert {"freshness", "retention", "sql", "tail_number_references_aircraft"} <= names(
        product, "maintenance_visits"
    )
    assert second.columns[0].where.line == 15
    for line in check_mesh(load_mesh(workspace.root)):
        assert "is also used at" not in str(line)


def test_the_product_lists_each_of_them_with_the_same_contract(workspace: Workspace):
    listed = PRODUCT + (
        "outputPorts:\n"
        "  - {name: maintenance_visits, version: 1.0.0, contractId: fleet.both}\n"
        "  - {name: aircraft, contractId: fleet.both}\n"
    )
    assert [p.name for p in load(workspace, product=listed).outputs] == [
        "maintenance_visits", "aircraft",
    ]  # fmt: skip
    with pytest.raises(DeclarationError) as raised:
        load(
            workspace, product=listed.replace("  - {name: aircraft, contractId: fleet.both}\n", "")
        )
    assert 'the contract of "aircraft" exists' in str(raised.value)


def test_a_mistake_is_told_once_with_the_keys_and_lines_of_the_file(workspace: Workspace):
    wrong = BOTH.replace("{name: id, logicalType: integer,", "{name: id, logicalType: integr,")
    wrong = wrong.replace("element: done_at}", "element: done_att}").replace("active", "actve")
    with pytest.raises(DeclarationError) as raised:
        load(workspace, wrong)
    assert sorted((p.where.line, p.key) for p in raised.value.problems if p.where) == [
        (5, "status"),
        (15, "schema[1].properties[0].logicalType"),
        (25, "slaProperties[3].element"),
    ]


def test_the_plan_says_which_object_changed(workspace: Workspace):
    before = load(workspace)
    after = load(workspace, BOTH.replace("done, logicalType: timestamp", "done, logicalType: date"))
    assert {str(one.port) for one in compare(before, after)} == {"fleet.maintenance_visits"}
    assert before.outputs[0].contract.fingerprint == after.outputs[0].contract.fingerprint
    less = BOTH[: BOTH.index("  - name: Maintenance")] + BOTH[BOTH.index("slaP") :].replace(
        "  - {property: freshness, value: 3, unit: d, element: Maintenance Visits.done}\n"
        "  - {property: retention, value: 1, unit: y, element: done_at}\n", "",
    )  # fmt: skip
    for name in ("fleet.odcs.yaml", "maintenance_visits.sql"):
        (workspace.folder() / name).unlink()
    gone = workspace.load(
        files={
            **FILES,
            "fleet.odcs.yaml": None,
            "aircraft.odcs.yaml": less,
            "maintenance_visits.sql": None,
        }
    )
    assert [(c.kind, str(c.port)) for c in compare(before, gone)] == [
        ("port_removed", "fleet.maintenance_visits")
    ]


def test_two_contracts_of_one_port_and_a_file_of_another_name_are_told(workspace: Workspace):
    folder = workspace.write(
        files={**FILES, "aircraft.odcs.yaml": BOTH.split("  - name: Main", maxsplit=1)[0]}
    )
    with pytest.raises(DeclarationError) as raised:
        load_product(folder, workspace.root)
    assert '"aircraft" has two contracts, here and at' in str(raised.value)
    for name in ("fleet.odcs.yaml", "maintenance_visits.sql"):
        (folder / name).unlink()
    single = BOTH.split("  - name: Main", maxsplit=1)[0].replace(
        "name: aircraft", "name: Aircraft "
    )
    assert workspace.problems(contract=single) == ()
    (problem,) = workspace.problems(contract=single.replace("Aircraft ", "Planes"))
    assert problem.key == "schema[0].name"


def test_a_source_takes_its_own_object(workspace: Workspace):
    source = BOTH.replace("name: Maintenance Visits", "name: aircraft_csv")
    source = source.replace("        relationships: [{to: aircraft.tail_number}]\n", "")
    source = source.replace('"maintenance visits"', "aircraft_csv").replace(
        "Maintenance Visits.", ""
    )
    product = workspace.load(files={"inputs/aircraft_csv.odcs.yaml": source})
    (port,) = product.inputs
    assert port.contract is not None
    assert [c.name for c in port.contract.columns] == ["id", "tail_number", "done_at"]
