"""A dbt project that cannot be built or parsed is an error, and quotes no value."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest
from dbt_cases import GOOD, IBAN, PORTS, PROJECT, mesh, write_project
from helpers import a_product, a_setting, a_source, environment, product, run

from dataops_mesh.errors import DeclarationError, TransformError
from dataops_mesh.store.manifest import ERROR, read_manifest
from dataops_mesh.store.refs import all_refs
from dataops_mesh.store.release import latest
from dataops_mesh.transform.validate import transform_problems

TABLE = "{{ config(materialized='table') }}\n"
FROM_STAGED = "from {{ ref('staged') }}\n"
BROKEN = {
    "a view that is first read when it is published": {
        "models/largest.sql": "select note::integer as id " + FROM_STAGED
    },
    "a table that cannot be built": {
        "models/totals.sql": TABLE + "select note::integer as orders, 1 as amount " + FROM_STAGED
    },
    "a column that is not there": {
        "models/totals.sql": TABLE + "select nowhere as orders " + FROM_STAGED
    },
    "a macro that fails": {
        "models/totals.sql": "{{ exceptions.raise_compiler_error('note "
        + IBAN
        + "') if execute }} select 1 as orders\n"
    },
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_model_that_cannot_be_built_is_an_error_without_values(
    tmp_path: Path, case: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(0)
    settings = mesh(tmp_path, f"id,amount,note\n1,10,{IBAN}\n")
    write_project(tmp_path, BROKEN[case])
    with pytest.raises(TransformError) as caught:
        run(settings, "books.both", "broken")
    assert caught.value.__context__ is None
    assert all(p.where and p.where.file.startswith("project/") for p in caught.value.problems)
    told = "".join(traceback.format_exception(caught.value))
    assert IBAN not in told + caplog.text + "".join(capfd.readouterr())
    store = environment(settings).store
    (broken,) = (
        m for m in (read_manifest(store, r) for r in all_refs(store)) if m.run_id == "broken"
    )
    assert broken.verdict == ERROR
    private = store.candidates / broken.candidate / "error.txt"
    if case != "a column that is not there":
        assert IBAN in private.read_text()
    files_on_disk = [path for path in tmp_path.rglob("*") if path.is_file() and path != private]
    # The delivery itself, what is kept of it for the pipeline alone, and the model that quotes it.
    readable = {"orders", "captures", "project"}
    assert store.captures.stat().st_mode & 0o077 == 0
    leaks = [
        path
        for path in files_on_disk
        if IBAN.encode() in path.read_bytes()
        and not readable & set(path.relative_to(tmp_path).parts)
    ]
    assert not leaks
    assert {str(address) for address in latest(store).ports} == {"shop.orders"}


def test_a_project_that_cannot_be_parsed_is_a_declaration_error(tmp_path: Path) -> None:
    settings = mesh(tmp_path)
    write_project(tmp_path, {"models/totals.sql": "select * from {{ ref('nowhere') }}"})
    with pytest.raises(DeclarationError, match="cannot parse") as caught:
        run(settings, "books.both")
    assert "dbt parse" in caught.value.problems[0].next


def test_a_port_without_a_public_model_is_said(tmp_path: Path) -> None:
    settings = mesh(tmp_path)
    schema = "version: 2\nmodels:\n  - {name: totals, access: public}\n  - {name: largest}\n"
    write_project(tmp_path, {"models/schema.yml": schema})
    with pytest.raises(DeclarationError, match='"largest" is not a public model'):
        run(settings, "books.both")


@pytest.mark.parametrize("text", ["name: [", "- a list", "name: books\nmodel-paths: 7\n"])
def test_a_broken_dbt_project_file_is_a_declaration_error(tmp_path: Path, text: str) -> None:
    settings = mesh(tmp_path)
    write_project(tmp_path, {"dbt_project.yml": text})
    with pytest.raises(DeclarationError, match="cannot parse"):
        run(settings, "books.both")
    assert [
        path.name for path in (tmp_path / ".mesh/store/cache/dbt").rglob("*") if path.is_file()
    ] == []


def test_a_source_in_no_database_of_the_mesh_is_said(tmp_path: Path) -> None:
    sources = PROJECT["models/sources.yml"].replace("database: mesh, ", "")
    settings = mesh(tmp_path)
    write_project(tmp_path, {"models/sources.yml": sources})
    with pytest.raises(
        DeclarationError, match=r'"shop.orders" is in no database of the mesh'
    ) as error:
        run(settings, "books.both")
    assert "project/models/sources.yml:1" in str(error.value)
    assert "database: mesh" in str(error.value)


def test_a_source_of_a_dbt_product_is_said_before_dbt_is_asked(tmp_path: Path) -> None:
    files = a_product(
        {"totals": PORTS["totals"]},
        inputs=[a_source("rows", "rows.csv")],
        settings=a_setting("transform", "{dbt: {project: ../../../project}}"),
        files={"rows.csv": GOOD},
    )
    settings = mesh(tmp_path, both=files)
    (problem,) = transform_problems(product(settings, "books.both"))
    assert '"rows" is a source' in problem.what
