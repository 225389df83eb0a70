"""A rule in SQL reads its candidate, for a while, in bounded memory; it can do nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers import (
    a_contract,
    a_product,
    a_setting,
    a_source,
    environment,
    product,
    read,
    run,
    write_product,
    write_workspace,
)

from dataops_mesh.errors import DeclarationError, MeshError, UnknownNameError
from dataops_mesh.run.product import run_product
from dataops_mesh.settings import Settings
from dataops_mesh.spec.checks.check import Outcome
from dataops_mesh.store.log import latest_number

ID = "{name: id, logicalType: integer, required: true}"

# What goes beyond test_code_reaches_nothing_else.py, by what it tries.
EVIL = {
    "writes: insert": "insert into {object} values (3)",
    "writes: update": "update {object} set id = 1",
    "writes: truncate": "truncate {object}",
    "writes: merge": "merge into {object} using {object} on true when matched then delete",
    "writes: alter": "alter table {object} add column x int",
    "writes: drop": "drop view {object}",
    "writes: replaces the view": "create or replace view {object} as select 1 as id",
    "writes: macro": "create macro count(x) as 0",
    "writes: in a common table": "with t as (insert into {object} values (3) returning id) select count(*) from t, {object}",
    "writes: export": "export database '@out'",
    "writes: copy of a query": "copy (select * from {object}) to '@out' (format csv)",
    "writes: comment": "comment on view {object} is 'x'",
    "reads: blob": "select count(*) from {object}, read_blob('/etc/passwd')",
    "reads: csv": "select count(*) from {object}, read_csv('/etc/passwd')",
    "reads: parquet": "select count(*) from {object}, read_parquet('@store/candidates/*/*/*/*/*.parquet')",
    "reads: parquet's footer": "select count(*) from {object}, parquet_metadata('@store/x.parquet')",
    "reads: json": "select count(*) from {object}, read_json('@store/store.json')",
    "reads: the network": "select count(*) from {object}, read_csv('https://example.org/x.csv')",
    "reads: sniffer": "select count(*) from {object}, sniff_csv('/etc/passwd')",
    "reads: settings": "select count(*) from {object}, duckdb_settings()",
    "reads: the catalogue": "select count(*) from {object}, information_schema.tables",
    "reads: a python variable": "select count(*) from {object}, settings",
    "reads: a subquery in a filter": "select count(*) from {object} where id in (from read_text('/etc/passwd'))",
    "bomb: repeat": "select max(length(repeat('x', 3000000000))) from {object}",
    "bomb: repeat by a column": "select max(length(repeat('x', id * 1000000000))) from {object}",
    "bomb: lpad": "select max(length(lpad('x', 1000000000, 'y'))) from {object}",
    "bomb: rpad": "select max(length(rpad('x', 1000000000, 'y'))) from {object}",
    "bomb: range as a value": "select max(len(range(1000000000))) from {object}",
    "bomb: unnested": "select count(*) from {object}, unnest(range(1000000000))",
    "bomb: series": "select max(len(generate_series(1, 1000000000))) from {object}",
    "bomb: resize": "select max(len(list_resize([1], 1000000000))) from {object}",
    "bomb: printf": "select max(length(printf('%01000000000d', id))) from {object}",
    "bomb: format": "select max(length(format('{{:>1000000000}}', id))) from {object}",
    "bomb: bits": "select max(bit_length(bitstring('0', 1000000000))) from {object}",
    "attaches: sqlite": "attach '@store/ledger.sqlite' as l (type sqlite)",
    "attaches: detach": "detach memory",
    "attaches: use": "use memory",
    "settings: pragma": "pragma memory_limit='99GB'",
    "settings: pragma function": "select count(*) from {object}, pragma_database_size()",
    "settings: reset": "reset memory_limit",
    "settings: variable": "set variable x = 1",
    "settings: load": "load '@out'",
    "settings: secret": "create secret x (type s3)",
    "several: two selects": "select count(*) from {object}; select 0",
    "several: after a comment": "select count(*) from {object} -- \n; drop view {object}",
    "several: prepare": "prepare x as select count(*) from {object}",
    "several: transaction": "begin; select count(*) from {object}; commit",
    "several: explain": "explain analyze delete from {object}",
    "several: vacuum": "vacuum",
    "several: checkpoint": "checkpoint",
}  # fmt: skip
ENDLESS = (
    "with recursive t as (select 1 as n from {object} union all select n + 1 from t)"
    " select count(*) from t"
)
HUGE = {
    "a list": "select len(list(md5(r.range::varchar))) from {object}, range(100000000) as r",
    "a text": "select length(string_agg(md5(r.range::varchar))) from {object}, range(100000000) as r",
    "a sort": "select count(*) from (select row_number() over (order by md5(r.range::varchar)) as n, md5(r.range::varchar) as m from {object}, range(30000000) as r)",
}  # fmt: skip


def shop(root: Path, query: str, settings: str = "") -> Settings:
    text = query.replace('"', '\\"').replace("\n", "\\n")
    rule = f'{{name: evil, type: sql, query: "{text}", mustBe: 0}}'
    files = a_product(
        {"orders": a_contract("orders", [ID], rule)},
        inputs=[a_source("orders_csv", "orders.csv", more="options: {types: {id: INTEGER}}")],
        files={"orders.sql": "select id from orders_csv", "orders.csv": "id\n1\n2\n"},
    )
    return write_workspace(root, {"shop": {"orders": files}}, settings=settings)


@pytest.mark.parametrize("case", EVIL)
def test_a_rule_that_does_more_than_read_its_candidate_publishes_nothing(
    tmp_path: Path, case: str
) -> None:
    out = tmp_path / "out"
    query = EVIL[case].replace("@out", str(out)).replace("@store", str(tmp_path / ".mesh/store"))
    settings = shop(tmp_path, query)
    with pytest.raises(DeclarationError) as caught:
        run(settings, "shop.orders")
    (problem, *_) = caught.value.problems
    assert problem.where is not None
    assert (problem.where.file, problem.where.line) == ("domains/shop/orders/orders.odcs.yaml", 10)
    assert not out.exists()
    assert not settings.store_folder.exists()


def test_a_rule_that_runs_for_ever_ends_in_a_refusal(tmp_path: Path) -> None:
    settings = shop(tmp_path, ENDLESS, "time_limit = 2\n")
    started = time.monotonic()
    report = run(settings, "shop.orders")
    assert time.monotonic() - started < 30
    assert not report.published
    (result,) = [r for r in report.results if r.check.endswith("evil")]
    assert result.outcome is Outcome.ERRORED
    assert "time limit" in result.reason


def test_a_rule_that_wants_all_memory_gets_none_of_it(tmp_path: Path) -> None:
    """One process for all of them: what one leaves must not help the next."""
    queries = list(HUGE.values())
    settings = shop(tmp_path, queries[0], "time_limit = 8\n")
    contract = (tmp_path / "domains/shop/orders/orders.odcs.yaml").read_text()
    rules = "".join(
        f'      - {{name: evil_{n}, type: sql, query: "{query}", mustBe: 0}}\n'
        for n, query in enumerate(queries)
    )
    head = contract.partition("    quality:\n")[0]
    write_product(tmp_path, "shop", "orders", {"orders.odcs.yaml": head + "    quality:\n" + rules})
    script = (
        "import json, sys\nfrom pathlib import Path\nfrom helpers import run\nfrom peak import peak_mb\n"
        "from dataops_mesh.settings import load_settings\n"
        "report = run(load_settings(Path(sys.argv[1])), 'shop.orders')\n"
        "found = {r.check: r.outcome.value for r in report.results if 'evil' in r.check}\n"
        "print(json.dumps([report.published, found, peak_mb()]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{script}", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    published, found, peak = json.loads(done.stdout)
    assert not published
    assert set(found.values()) <= {"errored", "failed"}
    assert peak < 2_000, f"{peak} MB at a limit of 500 MB"
    assert read(settings, "select 1") == [(1,)]


# --- names that are paths


@pytest.mark.parametrize("name", ["../x", "..", "/etc", "a/b", "a\\b", "x\0", "a b", "%2e%2e", "-"])
def test_a_partition_or_product_that_is_a_path_is_an_unknown_name(
    tmp_path: Path, name: str
) -> None:
    contract = a_contract(
        "sales", ["{name: day, logicalType: date, partitioned: true, required: true}"],
        extra="customProperties:\n  "
        + a_setting("partitions", '{cadence: monthly, start: "2013-01-01", end: "2013-03-01"}'),
    )  # fmt: skip
    files = a_product({"sales": contract}, files={"sales.sql": "select partition_start() as day"})
    settings = write_workspace(tmp_path, {"shop": {"sales": files}})
    with pytest.raises(UnknownNameError):
        run_product(
            product(settings, "shop.sales"), environment(settings), run_id="r", partition=name
        )
    assert latest_number(environment(settings).store) == 0


@pytest.mark.parametrize("value", ["../../../../secret", "/etc", "..", "a/../../b"])
def test_a_value_of_a_partition_opens_no_file_outside_the_workspace(
    tmp_path: Path, value: str
) -> None:
    (tmp_path / "secret.csv").write_text("id,place\n1,x\n")
    contract = a_contract(
        "sales", [ID, "{name: place, logicalType: string, partitioned: true, required: true}"],
        extra="customProperties:\n  " + a_setting("partitions", f'{{values: ["{value}"]}}'),
    )  # fmt: skip
    files = a_product(
        {"sales": contract},
        inputs=[a_source("sales_csv", '"data/{partition}.csv"')],
        files={"sales.sql": "select id, partition_key() as place from sales_csv"},
    )
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    settings = write_workspace(inner, {"shop": {"sales": files}})
    with pytest.raises(MeshError):
        run_product(
            product(settings, "shop.sales"), environment(settings), run_id="r", partition=value
        )
