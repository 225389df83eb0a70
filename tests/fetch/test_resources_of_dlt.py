"""Resources of dlt: run confined, with their own secret, and every value as it was yielded."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from fetch_cases import everything_said, fetched, run
from helpers import environment, product, read
from resource_cases import ALONE, ASKING, KEY, a_shop, an_api, write_code, yielding
from web_server import Web

from dataops_mesh.errors import DeclarationError, SourceError
from dataops_mesh.run.identity import transform_fingerprint
from dataops_mesh.store.manifest import read_manifest
from dataops_mesh.transform.validate import transform_problems

FOLLOWING = """
@dlt.resource
def a():
    yield [{"id": 6}]


@dlt.transformer(data_from=a)
def orders(rows):
    yield from ({"id": row["id"] + 1} for row in rows)
"""


def test_a_product_reads_an_api_and_its_secret_is_nowhere(
    tmp_path: Path,
    web: Web,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
):
    an_api(web, monkeypatch, 1, 2)
    made = a_shop(tmp_path, ASKING)
    report = run(made)
    assert report.published
    assert read(made, "select id from shop.orders order by 1") == [(1,), (2,)]
    manifest = read_manifest(environment(made).store, report.candidate)
    assert manifest.inputs[0].kept == "store", "what it brought is captured"
    assert manifest.confined.endswith("with network")
    web.faults.append(400)
    with pytest.raises(SourceError, match=r"orders/orders\.py:8: .*HTTPError, .* answered 400"):
        run(made)
    assert KEY.encode() not in everything_said(made)
    assert KEY not in "".join(capfd.readouterr())
    assert read(made, "select count(*) from shop.orders") == [(2,)], "what is published stays"


def test_values_come_as_they_were_yielded(tmp_path: Path):
    body = """yield {
        "id": 2**63 - 1, "Price EUR": decimal.Decimal("12345678901.123456789"), "real": 0.1,
        "at": dt.datetime(2020, 1, 1, 1, 2, 3, 456789, dt.timezone(dt.timedelta(hours=2))),
        "day": dt.date(2020, 2, 29), "said": "2020-01-01T00:00:00.123456789+02:00", "yes": True,
        "raw": b"a\\0b", "inside": {"a": [1, decimal.Decimal("1.50")]}, "nothing": None,
        "text": "\\u00e9\\U0001f600", "long": decimal.Decimal("0.123456789012"),
    }"""
    columns = '"long": {"data_type": "decimal", "precision": 30, "scale": 12}'
    made = a_shop(tmp_path, yielding(body, columns))
    assert run(made).published
    (file,) = [path for path in fetched(made) if path.suffix == ".parquet"]
    with duckdb.connect() as plain:
        plain.execute("SET TimeZone = 'UTC'")
        found = plain.sql(f"from '{file}'")
        kinds = dict(zip(found.columns, map(str, found.types), strict=True))
        texts = ", ".join(
            f'"{name}"::varchar as "{name}"' for name in ("at", "price_eur", "long", "day")
        )
        (row,) = plain.sql(f"select * replace ({texts}) from '{file}'").fetchall()
    values = dict(zip(kinds, row, strict=True))
    assert not [name for name in kinds if name.startswith("_dlt")]
    assert kinds["price_eur"] == "DECIMAL(38,9)"
    assert kinds["at"] == "TIMESTAMP WITH TIME ZONE"
    assert values == {
        "id": 2**63 - 1,
        "price_eur": "12345678901.123456789",
        "real": 0.1,
        "at": "2019-12-31 23:02:03.456789+00",
        "day": "2020-02-29",
        "said": "2020-01-01T00:00:00.123456789+02:00",
        "yes": True,
        "raw": b"a\0b",
        "inside": '{"a":[1,"1.50"]}',
        "nothing": None,
        "text": "\u00e9\U0001f600",
        "long": "0.123456789012",
    }


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ('yield {"id": 1, "v": math.nan}', '"v" holds a number that is none'),
        ('yield {"id": 1, "v": {"deep": [math.inf]}}', '"v" holds a number that is none'),
        ('yield {"id": 2**63}', '"id" holds a whole number of more than 64 bits'),
        ('yield [{"id": 1}, {"id": 1.5}]', '"id" holds bigint and double'),
        ('yield {"id": 1, "a b": 1, "a_b": 2}', '"a b" and "a_b" are one column'),
        ('yield {"id": decimal.Decimal("1.1234567890123")}', "digits"),
        ("yield from ()", "gave no rows"),
        ('yield dlt.mark.with_table_name({"id": 1}, "other"); yield {"id": 2}', "2 tables"),
        ('raise ValueError("hunter2")', r"orders/orders\.py:11: the resource raised ValueError"),
        ('exit("hunter2")', "the resource raised SystemExit"),
        ("import os; os._exit(0)", "the resource ended its process"),
    ],
)
def test_what_would_come_out_as_something_else_is_refused(tmp_path: Path, body: str, why: str):
    made = a_shop(tmp_path, yielding(body))
    with pytest.raises(SourceError, match=why) as told:
        run(made)
    assert "hunter2" not in str(told.value)
    write_code(tmp_path, "")
    assert b"hunter2" not in everything_said(made)


def test_the_same_rows_are_the_same_bytes(tmp_path: Path):
    body = 'yield [{"id": n, **({f"c{n % 7}": n} if n % 3 else {})} for n in range(20_000)]'
    made = a_shop(tmp_path, yielding(body))
    first, second = run(made), run(made)
    store = environment(made).store
    one, two = (read_manifest(store, r.candidate).inputs[0].fingerprint for r in (first, second))
    assert one == two
    assert read(made, "select count(*), sum(id) from shop.orders") == [(20_000, 199_990_000)]


def test_nobody_elses_secret_or_file_can_be_reached(
    tmp_path: Path, web: Web, monkeypatch: pytest.MonkeyPatch
):
    an_api(web, monkeypatch, 1)
    monkeypatch.setenv("MESH_CONNECTION_OTHER", "api_key = 'not-yours'")
    other = tmp_path / "domains/finance/secret.csv"
    code = f"""
