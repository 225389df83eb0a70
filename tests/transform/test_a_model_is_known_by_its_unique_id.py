"""A name may be that of several models: of packages, of versions. What each is, dbt has said."""

from __future__ import annotations

import pytest
from dbt_cases import PROJECT, books, mesh, write_project
from helpers import product, read, run
from test_dbt_projects_as_people_have_them import ID, with_port
from test_rows_of_dbt_that_no_model_says import SOURCE, found

from dataops_mesh.errors import DeclarationError, TransformError
from dataops_mesh.run.checks import dbt_checks, dbt_nodes
from dataops_mesh.transform.walls import walls_of

ZOO = {
    "dbt_packages/zoo/dbt_project.yml": "name: zoo\nversion: 1.0.0\nmodel-paths: [models]\n",
    "packages.yml": "packages: [{local: zoo}]\n",
    "dbt_project.yml": PROJECT["dbt_project.yml"].replace("view}}", "view}, zoo: {+schema: zoo}}"),
}
SECRET, PLAIN = (f"select id, {column} as note from {SOURCE}" for column in ("ssn", "note"))
VERSIONS = (
    "models:\n  - name: codes\n    access: public\n    latest_version: 1\n"
    "    versions: [{v: 1}, {v: 2}]\n"
)
VERSIONED = {"models/codes.sql": "", "models/schema.yml": VERSIONS, "models/other.sql": ""}


@pytest.mark.parametrize(("one", "two", "told"), [(SECRET, PLAIN, True), (PLAIN, SECRET, False)])
def test_the_class_of_a_port_is_that_of_the_version_that_is_published(tmp_path, one, two, told):
    files = {"models/codes_v1.sql": one, "models/codes_v2.sql": two, **VERSIONED}
    named = {name: text.replace("as note", "as code") for name, text in files.items()}
    assert found(tmp_path, named) == ({"classification_lineage"} if told else set())


@pytest.mark.parametrize(
    ("own", "theirs", "alias", "secret"), [(SECRET, PLAIN, "b", True), (SECRET, PLAIN, "z", False)]
)
def test_the_class_of_a_column_is_that_of_the_model_it_is_taken_from(
    tmp_path, own, theirs, alias, secret
):
    """`base` of the project and `base` of a package are both below the port."""
    codes = (
        "select b.id, @.note as code from {{ ref('base') }} b join {{ ref('above') }} z using (id)"
    )
    files = {
        **ZOO,
        "macros/names.sql": "",  # the package's are in a schema of their own
        "models/base.sql": own,
        "models/other.sql": "",
        "models/codes.sql": codes.replace("@", alias),
        "dbt_packages/zoo/models/base.sql": theirs,
        "dbt_packages/zoo/models/above.sql": "select id, note from {{ ref('zoo', 'base') }}",
    }
    assert found(tmp_path, files) == ({"classification_lineage"} if secret else set())


def test_a_name_of_two_packages_is_no_port_and_both_are_told(tmp_path):
    settings = with_port(tmp_path, animals=ID)
    files = {name.replace("zoo", "ape"): text.replace("zoo", "ape") for name, text in ZOO.items()}
    write_project(
        tmp_path,
        {
            **files,
            **ZOO,
            "packages.yml": "packages: [{local: zoo}, {local: ape}]\n",
            "dbt_packages/zoo/models/animals.sql": "select 1 as id",
            "dbt_packages/ape/models/animals.sql": "{{ config(schema='ape') }} select 2 as id",
        },
    )
    with pytest.raises(DeclarationError) as caught:
        run(settings, "books.both")
    assert '"animals" can mean model.ape.animals and model.zoo.animals' in str(caught.value)


def test_a_package_does_not_stand_for_a_model_that_is_not_selected(tmp_path):
    settings = mesh(tmp_path, both=books("largest", select="package:zoo"))
    write_project(tmp_path, {**ZOO, "dbt_packages/zoo/models/largest.sql": "select 666 as id"})
    with pytest.raises(DeclarationError, match='"largest" is a model that the selection does not'):
        run(settings, "books.both")


def test_every_test_is_a_check_whatever_its_name_is_made_of(tmp_path):
    settings = mesh(tmp_path)
    sql = "select * from {{ ref('largest') }} where id < 0"
    own = {f"tests/{name}.sql": sql for name in ("a-b", "a_b", "größe", "grüße")}
    write_project(
        tmp_path, {**ZOO, **own, "dbt_packages/zoo/tests/a_b.sql": "select 1 where false"}
    )
    found = product(settings, "books.both")
    checks = dbt_checks(found, *dbt_nodes(found, walls_of(settings)))
    singular = [one.name for one in checks if one.measure.unique_id.count(".") == 2]
    assert len(set(singular)) == len(singular) == 6  # with amount_is_low
    report = run(settings, "books.both")
    assert report.published, report.decision
    write_project(tmp_path, {"tests/a-b.sql": "select * from {{ ref('largest') }}"})
    assert "dbt_a_b: the dbt test found" in str(run(settings, "books.both").decision)
    assert read(settings, "select id from books.largest") == [(2,)]


def test_a_model_of_a_package_that_cannot_be_built_is_told_by_its_own_file(tmp_path):
    settings = mesh(tmp_path)
    broken = "{{ config(materialized='table') }}\nselect 1 as id,\n  nowhere\n"
    write_project(tmp_path, {**ZOO, "dbt_packages/zoo/models/staged.sql": broken})
    with pytest.raises(TransformError) as caught:
        run(settings, "books.both")
    (problem,) = (one for one in caught.value.problems if "(error)" in one.what)
    assert str(problem.where) == "project/dbt_packages/zoo/models/staged.sql:3"
    assert "dbt could not build zoo.staged" in problem.what
