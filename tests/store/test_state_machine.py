"""Any order of publications, refusals, rollbacks, collections, readers and crashes is harmless.

The model is a list of dictionaries: what each release said. After every step the store must
agree with it, all that is promised to be readable must be there, and no update may have been
lost or have gone backward.
"""

from __future__ import annotations

import contextlib
import os
from contextlib import ExitStack

import duckdb
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, consumes, rule
from mesh_model import PORTS, SAID, WHO
from mesh_promises import Promises
from store_helpers import Crash, crashing

from dataops_mesh.engine.catalog.catalogs import path_of, refresh
from dataops_mesh.errors import (
    ConflictError,
    HeldError,
    MeshError,
    NotPublishedError,
    StoreError,
    UnknownNameError,
)
from dataops_mesh.store import files
from dataops_mesh.store.collect import collect
from dataops_mesh.store.holding import hold, lift
from dataops_mesh.store.log import numbers
from dataops_mesh.store.manifest import mark_recorded, pending_refs
from dataops_mesh.store.pins import pinned
from dataops_mesh.store.release import (
    PUBLICATION,
    ROLLBACK,
    commit,
    entries_of,
    latest,
    rollback,
)
from dataops_mesh.store.removing.withdrawal import withdraw
from dataops_mesh.store.retention import Retention

PRODUCTS = st.sampled_from(sorted(PORTS))
CRASH_AFTER = st.integers(0, 30)


