"""A publication of a dbt project is built again: its models of then, on the state of then."""

from __future__ import annotations

from dbt_cases import mesh, write_project
from dbt_state_cases import FIRST, PORTS, PROJECT, SECOND, a_mesh, build
from helpers import environment, product, run

from dataops_mesh.run.reproduce.publication import reproduce
from dataops_mesh.store import files

STEADY = ("events", "latest", "hist")  # no column of these is made by dbt's own clock


def test_an_edited_project_is_named_and_a_committed_one_is_built(tmp_path):
    settings = mesh(tmp_path)
    run(settings, "books.both")
    found = reproduce(product(settings, "books.both"), environment(settings), 2)
    assert [one.identical for one in found] == [True]
    write_project(tmp_path, {"models/largest.sql": "select 7 as id\n"})
    (one,) = reproduce(product(settings, "books.both"), environment(settings), 2)
    assert "no commit" in one.gone[0]


def test_incremental_models_and_snapshots_go_on_from_what_they_went_on_from(tmp_path):
    project = {k: v for k, v in PROJECT.items() if "snapshots/" not in k or "hist" in k}
    settings = a_mesh(tmp_path, project, {name: PORTS[name] for name in STEADY})
    numbers = [build(settings, rows).publication for rows in (FIRST, SECOND, None)]
    files.remove_tree(settings.domains_folder / "shop/orders/rows.csv")
    for number in numbers:
        (one,) = reproduce(product(settings, "books.all"), environment(settings), number)
        assert one.identical, one
