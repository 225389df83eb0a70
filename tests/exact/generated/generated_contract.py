"""Whole small products, drawn from a seed: a contract of many promises, and rows at their edges.

Half of what is drawn holds and half of it is just broken: a bound is a value of the column, a
threshold is next to the number. What is expected is asked of the oracle, never of the library.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Context, Decimal
from fractions import Fraction
from random import Random
from typing import Any

import generated_measures as measures
import generated_oracle as oracle
import generated_values as values_of
from generated_kinds import KINDS, NULL, Cell, Kind
from generated_model import Column, Number, Product, Rule

OPERATORS = ("mustBe", "mustNotBe", "mustBeGreaterThan", "mustBeGreaterOrEqualTo", "mustBeLessThan",
             "mustBeLessOrEqualTo", "mustBeBetween", "mustNotBeBetween")  # fmt: skip


PATTERNS = ("^a", "a$", "^.$", "^[a-z]+$", "b", "^$", "^[^ ]*$", "a.b", "é", "'", "^[0-9.]+$")


MULTIPLES = ("1", "2", "3", "4", "0.1", "0.01", "0.5", "2.5", "10", "0.3", "1000000")


_SHORT = Context(prec=36)  # a contract takes numbers of 48 characters


NUMBERS = {"int", "decimal", "float", "float32"}


CLOCKS = {"date", "timestamp", "time"}


def draw(random: Random) -> Product:
    """Draw a product."""
    kinds = [random.choice(KINDS) for _ in range(random.randint(1, 3))]
    columns = [Column(f"c{at}", kind) for at, kind in enumerate(kinds)]
    count = random.choice((0, 1, 2, 3, 5, 8, 20))
    nulls = random.choice((0.0, 0.0, 0.2, 1.0))
    few = [
        random.sample(kind.cells, min(len(kind.cells), random.choice((2, 4, 99)))) for kind in kinds
    ]
    rows = tuple(
        tuple(NULL if random.random() < nulls else random.choice(cells) for cells in few)
        for _ in range(count)
    )
    made = Product((), rows, allow_empty=random.random() < (0.8 if not rows else 0.2))
    made = replace(
        made, columns=tuple(_column(c, at, rows, random) for at, c in enumerate(columns))
    )
    if random.random() < 0.3:
        made = _keyed(made, random)
    clocks = [c.name for c in columns if c.kind.group in CLOCKS - {"time"}]
    if clocks and random.random() < 0.5:
        made = replace(made, freshness=(random.choice(clocks), random.choice((1, 24, 10_000))))
    rules = [_table_rule(made, random, f"t{n}") for n in range(random.randint(0, 2))]
    return replace(made, rules=tuple(rule for rule in rules if rule))


def _keyed(made: Product, random: Random) -> Product:
    names = random.sample([c.name for c in made.columns], random.randint(1, len(made.columns)))
    columns = tuple(
        replace(c, key=names.index(c.name) + 1 if c.name in names else 0) for c in made.columns
    )
    keyed = replace(made, columns=columns)
    broken = oracle.broken(keyed) - oracle.broken(made)
    return keyed if not broken or random.random() < 0.2 else made


def _column(column: Column, at: int, rows: tuple[tuple[Cell, ...], ...], random: Random) -> Column:
    """Add promises; of those that do not hold, most are taken back."""
    values = [row[at].value for row in rows]
    for wanted in random.sample(_PROMISES, 3):
        more = wanted(column, random)
        if more is None:
            continue
        held = not oracle.broken_column(more, values)
        if held or random.random() < 0.15:
            column = more
    rules = [
        _rule(column, values, random, f"{column.name}r{n}") for n in range(random.randint(0, 3))
    ]
    return replace(column, rules=tuple(rule for rule in rules if rule))


def _flags(column: Column, random: Random) -> Column:
    return replace(
        column, flags=frozenset(random.sample(["required", "unique"], random.randint(1, 2)))
    )


def _bounds(column: Column, random: Random) -> Column | None:
    if column.kind.group not in NUMBERS | CLOCKS:
        return None
    ends = sorted((_literal(column.kind, random, bound=True) for _ in range(2)), key=_order(column))
    options = {}
    if random.random() < 0.7:
        options[random.choice(("minimum", "exclusiveMinimum"))] = ends[0]
    if random.random() < 0.7 or not options:
        options[random.choice(("maximum", "exclusiveMaximum"))] = ends[1]
    return replace(column, options={**column.options, **options})


def _order(column: Column) -> Any:
    return lambda literal: values_of.read(literal, column.kind.group)


def _size(column: Column, random: Random) -> Column | None:
    words = {"array": ("minItems", "maxItems")}.get(column.kind.group, ("minLength", "maxLength"))
    if column.kind.group not in {"text", "uuid", "json", "array"}:
        return None
    low, high = sorted(random.choice((0, 1, 2, 4, 36, 40)) for _ in range(2))
    options = {words[0]: Number(low), words[1]: Number(high)}
    if random.random() < 0.5:
        del options[random.choice(words)]
    if column.kind.group == "array" and random.random() < 0.5:
        options["uniqueItems"] = True
    return replace(column, options={**column.options, **options})


def _spelling(column: Column, random: Random) -> Column | None:
    group, options = column.kind.group, {}
    if group == "text":
        options = random.choice(
            ({"pattern": random.choice(PATTERNS)},
             {"format": random.choice(("date", "email", "ipv4"))})
        )  # fmt: skip
    elif group in NUMBERS:
        options = {"multipleOf": Number(random.choice(MULTIPLES))}
    elif group == "timestamp" and not column.kind.declared:
        options = {"format": random.choice(("yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd HH", "yyyy-MM-dd"))}
    return replace(column, options={**column.options, **options}) if options else None


def _enum(column: Column, random: Random) -> Column | None:
    if column.kind.group == "array":
        return None
    return replace(column, enum=_values(column.kind, random))


_PROMISES = (_flags, _bounds, _size, _spelling, _enum)


def _values(kind: Kind, random: Random) -> tuple[Any, ...]:
    """Draw different values of a set."""
    wanted = random.choice((1, 2, 5, 40))
    drawn = {str(one): one for one in (_literal(kind, random) for _ in range(wanted))}
    if kind.group in NUMBERS:  # 0.1 and 0.10 are one value
        drawn = {str(Fraction(Decimal(one))): one for one in drawn.values()}
    return tuple(drawn.values())


def _literal(kind: Kind, random: Random, *, bound: bool = False) -> Any:
    """Draw a value as a contract spells one: most are of the column's own edges."""
    group = kind.group
    cells = [c for c in kind.cells if "inf" not in str(c.text) and "BC" not in str(c.text)]
    cell = random.choice([c for c in cells if c.text != "nan"])
    assert cell.text is not None
    if group == "bool":
        return cell.value
    if group == "uuid":
        return random.choice((cell.text, cell.text.upper()))
    if group == "timestamp":
        return _moment(cell.text.removesuffix("+00"), random)
    if group not in NUMBERS:
        return cell.text
    number = Decimal(cell.text)
    if group == "int":
        number += random.choice((0, 0, 1, -1))
        number += random.choice((Decimal(0), Decimal("0.5"))) if bound else 0
    elif group == "decimal":
        number += random.choice((Decimal(0), Decimal(0), Decimal("0.001")))
    return spelled(number)


