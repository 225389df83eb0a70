"""Ways around the gate that must not exist."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from attack_cases import BAD, shop
from helpers import environment, product, read, run, write_product
from store_helpers import WHO

from dataops_mesh.errors import CorruptError, MeshError, StoreError
from dataops_mesh.gate import Publish, Refuse
from dataops_mesh.run import audit as stage
from dataops_mesh.run import product as running
from dataops_mesh.run.registry.owners import publisher_of
from dataops_mesh.spec.checks.check import CheckResult, Outcome
from dataops_mesh.spec.model import Address
from dataops_mesh.store.manifest import folder, read_manifest
from dataops_mesh.store.refs import all_refs
from dataops_mesh.store.release import commit, entries_of, latest

# --- results that were dropped or changed between audit and gate

Tamper = Callable[[tuple[CheckResult, ...], int], tuple[CheckResult, ...]]
TAMPERED: dict[str, Tamper] = {
    "dropped": lambda found, i: found[:i] + found[i + 1 :],
    "doubled": lambda found, i: (*found, found[i]),
    "of another candidate": lambda found, i: _with(found, i, candidate="shop/orders/x"),
    "of another version of the check": lambda found, i: _with(found, i, fingerprint="0"),
    "of another port": lambda found, i: _with(found, i, port=Address("shop", "other")),
    "under another name": lambda found, i: _with(found, i, check="another"),
    "without a number": lambda found, i: _with(found, i, observed=None),
    "with a number that does not pass": lambda found, i: _with(found, i, observed=-99.0),
    "errored": lambda found, i: _with(found, i, outcome=Outcome.ERRORED),
    "with an unknown outcome": lambda found, i: _with(found, i, outcome="fine"),
    "all dropped": lambda *_: (),
}  # fmt: skip


def _with(found: tuple[CheckResult, ...], index: int, **changes: object) -> tuple[CheckResult, ...]:
    changed = replace(found[index], **changes)  # type: ignore[arg-type] # some are wrong on purpose
    return (*found[:index], changed, *found[index + 1 :])


@pytest.mark.parametrize("how", TAMPERED)
def test_a_candidate_without_its_own_whole_results_is_never_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    settings = shop(tmp_path)
    assert run(settings, "shop.orders").published
    write_product(tmp_path, "shop", "orders", {"orders.csv": "id,amount\n7,70\n"})
    real = stage.audit
    checks = len(run(settings, "shop.orders").checks)
    published = latest(environment(settings).store).number
    # Every result, incoming ones too, can be the one that is missing; the rest is told by two.
    indices = range(checks) if how == "dropped" else (0, checks - 1)
    for index in indices:
        seen = 0

        def tampered(*given: Any, at: int = index, **more: Any) -> tuple[CheckResult, ...]:
            nonlocal seen
            found = real(*given, **more)
            start, seen = seen, seen + len(found)
            return TAMPERED[how](found, at - start) if start <= at < seen else found

        monkeypatch.setattr(stage, "audit", tampered)
        report = run(settings, "shop.orders")
        assert isinstance(report.decision, Refuse), f"{how}: result {index}"
        assert report.publication is None
    assert latest(environment(settings).store).number == published


def test_a_port_that_no_check_covers_is_never_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = shop(tmp_path)
    monkeypatch.setattr(running, "all_checks", lambda *_: ())
    report = run(settings, "shop.orders")
    assert isinstance(report.decision, Refuse)
    assert "no check is declared" in report.decision.reasons[0]


# --- around the gate, through the engine


def test_a_refused_candidate_cannot_be_committed(tmp_path: Path) -> None:
    settings = shop(tmp_path)
    run(settings, "shop.orders")
    write_product(tmp_path, "shop", "orders", {"orders.csv": BAD})
    report = run(settings, "shop.orders")
    store = environment(settings).store
    manifest = read_manifest(store, report.candidate)
    claims = [
        entries_of(manifest),
        entries_of(replace(manifest, verdict="publish", results=())),
    ]
    who = WHO | {"publisher": publisher_of(environment(settings))}
    for changes in claims:
        with pytest.raises(StoreError, match="not passed by the gate"):
            commit(store, latest(store), changes, **who)
        with pytest.raises(StoreError, match="not passed by the gate"):
            commit(store, latest(store), changes, **who, kind="rollback")
    assert read(settings, "select count(*) from shop.orders where id = 2") == [(1,)]


def test_a_broken_candidate_cannot_be_committed(tmp_path: Path) -> None:
    settings = shop(tmp_path, python="def transform(orders_csv):\n    raise ValueError\n")
    with pytest.raises(MeshError):
        run(settings, "shop.orders")
    store = environment(settings).store
    (ref,) = all_refs(store)
    with pytest.raises(StoreError):
        commit(store, latest(store), entries_of(read_manifest(store, ref)), **WHO)


def test_a_verdict_edited_on_the_disk_is_seen(tmp_path: Path) -> None:
    settings = shop(tmp_path, csv=BAD)
    report = run(settings, "shop.orders")
    store = environment(settings).store
    file = folder(store, report.candidate) / "manifest.json"
    honest = read_manifest(store, report.candidate)
    file.write_text(file.read_text().replace('"verdict": "refuse"', '"verdict": "publish"'))
    with pytest.raises(CorruptError):
        commit(store, latest(store), entries_of(honest), **WHO)


def test_everything_published_has_passed_every_check_of_its_contract(tmp_path: Path) -> None:
    settings = shop(tmp_path)
    report = run(settings, "shop.orders")
    assert isinstance(report.decision, Publish)
    manifest = read_manifest(environment(settings).store, report.candidate)
    assert {r.check for r in manifest.results} == {c.name for c in report.checks}
    assert product(settings, "shop.orders").outputs[0].contract.fingerprint in {
        contract.fingerprint for contract in manifest.contracts
    }
