"""What an audit reads: a view, its columns, and which of them a sample may show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Relation:
    """A view over Parquet files (or a source) in the caller's connection.

    Args:
        schema: the schema that holds the view, or None for the current one.
        view: the view's name.
        safe_columns: the only columns whose values a sample may show.
        unnamed: columns whose names may be values, and what is told in their place.
    """

    schema: str | None
    view: str
    safe_columns: tuple[str, ...]
    unnamed: Mapping[str, str] = field(default_factory=dict)

    @property
    def sql(self) -> str:
        """Return the relation's quoted name.

        >>> Relation("candidate", "aircraft", ()).sql
        '"candidate"."aircraft"'
        """
        return ".".join(quote(part) for part in (self.schema, self.view) if part)


def quote(identifier: str) -> str:
    """Quote an identifier.

    >>> quote('a"b')
    '"a""b"'
    """
    return '"' + identifier.replace('"', '""') + '"'
