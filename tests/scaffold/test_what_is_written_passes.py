"""A contract made of rows is kept by these rows, and broken by a damaged copy of them."""

from __future__ import annotations

import csv
import datetime as dt
import json
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import duckdb
import pytest
import yaml
from helpers import product, run, write_workspace
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataops_mesh.errors import SourceError
from dataops_mesh.scaffold.contract import outwards
from dataops_mesh.scaffold.files import write_new
from dataops_mesh.scaffold.make import Origin, Place, Request, new_contract, new_product
from dataops_mesh.scaffold.product import People
from dataops_mesh.settings import load_settings

FLIGHTS = """\
Flight No,carrier,Tail Num,departed,delay,distance,price,email,when
1,UA,N14228,2013-01-01,2,1400,99.5,ana@mesh.example,2013-01-01T05:00:00Z
2,UA,N24211,2013-01-01,NA,1416,120.25,bo@mesh.example,2013-01-01T05:29:00Z
3,AA,N619AA,2013-01-02,-4,1089,87,cy@mesh.example,2013-01-02T05:40:00Z
"""
MANY = FLIGHTS + "".join(
    f"{n},AA,N619AA,2013-01-02,-4,1089,87,cy@mesh.example,2013-01-02T05:40:00Z\n"
    for n in range(4, 40)
)


def place_in(root: Path, name: str = "flights") -> Place:
    return Place(root, "domains", root / ".mesh" / "store", "air", name)


def published(root: Path, wanted: Request):
    """Write what was made and run it."""
    if not (root / "pyproject.toml").exists():
        write_workspace(root, {})
    write_new(new_product(wanted))
    return run(load_settings(root), f"air.{wanted.place.product}")


@pytest.mark.parametrize("source", [False, True])
@pytest.mark.parametrize("python", [False, True])
def test_a_product_of_a_file_publishes_its_rows(tmp_path, source, python):
    file = tmp_path / "flights.csv"
    file.write_text(FLIGHTS, "utf-8")
    wanted = Request(
        place_in(tmp_path), "flights", Origin(file), People("air"), python=python, source=source
    )
    report = published(tmp_path, wanted)
    assert report.published, report
    text = (wanted.place.folder / "flights.odcs.yaml").read_text("utf-8")
    assert "classification: restricted  # guess" in text  # the e-mail
    assert "name: flight_no" in text
    assert "name: delay\n        logicalType: integer" in text  # NA is nothing, and no text
    assert "minimum" not in text  # three rows tell nothing of a range


def test_a_range_is_of_many_rows_and_of_no_key(tmp_path):
    file = tmp_path / "flights.csv"
    file.write_text(MANY.replace("distance", "plane_id"), "utf-8")
    _, text = new_contract(place_in(tmp_path), "flights", Origin(file), source=False)
    columns = {c["name"]: c for c in yaml.safe_load(text)["schema"][0]["properties"]}
    assert columns["price"]["logicalTypeOptions"] == {"minimum": 87, "maximum": 130}
    assert "logicalTypeOptions" not in columns["flight_no"]
    assert "logicalTypeOptions" not in columns["plane_id"]


def test_a_product_of_a_pattern_reads_every_file_that_fits(tmp_path):
    (tmp_path / "data").mkdir()
    head, *lines = FLIGHTS.splitlines()
    for n, line in enumerate(lines):
        (tmp_path / "data" / f"{n}.csv").write_text(f"{head}\n{line}\n", "utf-8")
    wanted = Request(place_in(tmp_path), "flights", Origin(tmp_path / "data" / "*.csv"), People())
    report = published(tmp_path, wanted)
    assert report.published
    assert report.ports[0].rows == 3
    text = (wanted.place.folder / "product.odps.yaml").read_text("utf-8")
    assert "name: data_csv" in text
    assert "path: ../../../data/*.csv" in text


def test_a_pattern_that_fits_nothing_is_told(tmp_path):
    wanted = Request(place_in(tmp_path), "flights", Origin(tmp_path / "*.csv"), People())
    with pytest.raises(SourceError, match="there is no file"):
        new_product(wanted)


@pytest.mark.parametrize(
    "damage",
    [
        ("1,UA", "2,UA"),  # the key twice
        ("1400", "999999"),  # beyond the range
        ("3,AA,N619AA", "3,AA,"),  # a value that always was there
        ("N619AA", "nobody"),  # no tail number
        ("bo@mesh.example", "bo"),  # no e-mail
        ("2013-01-02,-4", ",-4"),
    ],
)
def test_a_damaged_copy_is_refused(tmp_path, damage):
    file = tmp_path / "flights.csv"
    file.write_text(MANY, "utf-8")
    wanted = Request(place_in(tmp_path), "flights", Origin(file), People("air"), source=True)
    assert published(tmp_path, wanted).published
    text = MANY.replace(*damage)
    assert text != MANY
    file.write_text(text, "utf-8")
    assert not run(load_settings(tmp_path), "air.flights").published


def test_a_select_on_what_is_published_is_a_product(tmp_path):
    file = tmp_path / "flights.csv"
    file.write_text(FLIGHTS, "utf-8")
    assert published(
        tmp_path, Request(place_in(tmp_path), "flights", Origin(file), People("air"))
    ).published
    select = "select carrier, count(*) as flights, avg(price) as mean from air.flights group by all"
    wanted = Request(place_in(tmp_path, "carriers"), "carriers", Origin(select=select), People())
    assert published(tmp_path, wanted).published
    declared = (wanted.place.folder / "product.odps.yaml").read_text("utf-8")
    assert "- name: air.flights" in declared


