"""`mesh store backup` and `restore`, as a person uses them: with what was erased in between."""

from __future__ import annotations

import shutil

from cli_cases import orders
from helpers import write_product


def test_a_lost_store_comes_back_without_what_was_erased(workspace, mesh, tmp_path, monkeypatch):
    monkeypatch.setenv("DATAOPS_MESH_PERSON", "lea")
    write_product(workspace.root, "shop", "orders", orders("id\n1\n"))
    write_product(workspace.root, "desk", "orders", orders("id\n7\n"))
    assert mesh("run").code == 0
    copy = tmp_path / "copy"
    said = mesh("store", "backup", str(copy))
    assert said.code == 0, said.err
    assert "; new: " in said.err + said.out
    erased = mesh("withdraw", "desk.orders", "--erase", "--reason", "a wish", "--yes")
    assert erased.code == 0, erased.err
    data = list((copy / "candidates" / "desk" / "orders").rglob("*.parquet"))
    assert len(data) == 1
    assert "erased: desk/orders/" in (done := mesh("store", "backup", str(copy))).out + done.err
    assert list((copy / "candidates" / "desk" / "orders").rglob("*.parquet")) == []
    shutil.rmtree(workspace.store_folder)
    back = mesh("store", "restore", str(copy))
    assert back.code == 0, back.err
    assert mesh("store", "verify", "--all").code == 0
    assert "1" in mesh("query", "select count(*) from shop.orders").out
    assert mesh("query", "from desk.orders").code != 0
    assert mesh("store", "restore", str(copy)).code != 0
    assert mesh("run", "shop.orders").code == 0