class Mesh(Promises):
    runs = Bundle("runs")
    readers = Bundle("readers")

    # Steps -----------------------------------------------------------------------------

    @rule(target=runs, product=PRODUCTS)
    def start_a_run(self, product):
        run = self.start(product)
        self.unfinished.append(run)
        return run

    @rule(run=consumes(runs))
    def finish_a_run(self, run):
        self.unfinished.remove(run)
        with run.hold:
            if self.is_held(run):
                self.refused(run, HeldError)
            elif not self.may_follow(run):
                self.refused(run, ConflictError)
            else:
                self.published(run)

    @rule(product=PRODUCTS)
    def publish(self, product):
        run = self.start(product)
        with run.hold:
            if self.is_held(run):
                self.refused(run, HeldError)
            else:
                self.published(run)

    def published(self, run):
        self.remember(self.commit(run))
        self.held.pop(run.product, None)

    def refused(self, run, kind):
        try:
            self.commit(run)
        except kind:
            return
        raise AssertionError("what was held, or older, was published over what consumers read")

    @rule(product=PRODUCTS)
    def hold(self, product):
        self.remember(hold(self.store, product, PORTS[product], SAID))
        self.held[product] = None

    @rule(product=PRODUCTS)
    def lift(self, product):
        try:
            self.remember(lift(self.store, product, PORTS[product], SAID))
        except UnknownNameError:
            assert product not in self.held
        self.held.pop(product, None)

    @rule(product=PRODUCTS)
    def withdraw(self, product):
        try:
            release = withdraw(self.store, product, PORTS[product], SAID)
        except NotPublishedError:
            assert PORTS[product][0] not in self.log[self.newest]
            return
        assert not set(PORTS[product]) & set(release.ports)
        self.remember(release)
        self.held[product] = None

    @rule(code=st.sampled_from(["first", "second", "third"]))
    def the_code_changes(self, code):
        self.code = code

    @rule(product=PRODUCTS, verdict=st.sampled_from(["refuse", "error"]))
    def a_refused_candidate_is_not_published_by_force(self, product, verdict):
        run = self.start(product, verdict)
        with run.hold:
            for kind in (PUBLICATION, ROLLBACK):
                try:
                    commit(self.store, run.base, entries_of(run.manifest), kind=kind, **WHO)
                except (StoreError, HeldError):
                    continue
                raise AssertionError("a refused candidate was published")

    @rule(day=st.sampled_from(["monday", "tuesday"]))
    def the_source_changes(self, day):
        self.feed = day

    @rule(product=PRODUCTS, to=st.none() | st.integers(1, 12))
    def roll_back(self, product, to):
        ports = PORTS[product]
        before = latest(self.store)
        try:
            release = rollback(self.store, ports, to, **WHO)
        except NotPublishedError:
            assert ports[0] not in before.ports
            return
        except (StoreError, UnknownNameError):  # that release is gone, or there is none
            assert latest(self.store) == before
            return
        if to is not None:
            assert {a: release.ports[a].candidate for a in ports} == {
                a: self.log[to][a] for a in ports
            }
        self.remember(release)
        self.rolled_back(product, release)

    @rule(keep=st.integers(1, 4), publications=st.integers(1, 5))
    def collect(self, keep, publications):
        for ref in pending_refs(self.store):
            mark_recorded(self.store, ref)
        before = sorted(numbers(self.store))
        retention = Retention(publications)
        collect(self.store, keep_releases=keep, grace_seconds=0, retention=retention)
        self.forget(publications)
        assert sorted(numbers(self.store)) == before[-keep:]

    @rule(target=readers)
    def open_a_reader(self):
        stack = ExitStack()
        reader = (stack.enter_context(pinned(self.store)), stack)
        self.open.append(reader)
        return reader

    @rule(reader=consumes(readers))
    def close_a_reader(self, reader):
        self.open.remove(reader)
        reader[1].close()

    @rule(product=PRODUCTS, after=CRASH_AFTER)
    def crash_while_publishing(self, product, after):
        with crashing(files, after), contextlib.suppress(Crash, HeldError):
            run = self.start(product)
            with run.hold:
                self.commit(run)
        self.after_a_crash()

    @rule(product=PRODUCTS, after=CRASH_AFTER, which=st.integers(0, 2))
    def crash_while_deciding(self, product, after, which):
        what = (hold, lift, withdraw)[which]
        ends = (Crash, UnknownNameError, NotPublishedError)
        with crashing(files, after), contextlib.suppress(*ends):
            what(self.store, product, PORTS[product], SAID)
        self.after_a_crash()

    @rule(product=PRODUCTS, after=CRASH_AFTER)
    def crash_while_rolling_back(self, product, after):
        with crashing(files, after), contextlib.suppress(Crash, MeshError):
            rollback(self.store, PORTS[product], **WHO)
        self.after_a_crash()

    @rule(after=CRASH_AFTER)
    def crash_while_collecting(self, after):
        with crashing(files, after), contextlib.suppress(Crash):
            collect(self.store, keep_releases=2, grace_seconds=0, retention=Retention(2))
        self.forget(2)
        self.after_a_crash()

    @rule(after=st.integers(0, 12))
    def crash_while_refreshing_the_catalog(self, after):
        with crashing(files, after), contextlib.suppress(Crash):
            refresh(self.store)
        self.after_a_crash()

    @rule(how=st.sampled_from(["lost", "damaged", "kept"]))
    def the_catalog_agrees_with_the_log(self, how):
        paths = [path_of(self.store, domain) for domain in ("fleet", "network")]
        for path in paths:
            if how != "kept":
                path.unlink(missing_ok=True)
            if how == "damaged":
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(b"x" * 100)
        refresh(self.store)
        shown = self.log[self.newest]
        assert [path.exists() for path in paths] == [
            any(address.domain == path.stem for address in shown) for path in paths
        ]
        found: dict[str, str] = {}
        for path in (path for path in paths if path.exists()):
            with duckdb.connect(str(path), read_only=True) as con:
                found |= dict(con.execute("SELECT address, candidate FROM _mesh.ports").fetchall())
                for address in (address for address in shown if address.domain == path.stem):
                    assert con.execute(f"SELECT count(*) FROM {address}").fetchone() == (3,)
        assert found == {str(a): ref for a, ref in shown.items()}


LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
Mesh.TestCase.pytestmark = [pytest.mark.timeout(0 if LONG else 300)]
Mesh.TestCase.settings = settings(
    max_examples=3000 if LONG else 40,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
)
test_any_order_of_operations_is_harmless = Mesh.TestCase
