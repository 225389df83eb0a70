"""A test of dbt speaks of the rows that are published: it cannot change them, nor see others."""

from __future__ import annotations

from dbt_cases import PROJECT, mesh, write_project
from helpers import run
from test_dbt_projects_as_people_have_them import with_port

from dataops_mesh.store.release import latest
from dataops_mesh.store.store import open_store

WRITES = (
    "{% if execute %}{% do run_query('update ' ~ ref('totals') ~ ' set amount = 1') %}{% endif %}"
    "select * from {{ ref('totals') }} where amount > 5"
)


def test_a_test_that_would_mend_the_rows_before_it_looks_refuses(tmp_path):
    settings = mesh(tmp_path)
    write_project(tmp_path, {"tests/a_mends.sql": WRITES})
    report = run(settings, "books.both")
    assert not report.published
    assert "dbt_a_mends: could not run" in str(report.decision)
    released = {str(address) for address in latest(open_store(settings.store_folder)).ports}
    assert released == {"shop.orders"}


def test_a_view_is_not_asked_again_for_its_tests(tmp_path):
    # What the setting says differs between the process that copies out and the one that tests.
    settings = with_port(tmp_path, how=["{name: how, logicalType: string}"])
    write_project(
        tmp_path,
        {
            "models/how.sql": "select current_setting('access_mode') as how",
            "models/how.yml": "version: 2\nmodels:\n  - {name: how, access: public}\n",
            "tests/same.sql": "select * from {{ ref('how') }} where how <> 'automatic'",
            "tests/otherwise.sql": "select 1 where current_setting('access_mode') = 'automatic'",
        },
    )
    report = run(settings, "books.both")
    assert report.published, report.decision


def test_flags_of_the_project_change_neither_what_is_tested_nor_what_is_read(tmp_path):
    settings = mesh(tmp_path)
    flags = (
        "flags: {write_json: false, partial_parse: false, fail_fast: true, store_failures: true, "
        "log_level: debug, populate_cache: false, version_check: false}\n"
        "data_tests: {+store_failures: true, +schema: audit}\n"
        "on-run-start: ['create table if not exists log (x int)', 'insert into log values (1)']\n"
        'on-run-end: ["{{ done(results) }}"]\n'
    )
    project = PROJECT["dbt_project.yml"].replace(
        "flags: {send_anonymous_usage_stats: false}\n", flags
    )
    write_project(
        tmp_path,
        {
            "dbt_project.yml": project,
            "macros/done.sql": (
                "{% macro done(results) %}{% for one in results %}insert into log values (2);"
                "{% endfor %}{% endmacro %}"
            ),
            "models/kept.sql": "{{ config(materialized='external') }} select 1 as id",
            "models/of_kept.sql": "select * from {{ ref('kept') }}",
            "tests/each_hook_ran_once.sql": (
                "select 1 from (select list(x order by x) as found from log) "
                "where found <> [1, 2, 2, 2, 2, 2]"
            ),
            "tests/no_cents.sql": "select * from {{ ref('of_kept') }} where id <> 1",
        },
    )
    report = run(settings, "books.both")
    assert report.published, report.decision
