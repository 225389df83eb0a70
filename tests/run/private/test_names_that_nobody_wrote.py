"""A column's name can be a value: it is told if somebody wrote it, and kept nowhere else."""

from __future__ import annotations

import pytest
from helpers import a_contract, a_product, a_source, environment, run, write_workspace

from dataops_mesh.store.manifest import read_manifest

KEY = "{name: k, logicalType: integer, primaryKey: true}"
SECRET = "S3CRET-900-11"  # noqa: S105 - a marker
PIVOT = {"d.sql": "select * from (pivot (select k, v from src) on v using count(*) group by k)"}
NAMED = (
    "def transform(src):\n"
    "    name = src.fetchall()[0][1]\n"
    "    return src.project(f'k, v as \"{name}\"')\n"
)


def built(tmp_path, files):
    made = a_product(
        {"d": a_contract("d", [KEY])},
        inputs=[a_source("src", "src.csv")],
        files={**files, "src.csv": f"k,v\n1,{SECRET}\n"},
    )
    settings = write_workspace(tmp_path, {"shop": {"d": made}})
    report = run(settings, "shop.d")
    assert not report.published
    return settings, report, read_manifest(environment(settings).store, report.candidate)


@pytest.mark.parametrize("files", [PIVOT, {"transform.py": NAMED}])
def test_a_name_made_of_a_value_is_told_by_its_place(tmp_path, files):
    settings, report, manifest = built(tmp_path, files)
    assert "not declared: column 2" in " ".join(manifest.reasons)
    assert [name for name, _ in manifest.ports[0].columns] == ["k", "column 2"]
    assert [one.column for one in manifest.profile] == ["k", "column 2"]
    assert SECRET not in str(report)
    captures = environment(settings).store.captures
    for path in settings.store_folder.rglob("*"):  # the candidate itself has it, for its owner
        if path.is_file() and path.suffix != ".parquet" and captures not in path.parents:
            assert SECRET.encode() not in path.read_bytes(), path


@pytest.mark.parametrize(
    ("select", "name"),
    [("k, v", "v"), ("*", "v"), ("k, v as Total", "Total"), ('k, 1 as "a b"', "a b")],
)
def test_a_name_that_somebody_wrote_is_told(tmp_path, select, name):
    _, _, manifest = built(tmp_path, {"d.sql": f"select {select} from src"})
    assert f"not declared: {name}" in " ".join(manifest.reasons)