def spelled(number: Decimal) -> Number:
    """Return a number as YAML reads it: with a point and a sign where it has an exponent."""
    if number and abs(number.adjusted()) > 60:
        # Without the zeros of a sum: a contract's numbers have at most 48 characters.
        mantissa, exponent = f"{number.normalize(values_of.WIDE):e}".split("e")
        mantissa = mantissa if "." in mantissa else f"{mantissa}.0"
        return Number(f"{mantissa}e{int(exponent):+}")
    text = f"{number:f}"
    return Number(text.rstrip("0").rstrip(".") or "0" if "." in text else text)


def _moment(text: str, random: Random) -> str:
    form = random.randint(0, 3)
    if " " not in text or form == 0:
        return text
    return text.replace(" ", "T") + ("", "", "Z", "+02:00")[form]


def _rule(column: Column, values: list[Any], random: Random, name: str) -> Rule | None:
    group, kind = column.kind.group, column.kind
    choices = ["nullValues", "duplicateValues", "sql"]
    choices += ["missingValues", "invalidValues", "expectation"] if group != "array" else []
    what, given = random.choice(choices), {}
    if what == "missingValues":
        given = {"missingValues": list(_values(kind, random))}
    elif what == "invalidValues" and group == "text" and random.random() < 0.5:
        given = {"pattern": random.choice(PATTERNS)}
    elif what == "invalidValues":
        given = {"validValues": list(_values(kind, random))}
    elif what == "sql":
        given = {"form": random.choice(measures.FORMS)}
    elif what == "expectation":
        return _expectation(column, values, random, name)
    rule = Rule(name, what, given)
    number = oracle.number_of(rule, column, values)
    return None if number is None else _aimed(rule, number, len(values), random)


