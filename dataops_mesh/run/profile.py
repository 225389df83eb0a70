"""What later candidates are compared with: of each column the nulls, different values and mean.

Of a column that is not classified public or internal the nulls are counted and nothing else; of few
rows there is no mean, which would be nearly a value.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from dataops_mesh.engine import sql
from dataops_mesh.run.attempt import Attempt
from dataops_mesh.run.usual.distinct import different, distinct_counts, is_plain, sampled
from dataops_mesh.spec.checks.withheld import safe_columns
from dataops_mesh.spec.model import OutputPort
from dataops_mesh.store.described import ColumnProfile

if TYPE_CHECKING:
    import duckdb

_ROWS = 10
_NUMBERS = ("DECIMAL", "DOUBLE", "FLOAT", "HUGEINT", "BIGINT", "INTEGER", "SMALLINT", "TINYINT",
            "UBIGINT", "UINTEGER", "USMALLINT", "UTINYINT")  # fmt: skip


def profile_of(
    attempt: Attempt, connection: duckdb.DuckDBPyConnection
) -> tuple[ColumnProfile, ...]:
    """Return what is remembered of the columns of a candidate.

    Args:
        attempt: what was built.
        connection: has the ports as views.
    """
    found: list[ColumnProfile] = []
    for port in attempt.product.outputs:
        found += _of_port(connection, port)
    return tuple(found)


def _of_port(connection: duckdb.DuckDBPyConnection, port: OutputPort) -> list[ColumnProfile]:
    view = f"{sql.identifier(port.address.domain)}.{sql.identifier(port.name)}"
    columns = [
        (str(row[0]), str(row[1])) for row in connection.execute(f"DESCRIBE {view}").fetchall()
    ]
    if not columns:
        return []
    shown = set(safe_columns(port.contract.columns))
    plain = [name for name, kind in columns if name in shown and is_plain(kind)]
    rows, *_ = connection.execute(f"SELECT count(*) FROM {view}").fetchone() or (0,)
    one_of = sampled(rows)
    asked: list[str] = []
    for name, kind in columns:
        column = sql.identifier(name)
        counts = name in shown and kind.partition("(")[0] in _NUMBERS
        asked += [f"count({column})", _mean(column) if counts else "NULL"]
        asked += [different(column, one_of) if name in plain else "NULL"]
    told = connection.execute(f"SELECT {', '.join(asked)} FROM {view}").fetchone() or ()
    seen = dict(zip((name for name, _ in columns), told[2::3], strict=True))
    counted = distinct_counts(connection, view, {name: seen[name] for name in plain}, one_of)
    return [
        ColumnProfile(port.address, name, rows - filled, _kept(mean, rows), counted.get(name))
        for (name, _), filled, mean in zip(columns, told[::3], told[1::3], strict=True)
    ]


def _mean(column: str) -> str:
    number = f"{column}::DOUBLE"
    return f"avg({number}) FILTER (WHERE isfinite({number}))"


def _kept(mean: float | None, rows: int) -> float | None:
    return mean if mean is not None and rows >= _ROWS and isfinite(mean) else None
