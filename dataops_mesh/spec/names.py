"""Identifiers and versions: what may be a name, and how a name is made of other text."""

from __future__ import annotations

import re
from hashlib import sha256

NAME = re.compile(r"[a-z][a-z0-9_]*")
_COLUMN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LONGEST = 255
VERSION = re.compile(r"v?(0|[1-9]\d{0,8})(\.\d{1,9}){0,2}([-+][0-9A-Za-z.+-]{1,64})?")
WHY = "mesh_rules"  # the column that says by which rules a row was set aside
SELF = "self"  # the input port by which a product reads its own last publication
# What DuckDB calls its own databases and schemas by: an address there would not be found.
DUCKDBS = frozenset({"information_schema", "memory", "pg_catalog", "system", "temp"})
SHARED = "shared"  # what products of a domain, or of the workspace, are made of together
EXAMPLES, EXPECTED = "examples", "expected"  # folders beside a product
STATUSES = ("proposed", "draft", "active", "deprecated", "retired")
NAME_RULE = "must be lower-case letters, digits and _, starting with a letter"


def is_name(text: str) -> bool:
    """Tell whether the text may name a domain, a product or a port.

    >>> is_name("on_time"), is_name("On-Time")
    (True, False)
    """
    return NAME.fullmatch(text) is not None


def taken(domain: str) -> str:
    """Return why a domain cannot have this name, though it is one; nothing if it can.

    >>> taken("temp"), taken("shop")
    ('the domain "temp" cannot be told from what DuckDB calls its own by that name', '')
    """
    if domain == SELF:
        return f'the domain "{SELF}" cannot be told from a product\'s own last publication'
    own = domain in DUCKDBS
    what = f'the domain "{domain}" cannot be told from what DuckDB calls its own by that name'
    return what if own else ""


def is_own(name: str) -> bool:
    """Tell whether an input port of this name reads a port of its own product.

    >>> is_own("self"), is_own("self.orders"), is_own("shop.self")
    (True, True, False)
    """
    return name == SELF or name.startswith(f"{SELF}.")


def is_column(text: str) -> bool:
    """Tell whether the text may name a column: any that can stand in quotes.

    >>> is_column("Größe (cm)"), is_column('a"b'), is_column(" a")
    (True, False, False)
    """
    plain = text.isprintable() and not set(text) & set('"{}\\')
    return plain and text == text.strip() and 0 < len(text) <= _LONGEST


def stem(column: str) -> str:
    """Return what the checks of a column are called by: its name, or an identifier made of it.

    Names of which too much would be lost have four digits of their own.

    >>> stem("seats"), stem("Total Amount"), stem("Größe")
    ('seats', 'total_amount', 'gr_e_aedc')
    """
    if _COLUMN.fullmatch(column):
        return column
    made = slug(column, "column")
    if all(one.isascii() and (one.isalnum() or one in " _-") for one in column):
        return made
    return f"{made}_{sha256(column.encode()).hexdigest()[:4]}"


def port_name(text: str) -> str:
    """Return the name of a port whose schema object is called so: its own, or made of it.

    >>> port_name("orders"), port_name("Order Items"), port_name("3rd-party")
    ('orders', 'order_items', 'port_3rd_party')
    """
    return text if is_name(text) else slug(text, "port")


def slug(text: str, word: str = "rule") -> str:
    """Make an identifier of any text, the same one each time.

    >>> slug("nullValues"), slug("No future bookings!"), slug("2 rows")
    ('null_values', 'no_future_bookings', 'rule_2_rows')
    """
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text)
    made = re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")
    return made if is_name(made) else f"{word}_{made}".rstrip("_")


def suggestion(text: str) -> str:
    """Return the advice to use the closest valid name.

    >>> suggestion("On-Time")
    'rename it, for example to "on_time"'
    """
    return f'rename it, for example to "{slug(text)}"'


def major(version: str) -> int | None:
    """Return the major number of a semantic version, or None if it is none.

    >>> major("2.1.0"), major("v3"), major("latest")
    (2, 3, None)
    """
    found = VERSION.fullmatch(version)
    return int(found[1]) if found else None


def delivered(name: str) -> str:
    """Return the name of a source's own delivery, with rows of whatever partition."""
    return f"{name}__delivered"


def quarantine_schema(domain: str) -> str:
    """Return the schema in which a candidate's rows that were set aside have their port's name."""
    return f"{domain}__quarantine"


def new_columns(name: str) -> str:
    """Return the relation of a source's columns that its contract does not have."""
    return f'"{name}__new_columns"'