def test_a_table_of_a_database_gives_a_contract(tmp_path):
    base = tmp_path / "shop.duckdb"
    with duckdb.connect(str(base)) as con:
        con.execute("CREATE TABLE orders(id INTEGER, amount DECIMAL(9,2), tags VARCHAR[])")
        con.execute("INSERT INTO orders VALUES (1, 2.5, ['a']), (2, 3, NULL)")
    path, text = new_contract(place_in(tmp_path), "orders", Origin(base, "orders"), source=False)
    assert path == place_in(tmp_path).folder / "orders.odcs.yaml"
    for line in ("primaryKey: true", "physicalType: DECIMAL(9,2)", "logicalType: array"):
        assert line in text


VALUES = {
    "BIGINT": st.integers(-(2**63), 2**63 - 1),
    "INTEGER": st.integers(-5, 5),
    "DOUBLE": st.floats(allow_nan=False, allow_infinity=False),
    "FLOAT": st.floats(width=32, allow_nan=False, allow_infinity=False),
    "DECIMAL(18,3)": st.decimals(-(10**14), 10**14, places=3),
    "VARCHAR": st.one_of(
        st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8),
        st.sampled_from(["NO", "007", "1.10", "", "a@b.example", "AB", "CD"]),
    ),
    "BOOLEAN": st.booleans(),
    "DATE": st.dates(),
    "TIMESTAMP": st.datetimes(),
    "TIMESTAMPTZ": st.datetimes(
        dt.datetime.fromisoformat("1900-01-02"),
        dt.datetime.fromisoformat("2200-01-01"),
        timezones=st.just(dt.UTC),
    ),
}


@dataclass(frozen=True)
class Table:
    types: list[str]
    rows: list[list]


@st.composite
def tables(draw):
    types = draw(st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=4))
    row = st.tuples(*(st.one_of(st.none(), VALUES[kind]) for kind in types)).map(list)
    return Table(types, draw(st.lists(row, min_size=1, max_size=12)))


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(table=tables(), number=st.integers(0, 10**9))
def test_whatever_the_rows_are_they_keep_the_contract_made_of_them(tmp_path_factory, table, number):
    root = tmp_path_factory.mktemp(f"made{number}")
    file = root / "rows.parquet"
    with duckdb.connect() as con:
        columns = ", ".join(f"c{n} {kind}" for n, kind in enumerate(table.types))
        con.execute(f"CREATE TABLE made({columns})")
        marks = ", ".join("?" for _ in table.types)
        con.executemany(f"INSERT INTO made VALUES ({marks})", table.rows)
        con.execute(f"COPY made TO '{file}' (FORMAT parquet)")
    report = published(root, Request(place_in(root, "rows"), "rows", Origin(file), People("air")))
    assert report.published, list(getattr(report.decision, "reasons", ()))


@given(st.one_of(st.integers(-(10**20), 10**20), st.floats(allow_nan=False, allow_infinity=False)))
def test_a_bound_is_beyond_the_value_and_near(value):
    low, high = outwards(value, up=False), outwards(value, up=True)
    if low is None or high is None:  # nobody writes such a number as a bound
        assert isinstance(value, float)
        assert abs(value) >= 10**10 or abs(value) < Fraction(1, 10**9)
        return
    assert Fraction(low) <= Fraction(value) <= Fraction(high) or repr(low) == repr(high)
    assert abs(Fraction(high) - Fraction(low)) <= abs(Fraction(value)) / 5


def test_no_file_is_written_over_and_none_if_one_is_there(tmp_path):
    there = tmp_path / "b.txt"
    there.write_text("mine", "utf-8")
    with pytest.raises(Exception, match="is there already"):
        write_new({tmp_path / "a.txt": "1", there: "2"})
    assert there.read_text("utf-8") == "mine"
    assert not (tmp_path / "a.txt").exists()


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_other_delimiters_are_seen(tmp_path, delimiter):
    file = tmp_path / "flights.csv"
    rows = list(csv.reader(FLIGHTS.splitlines()))
    file.write_text("".join(delimiter.join(row) + "\n" for row in rows), "utf-8")
    wanted = Request(place_in(tmp_path), "flights", Origin(file), People("air"))
    assert published(tmp_path, wanted).published


def test_lines_of_json_are_a_product(tmp_path):
    file = tmp_path / "events.ndjson"
    rows = [{"id": n, "who": {"name": f"p{n}", "age": n}, "tags": ["a", "b"]} for n in range(5)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    wanted = Request(place_in(tmp_path, "events"), "events", Origin(file), People("air"))
    report = published(tmp_path, wanted)
    assert report.published, report
    contract = product(load_settings(tmp_path), "air.events").outputs[0].contract
    assert [column.name for column in contract.columns] == ["id", "who", "tags"]


ODD = {
    "a list of numbers": "SELECT [1, NULL] AS l, {'x': 1, 'y': [{'z': 1}]} AS s, MAP {'a': 1} AS m",
    "a list of floats": "SELECT [0.1::FLOAT] AS l",
    "no number": "SELECT unnest(['nan'::DOUBLE, 'inf'::DOUBLE, 1.5]) AS a",
    "words of SQL": 'SELECT 1 AS "SELECT", 2 AS "From", 3 AS "a b", 4 AS "ü"',
    "a long text": "SELECT repeat('x', 300000) AS a, 1 AS id UNION ALL SELECT 'y', 2",
    "no rows": "SELECT 1 AS id WHERE false",
}


@pytest.mark.parametrize("name", sorted(ODD))
def test_odd_files_give_products_that_pass_on_them(tmp_path, name):
    file = tmp_path / "rows.parquet"
    with duckdb.connect() as con:
        con.execute(f"COPY ({ODD[name]}) TO '{file}' (FORMAT parquet)")
    wanted = Request(place_in(tmp_path, "rows"), "rows", Origin(file), People("air"))
    assert published(tmp_path, wanted).published
