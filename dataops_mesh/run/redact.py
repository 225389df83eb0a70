"""What may be said of an error without repeating a value of the data.

DuckDB prints whole cells ("Could not convert string 'DE89...' to INT32"), and so can a
transform. The full text goes to a private file beside the candidate; people are told the class
of the error, the line of the transform, and where that file is.
"""

from __future__ import annotations

import traceback
from pathlib import Path

# Their messages speak of identifiers, files and limits, never of rows.
SAFE = frozenset(
    {
        "BinderException",
        "CatalogException",
        "ParserException",
        "OutOfMemoryException",
        "IOException",
        "ModuleNotFoundError",
        "ImportError",
        "FileNotFoundError",
        "NameError",
    }
)


def safe_message(error: BaseException) -> str:
    """Return the error's class and, only where that is safe, its first line.

    >>> safe_message(ValueError("DE89 3704 0044 0532 0130 00"))
    'ValueError'
    """
    name = type(error).__name__
    if name not in SAFE:
        return name
    first = str(error).strip().splitlines()
    return f"{name}: {first[0]}" if first else name


def line_in(error: BaseException, file: Path) -> int:
    """Return the innermost line of `file` in the error's traceback, or 1."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f.lineno for f in frames if Path(f.filename) == file and f.lineno]
    return lines[-1] if lines else 1


def keep_full_text(error: BaseException, file: Path) -> None:
    """Write the unredacted traceback where only the pipeline's identity can read it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(traceback.format_exception(error))
    file.touch(mode=0o600)
    file.chmod(0o600)
    file.write_text(text, "utf-8")
