"""Reads where a source is fetched from: `url`, `query` or `resource`, and by which connection."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from dataops_mesh.cron import LENGTHS, length_of
from dataops_mesh.errors import Problem
from dataops_mesh.spec.model import Product
from dataops_mesh.spec.paths import text_problem
from dataops_mesh.spec.read.node import Node
from dataops_mesh.spec.remote import (
    BUCKET,
    PARTITION_KEY,
    SCHEMES,
    WEB,
    Remote,
    called,
    is_word,
)

PLACES = ("path", "url", "query", "resource")
_OF_FILES = ("package", "asset")
_AS_FILES = ("format", "options")
_CONTROL = re.compile(r"[\x00-\x20\x7f]")


def read_remote(node: Node, problems: list[Problem]) -> Remote | None:
    """Return what a source fetches; None of one that is files here.

    Args:
        node: the value of the setting `source`.
        problems: receives what is wrong.
    """
    given = [place for place in PLACES if node.child(place) is not None]
    if len(given) != 1:
        what = f"says {' and '.join(given)}" if given else "does not say where the data is"
        problems.append(node.problem(what, then=f"give one of {', '.join(PLACES)}"))
        return None
    if given == ["path"]:
        for key in ("connection", "changed", "every"):
            _refuse(node, key, "belongs to a source that is fetched", problems)
        return None
    more = {"url": ("changed",), "query": _AS_FILES, "resource": (*_AS_FILES, "changed")}
    for key in (*_OF_FILES, *more[given[0]]):
        _refuse(node, key, f"does not go with `{given[0]}`", problems)
    made = Remote(
        url=node.text("url") or "",
        query=node.text("query") or "",
        connection=node.text("connection") or "",
        changed=node.text("changed") or "",
        every=_seconds(node, problems),
        resource=node.text("resource") or "",
    )
    if made.url:
        _check_url(node, made, problems)
    if child := node.child("resource"):
        _check_resource(child, problems)
    for key in ("query", "changed"):
        if child := node.child(key):
            _check_query(child, problems)
    if made.query and not made.connection:
        what = "a query needs a connection"
        problems.append(node.problem(what, then="name it: `connection: shop_db` (docs/sources.md)"))
    return made


def remote_problems(product: Product) -> list[Problem]:
    """Return what is wrong with remote sources in the product that they are of.

    A resource is code, so it opens what any code of the product may open; of what is fetched for
    each partition, its name has to fit into what is asked.
    """
    found, cut = [], product.partitioning
    for port in product.inputs:
        remote = port.remote
        if remote is not None and remote.resource and not product.network and port.source:
            what = "a resource asks other machines, and the product may reach none"
            then = "say `network: true` (docs/declarations.md, What a transform may open)"
            found.append(Problem(what, port.source.where, "resource", next=then))
        if remote is None or port.source is None or not remote.is_cut or cut is None:
            continue
        if cut.lookback:
            what = "`lookback` looks into deliveries that are files here, and this one is fetched"
            then = "select the late rows by the query, or leave `lookback` out"
            found.append(Problem(what, port.source.where, next=then))
        bad = tuple(value for value in cut.values if not is_word(value))
        if bad:
            what = "a partition of this name is not put into an address or a query"
            then = "name partitions by letters, digits and _ . : + -"
            found.append(Problem(what, port.source.where, "partitions", bad, then))
    return found


def _refuse(node: Node, key: str, why: str, problems: list[Problem]) -> None:
    if child := node.child(key):
        problems.append(child.problem(f"`{key}` {why}", then="leave it out"))


def _seconds(node: Node, problems: list[Problem]) -> float:
    said = node.child("every")
    if said is None:
        return 0.0
    found = length_of(str(said.value))
    if not found:
        problems.append(said.problem(f'"{said.value}" is no length of time', choices=LENGTHS))
        return 0.0
    return found.total_seconds()


def _check_url(node: Node, remote: Remote, problems: list[Problem]) -> None:
    child = node.child("url") or node
    what = url_problem(remote.url)
    if what:
        problems.append(child.problem(what, choices=SCHEMES if "scheme" in what else ()))
    elif remote.is_bucket and not remote.connection:
        then = "name what opens it: `connection: lake` (docs/sources.md)"
        problems.append(child.problem("files of a bucket need a connection", then=then))


def url_problem(url: str) -> str:
    """Return what is wrong with an address, or nothing; never a part of it that may be secret.

    >>> url_problem("file:///etc/passwd")
    'is of the scheme "file"'
    >>> url_problem("https://ana:secret@data.example/a.csv")
    'holds a user or password: name a connection instead'
    """
    if _CONTROL.search(url):
        return "is no address: a space or control character stands in it"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is no address"
    if parts.scheme not in SCHEMES:
        return f'is of the scheme "{parts.scheme}"' if parts.scheme else "has no scheme"
    if "@" in parts.netloc:
        return "holds a user or password: name a connection instead"
    if not host:
        return "has no host" if parts.scheme in WEB else "has no bucket"
    if parts.fragment or (parts.scheme == BUCKET and (parts.query or not parts.path.strip("/"))):
        return "names no file"
    if parts.scheme in WEB and not PurePosixPath(parts.path).name:
        return "names no file"
    return "may not contain .." if ".." in PurePosixPath(parts.path).parts else ""


def _check_resource(child: Node, problems: list[Problem]) -> None:
    found = called(str(child.value))
    if found is None:
        what = f'"{child.value}" names no resource'
        then = "write `<file>.py:<name>`, for example `orders.py:orders`"
        problems.append(child.problem(what, then=then))
        return
    file, _, argument = found
    if text_problem(file) or PurePosixPath(file).is_absolute() or ".." in PurePosixPath(file).parts:
        what = f'"{file}" is no file of the product\'s folder'
        problems.append(child.problem(what, then="put it there, where the product is declared"))
    if argument not in {"", PARTITION_KEY}:
        what = f'a resource is not called with "{argument}"'
        then = f"call it with {PARTITION_KEY}, or with nothing"
        problems.append(child.problem(what, then=then))


def _check_query(child: Node, problems: list[Problem]) -> None:
    what = query_problem(str(child.value))
    if what:
        problems.append(child.problem(what, then="write one SELECT"))


def query_problem(text: str) -> str:
    """Return why a text is not one query that only reads, as far as one can tell without asking.

    The database has the last word: it runs in a transaction that may only read.

    >>> query_problem("select 1; drop table orders")
    'is 2 statements'
    >>> query_problem("delete from orders")
    'is not a SELECT'
    """
    from sqlglot import exp, parse
    from sqlglot.errors import SqlglotError

    try:
        asked = text.replace(PARTITION_KEY, "0")
        found = [one for one in parse(asked, dialect="postgres") if one is not None]
    except (SqlglotError, RecursionError):
        return _by_words(text)
    found = [one for one in found if not isinstance(one, exp.Semicolon)]
    if len(found) != 1:
        return f"is {len(found)} statements"
    if not isinstance(found[0], exp.Query):
        return "is not a SELECT"
    writes = found[0].find(exp.DDL, exp.DML, exp.Command, exp.Into, exp.Drop)
    return f"may only read, and contains {writes.key.upper()}" if writes is not None else ""


def _by_words(text: str) -> str:
    """Judge what only its own database can parse: by its first word, and that there is one."""
    first = text.lstrip(" \t\r\n(").split(None, 1)[0:1]
    if not first or first[0].lower() not in {"select", "with", "values", "table"}:
        return "is not a SELECT"
    return "is more than one statement" if ";" in text.rstrip().rstrip(";") else ""
