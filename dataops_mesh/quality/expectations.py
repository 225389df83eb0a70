"""Great Expectations' classes as an audit uses them.

Each is the library's own expectation on the library's own metric, made lean: it asks for
its count and the rows in all, and returns them. The library's formats either drop the count
(`BOOLEAN_ONLY`) or run one more query per expectation to list values (all others).

Three metrics are ours, registered through the library's extension point:

- duplicated keys are counted, because the library counts rows, and on SQL its compound
  uniqueness joins keys with `=` and so never sees a duplicated key that holds a null;
- a condition in SQL is met: the library's own conditions on values take bounds through a float,
  let NaN through and know no regular expressions for DuckDB;
- keys are looked up in another relation.

Imports Great Expectations: import this module only inside functions.
"""

from __future__ import annotations

from typing import Any

import great_expectations.expectations as gxe
from great_expectations.compatibility.sqlalchemy import sqlalchemy as sa
from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations.expectation import BatchExpectation
from great_expectations.expectations.metrics import ColumnMapMetricProvider
from great_expectations.expectations.metrics.map_metric_provider import column_condition_partial
from great_expectations.expectations.metrics.metric_provider import metric_value
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider

from dataops_mesh.quality.relation import quote

ROWS = "table.row_count"
_BASIC = {"result_format": "BASIC"}


class ConditionMet(ColumnMapMetricProvider):  # type: ignore[misc]  # GX is not followed by mypy
    """A condition in SQL, which is ours, is not met."""

    condition_metric_name = "column_values.condition_not_met"
    condition_value_keys = ("condition",)
    filter_column_isnull = False

    @column_condition_partial(engine=SqlAlchemyExecutionEngine)  # type: ignore[untyped-decorator]  # the same
    def _sqlalchemy(cls, column: Any, condition: str, **_: Any) -> Any:  # noqa: ARG002, N805 - GX calls it so
        return sa.not_(sa.literal_column(f"({condition})", sa.Boolean))


class DuplicatedKeys(TableMetricProvider):  # type: ignore[misc]  # GX is not followed by mypy
    """Distinct keys that occur more than once; one of nothing but nulls is no key."""

    metric_name = "table.duplicated_keys"
    value_keys = ("keys",)

    @metric_value(engine=SqlAlchemyExecutionEngine)  # type: ignore[untyped-decorator]  # the same
    def _sqlalchemy(
        cls,  # noqa: N805 - GX calls it with the class
        execution_engine: Any,
        metric_domain_kwargs: dict[str, Any],
        metric_value_kwargs: dict[str, Any],
        **_: Any,
    ) -> int:
        table, *_rest = execution_engine.get_compute_domain(
            metric_domain_kwargs, domain_type=MetricDomainTypes.TABLE
        )
        keys = [sa.column(name) for name in metric_value_kwargs["keys"]]
        repeated = sa.select(sa.literal_column("1")).select_from(table).group_by(*keys)
        repeated = repeated.where(sa.or_(*(key.is_not(None) for key in keys)))
        repeated = repeated.having(sa.func.count() > 1).subquery()
        counted = sa.select(sa.func.count()).select_from(repeated)
        return int(execution_engine.execute_query(counted).scalar())


class UnreferencedKeys(TableMetricProvider):  # type: ignore[misc]  # GX is not followed by mypy
    """Rows whose key is not among those of another relation; keys with a null are not counted."""

    metric_name = "table.unreferenced_keys"
    value_keys = ("keys", "referenced", "also")

    @metric_value(engine=SqlAlchemyExecutionEngine)  # type: ignore[untyped-decorator]  # the same
    def _sqlalchemy(
        cls,  # noqa: N805 - GX calls it with the class
        execution_engine: Any,
        metric_domain_kwargs: dict[str, Any],
        metric_value_kwargs: dict[str, Any],
        **_: Any,
    ) -> int:
        table, *_rest = execution_engine.get_compute_domain(
            metric_domain_kwargs, domain_type=MetricDomainTypes.TABLE
        )
        keys = [sa.column(name) for name in metric_value_kwargs["keys"]]
        schema, name, *to = metric_value_kwargs["referenced"]
        own = sa.select(*keys).select_from(table).where(*(key.is_not(None) for key in keys))
        # Spelled out, because SQLAlchemy has no anti join and DuckDB runs `NOT EXISTS` as three.
        mine = own.compile(dialect=execution_engine.engine.dialect)
        known = f"{quote(schema)}.{quote(name)}"
        pairs = zip(keys, to, strict=True)
        same = " AND ".join(f"o.{quote(key.name)} = k.{quote(there)}" for key, there in pairs)
        same = " AND ".join((same, *metric_value_kwargs["also"]))
        lost = f"SELECT count(*) FROM ({mine}) o ANTI JOIN {known} k ON {same}"
        return int(execution_engine.execute_query(sa.text(lost)).scalar())


