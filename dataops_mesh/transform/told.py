"""What people are told of a failure of a product's code: its kind, its line, and known words.

Where a product reads or makes anything that is not plainly open, no text of an exception is shown
as it came: domain code chose it, or an engine quotes what domain code gave it. A confined process
may say whatever it likes, so it is asked here, outside of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from dataops_mesh.errors import Location, MeshError, Problem
from dataops_mesh.spec.model import Product
from dataops_mesh.spec.types.telling import Known, advice, told
from dataops_mesh.transform.code import LARGEST, code_files
from dataops_mesh.transform.place import place, workspace

Plain = Callable[[], bool]
_TEXTS = frozenset({".py", ".sql", ".yaml", ".yml"})  # rows of a seed or of a table are values


def unknown() -> bool:
    """Stand for what nobody has said is open: it counts as classified."""
    return False


def asked_later() -> bool:
    """Let everything pass, in a process whose words are judged by whoever started it."""
    return True


def known_of(product: Product) -> Known:
    """Return the names that may be told of a product: what its own texts say."""
    return Known(_texts(product))


def as_told(
    problems: Iterable[Problem], product: Product, file: Path, plain: Plain
) -> tuple[Problem, ...]:
    """Return problems of a product's code as people may see them.

    Args:
        problems: with words that may hold values.
        product: whose code it is.
        file: of the code, where a problem's own place is none of the product's.
        plain: nothing that it reads or makes is classified.
    """
    found = tuple(problems)
    if plain():
        return found
    known = known_of(product)
    return tuple(_told(one, product, file, known) for one in found)


def _told(problem: Problem, product: Product, file: Path, known: Known) -> Problem:
    where = problem.where
    return replace(
        problem,
        what=told(problem.what, known),
        where=where and _place(where, product, file),
        choices=tuple(one for one in problem.choices if known.has(one) or one in _RETURNED),
        next=problem.next if advice(problem.next, known) else "",
    )


_RETURNED = ("a SELECT", "a DuckDB relation", "an Arrow, pandas or polars frame")


def _place(where: Location, product: Product, file: Path) -> Location:
    """Return a line that is there, of a file of the product: both may be made of values."""
    root = workspace(product)
    found = Path(where.file) if root is None else root / where.file
    try:
        own = {one.resolve() for one in _files(product)}
        if found.resolve() in own and where.line <= found.read_bytes().count(b"\n") + 1:
            return where
    except (OSError, ValueError):
        pass
    return place(product, file)


def _texts(product: Product) -> Iterator[str]:
    yield "\n".join((product.qualified_name, *(str(port.address) for port in product.outputs)))
    files = _files(product)
    yield "\n".join(f"{file} {file.stem}" for file in files)
    for file in files:
        if file.suffix in _TEXTS and file.is_file() and file.stat().st_size <= LARGEST:
            yield file.read_text("utf-8-sig", "replace")


def _files(product: Product) -> tuple[Path, ...]:
    """Return the files that say what the product is, and none of what it is delivered."""
    try:
        files = [*product.transform.files, *code_files(product).values(), *product.included]
        return tuple(dict.fromkeys((*files, *sorted(product.folder.glob("*.od?s.yaml")))))
    except (MeshError, OSError):
        return ()
