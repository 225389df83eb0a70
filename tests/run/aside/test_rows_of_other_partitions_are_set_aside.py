"""A row of another partition is set aside where the contract says so; its own stays as it is."""

from __future__ import annotations

import pytest
from aside_cases import rows_aside
from partition_cases import COLUMNS, MONTHS, amounts, build, contract, csv, workspace

ALL = "select id, day, amount from sales_csv"
THREE = csv("1,2020-01-05,10", "2,2020-02-05,20", "3,2020-03-05,30")


def cut(most: str) -> str:
    return contract(
        COLUMNS,
        f"{{cadence: monthly, start: '2020-01-01', onFailure: {{quarantine: {most}}}}}",
    )


def test_rows_of_another_partition_are_set_aside(tmp_path):
    settings = workspace(tmp_path, sql=ALL, rows=THREE, contract_text=cut("2 rows"))
    report = build(settings, MONTHS[1])
    assert report.published
    assert amounts(settings) == [(2, 20)]
    assert [(row[0], row[-1]) for row in rows_aside(settings, report, "sales")] == [
        (1, ["in_partition"]),
        (3, ["in_partition"]),
    ]
    assert build(settings, MONTHS[0]).published
    assert amounts(settings) == [(1, 10), (2, 20)]


@pytest.mark.parametrize(
    ("most", "published"), [("66.7%", True), ("66.6%", False), ("1 row", False)]
)
def test_more_than_the_bound_refuses_the_partition(tmp_path, most, published):
    settings = workspace(tmp_path, sql=ALL, rows=THREE, contract_text=cut(most))
    report = build(settings, MONTHS[1])
    assert report.published is published
    assert published or "quarantine_in_partition" in str(report.decision)
