"""A commit believes no verdict: it computes it again from the evidence on the disk."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from helpers import (
    a_contract,
    a_product,
    a_source,
    environment,
    read,
    roll_back,
    run,
    write_product,
    write_workspace,
)
from store_helpers import T0, WHO, A, B, build, judged, publish

from dataops_mesh.errors import StoreError
from dataops_mesh.gate import Publish
from dataops_mesh.run import product as running
from dataops_mesh.spec.model import Severity
from dataops_mesh.spec.threshold import Operator, Threshold
from dataops_mesh.store import record
from dataops_mesh.store.log import latest
from dataops_mesh.store.manifest import Manifest, folder, new_ref, read_manifest, write_manifest
from dataops_mesh.store.pins import pinned
from dataops_mesh.store.release import EMPTY, ROLLBACK, commit, entries_of
from dataops_mesh.store.store import open_store

LIES = {
    "a failed result": lambda m: judged(m.candidate, (A, B), observed=1),
    "no checks, as of an older version": lambda _: {"checks": (), "checks_declared": 2},
    "no checks at all": lambda _: {"checks": (), "results": (), "checks_declared": 0},
    "a port without a check": lambda m: judged(m.candidate, (A,)),
    "a missing result": lambda m: {"results": m.results[:1]},
    "a result twice": lambda m: {"results": (*m.results, m.results[0])},
    "a result of another candidate": lambda _: judged("fleet/aircraft/other", (A, B)),
    "a result of another check": lambda m: {
        "results": (m.results[0], replace(m.results[1], check="other"))
    },
    "a result of another version of the check": lambda m: {
        "results": (m.results[0], replace(m.results[1], fingerprint="g"))
    },
    "a number outside the threshold": lambda m: {
        "checks": (m.checks[0], replace(m.checks[1], threshold=Threshold(Operator.GREATER, 0)))
    },
    "a number outside a pair": lambda m: {
        "checks": (m.checks[0], replace(m.checks[1], threshold=Threshold(Operator.BETWEEN, (1, 2))))
    },
    "reasons to refuse": lambda _: {"reasons": ("the schema changed",)},
    "a check that nobody counted": lambda _: {"checks_declared": 3},
}


@pytest.fixture
def store(tmp_path):
    return open_store(tmp_path / "store")


def changed(store, base, lie):
    """Build a candidate and write its manifest with other content, checksum and all."""
    ref = new_ref("fleet", "aircraft", T0)
    manifest = build(store, folder(store, ref), ref, base, 1)
    (folder(store, ref) / "manifest.json").unlink()
    manifest = replace(manifest, **lie(manifest))
    write_manifest(store, manifest)
    assert read_manifest(store, ref) == manifest
    return manifest


@pytest.mark.parametrize("name", LIES)
def test_a_verdict_that_does_not_follow_from_the_evidence_publishes_nothing(store, name):
    with pinned(store) as base:
        manifest = changed(store, base, lie=LIES[name])
        for kind in ("publication", ROLLBACK):
            with pytest.raises(StoreError, match="not passed by the gate"):
                commit(store, base, entries_of(manifest), kind=kind, **WHO)
    assert latest(store) == EMPTY


def test_what_failed_without_the_power_to_refuse_is_published(store):
    def warned(manifest) -> dict[str, object]:
        found = judged(manifest.candidate, (A, B), observed=1)
        warning = Severity.WARNING
        return found | {"checks": tuple(replace(c, severity=warning) for c in found["checks"])}

    with pinned(store) as base:
        manifest = changed(store, base, lie=warned)
        assert commit(store, base, entries_of(manifest), **WHO).number == 1


def test_a_candidate_of_an_older_version_can_be_rolled_back_to_and_not_published_anew(store):
    first = publish(store, 1)
    path = folder(store, first.ports[A].candidate) / "manifest.json"
    data = json.loads(path.read_bytes())
    for name in ("checksum", "checks"):  # as an older version wrote it
        del data[name]
    path.unlink()
    manifest = record.build(Manifest, data)
    path.write_bytes(record.encode(manifest))
    publish(store, 2, code="old")
    back = commit(store, first, entries_of(manifest), kind=ROLLBACK, **WHO)
    assert back.ports[A].candidate == manifest.candidate
    publish(store, 3, code="new")
    with pinned(store) as base, pytest.raises(StoreError, match="not passed by the gate"):
        commit(store, base, entries_of(manifest), **WHO)


def test_a_gate_that_was_replaced_in_the_process_publishes_nothing(tmp_path, monkeypatch):
    """Two products; `decide` says yes to everything, as three lines of another domain can do."""
    product = a_product(
        {"orders": ["{name: id, logicalType: integer, unique: true}"]},
        inputs=[a_source("orders_csv", "orders.csv")],
        files={"orders.sql": "select id from orders_csv", "orders.csv": "id\n1\n"},
    )
    settings = write_workspace(tmp_path, {"shop": {"orders": product}})
    assert run(settings, "shop.orders").published
    monkeypatch.setattr(running, "decide", lambda *_, **__: Publish(()))
    write_product(tmp_path, "shop", "orders", {"orders.csv": "id\n-99\n-99\n"})
    with pytest.raises(StoreError, match=r"not passed by the gate: shop\.orders"):
        run(settings, "shop.orders")
    assert read(settings, "from shop.orders") == [(1,)]
    monkeypatch.undo()
    write_product(tmp_path, "shop", "orders", {"orders.csv": "id\n2\n"})
    assert run(settings, "shop.orders").published
    assert roll_back(settings, "shop.orders") == 3


def test_every_check_of_a_run_is_kept_with_its_evidence(tmp_path):
    rules = (
        "{name: some, metric: rowCount, mustBeBetween: [1, 5]}",
        "{name: few, metric: rowCount, mustBeLessThan: 3.5, severity: warning}",
        "{name: own, type: sql, query: 'select count(*) from {object}', mustBeGreaterThan: 0}",
    )
    product = a_product(
        {"orders": a_contract("orders", ["{name: id, logicalType: integer}"], *rules)},
        inputs=[a_source("x_csv", "x.csv", "{name: come, metric: rowCount, mustBeGreaterThan: 0}")],
        files={"orders.sql": "select id from x_csv", "x.csv": "id\n1\n"},
    )
    settings = write_workspace(tmp_path, {"shop": {"orders": product}})
    report = run(settings, "shop.orders")
    assert report.published
    manifest = read_manifest(environment(settings).store, report.candidate)
    assert len(manifest.checks) == manifest.checks_declared == len(manifest.results)
    kept = {check.name: check for check in manifest.checks}
    assert kept["some"].threshold == Threshold(Operator.BETWEEN, (1, 5))
    assert kept["few"].threshold == Threshold(Operator.LESS, 3.5)
    assert kept["some"].stage.value == "output"
    assert {check.stage.value for check in manifest.checks} == {"output", "input"}
