"""One-line expressions in CEL: what is wrong with one, and what it answers.

cel-python is imported when there is one. It was chosen over the faster
common-expression-language because it follows the specification where it matters here
(`exists(c, c.primaryKey)` is true when one column is a key and others do not say), and because
an evaluation can be bounded: every step is counted, so that no declaration, however large,
stops a check.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from dataops_mesh.errors import did_you_mean

MAX_LENGTH = 1000
MAX_STEPS = 200_000  # about two seconds; a usual rule takes some hundreds
_MACROS = frozenset({"all", "exists", "exists_one", "map", "filter"})
# Levels of the grammar that only hand on the value of their one child.
_LEVELS = frozenset(
    {"expr", "conditionalor", "conditionaland", "relation", "addition", "multiplication"}
    | {"unary", "member"}
)


_CLASS = re.compile(r"<class '[\w.]*?(\w+?)(?:Type)?'>")
_OVERLOAD = re.compile(r"found no matching overload for .* applied to '\((\w+), (\w+)\)'")


class StepsError(Exception):
    """An expression took more steps than any rule needs."""


def problem_of(text: str, variables: Collection[str]) -> str:
    """Return what is wrong with an expression, or nothing.

    Args:
        text: the expression.
        variables: what it may name.
    """
    if len(text) > MAX_LENGTH:
        return f"is longer than {MAX_LENGTH} characters"
    from celpy.celparser import CELParseError

    try:
        tree = _compiled(text)
    except CELParseError as error:
        return f"is not CEL, at character {error.column or 1}"
    except RecursionError:
        return "is nested too deeply"
    return next(_unknown(tree, variables), "")


def answer(text: str, values: Mapping[str, Any]) -> str:
    """Return what an expression says: true, false, neither, steps, or error and why.

    Args:
        text: the expression.
        values: of the variables, as JSON has them.
    """
    from celpy.evaluation import CELEvalError

    failed: list[_Failed] = []
    try:
        value = _evaluate(text, values, failed)
    except StepsError:
        return "steps"
    except (CELEvalError, ValueError, TypeError, RecursionError) as error:
        return f"error {_told(text, error, failed)}"
    return str(value).lower() if isinstance(value, bool) else "neither"


@cache
def _compiled(text: str) -> Any:
    return _environment().compile(text)


@cache
def _environment() -> Any:
    import logging

    from celpy import Environment

    # It logs the whole declaration at debug level, and warns of every rule that finds nothing.
    for name in ("celpy", "Environment", "Evaluator", "evaluation", "Activation"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return Environment()


@dataclass(frozen=True, slots=True)
class _Failed:
    """A step inside `all`, `exists` and the like that could not be evaluated.

    Args:
        error: with the part of the expression, if celpy says which.
        at: the names of what was looked at, from the outside to the inside.
    """

    error: BaseException
    at: tuple[str, ...]


def _evaluate(text: str, values: Mapping[str, Any], failed: list[_Failed]) -> Any:
    from celpy import celtypes
    from celpy.adapter import json_to_cel

    program = _environment().program(_compiled(text))
    steps = iter(range(MAX_STEPS))
    evaluator = _bounded()(program.ast, program.new_activation(), steps, failed)
    value = evaluator.evaluate({name: json_to_cel(one) for name, one in values.items()})
    return bool(value) if isinstance(value, celtypes.BoolType) else value


@cache
def _bounded() -> type:
    """Return an evaluator that counts its steps and skips levels that hand on one value."""
    from celpy.evaluation import CELEvalError, Evaluator
    from lark import Tree

    class Bounded(Evaluator):
        def __init__(
            self,
            tree: Any,
            activation: Any,
            steps: Iterator[int],
            failed: list[_Failed],
            around: tuple[str, ...] | None = None,
        ) -> None:
            super().__init__(tree, activation)
            self.steps, self.failed = steps, failed
            self.around, self.at = around, around or ()

        def sub_evaluator(self, ast: Any) -> Evaluator:
            return Bounded(ast, self.activation, self.steps, self.failed, self.at)

        def evaluate(self, context: Any = None) -> Any:
            if self.around is not None:
                self.at = (*self.around, *_names_in(context))
            try:
                return super().evaluate(context)
            except CELEvalError as error:
                self.failed.append(_Failed(error, self.at))
                raise

        def _visit_tree(self, tree: Any) -> Any:
            if next(self.steps, None) is None:
                raise StepsError
            while (
                len(tree.children) == 1
                and tree.data in _LEVELS
                and isinstance(tree.children[0], Tree)
            ):
                tree = tree.children[0]
            return super()._visit_tree(tree)

    return Bounded


def _unknown(tree: Any, variables: Collection[str]) -> Iterator[str]:
    """Yield a sentence for each name that neither the variables nor CEL have."""
    from celpy.evaluation import base_functions

    functions = {name for name in map(str, base_functions) if name[0].isalpha()} | {"has", "dyn"}
    bound = {*variables, *functions}
    for node in tree.find_data("member_dot_arg"):
        method = str(node.children[1])
        if method in _MACROS:
            bound.add(_text(node.children[2].children[0]))
        elif method not in functions:
            known = sorted(functions | _MACROS)
            yield f'there is no function "{method}"{did_you_mean(method, known)}'
    for node in tree.find_data("ident_arg"):
        name = str(node.children[0])
        if name not in functions:
            yield f'there is no function "{name}"{did_you_mean(name, sorted(functions))}'
    for node in tree.find_data("ident"):
        name = str(node.children[0])
        if name not in bound:
            yield f'nothing is called "{name}"{did_you_mean(name, sorted(bound))}'


def _text(tree: Any) -> str:
    """Return the source of an expression that is one word."""
    while hasattr(tree, "children"):
        tree = tree.children[0]
    return str(tree)


def _names_in(context: Any) -> Iterator[str]:
    """Yield what an element is called that an expression looks at."""
    for value in (context or {}).values():
        # `get` of celpy's maps raises where the key is not there.
        name = value["name"] if isinstance(value, Mapping) and "name" in value else None
        if isinstance(name, str):
            yield str(name)


def _told(text: str, error: BaseException, failed: Iterable[_Failed]) -> str:
    """Return why an expression failed, in which part, and what that looked at is called."""
    inside = [one for one in failed if one.at]
    itself = next((one for one in inside if one.error is error), _Failed(error, ()))
    placed = (one for one in (itself, *inside) if getattr(one.error, "tree", None) is not None)
    found = next(placed, itself)  # `all` makes another error of the first, and tells less of it
    meta = getattr(getattr(found.error, "tree", None), "meta", None)
    start, end = getattr(meta, "start_pos", None), getattr(meta, "end_pos", None)
    part = f" in `{text[start:end]}`" if end is not None else ""
    return _first_line(found.error) + part + (f" of {'.'.join(found.at)}" if found.at else "")


def _first_line(error: BaseException) -> str:
    text = str(error.args[0]) if error.args else type(error).__name__
    line = text.partition("(in activation")[0].strip().partition("\n")[0]
    line = _CLASS.sub(lambda found: found[1].lower(), line)
    line = _OVERLOAD.sub(r"\1 and \2 do not go together", line)
    line = line.replace("celevalerror", "what cannot be evaluated")
    return line if len(line) <= 200 else f"{line[:197]}..."  # noqa: PLR2004 # fits a terminal
