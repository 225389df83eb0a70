"""DuckDB reads a packed file that was cut as if it ended there: no such file is read at all."""

from __future__ import annotations

import gzip
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from helpers import a_contract, a_product, a_source, read, run, write_workspace
from hypothesis import given
from hypothesis import strategies as st

from dataops_mesh.engine.delivery import UnclearDelivery
from dataops_mesh.engine.packed import require_complete
from dataops_mesh.errors import SourceError

COLUMNS = ["{name: id, logicalType: integer}", "{name: kind, logicalType: string}"]
ROWS = 5_000
CSV = ("id,kind\n" + "".join(f"{n},k{n * 7919 % 10_007}\n" for n in range(ROWS))).encode()
JSON = "".join(f'{{"id": {n}, "kind": "k{n * 7919 % 10_007}"}}\n' for n in range(ROWS)).encode()


def zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


PACKED = {
    "o.csv.gz": (gzip.compress(CSV), ""),
    "o.jsonl.gz": (gzip.compress(JSON), ""),
    "o.csv.zst": (zstd(CSV), ""),
    "o.csv": (gzip.compress(CSV), "options: {compression: gzip}"),
    "o.jsonl": (zstd(JSON), "options: {compression: zstd}"),
}


def workspace(root: Path, name: str, data: bytes, *, promised: bool):
    files: dict[str, str | bytes] = {"p.sql": "select id, kind from s"}
    if promised:
        files["inputs/s.odcs.yaml"] = a_contract("s", COLUMNS)
    source = a_source("s", name, more=PACKED[name][1])
    settings = write_workspace(
        root, {"d": {"p": a_product({"p": COLUMNS}, inputs=[source], files=files)}}
    )
    (settings.domains_folder / "d" / "p" / name).write_bytes(data)
    return settings


@pytest.mark.parametrize("promised", [False, True], ids=["guessed", "promised"])
@pytest.mark.parametrize("name", PACKED)
def test_what_was_cut_is_refused_and_what_is_whole_is_read(name, promised, tmp_path):
    data = PACKED[name][0]
    settings = workspace(tmp_path, name, data[: len(data) * 3 // 5], promised=promised)
    with pytest.raises(SourceError, match=rf"{name} ends in the middle of its (gzip|zstd)"):
        run(settings, "d.p")
    (settings.domains_folder / "d" / "p" / name).write_bytes(data)
    assert run(settings, "d.p").published
    assert read(settings, "select count(*), count(distinct id) from d.p") == [(ROWS, ROWS)]


@given(cut=st.integers(min_value=1), name=st.sampled_from(["o.csv.gz", "o.csv.zst"]))
def test_no_cut_is_taken_for_an_end(cut, name, tmp_path_factory):
    data = PACKED[name][0]
    file = tmp_path_factory.mktemp("cut") / name
    file.write_bytes(data[: max(1, len(data) - 1 - cut % len(data))])
    with pytest.raises(UnclearDelivery, match=r"was cut"):
        require_complete([file], {})


@given(at=st.integers(0), bit=st.integers(0, 7))
def test_no_damage_is_read_as_other_values(at, bit, tmp_path_factory):
    """Whatever bit of a gzip is another one: it is refused, or its content is the same."""
    data = bytearray(PACKED["o.csv.gz"][0])
    data[at % len(data)] ^= 1 << bit
    file = tmp_path_factory.mktemp("damaged") / "o.csv.gz"
    file.write_bytes(data)
    try:
        require_complete([file], {})
    except UnclearDelivery:
        return
    assert gzip.decompress(bytes(data)) == CSV


def test_several_streams_in_a_file_are_one_file(tmp_path):
    whole, more = tmp_path / "o.csv.gz", tmp_path / "p.csv.zst"
    whole.write_bytes(gzip.compress(CSV) + gzip.compress(CSV))
    more.write_bytes(zstd(CSV) + zstd(CSV))
    require_complete([whole, more], {})
    whole.write_bytes(gzip.compress(CSV) + gzip.compress(CSV)[:-20])
    with duckdb.connect() as con:  # why it is asked
        [(rows,)] = con.execute(f"select count(*) from read_csv('{whole}')").fetchall()
    assert ROWS < rows <= 2 * ROWS
    with pytest.raises(UnclearDelivery, match=r"o\.csv\.gz .* was cut"):
        require_complete([whole], {})


def test_a_file_that_is_not_packed_is_not_unpacked(tmp_path):
    file = tmp_path / "o.csv.gz"
    file.write_bytes(CSV)
    with pytest.raises(UnclearDelivery, match="is no gzip"):
        require_complete([file], {})
    require_complete([file], {"compression": "none"})
