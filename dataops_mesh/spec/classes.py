"""How secret a column is said to be: the classes that everybody here knows, and tags."""

from __future__ import annotations

from dataops_mesh.spec.terms import Column

CLASSES = ("public", "internal", "confidential", "restricted")
OPEN = frozenset({"", *CLASSES[:2]})  # classes that say of nobody that it is about him
_PII = frozenset({"pii", "personal", "personal_data", "personal-data", "gdpr", "sensitive", "phi"})


def is_pii(tag: str) -> bool:
    """Tell whether a tag says that a column is about a person.

    >>> is_pii("pii:iban"), is_pii("GDPR"), is_pii("pie")
    (True, True, False)
    """
    return tag.lower() in _PII or tag.lower().startswith(("pii:", "pii."))


def says_personal(column: Column) -> bool:
    """Tell whether the contract has decided whether the column is about people."""
    closed = (column.classification or "").lower() not in OPEN
    return closed or column.mask is not None or any(map(is_pii, column.tags)) or column.impersonal
