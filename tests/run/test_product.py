"""What a run must publish, refuse, and say when it cannot do either."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
import time
import traceback
from pathlib import Path

import pytest
from helpers import (
    a_contract,
    a_product,
    a_source,
    an_input,
    environment,
    product,
    read,
    run,
    write_product,
    write_workspace,
)

from dataops_mesh.errors import (
    DeclarationError,
    NotPublishedError,
    SourceError,
    TransformError,
)
from dataops_mesh.gate import Publish, Refuse
from dataops_mesh.run.record import product_history
from dataops_mesh.settings import Settings
from dataops_mesh.spec.checks.check import Outcome
from dataops_mesh.spec.model import Severity
from dataops_mesh.store.manifest import ERROR, REFUSE, all_refs, pending_refs, read_manifest
from dataops_mesh.store.release import latest

KEY = "{name: id, logicalType: integer, primaryKey: true}"
AMOUNT = "{name: amount, logicalType: integer, required: true}"
IBAN = "DE89370400440532013000"
GOOD = "id,amount\n1,10\n2,20\n"


def orders(
    sql: str = "select id, amount from orders_csv",
    csv: str = GOOD,
    *rules: str,
    columns: tuple[str, ...] = (KEY, AMOUNT),
    more: str = "",
) -> dict[str, str | bytes]:
    return a_product(
        {"orders": a_contract("orders", columns, *rules)},
        inputs=[a_source("orders_csv", "orders.csv", more=more)],
        files={"orders.sql": sql, "orders.csv": csv},
    )


def shop(root: Path, *args: object, **kwargs: object) -> Settings:
    return write_workspace(root, {"shop": {"orders": orders(*args, **kwargs)}})  # type: ignore[arg-type] # passed on as they are


def python_shop(root: Path, transform: str, csv: str = GOOD, ports: int = 1) -> Settings:
    names = ["orders", "more"][:ports]
    files = a_product(
        dict.fromkeys(names, ()) | {name: a_contract(name, [KEY, AMOUNT]) for name in names},
        inputs=[a_source("orders_csv", "orders.csv")],
        files={"transform.py": transform, "orders.csv": csv},
    )
    return write_workspace(root, {"shop": {"orders": files}})


def manifests(settings: Settings) -> list:
    store = environment(settings).store
    return [read_manifest(store, ref) for ref in sorted(all_refs(store))]


def everything_on_disk(settings: Settings) -> dict[Path, bytes]:
    files = (path for path in settings.store_folder.rglob("*") if path.is_file())
    return {path: path.read_bytes() for path in files}


# --- what is published


def test_a_good_sql_product_is_published_with_its_evidence(tmp_path: Path) -> None:
    settings = shop(tmp_path)
    stages: list[str] = []
    from dataops_mesh.run.product import run_product

    report = run_product(
        product(settings, "shop.orders"),
        environment(settings),
        run_id="r1",
        progress=stages.append,
    )
    assert report.published
    assert isinstance(report.decision, Publish)
    assert report.publication == 1
    assert report.rows == 2
    assert report.executed == len(report.checks) == len(report.results)
    assert report.notes == ()
    assert not report.retryable
    assert report.seconds > 0
    assert [str(address) for address in report.changed] == ["shop.orders"]
    assert stages[-1] == "published as 1"
    assert read(settings, "select id, amount from shop.orders order by id") == [(1, 10), (2, 20)]
    (manifest,) = manifests(settings)
    assert manifest.verdict == "publish"
    assert manifest.person == "ana"
    assert manifest.results == report.results
    assert manifest.inputs[0].fingerprint
    assert pending_refs(environment(settings).store) == ()


def test_the_same_content_again_is_no_change(tmp_path: Path) -> None:
    settings = shop(tmp_path)
    run(settings, "shop.orders")
    again = run(settings, "shop.orders")
    assert again.publication == 2
    assert again.changed == ()


PLAIN = "def transform(orders_csv):\n    return orders_csv\n"
FORMS = {
    "relation without annotation": PLAIN,
    "relation": "import duckdb\n"
    + PLAIN.replace("orders_csv)", "orders_csv: duckdb.DuckDBPyRelation)"),
    "lazy relation": "def transform(orders_csv):\n    return orders_csv.filter('id > 0').project('id, amount')\n",
    "table": "import pyarrow as pa\n" + PLAIN.replace("orders_csv)", "orders_csv: pa.Table)"),
    "reader": "import pyarrow\n"
    + PLAIN.replace("orders_csv)", "orders_csv: pyarrow.RecordBatchReader)"),
    "pandas": (
        "import pandas as pd\n"
        "def transform(orders_csv: pd.DataFrame) -> pd.DataFrame:\n"
        "    return orders_csv[orders_csv['id'] > 0]\n"
    ),
    "polars": "import polars as pl\n" + PLAIN.replace("orders_csv)", "orders_csv: pl.DataFrame)"),
    "lazy polars": (
        "import polars as pl\n"
        "def transform(orders_csv: pl.LazyFrame) -> pl.DataFrame:\n"
        "    return orders_csv.filter(pl.col('id') > 0).collect()\n"
    ),
    "text annotation": PLAIN.replace("orders_csv)", "orders_csv: 'pyarrow.Table')"),
    "a mapping of its one port": PLAIN.replace(
        "return orders_csv", "return {'orders': orders_csv}"
    ),
    "keyword only": PLAIN.replace("(orders_csv)", "(*, orders_csv)"),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_python_transform_publishes_the_same_rows(tmp_path: Path, form: str) -> None:
    settings = python_shop(tmp_path, FORMS[form])
    report = run(settings, "shop.orders")
    assert report.published, report.decision
    assert read(settings, "select id, amount from shop.orders order by id") == [(1, 10), (2, 20)]


def test_an_opaque_file_and_the_clock_reach_a_python_transform(tmp_path: Path) -> None:
    transform = (
        "import pathlib\nfrom datetime import datetime\nimport pyarrow as pa\n"
        "def transform(letter: pathlib.Path, now: datetime):\n"
        "    n = len(letter.read_text())\n"
        "    return pa.table({'id': [n], 'amount': [now.year]})\n"
    )
    files = a_product(
        {"orders": [KEY, AMOUNT]},
        inputs=[a_source("letter", "letter.txt", more="format: file")],
        files={"transform.py": transform, "letter.txt": "hello"},
    )
    settings = write_workspace(
        tmp_path, {"shop": {"orders": files}}, settings='now = "2013-05-01T00:00:00Z"\n'
    )
    assert run(settings, "shop.orders").published
    assert read(settings, "select id, amount from shop.orders") == [(5, 2013)]
    assert manifests(settings)[0].now.year == 2013


def test_two_ports_of_one_python_transform_are_published_together(tmp_path: Path) -> None:
    transform = "def transform(orders_csv):\n    return {'orders': orders_csv, 'more': orders_csv.limit(1)}\n"
    settings = python_shop(tmp_path, transform, ports=2)
    report = run(settings, "shop.orders")
    assert report.published
    assert read(
        settings, "select (select count(*) from shop.orders), (select count(*) from shop.more)"
    ) == [(2, 1)]


def test_a_transform_that_was_edited_is_the_one_that_runs(tmp_path: Path) -> None:
    settings = python_shop(tmp_path, PLAIN)
    first = run(settings, "shop.orders")
    write_product(
        tmp_path,
        "shop",
        "orders",
        {"transform.py": PLAIN.replace("return orders_csv", "return orders_csv.limit(1)")},
    )
    second = run(settings, "shop.orders")
    assert (first.rows, second.rows) == (2, 1)
    assert first.code_version != second.code_version


@pytest.mark.parametrize(
    "sql",
    [
        "select id, amount from orders_csv -- the last line is a comment",
        "select id, amount from orders_csv; -- done",
        "select id, amount from orders_csv ;\n/* ä € */ ;\n",
        "-- first: 'it''s; a; comment'\nFROM orders_csv SELECT id, amount",
        "with orders as (select * from orders_csv) select id, amount from orders",
        "(select id, amount from orders_csv)",
        "select id, amount from ORDERS_CSV order by id limit 5",
    ],
)
def test_any_way_to_write_one_select_is_published(tmp_path: Path, sql: str) -> None:
    settings = shop(tmp_path, sql)
    assert run(settings, "shop.orders").published
    assert read(settings, "select count(*) from shop.orders") == [(2,)]


def test_a_product_reads_the_publication_of_another_and_says_which(tmp_path: Path) -> None:
    totals = a_product(
        {"totals": ["{name: total, logicalType: integer}"]},
        inputs=[an_input("shop.orders", "{column: amount, metric: nullValues, mustBe: 0}")],
        files={"totals.sql": "select sum(amount)::bigint as total from shop.orders"},
    )
    settings = write_workspace(
        tmp_path, {"shop": {"orders": orders()}, "books": {"totals": totals}}
    )
    run(settings, "shop.orders")
    report = run(settings, "books.totals")
    assert report.published
    assert [(read.name, read.publication) for read in report.reads] == [("shop.orders", 1)]
    assert read(settings, "select total from books.totals") == [(30,)]


# --- what is refused


def test_bad_data_is_refused_and_consumers_still_read_the_last_good(tmp_path: Path) -> None:
    settings = shop(tmp_path)
    run(settings, "shop.orders")
    write_product(tmp_path, "shop", "orders", {"orders.csv": "id,amount\n1,10\n1,11\n3,\n"})
    report = run(settings, "shop.orders")
    assert not report.published
    assert not report.retryable
    assert report.publication is None
    assert isinstance(report.decision, Refuse)
    failed = {result.check for result in report.results if result.outcome is Outcome.FAILED}
    assert failed == {"primary_key", "amount_required"}
    assert read(settings, "select id, amount from shop.orders order by id") == [(1, 10), (2, 20)]
    assert manifests(settings)[-1].verdict == REFUSE or manifests(settings)[0].verdict == REFUSE
    event = product_history(environment(settings), "shop.orders", 1)[0]
    assert event.what == "refused"
    assert event.reasons == report.decision.reasons


def test_an_empty_delivery_is_refused_unless_the_contract_allows_it(tmp_path: Path) -> None:
    settings = shop(tmp_path, "select id, amount from orders_csv where id < 0")
    assert not run(settings, "shop.orders").published
    allowed = a_contract(
        "orders", [KEY, AMOUNT],
        extra="customProperties:\n  - {property: allowEmpty, vendor: dataops_mesh, value: true}\n",
    )  # fmt: skip
    write_product(tmp_path, "shop", "orders", {"orders.odcs.yaml": allowed})
    assert run(settings, "shop.orders").published


def test_a_refused_input_stops_the_run_before_the_transform(tmp_path: Path) -> None:
    transform = (
        "def transform(orders_csv):\n"
        "    if len(orders_csv) == 1:\n"
        "        raise RuntimeError('it ran')\n"
        "    return orders_csv\n"
    )
    files = a_product(
        {"orders": [KEY, AMOUNT]},
        inputs=[
            a_source(
                "orders_csv", "orders.csv", "{name: enough, metric: rowCount, mustBeGreaterThan: 1}"
            )
        ],
        files={"transform.py": transform, "orders.csv": GOOD},
    )
    settings = write_workspace(tmp_path, {"shop": {"orders": files}})
    assert run(settings, "shop.orders").published
    write_product(tmp_path, "shop", "orders", {"orders.csv": "id,amount\n7,70\n"})
    report = run(settings, "shop.orders")
    assert not report.published
    assert report.ports == ()
    assert [result.check for result in report.results] == ["input_orders_csv_enough"]
    assert read(settings, "select count(*) from shop.orders") == [(2,)]


def test_an_input_check_that_cannot_run_refuses_too(tmp_path: Path) -> None:
    rule = "{name: broken, column: nowhere, metric: nullValues, mustBe: 0, severity: warning}"
    files = a_product(
        {"orders": [KEY, AMOUNT]},
        inputs=[a_source("orders_csv", "orders.csv", rule)],
        files={"orders.sql": "select id, amount from orders_csv", "orders.csv": GOOD},
    )
    settings = write_workspace(tmp_path, {"shop": {"orders": files}})
    report = run(settings, "shop.orders")
    assert not report.published
    assert report.retryable


def test_a_warning_is_published_and_said(tmp_path: Path) -> None:
    rule = "{name: small, type: sql, query: 'select max(amount) from {object}', mustBeLessThan: 5, severity: warning}"
    settings = shop(tmp_path, "select id, amount from orders_csv", GOOD, rule)
    report = run(settings, "shop.orders")
    assert report.published
    assert isinstance(report.decision, Publish)
    assert len(report.decision.warnings) == 1
    (failed,) = (r for r in report.results if r.outcome is Outcome.FAILED)
    assert failed.severity is Severity.WARNING


def test_a_column_nobody_declared_is_refused(tmp_path: Path) -> None:
    settings = shop(tmp_path, "select id, amount, 1 as extra from orders_csv")
    assert not run(settings, "shop.orders").published


# --- what cannot be run


def test_an_input_that_nobody_published_names_the_next_command(tmp_path: Path) -> None:
    totals = a_product(
        {"totals": ["{name: total, logicalType: integer}"]},
        inputs=[an_input("shop.orders")],
        files={"totals.sql": "select sum(amount)::bigint as total from shop.orders"},
    )
    settings = write_workspace(
        tmp_path, {"shop": {"orders": orders()}, "books": {"totals": totals}}
    )
    with pytest.raises(NotPublishedError) as caught:
        run(settings, "books.totals")
    (problem,) = caught.value.problems
    assert "shop.orders" in problem.what
    assert problem.next == "mesh run shop"
    assert str(problem.where) == "domains/books/totals/product.odps.yaml:5"


def test_a_source_that_is_missing_is_said_with_its_line(tmp_path: Path) -> None:
    settings = shop(tmp_path)
    (tmp_path / "domains/shop/orders/orders.csv").unlink()
    with pytest.raises(SourceError, match="no file at") as caught:
        run(settings, "shop.orders")
    assert caught.value.problems[0].where is not None


def test_a_source_that_the_disk_cannot_give_is_a_source_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = shop(tmp_path)
    from dataops_mesh.run import bind

    def unreadable(*_: object) -> str:
        raise PermissionError(13, "Permission denied", "orders.csv")

    monkeypatch.setattr(bind, "fingerprint", unreadable)  # root may read everything
    with pytest.raises(SourceError, match="Permission denied"):
        run(settings, "shop.orders")


def test_a_source_of_another_format_is_a_source_error_without_values(tmp_path: Path) -> None:
    settings = shop(tmp_path, more="format: parquet")
    with pytest.raises(SourceError) as caught:
        run(settings, "shop.orders")
    assert "10" not in str(caught.value.problems[0].what)


def test_a_source_that_changes_while_it_is_read_is_not_published(tmp_path: Path) -> None:
    settings = python_shop(tmp_path, "def transform(orders_csv):\n    return orders_csv\n")
    file = tmp_path / "domains/shop/orders/orders.csv"

    def progress(line: str) -> None:
        if line.startswith("building"):  # pinned already
            file.write_text(file.read_text() + "3,30\n")

    from dataops_mesh.run.product import run_product

    found = product(settings, "shop.orders")
    with pytest.raises(SourceError, match="changed while it was read"):
        run_product(found, environment(settings), run_id="late", progress=progress)
    assert manifests(settings)[0].verdict == ERROR


# --- transforms that break half way

ROWS = "id,amount\n" + "".join(f"{n},{n}\n" for n in range(1, 3000)) + f"3000,{IBAN}\n"
BREAKS = {
    "sql conversion": (
        {
            "orders.sql": "select id,\n  amount::integer as amount\nfrom orders_csv\n",
            "transform.py": None,
        },
        "domains/shop/orders/orders.sql:1",
    ),
    "python raises": (
        {
            "transform.py": (
                "def transform(orders_csv):\n"
                "    row = orders_csv.filter('id = 3000').fetchall()[0]\n"
                "    raise ValueError(f'cannot use {row}')\n"
            )
        },
        "domains/shop/orders/transform.py:3",
    ),
    "python raises from another": (
        {
            "transform.py": (
                "def transform(orders_csv):\n"
                "    try:\n"
                "        int(orders_csv.filter('id = 3000').fetchall()[0][1])\n"
                "    except ValueError as error:\n"
                "        raise RuntimeError(str(error)) from error\n"
            )
        },
        "domains/shop/orders/transform.py:5",
    ),
    "reader raises in the middle": (
        {
            "transform.py": (
                "import pyarrow as pa\n"
                "def transform(orders_csv: pa.Table):\n"
                "    schema = pa.schema({'id': pa.int64(), 'amount': pa.int64()})\n"
                "    def batches():\n"
                "        yield pa.record_batch({'id': [1], 'amount': [1]}, schema=schema)\n"
                "        last = orders_csv['amount'][-1].as_py()\n"
                "        raise ValueError(last)\n"
                "    return pa.RecordBatchReader.from_batches(schema, batches())\n"
            )
        },
        "domains/shop/orders/transform.py:7",
    ),
    "lazy relation fails when it is written": (
        {
            "transform.py": "def transform(orders_csv):\n    return orders_csv.project('id, amount::integer as amount')\n"
        },
        "domains/shop/orders/transform.py:1",
    ),
    "pandas that Arrow cannot take": (
        {
            "transform.py": (
                "import pandas as pd\n"
                "def transform(orders_csv: pd.DataFrame):\n"
                f"    return pd.DataFrame({{'id': [1, 2], 'amount': pd.Series([1, '{IBAN}'], dtype=object)}})\n"
            )
        },
        "domains/shop/orders/transform.py:1",
    ),
    "exit": (
        {
            "transform.py": "import sys\ndef transform(orders_csv):\n    sys.exit(orders_csv.fetchall()[-1][1])\n"
        },
        "domains/shop/orders/transform.py:3",
    ),
    "module does not load": (
        {
            "transform.py": f"import json\njson.loads('{IBAN}')\ndef transform(orders_csv):\n    return orders_csv\n"
        },
        "domains/shop/orders/transform.py:2",
    ),
}


@pytest.mark.parametrize("case", BREAKS)
def test_a_transform_that_breaks_half_way_leaks_nothing_and_leaves_the_old_data(
    tmp_path: Path, case: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(0)
    settings = shop(tmp_path)
    run(settings, "shop.orders")
    changes, where = BREAKS[case]
    folder = write_product(tmp_path, "shop", "orders", {"orders.csv": ROWS})
    if "orders.sql" not in changes:
        (folder / "orders.sql").unlink()
    write_product(tmp_path, "shop", "orders", {k: v for k, v in changes.items() if v})
    with pytest.raises(TransformError) as caught:
        run(settings, "shop.orders", "broken")
    error = caught.value
    (problem,) = error.problems
    assert str(problem.where) == where
    assert "error.txt" in problem.next

    told = "".join(traceback.format_exception(error))
    assert error.__cause__ is None
    assert error.__context__ is None
    assert IBAN not in told + caplog.text + "".join(capfd.readouterr())

    store = environment(settings).store
    (broken,) = (m for m in manifests(settings) if m.run_id == "broken")
    assert broken.verdict == ERROR
    assert broken.reasons == (str(error),)
    private = store.candidates / broken.candidate / "error.txt"
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert IBAN in private.read_text() or case == "exit"
    event = product_history(environment(settings), "shop.orders", 1)[0]
    assert (event.what, event.run_id) == ("error", "broken")

    leaks = {
        path
        for path, content in everything_on_disk(settings).items()
        if IBAN.encode() in content and path != private and path.suffix != ".parquet"
    }
    assert not leaks
    assert read(settings, "select id, amount from shop.orders order by id") == [(1, 10), (2, 20)]
    assert list(store.scratch.iterdir()) == []


def test_a_failure_of_the_machinery_says_so_and_leaks_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = shop(tmp_path)
    from dataops_mesh.errors import RunError
    from dataops_mesh.run import audit as stage

    def broken(*_: object, **__: object) -> None:
        raise ValueError(IBAN)

    monkeypatch.setattr(stage, "audit", broken)
    with pytest.raises(RunError, match="the run failed: ValueError") as caught:
        run(settings, "shop.orders")
    assert IBAN not in "".join(traceback.format_exception(caught.value))
    assert manifests(settings)[0].verdict == ERROR


def test_a_full_disk_is_an_error_that_may_be_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = shop(tmp_path)
    run(settings, "shop.orders")
    from dataops_mesh.errors import RunError
    from dataops_mesh.store import files

    for effect in ("copy", "sync", "link"):
        with monkeypatch.context() as patch:
            patch.setattr(files, "before", lambda found, path, e=effect: _full(found, path, e))
            with pytest.raises(RunError, match="No space left on device"):
                run(settings, "shop.orders")
    assert run(settings, "shop.orders").published


def _full(effect: str, path: Path, at: str) -> None:
    if effect == at and ("candidates" in path.parts or effect == "link"):
        raise OSError(28, "No space left on device", str(path))


INTERRUPTED = """
import signal, sys
from pathlib import Path
from helpers import environment, product
from dataops_mesh.run.product import run_product
from dataops_mesh.settings import load_settings
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where tests are a background job
settings = load_settings(Path(sys.argv[1]))
run_product(
    product(settings, "shop.orders"),
    environment(settings),
    run_id="r",
    progress=lambda line: print(line, flush=True),
)
"""


def test_an_interrupt_during_a_query_stops_the_run_and_is_no_verdict(tmp_path: Path) -> None:
    sql = (
        "select id, (select sum(hash(a.range + b.range)) % 10 from range(1000000) a,"
        " range(1000000) b)::integer as amount from orders_csv"
    )
    settings = shop(tmp_path, sql)
    script = f"import sys; sys.path[:0] = {sys.path!r}\n{INTERRUPTED}"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        assert any(line.startswith("building") for line in lines)
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        try:
            _, said = process.communicate(timeout=120)
        finally:
            process.kill()
    assert said.rstrip().endswith("KeyboardInterrupt")
    assert manifests(settings) == []
    assert list(environment(settings).store.pins.iterdir()) == []


# --- transforms that do not fit their declaration

UNDECLARED = {
    "a table": ("select id, amount from orders_csv join secrets using (id)", '"secrets"'),
    "a file": ("select id, amount\nfrom orders_csv, read_csv('/etc/passwd')", '"read_csv()"'),
    "a file by its name": ("select id, amount\nfrom orders_csv, '/etc/passwd'", "/etc/passwd"),
    "another domain's port": ("select id, amount\nfrom orders_csv, fleet.aircraft", '"fleet.aircraft"'),
    "a table of the engine": ("select id, amount\nfrom orders_csv, duckdb_settings()", '"duckdb_settings()"'),
    "in a subquery": ("select id, (select max(x)\nfrom Hidden.Things) as amount from orders_csv", '"hidden.things"'),
}  # fmt: skip


@pytest.mark.parametrize("case", UNDECLARED)
def test_sql_that_reads_what_is_not_declared_is_refused_by_name(tmp_path: Path, case: str) -> None:
    sql, name = UNDECLARED[case]
    settings = shop(tmp_path, sql)
    with pytest.raises(DeclarationError) as caught:
        run(settings, "shop.orders")
    problem = next(p for p in caught.value.problems if name in p.what)
    line = 2 if "\n" in sql else 1
    assert str(problem.where) == f"domains/shop/orders/orders.sql:{line}"
    assert latest(environment(settings).store).ports == {}


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("select 1 as id, 2 as amount", "no SQL file reads it"),
        ("copy orders_csv to 'x'", "SELECT"),
        ("select id, amount from orders_csv; drop table x", "one statement"),
        ("", "empty"),
        ("select id, amount from orders_csv where (", "not valid SQL"),
    ],
)
def test_sql_that_is_not_one_select_of_its_inputs_is_refused(
    tmp_path: Path, sql: str, words: str
) -> None:
    settings = shop(tmp_path, sql)
    with pytest.raises(DeclarationError, match=words) as caught:
        run(settings, "shop.orders")
    assert caught.value.problems[0].where is not None


def test_sql_in_an_unknown_encoding_and_an_opaque_source_are_said(tmp_path: Path) -> None:
    settings = shop(tmp_path, more="format: file")
    with pytest.raises(DeclarationError, match="opaque file"):
        run(settings, "shop.orders")
    write_product(tmp_path, "shop", "orders", {"orders.sql": b"select \xff"})
    with pytest.raises(DeclarationError, match="UnicodeDecodeError"):
        run(settings, "shop.orders")


WRONG_RETURNS = {
    "nothing": "return None",
    "a number": "return 7",
    "a list": "return [orders_csv]",
    "a generator": "yield orders_csv",
    "a missing port": "return {}",
    "an extra port": "return {'orders': orders_csv, 'extra': orders_csv}",
    "a misspelled port": "return {'order': orders_csv}",
    "a port without rows": "return {'orders': None}",
    "a file name": "return {'orders': __import__('pathlib').Path('x.parquet')}",
}


@pytest.mark.parametrize("case", WRONG_RETURNS)
def test_a_transform_that_returns_something_else_is_an_error(tmp_path: Path, case: str) -> None:
    settings = python_shop(tmp_path, f"def transform(orders_csv):\n    {WRONG_RETURNS[case]}\n")
    with pytest.raises(TransformError) as caught:
        run(settings, "shop.orders")
    (problem,) = caught.value.problems
    assert str(problem.where) == "domains/shop/orders/transform.py:1"
    assert problem.choices


def test_two_ports_need_a_mapping(tmp_path: Path) -> None:
    settings = python_shop(tmp_path, PLAIN, ports=2)
    with pytest.raises(TransformError, match="exactly its ports"):
        run(settings, "shop.orders")


UNFIT = {
    "no function": ("x = 1\n", "defines no function"),
    "not Python": ("def transform(:\n", "not Python"),
    "an unknown parameter": ("def transform(orders_csv, order_csv): ...\n", "did you mean"),
    "an input that is no parameter": ("def transform(now): ...\n", "is no parameter"),
    "an unknown annotation": ("def transform(orders_csv: int): ...\n", "annotation"),
    "a polars series": ("import polars as pl\ndef transform(orders_csv: pl.Series): ...\n", "annotation"),
    "a path to a table": ("def transform(orders_csv: pathlib.Path): ...\n", "annotation"),
}  # fmt: skip


@pytest.mark.parametrize("case", UNFIT)
def test_a_function_that_does_not_fit_the_declaration_is_seen_without_running_it(
    tmp_path: Path, case: str
) -> None:
    from dataops_mesh.transform.validate import transform_problems

    text, words = UNFIT[case]
    settings = python_shop(tmp_path, text)
    found = transform_problems(product(settings, "shop.orders"))
    assert any(words in problem.what for problem in found)
    assert all(str(p.where).startswith("domains/shop/orders/transform.py:") for p in found)


def test_a_transform_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    from dataops_mesh.transform.validate import transform_problems

    settings = python_shop(tmp_path, PLAIN)
    found = product(settings, "shop.orders")
    found.transform.files[0].unlink()
    assert "FileNotFoundError" in transform_problems(found)[0].what
