"""pandera on polars."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.work import EXPECTATIONS, TYPES, answer


def checking(source: str) -> Callable[[], Any]:
    """Prepare the schema; the work loads the file and validates it, finding every failure."""
    import polars as pl

    schema = _schema()

    def work() -> Any:
        import pandera.errors

        broken: set[str] = set()
        try:
            schema.validate(pl.read_parquet(source), lazy=True)
        except pandera.errors.SchemaErrors as error:
            broken = {_name(failure) for failure in error.schema_errors}
        return answer("", {one.name: one.name not in broken for one in EXPECTATIONS})

    return work


def _schema() -> Any:
    import pandera.polars as pa
    import polars as pl

    columns = {}
    for name in TYPES:
        checks: list[Any] = []
        nullable = True
        for one in (one for one in EXPECTATIONS if one.columns == (name,)):
            match one.kind:
                case "known":
                    nullable = False
                case "range":
                    checks.append(pa.Check.in_range(one.low, one.high, name=one.name))
                case "member":
                    checks.append(pa.Check.isin(one.values, name=one.name))
                case "length":
                    checks.append(
                        pa.Check.str_length(int(one.low or 0), int(one.high or 0), name=one.name)
                    )
                case "pattern":
                    checks.append(pa.Check.str_matches(one.pattern, name=one.name))
        columns[name] = pa.Column(checks=checks, nullable=nullable)
    rows, key, after = (
        next(one for one in EXPECTATIONS if one.kind == kind)
        for kind in ("rows", "unique", "after")
    )
    later, earlier = after.columns

    def enough(data: Any) -> Any:
        return data.lazyframe.select(pl.len() >= rows.low)

    def ordered(data: Any) -> Any:
        return data.lazyframe.select((pl.col(later) > pl.col(earlier)).fill_null(value=True))

    return pa.DataFrameSchema(
        columns,
        checks=[pa.Check(enough, name=rows.name), pa.Check(ordered, name=after.name)],
        unique=list(key.columns),
    )


def _name(failure: Any) -> str:
    """Return the expectation that a failure of pandera belongs to."""
    if failure.reason_code.name == "SERIES_CONTAINS_NULLS":
        return f"{failure.schema.name}_known"
    if failure.reason_code.name in {"DUPLICATES", "SERIES_CONTAINS_DUPLICATES"}:
        return "key_unique"
    return str(failure.check.name)
