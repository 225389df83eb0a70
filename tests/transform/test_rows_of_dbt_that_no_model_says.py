"""Rows of dbt that are made elsewhere than in a model's text are of unknown class."""

from __future__ import annotations

from pathlib import Path

import pytest
from dbt_cases import PROJECT, write_project
from helpers import (
    a_product,
    a_setting,
    a_source,
    an_input,
    mesh,
    product,
    read,
    run,
    write_workspace,
)

from dataops_mesh.policy.judge import judge
from dataops_mesh.run.guards.flow import flows_in
from dataops_mesh.run.lineage import dbt_manifest
from dataops_mesh.settings import load_settings
from dataops_mesh.transform.walls import walls_of

CUSTOMERS = [
    "{name: id, logicalType: integer, classification: public}",
    "{name: ssn, logicalType: string, classification: CLASS}",
    "{name: note, logicalType: string, classification: public}",
]
CODES = [
    "{name: id, logicalType: integer, classification: public}",
    "{name: code, logicalType: string, classification: public}",
]
SOURCE = "{{ source('people', 'customers') }}"
PROJECT_FILE = PROJECT["dbt_project.yml"]
CLEAN = {
    "dbt_project.yml": PROJECT_FILE,
    "models/sources.yml": (
        "version: 2\nsources:\n"
        "  - {name: people, database: mesh, schema: people, tables: [{name: customers}]}\n"
    ),
    "models/schema.yml": "version: 2\nmodels:\n  - {name: codes, access: public}\n",
    "models/base.sql": f"{{{{ config(materialized='table') }}}}\nselect id, note, 1 as a from {SOURCE}",
    "models/codes.sql": "select id, note as code from {{ ref('base') }}",
    "models/other.sql": (
        "select ssn from {{ source('people', 'customers') }}\n"
        "{% if is_incremental() %} where id > 1 {% endif %}"
    ),
    "macros/names.sql": (
        "{% macro generate_schema_name(name, node) %}{{ target.schema }}{% endmacro %}\n"
        "{% macro cents(x) %}{{ x }} * 100{% endmacro %}"
    ),
}
STEAL = "update {{ this }} t set code = (select ssn from mesh.people.customers c where c.id = t.id)"
AGAIN = "create or replace table {{ this }} as select id, ssn as note, 1 as a from mesh.people.customers"
MACRO = "create or replace macro sha256(x) as x"
MODELS = "models: {books: {+materialized: view}}"
HASHED = f"select id, sha256(ssn) as code from {SOURCE}"
# fmt: off
ELSEWHERE = {
    "a post_hook in the model": {"models/codes.sql": f"{{{{ config(materialized='table', post_hook=\"select 1\") }}}}\n{CLEAN['models/codes.sql']}"},
    "a post_hook in properties": {"models/schema.yml": f'version: 2\nmodels:\n  - name: codes\n    access: public\n    config: {{materialized: table, post_hook: "{STEAL}"}}\n'},
    "a pre-hook of the project": {"dbt_project.yml": PROJECT_FILE.replace(MODELS, f'models: {{books: {{+pre-hook: "{AGAIN}"}}}}')},
    "a hook of another model": {"models/other.sql": f"{{{{ config(post_hook='update base set note = 1') }}}}\nselect ssn from {SOURCE}"},
    "on-run-end": {"dbt_project.yml": f"{PROJECT_FILE}on-run-end: [\"update main.codes set code = '1'\"]\n"},
    "on-run-start": {"dbt_project.yml": f'{PROJECT_FILE}on-run-start: ["{MACRO}"]\n', "models/codes.sql": HASHED},
    "sql_header": {"models/schema.yml": f'version: 2\nmodels:\n  - name: codes\n    access: public\n    config: {{sql_header: "{MACRO};"}}\n', "models/codes.sql": HASHED},
    "a macro of dbt's": {"macros/m.sql": "{% macro duckdb__create_table_as(temporary, relation, sql, language='sql') %}create table {{ relation }} as select id, ssn as note, 1 as a from mesh.people.customers{% endmacro %}"},
    "a materialization": {"macros/m.sql": "{% materialization table, adapter='duckdb' %}{{ return({'relations': [this]}) }}{% endmaterialization %}"},
    "ref of one's own": {"macros/m.sql": "{% macro ref(name) %}{{ return(builtins.ref('other')) }}{% endmacro %}"},
    "a template that asks": {"models/other.sql": f"{{% do run_query('update base set note = 1') %}}\nselect ssn from {SOURCE}"},
    "settings that ask": {"models/other.sql": f"{{{{ config(tags=[run_query('update base set note = 1') ~ '']) }}}}\nselect ssn from {SOURCE}"},
    "a model in python": {"models/other.py": "def model(dbt, session):\n    return session.sql('select 1 as a')\n", "models/other.sql": ""},
    "two statements": {"models/other.sql": f"select ssn from {SOURCE}); update base set note = 1; create view z as (select 1"},
    "the same name in capitals": {"models/other.sql": f"{{{{ config(alias='BASE') }}}}\nselect id, ssn as note, 1 as a from {SOURCE}"},
    "an incremental model": {"models/base.sql": CLEAN["models/base.sql"].replace("'table'", "'incremental'")},
    "no ref": {"models/codes.sql": "-- depends_on: {{ ref('base') }}\nselect id, note as code from main.base"},
    "no source": {"models/codes.sql": "select id, ssn as code from mesh.people.customers"},
}
# fmt: on


