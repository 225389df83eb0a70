"""Code of a domain runs from its source: a compiled file beside it may be of other source.

Python takes `__pycache__/x.pyc` for `x.py` by what that file says of itself. It is in no commit and
in no version of the code, so the record would say other code than ran.
"""

from __future__ import annotations

import sys
from importlib.abc import PathEntryFinder
from importlib.machinery import (
    BYTECODE_SUFFIXES,
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    SourceFileLoader,
    SourcelessFileLoader,
)
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType

from dataops_mesh.transform.confine.rules import is_installation

_OURS = Path(__file__).resolve().parents[3]


class FromSource(SourceFileLoader):
    """Loads a module from its source, whatever is compiled of it."""

    def get_code(self, fullname: str) -> CodeType:
        """Return the module's code."""
        path = self.get_filename(fullname)
        code: CodeType = self.source_to_code(self.get_data(path), path)
        return code


_FINDER = FileFinder.path_hook(
    (ExtensionFileLoader, EXTENSION_SUFFIXES),
    (FromSource, SOURCE_SUFFIXES),
    (SourcelessFileLoader, BYTECODE_SUFFIXES),
)


def import_from_source() -> None:
    """Let what was not installed be imported from its source, from now on in this process."""
    sys.path_hooks.insert(0, _finder)
    for entry in sys.path:
        if _is_code(entry):
            sys.path_importer_cache.pop(entry, None)


def module_of(name: str, file: Path) -> ModuleType:
    """Return a new module of a file, under a name of its own, and not run yet.

    Raises:
        ImportError: it is no module.
    """
    from importlib.util import module_from_spec

    spec = spec_from_file_location(name, file, loader=FromSource(name, str(file)))
    if spec is None:
        raise ImportError(str(file))
    module = module_from_spec(spec)
    sys.modules[name] = module
    return module


def run_module(module: ModuleType) -> None:
    """Run a module that `module_of` made."""
    spec = module.__spec__
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(module)


def _finder(entry: str) -> PathEntryFinder:
    if not _is_code(entry):
        raise ImportError(entry)  # the next one finds it
    return _FINDER(entry)


def _is_code(entry: str) -> bool:
    folder = Path(entry)
    return folder.is_dir() and not is_installation(folder) and folder.resolve() != _OURS
