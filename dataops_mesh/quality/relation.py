"""What an audit reads: a view, its columns, and which of them a sample may show."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Relation:
    """A view over Parquet files (or a source) in the caller's connection.

    Args:
        schema: the schema that holds the view, or None for the current one.
        view: the view's name.
        safe_columns: the only columns whose values a sample may show.
    """

    schema: str | None
    view: str
    safe_columns: tuple[str, ...]

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
