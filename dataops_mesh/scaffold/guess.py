"""Guesses from names and values: who may see a column, what its texts are."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from dataops_mesh.quality.redact import looks_like
from dataops_mesh.scaffold.measure import Measured
from dataops_mesh.spec.types.formats import TEXT

PERSONAL = re.compile(
    r"(^|_)(e_?mail|email|phone|mobile|telephone|fax|(first|last|full|sur|given|family|maiden|middle)_?name"
    r"|person|passenger_name|customer_name|user_?name|login|password|secret|token|ssn|social_security"
    r"|passport|tax_id|iban|bic|account_(no|number)|card(_?(no|number|holder))?|address|street|zip"
    r"|postal_?code|postcode|birth(day|_?date)?|date_of_birth|geburtstag|born|full_?name|surname|nachname|vorname|dob|gender|sex|salary|income|diagnosis|ip"
    r"|ip_address|latitude|longitude|signature|photo)(_|$)"
)
_FORMATS = ("uuid", "email", "ipv4", "uri")
_CODES: tuple[str, ...] = ("[A-Z]", "[0-9]", "[A-Z0-9]", "[0-9a-f]")
_LONGEST_CODE = 12


def classification(column: Measured, name: str) -> str:
    """Guess how secret a column is: `restricted` if it looks like personal data, else `internal`.

    Args:
        column: what was measured of it.
        name: its name in the contract.
    """
    seen = any(looks_like(text) for text in column.sample)
    return "restricted" if seen else by_name(name)


def by_name(name: str) -> str:
    """Guess how secret a column is by its name alone.

    >>> by_name("customer_email"), by_name("amount")
    ('restricted', 'internal')
    """
    return "restricted" if PERSONAL.search(name) else "internal"


def text_format(sample: Sequence[str]) -> str:
    """Return the `format` that all texts have; empty if they have none.

    >>> text_format(["ana@mesh.example", "bo@mesh.example"]), text_format(["EWR", "JFK"])
    ('email', '')
    """
    for name in _FORMATS:
        if sample and all(re.search(TEXT[name].pattern, text) for text in sample):
            return name
    return ""


def code_pattern(column: Measured, holds: Callable[[str], bool]) -> str:
    """Return the pattern of a code, texts of one length and of one kind of letters.

    Args:
        column: what was measured of it.
        holds: tells whether every text of the column, not only the sample, has a pattern.
    """
    if column.lengths is None or not column.sample:
        return ""
    short, long = column.lengths
    if short != long or not 1 < short <= _LONGEST_CODE:
        return ""
    for letters in _CODES:
        pattern = f"^{letters}{{{short}}}$"
        if all(re.match(pattern, text) for text in column.sample) and holds(pattern):
            return pattern
    return ""
