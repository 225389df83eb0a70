"""The setting `include`: a contract has what another file says, and says where it stands."""

from __future__ import annotations

from pathlib import Path

import pytest
from declared import Workspace
from jsonschema import Draft201909Validator

from dataops_mesh.spec.read.yaml import read_document
from dataops_mesh.spec.standards.schema import standard_schemas

HEAD = "apiVersion: v3.2.0\nkind: DataContract\nid: {id}\nversion: 1.0.0\nstatus: active\n"
SHARED = (
    HEAD.format(id="shared.columns")
    + """\
schema:
  - name: audit
    properties:
      - {name: loaded_at, logicalType: timestamp, required: true}
    quality:
      - {id: many, metric: rowCount, mustBeGreaterThan: 3}
  - name: words
    properties:
      - name: country
        logicalType: string
        description: Where.
        enum: [{value: DE}, {value: FR}]
        quality:
          - {id: known, metric: nullValues, mustBe: 0}
"""
)
SETTING = "customProperties: [{{property: include, vendor: dataops_mesh, value: {value}}}]"
OWN = (
    HEAD.format(id="fleet.aircraft.contract")
    + """\
schema:
  - name: aircraft
    properties:
      - {name: tail_number, logicalType: string, primaryKey: true}
"""
)
UP = "../../../shared/columns.odcs.yaml"


def contract(value: str = "", column: str = "", more: str = "") -> str:
    own = OWN + more
    if column:
        own += f"      - {{name: home, logicalType: string, {SETTING.format(value=column)}}}\n"
    return own + (SETTING.format(value=value) + "\n" if value else "")


def shared(workspace: Workspace, text: str = SHARED, name: str = "columns") -> Path:
    file = workspace.root / "shared" / f"{name}.odcs.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, "utf-8")
    return file


def test_what_is_included_is_the_same_as_what_is_written_out(workspace: Workspace) -> None:
    shared(workspace)
    found = workspace.load(contract=contract(f'"{UP}#audit"', f'"{UP}#country"'))
    included = found.outputs[0].contract
    written = OWN + (
        "      - {name: home, logicalType: string, description: Where., "
        "enum: [{value: DE}, {value: FR}], quality: [{id: known, metric: nullValues, mustBe: 0}]}\n"
        "      - {name: loaded_at, logicalType: timestamp, required: true}\n"
        "    quality:\n      - {id: many, metric: rowCount, mustBeGreaterThan: 3}\n"
    )
    plain = workspace.load(contract=written).outputs[0].contract
    assert [(c.name, c.logical_type, c.required, c.enum) for c in included.columns] == [
        (c.name, c.logical_type, c.required, c.enum) for c in plain.columns
    ]
    names = [rule.name for c in (included, *included.columns) for rule in c.rules]
    assert names == [rule.name for c in (plain, *plain.columns) for rule in c.rules]
    assert [str(c.where) for c in included.columns] == [
        "domains/fleet/aircraft/aircraft.odcs.yaml:9",
        "domains/fleet/aircraft/aircraft.odcs.yaml:10",
        "shared/columns.odcs.yaml:9",
    ]
    assert str(included.columns[1].rules[0].where) == "shared/columns.odcs.yaml:19"


def test_an_edit_of_an_included_file_is_another_contract(workspace: Workspace) -> None:
    file = shared(workspace)
    before = workspace.load(contract=contract(f'"{UP}#audit"'))
    file.write_text(SHARED.replace("Where.", "Where from."), "utf-8")
    unused = workspace.load(contract=contract(f'"{UP}#audit"'))
    file.write_text(SHARED.replace("mustBeGreaterThan: 3", "mustBeGreaterThan: 4"), "utf-8")
    after = workspace.load(contract=contract(f'"{UP}#audit"'))
    assert before.fingerprint == unused.fingerprint != after.fingerprint
    assert before.included == (file,)


