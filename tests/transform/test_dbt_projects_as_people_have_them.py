"""Seeds, exposures, versions, packages, hooks: what real dbt projects have, and what is refused."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest
from dbt_cases import PORTS, books, mesh, write_project
from helpers import a_product, a_setting, product, read, run

from dataops_mesh import load_product
from dataops_mesh.cli.planning import plan_of
from dataops_mesh.errors import DeclarationError, TransformError
from dataops_mesh.factory.domain import load_domain
from dataops_mesh.settings import Settings
from dataops_mesh.spec.loader import load_mesh
from dataops_mesh.transform.code import code_digest, code_files
from dataops_mesh.transform.dbt.files import project_files
from dataops_mesh.transform.dbt.profile import profile_notes

SEED = {
    "seeds/countries.csv": "code,name\nSE,Sweden\nNO,Norway\n",
    "models/named.sql": "select id, name from {{ ref('staged') }} cross join {{ ref('countries') }}\n",
}
EXPOSURE = """\
version: 2
exposures:
  - name: dash
    type: dashboard
    owner: {email: ana@example.com}
    depends_on: [ref('totals')]
"""
VERSIONS = {
    "models/out_v1.sql": "select 1 as id",
    "models/out_v2.sql": "select 2 as id",
    "models/versions.yml": (
        "version: 2\nmodels:\n  - name: out\n    access: public\n    latest_version: 1\n"
        "    versions: [{v: 1}, {v: 2}]\n"
    ),
}
ID = ["{name: id, logicalType: integer}"]


def with_port(root: Path, **ports: list[str]) -> Settings:
    both = {**{name: PORTS[name] for name in ("totals", "largest")}, **ports}
    made = books("totals", "largest")
    made |= a_product(
        both,
        inputs=["- name: shop.orders\n  version: 1.0.0\n"],
        settings=a_setting("transform", "{dbt: {project: ../../../project}}"),
        files={},
    )
    return mesh(root, both=made)


def test_a_project_with_seeds_is_built_like_any_other(tmp_path):
    settings = mesh(tmp_path)
    write_project(tmp_path, SEED)
    assert run(settings, "books.both").published


def test_a_seed_can_be_a_port(tmp_path):
    columns = ["{name: code, logicalType: string}", "{name: name, logicalType: string}"]
    settings = with_port(tmp_path, countries=columns)
    write_project(tmp_path, SEED)
    assert run(settings, "books.both").published
    assert read(settings, "select name from books.countries order by 1") == [
        ("Norway",),
        ("Sweden",),
    ]


def test_an_exposure_is_a_consumer_in_lineage_and_in_plan_and_no_failure(tmp_path):
    settings = mesh(tmp_path)
    write_project(tmp_path, {"models/exposures.yml": EXPOSURE})
    assert run(settings, "books.both").published
    graph = load_product(settings.domains_folder / "books" / "both").resolve_asset_graph()
    drawn = graph.get(dg.AssetKey(["books", "exposure", "dash"]))
    assert drawn.parent_keys == {dg.AssetKey(["books", "totals"])}
    assert drawn.is_external
    contract = settings.domains_folder / "books" / "both" / "totals.odcs.yaml"
    lines = contract.read_text("utf-8").splitlines(keepends=True)
    contract.write_text("".join(lines[:-1]), "utf-8")  # a column less
    plan = plan_of(settings, load_mesh(settings.root, settings.domains), (), "published")
    (changed,) = plan.products
    assert "dashboard dash of ana@example.com" in [one.reader for one in changed.consumers]


@pytest.mark.parametrize("port", ["out", "out_v1", "out_v2"])
def test_the_version_that_is_named_is_published(tmp_path, port):
    ports = {port: ID}
    if port != "out_v2":
        ports["out_v2"] = ID  # every public version has a contract
    else:
        ports["out"] = ID
    settings = with_port(tmp_path, **ports)
    write_project(tmp_path, VERSIONS)
    assert run(settings, "books.both").published
    wanted = {"out": 1, "out_v1": 1, "out_v2": 2}[port]
    assert read(settings, f"select id from books.{port}") == [(wanted,)]


def test_a_model_of_a_package_is_not_taken_for_the_projects_own(tmp_path):
    settings = mesh(tmp_path)
    write_project(
        tmp_path,
        {
            "dbt_packages/zoo/dbt_project.yml": "name: zoo\nversion: 1.0.0\nmodel-paths: [models]\n",
            "dbt_packages/zoo/models/deep/largest.sql": "select 666 as id",
            "dbt_packages/zoo/models/schema.yml": (
                "version: 2\nmodels:\n  - name: largest\n    access: public\n"
                "    columns: [{name: id, data_tests: [not_null]}]\n"
            ),
            "models/more.yml": ("version: 2\nmodels:\n  - name: staged2\n    columns: []\n"),
            "packages.yml": "packages:\n  - local: zoo\n",
            "dbt_project.yml": (
                "name: books\nversion: 1.0.0\nprofile: elsewhere\nmodel-paths: [models]\n"
                "models: {zoo: {+schema: zoo}}\n"
            ),
        },
    )
    report = run(settings, "books.both")
    assert report.published, report.decision
    assert read(settings, "select id from books.largest") == [(2,)]


def test_a_hook_runs_once_and_what_is_tested_is_what_is_published(tmp_path):
    settings = mesh(tmp_path)
    hook = "insert into {{ ref('totals') }} values (1000, 1)"
    write_project(
        tmp_path,
        {
            "dbt_project.yml": (
                "name: books\nversion: 1.0.0\nprofile: elsewhere\nmodel-paths: [models]\n"
                f'on-run-end: ["{hook}"]\n'
            ),
            "tests/one_hook.sql": "select 1 where (select count(*) from {{ ref('totals') }}) <> 2",
        },
    )
    assert run(settings, "books.both").published
    assert read(settings, "select count(*) from books.totals") == [(2,)]


NO_MODEL = {
    "nowhere": "version: 2\nmodels: [{name: nope, columns: [{name: id, data_tests: [not_null]}]}]\n",
    "no such version": "select 1 from {{ ref('out', v=9) }}",
    "no such package": "select 1 from {{ ref('zoo', 'staged') }}",
    "one of two": "select 1 from {{ ref('staged') }}, {{ ref('nope') }}",
    "no such source": "select 1 from {{ source('shop', 'ordrs') }}",
}


@pytest.mark.parametrize("case", NO_MODEL)
def test_a_test_of_a_model_that_is_not_there_says_so(tmp_path, case):
    settings = mesh(tmp_path)
    versions = VERSIONS["models/versions.yml"].replace("    access: public\n", "")
    file = "models/nope.yml" if case == "nowhere" else "tests/nope.sql"
    write_project(tmp_path, {**VERSIONS, "models/versions.yml": versions, file: NO_MODEL[case]})
    with pytest.raises(DeclarationError, match="is about a model that is not there"):
        run(settings, "books.both")


def test_dbts_own_words_name_the_model_the_file_and_the_mistake(tmp_path):
    settings = mesh(tmp_path)
    sql = "{{ config(materialized='table') }} select nowhere as orders from {{ ref('staged') }}"
    write_project(tmp_path, {"models/totals.sql": sql})
    with pytest.raises(TransformError) as caught:
        run(settings, "books.both")
    problem = next(p for p in caught.value.problems if "(error)" in p.what)
    assert problem.where
    assert problem.where.file == "project/models/totals.sql"
    assert 'Binder Error: Referenced column "nowhere" not found' in problem.what


def test_the_version_of_dbt_that_a_project_asks_for_counts(tmp_path):
    settings = mesh(tmp_path)
    write_project(
        tmp_path,
        {
            "dbt_project.yml": (
                "name: books\nversion: 1.0.0\nprofile: x\nmodel-paths: [models]\n"
                'require-dbt-version: ">=99.0.0"\n'
            )
        },
    )
    with pytest.raises(DeclarationError, match=r"99\.0\.0"):
        run(settings, "books.both")


def test_a_source_that_only_an_unused_ephemeral_model_names_is_no_input(tmp_path):
    settings = mesh(tmp_path)
    write_project(
        tmp_path,
        {
            "models/other.yml": (
                "version: 2\nsources:\n  - {name: zoo, database: mesh, schema: zoo, "
                "tables: [{name: animals}]}\n"
            ),
            "models/unused.sql": (
                "{{ config(materialized='ephemeral') }} select * from {{ source('zoo', 'animals') }}"
            ),
        },
    )
    assert run(settings, "books.both").published


def test_only_what_dbt_reads_changes_the_code(tmp_path):
    settings = mesh(tmp_path)
    found = product(settings, "books.both")
    before = code_digest(code_files(found))
    for name in (".venv/lib/x.py", "dev.duckdb", "notes.txt", "target/x.sql", "data/big.csv"):
        write_project(tmp_path, {name: "x"})
        assert code_digest(code_files(found)) == before, name
    for name in ("macros/m.sql", "dbt_packages/p/models/a.sql", "packages.yml", "models/x.py"):
        write_project(tmp_path, {name: "x"})
        after = code_digest(code_files(found))
        assert after != before, name
        before = after


def test_a_project_whose_folder_is_its_models_counts_all_but_environments(tmp_path):
    write_project(
        tmp_path,
        {
            "dbt_project.yml": 'name: p\nmodel-paths: ["."]\ntarget-path: build\n',
            "a.sql": "select 1",
            "venv/pyvenv.cfg": "",
            "venv/lib/x.py": "",
            "env/conda-meta/history": "",
            "env/lib/y.sql": "",
            "node_modules/a/README.md": "",
            "build/run/a.sql": "",
            "dev.duckdb": "",
        },
    )
    assert set(project_files(tmp_path / "project")) == {"dbt_project.yml", "a.sql"}


def test_two_products_with_an_inner_model_of_one_name_load_in_one_location(tmp_path):
    settings = mesh(
        tmp_path,
        one=books("totals", select="+totals"),
        two=books("largest", select="+largest"),
    )
    definitions = load_domain(settings.root / "domains" / "books")
    keys = {key.to_user_string() for key in definitions.resolve_asset_graph().get_all_asset_keys()}
    assert {"books/totals", "books/largest", "books/one/staged", "books/two/staged"} <= keys


def test_models_of_any_name_load_beside_what_else_is_drawn(tmp_path):
    """`check` was green, and Dagster could load nothing of the domain."""
    settings = mesh(
        tmp_path,
        exposure=books("totals", select="+totals dash"),
        two=books("largest", select="+largest"),
    )
    names = ("Größe", "my-model", "my_model", "raw.orders", "staged")
    files = {f"models/{name}.sql": "select 1 as id" for name in (*names[:-1], "dash")}
    union = " union all ".join(f"select id from {{{{ ref('{name}') }}}}" for name in names)
    files |= {"models/largest.sql": union, "models/exposures.yml": EXPOSURE}
    write_project(tmp_path, files)
    definitions = load_domain(settings.root / "domains" / "books")
    keys = {key.to_user_string() for key in definitions.resolve_asset_graph().get_all_asset_keys()}
    assert {"books/exposure/dash", "books/exposure/models/dash", "books/two/staged"} <= keys
    assert len([key for key in keys if key.startswith("books/two/")]) == len(names)


PROFILE = """\
books:
  target: dev
  outputs:
    dev:
      type: duckdb
      extensions: [httpfs]
      attach:
        - path: other.duckdb
"""


def test_what_the_projects_own_profile_asks_for_in_vain_is_said(tmp_path):
    settings = mesh(tmp_path)
    write_project(tmp_path, {"profiles.yml": PROFILE})
    told = profile_notes(product(settings, "books.both"))
    assert [(one.key, one.where.line if one.where else 0) for one in told] == [
        ("attach", 7),
        ("extensions", 6),
    ]
    assert all(one.next for one in told)
