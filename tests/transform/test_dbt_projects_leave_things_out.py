"""A default selector, analyses, disabled models: what is left out is not asked for."""

from __future__ import annotations

import pytest
from dbt_cases import PROJECT, books, mesh, write_project
from helpers import run, write_product
from test_dbt_projects_as_people_have_them import ID, with_port

from dataops_mesh.errors import DeclarationError

ZOO = "sources:\n  - {name: zoo, database: mesh, schema: zoo, tables: [{name: a}]}\n"
SNAPSHOT = (
    "{% snapshot kept %}{{ config(strategy='check', unique_key='id', check_cols='all') }} "
    "select * from {{ ref('staged') }}{% endsnapshot %}"
)


def test_what_the_project_leaves_out_is_not_missed(tmp_path):
    settings = mesh(tmp_path)
    write_project(
        tmp_path,
        {
            "selectors.yml": (
                "selectors:\n  - name: mine\n    default: true\n    definition:\n"
                "      union:\n        - {method: fqn, value: totals, parents: true}\n"
                "        - {method: fqn, value: largest, parents: true}\n"
            ),
            "models/zoo.yml": ZOO,
            "models/animals.sql": "select * from {{ source('zoo', 'a') }}",
            "analyses/of_zoo.sql": "select * from {{ source('zoo', 'a') }}",
        },
    )
    assert run(settings, "books.both").published


def test_an_analysis_reads_nothing_and_tests_of_disabled_models_are_not_missed(tmp_path):
    settings = mesh(tmp_path)
    write_project(
        tmp_path,
        {
            "models/zoo.yml": ZOO,
            "analyses/of_zoo.sql": "select * from {{ source('zoo', 'a') }}",
            "models/idle.sql": "{{ config(enabled=false) }} select 1 as id",
            "models/idle.yml": (
                "models:\n  - {name: idle, columns: [{name: id, data_tests: [unique]}]}\n"
            ),
            "tests/of_idle.sql": "select * from {{ ref('idle') }}",
        },
    )
    report = run(settings, "books.both")
    assert report.published, report.decision


def test_a_port_without_a_model_says_why_and_models_made_of_each_other_are_named(tmp_path):
    settings = with_port(tmp_path, kept=ID, idle=ID, larges=ID)
    write_project(
        tmp_path,
        {
            "snapshots/kept.sql": SNAPSHOT,
            "models/idle.sql": "{{ config(enabled=false) }} select 1 as id",
            "models/x.sql": "select * from {{ ref('y') }}",
            "models/y.sql": "select * from {{ ref('x') }}",
        },
    )
    with pytest.raises(DeclarationError) as caught:
        run(settings, "books.both")
    told = "\n".join(f"{problem.what}; {problem.next}" for problem in caught.value.problems)
    assert '"kept"' not in told  # a snapshot can be a port
    assert '"idle" is a model that the project has disabled; enable it' in told
    assert "did you mean" in told
    assert "models of the dbt project are made of each other: y -> x -> y" in told or (
        "x -> y -> x" in told
    )


def test_a_port_that_the_selection_leaves_out_says_so(tmp_path):
    settings = mesh(tmp_path, both=books("totals", "largest", select="+totals"))
    with pytest.raises(DeclarationError, match='"largest" is a model that the selection does not'):
        run(settings, "books.both")


def test_a_hook_reads_its_source_whatever_is_selected(tmp_path):
    hook = "create or replace table extra as select id from {{ source('shop', 'orders') }}"
    settings = mesh(tmp_path, both=books("largest", select="largest"))
    write_project(
        tmp_path,
        {
            "dbt_project.yml": PROJECT["dbt_project.yml"] + f'on-run-start: ["{hook}"]\n',
            "models/largest.sql": "select max(id) as id from extra",
        },
    )
    assert run(settings, "books.both").published
    write_product(settings.root, "books", "both", books("largest", select="largest", inputs=()))
    with pytest.raises(DeclarationError, match=r'"shop\.orders", which is not an input port'):
        run(settings, "books.both")
