"""Rows that dbt built are split after its process is dead; its own tests see all of them."""

from __future__ import annotations

from dbt_cases import a_product, a_setting, an_input, mesh, run, write_project
from helpers import a_contract, read

ASIDE = "{property: onFailure, vendor: dataops_mesh, value: {quarantine: 50%}}"
COLUMNS = [
    "{name: id, logicalType: integer, primaryKey: true}",
    (
        "{name: amount, logicalType: integer, logicalTypeOptions: {minimum: 15}, "
        f"customProperties: [{ASIDE}]}}"
    ),
]


def test_rows_of_a_model_are_set_aside(tmp_path):
    staged = a_product(
        {"staged": a_contract("staged", COLUMNS)},
        inputs=[an_input("shop.orders")],
        settings=a_setting("transform", "{dbt: {project: ../../../project, select: staged}}"),
        files={},
    )
    settings = mesh(tmp_path, staged=staged)
    schema = (
        "version: 2\nmodels:\n  - name: staged\n    access: public\n"
        "    columns:\n      - {name: id, data_tests: [unique, not_null]}\n"
    )
    write_project(
        tmp_path,
        {
            "models/schema.yml": schema,
            "models/staged.sql": "select id, amount from {{ source('shop', 'orders') }}\n",
        },
    )
    report = run(settings, "books.staged")
    assert report.published, report.decision
    assert read(settings, "from books.staged") == [(2, 20)]
    (one,) = report.quarantines
    assert dict(one.rules) == {"amount_range": 1}
