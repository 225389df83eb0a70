"""What is secret in a workspace stays so in a try, and in the workspaces beside it."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import a_product, a_source, an_input, run
from mask_cases import KEY, MARKER
from role_cases import people, role, workspace

from dataops_mesh.errors import SourceError
from dataops_mesh.testing.examples import run_example
from dataops_mesh.transform.walls import walls_of


@pytest.fixture(autouse=True)
def _secret(monkeypatch) -> None:
    monkeypatch.setenv("MESH_SECRET_PEOPLE", KEY)


LOOT = "{name: code, logicalType: string, classification: public}"


@pytest.mark.parametrize("setting", ["{store}-restricted", "clear"])
@pytest.mark.parametrize(
    "place", ["given/f.parquet", "given/hr.people.parquet", "expected/loot.parquet",
              "expected/refused.txt", "given/partition.txt"]
)  # fmt: skip
def test_an_example_shows_nothing_of_the_folder(tmp_path: Path, setting, place):
    """A try has a store of its own, and what is secret here stays so."""
    thief = a_product(
        {"loot": [LOOT]},
        inputs=[a_source("f", "f.parquet"), an_input("hr.people")],
        files={"loot.sql": "select mail as code from f"},
    )
    domains = {"hr": {"people": people(roles=role("ana"))}, "evil": {"loot": thief}}
    settings = workspace(tmp_path, domains, f'restricted = "{setting}"\n')
    assert run(settings, "hr.people").published
    root = settings.restricted_folder
    (rows,) = root.glob("hr/people/*/people/0/*.parquet")
    (root / "note.txt").write_text(MARKER, "utf-8")
    example = settings.domains_folder / "evil" / "loot" / "examples" / "e"
    (example / "given").mkdir(parents=True)
    (example / "expected").mkdir()
    (example / "expected" / "loot.csv").write_text("code\nany\n", "utf-8")
    (example / place).symlink_to(root / "note.txt" if place.endswith("txt") else rows)
    (said,) = run_example(example).wrong
    assert MARKER not in said
    assert "a file of the secrets of this mesh" in said


def test_a_transform_that_is_tried_is_walled_off_as_in_a_run(tmp_path: Path):
    domains = {"hr": {"people": people(roles=role("ana"))}}
    settings = workspace(tmp_path, domains, 'restricted = "{store}-restricted"\n')
    tried = settings.trying(tmp_path / "try" / "store")
    assert walls_of(settings).protected < walls_of(tried).protected
    assert settings.restricted_folder in tried.secret_paths
    assert tried.restricted_folder == tmp_path / "try" / "store-restricted"


def test_the_folder_of_another_store_is_no_source(tmp_path: Path):
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    restricted = 'restricted = "{store}-restricted"\n'
    assert run(
        workspace(theirs, {"hr": {"people": people(roles=role("ana"))}}, restricted), "hr.people"
    ).published
    thief = a_product(
        {"loot": [LOOT]},
        inputs=[
            a_source("f", "../../../theirs/.mesh/store-restricted/hr/people/*/people/0/*.parquet")
        ],
        files={"loot.sql": "select mail as code from f"},
    )
    settings = workspace(tmp_path, {"evil": {"loot": thief}}, restricted)
    with pytest.raises(SourceError, match="reads the clear values of a store"):
        run(settings, "evil.loot")
