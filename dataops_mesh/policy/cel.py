"""Rules of the organisation as one-line CEL expressions over the declaration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import partial
from typing import Any

from dataops_mesh.policy.model import Finding, Options, Surroundings, ask_anew
from dataops_mesh.policy.shape import declaration
from dataops_mesh.spec import cel
from dataops_mesh.spec.cel import MAX_STEPS
from dataops_mesh.spec.model import Address, OutputPort, Product

VARIABLE = "product"
INPUTS = "inputPorts"


def expression_problem(text: str) -> str:
    """Return what is wrong with an expression, or nothing.

    >>> expression_problem("product.id != ''")
    ''
    >>> expression_problem("produkt.id != ''")
    'nothing is called "produkt" (did you mean "product"?)'
    """
    return cel.problem_of(text, {VARIABLE})


def violation_of(
    text: str, message: str, fix: str, product: Product, around: Surroundings
) -> Iterator[Finding]:
    """Yield a finding unless the expression is true; a rule that cannot be evaluated is broken."""
    # What is remembered is remembered of the product, and others' contracts are not part of it.
    reads = INPUTS in text
    answers = ask_anew if reads else around.answers
    read = around.flows(product).read if reads else {}
    said = answers(text, product, partial(_said, text, product, read))
    found, broken = "", True
    match said.partition(" "):
        case ("true", *_):
            return
        case ("false", *_):
            found, broken = message, False
        case ("neither", *_):
            found = f"{message}: the rule answers neither true nor false"
            fix = fix or "compare with something: product.version == '1.0.0'"
        case ("steps", *_):
            found = f"{message}: the rule needs more than {MAX_STEPS:,} steps for this product"
        case (_, _, why):
            found = f"{message}: the rule could not be evaluated ({why})"
            fix = fix or "declare what it asks for, or let the rule ask first: has(product.x)"
    if found:
        yield Finding(found, product.where, fix=fix, broken=broken)


def _said(text: str, product: Product, read: Mapping[Address, OutputPort]) -> str:
    return cel.answer(text, {VARIABLE: _floats(declaration(product, read))})


def check_of(text: str, message: str, fix: str) -> Any:
    """Return the check of a policy that is an expression."""

    def check(product: Product, _options: Options, around: Surroundings) -> Iterable[Finding]:
        return violation_of(text, message, fix, product, around)

    return check


def _floats(value: Any) -> Any:
    """Return a document with floats for the decimals that a float rounds: CEL has no others."""
    if isinstance(value, dict):
        return {key: _floats(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_floats(item) for item in value]
    return float(value) if isinstance(value, Decimal) else value
