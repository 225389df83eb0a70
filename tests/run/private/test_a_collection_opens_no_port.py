"""A collection that takes what said no leaves nobody who says yes."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import (
    a_contract,
    a_product,
    a_setting,
    a_source,
    an_input,
    environment,
    roll_back,
    run,
    write_product,
    write_workspace,
)

from dataops_mesh.gate import Publish, Refuse
from dataops_mesh.store.collect import collect
from dataops_mesh.store.retention import Retention

KEY = "{name: id, logicalType: integer, primaryKey: true, classification: internal}"
ADDRESS = "people.salaries"


def salaries(visibility: str = "", version: str = "1.0.0"):
    extra = "customProperties:\n" + a_setting("visibility", visibility) if visibility else ""
    contract = a_contract("salaries", [KEY], extra=extra).replace("1.0.0", version)
    return a_product(
        {"salaries": contract},
        inputs=[a_source("made", "made.csv")],
        files={"salaries.sql": "select id from made", "made.csv": "id\n1\n"},
    )


def reader():
    return a_product(
        {"loot": [KEY]},
        inputs=[an_input(ADDRESS)],
        files={"loot.sql": "select id from people.salaries"},
    )


def gone(settings, kept: int) -> tuple[str, ...]:
    store = environment(settings).store
    found = collect(store, keep_releases=1, grace_seconds=0, retention=Retention(kept))
    return tuple(found.candidates)


def test_what_said_no_is_collected_and_nobody_reads(tmp_path: Path):
    domains = {"people": {"salaries": salaries()}, "finance": {"loot": reader()}}
    settings = write_workspace(tmp_path, domains)
    first = run(settings, ADDRESS).publication
    write_product(tmp_path, "people", "salaries", salaries("domain", "2.0.0"))
    assert isinstance(run(settings, ADDRESS).decision, Publish)
    roll_back(settings, ADDRESS, first, "wrong rows")
    assert isinstance(run(settings, "finance.loot").decision, Refuse)
    assert any(one.startswith("people/") for one in gone(settings, 1))
    decision = run(settings, "finance.loot").decision
    assert isinstance(decision, Refuse)
    assert "nobody can tell who may read people.salaries" in decision.reasons[0]
    assert "mesh run people.salaries" in decision.reasons[0]


@pytest.mark.parametrize("kept", [1, 2])
def test_a_collection_without_a_rollback_changes_nothing(tmp_path: Path, kept: int):
    domains = {"people": {"salaries": salaries("[finance]")}, "finance": {"loot": reader()}}
    settings = write_workspace(tmp_path, domains)
    for _ in range(3):
        assert isinstance(run(settings, ADDRESS).decision, Publish)
    assert any(one.startswith("people/") for one in gone(settings, kept))
    assert isinstance(run(settings, "finance.loot").decision, Publish)
