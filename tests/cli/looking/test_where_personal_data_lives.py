"""`mesh report pii` names what is about people, also where the contract forgot to say so."""

from __future__ import annotations

import json

import pytest
from helpers import a_product, a_source, an_input, write_workspace

from dataops_mesh.cli.output import Format
from dataops_mesh.cli.report.personal import COLUMNS, report_pii

KEY = "{name: id, logicalType: integer, primaryKey: true, classification: internal}"
MASK = "customProperties: [{property: masking, vendor: dataops_mesh, value: {method: constant, value: x}}]"


@pytest.fixture
def mesh(tmp_path, monkeypatch) -> None:
    people = a_product(
        {
            "people": [
                KEY,
                "{name: mail, logicalType: string, classification: restricted, tags: [pii:email]}",
                f"{{name: city, logicalType: string, classification: internal, {MASK}}}",
                "{name: desk, logicalType: string, classification: public}",
            ]
        },
        inputs=[a_source("people_csv", "people.csv")],
        files={
            "people.sql": "select id, mail, city, desk from people_csv",
            "people.csv": "id,mail,city,desk\n",
        },
    )
    orders = a_product(
        {
            "orders": [
                KEY,
                "{name: contact, logicalType: string}",
                "{name: at, logicalType: string}",
            ]
        },
        inputs=[an_input("hr.people")],
        files={"orders.sql": "select id, lower(mail) as contact, desk as at from hr.people"},
    )
    python = a_product(
        {"guess": [KEY, "{name: x, logicalType: string, classification: public}"]},
        inputs=[an_input("hr.people")],
        files={"transform.py": "def transform(hr_people):\n    return hr_people\n"},
    )
    domains = {"hr": {"people": people}, "shop": {"orders": orders, "guess": python}}
    write_workspace(tmp_path, domains)
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("mesh")
def test_it_names_each_column_and_what_it_is_made_of(capsys):
    assert report_pii(Format.JSON) == 0
    rows = {row["column"]: row for row in json.loads(capsys.readouterr().out)}
    told = {name: tuple(row[key] for key in COLUMNS[1:]) for name, row in rows.items()}
    both = "shop.guess, shop.orders"
    assert told == {
        "hr.people.mail": ("restricted, pii:email", "its values", "", both),
        "hr.people.city": ("internal", "constant", "", both),
        "shop.orders.contact": ("nothing", "its values", "hr.people.mail", ""),
        "shop.guess.id": ("internal", "its values", "unknown", ""),
        "shop.guess.x": ("public", "its values", "unknown", ""),
    }


@pytest.mark.usefixtures("mesh")
def test_a_person_is_told_whom_nobody_can_follow(capsys):
    report_pii(Format.TABLE)
    said = capsys.readouterr()
    assert "shop.orders.contact" in said.out
    assert "nobody can tell what shop.guess makes its columns of" in said.out + said.err


def test_a_value_is_followed_however_often_it_is_handed_on(tmp_path, monkeypatch, capsys):
    """Also where only a tag said what it was, and nothing on the way says so again."""
    tagged = "{name: mail, logicalType: string, classification: public, tags: [pii:email]}"
    hidden = f"{{name: nick, logicalType: string, classification: public, {MASK}}}"
    parts = (
        "{name: name, logicalType: string, classification: internal, customProperties: "
        "[{property: masking, vendor: dataops_mesh, value: {method: partial, keepFirst: 2}}]}"
    )
    names = ("mail", "nick", "name")

    def step(source: str, port: str, columns: list[str]) -> dict[str, str | bytes]:
        return a_product(
            {port: [KEY, *columns]},
            inputs=[an_input(source)],
            files={f"{port}.sql": f"select id, mail, nick, name from {source}"},
        )

    plain = [f"{{name: {name}, logicalType: string}}" for name in names]
    people = a_product(
        {"people": [KEY, tagged, hidden, parts]},
        inputs=[a_source("people_csv", "people.csv")],
        files={
            "people.sql": "select id, mail, nick, name from people_csv",
            "people.csv": "id,mail,nick,name\n",
        },
    )
    first, second = step("hr.people", "first", plain), step("shop.first", "second", plain)
    write_workspace(tmp_path, {"hr": {"people": people}, "shop": {"a": first, "b": second}})
    monkeypatch.chdir(tmp_path)
    assert report_pii(Format.JSON) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["column"]: row["made_of"] for row in rows} == {
        "hr.people.mail": "",
        "hr.people.nick": "",
        "hr.people.name": "",
        "shop.first.mail": "hr.people.mail",
        "shop.first.name": "hr.people.name",
        "shop.second.mail": "shop.first.mail",
        "shop.second.name": "shop.first.name",
    }
