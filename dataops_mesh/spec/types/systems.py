"""Types as other systems write them: what of each is exact here, and what they say besides.

`physicalType` is the type at the place where a contract's data lies (ODCS), which often is another
system. Where such a type means exactly one of DuckDB's, it is that; a length of text and the digits
of a second are checks. Where it does not (GEOGRAPHY, RECORD), it is recorded and `logicalType`
decides.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from difflib import get_close_matches

from dataops_mesh.errors import did_you_mean
from dataops_mesh.spec.types.physical import FAMILIES, TYPES, normalise

_MOST_DIGITS = 38
_NEAR = 0.8  # how alike a slip and a type are; GEOGRAPHY and FLAG are not
_SECOND = 6  # digits of a second that a TIMESTAMP and a TIME have
_ELSEWHERE = {
    other: name
    for name, text in {
        "BIGINT": "BIGSERIAL,SERIAL8",
        "BLOB": "BYTES,IMAGE,LONGBLOB,MEDIUMBLOB,RAW,TINYBLOB",
        "BOOLEAN": "BIT",
        "DECIMAL": "NUMBER,BIGNUMERIC,BIGDECIMAL",
        "DOUBLE": "BINARY_DOUBLE,DOUBLE PRECISION,FLOAT64",
        "FLOAT": "BINARY_FLOAT,FLOAT32",
        "INTEGER": "SERIAL,SERIAL4",
        "SMALLINT": "SMALLSERIAL",
        "TINYINT": "BYTEINT",
        "TIME": "TIME WITHOUT TIME ZONE",
        "TIMESTAMP": "DATETIME2,TIMESTAMP_NTZ,TIMESTAMPNTZ,TIMESTAMP WITHOUT TIME ZONE",
        "TIMESTAMP WITH TIME ZONE": "DATETIMEOFFSET,TIMESTAMP_LTZ,TIMESTAMPLTZ,TIMESTAMP_TZ,"
        "TIMESTAMP WITH LOCAL TIME ZONE",
        "UBIGINT": "BIGINT UNSIGNED",
        "UINTEGER": "INT UNSIGNED,INTEGER UNSIGNED",
        "USMALLINT": "SMALLINT UNSIGNED",
        "UTINYINT": "TINYINT UNSIGNED",
        "UUID": "UNIQUEIDENTIFIER",
        "VARCHAR": "CHARACTER,CHARACTER VARYING,CLOB,LONGTEXT,MEDIUMTEXT,NATIONAL CHARACTER,"
        "NATIONAL CHARACTER VARYING,NCHAR,NCLOB,NTEXT,NVARCHAR2,STR,TINYTEXT,VARCHAR2",
    }.items()
    for other in text.split(",")
}
# What people mean by names that no type here is exactly.
_NEARLY = {
    "ENUM": "VARCHAR", "MEDIUMINT": "INTEGER", "MONEY": "DECIMAL(19,4)", "NUMBER": "DECIMAL(38,0)",
    "SET": "VARCHAR", "SMALLDATETIME": "TIMESTAMP", "YEAR": "SMALLINT",
}  # fmt: skip
# Names that are nearly one of DuckDB's and are another system's all the same.
_THEIRS = frozenset({
    "ANY", "ARRAY", "BIGDECIMAL", "BIGNUMERIC", "CHARACTER", "DATETIME2", "DICT", "ENUM",
    "FIXED", "GEOGRAPHY", "GEOMETRY", "INET", "LIST", "MEDIUMINT", "MONEY", "NUMBER", "OBJECT",
    "RECORD", "SET", "SMALLDATETIME", "STRUCT", "SUPER", "TUPLE", "UNION", "VARIANT", "VECTOR",
    "XML", "YEAR",
})  # fmt: skip
# What a name of DuckDB's means in other systems: integers and floats of one width each, whatever
# they are called; a TIMESTAMP that is a moment, beside a DATETIME that is what a clock shows.
_WIDE = {"TINYINT": "BIGINT", "SMALLINT": "BIGINT", "INTEGER": "BIGINT", "FLOAT": "DOUBLE"}
_WIDE_IN = frozenset({"bigquery", "snowflake"})
_MOMENTS_IN = frozenset({"bigquery", "databricks", "mysql", "spark"})
_MOMENT, _ZONED = re.compile(r"\s*TIMESTAMP\s*(\(\d+\))?\s*", re.IGNORECASE), " WITH TIME ZONE"
_SHAPE = re.compile(r"([A-Z_][A-Z0-9_ ]*?)\s*(?:\(([^()]*)\)\s*([A-Z ]*))?")
_TIMES = ("date", "timestamp", "time")
_BYTES = ("BLOB", "INTERVAL")  # the standard has no logical type for them
# DuckDB's own that Parquet has no type for; and bits, which are read as a boolean elsewhere.
_NOT_KEPT = frozenset({"BIGNUM", "UNION", "VARIANT", "VARINT"})
_BITS = frozenset({"BIT", "BITSTRING"})
_OF_SECOND = {"TIMESTAMP_S": 0, "TIMESTAMP_MS": 3}
_CLOCKS = ("TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "TIME", "TIME WITH TIME ZONE")


@dataclass(frozen=True, slots=True)
class Physical:
    """What a physical type says.

    Args:
        name: the DuckDB type, as DuckDB writes it.
        length: the most characters of a text.
        digits: how many digits of a second there may be.
    """

    name: str
    length: int | None = None
    digits: int | None = None


def suggest(text: str) -> str:
    """Return a hint that names the type that other databases' people mean, or the closest one.

    >>> suggest("int(11)"), suggest("serial"), suggest("enum('a')"), suggest("money")
    (' (write "INTEGER")', ' (write "INTEGER")', ' (write "VARCHAR")', ' (write "DECIMAL(19,4)")')
    >>> suggest("VARCHARR")
    ' (did you mean "VARCHAR"?)'
    """
    bare = text.upper().partition("(")[0].strip()
    found = physical(text)
    meant = _NEARLY.get(bare) or (found.name if found else "")
    return f' (write "{meant}")' if meant else did_you_mean(text.upper(), TYPES)


def physical(text: str, systems: Collection[str] = ()) -> Physical | None:
    """Return what a type of any system says; None where it is not exactly a type we have.

    Args:
        text: the type.
        systems: where it is a type, as ODCS calls types of servers; in all of them.

    >>> physical("NUMBER(38, 0)")
    Physical(name='DECIMAL(38,0)', length=None, digits=None)
    >>> physical("varchar2(10 char)")
    Physical(name='VARCHAR', length=10, digits=None)
    >>> physical("timestamp(3) with time zone")
    Physical(name='TIMESTAMP WITH TIME ZONE', length=None, digits=3)
    >>> physical("NUMBER"), physical("geography"), physical("float(3,2)")
    (None, None, None)
    >>> physical("INT", ["snowflake"]), physical("TIMESTAMP", ["bigquery"]).name
    (Physical(name='BIGINT', length=None, digits=None), 'TIMESTAMP WITH TIME ZONE')
    """
    if systems and _MOMENTS_IN.issuperset(systems) and _MOMENT.fullmatch(text):
        text += _ZONED
    found = _physical(text)
    if found is None or not systems or not _WIDE_IN.issuperset(systems):
        return found
    return replace(found, name=_WIDE.get(found.name, found.name))


def _physical(text: str) -> Physical | None:
    plain = " ".join(text.upper().split())
    found = _SHAPE.fullmatch(plain)
    if found is None:
        return None
    word = f"{found[1]} {found[3]}".strip() if found[3] else found[1]
    name = TYPES.get(word) or _ELSEWHERE.get(word)
    given = found[2]
    if name is None:
        return None
    if name in _OF_SECOND and given is None:
        return Physical("TIMESTAMP", digits=_OF_SECOND[name])
    if given is None:
        # How wide it is, is another matter in each system.
        return None if name == "DECIMAL" and word not in TYPES else Physical(name)
    return _with(name, [part.strip() for part in given.split(",")])


def _with(name: str, given: list[str]) -> Physical | None:
    numbers = [int(one) for one in given if one.isdecimal()]
    if name == "VARCHAR":
        size = given[0].partition(" ")[0]
        if size == "MAX":
            return Physical(name)
        return Physical(name, length=int(size)) if size.isdecimal() else None
    if len(numbers) < len(given):
        return None
    if name == "DECIMAL":
        width, scale = (*numbers, 0)[:2]
        fits = len(numbers) <= len(("width", "scale")) and scale <= width <= _MOST_DIGITS
        return Physical(f"DECIMAL({width},{scale})") if fits and width else None
    if name in _CLOCKS and len(numbers) == 1:
        return Physical(name, digits=numbers[0] if numbers[0] < _SECOND else None)
    # The number of MySQL's int(11) is how wide it is printed.
    return Physical(name) if name in FAMILIES["integer"] and name != "TINYINT" else None


def slip(text: str) -> str:
    """Return a hint where a word is nearly a type of DuckDB, and of no other system we know.

    >>> slip("VARCHARR"), slip("record"), slip("RANGE<TIMESTAMP>")
    (' (did you mean "VARCHAR"?)', '', '')
    """
    word = re.split(r"[(<\[]", text.upper())[0].strip()
    if word in _THEIRS or word in TYPES or word in _ELSEWHERE:
        return ""
    close = get_close_matches(word, [*TYPES, "STRUCT"], n=1, cutoff=_NEAR)
    return f' (did you mean "{close[0]}"?)' if close else ""


def is_not_kept(text: str, logical: str | None) -> bool:
    """Tell whether DuckDB has the type and no column that is published can be of it.

    >>> is_not_kept("UNION(a INTEGER)", "object"), is_not_kept("BIT", "boolean")
    (True, False)
    """
    word = re.split(r"[(<\[]", text.upper())[0].strip()
    return word in _NOT_KEPT or (word in _BITS and logical == "string")


def length_in_brackets(text: str) -> int | None:
    """Return the length of a text that is written as `varchar[15]`.

    >>> length_in_brackets("varchar[15]"), length_in_brackets("varchar[]")
    (15, None)
    """
    found = re.fullmatch(r"\s*(\w[\w ]*?)\s*\[(\d+)\]\s*", text)
    kind = physical(found[1]) if found else None
    return int(found[2]) if found and kind is not None and kind.name == "VARCHAR" else None


def listed(text: str) -> tuple[str, ...]:
    """Return the values of an `ENUM('a', 'b')`.

    >>> listed("enum('a', 'b''c')"), listed("ENUM")
    (('a', "b'c"), ())
    """
    if not re.fullmatch(r"\s*enum\s*\(.*\)\s*", text, re.IGNORECASE | re.DOTALL):
        return ()
    return tuple(one.replace("''", "'") for one in re.findall(r"'((?:[^']|'')*)'", text))


def plain_name(text: str, systems: Collection[str] = ()) -> str | None:
    """Return DuckDB's name of a type of any system; None where it is not exactly one."""
    found = physical(text, systems)
    return found.name if found is not None else None


def logical_of(text: str) -> str | None:
    """Return the logical type of a physical one, where the contract says only that.

    >>> logical_of("varchar(3)"), logical_of("NUMBER(10,2)"), logical_of("geography")
    ('string', 'number', None)
    """
    found = physical(text)
    if found is None:
        return None
    bare = found.name.partition("(")[0]
    return next((logical for logical, names in FAMILIES.items() if bare in names), None)


def is_encoding(name: str, logical: str | None, *, free: bool) -> bool:
    """Tell whether a type is how values are written elsewhere: dates as text, text as bytes.

    Args:
        name: the type, as DuckDB writes it.
        logical: what the values are.
        free: neither a time zone nor a format is declared of them.
    """
    if logical == "string":
        return name in _BYTES
    return free and logical in _TIMES and name not in {"BOOLEAN", "BLOB", "UUID"}


def is_ours(text: str) -> bool:
    """Tell whether DuckDB itself knows the type."""
    return normalise(text) is not None
