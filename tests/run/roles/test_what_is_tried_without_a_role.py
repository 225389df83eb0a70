"""What somebody tries who may read the store and write products, and has no role, or a smaller one."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from helpers import environment, read, run, write_product
from mask_cases import KEY, MARKER, cells
from role_cases import people, reader, role, workspace

from dataops_mesh import connect
from dataops_mesh.errors import MeshError, StoreError
from dataops_mesh.store.manifest import read_manifest

LOOT = ["{name: mail, logicalType: string, classification: restricted}"]
OTHER = "w3ZkPq91LmXc7RtY"
ROWS = f"id,mail,name\n1,{MARKER},{OTHER}\n"
TWO = role("fin.cases", "name") + role("ana", "mail", "mails")


@pytest.fixture(autouse=True)
def _secret(monkeypatch) -> None:
    monkeypatch.setenv("MESH_SECRET_PEOPLE", KEY)


def clear_file(root: Path, number: int = 0) -> Path:
    (found,) = root.glob(f"clear/hr/people/*/people/{number}/part-0.parquet")
    return found


def tried(settings, name: str) -> str:
    """Return all that is said of an attempt, and all that is left of it."""
    try:
        said = str(run(settings, name))
    except MeshError as error:
        said = str(error)
    return said + cells(settings.store_folder)


@pytest.mark.parametrize("asked", ["fraud", ""], ids=["with a smaller role", "without a role"])
@pytest.mark.parametrize(
    "body",
    [
        "select mail from hr.people",
        "select mail from read_parquet('{file}')",
        "select content::varchar as mail from read_blob('{file}')",
        "select mail from read_parquet('{root}/clear/hr/people/*/people/*/*.parquet')",
        "select mail from read_parquet('{store}/candidates/../../../clear/hr/people/*/people/0/*')",
        "def transform(hr_people):\n    import duckdb\n    return duckdb.sql(\"from '{file}'\").arrow()\n",
        "def transform(hr_people):\n    raise ValueError(open('{file}', 'rb').read())\n",
        "def transform(hr_people):\n    import os\n    raise ValueError(os.listdir('{root}/clear'))\n",
    ],
    ids=["ask", "path", "blob", "glob", "around", "duckdb", "open", "list"],
)
def test_a_product_gets_no_column_that_its_role_does_not_open(tmp_path: Path, body, asked):
    settings = workspace(tmp_path, {"hr": {"people": people(ROWS, TWO)}})
    run(settings, "hr.people")
    where = {"file": clear_file(tmp_path), "root": tmp_path, "store": settings.store_folder}
    for key, path in where.items():
        body = body.replace(f"{{{key}}}", str(path))
    assert MARKER in cells(clear_file(tmp_path).parent), "it is there to be found"
    write_product(tmp_path, "fin", "cases", reader(LOOT, body, asked))
    assert MARKER not in tried(settings, "fin.cases")


@pytest.mark.parametrize(
    "query",
    [
        "from read_parquet('{file}')",
        "from '{file}'",
        "select content from read_blob('{file}')",
        "select file_row_number from hr.people",
        "from glob('{root}/clear/**')",
    ],
)
@pytest.mark.parametrize("asked", ["mails", ""])
def test_a_connection_opens_no_file_by_its_path(tmp_path: Path, query, asked):
    """Also not one of its own role: what is not in a view cannot be reached."""
    settings = workspace(tmp_path, {"hr": {"people": people(ROWS, TWO)}})
    run(settings, "hr.people")
    query = query.replace("{file}", str(clear_file(tmp_path, 1))).replace("{root}", str(tmp_path))
    with connect(tmp_path, role=asked) as con:
        try:
            said = str(con.execute(query).fetchall())
        except Exception as error:  # noqa: BLE001 - whatever it is, it says no value
            said = str(error)
    assert OTHER not in said


def test_nothing_outside_can_be_compared_with_a_guess(tmp_path: Path):
    """Of one row, whoever has a digest of the clear form can try all values until it fits."""
    both = tmp_path / "both", tmp_path / "open"
    for root in both:
        root.mkdir()
    settings = workspace(both[0], {"hr": {"people": people(ROWS, role("ana"))}})
    report = run(settings, "hr.people")
    store = environment(settings).store
    (kept,) = read_manifest(store, report.candidate).clear
    assert len(kept.digest) == 64
    bare = people(ROWS)
    bare["people.odcs.yaml"] = bare["people.odcs.yaml"].replace(
        "property: masking", "property: was"
    )
    bare["people.odcs.yaml"] = bare["people.odcs.yaml"].replace(
        "vendor: dataops_mesh", "vendor: us"
    )
    plain = workspace(both[1], {"hr": {"people": bare}}, "")
    (data,) = run(plain, "hr.people").ports
    guesses = {data.fingerprint, *(file.sha256 for file in data.files)}
    for text in (MARKER, OTHER):
        for make in (hashlib.md5, hashlib.sha1, hashlib.sha256):
            guesses.add(make(text.encode()).hexdigest())
    for path in (both[0] / "clear").rglob("*.parquet"):
        guesses.add(hashlib.sha256(path.read_bytes()).hexdigest())
    found = cells(settings.store_folder)
    assert not [guess for guess in guesses if guess in found]
    again = run(settings, "hr.people")
    (later,) = read_manifest(store, again.candidate).clear
    assert later.digest != kept.digest, "the same values make another digest"


def test_an_owner_of_another_name_for_the_role_gets_nothing(tmp_path: Path, monkeypatch):
    settings = workspace(tmp_path, {"hr": {"people": people(ROWS, role("bob"))}})
    run(settings, "hr.people")
    for name in ("", "ana", "bo", "hr.people", "*", "bob "):
        monkeypatch.setenv("DATAOPS_MESH_PERSON", name)
        with pytest.raises(StoreError, match="no member"):
            connect(tmp_path, role="fraud")
    assert read(settings, "select count(*) from hr.people") == [(1,)]
