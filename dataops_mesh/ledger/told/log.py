"""The log: a line of JSON for each fact, for whatever collects logs.

Not structlog: an event is a flat dictionary already, and its file loggers hand a line to a buffer
that several processes would tear. Here all lines of a moment are one append by the system.
"""

from __future__ import annotations

import logging
import os
import stat
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from dataops_mesh.ledger.told.facts import Fact

Tell = Callable[[Iterable[Fact]], None]
LOGGER = logging.getLogger("dataops_mesh.log")
# The file is opened for each write, so whoever rotates it may rename it or cut it.
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC

_MOMENT = 0.01


def nobody(facts: Iterable[Fact]) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Log:
    """Where facts are told.

    Args:
        file: a file that lines are added to; None for the process's standard error.
        always: what every line says: the repository, the sandbox.
    """

    file: Path | None
    always: Mapping[str, Any]

    def __call__(self, facts: Iterable[Fact]) -> None:
        """Write a line for each fact. What goes wrong is said once and stops nothing."""
        try:
            self._write(b"".join(_line({**fact, **self.always}) for fact in facts))
        except OSError as error:
            _say(f"{self.file or 'standard error'}: {error.strerror or type(error).__name__}")
        except ValueError:  # standard error is closed
            _say("standard error is closed")

    def _write(self, lines: bytes) -> None:
        if not lines:
            return
        if self.file is None:
            sys.stderr.flush()
            _append(sys.stderr.fileno(), lines)
            return
        target = os.open(self.file, _FLAGS, 0o640)
        try:
            _append(target, b"\n" + lines if _is_cut(self.file) else lines)
        finally:
            os.close(target)


def _append(target: int, lines: bytes) -> None:
    written = os.write(target, lines)
    if written != len(lines):
        raise OSError(None, f"only {written} of {len(lines)} bytes could be written")


def _is_cut(file: Path) -> bool:
    """Tell whether the last line has no end, as a full disk leaves it."""
    if not stat.S_ISREG(file.stat().st_mode) or _ends(file)[1] in b"\n":
        return False
    before = _ends(file)
    time.sleep(_MOMENT)  # or another process is in the middle of it
    return _ends(file) == before and before[1] not in b"\n"


def _ends(file: Path) -> tuple[int, bytes]:
    """Return how long a file is, and its last byte."""
    with file.open("rb") as opened:
        size = opened.seek(0, os.SEEK_END)
        opened.seek(max(size - 1, 0))
        return size, opened.read(1)


def _line(fact: Fact) -> bytes:
    import orjson

    return orjson.dumps(fact, option=orjson.OPT_APPEND_NEWLINE, default=str)


@cache
def _say(what: str) -> None:
    LOGGER.warning("the log is not written: %s; what happened is on record all the same", what)
