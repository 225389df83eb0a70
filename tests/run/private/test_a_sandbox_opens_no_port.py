"""What a sandbox says of a port is said by whoever asks: production is asked too."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from helpers import a_contract, a_product, a_setting, a_source, an_input, product, write_workspace

from dataops_mesh.gate import Publish, Refuse
from dataops_mesh.run.environment import open_environment
from dataops_mesh.run.product import run_product
from dataops_mesh.settings import Settings, load_settings
from dataops_mesh.store.holding import Asked
from dataops_mesh.store.line.opening import NOBODY, open_sandbox

KEY = "{name: id, logicalType: integer, primaryKey: true, classification: internal}"
NOTE = "{name: note, logicalType: string, classification: internal}"
AREA = (
    "{name: area, logicalType: string, partitioned: true, required: true, classification: internal}"
)
PARTS = a_setting("partitions", "{values: [north, south]}")
PRIVATE = a_setting("visibility", "domain")
SALARIES = "people.salaries"
ROWS = "id,area,note\n1,north,theirs\n2,south,theirs\n"


def salaries(*settings: str, rows: str = ROWS, own: bool = False):
    cut = PARTS in settings
    extra = "customProperties:\n" + "".join(settings) if settings else ""
    contract = a_contract("salaries", [KEY, *([AREA] if cut else []), NOTE], extra=extra)
    query = "select id, area, note from s where area = partition_key()"
    query = query if cut else f"select id, note from {'self' if own else 's'}"
    inputs = ["- name: self\n"] if own else [a_source("s", "s.csv")]
    files = {"salaries.sql": query} | ({} if own else {"s.csv": rows})
    return a_product({"salaries": contract}, inputs=inputs, files=files)


def reader(port: str):
    return a_product(
        {port: a_contract(port, [KEY, NOTE])},
        inputs=[an_input(SALARIES)],
        files={f"{port}.sql": "select id, note from people.salaries"},
    )


def build(settings: Settings, name: str, partition: str | None = None):
    place = open_environment(settings)
    own = uuid.uuid4().hex[:12]
    return run_product(product(settings, name), place, run_id=own, partition=partition).decision


def up(settings: Settings) -> Settings:
    lease = datetime.now(UTC) + timedelta(days=1)
    open_sandbox(open_environment(settings).store, "try", Asked("eve", "try", NOBODY), lease)
    return load_settings(settings.root, sandbox="try")


def both(root: Path, victim, evil) -> Settings:
    """Return a sandbox of another repository over the store in which a port is private."""
    for name in ("theirs", "evil"):
        (root / name).mkdir()
    theirs = write_workspace(root / "theirs", {"people": {"salaries": victim}})
    cut = product(theirs, SALARIES).partitioning is not None
    for key in ("north", "south") if cut else (None,):
        assert isinstance(build(theirs, SALARIES, key), Publish)
    place = f'store = "{theirs.store_folder}"\nrepository = "git.example/evil"\n'
    domains = {
        "people": {"salaries": evil, "near": reader("near")},
        "finance": {"loot": reader("loot")},
    }
    return up(write_workspace(root / "evil", domains, settings=place))


@pytest.mark.parametrize(
    ("victim", "evil", "key", "refused"),
    [
        (salaries(PRIVATE), salaries(own=True), None, True),
        (
            salaries(PARTS, PRIVATE),
            salaries(PARTS, rows="id,area,note\n7,north,no\n"),
            "north",
            True,
        ),
        (salaries(PRIVATE), salaries(rows="id,area,note\n7,north,mine\n"), None, False),
    ],
    ids=["self", "a partition", "rows of its own"],
)
def test_a_stranger_opens_no_private_port(tmp_path: Path, victim, evil, key, refused):
    inside = both(tmp_path, victim, evil)
    assert isinstance(build(inside, "finance.loot"), Refuse)
    decision = build(inside, SALARIES, key)
    assert isinstance(decision, Refuse) == refused
    if refused:
        assert f"only it is given {SALARIES}" in decision.reasons[0]
    for name in ("finance.loot", "people.near"):
        assert isinstance(build(inside, name), Refuse)


@pytest.mark.parametrize(
    ("victim", "evil"),
    [(salaries(), salaries(own=True)), (salaries(PARTS), salaries(PARTS))],
    ids=["self", "a partition"],
)
def test_a_port_that_everybody_reads_is_tried_by_everybody(tmp_path: Path, victim, evil):
    inside = both(tmp_path, victim, evil)
    key = "north" if product(inside, SALARIES).partitioning else None
    assert isinstance(build(inside, SALARIES, key), Publish)
    assert isinstance(build(inside, "finance.loot"), Publish)


def test_its_owner_tries_a_private_port(tmp_path: Path):
    domains = {"people": {"salaries": salaries(PARTS, PRIVATE), "near": reader("near")}}
    settings = write_workspace(tmp_path, domains)
    for key in ("north", "south"):
        assert isinstance(build(settings, SALARIES, key), Publish)
    inside = up(settings)
    assert isinstance(build(inside, SALARIES, "south"), Publish)
    assert isinstance(build(inside, "people.near"), Publish)
