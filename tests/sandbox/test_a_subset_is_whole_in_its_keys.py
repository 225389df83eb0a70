"""A part of the rows, of which every foreign key holds as in the whole."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from helpers import a_contract, a_product, a_source, an_input, run, write_workspace
from hypothesis import given, settings
from hypothesis import strategies as st
from sandbox_processes import collecting, declared, inside, settings_in

from dataops_mesh.engine.read import connect
from dataops_mesh.engine.subset import Link, Relation, copy_subset
from dataops_mesh.errors import ConflictError, MeshError, StoreError
from dataops_mesh.run.word.erase import Forgot, erase
from dataops_mesh.run.word.erasing import erasing
from dataops_mesh.sandbox.asked import asked_by
from dataops_mesh.sandbox.promotion import promote
from dataops_mesh.sandbox.subset import subset_of
from dataops_mesh.spec.model import Address
from dataops_mesh.store.holding import Asked
from dataops_mesh.store.line.known import find
from dataops_mesh.store.line.opening import NOBODY, close, open_sandbox
from dataops_mesh.store.line.refresh import refresh
from dataops_mesh.store.line.subset import refs_of

TRIES = Asked("ben", "to try", NOBODY)
LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
ROWS = 400
KEY = "{name: id, logicalType: integer, primaryKey: true, classification: public}"


def referring(name: str, to: str) -> str:
    """Return a column that refers to the `id` of a port."""
    key = f"relationships: [{{id: known_{name}, to: {to}.id}}]"
    return f"{{name: {name}, logicalType: integer, classification: public, {key}}}"


@pytest.fixture
def root(published, tmp_path):
    """A copy of the mesh, for a test of its own."""
    shutil.copytree(published, tmp_path / "mesh")
    return tmp_path / "mesh"


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Orders of people in regions; people know each other; a name is confidential."""
    regions = a_product(
        ports={"regions": [KEY]},
        inputs=[a_source("made", "made.csv")],
        files={
            "regions.sql": "select id::bigint as id from made",
            "made.csv": "id\n" + "".join(f"{n}\n" for n in range(20)),
        },
    )
    people = a_product(
        ports={
            "people": a_contract(
                "people",
                [
                    KEY,
                    referring("region", "crm.regions"),
                    "{name: name, logicalType: string, classification: confidential}",
                    "{name: born, logicalType: date, classification: restricted}",
                ],
            )
        },
        inputs=[an_input("crm.regions")],
        files={
            "people.sql": "select range as id, range % 20 as region, 'name ' || range as name,"
            " date '1980-03-04' + range::integer as born from range(200)"
            " where exists (from crm.regions)"
        },
    )
    orders = a_product(
        ports={
            "orders": [
                KEY,
                referring("person", "crm.people"),
            ]
        },
        inputs=[an_input("crm.people")],
        files={
            "orders.sql": f"select range as id, range % 190 as person from range({ROWS})"
            " where exists (from crm.people)"
        },
    )
    totals = a_product(
        ports={"totals": ["{name: n, logicalType: integer}"]},
        inputs=[an_input("shop.orders")],
        files={"totals.sql": "select count(*) as n from shop.orders"},
    )
    tmp_path = tmp_path_factory.mktemp("mesh")
    write_workspace(
        tmp_path,
        {"crm": {"regions": regions, "people": people}, "shop": {"orders": orders},
         "desk": {"totals": totals}},
        settings="grace = 0\nkeep_publications = 1\n",
    )  # fmt: skip
    for name in ("crm.regions", "crm.people", "shop.orders", "desk.totals"):
        report = run(settings_in(tmp_path), name)
        assert report.published, report
    return tmp_path


def up(root: Path, name: str, part: str, store=None):
    environment = inside(root)
    lease = datetime.now(UTC) + timedelta(days=1)
    subset = subset_of(environment, part)
    return open_sandbox(store or environment.store, name, TRIES, lease, subset=subset)[0]


def ask(root: Path, sql: str, sandbox: str = "") -> list[tuple]:
    with connect(settings_in(root).store_folder, sandbox=sandbox) as mesh:
        return mesh.execute(sql).fetchall()


def test_what_is_shown_is_a_part_and_what_is_built_is_built_from_it(root):
    up(root, "few", "10%")
    (orders,) = ask(root, "select count(*) from shop.orders", "few")[0]
    assert ROWS / 40 < orders < ROWS / 4
    lost = "select count(*) from shop.orders anti join crm.people on person = people.id"
    assert ask(root, lost, "few") == [(0,)]
    lost = "select count(*) from crm.people anti join crm.regions on region = regions.id"
    assert ask(root, lost, "few") == [(0,)]
    (people,) = ask(root, "select count(*) from crm.people", "few")[0]
    assert people < 100
    report = run(settings_in(root, "few"), "desk.totals")
    assert report.published
    assert ask(root, "from desk.totals", "few") == [(orders,)]
    assert ask(root, "from desk.totals") == [(ROWS,)]
    environment = inside(root)
    with pytest.raises(ConflictError, match="was built from 10% of the rows"):
        promote(find(environment.store, "few"), environment, declared(root), (), "")


