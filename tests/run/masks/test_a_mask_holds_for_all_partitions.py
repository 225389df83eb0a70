"""A mask that is declared later is not said of partitions that were published without it."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from helpers import (
    a_contract,
    a_product,
    a_setting,
    a_source,
    environment,
    mesh,
    product,
    read,
    roll_back,
    write_product,
    write_workspace,
)

from dataops_mesh.engine.read import connect
from dataops_mesh.gate import Publish, Refuse
from dataops_mesh.run.environment import open_environment
from dataops_mesh.run.guards.remasked import mask_notes
from dataops_mesh.run.planned import plan_against
from dataops_mesh.run.product import run_product
from dataops_mesh.run.rebuild import rebuild_product
from dataops_mesh.sandbox.subset import subset_of
from dataops_mesh.store.holding import Asked
from dataops_mesh.store.line.opening import NOBODY, open_sandbox
from dataops_mesh.store.log import latest
from dataops_mesh.store.manifest import read_manifest

NORTH, SOUTH = "N7ac86aa35045f49", "N8bd97bb46156f50"
NAME = "hr.staff"
HASH = "{method: hash, secret: people}"
OTHER = "{method: hash, secret: others}"
PART = "{method: partial, keepFirst: 1, keepLast: 1}"
STARS = "{method: constant, value: '-'}"
KEY = "{name: id, logicalType: integer, primaryKey: true, classification: internal}"
AREA = (
    "{name: area, logicalType: string, partitioned: true, required: true, classification: internal}"
)


@pytest.fixture(autouse=True)
def _secrets(monkeypatch) -> None:
    for name in ("PEOPLE", "OTHERS"):
        monkeypatch.setenv(f"MESH_SECRET_{name}", "a text that nobody guesses")


def staff(mask: str = "", version: str = "1.0.0", said: str = "restricted", *, cut: bool = True):
    own = f", customProperties: [{a_setting('masking', mask).strip()[2:]}]" if mask else ""
    mail = f"{{name: mail, logicalType: string, classification: {said}{own}}}"
    parts = "customProperties:\n" + a_setting("partitions", "{values: [north, south]}")
    area = AREA if cut else AREA.replace("partitioned: true, ", "")
    contract = a_contract("staff", [KEY, area, mail], extra=parts if cut else "")
    where = " where area = partition_key()" if cut else ""
    return a_product(
        {"staff": contract.replace("version: 1.0.0", f"version: {version}")},
        inputs=[a_source("s", "s.csv")],
        files={
            "staff.sql": f"select id, area, mail from s{where}",
            "s.csv": f"id,area,mail\n1,north,{NORTH}\n2,south,{SOUTH}\n",
        },
    )


def build(settings, key: str = ""):
    here, own = environment(settings), uuid.uuid4().hex[:12]
    return run_product(product(settings, NAME), here, run_id=own, partition=key or None).decision


def rebuild(settings) -> None:
    own = uuid.uuid4().hex[:12]
    reports = rebuild_product(product(settings, NAME), environment(settings), run_id=own)
    assert [one.decision for one in reports if isinstance(one.decision, Refuse)] == []


def published(root: Path, mask: str = "", said: str = "restricted"):
    settings = write_workspace(root, {"hr": {"staff": staff(mask, said=said)}})
    for key in ("north", "south"):
        assert isinstance(build(settings, key), Publish)
    return settings


def declare(settings, mask: str, version: str = "2.0.0", *, cut: bool = True) -> None:
    write_product(settings.root, "hr", "staff", staff(mask, version, cut=cut))


def mails(settings) -> set[str]:
    return {mail for (mail,) in read(settings, f"select mail from {NAME}")}


@pytest.mark.parametrize(
    ("before", "after", "wrong"),
    [
        ("", HASH, "without the mask of mail"),
        ("", PART, "without the mask of mail"),
        ("", STARS, "without the mask of mail"),
        (PART, HASH, "with another mask of mail"),
        (HASH, OTHER, "with another mask of mail"),
        (PART, PART.replace("1", "2"), "with another mask of mail"),
    ],
)
def test_one_partition_is_not_built_until_all_are(tmp_path: Path, before, after, wrong):
    settings = published(tmp_path, mask=before)
    shown = mails(settings)
    declare(settings, after)
    for key, stays in (("south", "north"), ("north", "south")):
        decision = build(settings, key)
        assert isinstance(decision, Refuse)
        (why,) = [one for one in decision.reasons if "would stay so" in one]
        assert f"partition {stays} of hr.staff was published {wrong}" in why
        assert why.endswith("mesh run hr.staff --rebuild")
        assert NORTH not in why
    assert mails(settings) == shown
    (note,) = mask_notes(settings, mesh(settings).products)
    assert wrong in note.what
    assert any(wrong in one for one in plan_against(settings, mesh(settings)).warnings)
    if before:  # another mask cannot be taken back: somebody approves of it first
        return
    rebuild(settings)
    assert not mails(settings) & {NORTH, SOUTH}
    assert mask_notes(settings, mesh(settings).products) == ()
    assert isinstance(build(settings, "south"), Publish)


def test_what_is_masked_alike_or_not_at_all_is_built_as_before(tmp_path: Path):
    settings = write_workspace(tmp_path, {"hr": {"staff": staff(HASH)}})
    assert mask_notes(settings, mesh(settings).products) == ()  # nothing was published
    for key in ("north", "south", "north"):
        assert isinstance(build(settings, key), Publish)
    declare(settings, HASH, "1.0.1")
    assert isinstance(build(settings, "south"), Publish)
    assert mask_notes(settings, mesh(settings).products) == ()


def test_the_one_partition_that_there_is_and_a_product_without_are_masked_by_a_run(tmp_path: Path):
    for name in ("one", "whole"):
        (tmp_path / name).mkdir()
    settings = write_workspace(tmp_path / "one", {"hr": {"staff": staff()}})
    assert isinstance(build(settings, "north"), Publish)
    declare(settings, HASH)
    assert isinstance(build(settings, "north"), Publish)
    settings = write_workspace(tmp_path / "whole", {"hr": {"staff": staff(cut=False)}})
    assert isinstance(build(settings), Publish)
    declare(settings, HASH, cut=False)
    assert isinstance(build(settings), Publish)
    assert not mails(settings) & {NORTH, SOUTH}


def test_a_rollback_to_what_had_no_mask_is_told_and_built_again(tmp_path: Path):
    settings = published(tmp_path)
    declare(settings, HASH)
    rebuild(settings)
    roll_back(settings, NAME, 2, "wrong rows")
    assert mails(settings) == {NORTH, SOUTH}
    assert len(mask_notes(settings, mesh(settings).products)) == 1
    assert isinstance(build(settings, "south"), Refuse)
    assert subset_mails(settings).isdisjoint({NORTH, SOUTH})


def subset_mails(settings) -> set[str]:
    place = open_environment(settings)
    lease = datetime.now(UTC) + timedelta(days=1)
    name = f"s{uuid.uuid4().hex[:6]}"
    subset = subset_of(place, "99%")
    open_sandbox(place.store, name, Asked("ben", "to try", NOBODY), lease, subset=subset)
    with connect(settings.store_folder, sandbox=name) as con:
        return {mail for (mail,) in con.execute(f"select mail from {NAME}").fetchall()}


@pytest.mark.parametrize("mask", [HASH, PART, STARS])
def test_a_subset_hides_by_the_contract_of_each_candidate(tmp_path: Path, mask, monkeypatch):
    settings = published(tmp_path)
    declare(settings, mask)
    allowed = "dataops_mesh.run.guards.beforehand.mask_reasons"
    with monkeypatch.context() as patch:  # as it was published before that was refused
        patch.setattr(allowed, lambda *_: ())
        assert isinstance(build(settings, "south"), Publish)
    assert NORTH in mails(settings)
    assert NORTH not in subset_mails(settings)


def test_a_subset_hides_what_nobody_can_tell(tmp_path: Path):
    settings = published(tmp_path, said="internal")
    assert NORTH in subset_mails(settings)
    store = environment(settings).store
    (entry,) = latest(store).ports.values()
    old = read_manifest(store, entry.candidate).declaration
    write_product(tmp_path, "hr", "staff", staff(version="1.0.1", said="internal"))
    assert isinstance(build(settings, "south"), Publish)
    (store.root / "declarations" / old).unlink()
    assert subset_mails(settings).isdisjoint({NORTH, SOUTH})
