"""What a transform asks of chance or of the real clock: built again, other rows come of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from dataops_mesh.errors import Problem
from dataops_mesh.spec.model import Product, TransformKind
from dataops_mesh.spec.tokens import kind, words
from dataops_mesh.transform.code import code_files
from dataops_mesh.transform.dlt.problems import resource_files
from dataops_mesh.transform.place import place

_SQL_CLOCK = frozenset(
    {"now", "today", "get_current_timestamp", "get_current_time", "transaction_timestamp"}
)
_SQL_WORDS = frozenset(
    {"current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"}
)
_SQL_CHANCE = frozenset({"random", "uuid", "gen_random_uuid", "uuidv4", "uuidv7"})
_QUOTED = frozenset({"IDENTIFIER", "STRING"})
_CLOCK = frozenset(
    {
        *("datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today"),
        *("datetime.date.today", "time.time", "time.time_ns"),
        *("pandas.Timestamp.now", "pandas.Timestamp.today", "pandas.Timestamp.utcnow"),
    }
)
_CHANCE = frozenset({"uuid.uuid1", "uuid.uuid4", "os.urandom"})
_SEEDED = ("random", "numpy.random")  # by `seed(7)`, or a generator that is made of a number
_GENERATORS = frozenset(
    {"random.Random", *(f"numpy.random.{one}" for one in ("default_rng", "RandomState"))}
)
_BY_CLOCK = "not reproducible: {} is the real clock"
_BY_CHANCE = "not reproducible: {} is another one each time"


def chance_notes(product: Product) -> tuple[Problem, ...]:
    """Return where a SQL or Python transform asks for chance or the real clock."""
    match product.transform.kind:
        case TransformKind.SQL:
            files = [file for file in code_files(product).values() if file.suffix == ".sql"]
            return tuple(note for file in files for note in _sql_notes(product, file))
        case TransformKind.PYTHON:
            asked = resource_files(product)  # what they bring is kept as it came
            found = (file for file in code_files(product).values() if file.suffix == ".py")
            own = [file for file in found if file not in asked]
            return tuple(note for file in own for note in _python_notes(product, file))
    return ()


def _sql_notes(product: Product, file: Path) -> Iterator[Problem]:
    tokens = words(_text(file))
    for index, token in enumerate(tokens):
        name, before = token.text.lower(), kind(tokens, index - 1)
        if kind(tokens, index) in _QUOTED or before in {"DOT", "ALIAS", "DCOLON"}:
            continue
        called = kind(tokens, index + 1) == "L_PAREN"
        if name in _SQL_WORDS or (called and name in _SQL_CLOCK):
            said = _BY_CLOCK.format(name if name in _SQL_WORDS else f"{name}()")
            then = "ask for mesh_now(), which is on record"
        elif called and name in _SQL_CHANCE:
            said = _BY_CHANCE.format(f"{name}()")
            then = "make it of a column, as hash(id) or md5(id::text)"
        else:
            continue
        yield Problem(said, place(product, file, token.line), next=then)


def _python_notes(product: Product, file: Path) -> Iterator[Problem]:
    try:
        tree = ast.parse(_text(file))
    except SyntaxError:  # told where it is imported
        return
    known = dict(_imported(tree))
    found = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    calls = [(node, _called(node.func, known)) for node in found]
    seeded = {name.removesuffix(".seed") for node, name in calls if _is_seed(node, name)}
    for node, name in sorted(calls, key=lambda one: one[0].lineno):
        if name in _CLOCK:
            said = _BY_CLOCK.format(f"{name}()")
            then = "ask for the parameter `now`, which is on record"
        elif _is_chance(node, name, seeded):
            said = _BY_CHANCE.format(f"{name}()")
            then = "make it of a column, or by a generator with a seed, as random.Random(7)"
        else:
            continue
        yield Problem(said, place(product, file, node.lineno), next=then)


def _is_seed(node: ast.Call, name: str) -> bool:
    return name in {f"{one}.seed" for one in _SEEDED} and bool(node.args or node.keywords)


def _is_chance(node: ast.Call, name: str, seeded: set[str]) -> bool:
    if name in _GENERATORS or name.endswith(".seed"):
        return not (node.args or node.keywords)
    module = name.rpartition(".")[0]
    return name in _CHANCE or module == "secrets" or (module in _SEEDED and module not in seeded)


def _imported(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield the names that imports give, each with what it stands for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                first = one.name.partition(".")[0]
                yield (one.asname, one.name) if one.asname else (first, first)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for one in node.names:
                yield one.asname or one.name, f"{node.module}.{one.name}"


def _called(function: ast.expr, known: dict[str, str]) -> str:
    """Return the whole name of what is called, if it was imported."""
    parts = list[str]()
    while isinstance(function, ast.Attribute):
        parts.append(function.attr)
        function = function.value
    if not isinstance(function, ast.Name) or function.id not in known:
        return ""
    return ".".join((known[function.id], *reversed(parts)))


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):  # told where it is read
        return ""
