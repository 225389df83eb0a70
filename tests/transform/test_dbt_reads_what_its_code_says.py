"""What dbt may read is what the version of its code is made of: links, packages, named files."""

from __future__ import annotations

from pathlib import Path

import pytest
from dbt_cases import mesh, write_project
from helpers import product, read, run

from dataops_mesh.errors import DeclarationError, TransformError
from dataops_mesh.settings import Settings
from dataops_mesh.transform.code import code_digest, code_files
from dataops_mesh.transform.dbt.files import LARGEST

SHARED = {
    "../shared/dbt_project.yml": "name: shared\nversion: 1.0.0\n",
    "../shared/macros/one.sql": "{% macro one() %}1{% endmacro %}",
    "models/uses.sql": "select {{ shared.one() }} as id",
    "packages.yml": "packages:\n  - local: ../shared\n",
}


def digest(settings: Settings) -> str:
    return code_digest(code_files(product(settings, "books.both")))


def link(root: Path, name: str, to: str) -> None:
    place = root / "project" / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(to)


def test_a_local_package_is_a_link_that_is_read_and_counts(tmp_path):
    settings = mesh(tmp_path)
    write_project(tmp_path, SHARED)
    link(tmp_path, "dbt_packages/shared", "../../shared")  # as `dbt deps` makes it
    assert run(settings, "books.both").published
    before = digest(settings)
    write_project(tmp_path, {"../shared/macros/one.sql": "{% macro one() %}2{% endmacro %}"})
    assert digest(settings) != before


@pytest.mark.parametrize("to", ["../../domains/shop/shared", "@outside", "../.."])
def test_a_package_that_links_out_of_bounds_is_named_and_not_read(tmp_path, to):
    outside = tmp_path / "outside"
    (tmp_path / "workspace").mkdir()
    settings = mesh(tmp_path / "workspace")
    files = {name.replace("../shared", "@at"): text for name, text in SHARED.items()}
    root = settings.root
    at = {"@outside": outside}.get(to, (root / "project/dbt_packages" / to).resolve())
    if to != "../..":
        for name in ("dbt_project.yml", "macros/one.sql"):
            file = at / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(files[f"@at/{name}"], "utf-8")
    link(root, "dbt_packages/shared", str(at) if to == "@outside" else to)
    with pytest.raises(DeclarationError, match='"shared" is a link out of the workspace'):
        run(settings, "books.both")
    assert not [name for name in code_files(product(settings, "books.both")) if "one.sql" in name]


NAMED = {"models/named.sql": "select * from read_csv('data/r*.csv')", "data/rates.csv": "id\n1\n"}


def test_a_file_that_sql_names_is_a_part_of_the_code(tmp_path):
    settings = mesh(tmp_path)
    write_project(tmp_path, NAMED)
    assert run(settings, "books.both").published
    before = digest(settings)
    write_project(tmp_path, {"other/rates.csv": "id\n2\n"})
    assert digest(settings) == before
    write_project(tmp_path, {"data/rates.csv": "id\n2\n"})
    assert digest(settings) != before


@pytest.mark.parametrize("hidden", ["by a variable", "by its size"])
def test_a_file_that_is_not_in_the_code_cannot_be_read_and_what_to_do_is_said(tmp_path, hidden):
    settings = mesh(tmp_path)
    write_project(tmp_path, NAMED)
    if hidden == "by a variable":
        sql = "{% set at = 'rates' %}select * from read_csv('data/{{ at }}.csv')"
        write_project(tmp_path, {"models/named.sql": sql})
    else:
        (tmp_path / "project/data/rates.csv").write_bytes(b"id\n" + b"1\n" * (LARGEST // 2))
    with pytest.raises(TransformError) as caught:
        run(settings, "books.both")
    problem = caught.value.problems[0]
    assert problem.where
    assert problem.where.file == "project/models/named.sql"
    assert "source of an input port" in problem.next


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("models/.hidden.sql", True),  # dbt builds it
        ("models/linked/m.sql", True),
        ("models/words.md", True),
        ("tests/fixtures/rows.csv", True),
        ("dbt_packages/zoo/models/a.sql", True),
        ("data/former.csv", True),
        ("models/.DS_Store", False),
        ("models/__pycache__/m.pyc", False),
        ("models/dev.duckdb", False),
        ("data/dev.duckdb.wal", False),
        ("dbt_packages/zoo/.git/HEAD", False),
        ("dbt_packages/zoo/logs/dbt.log", False),
        ("dbt_packages/zoo/integration_tests/models/a.sql", False),
        ("profiles.yml", False),
        (".env", False),
    ],
)
def test_only_what_dbt_reads_of_links_hidden_files_and_packages_counts(tmp_path, name, counts):
    from dataops_mesh.transform.dbt.files import Bounds, project_files

    project, inner = tmp_path / "project", tmp_path / "project" / "common"
    write_project(tmp_path, {"dbt_project.yml": "data-paths: [data]\n", "models/a.sql": ""})
    inner.mkdir()
    (project / "models" / "linked").symlink_to("../common")
    bounds = Bounds(tmp_path, tmp_path / "domains", tmp_path / "domains" / "books")
    before = project_files(project, bounds)
    write_project(tmp_path, {name: "x"})
    assert (project_files(project, bounds) != before) is counts


def test_a_database_beside_the_models_can_be_read_by_none(tmp_path):
    settings = mesh(tmp_path)
    write_project(tmp_path, {"models/dev.duckdb": "x", "models/deep/a.sql": "select 1 as id"})
    assert run(settings, "books.both").published
    reads = "{{ config(materialized='table') }} from read_blob('models/dev.duckdb')"
    write_project(tmp_path, {"models/b.sql": reads})
    with pytest.raises(TransformError, match="Cannot open file"):
        run(settings, "books.both")


def test_a_port_that_is_a_view_of_a_file_is_published(tmp_path):
    settings = mesh(tmp_path)
    rates = "select id::integer as id from read_csv('data/rates.csv')"
    write_project(tmp_path, {**NAMED, "models/largest.sql": rates})
    assert run(settings, "books.both").published
    assert read(settings, "select id from books.largest") == [(1,)]


def test_a_file_that_a_model_in_python_may_not_open_is_named(tmp_path):
    settings = mesh(tmp_path)
    file = f"{tmp_path}/domains/shop/orders/rows.csv"
    opens = f"def model(dbt, session):\n    open('{file}')\n    return session\n"
    write_project(tmp_path, {"models/opens.py": opens})
    with pytest.raises(TransformError) as caught:
        run(settings, "books.both")
    problem = caught.value.problems[0]
    assert str(problem.where) == "project/models/opens.py:2"
    assert "domains/shop/orders/rows.csv" in problem.what
    assert "source of an input port" in problem.next
