"""What a store must say after any order of operations, as dictionaries."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from hypothesis.stateful import RuleBasedStateMachine
from store_helpers import T0, A, B, Crash, build, read_input
from store_helpers import WHO as US

from dataops_mesh.spec.model import Address
from dataops_mesh.store.described import InputRead
from dataops_mesh.store.hold import HOLD, LIFT, WITHDRAWAL
from dataops_mesh.store.holding import Asked
from dataops_mesh.store.manifest import new_ref, read_manifest
from dataops_mesh.store.pins import building, pinned
from dataops_mesh.store.release import PUBLICATION, ROLLBACK, Release, commit, entries_of, latest
from dataops_mesh.store.store import open_store

C = Address("network", "routes")
PORTS = {"aircraft": (A, B), "routes": (C,)}
WHO = US | {"at": T0}
SAID = Asked("ana", "a reason", US["publisher"], at=T0)


@dataclass
class Run:
    product: str
    base: Release
    manifest: object
    inputs: tuple[InputRead, ...]
    hold: ExitStack


class Model(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.everything = ExitStack()
        root = self.everything.enter_context(tempfile.TemporaryDirectory())
        self.store = open_store(Path(root) / "store")
        self.log: dict[int, dict[Address, str]] = {0: {}}  # number -> what was readable
        self.kinds = {0: PUBLICATION}
        self.switched: dict[Address, list[int]] = {A: [], B: [], C: []}
        self.rollable: dict[Address, list[int]] = {A: [], B: [], C: []}
        self.inputs: dict[str, tuple[InputRead, ...]] = {}  # candidate -> what it read
        self.open: list[tuple[Release, ExitStack]] = []
        self.unfinished: list[Run] = []
        self.generation = 0
        self.feed = "monday"
        self.code = "first"
        self.codes: dict[str, str] = {}  # candidate -> the code that built it
        self.held: dict[str, set[str] | None] = {}  # product -> these codes; None: whatever

    def teardown(self) -> None:
        for _, stack in self.open:
            stack.close()
        for run in self.unfinished:
            run.hold.close()
        self.everything.close()

    # What the model says ---------------------------------------------------------------

    @property
    def newest(self) -> int:
        return max(self.log)

    def remember(self, release: Release) -> None:
        assert release.number == self.newest + 1
        self.log[release.number] = {a: e.candidate for a, e in release.ports.items()}
        self.kinds[release.number] = release.kind
        for address in (*release.changed, *release.decided):
            assert address in release.ports or release.kind in {HOLD, LIFT, WITHDRAWAL}
        for address in release.changed:
            self.switched[address].append(release.number)
            if address not in release.ports:
                continue
            self.rollable[address].append(release.number)

    def is_held(self, run: Run) -> bool:
        """Say by hand what a hold says."""
        codes = self.held.get(run.product, set())
        return codes is None or run.manifest.code_version in codes

    def rolled_back(self, product: str, release: Release) -> None:
        """Hold by hand what a rollback took back."""
        before = self.log[release.number - 1][PORTS[product][0]]
        if self.held.get(product, set()) is not None:
            self.held.setdefault(product, set()).add(self.codes[before])

    def may_follow(self, run: Run) -> bool:
        """Say by hand what invariant 6 says."""
        last = max((n for a in PORTS[run.product] for n in self.switched[a]), default=0)
        if last <= run.base.number:
            return True
        if self.kinds[last] in {ROLLBACK, WITHDRAWAL}:
            return False
        current = self.inputs[self.log[last][PORTS[run.product][0]]]
        ours = {item.name: item for item in run.inputs}
        return all(
            item.name not in ours
            or (item.address is None and item.fingerprint == ours[item.name].fingerprint)
            or (item.address is not None and ours[item.name].publication >= item.publication)
            for item in current
        )

    def start(self, product: str, verdict: str = "publish") -> Run:
        hold = ExitStack()
        try:
            base = hold.enter_context(pinned(self.store))
            inputs = [InputRead("feed", fingerprint=self.feed)]
            if product == "routes" and A in base.ports:
                inputs.append(read_input(base, A))
            domain = PORTS[product][0].domain
            ref = new_ref(domain, product, T0)
            target = hold.enter_context(building(self.store, ref))
            self.generation += 1
            manifest = build(
                self.store,
                target,
                ref,
                base,
                self.generation,
                PORTS[product],
                inputs=tuple(inputs),
                verdict=verdict,
                code=self.code,
            )
        except Crash:
            hold.close()
            raise
        self.inputs[ref], self.codes[ref] = tuple(inputs), self.code
        return Run(product, base, manifest, tuple(inputs), hold)

    def commit(self, run: Run) -> Release:
        return commit(self.store, run.base, entries_of(run.manifest), **WHO)

    def forget(self, publications: int) -> None:
        self.rollable = {a: found[-publications:] for a, found in self.rollable.items()}

    def after_a_crash(self) -> None:
        """Either the release is there or it is not; the rest follows without a manual step."""
        release = latest(self.store)
        if release.number > self.newest:
            self.remember(release)
            product = "routes" if C in (*release.changed, *release.decided) else "aircraft"
            if release.changed and release.kind != WITHDRAWAL:
                manifest = read_manifest(self.store, release.ports[release.changed[0]].candidate)
                self.inputs[manifest.candidate] = manifest.inputs
                self.codes[manifest.candidate] = manifest.code_version
            if release.kind == ROLLBACK:
                self.rolled_back(product, release)
            elif release.kind in {HOLD, WITHDRAWAL}:
                self.held[product] = None
            else:
                self.held.pop(product, None)
