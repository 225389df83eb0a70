"""What docs/declarations.md shows is loaded, and what it lists is what the schema has."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from declared import CONTRACT, PRODUCT, Workspace, with_source

from dataops_mesh.errors import Location
from dataops_mesh.spec.loader import load_mesh, load_product
from dataops_mesh.spec.mesh import check_mesh, order
from dataops_mesh.spec.model import SourceFormat, TransformKind
from dataops_mesh.spec.sql import parse_select, tables_read
from dataops_mesh.spec.standards.schema import settings_validators

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs" / "declarations.md").read_text("utf-8")


def test_the_shortest_product_is_real(tmp_path: Path):
    blocks = re.findall(r"`(domains/\S+)`\n\n```\w+\n(.*?)```", DOCS, re.DOTALL)
    assert len(blocks) == 3
    for name, text in blocks:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    yaml = "".join(text for name, text in blocks if name.endswith(".yaml"))
    assert len(yaml.splitlines()) <= 25
    (product,) = load_mesh(tmp_path).products
    query = parse_select(product.transform.files[0].read_text(), Location("aircraft.sql", 1))
    assert tables_read(query) == {port.name for port in product.inputs}


def test_the_error_that_is_shown_is_the_error(workspace: Workspace):
    text = CONTRACT.replace(
        "{name: seats, logicalType: integer}", "{name: seats, logicalType: integr}"
    )
    (problem,) = workspace.problems(contract=text)
    shown = re.search(r"```text\n(.*?)\n```", DOCS, re.DOTALL)
    assert shown
    assert re.sub(r":\d+:", ":", str(problem)) == re.sub(r":\d+:", ":", shown[1])


def test_every_setting_is_documented():
    for settings in settings_validators().values():
        for name in settings:
            assert f"`{name}`" in DOCS


def test_our_schema_file_is_a_valid_schema():
    import jsonschema

    file = ROOT / "dataops_mesh" / "spec" / "standards" / "schemas" / "dataops_mesh.schema.json"
    jsonschema.Draft201909Validator.check_schema(json.loads(file.read_text("utf-8")))


def test_the_example_mesh_loads_and_fits_together():
    mesh = load_mesh(ROOT)
    assert check_mesh(mesh) == ()
    assert len(order(mesh.products)) == len(mesh.products) > 4


def test_an_input_is_known_by_its_address(workspace: Workspace):
    text = PRODUCT + (
        "  - name: Rain\n    customProperties:\n"
        "      - {property: address, vendor: dataops_mesh, value: weather.rain}\n"
    )
    port = workspace.load(text).inputs[1]
    assert (port.name, str(port.address), port.parameter) == (
        "weather.rain",
        "weather.rain",
        "weather_rain",
    )


def test_a_source_keeps_what_its_reader_needs(workspace: Workspace):
    value = (
        "{path: a.tsv, options: {nullstr: [NA, ''], types: {b: INTEGER, a: DATE}, header: true}}"
    )
    source = workspace.load(with_source(value)).inputs[0].source
    assert source is not None
    assert source.format is SourceFormat.CSV
    assert source.options == (
        ("header", True),
        ("nullstr", ("NA", "")),
        ("types", (("a", "DATE"), ("b", "INTEGER"))),
    )


def test_a_dbt_project_may_stand_elsewhere_in_the_workspace(workspace: Workspace):
    project = workspace.root / "dbt_projects" / "p"
    project.mkdir(parents=True)
    (project / "dbt_project.yml").write_text("name: p\n")
    text = PRODUCT + (
        "customProperties:\n  - property: transform\n    vendor: dataops_mesh\n"
        "    value: {dbt: {project: ../../../dbt_projects/p, select: 'tag:x'}}\n"
    )
    transform = workspace.load(text).transform
    assert (transform.kind, transform.select) == (TransformKind.DBT, "tag:x")
    assert transform.files[0].resolve() == project / "dbt_project.yml"


def test_loading_without_sql_rules_imports_nothing_heavy(workspace: Workspace):
    folder = workspace.write()
    load_product(folder, workspace.root)
    code = (
        "import sys; from pathlib import Path; from dataops_mesh.spec.loader import load_product\n"
        "from dataops_mesh.spec.checks.check import checks_of\n"
        f"checks_of(load_product(Path({str(folder)!r}), Path({str(workspace.root)!r})))\n"
        "heavy = {'sqlglot', 'duckdb', 'pydantic', 'dagster', 'pandas', 'pyarrow', 'dbt'}\n"
        "print(sorted(heavy & {name.split('.')[0] for name in sys.modules}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout.strip() == "[]"
