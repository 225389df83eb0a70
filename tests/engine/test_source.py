"""A source is found, or said to be missing; and any change of its content is noticed."""

from __future__ import annotations

import os
import time

import pytest

from dataops_mesh.engine.source import fingerprint, resolve
from dataops_mesh.errors import Location, SourceError
from dataops_mesh.spec.model import Source, SourceFormat
from dataops_mesh.store.captures import content as content_module
from dataops_mesh.store.store import open_store

HERE = Location("product.odps.yaml", 7)


def csv(path, package=None):
    return Source(path, SourceFormat.CSV, HERE, package)


def test_a_glob_is_resolved_in_order_and_to_files_only(tmp_path):
    for name in ("b.csv", "a.csv", "c.txt"):
        (tmp_path / name).write_text(name)
    (tmp_path / "d.csv").mkdir()
    assert [path.name for path in resolve(csv("*.csv"), tmp_path)] == ["a.csv", "b.csv"]


def test_a_path_is_relative_to_the_product_or_absolute(tmp_path):
    (tmp_path / "data").mkdir()
    path = tmp_path / "data" / "a[1].csv"
    path.write_text("")
    assert resolve(csv("data/a[1].csv"), tmp_path) == (path,)
    assert resolve(csv(str(path)), tmp_path / "elsewhere") == (path,)
    assert resolve(csv("../data/a*.csv"), tmp_path / "data") != ()


def test_a_missing_file_is_named_with_its_declaration(tmp_path):
    with pytest.raises(SourceError) as caught:
        resolve(csv("data/*.csv"), tmp_path)
    assert "data/*.csv" in str(caught.value)
    assert "product.odps.yaml:7" in str(caught.value)


def test_a_file_of_a_package_is_found_without_importing_it(tmp_path, monkeypatch):
    package = tmp_path / "explosive"
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit('imported')")
    (package / "planes.csv").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    assert resolve(csv("planes.csv", "explosive"), tmp_path) == (package / "planes.csv",)


@pytest.mark.parametrize("package", ["not_installed_at_all", "not.installed", ".odd", "sys"])
def test_a_missing_package_is_named(tmp_path, package):
    with pytest.raises(SourceError):
        resolve(csv("planes.csv", package), tmp_path)


def test_any_change_of_content_changes_the_fingerprint(tmp_path):
    store = open_store(tmp_path / "store")
    path = tmp_path / "a.csv"
    path.write_text("1")
    first = fingerprint(store, [path])
    path.write_text("2")
    assert fingerprint(store, [path]) != first
    path.write_text("1")
    assert fingerprint(store, [path]) == first
    path.rename(tmp_path / "b.csv")
    assert fingerprint(store, [tmp_path / "b.csv"]) != first


def test_every_byte_of_a_large_file_counts_and_its_place(tmp_path, monkeypatch):
    """Large files are hashed in pieces side by side."""
    monkeypatch.setattr(content_module, "_PIECE", 8)
    monkeypatch.setattr(content_module, "_BLOCK", 3)
    store, path = open_store(tmp_path / "store"), tmp_path / "large.csv"
    content = bytes(range(20))

    def of(data: bytes) -> str:
        path.write_bytes(data)
        return fingerprint(store, [path])

    changed = [content[:i] + b"!" + content[i + 1 :] for i in range(20)]
    moved = [content[8:16] + content[:8] + content[16:], content[::-1]]
    cut = [content[:i] for i in range(1, 20)]
    seen = [of(data) for data in (content, *changed, *moved, *cut, content + b"\0")]
    assert len(set(seen)) == len(seen)
    assert of(content) == seen[0]


def test_a_settled_file_is_read_once(tmp_path, monkeypatch):
    store = open_store(tmp_path / "store")
    path = tmp_path / "a.csv"
    path.write_text("1")
    a_minute_later = time.time() + 60  # nobody can set the time of the last change of status
    monkeypatch.setattr(time, "time", lambda: a_minute_later)
    first = fingerprint(store, [path])
    monkeypatch.setattr(content_module, "digest", None)
    assert fingerprint(store, [path]) == first


def test_a_file_that_only_says_it_is_old_is_read_again(tmp_path, monkeypatch):
    store = open_store(tmp_path / "store")
    path = tmp_path / "a.csv"
    path.write_text("1")
    os.utime(path, (time.time() - 60, time.time() - 60))
    fingerprint(store, [path])
    monkeypatch.setattr(content_module, "digest", None)
    with pytest.raises(TypeError):
        fingerprint(store, [path])


def test_a_file_changed_within_the_tick_of_the_clock_is_read_again(tmp_path):
    store = open_store(tmp_path / "store")
    path = tmp_path / "a.csv"
    path.write_text("1")
    state = path.stat()
    first = fingerprint(store, [path])
    path.write_text("2")
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert fingerprint(store, [path]) != first


def test_a_damaged_note_is_ignored(tmp_path, monkeypatch):
    store = open_store(tmp_path / "store")
    path = tmp_path / "a.csv"
    path.write_text("1")
    a_minute_later = time.time() + 60
    monkeypatch.setattr(time, "time", lambda: a_minute_later)
    first = fingerprint(store, [path])
    for note in store.cache.iterdir():
        note.write_text("{")
    assert fingerprint(store, [path]) == first
