"""The schemas that `mesh schema` writes accept what loads and know our settings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft201909Validator

from dataops_mesh.cli.schemas import write_schemas
from dataops_mesh.policy.builtin import BUILT_IN
from dataops_mesh.spec.read.yaml import read_document

REPOSITORY = Path(__file__).parents[2]
EXAMPLES = [
    *sorted(REPOSITORY.glob("domains/*/*/*.yaml")),
    REPOSITORY / "policies.yaml",
]


@pytest.fixture
def schemas(tmp_path, monkeypatch):
    monkeypatch.chdir(REPOSITORY)
    write_schemas(tmp_path)
    read = {f.name: json.loads(f.read_text("utf-8")) for f in tmp_path.iterdir()}
    for schema in read.values():
        Draft201909Validator.check_schema(schema)
    return {name: Draft201909Validator(schema) for name, schema in read.items()}


def kind(name: str) -> str:
    if name == "product.odps.yaml":
        return "product.odps.schema.json"
    return (
        "contract.odcs.schema.json"
        if name.endswith(".odcs.yaml")
        else f"{Path(name).stem}.schema.json"
    )


def test_every_file_of_the_example_is_valid(schemas):
    wrong = [
        (file.name, error.json_path, error.message)
        for file in EXAMPLES
        for error in schemas[kind(file.name)].iter_errors(read_document(file, file.name).data)
    ]
    assert wrong == []


MISTAKES = [
    ("operations/flights/product.odps.yaml", "path: data/flights.csv.zip", "pth: data/flights.csv.zip"),
    ("operations/flights/product.odps.yaml", "property: expectations", "property: expectation"),
    ("operations/flights/product.odps.yaml", "format: file", "format: zip"),
    ("operations/flights/product.odps.yaml", "apiVersion: v1.1.0", "apiVersion: v7.0.0"),
    ("operations/flights/flights.odcs.yaml", "cadence: monthly", "cadence: monthy"),
    ("operations/flights/flights.odcs.yaml", "property: partitions", "property: partition"),
    ("network/airlines/airlines.odcs.yaml", "logicalType: string, primaryKey", "logicalType: text, primaryKey"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new"), MISTAKES)
def test_an_editor_sees_a_mistake_in_our_settings(schemas, tmp_path, file, old, new):
    text = (REPOSITORY / "domains" / file).read_text("utf-8")
    assert text.count(old) >= 1
    path = tmp_path / "broken.yaml"
    path.write_text(text.replace(old, new, 1), "utf-8")
    data = read_document(path, "broken.yaml").data
    assert not schemas[kind(Path(file).name)].is_valid(data)


def test_an_editor_knows_the_names_of_the_policies(schemas):
    policies = schemas["policies.schema.json"]
    assert all(policies.is_valid({"rules": {policy.id: "error"}}) for policy in BUILT_IN)
    assert not policies.is_valid({"rules": {"ownr": "error"}})


def test_the_setting_for_vs_code_names_the_files(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(REPOSITORY)
    write_schemas(tmp_path / "schemas")
    setting = json.loads(capsys.readouterr().out)["yaml.schemas"]
    assert all(Path(file).is_file() for file in setting)
    assert "policies.yaml" in setting.values()