def _counted(map_metric: str) -> tuple[str, str]:
    """Return the metrics that give the unexpected rows of a map expectation, and all rows."""
    return (f"{map_metric}.unexpected_count", ROWS)


class Lean:
    """Asks only for the metrics that give the count, and puts the count into the result."""

    def get_validation_dependencies(self, *args: Any, **kwargs: Any) -> Any:
        """Return the metrics of `metric_dependencies`, and a format that keeps results.

        The base class of all expectations does just that; the classes in between add the
        metrics that list values.
        """
        found = BatchExpectation.get_validation_dependencies(self, *args, **kwargs)
        found.result_format = dict(_BASIC)
        return found

    def _get_runtime_kwargs(self, *_: Any, **__: Any) -> dict[str, Any]:
        """Return the arguments, read once.

        The library reads them key by key, each from a new copy of the whole configuration:
        half the time of an audit of few rows.
        """
        given = self.configuration.kwargs  # type: ignore[attr-defined]  # a mixin
        keys = (*self.domain_keys, *self.success_keys)  # type: ignore[attr-defined]  # the same
        found = {key: given.get(key, self._get_default_value(key)) for key in keys}  # type: ignore[attr-defined]  # the same
        return {**found, "result_format": dict(_BASIC)}

    def _count(self, metrics: dict[str, Any]) -> int:
        """Return the number that is measured; the sum over no rows is null."""
        return metrics[f"{self.map_metric}.unexpected_count"] or 0  # type: ignore[attr-defined]  # a mixin

    def _validate(self, metrics: dict[str, Any], *_: Any, **__: Any) -> dict[str, Any]:
        count = int(self._count(metrics))
        return {"success": count == 0, "result": {"count": count, "rows": metrics.get(ROWS)}}


class ExpectConditionNotMet(Lean, gxe.ExpectColumnValuesToNotBeNull):  # type: ignore[misc]  # the same
    """No value meets the condition."""

    condition: str
    map_metric = ConditionMet.condition_metric_name
    metric_dependencies = _counted(map_metric)
    success_keys = ("condition", "mostly")


class ExpectNoDuplicatedKeys(Lean, BatchExpectation):  # type: ignore[misc]  # the same
    """No key occurs more than once."""

    keys: list[str]
    metric_dependencies = (DuplicatedKeys.metric_name, ROWS)
    success_keys = ("keys",)

    def _count(self, metrics: dict[str, Any]) -> int:
        return int(metrics[DuplicatedKeys.metric_name])


class ExpectReferences(Lean, BatchExpectation):  # type: ignore[misc]  # the same
    """Every key is among those of another relation: its schema, its name and its columns.

    `also` is what has to hold beside of an `o`, which refers, and a `k`.
    """

    keys: list[str]
    referenced: list[str]
    also: list[str]
    metric_dependencies = (UnreferencedKeys.metric_name, ROWS)
    success_keys = ("keys", "referenced", "also")

    def _count(self, metrics: dict[str, Any]) -> int:
        return int(metrics[UnreferencedKeys.metric_name])


class ExpectRowCount(Lean, gxe.ExpectTableRowCountToBeBetween):  # type: ignore[misc]  # the same
    """Counts the rows; the threshold judges them."""

    metric_dependencies = (ROWS,)

    def _count(self, metrics: dict[str, Any]) -> int:
        return int(metrics[ROWS])
