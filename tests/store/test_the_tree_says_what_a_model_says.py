"""Any order of publications and withdrawals: the tree says what a dictionary says, now and then."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st
from store_helpers import A

from dataops_mesh.store import files
from dataops_mesh.store.store import open_store
from dataops_mesh.store.tree import blobs
from dataops_mesh.store.tree.entry import Entry
from dataops_mesh.store.tree.growth import published, withdrawn
from dataops_mesh.store.tree.part import Part
from dataops_mesh.store.tree.parts import begins_chunk
from dataops_mesh.store.tree.past import PastPorts
from dataops_mesh.store.tree.ports import Ports

KEYS = [f"2013-{month:02}-{day:02}" for month in range(1, 13) for day in range(1, 29)]
KEPT = 1000  # of each partition: all of them

key_sets = st.lists(st.sampled_from(KEYS), min_size=1, max_size=9, unique=True)
steps = st.one_of(
    st.just(("whole", ())),
    st.tuples(st.just("parts"), key_sets),
    st.tuples(st.just("rebuild"), key_sets),
    st.just(("withdraw", ())),
    st.tuples(st.just("withdraw part"), st.sampled_from(KEYS).map(lambda key: (key,))),
)


@dataclass
class Said:
    """What a dictionary says: "" is a port that is published whole."""

    now: dict[str, int] = field(default_factory=dict)
    then: list[dict[str, int]] = field(default_factory=lambda: [{}])

    def step(self, kind: str, keys: list[str], number: int) -> bool:
        before = dict(self.now)
        if kind == "whole":
            self.now = {"": number}
        elif kind == "rebuild":
            self.now = dict.fromkeys(keys, number)
        elif kind == "parts":
            self.now = {key: n for key, n in before.items() if key} | dict.fromkeys(keys, number)
        elif kind == "withdraw":
            self.now = {}
        else:
            self.now = {key: n for key, n in before.items() if key not in keys}
        taken = kind.startswith("withdraw")
        if taken and self.now == before:
            return False
        self.then.append(dict(self.now))
        return True


def ref(number: int, key: str) -> str:
    return f"fleet/aircraft/{number}-{key or 'all'}"


def forms_of(number: int) -> tuple[tuple[str, str], ...]:
    """Return none of every third publication, and now and then those of a second role."""
    more = (("desk", f"d{number}"),) if number % 2 else ()
    return (("", f"m{number}"), ("fraud", f"c{number}"), *more) if number % 3 else ()


def entry_of(keys, number: int) -> Entry:
    forms = forms_of(number)
    if not keys:
        facts = ("fleet.aircraft", ref(number, ""), 0, f"f{number}", 3)
        return Entry(*facts, keep=KEPT, forms=forms)
    parts = tuple(
        Part(key, ref(number, key), 0, f"f{number}", 3, (f"{key}.parquet",), "digest", cut="day",
             forms=forms)
        for key in keys
    )  # fmt: skip
    columns = (("digest", (("id", "BIGINT"),)),)
    last = ref(number, keys[-1])
    return Entry("fleet.aircraft", last, 0, "", 0, parts=parts, keep=KEPT, columns=columns)


def grown(ports: Ports, kind: str, keys, number: int) -> Ports:
    if kind == "withdraw":
        return withdrawn(ports, [A], "", number).ports
    if kind == "withdraw part":
        return withdrawn(ports, [A], keys[0], number).ports
    whole = kind == "rebuild"
    change = {A: entry_of([] if kind == "whole" else keys, number)}
    return published(ports, change, number, "publication", whole=whole).ports


def form_by_hand(entry: Entry, role: str) -> str:
    """Return the fingerprint of a form of partitions; of one that lacks it, that of all forms."""
    total = 0
    for part in entry.parts:
        number = part.publication
        said = f"{part.key}\0{dict(forms_of(number)).get(role, f'f{number}')}"
        total += int(hashlib.sha256(said.encode()).hexdigest()[:32], 16)
    return f"{total % (1 << 128):032x}"


def read(ports) -> dict[str, int]:
    entry = ports.get(A)
    if entry is None:
        return {}
    for role in ("", "fraud", "desk", "nobody") if entry.parts else ():
        assert entry.form(role) == form_by_hand(entry, role)
    if not entry.parts:
        assert entry.forms == forms_of(entry.publication)
        return {"": entry.publication}
    assert len(entry.parts) == len(list(entry.parts))
    assert entry.rows == 3 * len(entry.parts)
    for part in entry.parts:
        assert part.candidate == ref(part.publication, part.key)
        assert entry.part(part.key) == part
    assert entry.part("1999-01-01") is None
    return {part.key: part.publication for part in entry.parts}


@settings(deadline=None, max_examples=60)
@given(st.lists(steps, min_size=1, max_size=14))
def test_the_newest_release_and_every_closed_one(tmp_path_factory, what):
    store = open_store(tmp_path_factory.mktemp("s") / "store")
    ports, said = Ports(store.root), Said()
    for kind, keys in what:
        number = len(said.then)
        if not said.step(kind, list(keys), number):
            continue
        ports = grown(ports, kind, list(keys), number)
        blobs.write(store, ports.pending)
        ports = replace(ports, pending={})
        assert read(ports) == said.now
    for number, then in enumerate(said.then):
        assert read(PastPorts(ports, number, lambda _: True)) == then
    entry = ports.get(A)
    if entry is not None and entry.parts:
        keys = sorted(said.now)
        assert [p.key for p in entry.between(keys[0], keys[-1])] == keys
        assert [p.key for p in entry.between(keys[0], keys[0])] == keys[:1]
        for part in entry.parts:  # what nothing is newer than may be too high, and never too low
            assert entry.newest_between(part.key, part.key) >= part.publication
        newest = max(said.now.values())
        fresh = sorted(p.key for p in entry.newer_than(newest - 1))
        assert fresh == sorted(key for key, n in said.now.items() if n == newest)


@settings(deadline=None, max_examples=30)
@given(st.permutations(KEYS[:90]), st.lists(st.integers(1, 30), min_size=1, max_size=9))
def test_the_same_partitions_lie_in_the_same_chunks_whatever_came_first(
    tmp_path_factory, order, sizes
):
    store = open_store(tmp_path_factory.mktemp("s") / "store")
    ports, left = Ports(store.root), list(order)
    for number, size in enumerate(itertools.cycle(sizes), 1):
        if not left:
            break
        mine, left = left[:size], left[size:]
        changes = {A: replace(entry_of(mine, 1))}
        ports = published(ports, changes, number, "publication").ports
        blobs.write(store, ports.pending)
        ports = replace(ports, pending={})
    once = published(Ports(store.root), {A: entry_of(sorted(order), 1)}, 1, "publication").ports
    assert ports[A].fingerprint == once[A].fingerprint
    firsts = [chunk[0] for chunk in ports.entry_blob(A)["chunks"]]
    assert firsts == [chunk[0] for chunk in once.entry_blob(A)["chunks"]]
    assert firsts == sorted({min(order), *filter(begins_chunk, order)})


def test_a_commit_reads_and_writes_what_it_touches_and_nothing_else(tmp_path, monkeypatch):
    store = open_store(tmp_path / "store")
    ports = published(Ports(store.root), {A: entry_of(KEYS, 1)}, 1, "publication").ports
    blobs.write(store, ports.pending)
    blobs.forget(store)
    seen = []
    real = files.read
    monkeypatch.setattr(files, "read", lambda path: seen.append(path) or real(path))
    after = published(replace(ports, pending={}), {A: entry_of(KEYS[7:8], 2)}, 2, "publication")
    assert len(seen) == 3  # node, entry, chunk
    assert len(after.ports.pending) == 3
    assert after.ports[A].part(KEYS[7]).publication == 2


def test_older_versions_are_forgotten_and_it_is_said_that_they_were(tmp_path):
    store = open_store(tmp_path / "store")
    ports = Ports(store.root)
    for number in range(1, 16):
        change = {A: replace(entry_of(["jan"], number), keep=3)}
        ports = published(ports, change, number, "publication").ports
        blobs.write(store, ports.pending)
        ports = replace(ports, pending={})
    rows = ports.rows(A, "jan")
    assert [row[1] for row in rows[:-1]] == list(range(15, 5, -1))
    assert rows[-1] == 5
    past = PastPorts(ports, 4, lambda _: True)
    assert past.some(A) is None
    assert PastPorts(ports, 6, lambda _: True)[A].part("jan").publication == 6
