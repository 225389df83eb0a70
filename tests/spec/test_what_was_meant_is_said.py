"""Slips that new users make: the message says how it is written."""

from __future__ import annotations

import duckdb
import pytest
from declared import CONTRACT, Workspace
from helpers import a_product, write_workspace

from dataops_mesh.errors import DeclarationError
from dataops_mesh.scaffold.product import require_names
from dataops_mesh.spec.loader import read_mesh
from dataops_mesh.spec.read.descriptions import cut_descriptions

KEY = "{name: tail_number, logicalType: string, primaryKey: true}"
SEEN = "{name: seen_at, logicalType: timestamp}"
LISTED = "enum: [{value: A}, {value: B}]"


@pytest.mark.parametrize("given", ["{value: DE}", "[DE, FR]", "DE", "[{value: DE}, FR]"])
def test_an_enum_is_a_list_of_mappings(workspace: Workspace, given: str) -> None:
    wrong = CONTRACT.replace(KEY, KEY.replace("true}", f"true, enum: {given}}}"))
    problems = workspace.problems(contract=wrong)
    assert problems
    assert all(LISTED in problem.next for problem in problems)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("dateformat", "DD.MM.YYYY", 'write "%d.%m.%Y"'),
        ("dateformat", "yyyy-MM-dd HH:mm:ss", 'write "%Y-%m-%d %H:%M:%S"'),
        ("dateformat", "german", "write it as %d/%m/%Y"),
        ("dateformat", "%d/%q", '"%q" is no word of strptime'),
        ("dateformat", "%Y-%m-%d %I:%M", "no %p says of which half"),
        ("dateformat", "%Y%j %z", "not counted together with a zone"),
        ("dateFormat", "%d", 'did you mean "dateformat"?'),
    ],
)
def test_how_dates_are_written_is_told(
    workspace: Workspace, name: str, value: str, told: str
) -> None:
    setting = f"customProperties: [{{property: {name}, vendor: dataops_mesh, value: '{value}'}}]"
    source = CONTRACT.replace("name: aircraft", "name: aircraft_csv").replace("contract", "src")
    source = source.replace(SEEN, SEEN.replace("stamp}", f"stamp, {setting}}}"))
    (problem,) = workspace.problems(files={"inputs/aircraft_csv.odcs.yaml": source})
    assert told in str(problem)


def test_formats_that_duckdb_reads_are_taken(workspace: Workspace) -> None:
    setting = "customProperties: [{property: dateformat, vendor: dataops_mesh, value: '%-d/%b/%y %I:%M %p%%q'}]"
    source = CONTRACT.replace("name: aircraft", "name: aircraft_csv").replace("contract", "src")
    source = source.replace(SEEN, SEEN.replace("stamp}", f"stamp, {setting}}}"))
    assert not workspace.problems(files={"inputs/aircraft_csv.odcs.yaml": source})


def test_a_setting_of_ours_among_the_keys_of_the_standard(workspace: Workspace) -> None:
    wrong = CONTRACT.replace(SEEN, SEEN.replace("stamp}", "stamp, dateformat: '%d'}"))
    (problem,) = workspace.problems(contract=wrong)
    assert "{property: dateformat, vendor: dataops_mesh, value: ...}" in problem.next


def test_a_text_that_ends_at_a_comma_is_told(workspace: Workspace) -> None:
    """And refuses nothing: else what is published with such a text could not be read any more."""
    cut = CONTRACT.replace("schema:\n", "description: {purpose: Who, and why.}\nschema:\n", 1)
    (problem,) = cut_descriptions(workspace.load(contract=cut))
    assert problem.key == "description.and why."
    assert problem.next == "write the whole text in quotes"
    whole = cut.replace("{purpose: Who, and why.}", '{purpose: "Who, and why."}')
    assert not list(cut_descriptions(workspace.load(contract=whole)))


def _databases_and_schemas() -> list[str]:
    with duckdb.connect() as con:
        found = "select database_name from duckdb_databases()"
        rows = con.execute(f"{found} union select schema_name from duckdb_schemas()").fetchall()
    return sorted({row[0] for row in rows})


@pytest.mark.parametrize("domain", [*_databases_and_schemas(), "self", "shop", "temporary"])
def test_a_domain_is_called_by_no_name_that_duckdb_keeps_for_itself(tmp_path, domain):
    made = a_product({"t": ["{name: id, logicalType: integer}"]}, files={"t.sql": "select 1 as id"})
    mesh = read_mesh(write_workspace(tmp_path, {domain: {"p": made}}).root)
    said = [problem for problems in mesh.broken.values() for problem in problems]
    with duckdb.connect() as con:
        try:
            con.execute(f'create schema if not exists "{domain}"')
            con.execute(f'create view "{domain}".t as select 1 as id')
            works = domain != "self"
        except duckdb.Error:
            works = False
    assert works != bool(said)
    assert all(f'the domain "{domain}" cannot be told from' in problem.what for problem in said)
    if not works:
        with pytest.raises(DeclarationError, match="cannot be told from"):
            require_names(domain=domain, product="p")
