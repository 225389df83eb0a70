"""A folder export touches nothing but what an export has written; CSV tells null from nothing."""

from __future__ import annotations

import shutil

import pytest
from export_cases import export, in_folder, publish, shop, to_folder


@pytest.mark.parametrize("path", ["domains/out", ".mesh", ".mesh/store/x", "keys", "keys/a"])
def test_where_the_mesh_lives_is_no_place_for_copies(path, tmp_path):
    settings = shop(tmp_path, [to_folder(path)], settings='secrets = "keys"\n')
    publish(settings, 1)
    (found,) = export(settings)
    assert found.outcome == "failed"
    assert "is no place for copies" in found.why
    assert "orders.odcs.yaml:" in found.why


def test_files_of_others_stay(tmp_path):
    settings = shop(tmp_path, [to_folder()])
    publish(settings, 1)
    own = tmp_path / "exports" / "shop" / "sales"
    own.mkdir(parents=True)
    (own / "v1").write_text("mine", "utf-8")
    (found,) = export(settings)
    assert "has files in it that no export has written" in found.why
    assert (own / "v1").read_text("utf-8") == "mine"


def test_the_copies_of_another_store_stay(tmp_path):
    first = shop(tmp_path / "a" if (tmp_path / "a").mkdir() is None else tmp_path, [to_folder()])
    (tmp_path / "b").mkdir()
    second = shop(tmp_path / "b", [to_folder()])
    publish(first, 1)
    publish(second, 2)
    export(first)
    shutil.copytree(tmp_path / "a" / "exports", tmp_path / "b" / "exports", symlinks=True)
    (found,) = export(second)
    assert "the copies of another store" in found.why
    assert in_folder(tmp_path / "b" / "exports/shop/sales/current") == (1, 20)


def test_csv_and_a_changed_format(tmp_path):
    settings = shop(tmp_path, [to_folder(form="csv")])
    publish(settings, 4)
    export(settings)
    current = tmp_path / "exports" / "shop" / "sales" / "current"
    assert (current / "totals" / "totals.csv").read_text("utf-8") == "round,total\n4,80.00\n"
    assert in_folder(current) == (4, 20)
    shop(tmp_path, [to_folder(form="parquet")])
    (found,) = export(settings)
    assert found.outcome == "exported"
    assert not list(current.glob("*/*.csv"))
    assert in_folder(current) == (4, 20)
