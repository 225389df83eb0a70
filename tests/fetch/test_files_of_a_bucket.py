"""Files of an S3-compatible store, on SeaweedFS: only what is new is fetched, by its ETag."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from buckets import SECRET, Lake, lake, put_as_it_is
from fetch_cases import everything_said, fetched, run, shop
from helpers import read

from dataops_mesh.errors import SourceError
from dataops_mesh.fetch import faults

pytestmark = pytest.mark.needs_buckets


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    with lake(tmp_path_factory.mktemp("weed")) as found:
        yield found


@pytest.fixture
def bucket(real: Lake, monkeypatch: pytest.MonkeyPatch) -> Lake:
    monkeypatch.setattr(faults, "PAUSES", (0.0, 0.0, 0.0))
    monkeypatch.setenv("MESH_CONNECTION_LAKE", real.connection)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/not-ours")  # the machine's own are not asked
    return real


def parquet(*ids: int) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table({"id": pa.array(ids, pa.int64())}), out)
    return out.getvalue()


def test_all_that_a_pattern_names_is_read_and_only_the_new_fetched(tmp_path: Path, bucket: Lake):
    bucket.put("new/a.parquet", parquet(1))
    bucket.put("new/deep/b.parquet", parquet(2))
    bucket.put("new/c.csv", b"id\n9\n")
    settings = shop(tmp_path, "url: 's3://lake/new/**/*.parquet', connection: lake")
    assert run(settings).published
    assert read(settings, "select id from shop.orders order by 1") == [(1,), (2,)]
    before = {path: path.stat().st_ino for path in fetched(settings)}
    bucket.put("new/z.parquet", parquet(3))
    lines: list[str] = []
    assert run(settings, progress=lines.append).published
    assert read(settings, "select id from shop.orders order by 1") == [(1,), (2,), (3,)]
    after = {path: path.stat().st_ino for path in fetched(settings)}
    assert before.items() <= after.items()
    assert [line for line in lines if "file" in line] == ["fetching orders_raw: file 3 of 3"]
    bucket.delete("new/a.parquet")
    assert run(settings).published
    assert read(settings, "select id from shop.orders order by 1") == [(2,), (3,)]


def test_one_file_by_its_name_and_what_takes_its_place(tmp_path: Path, bucket: Lake):
    bucket.put("one/a.csv", b"id\n1\n")
    settings = shop(tmp_path, "url: 's3://lake/one/a.csv', connection: lake")
    assert run(settings).published
    bucket.put("one/a.csv", b"id\n4\n5\n")
    assert run(settings).published
    assert read(settings, "select id from shop.orders order by 1") == [(4,), (5,)]
    assert SECRET.encode() not in everything_said(settings)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("s3://lake/nothing/a.csv", "is not there"),
        ("s3://lake/nothing/*.csv", "no file of this pattern"),
        ("s3://others/a.csv", r"is not there|may not be read"),
    ],
)
def test_what_is_not_there(tmp_path: Path, bucket: Lake, url: str, why: str):
    del bucket
    with pytest.raises(SourceError, match=why) as told:
        run(shop(tmp_path, f"url: '{url}', connection: lake"))
    assert SECRET not in str(told.value)


def test_a_name_that_nobody_can_read_is_told_and_not_tried_again(tmp_path: Path, bucket: Lake):
    bucket.put("odd/a.csv", b"id\n1\n")
    assert put_as_it_is(bucket.port, "/lake/odd/hunter2%0A.csv", b"id\n7\n").ok
    lines: list[str] = []
    settings = shop(tmp_path, "url: 's3://lake/odd/*.csv', connection: lake")
    with pytest.raises(SourceError, match="lies beside a file whose name") as told:
        run(settings, progress=lines.append)
    assert "hunter2" not in str(told.value)
    assert not [line for line in lines if "again" in line]
    other = shop(tmp_path, "url: 's3://lake/odd/a.csv', connection: lake")
    assert run(other).published


def test_another_password_and_a_store_that_is_away(
    tmp_path: Path, bucket: Lake, monkeypatch: pytest.MonkeyPatch
):
    bucket.put("a.csv", b"id\n1\n")
    settings = shop(tmp_path, "url: 's3://lake/a.csv', connection: lake")
    port = urlsplit(bucket.connection).port
    monkeypatch.setenv("MESH_CONNECTION_LAKE", f"http://meshkey:wr0ngwr0ng@127.0.0.1:{port}")
    with pytest.raises(SourceError, match="may not be read") as told:
        run(settings)
    assert "wr0ng" not in str(told.value)
    monkeypatch.setenv("MESH_CONNECTION_LAKE", "http://meshkey:wr0ngwr0ng@127.0.0.1:9")
    with pytest.raises(SourceError, match="cannot be reached") as away:
        run(settings)
    assert "wr0ng" not in str(away.value)
