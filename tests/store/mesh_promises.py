"""What must hold of a store after every step, whatever the steps were."""

from __future__ import annotations

from hypothesis.stateful import invariant
from mesh_model import PORTS, C, Model
from store_helpers import A, B

from dataops_mesh.engine.data import data_finder
from dataops_mesh.store.log import numbers, read_release
from dataops_mesh.store.manifest import folder, read_manifest
from dataops_mesh.store.release import PUBLICATION, ROLLBACK, history, latest


class Promises(Model):
    """The model, and what it asks of the store."""

    @invariant()
    def the_store_says_what_the_model_says(self):
        release = latest(self.store)
        assert release.number == self.newest
        assert {a: e.candidate for a, e in release.ports.items()} == self.log[self.newest]

    @invariant()
    def what_is_held_is_what_the_model_holds(self):
        holds = latest(self.store).holds
        assert set(holds) == {a for product in self.held for a in PORTS[product]}
        for product, codes in self.held.items():
            for address in PORTS[product]:
                (one,) = holds[address]
                assert (one.kind == ROLLBACK) == (codes is not None)
                assert codes is None or set(one.code) == codes

    @invariant()
    def whatever_is_retained_or_pinned_is_whole_and_passed_the_gate(self):
        kept = [read_release(self.store, number) for number in numbers(self.store)]
        for release in (*kept, *(release for release, _ in self.open)):
            for address, entry in release.ports.items():
                manifest = read_manifest(self.store, entry.candidate)
                assert manifest.verdict == "publish"
                found = data_finder(self.store)(address, entry)
                assert found
                assert all(path.is_file() for path in found)

    @invariant()
    def whatever_retention_promises_can_be_rolled_back_to(self):
        for address, promised in self.rollable.items():
            for number in promised:
                entry = read_release(self.store, number).ports[address]
                assert entry.candidate == self.log[number][address]
                found = data_finder(self.store)(address, entry)
                assert found
                assert all(path.is_file() for path in found)

    @invariant()
    def a_product_switches_all_its_ports_or_none(self):
        for state in self.log.values():
            assert state.get(A) == state.get(B)

    @invariant()
    def no_update_goes_backward_but_by_a_rollback(self):
        for address in (A, C):
            newer = None
            for one in history(self.store, address):
                entry = read_release(self.store, one.number).ports[address]
                if newer is not None and newer.kind == PUBLICATION:
                    then, now = dict(entry.inputs), dict(newer.inputs)
                    assert all(now[name] >= then[name] for name in then if name in now)
                newer = entry if entry.kind == PUBLICATION else None

    @invariant()
    def no_unfinished_candidate_is_named_by_the_log(self):
        for ref in self.log[self.newest].values():
            assert (folder(self.store, ref) / "manifest.json").is_file()
