"""What goes on record of a product's files is the product's: links are followed, then asked.

The gate reads with its own rights, which are more than those of whoever wrote the product. So no
file is read for the record that lies in another domain, out of the workspace, or where no code may
look, whatever leads there.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from dataops_mesh.errors import DeclarationError, Problem
from dataops_mesh.settings import Settings
from dataops_mesh.spec.model import Product
from dataops_mesh.spec.paths import first_link, is_inside
from dataops_mesh.transform.dbt.files import Bounds, strays
from dataops_mesh.transform.place import stray

_IMPORTED = "import:"  # a module that is none of the workspace's


def link_problems(
    files: Iterable[Path], product: Product, settings: Settings, root: Path | None = None
) -> Iterator[Problem]:
    """Yield what is wrong with files that are links to where the product may not read.

    Args:
        files: those that are to be read.
        product: whose.
        settings: they say what is hidden.
        root: the workspace of the product, if it is not that of the settings.
    """
    home = root or settings.root
    bounds = _bounds(product, settings, home)
    wrong = [file for file in files if _strays(file, home, bounds)]
    links = (first_link(file, home, lambda at: not bounds.allow(at)) for file in wrong)
    yield from (stray(product, link) for link in dict.fromkeys(links))


def require_own_files(
    files: Iterable[Path], product: Product, settings: Settings, root: Path | None = None
) -> None:
    """Make sure that no file is a link to where the product may not read.

    Raises:
        DeclarationError: with every one that is.
    """
    if problems := [*link_problems(files, product, settings, root)]:
        raise DeclarationError(problems)


def require_own_code(files: Mapping[str, Path], product: Product, settings: Settings) -> None:
    """Make sure that what built a product may be on record, by the names of `code_files`.

    What was imported is what a confined process says: it may name any file, so only modules count.

    Raises:
        DeclarationError: a file is a link to where the product may not read, or none that can be
            imported.
    """
    require_own_files(files.values(), product, settings)
    bounds = _bounds(product, settings, settings.root)
    said = [file for name, file in files.items() if name.startswith(_IMPORTED)]
    if problems := [stray(product, file) for file in said if not _is_module(file, bounds)]:
        raise DeclarationError(problems)


def _bounds(product: Product, settings: Settings, home: Path) -> Bounds:
    domain = product.folder.parent
    domains = domain.parent
    hidden = frozenset(path.resolve() for path in settings.hidden_paths)
    within = home if is_inside(domain, home) else domains  # a package lies in no workspace
    return Bounds(within.resolve(), domains.resolve(), domain.resolve(), hidden)


def _strays(file: Path, root: Path, bounds: Bounds) -> bool:
    written, home = Path(os.path.abspath(file)), Path(os.path.abspath(root))  # noqa: PTH100 # keeps links
    if home in written.parents:
        return strays(written, home, bounds)
    # Of a package, or of a setting.
    return written.is_symlink() and strays(written, written.parent, bounds)


def _is_module(file: Path, bounds: Bounds) -> bool:
    try:
        real = file.resolve()
    except (OSError, RuntimeError):
        return False
    if real.suffix != ".py" or any(is_inside(real, one) for one in bounds.hidden):
        return False
    return not is_inside(real, bounds.domains) or is_inside(real, bounds.own)
