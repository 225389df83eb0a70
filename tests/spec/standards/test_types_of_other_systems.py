"""A type of another system is honoured where its meaning is exact, else recorded; a slip is told."""

from __future__ import annotations

import pytest
from declared import CONTRACT, Workspace, checks, with_column

from dataops_mesh.errors import DeclarationError
from dataops_mesh.spec.checks.coverage import unexecuted
from dataops_mesh.spec.checks.measures import ColumnType, Length, OutsideSet, TooFine
from dataops_mesh.spec.model import Severity

# What stands in the contract -> the column's stored type, and the checks that come of it.
EXACT = {
    "logicalType: integer, physicalType: 'NUMBER(38,0)'": ("DECIMAL(38,0)", {}),
    "logicalType: number, physicalType: 'number(10, 2)'": ("DECIMAL(10,2)", {}),
    "logicalType: number, physicalType: NUMBER": ("DOUBLE", {}),
    "logicalType: number, physicalType: 'BIGNUMERIC(76,38)'": ("DOUBLE", {}),
    "logicalType: integer, physicalType: int(11)": ("INTEGER", {}),
    "logicalType: integer, physicalType: bigserial": ("BIGINT", {}),
    "logicalType: integer, physicalType: bigint unsigned": ("UBIGINT", {}),
    "logicalType: boolean, physicalType: tinyint(1)": ("BOOLEAN", {}),
    "logicalType: boolean, physicalType: BIT": ("BOOLEAN", {}),
    "logicalType: number, physicalType: FLOAT64": ("DOUBLE", {}),
    "logicalType: number, physicalType: 'float(3,2)'": ("DOUBLE", {}),
    "logicalType: string, physicalType: STRING": ("VARCHAR", {}),
    "logicalType: string, physicalType: character varying(9)":
        ("VARCHAR", {"length": Length("extra", None, 9)}),
    "logicalType: string, physicalType: VARCHAR2(10 CHAR)":
        ("VARCHAR", {"length": Length("extra", None, 10)}),
    "logicalType: string, physicalType: 'varchar[15]'":
        ("VARCHAR", {"length": Length("extra", None, 15)}),
    "logicalType: string, physicalType: nvarchar(max)": ("VARCHAR", {}),
    "logicalType: string, physicalType: char(5), logicalTypeOptions: {maxLength: 3, minLength: 1}":
        ("VARCHAR", {"length": Length("extra", 1, 3)}),
    "logicalType: string, physicalType: char(2), logicalTypeOptions: {maxLength: 3}":
        ("VARCHAR", {"length": Length("extra", None, 2)}),
    "logicalType: string, physicalType: \"enum('a', 'b')\"":
        ("VARCHAR", {"enum": OutsideSet("extra", ("a", "b"))}),
    "logicalType: string, physicalType: ENUM": ("VARCHAR", {}),
    "logicalType: string, physicalType: GEOGRAPHY": ("VARCHAR", {}),
    "logicalType: timestamp, physicalType: TIMESTAMP_NTZ(9)": ("TIMESTAMP", {}),
    "logicalType: timestamp, physicalType: timestamp(3) with time zone":
        ("TIMESTAMP WITH TIME ZONE", {"digits": TooFine("extra", "timestamp(3)", 1000)}),
    "logicalType: timestamp, physicalType: timestamp(6)": ("TIMESTAMP", {}),
    # What only the physical type says.
    "physicalType: varchar(3)": ("VARCHAR", {"length": Length("extra", None, 3)}),
    "physicalType: 'NUMBER(10,2)'": ("DECIMAL(10,2)", {}),
    "physicalType: TIMESTAMP_TZ": ("TIMESTAMP WITH TIME ZONE", {}),
    "physicalType: uniqueidentifier": ("UUID", {}),
}  # fmt: skip
SERVERS = "servers: [{server: prod, type: mysql, host: h, port: 3306, database: d}]\n"


@pytest.mark.parametrize("keys", EXACT)
def test_a_type_is_honoured_where_it_is_exact(workspace: Workspace, keys: str):
    before = set(checks(workspace))
    text = with_column(keys)
    if not keys.startswith("logicalType"):  # since 3.2 it must be there
        text = text.replace("v3.2.0", "v3.1.0")
    found = checks(workspace, contract=text)
    stored, wanted = EXACT[keys]
    column = found["schema"].measure.columns[-1]
    assert isinstance(column, ColumnType)
    assert column.accepted == (stored,)
    made = {name: check.measure for name, check in found.items() if name not in before}
    assert made == {f"extra_{name}": measure for name, measure in wanted.items()}


SLIPS = {
    "logicalType: string, physicalType: VARCHARR": 'did you mean "VARCHAR"?',
    "logicalType: integer, physicalType: INTGER": 'did you mean "INTEGER"?',
    "logicalType: string, physicalType: INTEGER": "no physical type of logicalType string",
    "logicalType: boolean, physicalType: DATE": "no physical type of logicalType boolean",
    "physicalType: varchar": "needs a logicalType",
}


@pytest.mark.parametrize("keys", SLIPS)
def test_a_slip_is_an_error_and_a_type_of_another_system_is_not(workspace: Workspace, keys: str):
    (problem,) = workspace.problems(contract=with_column(keys))
    assert SLIPS[keys] in str(problem)
    if keys.startswith("logicalType"):
        assert workspace.problems(contract=SERVERS + with_column(keys)) == ()


def test_how_values_are_written_elsewhere_is_a_remark(workspace: Workspace):
    for keys, stored in {
        "logicalType: date, physicalType: VARCHAR": "DATE",
        "logicalType: date, physicalType: long": "DATE",
        "logicalType: string, physicalType: bytea": "VARCHAR",
    }.items():
        product = workspace.load(contract=with_column(keys))
        (one,) = unexecuted(product)
        assert one.severity is Severity.WARNING
        assert "here it is stored as logicalType" in one.what
        found = checks(workspace, contract=with_column(keys))
        assert found["schema"].measure.columns[-1].accepted == (stored,)


def test_version_3_0_says_some_things_in_words_of_version_2(workspace: Workspace):
    text = CONTRACT.replace("v3.2.0", "v3.0.2").replace(
        "version: 1.0.0\n", "version: 1.0.0\nstatus: current\n"
    )
    old = text + (
        "      - {name: extra, logicalType: integer, isNullable: false, isUnique: true, quality: ["
        "{rule: duplicateCount, mustBe: 0}]}\n"
        "team: [{username: a, comment: c}]\n"
    )
    found = checks(workspace, contract=old)
    assert {"extra_required", "extra_unique"} & set(found) == {"extra_required"}
    assert found["extra_duplicate_values"].where.line == found["extra_required"].where.line == 12
    wrong = old.replace("isNullable: false", "isNullable: maybe")
    (problem,) = workspace.problems(contract=wrong)
    assert problem.key == "schema[0].properties[3].isNullable"
    newer = old.replace("v3.0.2", "v3.1.0")
    assert any("isNullable" in str(p) for p in workspace.problems(contract=newer))


@pytest.mark.parametrize(
    "keys",
    [
        "logicalType: integer, physicalType: BIGNUM",
        "logicalType: string, physicalType: VARIANT",
        "logicalType: object, physicalType: 'UNION(a INTEGER, b VARCHAR)'",
        "logicalType: string, physicalType: BIT",
        "logicalType: array, items: {logicalType: integer, physicalType: BIGNUM}",
    ],
)
def test_a_type_that_no_published_column_has_is_said_at_load(workspace: Workspace, keys: str):
    with pytest.raises(DeclarationError, match="no type that a published column has"):
        checks(workspace, contract=with_column(keys))