def test_a_classified_value_is_not_copied(root):
    up(root, "few", "50%")
    clear = dict(ask(root, "select id, name from crm.people"))
    shown = dict(ask(root, "select id, name from crm.people", "few"))
    assert len(shown) > 50
    assert not set(shown.values()) & set(clear.values())
    assert len(set(shown.values())) == len(shown)
    assert {born.month for (born,) in ask(root, "select born from crm.people", "few")} == {1}


def test_a_subset_is_of_one_moment_and_is_nobodys_base(root):
    line = up(root, "few", "10%")
    with pytest.raises(StoreError, match="at one moment"):
        refresh(line, asked_by(inside(root)))
    with pytest.raises(StoreError, match="shows a subset"):
        open_sandbox(line, "again", TRIES, datetime.now(UTC) + timedelta(days=1))
    for wrong in ("0%", "5", "100%", "-5%"):
        with pytest.raises(MeshError, match="no part of the rows"):
            subset_of(inside(root), wrong)


def test_what_was_copied_goes_with_an_erasure_and_with_the_sandbox(root):
    line = up(root, "few", "10%")
    people = [ref for ref in refs_of(line) if "/people/" in ref]
    assert people
    erase(
        erasing("crm.people", inside(root), declared(root).values())[0],
        inside(root),
        "asked",
        whole=True,
        wait=False,
        forget=lambda _: Forgot(),
        tell=lambda _: None,
    )
    assert not [ref for ref in refs_of(line) if "/people/" in ref]
    assert ask(root, "select count(*) > 0 from shop.orders", "few") == [(True,)]
    close(line, TRIES)
    collecting(str(root), "")
    assert not line.own.exists()


@st.composite
def meshes(draw):
    """Tables of keys, and foreign keys between any of them; some lead nowhere."""
    count = draw(st.integers(1, 4))
    sizes = [draw(st.integers(0, 40)) for _ in range(count)]
    links = draw(
        st.lists(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)), max_size=6)
    )
    values = [
        [draw(st.none() | st.integers(0, 45)) for _ in range(sizes[child])] for child, _ in links
    ]
    return sizes, links, values, draw(st.sampled_from([0.05, 0.3, 0.9]))


@given(meshes())
@settings(deadline=None, max_examples=300 if LONG else 25)
def test_a_key_finds_what_it_refers_to_exactly_where_it_does_in_the_whole(tmp_path_factory, mesh):
    sizes, links, values, share = mesh
    root = tmp_path_factory.mktemp("subset")
    tables = []
    for table, size in enumerate(sizes):
        columns = {"id": pa.array(range(size), pa.int64())}
        for number, (child, _) in enumerate(links):
            if child == table:
                columns[f"f{number}"] = pa.array(values[number], pa.int64())
        whole, half = pa.table(columns), size // 2
        paths = []
        for part, rows in enumerate((whole.slice(0, half), whole.slice(half))):
            paths.append(root / f"{table}-{part}.parquet")
            pq.write_table(rows, paths[-1])
        refs = {f"d/t{table}/{part}": [path] for part, path in enumerate(paths)}
        tables.append(Relation(Address("d", f"t{table}"), refs, ("id",)))
    found = [
        Link(tables[child].address, (f"f{number}",), tables[parent].address, ("id",))
        for number, (child, parent) in enumerate(links)
    ]
    with duckdb.connect() as con:
        copy_subset(con, tables, found, share, root / "few", "s")
        for table, size in enumerate(sizes):
            few = f"'{root}/few/d/t{table}/*/*/*.parquet'"
            ids = [row[0] for row in con.execute(f"select id from {few}").fetchall()]
            assert len(set(ids)) == len(ids)
            assert set(ids) <= set(range(size))
        for number, (child, parent) in enumerate(links):
            few = [f"'{root}/few/d/t{one}/*/*/*.parquet'" for one in (child, parent)]
            kept = {row[0] for row in con.execute(f"select id from {few[1]}").fetchall()}
            rows = con.execute(f"select id, f{number} from {few[0]}").fetchall()
            for _, key in rows:
                held = key is not None and key < sizes[parent]
                assert held == (key in kept)
