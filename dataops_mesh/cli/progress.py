"""The progress of a run on stderr: one line per product, its stages while it is watched."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from dataops_mesh.cli.output import lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dataops_mesh.factory.runner import Ended

WHY_LINES = 12
_CLEAR = "\r\x1b[2K"
_LAST_STAGES = ("published as ", "refused", "cancelled ")


class Progress(logging.Handler):
    """Shows what the library logs of a run; a stage that ends a product ends its line.

    Args:
        names: the products' names, so that their lines are aligned.
        stream: where to; a terminal also sees the stages, a file only how it ended.
    """

    def __init__(self, names: Iterable[str], stream: TextIO) -> None:
        super().__init__(logging.INFO)
        self.width = max(map(len, names), default=0)
        self.stream = stream
        self.live = stream.isatty()
        self.open = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Show one stage: the log's arguments are the product and the stage."""
        if not isinstance(record.args, tuple) or len(record.args) != 2:  # noqa: PLR2004 - a pair
            self.line(record.getMessage())
            return
        name, stage = map(str, record.args)
        if stage.startswith(_LAST_STAGES):
            self._start(name)
            self._write(f"{stage}\n")
            self.open = ""
        elif self.live:
            self._start(name)
            self._write(stage)
        elif self.open != name:
            self._start(name)

    def line(self, text: str) -> None:
        """Write a line of its own."""
        before = (_CLEAR if self.live else "\n") if self.open else ""
        self.open = ""
        self._write(f"{before}{text}\n")

    def ended(self, ended: Ended) -> None:
        """Say why a product was not published, and that it never started or broke off."""
        piece = f" {ended.partition}" if ended.partition else ""
        name, ending = ended.product.qualified_name + piece, ended.ending.value
        reasons = list(lines(ended.why, WHY_LINES))
        if ending == "refused":
            reasons = reasons[1:]  # that it was refused stands on the line before
        elif ending != "published":
            self._start(name)
            self._write(f"{ending}\n")
            self.open = ""
        for reason in reasons:
            self.line(f"    {reason}")

    def _start(self, name: str) -> None:
        """Begin the product's line, or begin it again where a terminal allows that."""
        if self.live:
            self._write(_CLEAR)
        elif self.open == name:
            return
        elif self.open:
            self._write("\n")
        self.open = name
        self._write(f"  {name:<{self.width}}  ")

    def _write(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()


@contextmanager
def progress(names: Iterable[str]) -> Iterator[Progress]:
    """Show the progress of a run on stderr, and nothing that other libraries log."""
    logger = logging.getLogger("dataops_mesh")
    shown = Progress(names, sys.stderr)
    level, propagate = logger.level, logger.propagate
    logger.addHandler(shown)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield shown
    finally:
        logger.removeHandler(shown)
        logger.setLevel(level)
        logger.propagate = propagate
