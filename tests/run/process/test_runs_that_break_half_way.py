"""A run that breaks half way leaks nothing and leaves the old data."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
import time
import traceback
from pathlib import Path

import pytest
from helpers import environment, read, run, write_product
from product_cases import IBAN, everything_on_disk, manifests, shop

from dataops_mesh.errors import TransformError
from dataops_mesh.run.record import product_history
from dataops_mesh.store.manifest import ERROR

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
        if store.captures not in path.parents  # the delivery itself
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
