"""Any order of runs, refusals, crashes, rollbacks, collections and lost files is harmless.

The model is two things: which generation of rows each release published, and which one consumers
read now. Real runs, real Great Expectations; a crash is an effect on the disk that never happens,
and none after it.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
import pytest
from helpers import environment, product, read, roll_back, run, write_workspace
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from run_machine_cases import BOTH, Crash, both, crashing

from dataops_mesh.engine.catalog.catalogs import path_of
from dataops_mesh.errors import MeshError, NotPublishedError, SourceError
from dataops_mesh.ledger import known_candidates, open_ledger
from dataops_mesh.run import audit as stage
from dataops_mesh.run.product import run_product
from dataops_mesh.run.record import record_run
from dataops_mesh.run.report import Report
from dataops_mesh.store.collect import collect
from dataops_mesh.store.log import latest, latest_number, numbers, read_release
from dataops_mesh.store.manifest import PUBLISH, pending_refs, read_manifest
from dataops_mesh.store.refs import all_refs

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
EFFECTS = 90


class Runs(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.root = Path(self.folder.name)
        self.settings = write_workspace(self.root, {"shop": {"both": both()}})
        self.store = environment(self.settings).store
        self.product = product(self.settings, "shop.both")
        self.delivered = 0
        self.published: dict[int, int] = {}  # release -> generation

    def teardown(self) -> None:
        self.folder.cleanup()

    # --- what a delivery and a run do to the model

    def deliver(self, left: str = "", right: str = "") -> int:
        self.delivered += 1
        number = str(self.delivered)
        rows = f"l,r\n{left or number},{right or number}\n"
        (self.root / "domains/shop/both/rows.csv").write_text(rows)
        return self.delivered

    def run(self) -> Report:
        return run_product(self.product, environment(self.settings), run_id="r")

    def expect(self, report: Report, generation: int) -> None:
        assert report.published, report.decision
        assert report.publication == latest_number(self.store)
        assert report.notes == ()
        self.published[report.publication] = generation

    # --- what happens

    @rule()
    def good_build(self) -> None:
        generation = self.deliver()
        self.expect(self.run(), generation)

    @rule()
    def same_delivery_again(self) -> None:
        if self.delivered == 0:
            return
        before = latest_number(self.store)
        report = self.run()
        if report.published:
            self.published[before + 1] = self.delivered

    @rule(port=st.sampled_from(["left", "right"]))
    def bad_build(self, port: str) -> None:
        self.deliver(**{port: '""'})
        report = self.run()
        assert not report.published
        self.deliver()

    @rule(port=st.sampled_from(["left", "right"]))
    def broken_build(self, port: str) -> None:
        self.deliver(**{port: "much"})
        with pytest.raises(SourceError):
            self.run()
        self.deliver()

    @rule(which=st.integers(0, 7), how=st.sampled_from(["missing", "doubled"]))
    def a_result_is_missing_or_doubled(self, which: int, how: str) -> None:
        self.deliver()
        real = stage.audit

        def tampered(*given: Any, **more: Any) -> tuple:
            found = real(*given, **more)
            if not found:
                return found
            at = which % len(found)
            return (*found, found[at]) if how == "doubled" else found[:at] + found[at + 1 :]

        stage.audit = tampered
        try:
            report = self.run()
        finally:
            stage.audit = real
        assert not report.published

    @rule(after=st.integers(0, EFFECTS))
    def crash(self, after: int) -> None:
        generation = self.deliver()
        before = latest_number(self.store)
        with suppress(Crash), crashing(after):
            self.run()
        if latest_number(self.store) > before:
            self.published[before + 1] = generation

    @rule(
        during=st.sampled_from(
            ["checking what comes in", "building with sql", "checking the candidate"]
        )
    )
    def overtaken(self, during: str) -> None:
        """A run whose source is delivered anew, and published by another run, while it works."""
        self.deliver()
        newer: list[int] = []

        def progress(line: str) -> None:
            if line == during and not newer:
                newer.append(self.deliver())
                self.expect(self.run(), newer[0])

        with suppress(MeshError):  # it noticed that its source changed while it was read
            report = run_product(
                self.product, environment(self.settings), run_id="late", progress=progress
            )
            self.expect(report, newer[0])

    @rule(data=st.data())
    def rolled_back(self, data: st.DataObject) -> None:
        to = data.draw(st.sampled_from([None, *sorted(self.published)[-5:]]))
        before = latest_number(self.store)
        here = {number: read_release(self.store, number) for number in numbers(self.store)}
        try:
            number = roll_back(self.settings, "shop.both", to, until="inputs")
        except MeshError:
            assert latest_number(self.store) == before
            return
        assert number == before + 1
        candidate = (
            read_release(self.store, number).ports[self.product.outputs[0].address].candidate
        )
        twin = next(
            found
            for found, release in sorted(here.items())
            if release.ports[self.product.outputs[0].address].candidate == candidate
        )
        assert to is None or self.published[twin] == self.published[to]
        self.published[number] = self.published[twin]

    @rule(during=st.sampled_from(["building with sql", "checking the candidate"]))
    @precondition(lambda self: len(set(self.published.values())) > 1)
    def rolled_back_during_a_run(self, during: str) -> None:
        self.deliver()
        decided: list[int] = []

        def progress(line: str) -> None:
            if line == during and not decided:
                decided.append(latest_number(self.store))
                self.rolled_back_to_the_one_before()

        before = latest_number(self.store)
        try:
            report = run_product(
                self.product, environment(self.settings), run_id="late", progress=progress
            )
        except MeshError:
            assert latest_number(self.store) == before + 1
        else:
            assert latest_number(self.store) == before + 1, "the rollback was refused"
            self.expect(report, self.delivered)

    def rolled_back_to_the_one_before(self) -> None:
        before = latest_number(self.store)
        with suppress(MeshError):
            number = roll_back(self.settings, "shop.both", until="inputs")
            assert number == before + 1
            self.published[number] = read(self.settings, BOTH)[0][0]

    @rule(keep=st.integers(1, 3))
    def collected(self, keep: int) -> None:
        collect(self.store, keep_releases=keep, grace_seconds=0)

    @rule()
    def catalog_lost(self) -> None:
        path_of(self.store, "shop").unlink(missing_ok=True)

    @rule()
    def ledger_lost(self) -> None:
        for path in self.store.root.glob("ledger.sqlite*"):
            path.unlink()

    # --- what always holds

    @invariant()
    def a_reader_sees_the_last_published_generation_of_both_ports(self) -> None:
        number = latest_number(self.store)
        if number == 0:
            assert latest(self.store).ports == {}
            return
        generation = self.published[number]
        assert read(self.settings, BOTH) == [(generation,) * 4]

    @invariant()
    def everything_published_has_all_its_results(self) -> None:
        for number in numbers(self.store):
            release = read_release(self.store, number)
            assert {str(address) for address in release.ports} == {"shop.left", "shop.right"}
            (ref,) = {entry.candidate for entry in release.ports.values()}
            manifest = read_manifest(self.store, ref)
            assert manifest.verdict == PUBLISH
            assert manifest.checks_declared == len(manifest.results) > 0
            assert {result.candidate for result in manifest.results} == {ref}

    @invariant()
    def the_ledger_equals_the_log_once_it_has_caught_up(self) -> None:
        place = environment(self.settings)
        assert record_run(place) == ()
        assert pending_refs(self.store) == ()
        ledger = open_ledger(place.ledger_url)
        try:
            assert frozenset(all_refs(self.store)) <= known_candidates(ledger)
        finally:
            ledger.close()
        with sqlite3.connect(self.store.ledger_file) as database:
            rows = set(database.execute("select publication, address, candidate from publications"))
        for number in numbers(self.store):
            release = read_release(self.store, number)
            said = {(number, str(a), release.ports[a].candidate) for a in release.changed}
            assert said == {row for row in rows if row[0] == number}

    @invariant()
    def the_catalog_shows_the_same(self) -> None:
        number = latest_number(self.store)
        if number == 0:
            return
        assert record_run(environment(self.settings)) == ()
        with duckdb.connect(str(path_of(self.store, "shop")), read_only=True) as catalog:
            assert catalog.execute(BOTH).fetchone() == (self.published[number],) * 4


Runs.TestCase.settings = settings(
    max_examples=200 if LONG else 8,
    stateful_step_count=40 if LONG else 14,
    deadline=None,
    derandomize=not LONG,
    database=None,
    phases=list(Phase) if LONG else [Phase.generate],  # to shrink takes minutes
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
Runs.TestCase.pytestmark = [pytest.mark.timeout(0 if LONG else 900)]
test_no_order_of_events_shows_what_was_not_published = Runs.TestCase


def test_without_any_publication_there_is_nothing_to_roll_back(tmp_path: Path) -> None:
    found = write_workspace(tmp_path, {"shop": {"both": both()}})
    environment(found)
    with pytest.raises(NotPublishedError):
        roll_back(found, "shop.both")
    assert run(found, "shop.both").published
