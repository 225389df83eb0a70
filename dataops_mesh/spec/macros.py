"""SQL macros that a domain or the workspace shares: written out where a query calls them.

    -- shared/money.sql
    create macro in_euro(amount, rate) as round(amount * rate, 2);

What is checked, bound, traced and run is the query with the macro written out, so that nothing
about a product is hidden in another file. A macro is one expression of its parameters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dataops_mesh.errors import DeclarationError, Location, Problem
from dataops_mesh.spec.merge import MERGE, with_merges
from dataops_mesh.spec.names import is_name
from dataops_mesh.spec.parameters import FUNCTION, filled
from dataops_mesh.spec.sql import parse_select
from dataops_mesh.spec.tokens import arguments, closing, flat, is_call, kind, words

if TYPE_CHECKING:
    from dataops_mesh.spec.model import Product

_HEAD = re.compile(
    r"(?:^|;)\s*create\s+(?:or\s+replace\s+)?(?:temp(?:orary)?\s+)?(?:macro|function)\s+"
    r"(\w+)\s*\(([^()]*)\)\s*as\b",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_NAMED = re.compile(r"\b(?:macro|function)\s+(\w+)", re.IGNORECASE)
_OURS = frozenset({"mesh_now", "partition_key", "partition_start", "partition_end", MERGE,
                   FUNCTION})  # fmt: skip
_EXAMPLE = "create macro in_euro(amount, rate) as round(amount * rate, 2);"


@dataclass(frozen=True, slots=True)
class Macro:
    """An expression with a name.

    Args:
        body: the expression, on one line.
        file: where it is defined.
    """

    name: str
    parameters: tuple[str, ...]
    body: str
    file: Path
    where: Location


def written_out(text: str, product: Product, where: Location) -> str:
    """Return a query with macros and parameters written out, line by line as it was.

    Args:
        text: the query.
        product: whose it is.
        where: its first line.

    Raises:
        DeclarationError: a macro that it calls is wrong, or called wrongly.
    """
    text = with_merges(text, product, where)
    macros = _called(text, product)
    return filled(_expand(text, macros, where, ()) if macros else text, product, where)


def macro_files(product: Product) -> tuple[Path, ...]:
    """Return the files of the macros that the product's SQL calls; none where they are wrong."""
    if not product.shared:
        return ()
    found: dict[Path, None] = {}
    for file in product.transform.files:
        try:
            macros = _called(file.read_text("utf-8-sig"), product)
        except (DeclarationError, OSError, UnicodeDecodeError):
            continue
        found |= dict.fromkeys(macro.file for macro in macros.values())
    return tuple(found)


def wrong_macros(product: Product) -> tuple[Problem, ...]:
    """Return what is wrong in the shared files of a product, whoever calls it."""
    found: list[Problem] = []
    for file in (file for folder in product.shared for file in sorted(folder.glob("*.sql"))):
        try:
            list(_macros(_read(file, product), file, product))
        except DeclarationError as error:
            found += error.problems
    return tuple(found)


def _called(text: str, product: Product) -> dict[str, Macro]:
    """Return the macros that a query calls, and those that these call, by name."""
    files = [file for folder in product.shared for file in sorted(folder.glob("*.sql"))]
    if not files:
        return {}
    texts = {file: _read(file, product) for file in files}
    names: dict[str, list[Path]] = {}
    for file, one in texts.items():
        for name in dict.fromkeys(n.lower() for n in _NAMED.findall(_COMMENT.sub(" ", one))):
            names.setdefault(name, []).append(file)
    found: dict[str, Macro] = {}
    waiting = [name for name in _calls(text) if name in names]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        macros = [
            m for file in names[name] for m in _macros(texts[file], file, product) if m.name == name
        ]
        if len(macros) > 1:
            what = f'the macro "{name}" is also defined at {macros[0].where}'
            raise _error(what, macros[1].where, "give one of them another name")
        found |= {one.name: one for one in macros}
        waiting += [other for one in macros for other in _calls(one.body) if other in names]
    return found


def _read(file: Path, product: Product) -> str:
    try:
        return file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        what = "cannot be read as UTF-8 text"
        raise _error(what, Location(_shown(file, product), 1)) from None


def _shown(file: Path, product: Product) -> str:
    """Return a shared file as the product's own are shown: from the workspace's folder."""
    root = product.folder
    for _ in Path(product.where.file).parent.parts:
        root = root.parent
    return file.relative_to(root).as_posix() if file.is_relative_to(root) else file.name


