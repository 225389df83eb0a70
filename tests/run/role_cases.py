"""A product with masked columns, a role that reads them, and who has it."""

from __future__ import annotations

from pathlib import Path

from helpers import a_contract, a_product, a_setting, a_source, an_input, write_workspace
from mask_cases import MARKER, column

from dataops_mesh.settings import Settings

ROWS = f"id,mail,name\n1,{MARKER},Ann\n2,ben@x.org,Ben\n"
HASH = "{method: hash, secret: people}"
STARS = '{method: constant, value: "*"}'
CLOSED = ", classification: restricted"
RESTRICTED = 'restricted = "clear"\n'


def role(members: str, columns: str = "", name: str = "fraud") -> str:
    said = f"members: [{members}]" + (f", columns: [{columns}]" if columns else "")
    own = a_setting("unmasked", f"{{{said}}}").strip()[2:]
    return (
        f"  - {{role: {name}, access: read, firstLevelApprovers: dpo, customProperties: [{own}]}}\n"
    )


def people(rows: str = ROWS, roles: str = "", sql: str = "", more: str = ""):
    columns = [
        column("id", "integer", more=", primaryKey: true, classification: internal"),
        column("mail", "string", HASH, CLOSED),
        column("name", "string", STARS, CLOSED),
    ]
    extra = more + (f"roles:\n{roles}" if roles else "")
    source = a_source("people_csv", "people.csv", more="options: {all_varchar: true}")
    return a_product(
        {"people": a_contract("people", columns, extra=extra)},
        inputs=[source],
        files={
            "people.sql": sql or "select id::int as id, mail, name from people_csv",
            "people.csv": rows,
        },
    )


def reader(columns: list[str], body: str, asked: str = "fraud", port: str = "cases"):
    """A product that reads the people, by a role if one is named."""
    named = an_input("hr.people")
    if asked:
        named += "  customProperties:\n    " + a_setting("role", asked)
    files = {f"{port}.sql": body}
    if body.startswith("def "):
        files = {"transform.py": body}
    return a_product({port: columns}, inputs=[named], files=files)


COUNTED = ["{name: cases, logicalType: integer, classification: internal}"]
COUNT = f"select count(*)::int as cases from hr.people where mail = '{MARKER}'"


def workspace(root: Path, domains, settings: str = RESTRICTED) -> Settings:
    return write_workspace(root, domains, settings=settings)
