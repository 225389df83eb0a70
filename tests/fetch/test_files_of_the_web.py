"""Files of HTTP: fetched once for each content, whole or not at all, and no secret is told."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from fetch_cases import everything_said, fetched, run, shop
from helpers import environment, read
from web_server import Web

from dataops_mesh.errors import DeclarationError, MeshError, SourceError
from dataops_mesh.fetch.faults import PAUSES
from dataops_mesh.run.word.erase import Forgot, erase
from dataops_mesh.run.word.withdraw import Taking
from dataops_mesh.spec.model import Address
from dataops_mesh.store.collect import collect

CSV = b"id\n1\n2\n"
TRIES = len(PAUSES) + 1


def source(web: Web, path: str = "/a.csv") -> str:
    return f'url: "{web.url(path)}", connection: web'


@pytest.mark.parametrize("validators", ["etag", "date"])
def test_what_is_the_same_is_not_sent_twice(tmp_path: Path, web: Web, validators: str):
    web.files["/a.csv"], web.validators = CSV, validators
    settings = shop(tmp_path, source(web))
    assert run(settings).published
    assert run(settings).published
    assert web.bodies() == 1
    assert web.asked[-1] == ("GET", "/a.csv", 304)
    web.files["/a.csv"] = b"id\n1\n2\n3\n"
    assert run(settings).published
    assert read(settings, "select count(*) from shop.orders") == [(3,)]
    assert web.bodies() == 2


def test_a_server_that_says_no_version_is_read_again_and_compared(tmp_path: Path, web: Web):
    web.files["/a.csv"], web.validators = CSV, ""
    settings = shop(tmp_path, source(web))
    first, second = run(settings), run(settings)
    assert first.published
    assert second.published
    assert web.bodies() == 2
    assert len(fetched(settings)) == 1


@pytest.mark.parametrize("path", ["/a%2Fb", "/a%0Ab.csv", "/" + "long" * 50])
def test_an_address_may_end_in_what_is_no_name_of_a_file(tmp_path: Path, web: Web, path: str):
    web.files[path] = CSV
    settings = shop(tmp_path, f"{source(web, path)}, format: csv")
    assert run(settings).published
    (file,) = fetched(settings)
    assert file.read_bytes() == CSV


@pytest.mark.parametrize("fault", [500, 503, 429, "reset", "cut"])
def test_a_fault_on_the_way_is_tried_again(tmp_path: Path, web: Web, fault: int | str):
    web.files["/a.csv"], web.faults = CSV, [fault, fault]
    settings = shop(tmp_path, source(web))
    assert run(settings).published
    assert read(settings, "select id from shop.orders order by 1") == [(1,), (2,)]
    assert len(web.asked) == 3


@pytest.mark.parametrize("fault", [500, "reset", "cut"])
def test_half_a_file_is_never_read(tmp_path: Path, web: Web, fault: int | str):
    web.files["/a.csv"] = CSV
    settings = shop(tmp_path, source(web))
    assert run(settings).published
    web.files["/a.csv"], web.faults = b"id\n7\n8\n9\n", [fault] * TRIES
    with pytest.raises(SourceError, match=r"orders_raw.*(500|ended|middle)") as told:
        run(settings)
    assert told.value.problems[0].where is not None
    assert told.value.problems[0].where.file.endswith("product.odps.yaml")
    assert [path.read_bytes() for path in fetched(settings)] == [CSV]
    assert read(settings, "select count(*) from shop.orders") == [(2,)]
    assert run(settings).published
    assert read(settings, "select count(*) from shop.orders") == [(3,)]


@pytest.mark.parametrize("status", [404, 403, 401, 400])
def test_what_stays_wrong_is_asked_once(tmp_path: Path, web: Web, status: int):
    web.files["/a.csv"], web.faults = CSV, [status]
    settings = shop(tmp_path, source(web))
    with pytest.raises(SourceError, match=f"answers {status}"):
        run(settings)
    assert len(web.asked) == 1


def test_no_password_and_no_token_is_told_or_kept(
    tmp_path: Path, web: Web, monkeypatch: pytest.MonkeyPatch
):
    address = f"http://:hunter2hunter2@127.0.0.1:{web.port}"
    monkeypatch.setenv("MESH_CONNECTION_WEB", address)
    web.password, web.files["/a.csv"] = "Bearer hunter2hunter2", CSV
    url = f"url: '{web.url('/a.csv')}?token=t0psecret', connection: web"
    settings = shop(tmp_path, url)
    lines: list[str] = []
    assert run(settings, progress=lines.append).published
    (tmp_path / "domains/shop/orders/product.odps.yaml").rename(tmp_path / "kept.yaml")
    assert b"hunter2" not in everything_said(settings)
    (tmp_path / "kept.yaml").rename(tmp_path / "domains/shop/orders/product.odps.yaml")
    web.faults = [500] * TRIES
    with pytest.raises(SourceError) as told:
        run(settings, progress=lines.append)
    web.faults = ["reset"] * TRIES
    with pytest.raises(SourceError) as cut:
        run(settings, progress=lines.append)
    for text in (*lines, str(told.value), str(cut.value)):
        assert "hunter2" not in text
        assert "t0psecret" not in text


def test_a_password_goes_to_the_host_of_its_connection_and_no_other(
    tmp_path: Path, web: Web, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MESH_CONNECTION_WEB", "http://ana:secret@data.example")
    settings = shop(tmp_path, source(web))
    with pytest.raises(SourceError, match="of another host"):
        run(settings)
    assert not web.asked


def test_a_redirect_takes_no_password_along(
    tmp_path: Path, web: Web, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MESH_CONNECTION_WEB", f"http://ana:secret@127.0.0.1:{web.port}")
    web.moves["/a.csv"] = f"http://localhost:{web.port}/b.csv"
    web.files["/b.csv"] = CSV
    with pytest.raises(SourceError, match="of this machine"):
        run(shop(tmp_path, source(web)), "shop.orders")
    assert [("Authorization" in said) for said in web.said] == [True]


@pytest.mark.parametrize(
    "target",
    ["file:///etc/passwd", "ftp://127.0.0.1/a.csv", "http://169.254.169.254/a", "gopher:x"],
)
def test_a_redirect_leads_nowhere_else(tmp_path: Path, web: Web, target: str):
    web.moves["/a.csv"] = target
    with pytest.raises(SourceError, match=r"none of HTTP|of this machine"):
        run(shop(tmp_path, source(web)), "shop.orders")


def test_a_circle_of_redirects_ends(tmp_path: Path, web: Web):
    web.moves["/a.csv"] = "/a.csv"
    with pytest.raises(SourceError, match="on and on"):
        run(shop(tmp_path, source(web)), "shop.orders")


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "2130706433"],  # noqa: S104 - all are refused
)
def test_this_machine_is_no_source_unless_a_connection_names_it(
    tmp_path: Path, web: Web, host: str
):
    web.files["/a.csv"] = CSV
    settings = shop(tmp_path, f'url: "http://{host}:{web.port}/a.csv"')
    with pytest.raises(SourceError, match=r"of this machine|cannot be reached"):
        run(settings)
    assert not web.asked


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("file:///etc/passwd", 'of the scheme "file"'),
        ("https://ana:pw@data.example/a.csv", "name a connection"),
        ("https://data.example/", "names no file"),
        ("s3://lake/a.csv", "need a connection"),
        ("a.csv", "has no scheme"),
        ("https://data.example/../a.csv", "may not contain"),
    ],
)
def test_an_address_that_is_none_is_told_where_it_stands(tmp_path: Path, url: str, why: str):
    with pytest.raises(DeclarationError, match=why) as told:
        run(shop(tmp_path, f'url: "{url}"'), "shop.orders")
    assert "product.odps.yaml" in str(told.value)
    assert "pw" not in str(told.value)


def test_one_of_path_url_and_query(tmp_path: Path):
    for value in ("path: a.csv, url: 'https://x.example/a.csv'", "format: csv"):
        with pytest.raises(DeclarationError, match="give one of path, url, query"):
            run(shop(tmp_path, value), "shop.orders")


@pytest.mark.parametrize(
    ("name", "content", "columns"),
    [
        ("/a.csv.gz", gzip.compress(CSV, mtime=0), "id"),
        ("/a.ndjson", b'{"id": 1}\n{"id": 2}\n', "id"),
        ("/a%20b.csv", CSV, "id"),
    ],
)
def test_formats_are_those_of_files(
    tmp_path: Path, web: Web, name: str, content: bytes, columns: str
):
    web.files[name] = content
    settings = shop(tmp_path, source(web, name), sql=f"select {columns} from orders_raw")
    assert run(settings).published
    assert read(settings, "select sum(id) from shop.orders") == [(3,)]


def test_what_the_server_packs_on_the_way_is_unpacked(tmp_path: Path, web: Web):
    web.files["/a.csv"], web.headers = gzip.compress(CSV, mtime=0), {"Content-Encoding": "gzip"}
    settings = shop(tmp_path, source(web))
    assert run(settings).published
    assert read(settings, "select sum(id) from shop.orders") == [(3,)]


def test_a_python_transform_reads_it_and_has_no_network_for_it(tmp_path: Path, web: Web):
    web.files["/a.csv"] = CSV
    code = f"""
