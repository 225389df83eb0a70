"""Generated products: no wrong publication, no good one refused, no check that could not run.

Each product is a contract of many promises and rows at the edges of their types, delivered as
Parquet. It is loaded, built, checked and decided as every product is; an oracle that knows nothing
of this library says what each check must answer. `GENERATED_SEED` draws other products.
"""

from __future__ import annotations

import ast
import os
import secrets
import shutil
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import duckdb
import pytest
from generated_contract import draw
from generated_files import contract, delivery, transform
from generated_model import Product
from generated_oracle import Expected, expected, publishes
from helpers import a_product, a_source, read, run, write_product, write_workspace

from dataops_mesh.engine.session import session_in
from dataops_mesh.engine.write import write_port
from dataops_mesh.gate import Publish, decide
from dataops_mesh.quality import Relation, audit
from dataops_mesh.spec.checks.check import CheckResult, Outcome
from dataops_mesh.spec.checks.derive import derive_checks
from dataops_mesh.spec.loader import load_product
from dataops_mesh.spec.types.stored import wanted_types

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
SEED = os.environ.get("GENERATED_SEED") or (secrets.token_hex(4) if LONG else "14")
# In batches, so that one failure hides few others, and no test takes minutes.
BATCH = 50
BATCHES = 200 if LONG else 6
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
CLOCK = 'now = "2026-11-25T12:00:00Z"\n'


@pytest.mark.parametrize("batch", range(BATCHES))
def test_every_check_says_what_is_true(tmp_path: Path, batch: int):
    wrong, counted = [], Counter[bool]()
    (tmp_path / "pyproject.toml").write_text("[tool.dataops_mesh]\n", "utf-8")
    with session_in(tmp_path, memory_limit="500MB", threads=1, now=NOW) as connection:
        for number in range(batch * BATCH, (batch + 1) * BATCH):
            made = draw(Random(f"{SEED}-{number}"))
            counted[publishes(made)] += 1
            told = differences(made, connection, tmp_path)
            wrong += [f"GENERATED_SEED={SEED} product {number}: {one}" for one in told]
    sys.stdout.write(f"seed {SEED}, {counted[True]} to publish, {counted[False]} to refuse\n")
    assert not wrong, "\n".join(wrong)
    assert min(counted[True], counted[False]) > BATCH / 10  # both are tried


@pytest.mark.parametrize("number", range(40 if LONG else 4))
def test_the_whole_walk_publishes_what_is_good_and_nothing_else(tmp_path: Path, number: int):
    made = draw(Random(f"{SEED}-walk-{number}"))
    settings = write_workspace(tmp_path, {"g": {"p": _files(made)}}, settings=CLOCK)
    with duckdb.connect() as connection:
        connection.execute(
            f"SET TimeZone = 'UTC'; COPY ({delivery(made)}) TO '{tmp_path}/x.parquet'"
        )
    (tmp_path / "domains" / "g" / "p" / "src.parquet").write_bytes(
        (tmp_path / "x.parquet").read_bytes()
    )
    report = run(settings, "g.p")
    assert isinstance(report.decision, Publish) == publishes(made), contract(made)
    if publishes(made):
        assert read(settings, "select count(*) from g.p") == [(len(made.rows),)]


def differences(made: Product, connection: duckdb.DuckDBPyConnection, root: Path) -> list[str]:
    """Run one product and return where it and the oracle differ."""
    try:
        found, published = _run(made, connection, root)
    except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to this product
        return [f"{type(error).__name__}: {error}\n{contract(made)}"]
    wanted = expected(made)
    told = [
        f"{name}: {_differs(wanted[name], result)}; {result.reason}"
        for name, result in found.items()
        if name in wanted and _differs(wanted[name], result)
    ]
    told += [f"{name}: nobody asked for it" for name in found.keys() - wanted.keys()]
    rules = {rule.id for c in made.columns for rule in c.rules} | {rule.id for rule in made.rules}
    # A constraint that a rule says word for word gives way to the rule.
    told += [f"{name}: no result" for name in wanted.keys() - found.keys() & rules]
    if published != publishes(made):
        told.append("a wrong publication" if published else "a good one was refused")
    if told:
        told.append(f"{contract(made)}{delivery(made)}")
    return told


def _run(
    made: Product, connection: duckdb.DuckDBPyConnection, root: Path
) -> tuple[dict[str, CheckResult], bool]:
    shutil.rmtree(root / "domains", ignore_errors=True)
    product = load_product(write_product(root, "g", "p", _files(made)), root)
    # Under names of their own: DuckDB keeps what it has read of a file.
    file, candidate = (
        root / f"{secrets.token_hex(8)}.parquet",
        root / "candidates" / secrets.token_hex(8),
    )
    connection.execute(f"COPY ({delivery(made)}) TO '{file}' (FORMAT parquet)")
    (port,) = product.outputs
    connection.execute("CREATE SCHEMA IF NOT EXISTS g")
    connection.execute(f"CREATE OR REPLACE VIEW src AS FROM read_parquet('{file}')")
    wanted = wanted_types(port.contract)
    data = write_port(connection, transform(made), candidate, port.address, wanted)
    written = [str(candidate / one.path) for one in data.files]
    connection.execute(f"CREATE OR REPLACE VIEW g.p AS FROM read_parquet({written})")
    checks = derive_checks(product)
    relation = Relation("g", "p", tuple(c.name for c in made.columns))
    results = audit(connection, relation, checks, candidate="c")
    decision = decide("c", [port.address], checks, results)
    return {result.check: result for result in results}, isinstance(decision, Publish)


def _files(made: Product) -> dict[str, str | bytes]:
    files = {"p.sql": transform(made), "src.parquet": b""}
    source = a_source("src", "src.parquet")
    return a_product({"p": contract(made)}, inputs=[source], files=files)


def _differs(wanted: Expected, result: CheckResult) -> str:
    """Return how a result differs from what was expected."""
    if result.outcome is Outcome.ERRORED:
        return "could not run"
    if (result.outcome is Outcome.PASSED) != wanted.passes:
        return f"{result.outcome}, and it {'passes' if wanted.passes else 'fails'}"
    if result.withheld:
        return ""  # the rows have no class, so what a query answers is not shown
    if isinstance(wanted.number, float):
        same = float(str(result.observed)) == pytest.approx(wanted.number)
    else:
        same = result.observed == wanted.number or str(result.observed) == str(wanted.number)
    return "" if same else f"{result.observed}, and it is {wanted.number}"


def test_the_oracle_and_the_generator_know_nothing_of_the_library():
    files = sorted(Path(__file__).parent.glob("generated_*.py"))
    assert len(files) > len(("kinds", "model", "oracle"))
    for file in files:
        tree = ast.parse(file.read_text("utf-8"))
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [one for one in names if one.split(".")[0] == "dataops_mesh"], file.name
