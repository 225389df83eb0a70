"""SQL rules that say of each row whether it is wrong: `SELECT count(*) FROM {object} WHERE ...`.

The condition is taken out of the text as it was written, never written anew from a parse.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from dataops_mesh.errors import DeclarationError, Location
from dataops_mesh.spec.sql import parse_select

_OBJECT, _PROPERTY = "mesh_object__", "mesh_property__"
# What may say something else when it is asked again: a row would be on both sides, or on none.
_CHANGING = frozenset(
    {
        *("rand", "random", "setseed", "uuid", "uuidv4", "uuidv7", "gen_random_uuid", "now"),
        *(
            "today",
            "current_date",
            "current_time",
            "current_timestamp",
            "get_current_time",
            "localtime",
        ),
        *("get_current_timestamp", "localtimestamp", "transaction_timestamp", "txid_current"),
        *("nextval", "currval", "stats", "current_query_id", "current_transaction_id", "error"),
        *("sleep_ms", "write_log", "current_query", "current_connection_id"),
    }
)
_CLAUSES = frozenset({"expressions", "from", "from_", "where", "kind"})


@dataclass(frozen=True, slots=True)
class RowCondition:
    """What is true for a row that is wrong.

    Args:
        condition: SQL, in which `{property}` stands for the rule's column and `{object}` for the
            relation.
        alias: the name by which the condition may call the relation; empty for its own.
    """

    condition: str
    alias: str = ""


@lru_cache(maxsize=1024)
def row_condition(query: str) -> RowCondition | None:
    """Return the condition that a rule's query counts rows by; None if it does anything else.

    >>> row_condition("select count(*) from {object} where amount < 0")
    RowCondition(condition='amount < 0', alias='')
    >>> row_condition("select sum(amount) from {object}") is None
    True
    >>> row_condition("select count(*) from {object} where random() < 0.5") is None
    True
    """
    from sqlglot import exp

    plain = query.replace("{object}", _OBJECT).replace("{property}", _PROPERTY)
    try:
        parsed = parse_select(plain, Location("rule", 1))
    except DeclarationError:
        return None
    if not isinstance(parsed, exp.Select) or len(parsed.expressions) != 1:
        return None
    if {name for name, given in parsed.args.items() if given} - _CLAUSES:
        return None
    counted = parsed.expressions[0].unalias()
    start, where = parsed.args.get("from_") or parsed.args.get("from"), parsed.args.get("where")
    plainly = isinstance(counted, exp.Count) and isinstance(counted.this, exp.Star)
    if not plainly or start is None or where is None or not _is_relation(start.this):
        return None
    beyond = (exp.Query, exp.Window, exp.AggFunc, exp.UDTF, exp.Explode, exp.Columns)
    if where.find(*beyond) is not None or any(map(_is_changing, where.find_all(exp.Func))):
        return None
    text = _after_where(plain)
    restored = text.replace(_OBJECT, "{object}").replace(_PROPERTY, "{property}")
    return RowCondition(restored, start.this.alias)


def _is_changing(call: object) -> bool:
    from sqlglot import exp

    if isinstance(call, exp.Anonymous):
        return call.name.lower() in _CHANGING
    return isinstance(call, exp.Func) and call.sql_name().lower() in _CHANGING


def _is_relation(source: object) -> bool:
    from sqlglot import exp

    if not isinstance(source, exp.Table) or source.name != _OBJECT or len(source.parts) != 1:
        return False
    alias = source.args.get("alias")
    given = {name for name, value in source.args.items() if value} - {"this", "alias"}
    return not given and not (alias is not None and alias.args.get("columns"))


def _after_where(text: str) -> str:
    from sqlglot.dialects.dialect import Dialect

    depth = 0
    for token in Dialect.get_or_raise("duckdb").tokenize(text):
        kind = token.token_type.name
        depth += (kind == "L_PAREN") - (kind == "R_PAREN")
        if kind == "WHERE" and depth == 0:
            return text[token.end + 1 :].strip().rstrip(";").rstrip()
    raise AssertionError  # the parse has found one
