"""What was fetched is kept like a delivery; what is published masked is kept nowhere."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from fetch_cases import ID, run, shop
from helpers import a_contract, environment, product
from web_server import Web

from dataops_mesh.errors import MeshError
from dataops_mesh.run.reproduce.publication import reproduce
from dataops_mesh.store import files

OLD, NEW = b"id\n1\n2\n", b"id\n3\n"


@pytest.mark.parametrize("kept", ["keep", "fingerprint"])
def test_a_publication_is_built_again_when_the_web_says_something_else(
    tmp_path: Path, web: Web, kept: str
):
    web.files["/a.csv"] = OLD
    how = f", capture: {kept}"
    settings = shop(tmp_path, f'url: "{web.url("/a.csv")}", connection: web{how}')
    assert run(settings).published
    web.files["/a.csv"] = NEW
    assert run(settings).published
    store = environment(settings).store
    files.remove_tree(store.cache)
    files.make_folder(store.cache)
    web.files.clear()
    asked = len(web.asked)
    (one,) = reproduce(product(settings, "shop.orders"), environment(settings), 1)
    assert one.identical is (kept == "keep")
    assert bool(one.gone) is (kept != "keep")
    assert len(web.asked) == asked


MASKED = (
    "{name: mail, logicalType: string, classification: restricted, customProperties: ["
    "{property: masking, vendor: dataops_mesh, value: {method: partial, keepFirst: 1}}]}"
)


@pytest.mark.parametrize("ends", ["published", "refused", "failed"])
def test_of_what_is_published_masked_nothing_that_was_fetched_stays(
    tmp_path: Path, web: Web, ends: str
):
    marker = "zaphod@heart-of-gold.example"
    rows = {"refused": f"1,{marker}\n1,{marker}", "failed": f"one,{marker}"}
    web.files["/a.csv"] = f"id,mail\n{rows.get(ends, f'1,{marker}')}\n".encode()
    settings = shop(
        tmp_path,
        f'url: "{web.url("/a.csv")}", connection: web',
        ID,
        MASKED,
        sql="select id::bigint as id, mail from orders_raw",
    )
    with suppress(MeshError):
        assert run(settings).published is (ends == "published")
    store = environment(settings).store
    assert store.fetched.stat().st_mode & 0o077 == 0
    said = b"".join(p.read_bytes() for p in store.root.rglob("*") if p.is_file())
    assert marker.encode() not in said
    assert [path.name for path in store.fetched.rglob("*") if path.is_file()] == ["note.json"]
    asked = len(web.asked)
    web.files["/a.csv"] = f"id,mail\n1,{marker}\n2,{marker}x\n".encode()
    assert run(settings).published
    assert len(web.asked) > asked


CUT = "customProperties: [{property: partitions, vendor: dataops_mesh, value: {values: [a, b]}}]\n"
PART = "{name: part, logicalType: string, primaryKey: true, required: true, partitioned: true}"


@pytest.mark.parametrize("partition", [None, "a"])
def test_what_a_killed_run_has_left_goes_when_the_next_begins(
    tmp_path: Path, web: Web, monkeypatch: pytest.MonkeyPatch, partition: str | None
):
    web.files["/a.csv"] = b"id,mail,part\n1,a@b.example,a\n"
    columns = [ID, MASKED, *([PART] if partition else [])]
    settings = shop(
        tmp_path,
        f'url: "{web.url("/a.csv")}", connection: web',
        sql=f"select id::bigint as id, mail{', part' if partition else ''} from orders_raw",
        contract=a_contract("orders", columns, extra=CUT if partition else ""),
    )
    assert run(settings, partition=partition).published
    store = environment(settings).store
    (note,) = [path for path in store.fetched.rglob("*") if path.is_file()]
    left = note.parents[1] / "of-another-query" / "rows.csv"
    left.parent.mkdir()
    left.write_text("id,mail\n1,zaphod@heart-of-gold.example\n")
    assert run(settings, partition=partition).published
    assert left.exists() is bool(partition), "another partition may be reading it"
    monkeypatch.setattr("dataops_mesh.run.inputs.fetching.SPARE", 0.0)
    assert run(settings, partition=partition).published
    assert not left.exists()
