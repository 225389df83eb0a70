"""Great Expectations' metrics on patterns, for DuckDB, registered through its extension point.

The library knows neither regular expressions nor LIKE for DuckDB. Whose `~` means a full match
in 1.5 and a partial one in 2.0, so `regexp_matches` is called: a pattern is found anywhere.

Imports Great Expectations: import this module only inside functions.
"""

from __future__ import annotations

from typing import Any

from great_expectations.compatibility.sqlalchemy import sqlalchemy as sa
from great_expectations.execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations.metrics import ColumnMapMetricProvider
from great_expectations.expectations.metrics.map_metric_provider import column_condition_partial


def _found(column: Any, regex: str) -> Any:
    return sa.func.regexp_matches(sa.cast(column, sa.String), regex)


def _like(column: Any, pattern: str, escape: str | None) -> Any:
    return sa.cast(column, sa.String).like(pattern, escape=escape)


def _register(name: str, keys: tuple[str, ...], condition: Any) -> type[Any]:
    def holds(cls: Any, column: Any, **kwargs: Any) -> Any:  # noqa: ARG001 - GX calls it with the class
        return condition(column, kwargs)

    body = {
        "condition_metric_name": f"column_values.{name}",
        "condition_value_keys": keys,
        "_sqlalchemy": column_condition_partial(engine=SqlAlchemyExecutionEngine)(holds),
    }
    return type(f"DuckDB_{name}", (ColumnMapMetricProvider,), body)


def _several(parts: list[Any], given: dict[str, Any]) -> Any:
    return sa.and_(*parts) if given.get("match_on") == "all" else sa.or_(*parts)


def _regexes(column: Any, given: dict[str, Any]) -> list[Any]:
    return [_found(column, regex) for regex in given["regex_list"]]


def _likes(column: Any, given: dict[str, Any]) -> list[Any]:
    escape = given.get("escape")
    return [_like(column, pattern, escape) for pattern in given["like_pattern_list"]]


def _one_like(column: Any, given: dict[str, Any]) -> Any:
    return _like(column, given["like_pattern"], given.get("escape"))


PROVIDERS = (
    _register("match_regex", ("regex",), lambda c, given: _found(c, given["regex"])),
    _register("not_match_regex", ("regex",), lambda c, given: ~_found(c, given["regex"])),
    _register(
        "match_regex_list",
        ("regex_list", "match_on"),
        lambda c, given: _several(_regexes(c, given), given),
    ),
    _register(
        "not_match_regex_list", ("regex_list",), lambda c, given: ~sa.or_(*_regexes(c, given))
    ),
    _register("match_like_pattern", ("like_pattern", "escape"), _one_like),
    _register(
        "not_match_like_pattern",
        ("like_pattern", "escape"),
        lambda c, given: ~_one_like(c, given),
    ),
    _register(
        "match_like_pattern_list",
        ("like_pattern_list", "match_on", "escape"),
        lambda c, given: _several(_likes(c, given), given),
    ),
    _register(
        "not_match_like_pattern_list",
        ("like_pattern_list", "escape"),
        lambda c, given: ~sa.or_(*_likes(c, given)),
    ),
)
