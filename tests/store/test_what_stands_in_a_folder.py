"""The store's one way to the disk: what a file is, what a folder has, taking several away."""

from __future__ import annotations

import pytest

from dataops_mesh.store import files


def test_only_a_regular_file_is_one(tmp_path):
    (tmp_path / "one").write_bytes(b"four")
    (tmp_path / "folder").mkdir()
    found = files.stat(tmp_path / "one")
    assert found is not None
    assert (found.bytes, found.changed) == (4, (tmp_path / "one").stat().st_mtime)
    for name in ("folder", "absent", "one/below"):
        assert files.stat(tmp_path / name) is None


def test_leftovers_and_strangers_have_no_number(tmp_path):
    for name in (
        "00000002.json",
        "7.json",
        "x.json",
        "3.txt",
        f"{files.TEMPORARY}4.json",
        "latest",
    ):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "5.json").mkdir()
    assert sorted(files.numbered(tmp_path)) == [2, 7]
    assert files.numbered(tmp_path / "absent") == []


def test_of_many_files_those_before_a_crash_are_gone_and_no_others(tmp_path, monkeypatch):
    paths = [tmp_path / str(n) for n in range(4)]
    for path in paths[1:]:
        path.write_bytes(b"")

    def before(effect, path) -> None:
        if path == paths[2]:
            raise KeyboardInterrupt(effect)

    with monkeypatch.context() as patched:
        patched.setattr(files, "before", before)
        with pytest.raises(KeyboardInterrupt, match="remove"):
            files.remove_many(paths)
    assert [path.exists() for path in paths] == [False, False, True, True]
    files.remove_many(paths)
    assert not any(path.exists() for path in paths)