def _macros(text: str, file: Path, product: Product) -> Iterator[Macro]:
    """Yield the macros of a file.

    Raises:
        DeclarationError: something in it is no macro, or not one that can be written out.
    """
    shown = _shown(file, product)
    plain = _COMMENT.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    heads = list(_HEAD.finditer(plain))
    start = len(plain) - len(plain.lstrip())
    if not heads or heads[0].start() > start:
        line = plain.count("\n", 0, start) + 1
        raise _error("is no macro", Location(shown, line), f"write: {_EXAMPLE}")
    for head, after in zip(heads, [*(one.start() for one in heads[1:]), len(plain)], strict=True):
        line = plain.count("\n", 0, head.start(1)) + 1
        yield _macro(head, text[head.end() : after], file, Location(shown, line))


def _macro(head: re.Match[str], rest: str, file: Path, where: Location) -> Macro:
    from sqlglot import exp
    from sqlglot.dialects.dialect import Dialect

    known = Dialect.get_or_raise("duckdb").parser_class.FUNCTIONS
    name = head[1].lower()
    parameters = tuple(one.strip().lower() for one in head[2].split(",") if one.strip())
    odd = next((one for one in parameters if not is_name(one)), "")
    if odd:
        what = f'"{odd}" is no plain name of a parameter'
        raise _error(what, where, "write names only, without types and defaults")
    if not is_name(name) or name in _OURS or name.upper() in known:
        what = f'a macro may not be called "{head[1]}"'
        raise _error(what, where, "give it a name of your own, in lower case")
    body = flat(rest).rstrip("; ")
    if body.lower().startswith("table"):
        what = "makes a table, and only a macro that makes a value can be shared"
        raise _error(what, where, "publish the table as a product, and read its port")
    query = parse_select(f"SELECT {body}", where)
    strange = {c.sql("duckdb").lower() for c in query.find_all(exp.Column)} - set(parameters)
    inner = (exp.Table, exp.Subquery, exp.Lambda)
    wrong = ""
    if query.find(*inner) is not None or len(list(query.find_all(exp.Query))) > 1:
        wrong = "reads a table, or has a query or a lambda inside"
    elif len(query.expressions) != 1:
        wrong = "is not one expression"
    elif strange:
        wrong = f"uses {', '.join(sorted(strange))}, which is no parameter of it"
    if wrong:
        raise _error(f'the macro "{name}" {wrong}', where, f"write one like: {_EXAMPLE}")
    return Macro(name, parameters, body, file, where)


def _calls(text: str) -> list[str]:
    tokens = words(text)
    return [tokens[n].text.lower() for n in range(len(tokens)) if is_call(tokens, n)]


def _expand(text: str, macros: Mapping[str, Macro], where: Location, trail: tuple[str, ...]) -> str:
    tokens = words(text)
    parts, done, index = list[str](), 0, 0
    while index < len(tokens):
        name = tokens[index].text.lower()
        end = closing(tokens, index + 1) if name in macros and is_call(tokens, index) else None
        if end is None:
            index += 1
            continue
        line = text.count("\n", 0, tokens[index].start)
        here = Location(where.file, where.line + line) if not trail else where
        if name in trail:
            raise _error(
                f"macros call each other: {' -> '.join([*trail, name])}", macros[name].where
            )
        given = [
            _expand(one, macros, here, trail)
            for one in arguments(text, tokens[index + 1 : end + 1])
        ]
        was = text[tokens[index].start : tokens[end].end + 1]
        made = _filled(macros[name], given, macros, here, (*trail, name))
        parts += [
            text[done : tokens[index].start],
            made,
            "\n" * (was.count("\n") - made.count("\n")),
        ]
        done, index = tokens[end].end + 1, end + 1
    return "".join([*parts, text[done:]])


def _filled(
    macro: Macro, given: Sequence[str], macros: Mapping[str, Macro], where: Location,
    trail: tuple[str, ...],
) -> str:  # fmt: skip
    """Return the macro's expression with what was given in the place of its parameters."""
    named = any(kind(words(one), 1) in {"COLON_EQ", "FARROW"} for one in given)
    if named or len(given) != len(macro.parameters):
        takes = f"{macro.name}({', '.join(macro.parameters)})"
        what = f"calls {macro.name} with {len(given)} values" + (" by name" if named else "")
        raise _error(what, where, f"write {takes}, as {macro.where} has it")
    body = _expand(macro.body, macros, where, trail)
    values = dict(zip(macro.parameters, given, strict=True))
    tokens, parts, done = words(body), list[str](), 0
    for index, token in enumerate(tokens):
        value = values.get(token.text.lower()) if kind(tokens, index) == "VAR" else None
        if value is not None and kind(tokens, index - 1) != "DOT" and not is_call(tokens, index):
            parts += [body[done : token.start], f"({value})"]
            done = token.end + 1
    return f"({''.join([*parts, body[done:]])})"


def _error(what: str, where: Location, then: str = "") -> DeclarationError:
    return DeclarationError(Problem(what, where, next=then))
