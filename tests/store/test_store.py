"""A folder is a store, or it is left alone."""

from __future__ import annotations

import json

import pytest

from dataops_mesh.errors import StoreError
from dataops_mesh.store.store import open_store


def test_a_folder_with_other_files_is_never_turned_into_a_store(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(StoreError, match="neither a store nor empty"):
        open_store(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_missing_store_is_not_created_by_a_reader(tmp_path):
    with pytest.raises(StoreError, match="next:"):
        open_store(tmp_path / "none", create=False)
    assert not (tmp_path / "none").exists()


def test_a_store_of_an_unknown_format_is_not_touched(tmp_path):
    root = open_store(tmp_path / "store").root
    (root / "store.json").write_text(json.dumps({"format": 99}))
    with pytest.raises(StoreError, match="format 99"):
        open_store(root)


@pytest.mark.parametrize("content", ["", "[]", "{", "{}"])
def test_a_damaged_marker_is_said_to_be_damaged(tmp_path, content):
    root = open_store(tmp_path / "store").root
    (root / "store.json").write_text(content)
    with pytest.raises(StoreError, match="damaged"):
        open_store(root)


def test_a_store_is_not_a_file(tmp_path):
    (tmp_path / "store").write_text("")
    with pytest.raises(StoreError, match="is a file"):
        open_store(tmp_path / "store")


def test_a_crash_while_creating_leaves_something_that_opens(tmp_path):
    (tmp_path / ".tmp-0123").write_text("half")
    store = open_store(tmp_path)
    (store.root / "pins").rmdir()
    assert open_store(tmp_path).pins.is_dir()
