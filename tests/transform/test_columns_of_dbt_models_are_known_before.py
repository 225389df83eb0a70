"""`mesh check` compares a dbt model's columns with its port, before anything is built."""

from __future__ import annotations

import helpers
from dbt_cases import PROJECT, mesh, write_project

from dataops_mesh.cli.examine import examine
from dataops_mesh.run.checks import dbt_nodes
from dataops_mesh.settings import Settings
from dataops_mesh.transform.walls import walls_of

TOTALS = "models/totals.sql"


def told(settings: Settings) -> list[str]:
    found = helpers.product(settings, "books.both")
    problems, notes = examine((found,), helpers.mesh(settings), settings)
    assert problems == []
    return [str(one) for _, one in notes if "the model has" in one.what]


def test_a_column_of_another_name_is_told_at_the_contracts_line(tmp_path):
    settings = mesh(tmp_path)
    assert told(settings) == []
    write_project(tmp_path, {TOTALS: PROJECT[TOTALS].replace("as amount", "as paid")})
    missing, more = told(settings)
    assert missing.startswith(
        'domains/books/both/totals.odcs.yaml:9: books.totals: column "amount" is promised'
    )
    assert "valid: orders, paid" in missing
    assert 'the model has a column "paid", which is not declared' in more


def test_a_model_that_nobody_can_read_is_left_to_the_run(tmp_path):
    settings = mesh(tmp_path)
    loop = "select {% for n in ['orders', 'paid'] %}1 as {{ n }}{{ ',' if not loop.last }}{% endfor %} from {{ ref('staged') }}"
    write_project(tmp_path, {TOTALS: loop})
    assert told(settings) == []
    dbt_nodes(helpers.product(settings, "books.both"), walls_of(settings))