import os, socket

def transform(orders_raw):
    assert not [name for name in os.environ if "CONNECTION" in name]
    try:
        socket.create_connection(("127.0.0.1", {web.port}), 2)
    except OSError:
        return orders_raw
    raise RuntimeError("reached the source")
"""
    settings = shop(tmp_path, source(web), files={"transform.py": code})
    assert run(settings).published


def test_a_connection_that_nobody_gave_or_that_is_for_others(
    tmp_path: Path, web: Web, monkeypatch: pytest.MonkeyPatch
):
    web.files["/a.csv"] = CSV
    settings = shop(tmp_path, source(web))
    monkeypatch.setenv("MESH_CONNECTION_WEB_FOR", "ledger, crm")
    with pytest.raises(SourceError, match="is not for shop"):
        run(settings)
    monkeypatch.setenv("MESH_CONNECTION_WEB_FOR", "ledger, shop")
    assert run(settings).published
    monkeypatch.delenv("MESH_CONNECTION_WEB")
    with pytest.raises(MeshError, match="MESH_CONNECTION_WEB"):
        run(settings)


def test_a_connection_may_stand_in_a_file_that_is_no_source(tmp_path: Path, web: Web):
    web.files["/a.csv"] = CSV
    (tmp_path / "connections").mkdir()
    (tmp_path / "connections" / "web").write_text(web.url("/") + "\n", "utf-8")
    settings = shop(tmp_path, source(web), settings='connections = "connections"\n')
    assert run(settings).published
    assert tmp_path / "connections" in settings.secret_paths


def test_each_partition_has_an_address_of_its_own(tmp_path: Path, web: Web):
    contract = (
        "apiVersion: v3.2.0\nkind: DataContract\nid: urn:x\nversion: 1.0.0\n"
        "customProperties:\n  - {property: partitions, vendor: dataops_mesh, "
        "value: {values: [eu, us]}}\n"
        "schema:\n  - name: orders\n    properties:\n"
        "      - {name: id, logicalType: integer, primaryKey: true}\n"
        "      - {name: region, logicalType: string, required: true, partitioned: true}\n"
    )
    web.files["/eu.csv"], web.files["/us.csv"] = b"id,region\n1,eu\n", b"id,region\n2,us\n"
    settings = shop(
        tmp_path,
        f'url: "{web.url("/{partition}.csv")}", connection: web',
        sql="select id, region from orders_raw",
        contract=contract,
    )
    assert run(settings, partition="eu").published
    assert run(settings, partition="us").published
    assert read(settings, "select id, region from shop.orders order by 1") == [(1, "eu"), (2, "us")]
    assert [path for _, path, _ in web.asked] == ["/eu.csv", "/us.csv"]


def test_what_is_not_declared_any_more_is_collected(tmp_path: Path, web: Web):
    web.files["/a.csv"] = CSV
    settings = shop(tmp_path, source(web))
    assert run(settings).published
    assert fetched(settings)
    collect(environment(settings).store, keep_releases=5, grace_seconds=0)
    assert not fetched(settings)


def test_an_erasure_takes_what_was_fetched_for_the_product(tmp_path: Path, web: Web):
    web.files["/a.csv"] = CSV
    settings = shop(tmp_path, source(web))
    assert run(settings).published
    assert fetched(settings)
    what = Taking("shop.orders", (Address("shop", "orders"),), ())
    place, how = environment(settings), {"forget": lambda _: Forgot(), "tell": lambda _: None}
    erase(what, place, "asked", whole=True, wait=True, **how)
    assert not fetched(settings)
