"""A folder export touches nothing but what an export has written; CSV tells null from nothing."""

from __future__ import annotations

import shutil

import pytest
from export_cases import export, in_folder, publish, shop, to_folder

from dataops_mesh.store import files


class Killed(BaseException):
    """The process ends here."""


def die_at(monkeypatch, own, effect):
    """Kill an export at its n-th effect in a folder; return the list that counts them."""
    seen = []

    def before(name, path) -> None:
        if path.is_relative_to(own):
            seen.append(name)
            if len(seen) > effect:
                raise Killed

    # What a killed process cannot do any more: tidy.
    monkeypatch.setattr(files, "before", before)
    monkeypatch.setattr(files, "remove", lambda path: before("remove", path) or path.unlink(missing_ok=True))  # fmt: skip
    return seen


@pytest.mark.parametrize("copied", [False, True], ids=["first", "copied without links"])
def test_an_export_that_is_killed_at_any_effect_is_made_good_by_the_next(
    copied, tmp_path, monkeypatch
):
    """A folder in which somebody has died is no stranger's."""
    settings = shop(tmp_path, [to_folder()])
    publish(settings, 1)
    own = tmp_path / "exports" / "shop" / "sales"
    kills = 0
    while True:
        shutil.rmtree(tmp_path / "exports", ignore_errors=True)
        if copied:
            assert export(settings)[0].outcome == "exported"
            current = own / "current"
            real = current.resolve()
            current.unlink()
            shutil.copytree(real, current)
        with monkeypatch.context() as patch:
            seen = die_at(patch, own, kills)
            try:
                export(settings)
            except Killed:
                kills += 1
            else:
                break
        (found,) = export(settings)
        assert found.outcome in {"exported", "unchanged"}, (seen, found)
        assert in_folder(own / "current") == (1, 20)
        assert [path.name for path in own.iterdir() if path.name.startswith(files.TEMPORARY)] == []
    assert kills > (8 if copied else 5)


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


def test_a_workspace_that_was_copied_without_links_exports_on(tmp_path):
    (tmp_path / "a").mkdir()
    first = shop(tmp_path / "a", [to_folder()])
    publish(first, 1)
    export(first)
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    second = shop(tmp_path / "b", [to_folder()])
    current = tmp_path / "b" / "exports" / "shop" / "sales" / "current"
    assert not current.is_symlink()
    assert export(second)[0].outcome == "exported"
    publish(second, 2)
    assert export(second)[0].outcome == "exported"
    assert in_folder(current) == (2, 20)
    current.unlink()
    current.mkdir()
    (current / "mine.txt").write_text("mine", "utf-8")
    (found,) = export(second)
    assert "is in the way" in found.why
    assert (current / "mine.txt").exists()


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


@pytest.mark.parametrize("link", ["exports", "exports/shop", "exports/shop/sales"])
def test_no_link_leads_copies_out_of_the_workspace(link, tmp_path):
    home, outside = tmp_path / "mesh", tmp_path / "outside"
    home.mkdir()
    outside.mkdir()
    settings = shop(home, [to_folder()])
    publish(settings, 1)
    (home / link).parent.mkdir(parents=True, exist_ok=True)
    (home / link).symlink_to(outside)
    (found,) = export(settings)
    assert found.outcome == "failed"
    assert "leads out of the workspace" in found.why
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_a_copy_that_is_damaged_is_written_again(damage, tmp_path):
    settings = shop(tmp_path, [to_folder()])
    publish(settings, 1)
    export(settings)
    current = tmp_path / "exports" / "shop" / "sales" / "current"
    (path,) = (current / "orders").iterdir()
    path.write_bytes(path.read_bytes()[:9]) if damage == "cut" else path.unlink()
    (found,) = export(settings)
    assert found.outcome == "exported"
    assert in_folder(current) == (1, 20)
    assert export(settings)[0].outcome == "unchanged"


def test_a_port_that_is_exported_no_more_leaves_the_older_version_too(tmp_path):
    settings = shop(tmp_path, [to_folder()])
    for number in (1, 2):
        publish(settings, number)
        export(settings)
    own = tmp_path / "exports" / "shop" / "sales"
    assert len(list(own.glob("v*/orders"))) == 2
    contract = settings.domains_folder / "shop" / "sales" / "orders.odcs.yaml"
    text = contract.read_text("utf-8")
    start = text.index("servers:")
    contract.write_text(text[:start] + text[text.index("schema:", start) :], "utf-8")
    export(settings)
    assert not list(own.glob("v*/orders"))
    assert list(own.glob("current/totals/*"))


def test_before_the_first_publication_there_is_nothing_to_copy(tmp_path):
    settings = shop(tmp_path, [to_folder()])
    assert export(settings) == ()
    assert not (tmp_path / "exports").exists()
