"""A production line and sandboxes over it, with a model of what each shows.

Whatever is built, opened, refreshed, taken down and collected: each line shows its own.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from store_helpers import T0, WHO, A, B, Crash, crashing, judged, write_rows

from dataops_mesh.errors import ConflictError, MeshError
from dataops_mesh.spec.model import Address
from dataops_mesh.store import files
from dataops_mesh.store.collect import collect
from dataops_mesh.store.holding import Asked, lift
from dataops_mesh.store.line.known import living
from dataops_mesh.store.line.opening import NOBODY, close, open_sandbox
from dataops_mesh.store.line.promote import changes_of, manifests_of, planned, require_fresh
from dataops_mesh.store.line.refresh import base_of, refresh
from dataops_mesh.store.log import Release, entries_of, latest, ports_of
from dataops_mesh.store.manifest import Manifest, folder, mark_recorded, new_ref, write_manifest
from dataops_mesh.store.pins import building, pinned
from dataops_mesh.store.release import Promoting, commit
from dataops_mesh.store.removing.withdrawal import withdraw
from dataops_mesh.store.store import Store, open_store
from dataops_mesh.store.tree.ports import Ports

D = Address("fleet", "days")
PORTS = {"aircraft": (A, B), "days": (D,)}
KEYS = tuple(f"2013-01-0{day}" for day in range(1, 7))
SAID = Asked("ana", "a reason", WHO["publisher"], at=T0)
TRIES = Asked("ben", "to try", NOBODY)
Shown = dict[tuple[Address, str], str]  # a port or a partition of it -> the candidate


@dataclass
class Line:
    store: Store
    shown: Shown = field(default_factory=dict)
    base: Shown = field(default_factory=dict)
    origin: Line | None = None


def build(  # noqa: PLR0917 - the order of a build
    store: Store, at: Path, ref: str, base: Release, product: str, key: str
) -> Manifest:
    domain, name, _ = ref.split("/")
    files.make_folder(at)
    generation = int(ref[-6:], 16)
    ports = tuple(write_rows(at, address, generation) for address in PORTS[product])
    manifest = Manifest(
        ref, f"{domain}.{name}", "1.0.0", "publish", "r", "ana", T0, T0, T0, base.number,
        ports=ports, line=store.line, partition=key, cut="day" if key else "",
        **judged(ref, PORTS[product]),
    )  # fmt: skip
    write_manifest(store, manifest)
    return manifest


def shown_by(release: Release) -> Shown:
    found: Shown = {}
    for address, entry in release.ports.items():
        if entry.parts:
            found |= {(address, part.key): part.candidate for part in entry.parts}
        else:
            found[address, ""] = entry.candidate
    return found


class Lines(RuleBasedStateMachine):
    """Production and sandboxes beside it, and what each must show."""

    def __init__(self) -> None:
        super().__init__()
        self.everything = ExitStack()
        root = Path(self.everything.enter_context(tempfile.TemporaryDirectory()))
        self.root = root / "store"
        self.production = Line(open_store(self.root))
        self.sandboxes: dict[str, Line] = {}
        self.pinned: list[tuple[Store, Release, Shown, ExitStack]] = []
        self.names = 0

    def teardown(self) -> None:
        for *_, stack in self.pinned:
            stack.close()
        self.everything.close()

    def line(self, which: int) -> Line:
        lines = [self.production, *self.sandboxes.values()]
        return lines[which % len(lines)]

    @initialize()
    def begin(self) -> None:
        self.publish(0, "aircraft", KEYS[0], None)
        self.publish(0, "days", KEYS[0], None)

    @rule(
        which=st.integers(0, 5),
        product=st.sampled_from(sorted(PORTS)),
        key=st.sampled_from(KEYS),
        crash=st.none() | st.integers(0, 30),
    )
    def publish(self, which: int, product: str, key: str, crash: int | None) -> None:
        line = self.line(which)
        key = key if product == "days" else ""
        before = latest(line.store).number
        ref = new_ref("fleet", product, T0)
        with (
            suppress(Crash),
            crashing(files, 10**6 if crash is None else crash),
            pinned(line.store) as base,
            building(line.store, ref) as at,
        ):
            manifest = build(line.store, at, ref, base, product, key)
            commit(line.store, base, entries_of(manifest), at=T0, **WHO)
        if latest(line.store).number > before:
            line.shown |= {(address, key): ref for address in PORTS[product]}
        mark_recorded(line.store, ref)

    @rule(product=st.sampled_from(sorted(PORTS)), key=st.none() | st.sampled_from(KEYS))
    def withdraw(self, product: str, key: str | None) -> None:
        shown, ports = self.production.shown, PORTS[product]
        key = key if key and product == "days" else ""
        if not any(a in ports and key in {"", k} for a, k in shown):
            return
        store = self.production.store
        withdraw(store, f"fleet.{product}", ports, SAID, key)
        lift(store, f"fleet.{product}", ports, SAID)
        self.production.shown = {
            (a, k): ref for (a, k), ref in shown.items() if a not in ports or key not in {"", k}
        }

    @precondition(lambda self: len(self.sandboxes) < 3)
    @rule(which=st.integers(0, 5), crash=st.none() | st.integers(0, 12))
    def open(self, which: int, crash: int | None) -> None:
        origin = self.line(which)
        self.names += 1
        name = f"s{self.names}"
        lease = datetime.now(UTC) + timedelta(days=1)
        with suppress(Crash), crashing(files, 10**6 if crash is None else crash):
            open_sandbox(origin.store, name, TRIES, lease)
        for store, _ in living(self.production.store):
            if store.sandbox == name:
                self.sandboxes[name] = Line(store, dict(origin.shown), dict(origin.shown), origin)

    @precondition(lambda self: self.sandboxes)
    @rule(which=st.integers(0, 5), crash=st.none() | st.integers(0, 12))
    def refresh(self, which: int, crash: int | None) -> None:
        name = sorted(self.sandboxes)[which % len(self.sandboxes)]
        line = self.sandboxes[name]
        origin = line.origin
        if origin is not self.production and origin not in self.sandboxes.values():
            with pytest.raises(MeshError):
                refresh(line.store, TRIES)
            return
        before = latest(line.store).number
        with suppress(Crash), crashing(files, 10**6 if crash is None else crash):
            refresh(line.store, TRIES)
        if latest(line.store).number == before:
            return
        theirs = origin.shown
        for piece in {*line.shown, *theirs, *line.base}:
            if line.shown.get(piece) == line.base.get(piece):
                if piece in theirs:
                    line.shown[piece] = theirs[piece]
                else:
                    line.shown.pop(piece, None)
        line.base = dict(theirs)

    @precondition(lambda self: self.sandboxes)
    @rule(which=st.integers(0, 5), crash=st.none() | st.integers(0, 12))
    def promote(self, which: int, crash: int | None) -> None:
        line = self.sandboxes[sorted(self.sandboxes)[which % len(self.sandboxes)]]
        origin = line.origin
        if origin is not self.production and origin not in self.sandboxes.values():
            return
        mine, base, theirs = line.shown, line.base, origin.shown
        built = {p: mine[p] for p in mine if mine[p] != base.get(p) and mine[p] != theirs.get(p)}
        lost = [p for p in base if p not in mine and p in theirs]

        def has(shown: Shown, address: Address) -> bool:
            return any(a == address for a, _ in shown)

        # Where a port came or went as a whole, no partition of it can be told from another.
        moved = {a for a in (A, B, D) if has(base, a) != has(theirs, a)}
        fresh = not lost and not any(p[0] in moved or theirs.get(p) != base.get(p) for p in built)
        before = latest(origin.store).number
        with suppress(Crash), crashing(files, 10**6 if crash is None else crash):
            if fresh:
                self.published(line, origin)
            else:
                with pytest.raises(ConflictError):
                    self.published(line, origin)
        if latest(origin.store).number > before:
            assert fresh
            origin.shown |= built

    def published(self, line: Line, origin: Line) -> None:
        """Promote as the command does, without what only a workspace can say."""
        with pinned(line.store) as mine:
            theirs = latest(origin.store)
            base = Ports(self.root, base_of(mine).nodes)
            plan = planned(base, ports_of(mine), ports_of(theirs), ())
            require_fresh(plan, "it")
            if plan.refs:
                changes = changes_of(plan, manifests_of(line.store, plan))
                said = Promoting(line.store.line, theirs.number, lambda _: None)
                commit(origin.store, theirs, changes, at=T0, promoting=said, **WHO)

    @precondition(lambda self: self.sandboxes)
    @rule(which=st.integers(0, 5))
    def take_down(self, which: int) -> None:
        name = sorted(self.sandboxes)[which % len(self.sandboxes)]
        close(self.sandboxes.pop(name).store, TRIES)

    @rule(which=st.integers(0, 5))
    def pin(self, which: int) -> None:
        if len(self.pinned) == 3:
            self.pinned.pop(0)[3].close()
        stack, line = ExitStack(), self.line(which)
        release = stack.enter_context(pinned(line.store))
        self.pinned.append((line.store, release, dict(line.shown), stack))

    @rule(crash=st.none() | st.integers(0, 12))
    def collect(self, crash: int | None) -> None:
        with suppress(Crash), crashing(files, 10**6 if crash is None else crash):
            collect(self.line(crash or 0).store, keep_releases=1, grace_seconds=0)

    @invariant()
    def every_line_shows_its_own(self) -> None:
        for line in (self.production, *self.sandboxes.values()):
            found = shown_by(latest(line.store))
            assert found == line.shown
            for (address, _), ref in found.items():
                assert (folder(line.store, ref) / address.port / "part-0.parquet").is_file()
        for store, release, shown, _ in self.pinned:
            assert shown_by(release) == shown
            for (address, _), ref in shown.items():
                assert (folder(store, ref) / address.port / "part-0.parquet").is_file()
        names = {store.sandbox for store, _ in living(self.production.store)}
        assert names == set(self.sandboxes)
