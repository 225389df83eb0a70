"""What a run would trip over before it reads a row, `mesh check` says."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import a_product, mesh, write_workspace

from dataops_mesh.cron import cron_problem
from dataops_mesh.transform.dry import bound_problems

UP = a_product(
    {"up": ["{name: k, logicalType: integer}", "{name: seen, logicalType: timestamp}"]},
    files={"up.sql": "select 1 as k, timestamp '2026-01-01' as seen"},
)
WRONG = {
    "select nosuch as k from d.up": "nosuch",
    "select ndv(k) as k from d.up": "ndv",
    "select k, sum(k) as s from d.up": "GROUP BY",
    "select seen as other from d.up": 'column "k" is promised and not returned',
    "select k, seen from d.up": 'column "seen" is not declared',
    "select k from d.up where seen > 'x' || k + seen": "BinderException",
}


def problems(tmp_path: Path, query: str) -> str:
    down = a_product(
        {"down": ["{name: k, logicalType: integer}"]}, inputs=["- name: d.up\n"],
        files={"down.sql": query},
    )  # fmt: skip
    found = mesh(write_workspace(tmp_path, {"d": {"up": UP, "down": down}}))
    told = [p for product in found.products for p in bound_problems(product, found)]
    assert all(str(problem.where).startswith("domains/d/down/down.sql") for problem in told)
    return "\n".join(map(str, told))


@pytest.mark.parametrize("query", WRONG)
def test_sql_that_cannot_bind_is_said(tmp_path: Path, query: str):
    assert WRONG[query] in problems(tmp_path, query)


@pytest.mark.parametrize(
    "query", ["select k from d.up where seen < mesh_now();", "from d.up select k -- all"]
)
def test_sql_that_binds_is_not(tmp_path: Path, query: str):
    assert problems(tmp_path, query) == ""


NEVER = ["0 6 30 2 *", "0 6 31 4 *", "0 6 31 apr,jun,9-9 *", "0 0 30-31 feb *"]
SOME_DAY = [
    "0 6 29 2 *",
    "0 6 31 * *",
    "0 6 30 2 mon",
    "0 6 31 4-5 *",
    "0 6 */7 2 *",
    "0 6 31 */2 *",
]


@pytest.mark.parametrize("cron", [*NEVER, *SOME_DAY])
def test_a_cron_that_never_comes_is_said(cron: str):
    assert (cron_problem(cron) is not None) == (cron in NEVER)
