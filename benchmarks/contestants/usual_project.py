"""The flights as an ordinary Dagster project: one asset per table, Great Expectations in each step.

Loaded by Dagster's command line. It computes the same tables: the same SQL files, the same
`transform.py`, the same dbt project; the flights as monthly partitions, each in a run of its own,
as ours has them, or the year at once.
Its expectations are made from the same contracts and run by Great Expectations on pandas; rules
in SQL run as SQL, and whatever has no counterpart is left out, to its advantage.
"""

import importlib.util
import os
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg

from dataops_mesh.engine.session import bind_source
from dataops_mesh.engine.source import resolve
from dataops_mesh.settings import load_settings
from dataops_mesh.spec.checks.check import Stage
from dataops_mesh.spec.checks.derive import derive_checks
from dataops_mesh.spec.checks.measures import (
    Duplicates,
    Length,
    Nulls,
    OutsideSet,
    Query,
    Range,
    RowCount,
    TableSchema,
    Unmatched,
)
from dataops_mesh.spec.loader import load_mesh
from dataops_mesh.spec.model import Product

REPOSITORY = Path(__file__).parents[2]
OUTPUT = Path(os.environ.get("USUAL_OUTPUT", "."))
SETTINGS = load_settings(REPOSITORY)
PRODUCTS = {one.qualified_name: one for one in load_mesh(REPOSITORY).products}
MARTS = ("by_route", "delays_by_weather")
BY_MONTH = os.environ.get("USUAL_BY") == "month"
MONTHS = dg.MonthlyPartitionsDefinition("2013-01-01", end_date="2014-01-01")
FLIGHTS = "operations.flights"


def file_of(port: str) -> Path:
    """Return where a table is written; a pattern for that of several files."""
    if port == FLIGHTS and BY_MONTH:
        return OUTPUT / port / "*.parquet"
    return OUTPUT / f"{port}.parquet"


def connect(product: Product) -> Any:
    """Open a connection with the product's sources and upstream tables as views."""
    import duckdb

    con = duckdb.connect()
    con.execute("SET enable_progress_bar = false")
    con.execute("SET TimeZone = 'UTC'")
    con.execute(f"CREATE MACRO mesh_now() AS '{SETTINGS.clock().isoformat()}'::TIMESTAMPTZ")
    for port in product.inputs:
        if port.address is not None:
            con.execute(f"CREATE SCHEMA IF NOT EXISTS {port.address.domain}")
            con.execute(f"CREATE VIEW {port.address} AS FROM '{file_of(str(port.address))}'")
        elif port.source is not None and port.source.format.value != "file":
            bind_source(con, port.name, resolve(port.source, product.folder), port.source)
    return con


