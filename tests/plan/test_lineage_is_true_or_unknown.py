from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from helpers import a_product, a_source, an_input, mesh, product, write_workspace

from dataops_mesh.plan.lineage.dbtlineage import dbt_queries
from dataops_mesh.plan.lineage.product import columns_used, lineage_of
from dataops_mesh.plan.lineage.sqllineage import query_lineage
from dataops_mesh.run.lineage import product_lineage
from dataops_mesh.spec.model import TransformKind

SCHEMAS = {"d.p": ["a", "b", "c", "k"], "d.q": ["x", "K2"]}
EVERYTHING = frozenset("abck")


@pytest.mark.parametrize(
    ("sql", "used"),
    [
        ("select a from d.p", "a"),
        ("select a from d.p where b > 1", "ab"),
        ("select count(*) as n from d.p", ""),
        ("select count(*) as n from d.p group by c order by max(k)", "ck"),
        ("select * from d.p", "abck"),
        ("from d.p", "abck"),
        ("with t as (select * from d.p) select a from t", "a"),
        ("with t as (select distinct * from d.p) select a from t", "abck"),
        ("with t as (select a, b, count(*) as n from d.p group by all) select a from t", "ab"),
        ("with t as (select a from d.p union select b from d.p) select 1 as one from t", "ab"),
        ("with p as (select x as a from d.q) select a from p", None),
        ("select p.a from d.p as p join d.q on p.k = q.K2", "ak"),
        ("select a from d.p where exists (select 1 from d.q where q.x = p.c)", "ac"),
        ("select d.p.a from d.p", "a"),
        ("select A from D.P", "a"),
        ("select * exclude (a) from d.p", "bck"),
        ("select a, row_number() over (partition by b order by c) as n from d.p", "abc"),
        ("select a from d.p qualify row_number() over (order by k) = 1", "ak"),
        ("select (select max(b) from d.p) as m", "b"),
        ("select a from (select a, b as unused from d.p) as t", "a"),
        ("select columns('a.*') from d.p", "?"),
        ("select * from d.p natural join d.q", "?"),
        ("this is no sql", "?"),
    ],
)
def test_what_a_query_reads(sql: str, used: str | None):
    found = query_lineage(sql, SCHEMAS)
    if used == "?":
        assert found is None
    elif used is None:
        assert "d.p" not in found.used
    else:
        columns = found.used["d.p"]
        assert columns is None or columns >= frozenset(used)
        assert columns == frozenset(used)


@pytest.mark.parametrize(
    ("sql", "made"),
    [
        ("select a as z from d.p", {"z": "a"}),
        ("select a + b as z from d.p where c > 1", {"z": "ab"}),
        ("select count(*) as z from d.p", {"z": ""}),
        ("with t as (select a, b as y from d.p) select y as z from t", {"z": "b"}),
        ("select a as z from d.p union all select b from d.p", {"z": "ab"}),
        ("select case when a then b else c end as z from d.p", {"z": "abc"}),
    ],
)
def test_what_a_column_is_made_of(sql: str, made: dict[str, str]):
    found = query_lineage(sql, SCHEMAS)
    assert found.columns == {
        name: frozenset(("d.p", column) for column in columns) for name, columns in made.items()
    }


def test_a_relation_without_a_contract_may_be_used_whole():
    found = query_lineage("select p.a, s.y from d.p join s on p.k = s.k", SCHEMAS)
    assert found.used == {"d.p": frozenset("ak"), "s": frozenset("yk")}
    assert query_lineage("select * from s join d.p using (k)", SCHEMAS).used["s"] is None
    unclear = query_lineage("select y from s join t on s.k = t.k", SCHEMAS)
    assert unclear.used == {"s": None, "t": None}