def _table_rule(made: Product, random: Random, name: str) -> Rule | None:
    names = random.sample([c.name for c in made.columns], random.randint(1, len(made.columns)))
    what = random.choice(("rowCount", "duplicateValues"))
    rule = Rule(name, what, {"properties": names} if what == "duplicateValues" else {})
    return _aimed(rule, oracle.number_of_table(rule, made), len(made.rows), random)


def _aimed(rule: Rule, number: Any, rows: int, random: Random) -> Rule:
    """Give a rule a threshold next to its number; most hold."""
    counted = rule.what not in {"sql", "rowCount"}
    percent = counted and random.random() < 0.3
    operator = random.choice(OPERATORS)
    for _ in range(8):
        if percent:
            pool = [Decimal(n) for n in ("0", "12.5", "33.3", "50", "99.9", "100")]
            pool += [Decimal(100 * int(number)) / rows] if rows and 1000 % rows == 0 else []
            low = min(random.choice(pool), Decimal(100))
            high = random.choice([one for one in pool if one > low] or [low])
        else:
            base = Decimal(repr(number)) if isinstance(number, float) else Decimal(number)
            base = base if base.is_finite() else Decimal(10) ** 30
            by = random.choice((Decimal(0), Decimal(1), Decimal(-1), Decimal("0.5")))
            low = _written(values_of.WIDE.add(_written(base), by))
            by = random.choice((Decimal(1), Decimal("0.5"), Decimal(100)))
            high = _written(values_of.WIDE.add(low, by))
        pair = operator in {"mustBeBetween", "mustNotBeBetween"}
        if pair and low >= high:
            continue
        ends = (spelled(low), spelled(high)) if pair else (spelled(low),)
        made = replace(rule, operator=operator, value=ends, percent=percent)
        if oracle.holds(made, number, rows) or random.random() < 0.06:
            return made if random.random() < 0.85 else replace(made, warning=True)
        operator = random.choice(OPERATORS)
    return replace(rule, operator="mustBeGreaterOrEqualTo", value=(Number("0"),), warning=True)


def _written(number: Decimal) -> Decimal:
    """Return a number that a contract can say: one with at most 48 characters."""
    return _SHORT.plus(number) if len(f"{number:f}") > 40 and abs(number) < 10**38 else number


def _expectation(column: Column, values: list[Any], random: Random, name: str) -> Rule | None:
    kind, group = column.kind, column.kind.group
    one = random.choice(measures.EXPECTATIONS)
    given: dict[str, Any] = {}
    if one.endswith("_set"):
        given = {"value_set": list(_values(kind, random))}
    elif "regex" in one:
        given = {"regex": random.choice(PATTERNS)}
    elif "lengths" in one:
        given = {
            "min_value": Number(random.choice("012")),
            "max_value": Number(random.choice("2349")),
        }
    elif "unique_value_count" in one:
        given = {"min_value": Number(random.choice("012"))}
    elif one.endswith("_between"):
        if group not in NUMBERS:
            return None
        ends = sorted((_literal(kind, random) for _ in range(2)), key=Decimal)
        given = {"min_value": ends[0], "max_value": ends[1]}
        if random.random() < 0.3:
            given["strict_min"] = True
    if "_values_to_" in one and "distinct" not in one and random.random() < 0.4:
        given["mostly"] = Number(random.choice(("0.5", "0.9", "0.25")))
    rule = Rule(name, one, given)
    met = oracle.number_of(rule, column, values)
    if met is None or (met and random.random() > 0.2):
        return None
    return rule
