"""The usual: a Dagster asset that computes in pandas and validates with Great Expectations."""

from __future__ import annotations

from collections.abc import Callable
from tempfile import mkdtemp
from typing import Any

from benchmarks.work import EXPECTATIONS, Expectation, answer

RENAMED = {
    "l_orderkey": "order_key",
    "l_linenumber": "line_number",
    "l_partkey": "part_key",
    "l_suppkey": "supplier_key",
    "l_quantity": "quantity",
    "l_extendedprice": "price",
    "l_discount": "discount",
    "l_tax": "tax",
    "l_returnflag": "return_flag",
    "l_linestatus": "line_status",
    "l_shipdate": "shipped",
    "l_receiptdate": "received",
    "l_shipmode": "ship_mode",
    "l_shipinstruct": "instruction",
    "l_comment": "comment",
}


def product(source: str) -> Callable[[], Any]:
    """Prepare the asset; the work materializes it."""
    import dagster as dg
    import pandas as pd

    definition, suite = _great_expectations()
    file = f"{mkdtemp()}/lines.parquet"
    passed: dict[str, bool] = {}

    @dg.asset
    def lines() -> None:
        frame = pd.read_parquet(source).rename(columns=RENAMED)
        frame["revenue"] = frame["price"] * (1 - frame["discount"])
        passed.update(_validate(definition, suite, frame))
        frame.to_parquet(file, compression="zstd", compression_level=1, index=False)

    instance = dg.DagsterInstance.ephemeral()
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}

    def work() -> Any:
        dg.materialize([lines], instance=instance, run_config=quiet)
        return answer(file, passed)

    return work


def checking(source: str) -> Callable[[], Any]:
    """Prepare the suite; the work loads the file and validates it."""
    import pandas as pd

    definition, suite = _great_expectations()
    return lambda: answer("", _validate(definition, suite, pd.read_parquet(source)))


def _great_expectations() -> tuple[Any, Any]:
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("pandas").add_dataframe_asset("lines")
    suite = gx.ExpectationSuite(name="lines", expectations=[_expect(o) for o in EXPECTATIONS])
    return asset.add_batch_definition_whole_dataframe("all"), context.suites.add(suite)


def _validate(definition: Any, suite: Any, frame: Any) -> dict[str, bool]:
    results = definition.get_batch(batch_parameters={"dataframe": frame}).validate(suite).results
    return {one.expectation_config.meta["name"]: bool(one.success) for one in results}


def _expect(one: Expectation) -> Any:
    import great_expectations.expectations as gxe

    meta = {"name": one.name}
    match one.kind:
        case "rows":
            return gxe.ExpectTableRowCountToBeBetween(min_value=int(one.low or 0), meta=meta)
        case "known":
            return gxe.ExpectColumnValuesToNotBeNull(column=one.column, meta=meta)
        case "unique":
            return gxe.ExpectCompoundColumnsToBeUnique(column_list=list(one.columns), meta=meta)
        case "range":
            bounds = {"min_value": one.low, "max_value": one.high}
            return gxe.ExpectColumnValuesToBeBetween(column=one.column, **bounds, meta=meta)
        case "member":
            values = list(one.values)
            return gxe.ExpectColumnValuesToBeInSet(column=one.column, value_set=values, meta=meta)
        case "length":
            lengths = {"min_value": int(one.low or 0), "max_value": int(one.high or 0)}
            return gxe.ExpectColumnValueLengthsToBeBetween(column=one.column, **lengths, meta=meta)
        case "pattern":
            return gxe.ExpectColumnValuesToMatchRegex(
                column=one.column, regex=one.pattern, meta=meta
            )
    return gxe.ExpectColumnPairValuesAToBeGreaterThanB(
        column_A=one.columns[0],
        column_B=one.columns[1],
        ignore_row_if="either_value_is_missing",
        meta=meta,
    )
