"""Columns of every type, with the values at its edges: how each is delivered, and what it is.

Plain Python: nothing here or in the oracle may come from the library under test.
"""

from __future__ import annotations

import math
import re
import struct
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

DAY = 86_400_000_000  # microseconds


@dataclass(frozen=True)
class Cell:
    """One value of a delivery.

    Args:
        text: what is cast to the column's type; None for null.
        value: an int, Decimal, float, str or bool; of dates and times, microseconds since 1970 or
            since midnight; of an array, a tuple of these.
    """

    text: str | None
    value: Any


NULL = Cell(None, None)


@dataclass(frozen=True)
class Kind:
    """A type that a contract can promise.

    Args:
        logical: the logicalType.
        declared: more keys of the column in the contract.
        delivered: DuckDB's type in the Parquet file that is delivered.
        group: how values of it are compared: int, decimal, float, float32, text, bool, date,
            timestamp, time, uuid, json, array.
        cells: values at the edges; null is always among those that are drawn.
    """

    logical: str
    delivered: str
    group: str
    cells: tuple[Cell, ...]
    declared: tuple[tuple[str, Any], ...] = ()


def float32(number: float) -> float:
    """Return the number as a float of 32 bits."""
    return float(struct.unpack("f", struct.pack("f", number))[0])


def moment(text: str) -> float:
    """Return the microseconds since 1970 of a date or time, by counting days.

    >>> moment("1970-01-02"), moment("1969-12-31 23:59:59.5"), moment("2026-01-01T02:00:00+02:00")
    (86400000000, -500000, 1767225600000000)
    """
    if text in {"infinity", "-infinity"}:
        return math.inf if text == "infinity" else -math.inf
    plain = text.replace(" (BC)", "")
    day, _, clock = plain.replace("T", " ").partition(" ")
    year, month, of_month = (int(part) for part in day.split("-"))
    year = 1 - year if plain != text else year
    zone = re.fullmatch(r"(.*?)(?:Z|([+-])(\d\d):(\d\d))?", clock)
    assert zone is not None
    shift = 0
    if zone[2]:
        shift = (int(zone[3]) * 60 + int(zone[4])) * 60_000_000 * (1 if zone[2] == "+" else -1)
    return _days(year, month, of_month) * DAY + time_of_day(zone[1]) - shift


def time_of_day(text: str) -> int:
    """Return the microseconds since midnight."""
    if not text:
        return 0
    hour, minute, *rest = text.split(":")
    seconds = Decimal(rest[0]) if rest else Decimal(0)
    return (int(hour) * 60 + int(minute)) * 60_000_000 + int(seconds * 1_000_000)


def _days(year: int, month: int, day: int) -> int:
    """Return the days since 1970 in the calendar that has always been Gregorian."""
    shifted = year - (month <= 2)
    era, of_era = divmod(shifted, 400)
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def _ints(*values: int) -> tuple[Cell, ...]:
    return tuple(Cell(str(value), value) for value in values)


def _decimals(*texts: str) -> tuple[Cell, ...]:
    return tuple(Cell(text, Decimal(text)) for text in texts)


def _floats(*texts: str) -> tuple[Cell, ...]:
    return tuple(Cell(text, float(text)) for text in texts)


def _moments(*texts: str) -> tuple[Cell, ...]:
    return tuple(Cell(text, moment(text)) for text in texts)


SMALL = (0, 1, -1, 2, 3, 7, 10, 100, -128, 127)
BIG = (2**53 - 1, 2**53, 2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63), 10**15 + 1)
HUGE = (2**63, 2**64, 10**30 + 1, 10**38 - 1, -(10**38) + 1)
DOUBLES = ("0", "-0.0", "0.1", "0.3", "0.30000000000000004", "-9.9", "1", "1.5", "2.5", "3", "100",
           "9007199254740992", "9007199254740994", "10000000001", "1e300", "5e-324", "-1e300",
           "1234567.89", "12345678901234.56", "nan", "inf", "-inf")  # fmt: skip
FLOATS = ("0", "-0.0", "0.1", "0.3", "-9.9", "1.5", "2.5", "3", "100", "16777216", "0.7",
          "3.4028235e38", "nan", "inf", "-inf")  # fmt: skip
TEXTS = ("", " ", "a", "A", "b", "NA", "NO", "null", "NaN", "0", "1.10", "O'Neil", "it''s", "é",
         "e\u0301", "\U0001f642", "a\r\nb", "a\nb", "\t", "x" * 40, 'say "x"', "%", "_", "\\",
         "2026-02-30", "2026-02-28", "ana@example.com", "10.0.0.1", "ß", "a b", "ab", "aa")  # fmt: skip
DATES = ("1900-01-01", "1970-01-01", "1969-12-31", "2024-02-29", "2026-11-25", "2026-11-24",
         "9999-12-31", "0001-01-01", "0044-03-15 (BC)", "1582-10-10", "infinity",
         "-infinity", "2099-01-01")  # fmt: skip
TIMESTAMPS = ("1900-01-01 00:00:00", "1970-01-01 00:00:00", "2024-02-29 23:59:59.999999",
              "2026-11-25 11:00:00", "2026-11-25 11:59:59.5", "2026-11-25 12:00:00",
              "2099-01-01 00:00:00", "9999-12-31 23:59:59.999999", "0044-03-15 (BC) 12:00:00",
              "infinity", "-infinity", "2026-11-24 00:00:00.000001")  # fmt: skip
