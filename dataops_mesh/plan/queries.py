"""Tells whether two queries of rules say the same, however they are spelled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataops_mesh.errors import DeclarationError, Location
from dataops_mesh.spec.sql import parse_select

if TYPE_CHECKING:
    from sqlglot import exp


def meaning(query: str) -> str:
    """Return a text that is the same for queries which differ only in what means nothing.

    That is: case and quotes of names, white space, comments, brackets around what they do not
    change, the name of the result, and an alias where only one relation is read.

    Args:
        query: of a rule, with its placeholders.

    >>> meaning('SELECT count(*) AS n FROM {object} AS o WHERE (o."K" < 0) -- none') == meaning(
    ...     "select COUNT( * ) from {object} where k < 0")
    True
    >>> meaning("select sum((a + b) * c) from {object}") == meaning(
    ...     "select sum(a + b * c) from {object}")
    False
    """
    plain = query.replace("{object}", "mesh_object__").replace("{property}", "mesh_property__")
    try:
        tree = parse_select(plain, Location("", 0))
    except DeclarationError:  # an older version of the library let it through
        return query
    return repr(_plain(tree))


def _plain(tree: exp.Query) -> exp.Expr:
    from sqlglot import exp

    alone = len(list(tree.find_all(exp.Table))) == 1

    for bracket in list(tree.find_all(exp.Paren)):
        bracket.replace(bracket.this)
    for node in tree.find_all(exp.Expr):
        node.pop_comments()
        if isinstance(node, exp.Identifier):
            node.set("this", node.name.lower())
            node.set("quoted", None)
        if alone and isinstance(node, exp.Column):
            node.set("table", None)
        if alone and isinstance(node, exp.Table):
            node.set("alias", None)
    if isinstance(tree, exp.Select):
        tree.set("expressions", [one.unalias() for one in tree.expressions])
    return tree
