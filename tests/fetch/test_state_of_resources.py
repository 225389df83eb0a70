"""What a resource goes on from is what the last publication left: nothing else moves its cursor."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from fetch_cases import ID, everything_said, run
from helpers import environment, lift, product, read, roll_back
from resource_cases import ALONE, GROWING, KEY, a_shop, an_api, offer, write_code, yielding
from test_what_was_fetched_is_kept import MASKED
from web_server import Web

from dataops_mesh.errors import CorruptError, SourceError
from dataops_mesh.run.reproduce.publication import reproduce
from dataops_mesh.settings import Settings
from dataops_mesh.store import files
from dataops_mesh.store.manifest import folder, read_manifest

ADDING = {
    "sql": "select id from self union all select id from orders_raw",
    "beside": ("\n- name: self\n",),
}


def ids(settings: Settings) -> list[int]:
    return [one for (one,) in read(settings, "select id from shop.orders order by 1")]


def publish(settings: Settings) -> None:
    report = run(settings)
    assert report.published, report.decision


@pytest.fixture
def growing(tmp_path: Path, web: Web, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A product that adds what is new, of an API with two orders; no order may come twice."""
    an_api(web, monkeypatch, 1, 2)
    return a_shop(tmp_path, GROWING, **ADDING)


def test_only_what_is_new_since_the_last_publication_comes(growing: Settings, web: Web):
    assert run(growing).published
    offer(web, 1, 2, 3)
    second = run(growing)
    assert ids(growing) == [1, 2, 3]
    assert run(growing).published, "nothing new: no rows, and the same columns"
    assert ids(growing) == [1, 2, 3]
    asked = len(web.asked)
    (again,) = reproduce(product(growing, "shop.orders"), environment(growing), second.publication)
    assert again.identical
    assert not again.gone
    assert len(web.asked) == asked, "a reproduction asks nobody"
    assert KEY.encode() not in everything_said(growing)


def test_what_was_refused_or_killed_or_rolled_back_moves_no_cursor(growing: Settings, web: Web):
    first = run(growing)
    offer(web, 3, 3)
    assert not run(growing).published
    code = (growing.root / "domains/shop/orders/orders.py").read_text("utf-8")
    killing = code.replace(
        "    yield [", "    import os\n\n    os.kill(os.getpid(), 9)\n    yield ["
    )
    write_code(growing.root, killing)
    offer(web, 3)
    with pytest.raises(SourceError, match="the resource was ended by signal 9"):
        run(growing)
    assert not list(environment(growing).store.scratch.iterdir())
    write_code(growing.root, code)
    assert run(growing).published
    assert ids(growing) == [1, 2, 3]
    roll_back(growing, "shop.orders", first.publication)
    lift(growing, "shop.orders")
    assert run(growing).published
    assert ids(growing) == [1, 2, 3], "what came after what is published now comes again"


def test_a_run_that_begins_again_has_no_state(growing: Settings, web: Web):
    assert run(growing).published
    offer(web, 1)
    assert run(growing, full=True).published
    assert ids(growing) == [1]


def test_a_state_that_somebody_has_changed_is_not_gone_on_from(growing: Settings):
    ref = run(growing).candidate
    store = environment(growing).store
    (kept,) = read_manifest(store, ref).state
    path = folder(store, ref) / kept.path
    files.allow(path, 0o600)
    path.write_text(path.read_text().replace('"last_value":2', '"last_value":9'))
    with pytest.raises(CorruptError, match="is not what was kept"):
        run(growing)


def test_the_state_of_another_resource_means_nothing(growing: Settings, web: Web):
    assert run(growing).published
    offer(web, 1, 2, 3)
    file = growing.root / "domains/shop/orders/product.odps.yaml"
    file.write_text(file.read_text().replace("orders.py:orders", "orders.py:renamed"))
    code = (growing.root / "domains/shop/orders/orders.py").read_text()
    write_code(growing.root, code.replace("def orders", "def renamed"))
    assert not run(growing).published, "orders 1 and 2 came twice"


