"""Every example is valid by the standards' own JSON schemas, and by datacontract-cli if it is there.

`make lint-contracts` installs datacontract-cli into an environment of its own, because its pins
exclude ours, and runs `datacontract lint` on the same files.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from textwrap import dedent
from typing import Any

import jsonschema
import open_data_contract_standard
import pytest
import yaml

REPOSITORY = Path(__file__).parents[3]
SCHEMAS = {
    "DataContract": Path(open_data_contract_standard.__file__).parent / "schema.json",
    "DataProduct": REPOSITORY / "dataops_mesh/spec/standards/schemas/odps-1.1.0.schema.json",
}
FILES = sorted((REPOSITORY / "domains").rglob("*.od[cp]s.yaml"))
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
WHOLE = [
    (f"{page.name}:{page.read_text('utf-8')[: one.start()].count(chr(10)) + 1}", dedent(one[2]))
    for page in PAGES
    for one in re.finditer(
        r"^( *)```ya?ml\n(.*?)^\1```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    if "apiVersion:" in one[2]
]


@cache
def validator(kind: str) -> Any:
    schema = json.loads(SCHEMAS[kind].read_text("utf-8"))
    return jsonschema.validators.validator_for(schema)(schema)


def problems(text: str) -> list[str]:
    # Dates stay text, as the schemas say: JSON has no dates.
    data = yaml.load(text, _Loader)  # noqa: S506 - a safe loader
    return [f"{e.json_path}: {e.message}" for e in validator(data["kind"]).iter_errors(data)]


class _Loader(yaml.SafeLoader):
    """YAML without dates."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in found if not tag.endswith(":timestamp")]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_an_example_is_valid_by_the_standard(file: Path):
    assert problems(file.read_text("utf-8")) == []


@pytest.mark.parametrize("block", WHOLE, ids=lambda block: block[0])
def test_a_declaration_in_the_documentation_is_valid_by_the_standard(block: tuple[str, str]):
    assert problems(block[1]) == []


def test_there_are_examples_of_both():
    kinds = [yaml.safe_load(text)["kind"] for _, text in WHOLE]
    assert set(kinds) == set(SCHEMAS)
    assert {file.name.rpartition(".od")[2] for file in FILES} == {"cs.yaml", "ps.yaml"}


def test_what_is_not_valid_would_be_found():
    text = FILES[0].read_text("utf-8").replace("kind: DataContract", "kind: DataContract\nsla: 1")
    assert problems(text)
