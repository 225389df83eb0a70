"""What may be said of an error without repeating a value of the data.

DuckDB prints whole cells ("Could not convert string 'DE89...' to INT32"), and so can a
transform. The full text goes to a private file beside the candidate; people are told the class
of the error, the line of the transform, and where that file is.
"""

from __future__ import annotations

import os
import re
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

from dataops_mesh.quality.redact import shown
from dataops_mesh.spec.types.casts import cast_in

LONGEST = 500
_NAME = re.compile(r"[A-Za-z_.]{1,80}", re.ASCII)
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
        "NameError",
    }
)


def harmless(text: str) -> str:
    r"""Return the text without what steers a terminal: colours, titles, the cursor, the clipboard.

    >>> harmless("a\tb\x1b]52;c;eA==\x07c")
    'a\tb]52;c;eA==c'
    """
    return "".join(letter for letter in text if letter.isprintable() or letter in "\n\t")


def safe_message(error: BaseException, code: str = "") -> str:
    """Return the error's class and, only where that is safe, its first line.

    Of the system's errors, what the number means; the rest is up to whoever raised it. Of a cast
    that failed, the column, where the code that raised it names one.

    >>> safe_message(ValueError("DE89 3704 0044 0532 0130 00"))
    'ValueError'
    """
    name = _class_name(type(error))
    if isinstance(error, OSError) and error.errno:
        return f"{name}: {os.strerror(error.errno)}"
    if name == "ConversionException" and code and (said := cast_in(text_of(error), code)):
        return f"{name}: {said}"
    if name not in SAFE:
        return name
    first = text_of(error).strip().splitlines()
    # Such an error can be raised on purpose, with any text.
    return f"{name}: {shown(first[0], LONGEST)}" if first else name


def text_of(error: BaseException) -> str:
    """Return what an error says; nothing where it cannot say it."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - code of whoever wrote its class
        return ""


def _class_name(kind: type) -> str:
    """Return the name of a class as its module's text has it; one made of data has none there."""
    for base in kind.__mro__:
        module = sys.modules.get(base.__module__)
        if _NAME.fullmatch(base.__name__) and getattr(module, base.__name__, None) is base:
            return base.__name__
    return "Exception"


def line_in(error: BaseException, file: Path) -> int:
    """Return the innermost line of `file` in the error's traceback, or 1.

    An engine that called back into the file quotes that traceback in its own message.
    """
    quoted = re.compile(rf'File "{re.escape(str(file))}", line (\d+)')
    for link in all_links(error):
        frames = traceback.extract_tb(link.__traceback__)
        lines = [f.lineno for f in frames if Path(f.filename) == file and f.lineno]
        lines += [int(line) for line in quoted.findall(text_of(link))]
        if lines:
            return lines[-1]
    return 1


def keep_full_text(error: BaseException, file: Path) -> None:
    """Write the unredacted tracebacks where only the pipeline's identity can read them."""
    file.parent.mkdir(parents=True, exist_ok=True)
    links = reversed(list(all_links(error)))  # also those that `from None` hides from people
    text = "\n".join("".join(traceback.format_exception(link, chain=False)) for link in links)
    file.touch(mode=0o600)
    file.chmod(0o600)
    file.write_text(text, "utf-8")


def interruption(error: BaseException) -> BaseException | None:
    """Return the Ctrl-C or termination behind an error, if there is one.

    DuckDB turns whatever a signal handler raises during a query into a RuntimeError.
    """
    links = (link for link in all_links(error) if not isinstance(link, (Exception, SystemExit)))
    return next(links, None)


def all_links(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and what caused it, also what `from None` hides from people."""
    link: BaseException | None = error
    seen: set[int] = set()
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__