def test_a_python_transform_may_use_everything_unless_it_says(tmp_path: Path):
    told = "transformSourceObjects: [up.things.id]"
    settings = write_workspace(
        tmp_path,
        {
            "up": {"things": a_product(
                {"things": ["{name: id, logicalType: integer, primaryKey: true}",
                            "{name: more, logicalType: integer}"]},
                inputs=[a_source("s", "s.csv")],
                files={"things.sql": "select id, more from s", "s.csv": "id,more\n1,1\n"},
            )},
            "down": {
                "silent": a_product(
                    {"silent": ["{name: id, logicalType: integer, primaryKey: true}"]},
                    inputs=[an_input("up.things")],
                    files={"transform.py": "def transform(up_things): return up_things"},
                ),
                "telling": a_product(
                    {"telling": [f"{{name: id, logicalType: integer, primaryKey: true, {told}}}"]},
                    inputs=[an_input("up.things", "{metric: nullValues, column: more, mustBe: 0}")],
                    files={"transform.py": "def transform(up_things): return up_things"},
                ),
            },
        },
    )  # fmt: skip
    ports = {port.address: port for p in mesh(settings).products for port in p.outputs}
    silent = lineage_of(product(settings, "down.silent"), ports)
    assert columns_used(silent, "up.things") is None
    assert silent.columns == {}
    telling = lineage_of(product(settings, "down.telling"), ports)
    assert columns_used(telling, "up.things") == {"id", "more"}  # the check needs `more`
    assert telling.columns == {("telling", "id"): frozenset({("up.things", "id")})}
    things = lineage_of(product(settings, "up.things"), ports)
    assert things.columns["things", "id"] == {("s", "id")}


def node(name: str, sql: str, *below: str, kind: str = "model") -> tuple[str, dict]:
    key = f"{kind}.x.{name}"
    return key, {
        "name": name, "resource_type": kind, "raw_code": sql, "depends_on": {"nodes": list(below)},
    }  # fmt: skip


def test_a_template_that_cannot_be_read_is_unknown_and_so_is_all_above_it():
    source = {"schema": "d", "identifier": "p", "source_name": "d", "name": "p"}
    manifest = {
        "sources": {"source.x.d.p": source},
        "nodes": dict([
            node("plain", "{{ config(materialized='table') }}\n{# a note #}\n"
                 "select a from {{ source('d', 'p') }};", "source.x.d.p"),
            node("macro", "select {{ columns() }} from {{ source('d', 'p') }}", "source.x.d.p"),
            node("above", "select * from {{ ref('macro') }}", "model.x.macro"),
            node("seeded", "select s.n from {{ ref('seed') }} as s", "seed.x.seed"),
            node("seed", "", kind="seed"),
        ]),
    }  # fmt: skip
    queries = dbt_queries(["plain", "macro", "above", "seeded"], manifest)
    reads, sql = queries["plain"]
    assert reads == {"d.p"}
    assert query_lineage(sql, SCHEMAS).used["d.p"] == {"a"}
    assert queries["macro"] == ({"d.p"}, "")
    assert queries["above"] == ({"d.p"}, "")
    assert queries["seeded"][0] == frozenset()
    assert queries["seeded"][1]


@pytest.mark.parametrize("name", ["base", "MESH_SEED"])
def test_a_model_that_is_called_as_we_call_another_is_unknown(name):
    """Anybody can compute the name: a query of that name would hide what the other one reads."""
    key, base = node("base", "select a as b from {{ source('d', 'p') }}", "source.x.d.p")
    called = f"mesh_model__{sha256(key.encode()).hexdigest()[:16]}" if name == "base" else name
    sql = f"with {called} as (select 1 as b) select b from {{{{ ref('base') }}}}"
    source = {"schema": "d", "identifier": "p", "source_name": "d", "name": "p"}
    nodes = dict([(key, base), node("out", sql, key), node("fair", "from {{ ref('base') }}", key)])
    queries = dbt_queries(["out", "fair"], {"sources": {"source.x.d.p": source}, "nodes": nodes})
    assert queries["out"] == ({"d.p"}, "")
    assert query_lineage(queries["fair"][1], SCHEMAS).columns["b"] == {("d.p", "a")}


@pytest.mark.parametrize("text", ["{}", "[]", '{"nodes": {"a": {}}}', "not json"])
def test_a_manifest_of_another_form_means_less_is_known(tmp_path, monkeypatch, text):
    """Lineage is computed after a publication, where nothing may fail any more."""
    files = a_product(
        {"things": ["{name: id, logicalType: integer}"]},
        inputs=[a_source("s", "s.csv")],
        files={"things.sql": "select id from s", "s.csv": "id\n1\n"},
    )
    found = product(write_workspace(tmp_path, {"up": {"things": files}}), "up.things")
    built_by_dbt = replace(found, transform=replace(found.transform, kind=TransformKind.DBT))
    manifest = tmp_path / "manifest.json"
    manifest.write_text(text)
    monkeypatch.setattr("dataops_mesh.run.lineage.parsed_manifest", lambda *_: manifest)
    assert product_lineage(built_by_dbt, {}, tmp_path).columns == {}
