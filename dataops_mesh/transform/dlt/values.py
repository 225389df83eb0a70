"""What dlt would write as another value, refused with its column; called confined."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from dataops_mesh.errors import Location, Problem, SourceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from dlt.extract import DltSource

    from dataops_mesh.transform.dlt.job import Job

_LONG = 2**63
_MOST = 10_000  # sets of names that are remembered


def refusing(source: DltSource, job: Job) -> Mapping[str, str]:
    """Have each row looked at before dlt writes it; return the columns that it then has seen.

    dlt knows no column of which every value is null.
    """
    seen = dict[str, str]()
    look = looking(source.schema.naming.normalize_identifier, seen, Location(job.shown, 1))
    for resource in source.resources.selected.values():
        resource.add_map(look)
    return seen


def looking(
    named: Callable[[str], str], seen: dict[str, str], where: Location
) -> Callable[[Any], Any]:
    """Return what looks at a row, and gives it back.

    Args:
        named: returns what dlt makes of a name.
        seen: receives the names of columns, each with what they are yielded as.
        where: what is told of a problem's place.
    """
    known = set[tuple[str, ...]]()

    def look(row: Any) -> Any:
        if not isinstance(row, dict):
            return row
        for name, value in row.items():
            if type(value) not in _PLAIN and (what := _wrong(value)):
                raise SourceError(Problem(f'"{name}" holds {what[0]}', where, next=what[1]))
        names = tuple(row)
        if names not in known:
            seen.update(_named(names, named, where))
            if len(known) < _MOST:
                known.add(names)
        return row

    return look


_PLAIN = frozenset({str, bool, type(None), bytes})


def _wrong(value: Any) -> tuple[str, str] | None:
    """Return what a value is and what to do, if it would come out as another one."""
    for one in _inside(value):
        if isinstance(one, int) and not -_LONG <= one < _LONG:
            return "a whole number of more than 64 bits", "yield it as a text: str(...)"
        if isinstance(one, (float, Decimal)) and not math.isfinite(one):
            return "a number that is none, or infinite", "yield None in its place"
    return None


def _inside(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        for one in value.values():
            yield from _inside(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _inside(one)
    else:
        yield value


def _named(names: tuple[str, ...], named: Callable[[str], str], where: Location) -> dict[str, str]:
    """Return what dlt calls each column, with its name.

    Raises:
        SourceError: two names are one column to it.
    """
    taken = dict[str, str]()
    for name in names:
        other = taken.setdefault(named(str(name)), name)
        if other != name:
            what = f'"{other}" and "{name}" are one column, "{named(name)}", as dlt names them'
            raise SourceError(Problem(what, where, next="rename one of them before it is yielded"))
    return taken
