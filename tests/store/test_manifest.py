"""The evidence survives, exactly, or says that it did not."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_helpers import T0, A, built

from dataops_mesh.errors import CorruptError, StoreError
from dataops_mesh.spec.checks.check import CheckResult, Outcome
from dataops_mesh.spec.model import Severity
from dataops_mesh.store import record
from dataops_mesh.store.manifest import (
    Manifest,
    folder,
    mark_recorded,
    new_ref,
    pending_refs,
    read_manifest,
    write_manifest,
)
from dataops_mesh.store.refs import all_refs
from dataops_mesh.store.store import open_store

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
RESULTS = st.builds(
    CheckResult,
    check=st.text(),
    port=st.just(A),
    candidate=st.text(),
    fingerprint=st.text(),
    outcome=st.sampled_from(Outcome),
    severity=st.sampled_from(Severity),
    observed=st.none() | st.floats(allow_nan=False),
    rows=st.none() | st.integers(),
    reason=st.text(),
    sample=st.lists(st.lists(st.tuples(st.text(), SCALARS), max_size=2).map(tuple), max_size=2).map(
        tuple
    ),
)
NOW = datetime(2026, 11, 21, 10, 0, 0, 123456, tzinfo=UTC)


@settings(suppress_health_check=[HealthCheck.too_slow])  # a busy machine says nothing of it
@given(st.lists(RESULTS, max_size=3).map(tuple), st.none() | st.floats(0, 1))
def test_no_result_is_changed_by_writing_it_down(results, coverage):
    manifest = Manifest(
        "a/b/c", "a.b", "1", "refuse", "r", "p", NOW, NOW, T0, 3, results=results, coverage=coverage
    )
    data = record.encode(manifest)
    assert record.decode(Manifest, data, T0) == manifest


def test_every_field_of_a_real_manifest_returns_from_the_disk(tmp_path):
    store = open_store(tmp_path / "store")
    with built(store, 7) as (_, manifest):
        assert read_manifest(store, manifest.candidate) == manifest


@pytest.mark.parametrize("position", [0, 5, 200, -3])
def test_a_flipped_byte_in_a_manifest_is_noticed(tmp_path, position):
    store = open_store(tmp_path / "store")
    with built(store, 7) as (_, manifest):
        path = folder(store, manifest.candidate) / "manifest.json"
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)
    with pytest.raises(CorruptError, match=r"manifest\.json"):
        read_manifest(store, manifest.candidate)


def test_an_edited_verdict_is_noticed(tmp_path):
    store = open_store(tmp_path / "store")
    with built(store, 7, verdict="refuse") as (_, manifest):
        path = folder(store, manifest.candidate) / "manifest.json"
    path.write_text(path.read_text().replace('"refuse"', '"publish"'))
    with pytest.raises(CorruptError, match="checksum"):
        read_manifest(store, manifest.candidate)


def test_a_manifest_without_a_needed_field_is_not_half_read(tmp_path):
    path = tmp_path / "manifest.json"
    with pytest.raises(CorruptError, match="lacks a field of a manifest"):
        record.decode(Manifest, record.encode({"candidate": "a/b/c"}), path)


def test_a_record_of_a_later_format_is_not_called_damaged(tmp_path):
    later = json.loads(record.encode({})) | {"format": 2}
    with pytest.raises(StoreError, match="format 2"):
        record.decode(Manifest, json.dumps(later).encode(), tmp_path)


def test_evidence_is_never_overwritten(tmp_path):
    store = open_store(tmp_path / "store")
    with built(store, 7) as (_, manifest):
        with pytest.raises(StoreError, match="has a manifest already"):
            write_manifest(store, replace(manifest, verdict="refuse"))
        assert read_manifest(store, manifest.candidate).verdict == "publish"


@pytest.mark.parametrize("ref", ["../x/y", "a/b", "a/b/c/d", "a/../c", "/etc/x/y", "a/b/c\n", ""])
def test_a_ref_cannot_leave_the_store(tmp_path, ref):
    with pytest.raises(StoreError, match="names no candidate"):
        folder(open_store(tmp_path / "store"), ref)


def test_refs_sort_by_time_in_utc():
    west = datetime(2013, 1, 1, 7, tzinfo=UTC).astimezone()
    refs = [new_ref("a", "b", west + timedelta(hours=hours)) for hours in range(3)]
    assert refs == sorted(refs)
    assert refs[0].startswith("a/b/20130101T070000Z-")
    assert new_ref("a", "b", west) != refs[0]


def test_a_candidate_stays_pending_until_the_ledger_has_it(tmp_path):
    store = open_store(tmp_path / "store")
    with built(store, 1) as (_, manifest):
        assert pending_refs(store) == (manifest.candidate,)
        mark_recorded(store, manifest.candidate)
        mark_recorded(store, manifest.candidate)
    assert pending_refs(store) == ()
    assert list(all_refs(store)) == [manifest.candidate]