def validate(product: Product, name: str, con: Any, file: Path) -> None:
    """Validate a table with Great Expectations on pandas, and with the contract's SQL."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    frame = con.execute(f"FROM '{file}'").df()
    con.execute(f"CREATE TEMP VIEW dataops_mesh_audited AS FROM '{file}'")
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    expectations = []
    for check in derive_checks(product):
        if check.port.port != name or check.stage is not Stage.OUTPUT:
            continue
        if isinstance(check.measure, Query):
            from dataops_mesh.quality.query import render

            con.execute(render(check.measure)).fetchall()
        elif (made := expectation(check.measure)) is not None:
            expectations.append(made)
    suite = context.suites.add(gx.ExpectationSuite(name=name, expectations=expectations))
    asset = context.data_sources.add_pandas("pandas").add_dataframe_asset(name)
    definition = asset.add_batch_definition_whole_dataframe("all")
    definition.get_batch(batch_parameters={"dataframe": frame}).validate(suite)


def expectation(measure: Any) -> Any:
    """Return the usual expectation for a measure, or nothing."""
    import great_expectations.expectations as gxe

    match measure:
        case Nulls(column):
            return gxe.ExpectColumnValuesToNotBeNull(column=column)
        case OutsideSet(column, values):
            return gxe.ExpectColumnValuesToBeInSet(column=column, value_set=list(values))
        case Unmatched(column, pattern):
            return gxe.ExpectColumnValuesToMatchRegex(column=column, regex=pattern)
        case Duplicates((column,)):
            return gxe.ExpectColumnValuesToBeUnique(column=column)
        case Duplicates(columns):
            return gxe.ExpectCompoundColumnsToBeUnique(column_list=list(columns))
        case Range(column, low, high) if not isinstance(low or high, str):
            bounds = {"min_value": low, "max_value": high}
            return gxe.ExpectColumnValuesToBeBetween(column=column, **bounds)
        case Length(column, low, high):
            bounds = {"min_value": low, "max_value": high}
            return gxe.ExpectColumnValueLengthsToBeBetween(column=column, **bounds)
        case RowCount():
            return gxe.ExpectTableRowCountToBeBetween(min_value=1)
        case TableSchema(columns):
            return gxe.ExpectTableColumnsToMatchSet(column_set=[one.column for one in columns])
    return None


def sql_asset(port: str) -> dg.AssetsDefinition:
    """Return an asset whose table is the SELECT of a file."""
    product = PRODUCTS[port]
    upstream = [dg.AssetKey(str(p.address)) for p in product.inputs if p.address]

    @dg.asset(key=dg.AssetKey(port), deps=upstream)
    def build() -> None:
        (query,) = (file.read_text("utf-8") for file in product.transform.files)
        with connect(product) as con:
            con.execute(f"COPY ({query}) TO '{file_of(port)}' (FORMAT parquet)")
            validate(product, port.partition(".")[2], con, file_of(port))

    return build


@dg.asset(
    key=dg.AssetKey(FLIGHTS),
    deps=[dg.AssetKey(f"{n}") for n in ("network.airports", "network.airlines", "fleet.aircraft")],
    partitions_def=MONTHS if BY_MONTH else None,
)
def flights(context: dg.AssetExecutionContext) -> None:
    """Compute the flights of a month, or of all months, with the same function."""
    import pyarrow as pa

    product = PRODUCTS[FLIGHTS]
    (file,) = product.transform.files
    spec = importlib.util.spec_from_file_location("usual_flights", file)
    if spec is None or spec.loader is None:
        raise RuntimeError(file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    source = next(port.source for port in product.inputs if port.source is not None)
    (archive,) = resolve(source, product.folder)
    keys = [context.partition_key] if BY_MONTH else MONTHS.get_partition_keys()
    with connect(product) as con:
        tables = [
            con.execute(f"FROM {name}").to_arrow_table()
            for name in ("network.airports", "network.airlines", "fleet.aircraft")
        ]
        months = []
        for start in map(date.fromisoformat, keys):
            end = (start + timedelta(days=31)).replace(day=1)
            given = (archive, *tables, SETTINGS.clock(), start, end)
            months.append(module.transform(*given).read_all())
        con.register("built", pa.concat_tables(months))
        target = file_of(FLIGHTS)
        if BY_MONTH:
            target.parent.mkdir(exist_ok=True)
            target = target.with_name(f"{keys[0]}.parquet")
        con.execute(f"COPY built TO '{target}' (FORMAT parquet)")
        validate(product, "flights", con, target)


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            dg.AssetKey(f"punctuality.{name}"),
            deps=[dg.AssetKey(FLIGHTS), dg.AssetKey("weather.observations")],
        )
        for name in MARTS
    ]
)
def punctuality() -> Any:
    """Build the dbt project as dagster-dbt does: by its command line."""
    import duckdb

    product = PRODUCTS["punctuality.punctuality"]
    inputs, built = OUTPUT / "inputs.duckdb", OUTPUT / "candidate.duckdb"
    with duckdb.connect(str(inputs)) as con:
        con.execute(f"CREATE MACRO mesh_now() AS '{SETTINGS.clock().isoformat()}'::TIMESTAMPTZ")
        for address in [port.address for port in product.inputs if port.address is not None]:
            con.execute(f"CREATE SCHEMA IF NOT EXISTS {address.domain}")
            con.execute(f"CREATE VIEW {address} AS FROM '{file_of(str(address))}'")
    project = REPOSITORY / "dbt_projects" / "punctuality"
    where = ["--project-dir", str(project), "--profiles-dir", str(project)]
    target = ["--target-path", str(OUTPUT / "target"), "--log-path", str(OUTPUT / "logs")]
    given = {"DATAOPS_MESH_CANDIDATE": str(built), "DATAOPS_MESH_INPUTS": str(inputs)}
    dbt = Path(sys.executable).parent / "dbt"
    subprocess.run(
        [str(dbt), "build", *where, *target],
        check=True,
        env={**os.environ, **given},
        stdout=subprocess.DEVNULL,
    )
    for name in MARTS:
        with connect(product) as con:
            con.execute(f"ATTACH '{built}' (READ_ONLY)")
            con.execute(f"ATTACH '{inputs}' AS mesh (READ_ONLY)")
            target_file = file_of(f"punctuality.{name}")
            con.execute(f"COPY (FROM candidate.{name}) TO '{target_file}' (FORMAT parquet)")
            validate(product, name, con, target_file)
        yield dg.MaterializeResult(dg.AssetKey(f"punctuality.{name}"))


SQL_PORTS = ("network.airlines", "network.airports", "fleet.aircraft", "weather.observations")
defs = dg.Definitions(
    assets=[*map(sql_asset, SQL_PORTS), flights, punctuality],
    jobs=[] if BY_MONTH else [dg.define_asset_job("all")],
)
