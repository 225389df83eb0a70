"""A contract made of a SELECT keeps the classes of what is read, and writes none of its values."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from helpers import a_contract, a_product, a_source, run, write_workspace

from dataops_mesh.scaffold.make import Origin, Place, Request, new_contract, new_product
from dataops_mesh.scaffold.product import People

COLUMNS = [
    "{name: id, logicalType: integer, primaryKey: true, classification: internal}",
    "{name: city, logicalType: string, classification: internal}",
    "{name: ward, logicalType: string, classification: restricted}",
    "{name: pay, logicalType: integer, classification: confidential}",
    "{name: code, logicalType: string, classification: secret}",
]
WARDS, PAY, CODES = ("oncolo", "cardio"), (41_234, 98_765), ("QX7", "ZT4")
ROWS = "id,city,ward,pay,code\n" + "".join(
    f"{n},{('Ulm', 'Bonn')[n % 2]},{WARDS[n % 2]},{PAY[n % 2]},{CODES[n % 2]}\n" for n in range(60)
)
# Two digits, as bounds are rounded.
VALUES = (*WARDS, *map(str, PAY), "41000", "42000", "98000", "99000", *CODES, "A-Z0-9", "{3}")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    files = a_product(
        {"staff": a_contract("staff", COLUMNS)},
        inputs=[a_source("staff_csv", "staff.csv")],
        files={"staff.sql": "from staff_csv", "staff.csv": ROWS},
    )
    settings = write_workspace(tmp_path, {"hr": {"staff": files}})
    assert run(settings, "hr.staff").published
    # What its folder says now was never published, and counts for nothing.
    contract = tmp_path / "domains/hr/staff/staff.odcs.yaml"
    contract.write_text(contract.read_text().replace("restricted", "public"))
    return Place(tmp_path, "domains", settings.store_folder, "app", "seen")


def made(place: Place, select: str) -> tuple[dict, str]:
    _, text = new_contract(place, "seen", Origin(select=select), source=False)
    (product,) = (
        files[place.folder / "seen.odcs.yaml"]
        for files in [new_product(Request(place, "seen", Origin(select=select), People()))]
    )
    assert product == text
    properties = yaml.safe_load(text)["schema"][0]["properties"]
    return {one["name"]: one for one in properties}, text


SELECTS = {
    "as it stands": "select id, ward, pay, code from hr.staff",
    "a star": "from hr.staff",
    "in other letters": "SELECT ID, WARD, PAY, CODE FROM HR.STAFF",
    "a part of it": "select id, left(ward, 4) || 'x' as w, pay + 1 as p, lower(code) c from hr.staff",
    "a subquery": "select * from (select id, ward as w, pay as p, code as c from hr.staff) t",
    "through a CTE": "with t as (select ward w, pay p, code c, id from hr.staff) from t",
    "columns()": "select columns(*) from hr.staff",
    "a row": "select s::varchar as w, s.id from hr.staff s",
    "by place": "select #1 as id, #3 as w, #4 as p, #5 as c from hr.staff",
    "renamed": "select a, b, c from (select id, ward, pay from hr.staff) t(a, b, c)",
    "the largest": "select city, max(ward) as w, max(pay) as p, min(code) as c from hr.staff group by city",
    "without a name": "select id, upper(ward), pay * 1, code || '' from hr.staff",
    "unpivot": "from (unpivot (select ward, code from hr.staff) on ward, code)",
}


@pytest.mark.parametrize("name", SELECTS)
def test_no_value_of_a_classified_column_is_written(place: Place, name: str):
    _, text = made(place, SELECTS[name])
    assert not [value for value in VALUES if value.lower() in text.lower()]
    assert "minimum" not in text
    assert "enum" not in text.replace("- city", "").partition("name: ward")[2].partition("name:")[0]


def test_a_class_follows_its_values(place: Place):
    select = "select id, city, ward as w, pay + 1 as p, code, sha256(ward) as h from hr.staff"
    columns, _ = made(place, select)
    classes = {name: one["classification"] for name, one in columns.items()}
    assert classes == {
        "id": "internal", "city": "internal", "w": "restricted", "p": "confidential",
        "code": "secret", "h": "internal",
    }  # fmt: skip
    assert [one["value"] for one in columns["city"]["enum"]] == ["Bonn", "Ulm"]
    assert "enum" not in columns["h"]


def test_what_nobody_can_tell_is_as_secret_as_what_is_read(place: Place):
    columns, _ = made(place, "select columns('city|pay') from hr.staff")
    assert {one["classification"] for one in columns.values()} == {"secret"}


def test_of_open_columns_everything_is_written_as_ever(place: Place):
    columns, _ = made(place, "select id, city from hr.staff")
    assert "enum" in columns["city"]
    columns, _ = made(place, "select city, count(*) as n from hr.staff group by city")
    assert columns["n"]["classification"] == "internal"