@pytest.mark.parametrize("keeps", [True, False])
def test_of_what_is_published_masked_no_state_is_kept(
    tmp_path: Path, web: Web, monkeypatch: pytest.MonkeyPatch, *, keeps: bool
):
    an_api(web, monkeypatch, 42)
    marker = "zaphod@heart-of-gold.example"
    body = f'yield {{"id": 1, "mail": "{marker}"}}'
    code = yielding(body).replace("def orders()", 'def orders(x=dlt.sources.incremental("mail"))')
    made = a_shop(
        tmp_path,
        code if keeps else yielding(body),
        ID,
        MASKED,
        value=ALONE,
        sql="select id, mail from orders_raw",
    )
    if keeps:
        with pytest.raises(SourceError, match="keeps a state, which may hold values"):
            run(made)
    else:
        assert run(made).published
    store = environment(made).store
    said = b"".join(p.read_bytes() for p in store.root.rglob("*") if p.is_file())
    assert marker.encode() not in said


def test_columns_keep_their_types_from_one_publication_to_the_next(tmp_path: Path):
    made = a_shop(
        tmp_path,
        yielding('yield {"id": 1, "v": 1.5}'),
        ID,
        "{name: v, logicalType: string}",
        value=ALONE,
        sql="select id, typeof(v) as v from orders_raw",
    )
    publish(made)
    write_code(tmp_path, yielding('yield {"id": 1, "v": 2}'))
    publish(made)
    write_code(tmp_path, yielding('yield {"id": 1}'))
    publish(made)
    assert read(made, "select v from shop.orders") == [("DOUBLE",)]
    write_code(tmp_path, yielding('yield {"id": 1, "v": "x"}'))
    with pytest.raises(SourceError, match=r'(?s)"v" was double, .* --full'):
        run(made)
    write_code(tmp_path, yielding('yield {"id": 1, "v": "3"}', '"v": {"data_type": "bigint"}'))
    publish(made)
    assert read(made, "select v from shop.orders") == [("BIGINT",)], "the resource says so"
    write_code(tmp_path, yielding("yield from ()"))
    assert "not_empty" in str(run(made).decision), "no rows, in the columns that there were"


def test_each_partition_is_asked_by_its_key_and_has_a_state_of_its_own(tmp_path: Path):
    contract = (
        "apiVersion: v3.2.0\nkind: DataContract\nid: urn:x\nversion: 1.0.0\n"
        "customProperties:\n  - {property: partitions, vendor: dataops_mesh, "
        "value: {cadence: daily, start: 2020-01-01}}\n"
        "schema:\n  - name: orders\n    properties:\n"
        "      - {name: id, logicalType: integer, primaryKey: true}\n"
        "      - {name: day, logicalType: date, required: true, partitioned: true}\n"
    )
    code = """
import dlt


def orders(day):
    @dlt.resource(name="orders")
    def rows():
        state = dlt.current.resource_state()
        state["times"] = state.get("times", 0) + 1
        yield {"id": int(day[-1]) * 10 + state["times"], "day": day}

    return rows
"""
    made = a_shop(
        tmp_path,
        code,
        value='resource: "orders.py:orders({partition})"',
        sql="select id, day::date as day from orders_raw",
        contract=contract,
        settings='now = "2020-01-03T12:00:00+00:00"\n',
    )
    for key in ("2020-01-01", "2020-01-02", "2020-01-02"):
        assert run(made, partition=key).published
    assert ids(made) == [11, 22]


PEAK = """
from pathlib import Path
from dataops_mesh.transform.dlt.job import Job, run_resource
from peak import peak_mb
place = Path({place!r})
run_resource(Job("a", place / "orders.py", "orders.py", "orders", "", place / "own"))
print(peak_mb())
"""


@pytest.mark.parametrize("rows", [1_000, 15_000])
def test_rows_are_never_held_together(tmp_path: Path, rows: int):
    body = f'yield from ({{"id": n, "wide": "x" * 20_000}} for n in range({rows}))'
    (tmp_path / "own").mkdir()
    (tmp_path / "orders.py").write_text(yielding(body), "utf-8")
    path = os.pathsep.join((str(Path(__file__).parents[1]), *sys.path))
    done = subprocess.run(
        [sys.executable, "-c", PEAK.format(place=str(tmp_path))],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout.split()[-1]) < 480, "300 MB of rows beside a library of 250"