def test_an_included_file_may_include_others(workspace: Workspace) -> None:
    shared(workspace)
    more = (
        HEAD.format(id="shared.more")
        + "schema:\n  - name: more\n    properties:\n"
        + (f"      - {{name: origin, {SETTING.format(value='columns.odcs.yaml#country')}}}\n")
    )
    shared(workspace, more, "more")
    found = workspace.load(contract=contract("../../../shared/more.odcs.yaml"))
    (column,) = (c for c in found.outputs[0].contract.columns if c.name == "origin")
    assert column.logical_type == "string"
    assert str(column.rules[0].where) == "shared/columns.odcs.yaml:19"
    assert len(found.included) == 2


def test_objects_of_one_file_share_what_the_contract_includes(workspace: Workspace) -> None:
    shared(workspace)
    text = contract(f'"{UP}#audit"').replace(
        "schema:\n", "schema:\n  - name: seats\n    properties: [{name: n, logicalType: integer}]\n"
    )
    files = {"aircraft.sql": "select 1", "seats.sql": "select 1"}
    found = workspace.load(contract=text, files=files)
    assert [[c.name for c in port.contract.columns] for port in found.outputs] == [
        ["n", "loaded_at"], ["tail_number", "loaded_at"],
    ]  # fmt: skip


MISTAKES = {
    "another folder": (contract("../../../../outside.odcs.yaml"), "leaves the workspace"),
    "no file": (contract("../../../shared/colums.odcs.yaml"), "columns.odcs.yaml"),
    "no contract": (contract("../../../shared/columns.txt"), "is no contract"),
    "no such object": (contract(f'"{UP}#audits"'), 'has no object "audits" (did you mean "audit"'),
    "several objects": (contract(UP), "has several objects"),
    "no such column": (contract(column=f'"{UP}#county"'), 'did you mean "country"'),
    "a column twice": (
        contract(f'"{UP}#audit"', more="      - {name: loaded_at, logicalType: date}\n"),
        'the column "loaded_at" is also defined at shared/columns.odcs.yaml:9',
    ),
    "two words": (
        contract(column=f'"{UP}#country"').replace("logicalType: string, custom", "logicalType: date, custom"),
        '"logicalType" is also said at shared/columns.odcs.yaml:15',
    ),
    "a circle": (contract("../../../shared/a.odcs.yaml"), "in a circle: shared/a.odcs.yaml -> "),
    "at another place": (
        OWN.replace("- name: aircraft\n", "- name: aircraft\n    " + SETTING.format(value=UP) + "\n"),
        "would have no effect",
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_wrong_include_is_told_with_its_line(mistake: str, workspace: Workspace) -> None:
    shared(workspace)
    around = SETTING.format(value="a.odcs.yaml")
    shared(workspace, HEAD.format(id="a") + "schema: [{name: a}]\n" + around, "a")
    text, told = MISTAKES[mistake]
    problems = workspace.problems(contract=text)
    assert any(told in str(one) for one in problems), [str(one) for one in problems]
    assert all(one.where and one.where.line > 1 for one in problems)


def test_a_mistake_in_an_included_file_is_told_there(workspace: Workspace) -> None:
    shared(workspace, SHARED.replace("logicalType: timestamp", "logicalType: datetime"))
    (problem,) = workspace.problems(contract=contract(f'"{UP}#audit"'))
    assert str(problem.where) == "shared/columns.odcs.yaml:9"
    assert problem.key == "schema[0].properties[0].logicalType"


def test_a_link_does_not_lead_out_of_the_workspace(workspace: Workspace, tmp_path: Path) -> None:
    outside = tmp_path.parent / "outside.odcs.yaml"
    outside.write_text(SHARED, "utf-8")
    (workspace.root / "shared").mkdir()
    (workspace.root / "shared" / "columns.odcs.yaml").symlink_to(outside)
    (problem,) = workspace.problems(contract=contract(f'"{UP}#audit"'))
    assert "leaves the workspace" in problem.what


def test_a_contract_that_includes_is_valid_by_the_standard(workspace: Workspace) -> None:
    shared(workspace)
    folder = workspace.write(contract=contract(f'"{UP}#audit"', f'"{UP}#country"'))
    file = folder / "aircraft.odcs.yaml"
    schema = Draft201909Validator(standard_schemas()["ODCS"])
    assert not list(schema.iter_errors(read_document(file, file.name).data))
