"""A class follows dbt models as Jinja and the database read them."""

from __future__ import annotations

import pytest

from dataops_mesh.plan.lineage.breakers import clear_columns
from dataops_mesh.plan.lineage.dbtlineage import dbt_queries

SRC = "{{ source('people', 'customers') }}"
COLUMNS = ["id", "ssn", "note"]


def codes(text, base=f"select id, ssn as note from {SRC}", of_base=None):
    """Return what is in `code` of a model; None if nobody can tell."""
    source = {"source_name": "people", "name": "customers"}
    manifest = {
        "sources": {"s": {**source, "schema": "people", "identifier": "customers"}},
        "nodes": {
            key: {
                "name": key,
                "resource_type": "model",
                "raw_code": code,
                "access": "public",
                "depends_on": {"nodes": below},
                **((of_base or {}) if key == "base" else {}),
            }
            for key, code, below in (("codes", text, ["s", "base"]), ("base", base, ["s"]))
        },
    }
    _, query = dbt_queries(["codes"], manifest)["codes"]
    found = (clear_columns(query, {"people.customers": COLUMNS}) if query else None) or {}
    return {name for _, name in found["code"]} if "code" in found else None


@pytest.mark.parametrize(
    ("text", "of_base"),
    [
        (f"select 0 - {{#- x -#}} - 0 as z, note as code /*\n as z, ssn as code --*/\nfrom {SRC}", {}),
        (f"select 1 / {{#- -#}} * note as code, '' as q -- */ as z, ssn as code\nfrom {SRC}", {}),
        ("select {{ config(tags='{#') }} ssn || left({{ config(tags='#}') }} note {{ config(tags='{#') }}, 0){{ config(tags='#}') }} as code from " + SRC, {}),
        (f"with __dbt__cte__base as (select ssn as note from {SRC}) select note as code from {{{{ ref('base') }}}}", {}),
        (f"select (select base.note from {{{{ ref('base') }}}} limit 1) as code from {SRC} base", {}),
        (f"select (select b.note from {{{{ ref('base') }}}} limit 1) as code from {SRC} b", {"alias": "b"}),
    ],
)  # fmt: skip
def test_what_dbt_reads_is_seen_or_nobody_can_tell(text, of_base):
    found = codes(text, of_base=of_base)
    assert found is None or "ssn" in found


@pytest.mark.parametrize(
    "text",
    [
        "{#- what it is -#}\n{{ config(tags=['a', '{#']) }}\nselect note as code from SRC",
        "select b.note as code from {{ ref('base') }} b",
        "select b.note as code from {{ ref('base') }} as b",
        "select base.note as code from {{ ref('base') }}",
        "with base as (select * from {{ ref('base') }}) select note as code from base where id > 1",
        "select c.note as code from SRC c join {{ ref('base') }} using (id) {# why #}",
    ],
)
def test_what_people_write_is_followed_to_its_end(text):
    base = f"select id, note from {SRC}"
    assert codes(text.replace("SRC", SRC), base) == {"note"}
