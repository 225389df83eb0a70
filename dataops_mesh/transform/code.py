"""Every file that builds a product: its own, its dbt project's, and the modules it imports."""

from __future__ import annotations

import ast
import hashlib
import os
import re
import site
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import translate
from functools import lru_cache
from pathlib import Path

from dataops_mesh.spec.macros import macro_files
from dataops_mesh.spec.model import PARTITION_KEY, Product, TransformKind
from dataops_mesh.spec.names import EXAMPLES
from dataops_mesh.transform.dbt.environment import spoken
from dataops_mesh.transform.dbt.files import project_files
from dataops_mesh.transform.dbt.project import bounds_of, project_folder
from dataops_mesh.transform.dlt.problems import resource_files

_PACKAGE = Path(__file__).resolve().parents[1]
_LIBRARIES = frozenset({"site-packages", "dist-packages"})
# What else lies in a product's folder: declarations have fingerprints of their own, what people
# decided is kept with each verdict, and neither examples nor tests nor words build anything.
_BESIDE = frozenset({"accepted", "approvals", EXAMPLES, "inputs", "tests"})
_DECLARED = (".odps.yaml", ".odcs.yaml", ".md")
_WORDS = frozenset({"waivers.yaml", "definitions.py"})
LARGEST = 10_000_000  # bytes; beyond it a file is a delivery that nobody declared


def code_files(product: Product, imported: Iterable[str] = ()) -> dict[str, Path]:
    """Return the files that build a product, by a name that is the same on every machine.

    Of a Python product, and of one with a resource as a source, these are all files in its folder
    that it may open and that are no declaration, delivery or text for people (a table of rates
    counts as a module does), and the modules that it imports from folders that were joined to the
    interpreter and not installed into it: nobody's lock file says what is in them.

    Args:
        product: whose.
        imported: files that its process said it had imported.
    """
    transform = product.transform
    if transform.kind is TransformKind.DBT:
        return project_files(project_folder(product), bounds_of(product))
    if transform.kind is TransformKind.SQL:
        queries = {file.name: file for file in transform.files} | {
            f"{_label(file.parent, product)}:{file.name}": file for file in macro_files(product)
        }
        return queries | _python_files(product, ()) if resource_files(product) else queries
    return _python_files(product, imported)


def _python_files(product: Product, imported: Iterable[str]) -> dict[str, Path]:
    own = {file.relative_to(product.folder).as_posix(): file for file in _own(product)}
    folders = dict.fromkeys(joined_folders(), "import")
    folders |= {folder: _label(folder, product) for folder in product.shared}
    joined = dict(_imports(own.values(), folders))
    joined |= _beside_modules(joined)
    said = (Path(text) for text in imported if text.endswith(".py"))
    more = {file for file in said if file.is_file() and not _is_installed(file)}
    known = {*own.values(), *joined.values()}
    return own | joined | {f"import:{file.name}": file for file in sorted(more - known)}


def transform_digest(product: Product, more: str = "") -> str:
    """Return a digest of everything that builds a product: files, and variables that it reads.

    Args:
        product: whose.
        more: what else is to make a difference.
    """
    digest = code_digest(code_files(product))
    said = more + spoken(product)
    return hashlib.sha256(f"{digest}\0{said}".encode()).hexdigest()[:16] if said else digest


