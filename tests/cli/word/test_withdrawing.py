"""`mesh withdraw`: who reads it is named first; nothing builds on what is gone; nothing stays red."""

from __future__ import annotations

import shutil

import dagster as dg
from helpers import environment, product

from dataops_mesh.factory.instance import open_instance
from dataops_mesh.store.log import latest_number, path_of, read_release
from dataops_mesh.watch.health import examine
from dataops_mesh.watch.repair import repair
from dataops_mesh.watch.wake import unseen

WHY = ("--reason", "not ours to show")


def test_a_withdrawn_product_is_gone_and_its_reader_keeps_what_it_has(mesh, workspace):
    assert mesh("run").code == 0
    said = mesh("withdraw", "shop.orders", *WHY)
    assert said.code == 0
    assert "desk.totals reads it; it keeps its last publication" in said.err
    gone = mesh("query", "from shop.orders")
    assert gone.code == 2
    assert "shop.orders was withdrawn by ana on" in gone.err
    assert "not ours to show" in gone.err
    back = mesh("rollback", "shop.orders", "--to", "1", "--reason", "x")
    assert back.code == 2
    assert "was withdrawn by ana on" in back.err
    assert "mesh hold lift shop.orders" in back.err
    assert mesh("query", "from desk.totals").code == 0
    held = {row["port"]: row["held"] for row in mesh("status", "--format", "json").json}
    assert held["shop.orders"].startswith("held by a withdrawal by ana")
    assert "reads withdrawn shop.orders" in held["desk.totals"]
    checked = mesh("check", "--format", "json")
    assert checked.code == 1
    assert "desk.totals reads shop.orders, which was withdrawn by ana" in checked.out
    assert unseen([product(workspace, "desk.totals")], environment(workspace)) == {}
    assert mesh("run", "shop.orders").code == 1, "no run brings it back"
    assert mesh("query", "from shop.orders").code == 2
    events = mesh("history", "shop.orders", "--format", "json").json
    assert [one["what"] for one in events] == ["refused", "withdrawal", "published"]
    with open_instance(workspace) as instance:
        (told,) = instance.fetch_observations(dg.AssetKey(["shop", "orders"]), limit=5).records
        assert told.asset_observation.metadata["mesh/withdrawn_by"].value == "ana"
    assert mesh("hold", "lift", "shop.orders", "--reason", "it is ours").code == 0
    assert mesh("run").code == 0
    assert mesh("check").code == 0


def test_a_product_that_was_deleted_is_withdrawn_and_the_plan_turns_green(mesh, workspace):
    assert mesh("run").code == 0
    shutil.rmtree(workspace.root / "domains" / "desk" / "totals")
    assert mesh("plan").code == 1
    assert mesh("withdraw", "desk.totals", *WHY).code == 0
    assert mesh("plan").code == 0
    assert mesh("check").code == 0
    assert mesh("withdraw", "desk.totals", *WHY).code == 2


def test_a_reader_of_a_domain_that_was_renamed_is_an_error(mesh, workspace):
    assert mesh("run").code == 0
    domains = workspace.root / "domains"
    shutil.move(domains / "shop", domains / "store")
    said = mesh("check")
    assert said.code != 0
    assert "nobody declares it any more" in said.out + said.err
    ran = mesh("run", "desk.totals")
    assert (ran.code, "nobody declares it any more" in ran.err) == (2, True)
    everything = mesh("run")  # but the rest goes on
    assert everything.code == 2
    assert "desk.totals is not built until that is mended" in everything.err
    assert "store.orders" in everything.out


def test_a_damaged_withdrawal_is_written_again(mesh, workspace):
    assert mesh("run").code == 0
    assert mesh("withdraw", "shop.orders", *WHY).code == 0
    place = environment(workspace)
    path = path_of(place.store, latest_number(place.store))
    before = read_release(place.store, latest_number(place.store))
    path.chmod(0o644)
    path.write_text("{}")
    assert "was written again" in repair(place, examine(place.store).damage)[0]
    assert read_release(place.store, latest_number(place.store)) == before