TIMES = ("00:00:00", "09:30:00", "17:00:00", "17:00:00.000001", "23:59:59.999999", "12:00:00.5")
UUIDS = ("5e0e3d1c-7c2c-4b0e-9f0a-0123456789ab", "00000000-0000-0000-0000-000000000000",
         "ffffffff-ffff-ffff-ffff-ffffffffffff")  # fmt: skip
JSONS = ('"NA"', '{"a":1}', "1", "null", '""', "[1,2]", '"é"', "true")


def _stamps(zone: str = "") -> tuple[Cell, ...]:
    return tuple(Cell(t if "inf" in t else t + zone, moment(t)) for t in TIMESTAMPS)


def _whole(physical: str, cells: tuple[Cell, ...], delivered: str = "") -> Kind:
    return Kind("integer", delivered or physical, "int", cells, (("physicalType", physical),))


def _exact(physical: str, *texts: str) -> Kind:
    return Kind("number", physical, "decimal", _decimals(*texts), (("physicalType", physical),))


def _list(delivered: str, *items: tuple[str | None, Any]) -> Kind:
    made = [(), (0,), (0, 0), (0, 1), (None,), (None, None), (0, None, 1), (1, 0, 1)]
    cells = []
    for positions in made:
        texts = ["NULL" if p is None else str(items[p][0]) for p in positions]
        values = tuple(None if p is None else items[p][1] for p in positions)
        cells.append(Cell(f"[{', '.join(texts)}]", values))
    logical = "integer" if delivered == "BIGINT[]" else "string"
    return Kind("array", delivered, "array", tuple(cells), (("items", {"logicalType": logical}),))


KINDS: tuple[Kind, ...] = (
    Kind("integer", "BIGINT", "int", _ints(*SMALL, *BIG)),
    Kind("integer", "BIGINT", "int", _ints(*SMALL)),
    Kind("integer", "INTEGER", "int", _ints(*SMALL, 2**31 - 1, -(2**31))),
    Kind("integer", "HUGEINT", "int", _ints(*SMALL, *BIG)),
    Kind("integer", "DOUBLE", "int", _ints(*SMALL, 2**53)),
    Kind("integer", "DECIMAL(38,2)", "int", _ints(*SMALL, 2**53 + 1)),
    _whole("INTEGER", _ints(*SMALL, 2**31 - 1), "BIGINT"),
    _whole("SMALLINT", _ints(*SMALL, 2**15 - 1)),
    _whole("TINYINT", _ints(*SMALL[:7], 127, -128)),
    _whole("UBIGINT", _ints(0, 1, 2, 3, 10, 2**63, 2**64 - 1)),
    _whole("HUGEINT", _ints(*SMALL, *BIG, *HUGE)),
    _whole("DECIMAL(38,0)", _ints(*SMALL, *BIG, *HUGE)),
    Kind("number", "DOUBLE", "float", _floats(*DOUBLES)),
    Kind("number", "DOUBLE", "float", _floats("0", "1", "1.5", "2.5", "0.1", "0.3", "nan")),
    Kind("number", "INTEGER", "float", _floats("0", "1", "-1", "2", "100")),
    # A FLOAT that is promised as a number is the number that people read.
    Kind("number", "FLOAT", "float", _floats("0", "0.1", "0.3", "-9.9", "2.5", "16777216", "nan")),
    Kind("number", "DECIMAL(9,2)", "float", _floats("0", "0.1", "-9.9", "100", "2.5")),
    Kind("number", "FLOAT", "float32", tuple(Cell(t, float32(float(t))) for t in FLOATS),
         (("physicalType", "FLOAT"),)),
    _exact("DECIMAL(18,2)", "0", "0.10", "0.30", "-9.90", "1.50", "100.00", "9999999999999999.99"),
    _exact("DECIMAL(38,10)", "0", "0.1", "0.0000000001", "1234567890123456789012345678.1234567891",
           "9007199254740993", "-9.9", "2.5"),
    _exact("DECIMAL(38,38)", "0", "0.1", "0.00000000000000000000000000000000000001",
           "0.12345678901234567890123456789012345678"),
    Kind("string", "VARCHAR", "text", tuple(Cell(t, t) for t in TEXTS)),
    Kind("string", "VARCHAR", "text", tuple(Cell(t, t) for t in ("", "a", "b", "NA", "A", "é"))),
    Kind("string", "UUID", "uuid", tuple(Cell(t, t) for t in UUIDS), (("physicalType", "UUID"),)),
    Kind("string", "JSON", "json", tuple(Cell(t, t) for t in JSONS), (("physicalType", "JSON"),)),
    Kind("boolean", "BOOLEAN", "bool", (Cell("true", True), Cell("false", False))),
    Kind("date", "DATE", "date", _moments(*DATES)),
    Kind("date", "TIMESTAMP", "date", _moments(*(d for d in DATES if "BC" not in d))),
    Kind("timestamp", "TIMESTAMP", "timestamp", _stamps()),
    Kind("timestamp", "DATE", "timestamp", _moments(*DATES)),
    Kind("timestamp", "TIMESTAMPTZ", "timestamp", _stamps("+00"),
         (("logicalTypeOptions", {"timezone": True}),)),
    Kind("time", "TIME", "time", tuple(Cell(t, time_of_day(t)) for t in TIMES)),
    _list("BIGINT[]", ("0", 0), ("9007199254740993", 2**53 + 1)),
    _list("VARCHAR[]", ("''", ""), ("'a'", "a")),
)  # fmt: skip
