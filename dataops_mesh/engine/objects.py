"""Columns of Python objects: what Arrow made of a value is the value, or the column is refused.

Arrow takes the type of such a column from its first values and cuts the others to it: a moment
after a date loses its time, a time its offset, a moment of pandas its nanoseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import chain
from numbers import Number
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_NONE = timedelta()
# Of any one of these Arrow loses nothing.
_EXACT = frozenset({str, bytes, bool, int, float, Decimal, date, datetime})


def is_of_objects(column: pd.Series) -> bool:
    """Tell whether the values are Python objects of any type, also as those of a category."""
    categories = getattr(column.dtype, "categories", None)
    return str(column.dtype if categories is None else categories.dtype) == "object"


def in_utc(column: pd.Series) -> pd.Series:
    """Return a column whose dates among moments are midnights, and whose times are of UTC."""
    import pandas as pd

    kinds = set(map(type, column)) - {type(pd.NaT)}
    moments = any(issubclass(kind, datetime) for kind in kinds)
    days = any(issubclass(kind, date) and not issubclass(kind, datetime) for kind in kinds)
    if not (moments and days) and not any(issubclass(kind, time) for kind in kinds):
        return column
    made = [_midnight(value) if moments else _time(value) for value in column]
    return pd.Series(made, index=column.index, dtype=object)


def are_same(values: Iterable[Any], made: Iterable[Any]) -> bool:
    """Tell whether values are those that Arrow made of them, as Arrow gives them to Python."""
    return all(_is_same(one, other) for one, other in zip(values, made, strict=True))


def are_exact(values: Sequence[Any]) -> bool:
    """Tell whether values, and what is in them, are of one type that Arrow takes as it is."""
    import pandas as pd

    kinds = set(map(type, values)) - {type(None), type(pd.NaT), type(pd.NA)}
    if len(kinds) > 1 and all(value != value for value in values if type(value) is float):  # noqa: PLR0124 - NaN
        kinds -= {float}
    if len(kinds) != 1 or kinds <= _EXACT:
        return len(kinds) < 2  # noqa: PLR2004 - one type, or nothing but nulls
    (kind,) = kinds
    inner: list[Any] = [value for value in values if type(value) is kind]
    if kind in {list, tuple}:
        return are_exact(list(chain.from_iterable(inner)))
    if kind.__module__ == "numpy" and kind.__name__ == "ndarray":
        types = {(array.dtype, array.ndim) for array in inner}
        return len(types) == 1 and all(d.kind in "biuf" and n == 1 for d, n in types)
    if kind is not dict:
        return False
    keys = set(chain.from_iterable(inner))
    texts = all(type(key) is str for key in keys)
    return texts and all(are_exact([value.get(key) for value in inner]) for key in keys)


def is_missing(value: Any) -> bool:
    """Tell whether a value is what pandas has for one that is not there."""
    import numpy as np
    import pandas as pd

    if isinstance(value, float | Decimal | np.floating | np.datetime64 | np.timedelta64):
        return bool(pd.isna(value))
    return value is None or value is pd.NaT or value is pd.NA


def _is_same(value: Any, made: Any) -> bool:
    import numpy as np
    import pandas as pd

    if is_missing(value) or made is None:
        return is_missing(value) and is_missing(made)
    if isinstance(value, np.datetime64 | np.timedelta64):
        read: Any = pd.Timestamp if isinstance(value, np.datetime64) else pd.Timedelta
        return bool(read(value) == read(made))
    value = value.item() if isinstance(value, np.generic) else value
    match value:
        case bool():
            return isinstance(made, bool) and value == made
        case str():
            return isinstance(made, str) and value == made
        case bytes() | bytearray():
            return isinstance(made, bytes) and value == made
        case date():
            return isinstance(made, date) and _moment(value) == _moment(made)
        case time():
            return isinstance(made, time) and value.tzinfo is None and value == made
        case timedelta():
            return isinstance(made, timedelta) and value == made
        case Number():
            return isinstance(made, Number) and not isinstance(made, bool) and value == made
        case Mapping():
            known = isinstance(made, dict) and value.keys() <= made.keys()
            return known and all(_is_same(value.get(key), one) for key, one in made.items())
    if isinstance(made, list):
        items = list(value)
        return len(items) == len(made) and are_same(items, made)
    return type(value) is type(made) and bool(value == made)


def _midnight(value: Any) -> Any:
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime.combine(value, time())
    return value


def _time(value: Any) -> Any:
    """Return a time with an offset as that of UTC; one of a zone has none without a date."""
    offset = value.utcoffset() if isinstance(value, time) else None
    if offset is None:
        return value
    midday = datetime.combine(date(2000, 1, 1), value.replace(tzinfo=None))
    return (midday - offset).time()


def _moment(value: date) -> datetime:
    """Return a date or a moment as a moment of UTC without its zone."""
    if not isinstance(value, datetime):
        return datetime.combine(value, time())
    return value.replace(tzinfo=None) - (value.utcoffset() or _NONE)
