"""Great Expectations' own expectations, by name, for contracts that ask for one.

Types are compared as DuckDB spells them; the library would look for a class of SQLAlchemy.

Imports Great Expectations: import this module only inside functions.
"""

from __future__ import annotations

from typing import Any

import great_expectations.expectations as gxe

import dataops_mesh.quality.patterns  # noqa: F401 - registers DuckDB's side of the patterns
from dataops_mesh.quality.catalogue import classes
from dataops_mesh.quality.redact import AuditError
from dataops_mesh.spec.types.physical import is_accepted, normalise


def library(name: str) -> type[Any]:
    """Return the class of an expectation.

    Raises:
        AuditError: the installed library does not have it.
    """
    found = TYPED.get(name) or classes().get(name)
    if found is None:
        raise AuditError(f"the installed Great Expectations has no {name}")
    return found


def _judge(actual: Any, accepted: tuple[str, ...]) -> dict[str, Any]:
    wanted = tuple(normalise(name) or name for name in accepted)
    return {"success": is_accepted(str(actual), wanted), "result": {"observed_value": str(actual)}}


class ColumnTypeToBe(gxe.ExpectColumnTypeToBe):  # type: ignore[misc]  # GX is not followed by mypy
    """The column's type is this one."""

    def _validate_sqlalchemy(self, actual_column_type: Any, expected_type: str, **_: Any) -> Any:
        return _judge(actual_column_type, (expected_type,))


class ColumnValuesToBeOfType(gxe.ExpectColumnValuesToBeOfType):  # type: ignore[misc]  # the same
    """The column's type is this one."""

    def _validate_sqlalchemy(self, actual_column_type: Any, expected_type: str, **_: Any) -> Any:
        return _judge(actual_column_type, (expected_type,))


class ColumnValuesToBeInTypeList(gxe.ExpectColumnValuesToBeInTypeList):  # type: ignore[misc]  # the same
    """The column's type is one of these."""

    def _validate_sqlalchemy(
        self, actual_column_type: Any, expected_types_list: list[str], **_: Any
    ) -> Any:
        return _judge(actual_column_type, tuple(expected_types_list))


TYPED: dict[str, type[Any]] = {
    "expect_column_type_to_be": ColumnTypeToBe,
    "expect_column_values_to_be_of_type": ColumnValuesToBeOfType,
    "expect_column_values_to_be_in_type_list": ColumnValuesToBeInTypeList,
}