def found(root: Path, files: dict[str, str], classification: str = "restricted") -> set[str]:
    customers = a_product(
        {"customers": [one.replace("CLASS", classification) for one in CUSTOMERS]},
        inputs=[a_source("rows", "rows.csv")],
        files={
            "customers.sql": "select id::int as id, ssn::text as ssn, note from rows",
            "rows.csv": "id,ssn,note\n1,123456789,a\n",
        },
    )
    codes = a_product(
        {"codes": CODES},
        inputs=[an_input("people.customers")],
        settings=a_setting("transform", "{dbt: {project: ../../../project}}"),
        files={},
    )
    domains = {"people": {"customers": customers}, "books": {"codes": codes}}
    settings = write_workspace(root, domains)
    write_project(root, {name: text for name, text in {**CLEAN, **files}.items() if text})
    loaded = mesh(settings)
    # A project that dbt cannot parse would be unknown, too.
    assert dbt_manifest(product(settings, "books.codes"), walls_of(settings)) is not None
    violations = judge(loaded, settings, flows=flows_in(loaded, settings)).violations
    return {one.rule for one in violations if one.rule.startswith("classification_")}


@pytest.mark.parametrize("files", ELSEWHERE.values(), ids=ELSEWHERE)
def test_rows_that_are_made_elsewhere_are_of_unknown_class(tmp_path, files):
    assert found(tmp_path, files) == {"classification_known"}


@pytest.mark.parametrize("name", ["a post_hook in properties", "on-run-end", "a macro of dbt's"])
def test_nothing_is_said_where_nothing_classified_is_read(tmp_path, name):
    assert found(tmp_path, ELSEWHERE[name], "public") == set()


def test_a_project_of_models_alone_is_known(tmp_path):
    assert found(tmp_path, {}) == set()


INNER = f"select id, ssn::bigint * 10 as a, ssn as note from {SOURCE}"
BY_NAME = "select id, a as code from {{ ref('base') }} where false union all by name select"


@pytest.mark.parametrize("kind", ["table", "view", "ephemeral"])
@pytest.mark.parametrize(
    "codes",
    [
        "select id, floor(a / 10)::varchar as code from {{ ref('base') }}",
        "with t as (select * from {{ ref('base') }}) select id, (a is null)::varchar as code from t",
        f"{BY_NAME} note as code, id from {{{{ ref('base') }}}}",
        "select id, rank() over w as code from {{ ref('base') }} window w as (order by note)",
    ],
)
def test_what_an_inner_model_computed_is_followed(tmp_path, kind, codes):
    config = f"{{{{ config(materialized='{kind}') }}}}\n"
    files = {"models/base.sql": config + INNER, "models/codes.sql": codes}
    assert found(tmp_path, files) == {"classification_lineage"}


def test_a_hook_that_was_told_does_publish_the_number(tmp_path):
    """The fault is real: what the policy warns of is what dbt makes."""
    found(tmp_path, ELSEWHERE["a post_hook in properties"])
    settings = load_settings(tmp_path)
    run(settings, "people.customers")
    run(settings, "books.codes")
    assert read(settings, "select code from books.codes") == [("123456789",)]


@pytest.mark.parametrize("place", ["meta", "config: {meta", "tables"])
def test_a_source_of_the_mesh_is_its_port_wherever_dbt_would_look(tmp_path, place):
    other = '{external_location: "(select id, ssn as note from mesh.people.customers)"}'
    told = {
        "meta": f"meta: {other}, tables: [{{name: customers}}]",
        "config: {meta": f"config: {{meta: {other}}}, tables: [{{name: customers}}]",
        "tables": f"tables: [{{name: customers, meta: {other}}}]",
    }[place]
    source = f"sources:\n  - {{name: people, database: mesh, schema: people, {told}}}\n"
    assert found(tmp_path, {"models/sources.yml": source}) == set()
    settings = load_settings(tmp_path)
    run(settings, "people.customers")
    run(settings, "books.codes")
    assert read(settings, "select code from books.codes") == [("a",)]