import os
from pathlib import Path

import dlt


@dlt.resource
def orders(api_key: str = dlt.secrets.value):
    assert not [name for name in os.environ if name.startswith("MESH")]
    assert dlt.secrets.get("other") is None
    for place in ({str(other)!r}, {str(tmp_path / ".mesh")!r}, "/proc/1/environ"):
        try:
            list(Path(place).iterdir()) if Path(place).is_dir() else Path(place).read_bytes()
        except OSError:
            continue
        raise AssertionError(place)
    for place in ({str(tmp_path / "domains/shop/orders/x")!r}, {str(tmp_path / "x")!r}):
        try:
            Path(place).write_text("x")
        except OSError:
            continue
        raise AssertionError(place)
    yield {{"id": 1}}
"""
    made = a_shop(tmp_path, code)
    other.parent.mkdir()
    other.write_text("x", "utf-8")
    assert run(made).published
    assert not (tmp_path / "domains/shop/orders/x").exists()


@pytest.mark.parametrize(
    ("said", "why", "then"),
    [
        (None, "does not know the connection", "MESH_CONNECTION_SHOP_API"),
        ("https://:hunter2@x", "is no TOML", "api_key ="),
        ("other = 1", "needs url, api_key", 'into the connection "shop_api"'),
    ],
)
def test_a_connection_that_says_nothing_of_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str | None, why: str, then: str
):
    if said is not None:
        monkeypatch.setenv("MESH_CONNECTION_SHOP_API", said)
    with pytest.raises(SourceError, match=why) as told:
        run(a_shop(tmp_path, ASKING))
    assert then in str(told.value)
    assert "hunter2" not in str(told.value)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ('resource: "orders"', "names no resource"),
        ('resource: "../orders.py:orders"', "is no file of the product's folder"),
        ('resource: "orders.py:orders(1)"', 'is not called with "1"'),
        ('resource: "orders.py:orders({partition})"', "the product is published whole"),
        (f"{ALONE}, format: csv", "`format` does not go with `resource`"),
        (f"{ALONE}, changed: select 1", "`changed` does not go with `resource`"),
        (f"{ALONE}, path: a.csv", "says path and resource"),
    ],
)
def test_what_is_declared_wrong_is_told_where_it_stands(tmp_path: Path, value: str, why: str):
    with pytest.raises(DeclarationError, match=r"product.odps.yaml:\d+") as told:
        run(a_shop(tmp_path, yielding("yield {'id': 1}"), value=value))
    assert why in str(told.value)


def test_a_product_that_may_reach_no_machine_has_no_resource(tmp_path: Path):
    with pytest.raises(DeclarationError, match="network: true"):
        run(a_shop(tmp_path, yielding("yield {'id': 1}"), network=False))


def test_a_file_that_does_not_fit_is_told_without_running_it(tmp_path: Path):
    made = a_shop(tmp_path, "raise SystemExit\ndef order(): ...\n")
    (one,) = transform_problems(product(made, "shop.orders"))
    assert 'orders.py defines no "orders"' in str(one)
    assert "order" in one.choices
    write_code(tmp_path, "def orders(:\n")
    assert "not Python" in str(transform_problems(product(made, "shop.orders"))[0])
    (tmp_path / "domains/shop/orders/orders.py").unlink()
    assert "there is no file orders.py" in str(transform_problems(product(made, "shop.orders"))[0])


def test_its_file_is_code_of_the_product(tmp_path: Path):
    made = a_shop(tmp_path, yielding("yield {'id': 1}"))
    before = transform_fingerprint(product(made, "shop.orders"))
    write_code(tmp_path, yielding("yield {'id': 2}"))
    assert transform_fingerprint(product(made, "shop.orders")) != before


@pytest.mark.parametrize(
    "code",
    [
        "@dlt.source\ndef orders():\n    return dlt.resource([{'id': 7}], name='a')",
        "orders = dlt.resource([{'id': 7}], name='a')",
        "def orders():\n    return dlt.resource([{'id': 7}], name='a')",
        FOLLOWING,
        "import pyarrow\n\n\n@dlt.resource\ndef orders():\n    yield pyarrow.table({'id': [7]})",
    ],
)
def test_all_that_dlt_calls_a_resource(tmp_path: Path, code: str):
    made = a_shop(tmp_path, f"import dlt\n\n\n{code}\n")
    assert run(made).published
    assert read(made, "select id from shop.orders") == [(7,)]


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("orders = 1", "is no resource of dlt"),
        (
            "@dlt.source\ndef orders():\n    return [dlt.resource([1], name=n) for n in 'ab']",
            "is a source of 2 resources",
        ),
    ],
)
def test_what_is_no_one_resource(tmp_path: Path, code: str, why: str):
    with pytest.raises(SourceError, match=why):
        run(a_shop(tmp_path, f"import dlt\n\n\n{code}\n"))
