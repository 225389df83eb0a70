"""Of a port in partitions each form is followed by partition, and wakes those who read it."""

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
    product,
    run,
    write_product,
)
from mask_cases import KEY, column
from role_cases import CLOSED, STARS, reader, role, workspace

from dataops_mesh.gate import Publish
from dataops_mesh.run.due import woken_partitions
from dataops_mesh.run.product import run_product
from dataops_mesh.settings import Settings
from dataops_mesh.spec.model import Address
from dataops_mesh.store.log import latest
from dataops_mesh.watch.wake import unseen

HR = Address("hr", "people")
CUT = "customProperties:\n" + a_setting("partitions", "{values: [a, b]}")
PART = (
    "{name: part, logicalType: string, partitioned: true, partitionKeyPosition: 1, "
    "classification: internal}"
)
HEADS = ["{name: heads, logicalType: integer, classification: internal}"]
COUNT = "select count(*)::int as heads from hr.people"


@pytest.fixture(autouse=True)
def _secret(monkeypatch) -> None:
    monkeypatch.setenv("MESH_SECRET_PEOPLE", KEY)


def people(name: str):
    columns = [PART, column("name", "string", STARS, CLOSED)]
    extra = CUT + "roles:\n" + role('"fin.*"')
    source = a_source("people_csv", "people.csv", more="options: {all_varchar: true}")
    return a_product(
        {"people": a_contract("people", columns, extra=extra)},
        inputs=[source],
        files={
            "people.sql": "select part, name from people_csv where part = partition_key()",
            "people.csv": f"part,name\na,{name}\nb,Ann\n",
        },
    )


def pieces(port: str, asked: str):
    """A product that is cut as the people are, and reads them by a role if one is named."""
    named = an_input("hr.people")
    if asked:
        named += "  customProperties:\n    " + a_setting("role", asked)
    sql = "select part, count(*)::int as heads from hr.people where part = partition_key() group by all"
    contract = a_contract(port, [PART, *HEADS], extra=CUT)
    return a_product({port: contract}, inputs=[named], files={f"{port}.sql": sql})


def build(settings: Settings, name: str, *keys: str) -> None:
    for key in keys:
        done = run_product(
            product(settings, name), environment(settings), run_id="r", partition=key
        )
        assert isinstance(done.decision, Publish)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    domains = {
        "hr": {"people": people("Ann")},
        "fin": {
            "cases": reader([HEADS[0].replace("heads", "cases")], COUNT.replace("heads", "cases")),
            "heads": reader(HEADS, COUNT, "", "heads"),
            "opened": pieces("opened", "fraud"),
            "shown": pieces("shown", ""),
        },
    }
    found = workspace(tmp_path, domains)
    build(found, "hr.people", "a", "b")
    for name in ("fin.cases", "fin.heads"):
        assert isinstance(run(found, name).decision, Publish)
    for name in ("fin.opened", "fin.shown"):
        build(found, name, "a", "b")
    return found


def woken(settings: Settings) -> dict[str, tuple[str, ...]]:
    place = environment(settings)
    whole = unseen([product(settings, name) for name in ("fin.cases", "fin.heads")], place)
    found: dict[str, tuple[str, ...]] = dict.fromkeys(whole, ("",))
    for name in ("fin.opened", "fin.shown"):
        keys = tuple(woken_partitions(product(settings, name), place))
        found |= {name: keys} if keys else {}
    return found


def test_partitions_of_the_same_clear_values_have_different_fingerprints(settings: Settings):
    first, second = latest(environment(settings).store).ports[HR].parts
    assert not {first.form("fraud"), first.fingerprint} & {second.form("fraud"), second.fingerprint}


def test_a_clear_value_behind_a_star_wakes_the_partition_of_who_reads_it(settings: Settings):
    assert woken(settings) == {}
    before = latest(environment(settings).store).ports[HR]
    write_product(settings.root, "hr", "people", people("Eve"))
    build(settings, "hr.people", "a", "b")
    after = latest(environment(settings).store).ports[HR]
    assert after.form("") == before.form("")
    assert after.form("fraud") != before.form("fraud")
    assert woken(settings) == {"fin.cases": ("",), "fin.opened": ("a",)}
    build(settings, "fin.opened", "a")
    assert isinstance(run(settings, "fin.cases").decision, Publish)
    assert woken(settings) == {}