def code_digest(files: Mapping[str, Path]) -> str:
    """Return a digest of files and of their names."""
    digest = hashlib.sha256()
    for name, file in sorted(files.items()):
        digest.update(name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


@lru_cache(maxsize=1)
def joined_folders() -> tuple[Path, ...]:
    """Return the folders that `.pth` files join to this interpreter: checkouts, not installed."""
    found = []
    for folder in map(Path, site.getsitepackages()):
        for file in sorted(folder.glob("*.pth")):
            lines = file.read_text("utf-8", "replace").splitlines()
            found += [Path(line) for line in lines if line.startswith("/") and Path(line).is_dir()]
    return tuple(dict.fromkeys(found))


def _own(product: Product) -> Iterator[Path]:
    folder = product.folder
    here = (p.source for p in product.inputs if p.source and not p.source.remote)
    delivered = [_delivered(folder, source.path) for source in here]
    for file in sorted(folder.rglob("*")):
        if _is_beside(file.relative_to(folder).parts) or not file.is_file():
            continue
        large = file.suffix != ".py" and file.stat().st_size > LARGEST
        if not (large or any(pattern.match(str(file)) for pattern in delivered)):
            yield file


def unread_of(product: Product) -> frozenset[Path]:
    """Return what lies in a product's folder, is not in its version and so may build nothing."""
    found = []
    for text, names, files in os.walk(product.folder.resolve()):
        parts = Path(text).relative_to(product.folder.resolve()).parts
        beside = [name for name in names if _is_beside((*parts, name))]
        names[:] = sorted(set(names) - set(beside))
        found += [Path(text, name) for name in beside]
        found += [
            Path(text, name)
            for name in files
            if _is_beside((*parts, name)) and not name.endswith(_DECLARED[:2])
        ]
    return frozenset(found)


def _is_beside(parts: Sequence[str]) -> bool:
    """Tell whether a path in a product's folder is none of what builds it."""
    hidden = any(part.startswith((".", "__pycache__")) for part in parts)
    return hidden or parts[0] in _BESIDE or parts[-1].endswith(_DECLARED) or parts[-1] in _WORDS


def _delivered(folder: Path, path: str) -> re.Pattern[str]:
    """Return what matches the files of a source, those of other partitions too."""
    return re.compile(translate(str(folder / path.replace(PARTITION_KEY, "*"))))


def _label(folder: Path, product: Product) -> str:
    """Return what tells the shared folders of a product apart on every machine."""
    return "domain" if folder.parent == product.folder.parent else "workspace"


def _beside_modules(found: Mapping[str, Path]) -> dict[str, Path]:
    """Return the other files of the shared packages that are imported: their code may open them."""
    more = {}
    for name, file in found.items():
        label, _, inner = name.partition(":")
        package, _, rest = inner.partition("/")
        if label == "import" or not rest:
            continue
        folder = file.parents[rest.count("/")]
        for other in folder.rglob("*"):
            parts = other.relative_to(folder).parts
            if other.is_file() and not any(part.startswith((".", "__pycache__")) for part in parts):
                more[f"{label}:{package}/{other.relative_to(folder).as_posix()}"] = other
    return more


def _imports(files: Iterable[Path], folders: Mapping[Path, str]) -> Iterator[tuple[str, Path]]:
    """Yield what files import from folders, and what that imports in turn, by name."""
    waiting, seen = [(file, "") for file in files], set[Path]()
    while waiting:
        file, package = waiting.pop()
        for name in _imported_names(file, package):
            for folder, label in folders.items():
                for found in _found(folder, name):
                    if found in seen or found.is_relative_to(_PACKAGE):
                        continue
                    seen.add(found)
                    shown = found.relative_to(folder)
                    yield f"{label}:{shown.as_posix()}", found
                    waiting.append((found, ".".join(shown.parent.parts)))


def _imported_names(file: Path, package: str) -> Iterator[str]:
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError, OSError):  # `mesh check` says so
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".") if package else []
            near = parts[: len(parts) - node.level + 1] if node.level else []
            base = ".".join([*near, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}".strip(".") for alias in node.names)


def _found(folder: Path, name: str) -> Iterator[Path]:
    """Yield the files that `import name` runs: of each package its `__init__.py`, and the module.

    The last part of a name may be no module: `from package import function`.
    """
    path = folder
    for part in name.split("."):
        path /= part
        for file in (path / "__init__.py", path.with_suffix(".py")):
            if part.isidentifier() and file.is_file():
                yield file


def _is_installed(file: Path) -> bool:
    below = not _LIBRARIES.isdisjoint(file.parts) or file.is_relative_to(_PACKAGE)
    return below or "lib/python" in file.as_posix()
